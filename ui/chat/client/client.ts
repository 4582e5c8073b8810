import { randomBytes, unhex, uuidV7 } from "./ids";
import { IndexedStore } from "./indexedStore";
import type { Input, Surroundings } from "./input";
import type { Act } from "./model";
import { Sender, type Socket, type Surface } from "./sender";
import { firstStatus, type Status } from "./status";
import { type ChatStore, isUnsent, MemoryStore, type NewAct, type Shown } from "./store";
import { type Leadership, lead } from "./tabs";
import { ActKind, create, MessageContentSchema, RecallContentSchema, toBinary } from "./wire";

/** What was typed is stored after so long a pause, milliseconds. */
const DRAFT_MS = 300;

/** What the store is used for: one may fail without the other. */
type Use = "reading" | "writing";

/** What tabs say to each other. */
type Word = { say: "status"; status: Status } | { say: "changed" } | { say: "who" } | { say: "do"; input: Input };

export interface Watcher {
  status(status: Status): void;
  shown(shown: Shown): void;
  /** The browser's storage refuses (full, or broken), or does what it should again. */
  storeFailed(broken: boolean): void;
}

/** One tab's client: stores acts itself, and sends if it is the one that sends. */
export class Client {
  private sender: Sender | null = null;
  private readonly channel: BroadcastChannel | null;
  private leadership: Leadership | null = null;
  private most = 60;
  private reading = false;
  private readAgain = false;
  private status = firstStatus();
  private draftTimer: ReturnType<typeof setTimeout> | undefined;
  /** Typed, and not stored yet. */
  private drafted: string | null = null;
  /** `Account.life` of who types here; 0: not known yet. */
  private life = 0;
  private readonly failing = new Set<Use>();

  private constructor(
    readonly store: ChatStore,
    private readonly surroundings: Surroundings,
    private readonly connect: Surface["connect"],
    private readonly watcher: Watcher,
  ) {
    const shared = store.durable && "BroadcastChannel" in globalThis;
    this.channel = shared ? new BroadcastChannel(`zuoxi-chat-${surroundings.brand}`) : null;
    this.channel?.addEventListener("message", (event: MessageEvent<Word>) => this.hear(event.data));
  }

  static async open(surroundings: Surroundings, connect: Surface["connect"], watcher: Watcher): Promise<Client> {
    const store = await IndexedStore.open(surroundings.brand).catch(() => new MemoryStore());
    return new Client(store, surroundings, connect, watcher);
  }

  /** Whether somebody has talked here before. */
  async isKnown(): Promise<boolean> {
    const { account, acts } = await this.store.load();
    return account.session !== "" || acts.length > 0;
  }

  async unsent(): Promise<number> {
    const { acts } = await this.use("reading", this.store.shown(0));
    return acts.filter(isUnsent).length;
  }

  start(): void {
    if (this.leadership) return;
    this.changed();
    if (!this.store.durable) {
      this.become();
      this.leadership = { giveWay: () => undefined, end: () => undefined };
      return;
    }
    this.leadership = lead(`zuoxi-chat-${this.surroundings.brand}`, () => this.become());
    this.say({ say: "who" });
  }

  private become(): void {
    this.sender = new Sender(this.store, this.surroundings, {
      connect: this.connect,
      now: () => Date.now(),
      changed: () => {
        this.used("writing", true);
        this.changed();
        this.say({ say: "changed" });
      },
      status: (status) => {
        this.told(status);
        this.say({ say: "status", status });
      },
      failed: () => this.used("writing", false),
      began: () => this.used("writing", true),
      stoodDown: () => {
        this.sender = null;
        this.leadership?.giveWay();
      },
    });
    void this.sender.begin();
  }

  /** How a use of the store ended. */
  private used(use: Use, well: boolean): void {
    const before = this.failing.size > 0;
    if (well) this.failing.delete(use);
    else this.failing.add(use);
    const broken = this.failing.size > 0;
    if (broken !== before) this.watcher.storeFailed(broken);
  }

  private async use<T>(use: Use, work: Promise<T>): Promise<T> {
    try {
      const done = await work;
      this.used(use, true);
      return done;
    } catch (error) {
      this.used(use, false);
      throw error;
    }
  }

  private told(status: Status): void {
    if (status.life > this.life) {
      const known = this.life > 0;
      this.life = status.life;
      // Somebody else begins here: what was typed and isn't stored yet goes with the former one.
      if (known) this.keepDraft(null);
      else this.flushDraft();
    }
    this.status = status;
    this.watcher.status(status);
  }

  private say(word: Word): void {
    this.channel?.postMessage(word);
  }

  private hear(word: Word): void {
    if (word.say === "changed") this.changed();
    else if (word.say === "status" && !this.sender) this.told(word.status);
    else if (word.say === "who" && this.sender) this.say({ say: "status", status: this.status });
    else if (word.say === "do") this.sender?.handle(word.input);
  }

  /** To the tab that sends, which may be this one. */
  private do(input: Input): void {
    if (this.sender) this.sender.handle(input);
    else this.say({ say: "do", input });
  }

