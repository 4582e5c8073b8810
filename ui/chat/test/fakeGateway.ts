import { createHash } from "node:crypto";
import { ClientFrameSchema, GatewayFrameSchema } from "../../src/gen/proto/zuoxi/v1/frame_pb";
import { hex } from "../client/ids";
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
  ProblemCode,
  RecallContentSchema,
  RefusalCode,
  Stage,
  toBinary,
} from "../client/wire";

type Init = NonNullable<Parameters<typeof create<typeof GatewayFrameSchema>>[1]>;
type Kind = NonNullable<Init["kind"]>;

const ENTRY_KINDS: Partial<Record<ActKind, EntryKind>> = {
  [ActKind.MESSAGE]: EntryKind.MESSAGE,
  [ActKind.RECALL]: EntryKind.RECALL,
  [ActKind.CLOSE]: EntryKind.CLOSE,
};
const AGENT = new Uint8Array(16).fill(9);

/** The gateway's rules for one customer, as far as a page can tell: lanes, known ids, numbered pushes, pages. */
export class FakeGateway {
  epoch = 1n;
  log: Entry[] = [];
  /** First answers, by id: a Seq, or a final refusal. */
  known = new Map<string, number | RefusalCode>();
  refuse: (id: string, kind: ActKind) => { code: RefusalCode; ends: boolean } | null = () => null;
  acked = 0n;
  delivered = 0n;
  read = 0n;
  codecs: number[] | null = null;
  /** Tokens of those who talked here, and whose they are. Nobody knows those of a former life. */
  tokens = new Map<string, Uint8Array>();
  compares = 0;
  identities: string[] = [];
  private me: Uint8Array = new Uint8Array(16);
  private visitors = 6;
  private lane = 0;
  private last = 0;
  private ended = false;
  private pushes = 0n;
  private loggedIn = false;
  private say: ((bytes: Uint8Array) => void) | null = null;

  connect(say: (bytes: Uint8Array) => void): void {
    this.say = say;
    [this.lane, this.last, this.ended, this.pushes, this.loggedIn] = [0, 0, false, 0n, false];
    const nonce = new Uint8Array(16);
    this.tell({ case: "hello", value: { versionMin: 1, versionMax: 1, epoch: this.epoch, nonce, timeMs: 1n } });
  }

  drop(): void {
    this.say = null;
  }

  get connected(): boolean {
    return this.say !== null;
  }

  private tell(kind: Kind, request = 0): void {
    this.say?.(toBinary(GatewayFrameSchema, create(GatewayFrameSchema, { request, kind })));
  }

  hear(bytes: Uint8Array): void {
    const frame = fromBinary(ClientFrameSchema, bytes);
    if (frame.ack) {
      this.acked = frame.ack.push;
      for (const mark of frame.ack.watermarks) this.delivered = mark.seq > this.delivered ? mark.seq : this.delivered;
    }
    const { kind, request } = frame;
    if (kind.case === "logIn") {
      this.codecs = kind.value.codecs;
      const { credential } = kind.value;
      const known = credential.case === "session" ? this.tokens.get(hex(credential.value)) : null;
      if (known === undefined) return this.tell({ case: "problem", value: { code: ProblemCode.SESSION } }, request);
      if (!known) this.newVisitor();
      this.welcome(known ?? new Uint8Array(16).fill(this.visitors), request);
    } else if (kind.case === "logOut") {
      this.tokens.delete(hex(new Uint8Array(32).fill(this.visitors)));
    } else if (kind.case === "identify") {
      this.identities.push(kind.value.jwt);
      this.welcome(this.me, request);
    } else if (kind.case === "compare") {
      this.compare(kind.value.ranges, request);
    } else if (kind.case === "acts") {
      for (const act of kind.value.acts) this.act(act);
    } else if (kind.case === "readEntries") {
      const { what } = kind.value;
      const newest = what.case === "newest" ? Math.max(1, this.log.length + 1 - what.value) : 1;
      const [first, last] =
        what.case === "range" ? [Number(what.value.first), Number(what.value.last)] : [newest, this.log.length];
      this.page(request, first, Math.min(last, this.log.length));
    } else if (kind.case === "movePosition") {
      this.read = kind.value.read;
    }
  }

  private newVisitor(): void {
    this.visitors += 1;
    this.log = [];
    this.known.clear();
  }

  private welcome(me: Uint8Array, request: number): void {
    this.loggedIn = true;
    this.me = me;
    const session = new Uint8Array(32).fill(this.visitors);
    this.tokens.set(hex(session), me);
    const state = { stage: Stage.SERVED, agentName: "A", head: BigInt(this.log.length), floor: 1n };
    const value = { session, me: { id: me }, epoch: this.epoch, heartbeatMs: 10_000, state, windowActs: 4 };
    this.tell({ case: "loggedIn", value }, request);
  }

