/** The customer's page: `/chat/?brand=KEY`, by itself or in a merchant's page. */
import "../src/tokens.css";
import "./chat.css";
import { BROWSER_BYTES, URL_BYTES } from "../src/gen/limits";
import { m } from "../src/texts/messages.js";
import { Client, socketTo } from "./client/client";
import type { Surroundings } from "./client/input";
import type { Status } from "./client/status";
import { cutBytes, cutScalars } from "./client/text";
import { chooseLooks } from "./view/looks";
import { Merchant } from "./view/merchant";
import { Page } from "./view/page";

/** As long a merchant's page is waited for, milliseconds. */
const HELLO_MS = 1_500;

interface BrandCard {
  name: string;
  short_name: string;
  greeting: string;
  origins: string[];
}

const here = new URL(location.href);
const brand = here.searchParams.get("brand") ?? "";
const embedded = parent !== window && here.searchParams.get("embed") === "1";

const readCard = async (): Promise<BrandCard> => {
  const nothing: BrandCard = { name: brand, short_name: brand.slice(0, 2), greeting: "", origins: [] };
  try {
    const answer = await fetch(`brand.json?brand=${encodeURIComponent(brand)}`);
    return answer.ok ? ((await answer.json()) as BrandCard) : nothing;
  } catch {
    return nothing;
  }
};

const surroundings = (locale: string): Surroundings => ({
  brand,
  software: cutScalars("zuoxi-chat 0.1.0", 100),
  language: locale,
  pageUrl: cutBytes(here.href, URL_BYTES),
  pageTitle: cutBytes(document.title, URL_BYTES),
  referrer: cutBytes(document.referrer, URL_BYTES),
  browser: cutBytes(navigator.userAgent, BROWSER_BYTES),
});

const socketUrl = `${location.protocol === "http:" ? "ws" : "wss"}://${location.host}/v1/ws`;

/** What the store refuses, the client tells by `storeFailed`. */
const toldOf = () => undefined;

const begin = async (root: HTMLElement): Promise<void> => {
  const locale = chooseLooks();
  const card = await readCard();
  const around = surroundings(locale);
  let page: Page | null = null;
  let merchant: Merchant | null = null;
  let told = "";
  let nonce = "";
  let known = false;

  const tell = (status: Status): void => {
    page?.tell(status);
    const unproven = status.identity === "none" || (status.identity === "known" && !known);
    if (status.connection !== "live" || status.nonce === nonce || !unproven) return;
    ({ nonce } = status);
    known = status.identity === "known";
    merchant?.say({ zuoxi: 1, say: "identify", nonce });
  };
  const client = await Client.open(around, socketTo(socketUrl), {
    status: tell,
    shown: (shown) => page?.show(shown),
    storeFailed: (broken) => page?.storeFailed(broken),
  });
  page = new Page(
    root,
    {
      locale,
      embedded,
      durable: client.store.durable,
      brand: { name: card.name, shortName: card.short_name, greeting: card.greeting },
    },
    {
      write: (text) => client.write(text),
      resend: (act) => void client.resend(act).catch(toldOf),
      discard: (act) => void client.discard(act).catch(toldOf),
      recall: (id) => void client.recall(id).catch(toldOf),
      closeConversation: () => void client.closeConversation().catch(toldOf),
      logOut: () => client.logOut(),
      answerSwitch: (agreed) => client.answerSwitch(agreed),
      draft: (text) => client.saveDraft(text),
      typing: (on) => client.typing(on),
      markRead: (seq) => client.markRead(seq),
      older: (storedMore) => client.older(storedMore),
      minimise: () => merchant?.say({ zuoxi: 1, say: "minimise" }),
      unread: (count) => {
        const label = count > 0 ? m.chat_open_unread({ count }) : m.chat_open();
        if (label === told) return;
        told = label;
        merchant?.say({ zuoxi: 1, say: "unread", count, label });
      },
    },
  );
  addEventListener("online", () => client.nudge());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") client.nudge();
    else client.flushDraft();
  });
  addEventListener("pagehide", () => client.flushDraft());
  const drafted = client.draft().then((text) => page?.restoreDraft(text), toldOf);
  if (!embedded) {
    client.start();
    await drafted;
    return;
  }
  page.setOpen(false);
  // A page that nobody has talked on stays unconnected until it is opened.
  const before = client.isKnown();
  const greeted = new Promise<void>((resolve) => {
    setTimeout(resolve, HELLO_MS);
    merchant = new Merchant([...new Set([...card.origins, location.origin])], {
      hello: ({ url, title, referrer }) => {
        around.pageUrl = cutBytes(url, URL_BYTES);
        around.pageTitle = cutBytes(title, URL_BYTES);
        around.referrer = cutBytes(referrer, URL_BYTES);
        told = "";
        resolve();
      },
      open: (open) => {
        page?.setOpen(open);
        if (open) client.start();
      },
      page: (url) => client.visit(cutBytes(url, URL_BYTES)),
      identity: (jwt) => client.identify(jwt),
      logOut: () => void client.unsent().then((count) => page?.leave(count), toldOf),
    });
  });
  if (await before) {
    await greeted;
    client.start();
  }
};

const root = document.querySelector<HTMLElement>("#chat");
if (root) void begin(root);
