/** Plays a script of `proto/vectors/exchanges/` with the page's machine; its README says what steps mean. */
import { createHash } from "node:crypto";
import { ClientFrameSchema, GatewayFrameSchema } from "../../src/gen/proto/zuoxi/v1/frame_pb";
import { hex } from "../client/ids";
import type { Commit } from "../client/model";
import type { Output } from "../client/input";
import { clip } from "../client/ranges";
import { Session } from "../client/session";
import { MemoryStore, type NewAct } from "../client/store";
import {
  ActKind,
  AuthorRole,
  BlockCodec,
  BlockEntriesSchema,
  create,
  type Entry,
  EntryKind,
  EntrySchema,
  fromBinary,
  MessageContentSchema,
  ProblemCode,
  RecallContentSchema,
  RefusalCode,
  Stage,
  toBinary,
} from "../client/wire";

type Words = Record<string, unknown>;
export type Step = Words & { state?: Words };
type Kind = NonNullable<NonNullable<Parameters<typeof create<typeof GatewayFrameSchema>>[1]>["kind"]>;

interface ScriptedEntry {
  seq: number;
  id: string;
  by?: "me" | "agent";
  text?: string;
  recalls?: string;
  recalls_by?: "me" | "agent";
  erased?: boolean;
}

const encoder = new TextEncoder();
/** A name as 16 bytes. */
const idOf = (name: string): Uint8Array => {
  const id = new Uint8Array(16);
  id.set(encoder.encode(name));
  return id;
};
const nameOf = (id: Uint8Array): string => new TextDecoder().decode(id).replaceAll("\0", "");
const words = (text: string): Uint8Array =>
  toBinary(MessageContentSchema, create(MessageContentSchema, { body: { case: "text", value: text } }));
const TALK = idOf("talk");
const ME = idOf("me");

const entryOf = ({ seq, id, by = "agent", text = "", recalls, recalls_by, erased }: ScriptedEntry): Entry => {
  let content = erased ? new Uint8Array() : words(text);
  if (recalls !== undefined) {
    const target = { author: idOf(recalls_by ?? by), id: idOf(recalls) };
    content = toBinary(RecallContentSchema, create(RecallContentSchema, target)) as Uint8Array<ArrayBuffer>;
  }
  return create(EntrySchema, {
    seq: BigInt(seq),
    id: idOf(id),
    kind: recalls === undefined ? EntryKind.MESSAGE : EntryKind.RECALL,
    timeMs: BigInt(1_000 + seq),
    authorRole: by === "me" ? AuthorRole.CUSTOMER : AuthorRole.AGENT,
    author: idOf(by),
    content,
    erased: erased ?? false,
  });
};

const filled = (range: unknown, id: (seq: number) => string): ScriptedEntry[] => {
  const [first, last] = (range as [number, number] | undefined) ?? [1, 0];
  return Array.from({ length: last - first + 1 }, (_, at) => ({
    seq: first + at,
    id: id(first + at),
    text: `m${first + at}`,
  }));
};

const textOf = (bytes: Uint8Array): string | null => {
  const entry = fromBinary(EntrySchema, bytes);
  if (entry.kind !== EntryKind.MESSAGE || entry.erased) return null;
  return String(fromBinary(MessageContentSchema, entry.content).body.value);
};

const around = { brand: "b", software: "t", language: "en", pageUrl: "", pageTitle: "", referrer: "", browser: "" };

export class Exchange {
  private now = 1_000_000;
  private session: Session | null = null;
  private store = new MemoryStore();
  private sender = 0;
  /** What waits behind a held commit: outputs, and acts whose transaction isn't done. */
  private held: { outputs: Output[]; acts: NewAct[] } | null = null;
  private sent: string[] = [];
  private opens = 0;
  private closes = 0;
  private acked = 0;
  private delivered = 0;
  private questions: number[] = [];
  private compare: { request: number; ranges: { first: bigint; last: bigint }[] } | null = null;
  private request = 0;
  private wantsOpen = false;