  private compare(ranges: { first: bigint; last: bigint }[], request: number): void {
    this.compares += 1;
    if (this.log.length === 0) return this.tell({ case: "problem", value: { code: ProblemCode.NOT_FOUND } }, request);
    const head = BigInt(this.log.length);
    const hashes = ranges.map((range) => {
      const held = range.last <= head ? this.log.slice(Number(range.first) - 1, Number(range.last)) : [];
      const hash = createHash("sha256");
      for (const { seq, id, author } of held) {
        const place = Buffer.alloc(8);
        place.writeBigUInt64BE(seq);
        hash.update(place).update(id).update(Uint8Array.of(author.length)).update(author);
      }
      const erased = held.filter((entry) => entry.erased).map((entry) => entry.seq);
      return { range, sha256: held.length > 0 ? new Uint8Array(hash.digest()) : new Uint8Array(), erased };
    });
    this.tell({ case: "compared", value: { head, floor: 1n, hashes } }, request);
  }

  private page(request: number, first: number, last: number): void {
    const entries = this.log.slice(first - 1, last).map((entry) => toBinary(EntrySchema, entry));
    const head = BigInt(this.log.length);
    if (entries.length === 0) return this.tell({ case: "entriesPage", value: { head, floor: 1n } }, request);
    const data = toBinary(BlockEntriesSchema, create(BlockEntriesSchema, { entries }));
    const range = { first: BigInt(first), last: BigInt(last) };
    const block = { version: 1, codec: BlockCodec.PLAIN, ...range, data, decodedSize: data.length };
    this.tell({ case: "entriesPage", value: { head, floor: 1n, blocks: [block], covers: range } }, request);
  }

  private act(act: { id: Uint8Array; lane: number; number: number; kind: ActKind; content: Uint8Array }): void {
    const { id, lane, number } = act;
    const key = hex(id);
    if (lane > this.lane) [this.lane, this.last, this.ended] = [lane, 0, false];
    const refuse = (code: RefusalCode, more: object) =>
      this.answer({ id, lane, number, result: { case: "refused", value: { code, ...more } } });
    if (lane < this.lane || (this.ended && number > this.last))
      return refuse(RefusalCode.LANE_ENDED, { endsLane: true });
    if (number > this.last + 1) return refuse(RefusalCode.BEHIND, { forNow: true, retryMs: 10 });
    const first = this.known.get(key);
    const settle = (ends: boolean) => {
      if (number > this.last) [this.last, this.ended] = [number, this.ended || ends];
    };
    if (first !== undefined && first >= 1_000_000) {
      settle(false);
      return this.accept(id, lane, number, first - 1_000_000, null);
    }
    const no = first === undefined ? this.judge(key, act.kind) : { code: first, ends: false };
    if (no) {
      this.known.set(key, no.code);
      settle(no.ends);
      return refuse(no.code, { endsLane: no.ends });
    }
    const entry = this.append(id, act.content, AuthorRole.CUSTOMER, this.me);
    entry.kind = ENTRY_KINDS[act.kind] ?? EntryKind.UNSPECIFIED;
    if (act.kind === ActKind.RECALL) this.erase(act.content);
    this.known.set(key, 1_000_000 + Number(entry.seq));
    settle(false);
    this.accept(id, lane, number, Number(entry.seq), entry);
  }

  private judge(key: string, kind: ActKind): { code: RefusalCode; ends: boolean } | null {
    return kind === ActKind.VOID ? { code: RefusalCode.VOID, ends: false } : this.refuse(key, kind);
  }

  private erase(content: Uint8Array): void {
    const target = hex(fromBinary(RecallContentSchema, content).id);
    const entry = this.log.find((other) => hex(other.id) === target);
    if (entry) Object.assign(entry, { erased: true, content: new Uint8Array() });
  }

  private append(id: Uint8Array, content: Uint8Array, authorRole: AuthorRole, author: Uint8Array): Entry {
    const seq = BigInt(this.log.length + 1);
    const fields = { seq, id, kind: EntryKind.MESSAGE, timeMs: 1000n + seq, authorRole, author, content };
    const entry = create(EntrySchema, fields);
    this.log.push(entry);
    return entry;
  }

  private accept(id: Uint8Array, lane: number, number: number, seq: number, entry: Entry | null): void {
    const head = BigInt(this.log.length);
    const sent = entry && { ...entry, content: new Uint8Array(), contentAsSent: true };
    const push = sent ? { push: { head, floor: 1n, entry: sent } } : {};
    this.answer({ id, lane, number, result: { case: "accepted", value: { seq: BigInt(seq), timeMs: 1n, ...push } } });
  }

  private answer(answer: object): void {
    this.tell({ case: "answers", value: { answers: [answer] } } as Kind);
  }

  /** An entry of an agent; `lose` leaves the push out, as a full window does. */
  speak(content: Uint8Array, lose = false, kind = EntryKind.MESSAGE): Entry {
    const entry = this.append(crypto.getRandomValues(new Uint8Array(16)), content, AuthorRole.AGENT, AGENT);
    entry.kind = kind;
    if (!this.loggedIn || !this.say || lose) return entry;
    this.pushes += 1n;
    const push = { number: this.pushes, head: BigInt(this.log.length), floor: 1n, entry };
    this.tell({ case: "pushes", value: { pushes: [push] } });
    return entry;
  }

  /** A restored backup: the log as it was, under another epoch. */
  restore(length: number, log = this.log): void {
    this.epoch += 1n;
    this.log = log.slice(0, length);
    const kept = new Set(this.log.map((entry) => hex(entry.id)));
    this.known = new Map([...this.known].filter(([id]) => kept.has(id)));
    this.say = null;
  }
}