  private changed(): void {
    this.readAgain = true;
    if (!this.reading) void this.read();
  }

  private async read(): Promise<void> {
    this.reading = true;
    try {
      while (this.readAgain) {
        this.readAgain = false;
        this.watcher.shown(await this.use("reading", this.store.shown(this.most)));
      }
    } catch {
      // Told, and read again when something changes.
    } finally {
      this.reading = false;
    }
  }

  private announce(acts: Act[], forget: string[]): void {
    this.changed();
    this.say({ say: "changed" });
    this.do({ is: "acts", acts, forget });
  }

  private newAct(kind: ActKind, content: Uint8Array): NewAct {
    const doneMs = Date.now();
    return { id: uuidV7(doneMs, randomBytes(10)), kind, content, doneMs };
  }

  private async enqueue(kind: ActKind, content: Uint8Array, draft?: string): Promise<void> {
    const act = await this.use("writing", this.store.enqueue(this.newAct(kind, content), draft));
    this.start();
    this.announce([act], []);
  }

  /** Resolves when it is stored; rejects if the store refused it, and then it isn't sent. */
  async write(text: string): Promise<void> {
    const language = /\p{Script=Han}/u.test(text) ? "zh" : "";
    const content = create(MessageContentSchema, { body: { case: "text", value: text }, language });
    this.keepDraft(null);
    await this.enqueue(ActKind.MESSAGE, toBinary(MessageContentSchema, content), "");
  }

  /** Takes an own message's content away, on both sides. */
  async recall(id: string): Promise<void> {
    const target = { author: unhex(this.status.me), id: unhex(id) };
    await this.enqueue(ActKind.RECALL, toBinary(RecallContentSchema, create(RecallContentSchema, target)));
    await this.use("writing", this.store.replace(id, null));
    this.announce([], [id]);
  }

  async closeConversation(): Promise<void> {
    await this.enqueue(ActKind.CLOSE, new Uint8Array());
  }

  /** Token, cache, outbox and draft of this browser go, and a new visitor begins. */
  logOut(): void {
    this.keepDraft(null);
    this.start();
    this.do({ is: "log_out" });
  }

  /** The merchant says that it is somebody else: whether what is unsent may be lost. */
  answerSwitch(agreed: boolean): void {
    this.do({ is: "switch", agreed });
  }

  /** What stood in the composer, also before a reload. From then on it is known whose it is. */
  async draft(): Promise<string> {
    const { text, life } = await this.use("reading", this.store.draft());
    if (this.life === 0) this.told({ ...this.status, life });
    return life === this.life ? text : "";
  }

  saveDraft(text: string): void {
    this.keepDraft(text);
    this.draftTimer = setTimeout(() => this.flushDraft(), DRAFT_MS);
  }

  private keepDraft(text: string | null): void {
    clearTimeout(this.draftTimer);
    this.drafted = text;
  }

  /** The page may go: what was typed last is stored now. */
  flushDraft(): void {
    clearTimeout(this.draftTimer);
    if (this.drafted === null || this.life === 0) return;
    const draft = { text: this.drafted, life: this.life };
    this.use("writing", this.store.saveDraft(draft)).catch(() => undefined);
    this.drafted = null;
  }

  /** A refused id is dead: the same goes as a new act. */
  async resend(act: Act): Promise<void> {
    const again = await this.use("writing", this.store.replace(act.id, this.newAct(act.kind, act.content)));
    this.announce(again ? [again] : [], [act.id]);
  }

  async discard(act: Act): Promise<void> {
    if (act.state === "waiting") {
      this.do({ is: "discard", id: act.id });
      return;
    }
    await this.use("writing", this.store.replace(act.id, null));
    this.announce([], [act.id]);
  }

  markRead(seq: number): void {
    if (seq > this.status.read) this.do({ is: "read", seq });
  }

  typing(on: boolean): void {
    this.do({ is: "typing", on });
  }

  /** Shows older entries: from the store, and once those are shown, from the gateway. */
  older(storedMore: boolean): void {
    this.most += 60;
    this.changed();
    if (!storedMore) this.do({ is: "older" });
  }

  nudge(): void {
    this.do({ is: "nudge" });
  }

  visit(url: string): void {
    this.do({ is: "visit", url });
  }

  identify(jwt: string): void {
    this.start();
    this.do({ is: "identify", jwt });
  }

  end(): void {
    this.sender?.end();
    this.leadership?.end();
    this.channel?.close();
    this.store.close();
  }
}

/** The gateway's socket, as the machine's outputs use it. */
export const socketTo =
  (url: string): Surface["connect"] =>
  (on): Socket => {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => on.opened());
    socket.addEventListener("close", () => on.closed());
    socket.addEventListener("message", (event: MessageEvent) => {
      // A text frame is no frame.
      const bytes = event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : Uint8Array.of(0xff);
      on.frame(bytes);
    });
    return {
      send: (bytes) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(bytes as Uint8Array<ArrayBuffer>);
      },
      close: () => socket.close(),
    };
  };