  async step(step: Step): Promise<unknown> {
    const [name, value] = Object.entries(step)[0] ?? [];
    const given = value as never;
    switch (name) {
      case "start":
        return this.start();
      case "kill":
        [this.session, this.held, this.wantsOpen] = [null, null, false];
        return;
      case "live":
        return this.live(given);
      case "opened":
        return this.opened();
      case "hello":
        return this.hello(given);
      case "logged_in":
        return this.loggedIn(given);
      case "cut":
        this.wantsOpen = false;
        return this.handle({ is: "closed" });
      case "write":
        return this.act({ id: hex(idOf(given)), kind: ActKind.MESSAGE, content: words(given), doneMs: this.now });
      case "close":
        return this.act({ id: hex(idOf(given)), kind: ActKind.CLOSE, content: new Uint8Array(), doneMs: this.now });
      case "discard":
        return this.discard(hex(idOf(given)));
      case "send_again":
        return this.again(given, given);
      case "resend":
        return this.again(given[0], given[1]);
      case "mark_read":
        return this.handle({ is: "read", seq: given });
      case "hold":
        this.held = { outputs: [], acts: [] };
        return;
      case "commit":
        return this.release();
      case "wait":
        return this.wait(given);
      case "sent":
        return this.look(given, step["any_order"] === true);
      case "opens":
        return this.count("opens", given);
      case "closes":
        return this.count("closes", given);
      case "state":
        return this.compareState(given);
      default:
        return this.gateway(name ?? "", given);
    }
  }

  // ---- the client ------------------------------------------------------------------------------------------------

  private async start(): Promise<void> {
    this.sender = await this.store.claim();
    this.session = new Session(await this.store.load(), around, () => 0.5);
    await this.handle({ is: "start" });
  }

  private async handle(input: Parameters<Session["handle"]>[0]): Promise<void> {
    for (const output of this.session?.handle(input, this.now) ?? []) {
      if (this.held) this.held.outputs.push(output);
      else await this.perform(output);
    }
  }

  private async perform(output: Output): Promise<void> {
    if (output.do === "commit") await this.store.commit(this.sender, output.commit satisfies Commit);
    else if (output.do === "send") this.leave(output.bytes);
    else if (output.do === "open") [this.opens, this.wantsOpen] = [this.opens + 1, true];
    else if (output.do === "close") this.closes += 1;
  }

  private async release(): Promise<void> {
    const { held } = this;
    this.held = null;
    for (const output of held?.outputs ?? []) await this.perform(output);
    for (const act of held?.acts ?? []) await this.act(act);
  }

  private async act(act: NewAct): Promise<void> {
    if (this.held) this.held.acts.push(act);
    else await this.handle({ is: "acts", acts: [await this.store.enqueue(act)], forget: [] });
  }

  private async discard(id: string): Promise<void> {
    const act = (await this.store.load()).acts.find((other) => other.id === id);
    if (act?.state === "waiting") return this.handle({ is: "discard", id });
    await this.store.replace(id, null);
    await this.handle({ is: "acts", acts: [], forget: [id] });
  }

  private async again(old: string, fresh: string): Promise<void> {
    const known = (await this.store.load()).acts.find((act) => act.id === hex(idOf(old)));
    if (!known) throw new Error(`there is no ${old}`);
    const by = { id: hex(idOf(fresh)), kind: known.kind, content: known.content, doneMs: this.now };
    const stored = await this.store.replace(known.id, by);
    await this.handle({ is: "acts", acts: stored ? [stored] : [], forget: [known.id] });
  }

  private async wait(ms: number): Promise<void> {
    const end = this.now + ms;
    for (let at = this.session?.wakeAt(this.now); at !== null && at !== undefined && at <= end;) {
      this.now = Math.max(this.now + 1, at);
      await this.handle({ is: "wake" });
      at = this.session?.wakeAt(this.now);
    }
    this.now = Math.max(this.now, end);
  }

  // ---- what leaves -----------------------------------------------------------------------------------------------

  private leave(bytes: Uint8Array): void {
    const { request, ack, kind } = fromBinary(ClientFrameSchema, bytes);
    if (ack) {
      this.acked = Math.max(this.acked, Number(ack.push));
      for (const { seq } of ack.watermarks) this.delivered = Math.max(this.delivered, Number(seq));
    }
    if (kind.case === "logIn") {
      this.request = request;
      this.sent.push(`log_in ${kind.value.credential.case}`);
    } else if (kind.case === "acts") {
      for (const act of kind.value.acts) {
        const what = { [ActKind.VOID]: " void", [ActKind.CLOSE]: " close" }[act.kind as number] ?? "";
        this.sent.push(`act ${nameOf(act.id)} ${act.lane}/${act.number}${what}`);
      }
    } else if (kind.case === "readEntries") {
      this.questions.push(request);
      const { what } = kind.value;
      this.sent.push(what.case === "range" ? `read ${what.value.first}-${what.value.last}` : "read newest");
    } else if (kind.case === "compare") {
      this.compare = { request, ranges: kind.value.ranges };
      this.sent.push("compare");
    } else if (kind.case === "movePosition") {
      this.sent.push(`position ${kind.value.read}`);
    }
  }

