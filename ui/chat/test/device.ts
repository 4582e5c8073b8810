import { randomBytes, unhex, uuidV7 } from "../client/ids";
import type { Input, Output } from "../client/input";
import type { Act } from "../client/model";
import { Session } from "../client/session";
import { firstStatus, type Status } from "../client/status";
import { type ChatStore, MemoryStore } from "../client/store";
import { ActKind, create, MessageContentSchema, RecallContentSchema, toBinary } from "../client/wire";
import type { FakeGateway } from "./fakeGateway";

export const words = (text: string): Uint8Array =>
  toBinary(MessageContentSchema, create(MessageContentSchema, { body: { case: "text", value: text } }));

const around = { brand: "b", software: "t", language: "en", pageUrl: "", pageTitle: "", referrer: "", browser: "" };

/** A machine, its store and a line to the gateway, moved by hand on a clock of its own. */
export class Device {
  now = 1_000_000;
  status: Status = firstStatus();
  committed = 0;
  private session: Session | null = null;
  private sender = 0;
  private outputs: Output[] = [];
  private toGateway: Uint8Array[] = [];
  private toDevice: Uint8Array[] = [];
  private opening = false;

  constructor(
    readonly gateway: FakeGateway,
    readonly store: ChatStore = new MemoryStore(),
    private readonly random: () => number = Math.random,
  ) {}

  /** Starts, or starts again after a kill: nothing is left but what was stored. */
  async start(): Promise<void> {
    this.cut();
    this.outputs = [];
    this.sender = await this.store.claim();
    this.session = new Session(await this.store.load(), around, this.random);
    this.handle({ is: "start" });
  }

  handle(input: Input): void {
    this.outputs.push(...(this.session?.handle(input, this.now) ?? []));
  }

  write(text: string): Promise<Act> {
    return this.act(ActKind.MESSAGE, words(text));
  }

  async act(kind: ActKind, content: Uint8Array): Promise<Act> {
    const id = uuidV7(this.now, randomBytes(10));
    const act = await this.store.enqueue({ id, kind, content, doneMs: this.now });
    this.handle({ is: "acts", acts: [act], forget: [] });
    return act;
  }

  recall(id: string): Promise<Act> {
    const target = { author: unhex(this.status.me), id: unhex(id) };
    return this.act(ActKind.RECALL, toBinary(RecallContentSchema, create(RecallContentSchema, target)));
  }

  /** The line breaks: what is under way is gone, and the machine hears of it. */
  cut(): void {
    this.gateway.drop();
    this.toGateway = [];
    this.toDevice = [];
    this.opening = false;
    if (this.session) this.handle({ is: "closed" });
  }

  /** One thing happens. False: nothing was left to happen now. */
  async step(): Promise<boolean> {
    const output = this.outputs.shift();
    if (output) {
      await this.perform(output);
      return true;
    }
    const sent = this.toGateway.shift();
    if (sent) {
      this.gateway.hear(sent);
      return true;
    }
    const came = this.toDevice.shift();
    if (came) {
      this.handle({ is: "frame", bytes: came });
      return true;
    }
    if (!this.opening) return false;
    this.opening = false;
    this.handle({ is: "opened" });
    this.gateway.connect((bytes) => this.toDevice.push(bytes));
    return true;
  }

  private async perform(output: Output): Promise<void> {
    if (output.do === "commit") {
      await this.store.commit(this.sender, output.commit);
      this.committed += 1;
    } else if (output.do === "send") {
      if (this.gateway.connected) this.toGateway.push(output.bytes);
    } else if (output.do === "status") {
      this.status = output.status;
    } else if (output.do === "open") {
      this.opening = true;
    } else {
      // What was sent before has left.
      for (const sent of this.toGateway) this.gateway.hear(sent);
      this.gateway.drop();
      this.toGateway = [];
      this.toDevice = [];
    }
  }

  /** Everything happens that can, with the clock going on by at most so many milliseconds. */
  async run(forMs = 0): Promise<void> {
    const end = this.now + forMs;
    for (;;) {
      while (await this.step());
      const at = this.session?.wakeAt(this.now) ?? null;
      if (at === null || at > end) break;
      this.now = Math.max(this.now + 1, at);
      this.handle({ is: "wake" });
    }
    this.now = Math.max(this.now, end);
  }
}
