import type { FromFrame, ToFrame } from "../embed/words";

export interface MerchantWords {
  hello(page: { url: string; title: string; referrer: string }): void;
  open(open: boolean): void;
  page(url: string): void;
  identity(jwt: string): void;
  logOut(): void;
}

/** The page around our frame. It is listened to if its origin is one of the brand's, and spoken to at that origin. */
export class Merchant {
  private origin = "";

  constructor(
    private readonly origins: readonly string[],
    private readonly on: MerchantWords,
  ) {
    addEventListener("message", (event: MessageEvent<ToFrame>) => this.hear(event));
    // Says nothing but that we are here; whoever it is, nothing else is told before their origin is known.
    for (const origin of origins) this.post({ zuoxi: 1, say: "ready" }, origin);
  }

  private hear(event: MessageEvent<ToFrame>): void {
    if (event.source !== parent || !this.origins.includes(event.origin) || event.data?.zuoxi !== 1) return;
    this.origin = event.origin;
    const word = event.data;
    if (word.say === "hello") this.on.hello({ url: word.url, title: word.title, referrer: word.referrer });
    else if (word.say === "open") this.on.open(word.open);
    else if (word.say === "page") this.on.page(word.url);
    else if (word.say === "identity") this.on.identity(word.jwt);
    else if (word.say === "log_out") this.on.logOut();
  }

  private post(word: FromFrame, origin: string): void {
    parent.postMessage(word, origin);
  }

  say(word: FromFrame): void {
    if (this.origin) this.post(word, this.origin);
  }
}