  private look(expected: string[], anyOrder: boolean): unknown {
    const sent = this.sent.splice(0);
    return anyOrder ? difference(new Set(sent), new Set(expected)) : difference(sent, expected);
  }

  private count(what: "opens" | "closes", expected: number | "some"): unknown {
    const counted = this[what];
    this[what] = 0;
    if (expected === "some" && counted > 0) return null;
    return difference(counted, expected);
  }

  private async compareState(expected: Words): Promise<unknown> {
    const { log, entries, acts } = await this.store.load();
    const held = entries.filter(({ seq }) => clip(log.covered, { first: seq, last: seq }).length > 0);
    const outbox = acts.filter((act) => act.state !== "late");
    const named = <T>(value: (act: (typeof acts)[number]) => T) =>
      Object.fromEntries(outbox.map((act) => [nameOf(Buffer.from(act.id, "hex")), value(act)]));
    const state: Words = {
      covered: log.covered.map(({ first, last }) => [first, last]),
      head: log.head,
      floor: log.floor,
      entries: Object.fromEntries(held.map(({ seq, bytes }) => [seq, textOf(bytes)])),
      stored: [Math.min(...entries.map(({ seq }) => seq)), Math.max(...entries.map(({ seq }) => seq))],
      outbox: named((act) => (act.behind && act.state === "parked" ? "parked behind" : act.state)),
      bases: named((act) => act.base),
      too_late: acts.filter((act) => act.state === "late").map((act) => nameOf(Buffer.from(act.id, "hex"))),
      read: log.read,
      acked: this.acked,
      delivered: this.delivered,
    };
    const bases = { ...(state["bases"] as Words) };
    if (expected["bases"])
      for (const name of Object.keys(bases)) if (!(name in (expected["bases"] as Words))) delete bases[name];
    state["bases"] = bases;
    return difference(Object.fromEntries(Object.keys(expected).map((key) => [key, state[key]])), expected);
  }

  // ---- the gateway -----------------------------------------------------------------------------------------------

  private tell(kind: Kind, request = 0): Promise<void> {
    const frame = create(GatewayFrameSchema, { request, kind });
    return this.handle({ is: "frame", bytes: toBinary(GatewayFrameSchema, frame) });
  }

  private async live(told: Words): Promise<void> {
    if (!this.session) await this.start();
    for (let waited = 0; !this.wantsOpen && waited < 60_000; waited += 100) await this.wait(100);
    if (!this.wantsOpen) throw new Error("it doesn't open a connection");
    await this.opened();
    await this.hello(told);
    this.sent = this.sent.filter((frame) => !frame.startsWith("log_in"));
    await this.loggedIn(told);
  }

  private opened(): Promise<void> {
    this.wantsOpen = false;
    [this.acked, this.delivered, this.questions] = [0, 0, []];
    return this.handle({ is: "opened" });
  }

  private hello({ epoch = 1, version = 1 }: { epoch?: number; version?: number }): Promise<void> {
    const versions = { versionMin: version, versionMax: version };
    const value = { ...versions, epoch: BigInt(epoch), nonce: new Uint8Array(16), timeMs: BigInt(this.now) };
    return this.tell({ case: "hello", value });
  }

  private loggedIn(told: { epoch?: number; head?: number; floor?: number; window?: number }): Promise<void> {
    const { epoch = 1, head = 0, floor = 1, window = 8 } = told;
    const state = { conversation: TALK, stage: Stage.SERVED, agentName: "A", head: BigInt(head), floor: BigInt(floor) };
    const who = { session: new Uint8Array(32).fill(5), me: { id: ME, role: 1, name: "me" }, epoch: BigInt(epoch) };
    const value = { ...who, timeMs: BigInt(this.now), heartbeatMs: 10_000, windowActs: window, state };
    return this.tell({ case: "loggedIn", value }, this.request);
  }

