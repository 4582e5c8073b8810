import type { Input, Output, Surroundings } from "./input";
import { randomBytes } from "./ids";
import { Session } from "./session";
import type { Status } from "./status";
import { type ChatStore, NotTheSender } from "./store";

/** After the store failed: a pause before everything is read anew, milliseconds. */
const STORE_PAUSE_MS = 3_000;

/** What a machine's outputs need from the browser. */
export interface Surface {
  connect(on: { opened(): void; frame(bytes: Uint8Array): void; closed(): void }): Socket;
  now(): number;
  /** Entries, outbox or account changed in the store. */
  changed(): void;
  status(status: Status): void;
  /** The store didn't take it; what was acknowledged is safe, and it is tried again. */
  failed(error: unknown): void;
  /** The store takes and gives, as each beginning shows. */
  began(): void;
  /** Another tab sends. */
  stoodDown(): void;
}

export interface Socket {
  send(bytes: Uint8Array): void;
  close(): void;
}

const random = (): number => new DataView(randomBytes(4).buffer).getUint32(0) / 2 ** 32;

/** The one tab that sends: runs the machine, its outputs strictly one after another. */
export class Sender {
  private session: Session | null = null;
  private number = 0;
  private socket: Socket | null = null;
  private queue: Output[] = [];
  private waiting: Input[] = [];
  private running = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ended = false;

  constructor(
    private readonly store: ChatStore,
    private readonly surroundings: Surroundings,
    private readonly surface: Surface,
  ) {}

  async begin(): Promise<void> {
    try {
      this.number = await this.store.claim();
      const snapshot = await this.store.load();
      if (this.ended) return;
      this.session = new Session(snapshot, this.surroundings, random);
      this.surface.began();
      const waiting = this.waiting;
      this.waiting = [];
      // What was stored while the snapshot was read is in it, or comes now; an id is taken once.
      for (const input of waiting) this.handle(input);
      this.handle({ is: "start" });
    } catch (error) {
      this.fail(error);
    }
  }

  handle(input: Input): void {
    if (this.ended) return;
    if (!this.session) {
      this.waiting.push(input);
      return;
    }
    this.queue.push(...this.session.handle(input, this.surface.now()));
    this.wake();
    void this.run();
  }

  private wake(): void {
    clearTimeout(this.timer);
    const now = this.surface.now();
    const at = this.session?.wakeAt(now) ?? null;
    if (at !== null) this.timer = setTimeout(() => this.handle({ is: "wake" }), Math.max(0, at - now));
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    const { session } = this;
    try {
      for (let output = this.queue.shift(); output && session === this.session; output = this.queue.shift())
        await this.perform(output);
    } catch (error) {
      this.fail(error);
    } finally {
      this.running = false;
    }
  }

  private async perform(output: Output): Promise<void> {
    switch (output.do) {
      case "commit":
        await this.store.commit(this.number, output.commit);
        this.surface.changed();
        break;
      case "send":
        this.socket?.send(output.bytes);
        break;
      case "open":
        this.open();
        break;
      case "close":
        this.shut();
        break;
      case "status":
        this.surface.status(output.status);
        break;
      default:
        output satisfies never;
    }
  }

  private open(): void {
    this.shut();
    let mine: Socket | null = null;
    const living = (act: () => void) => () => {
      if (mine !== null && mine === this.socket) act();
    };
    mine = this.surface.connect({
      opened: living(() => this.handle({ is: "opened" })),
      frame: (bytes) => living(() => this.handle({ is: "frame", bytes }))(),
      closed: living(() => {
        this.socket = null;
        this.handle({ is: "closed" });
      }),
    });
    this.socket = mine;
  }

  private shut(): void {
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  /** Nothing that wasn't stored was acknowledged: everything begins anew from the store. */
  private fail(error: unknown): void {
    if (this.ended) return;
    this.stop();
    if (error instanceof NotTheSender) {
      this.end();
      this.surface.stoodDown();
      return;
    }
    this.surface.failed(error);
    this.timer = setTimeout(() => void this.begin(), STORE_PAUSE_MS);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.shut();
    this.session = null;
    this.queue = [];
  }

  end(): void {
    this.stop();
    this.ended = true;
  }
}