  private async gateway(name: string, given: Words): Promise<void> {
    const number = (key: string, otherwise: number): number => (given[key] as number | undefined) ?? otherwise;
    const head = BigInt(number("head", 0));
    const floor = BigInt(number("floor", 1));
    const answer = (result: object) => {
      const named = { conversation: TALK, lane: number("lane", 1), number: number("number", 1) };
      const answers = [{ ...named, id: idOf(given["to"] as string), result }];
      return this.tell({ case: "answers", value: { answers } } as Kind);
    };
    switch (name) {
      case "answer": {
        const seq = number("seq", 1);
        const entry = {
          ...entryOf({ seq, id: given["to"] as string, by: "me" }),
          content: new Uint8Array(),
          contentAsSent: true,
        };
        const push = { conversation: TALK, head: BigInt(number("head", seq)), floor, entry };
        return answer({ case: "accepted", value: { seq: BigInt(seq), timeMs: BigInt(1_000 + seq), push } });
      }
      case "repeat":
        return answer({ case: "accepted", value: { seq: BigInt(number("seq", 1)), timeMs: 1_001n } });
      case "refuse": {
        const code = RefusalCode[given["code"] as keyof typeof RefusalCode];
        const now = { forNow: given["for_now"] === true, retryMs: number("retry_ms", 0) };
        return answer({ case: "refused", value: { code, ...now, endsLane: given["ends_lane"] === true } });
      }
      case "push": {
        const entry = entryOf(given["entry"] as ScriptedEntry);
        const push = { number: BigInt(number("number", 1)), conversation: TALK, head, floor, entry };
        return this.tell({ case: "pushes", value: { pushes: [push] } });
      }
      case "page":
        return this.page(given, head, floor);
      case "heartbeat": {
        const own = { conversation: TALK, head, floor };
        const value = { epoch: BigInt(number("epoch", 1)), timeMs: BigInt(this.now), own };
        return this.tell({ case: "heartbeat", value });
      }
      case "compared":
        return this.compared(given, head, floor);
      case "not_found":
        return this.tell({ case: "problem", value: { code: ProblemCode.NOT_FOUND } }, this.compare?.request);
      case "going_away":
        return this.tell({ case: "goingAway", value: { comeBackMs: number("come_back_ms", 0), reason: 1 } });
      default:
        throw new Error(`no step is called ${name}`);
    }
  }

  private page(given: Words, head: bigint, floor: bigint): Promise<void> {
    const entries = [
      ...((given["entries"] as ScriptedEntry[] | undefined) ?? []),
      ...filled(given["fill"], (seq) => `m${seq}`),
    ];
    const bytes = entries.map((entry) => toBinary(EntrySchema, entryOf(entry)));
    const data = toBinary(BlockEntriesSchema, create(BlockEntriesSchema, { entries: bytes }));
    const range = { first: BigInt(entries[0]?.seq ?? 0), last: BigInt(entries.at(-1)?.seq ?? 0) };
    const block = { version: 1, codec: BlockCodec.PLAIN, ...range, data, decodedSize: data.length };
    const nth = given["question"] as number | undefined;
    const request = nth === undefined ? this.questions.at(-1) : this.questions[nth - 1];
    const value = { conversation: TALK, head, floor, blocks: [block], covers: range };
    return this.tell({ case: "entriesPage", value }, request);
  }

  private compared(given: Words, head: bigint, floor: bigint): Promise<void> {
    const others = filled(given["others"], (seq) => `other${seq}`);
    const scripted = [
      ...((given["log"] as ScriptedEntry[] | undefined) ?? []),
      ...filled(given["fill"], (seq) => `m${seq}`),
      ...others,
    ];
    const log = new Map(scripted.map((entry) => [entry.seq, entryOf(entry)]));
    const erased = (given["erased"] as number[] | undefined) ?? [];
    const hashes = (this.compare?.ranges ?? []).map((range) => {
      const hash = createHash("sha256");
      const there = range.first >= floor && range.last <= head;
      const seqs = there ? filled([Number(range.first), Number(range.last)], String).map(({ seq }) => seq) : [];
      for (const seq of seqs) {
        const entry = log.get(seq);
        if (!entry) throw new Error(`the script's log has no ${seq}`);
        const place = Buffer.alloc(8);
        place.writeBigUInt64BE(entry.seq);
        hash.update(place).update(entry.id).update(Uint8Array.of(16)).update(entry.author);
      }
      const inside = erased.map(BigInt).filter((seq) => seq >= range.first && seq <= range.last);
      return { range, sha256: there ? new Uint8Array(hash.digest()) : new Uint8Array(), erased: there ? inside : [] };
    });
    return this.tell({ case: "compared", value: { conversation: TALK, head, floor, hashes } }, this.compare?.request);
  }
}

const plain = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Set) return [...inner].map(String).toSorted();
    if (inner && typeof inner === "object" && !Array.isArray(inner))
      return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    return inner;
  });

/** Null: the same. */
const difference = (found: unknown, expected: unknown): { found: unknown; expected: unknown } | null =>
  plain(found) === plain(expected) ? null : { found, expected };
