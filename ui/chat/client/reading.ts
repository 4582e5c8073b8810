import { ACK_EVERY_MS, ACK_EVERY_PUSHES } from "../../src/gen/limits";
import type { Ack, Asked, Asking } from "./asking";
import { type Came, decodeBlock } from "./block";
import { Comparing, type Difference, nothingThere } from "./comparing";
import { Log } from "./log";
import { type Act, emptyLog, type LogState, type StoredEntry } from "./model";
import type { Turn } from "./turn";
import {
  ActKind,
  type Compared,
  type EntriesPage,
  type Entry,
  EntryKind,
  EntrySchema,
  fromBinary,
  type Position,
  type Problem,
  ProblemCode,
  type Push,
  toBinary,
} from "./wire";

/** Entries of a newest page, and of one asked for by scrolling. */
const NEWEST = 50;
/** After a question that wasn't answered, or in vain, milliseconds. */
const RETRY_MS = 2_000;
const UNREADABLE_MS = 15_000;
/** Lost acts stand before all others, in the order of the old log. */
const BEFORE_ALL = -(2 ** 41);

/** What reading tells the rest of the machine. */
export interface Reader {
  me(): string;
  /** An entry came in. */
  came(entry: Entry, turn: Turn): void;
  /** What of the old log is gone, and what both share. */
  compared(lost: Act[], shared: number, turn: Turn): void;
}

/** The customer's log: what comes is taken, what is missing is asked for, what is committed is acknowledged. */
export class Reading {
  log: Log;
  private comparing: Comparing | null = null;
  private pushed = 0;
  private acked = 0;
  private ackDue: number | null = null;
  private watermarkTold = 0;
  private wantsOlder = false;
  private moved = false;

  constructor(
    state: LogState,
    stored: readonly StoredEntry[],
    private readonly asking: Asking,
    private readonly reader: Reader,
  ) {
    this.log = new Log(state, stored);
  }

  /** A new connection: pushes are numbered anew, and what is held is told anew. */
  connected(): void {
    [this.pushed, this.acked, this.watermarkTold] = [0, 0, 0];
  }

  lost(): void {
    this.log.turn();
    this.comparing = null;
    this.ackDue = null;
  }

  /** Another customer's: nothing of the old one is shown. A restored gateway that doesn't know us has lost our words. */
  begin(turn: Turn): void {
    if (this.log.state.toCompare) this.differs(nothingThere, turn);
    const { turned } = this.log;
    this.log = new Log(emptyLog(), []);
    this.log.turned = turned + 1;
    this.comparing = null;
    this.moved = true;
    turn.dropEntries();
  }

  newEpoch(): void {
    this.log.newEpoch();
    this.comparing = null;
    this.moved = true;
  }

  // ---- what comes ------------------------------------------------------------------------------------------------

  tell(head: number, floor: number, turn: Turn, wait: boolean): void {
    const before = [this.log.state.head, this.log.state.floor, this.log.state.gatewayFloor];
    this.log.tellHead(head);
    this.log.tellFloor(floor, turn);
    const { state } = this.log;
    if (before[0] !== state.head || before[1] !== state.floor || before[2] !== state.gatewayFloor) this.moved = true;
    this.log.judge(turn.now, wait);
  }

  /** False: a number that no gateway gives. 0 stands in an answer, which is settled by itself. */
  push(push: Push, turn: Turn): boolean {
    const number = Number(push.number);
    if (number > 0) {
      if (number !== this.pushed + 1) return false;
      this.pushed = number;
      this.ackDue = Math.min(this.ackDue ?? Number.POSITIVE_INFINITY, turn.now + ACK_EVERY_MS);
      if (number - this.acked >= ACK_EVERY_PUSHES) this.ackDue = turn.now;
    }
    if (push.entry) this.take({ entry: push.entry, bytes: toBinary(EntrySchema, push.entry) }, false, turn);
    this.tell(Number(push.head), Number(push.floor), turn, true);
    return true;
  }

  private take(came: Came, demand: boolean, turn: Turn): void {
    const entry = this.log.take(came, demand, turn);
    if (!entry) return;
    this.moved = true;
    this.reader.came(entry, turn);
  }

  /** A repeat's answer tells Seq and time alone. */
  showOwn(entry: Entry, turn: Turn): void {
    this.log.showUncovered(entry, turn);
  }

  page(page: EntriesPage, asked: Extract<Asked, { what: "page" | "older" }>, turn: Turn): void {
    if (asked.turned !== this.log.turned) return;
    const older = asked.what === "older" ? asked.range : null;
    if (!older) this.log.asked = false;
    const newest = this.log.newest && !older;
    const missing = this.log.missing();
    const wanted = page.blocks.filter((block) => this.log.takes(block, asked.range));
    const blocks = wanted.map(decodeBlock);
    if (blocks.includes(null)) {
      this.log.retryAt = turn.now + UNREADABLE_MS;
      return;
    }
    for (const block of blocks) for (const came of block ?? []) this.take(came, older !== null, turn);
    for (const block of wanted) this.log.hold(block);
    this.positions(page.positions);
    this.tell(Number(page.head), Number(page.floor), turn, false);
    if (newest) this.log.newestCame(Number(page.covers?.first ?? page.head + 1n), turn);
    else if (older) this.restOf(older, page, turn);
    else if (this.log.missing() >= missing) this.log.retryAt = turn.now + RETRY_MS;
    this.moved = true;
  }

  /** A page may stop early: what lies between it and what is here already is asked for too. */
  private restOf(range: { first: number; last: number }, page: EntriesPage, turn: Turn): void {
    const last = Number(page.covers?.last ?? 0n);
    if (last >= range.first && last < range.last) this.askOlder({ first: last + 1, last: range.last }, turn.now);
  }

  positions(positions: readonly Position[]): void {
    for (const position of positions) this.log.tellPosition(position, this.reader.me());
    this.moved = true;
  }

  // ---- another epoch ---------------------------------------------------------------------------------------------

  compared(compared: Compared, turned: number, turn: Turn): void {
    if (!this.comparing || turned !== this.log.turned) return;
    this.log.asked = false;
    const difference = this.comparing.answer(compared);
    if (difference) this.differs(difference, turn);
  }

  private differs(difference: Difference, turn: Turn): void {
    this.comparing = null;
    const { log, gone, shared } = this.log.compared(difference, turn);
    this.log = log;
    this.moved = true;
    const lost = gone.flatMap((stored): Act[] => {
      const entry = fromBinary(EntrySchema, stored.bytes);
      const own = entry.kind === EntryKind.MESSAGE && stored.author === this.reader.me() && !entry.erased;
      if (!own) return [];
      const fields = { kind: ActKind.MESSAGE, state: "lost" as const, code: 0, behind: false, life: 0 };
      const { id, seq, timeMs: doneMs } = stored;
      return [{ ...fields, place: BEFORE_ALL + seq, id, doneMs, content: entry.content, base: shared }];
    });
    this.reader.compared(lost, shared, turn);
    this.log.judge(turn.now, false);
  }

  /** A question about the log that was refused, or that nobody answered (no problem). */
  unanswered(asked: Extract<Asked, { turned: number }>, problem: Problem | null, turn: Turn): void {
    if (asked.turned !== this.log.turned) return;
    if (asked.what !== "older") this.log.asked = false;
    if (asked.what === "compare" && problem?.code === ProblemCode.NOT_FOUND) {
      this.differs(nothingThere, turn);
      return;
    }
    if (asked.what === "compare") this.comparing = null;
    this.log.retryAt = turn.now + (problem ? problem.retryMs || RETRY_MS : 0);
  }

  // ---- what leaves -----------------------------------------------------------------------------------------------

  markRead(seq: number): void {
    if (this.log.markRead(seq)) this.moved = true;
  }

  wantOlder(): void {
    this.wantsOlder = this.hasOlder();
  }

  hasOlder(): boolean {
    return !this.log.state.toCompare && this.log.state.head > 0 && this.log.lowest() > this.log.state.gatewayFloor;
  }

  /** After every event of a living connection. */
  advance(turn: Turn): void {
    this.log.judge(turn.now, true);
    this.askForMissing(turn.now);
    this.tellRead();
    const unacked = this.log.watermark() > this.watermarkTold && this.log.state.head > 0;
    if (unacked && this.ackDue === null) this.ackDue = turn.now + ACK_EVERY_MS;
  }

  /** What is still to be acknowledged by itself; last of all, since it rides on any other frame. */
  acknowledge(now: number): void {
    if (this.ackDue === null || this.ackDue > now) return;
    this.ackDue = null;
    if (this.pushed > this.acked || this.mark() > this.watermarkTold) this.asking.send(null);
  }

  private askForMissing(now: number): void {
    const { log } = this;
    const { turned } = log;
    if (log.state.toCompare && !log.asked && log.retryAt <= now) {
      this.comparing ??= new Comparing(log.state.covered, (seq) => log.entry(seq));
      const ranges = this.comparing.question().map(({ first, last }) => ({ first: BigInt(first), last: BigInt(last) }));
      log.asked = true;
      this.asking.ask({ case: "compare", value: { ranges } }, { what: "compare", turned }, now);
    }
    const due = log.due();
    if (due !== null && due <= now) {
      const range = log.question();
      log.asked = true;
      this.asking.ask(readEntries(range), { what: "page", turned, range }, now);
    }
    if (this.wantsOlder && !this.asking.isAsking("older")) {
      this.wantsOlder = false;
      const last = log.lowest() - 1;
      const first = Math.max(log.state.gatewayFloor, last + 1 - NEWEST);
      if (first <= last) this.askOlder({ first, last }, now);
    }
  }

  private askOlder(range: { first: number; last: number }, now: number): void {
    this.asking.ask(readEntries(range), { what: "older", turned: this.log.turned, range }, now);
  }

  private tellRead(): void {
    const { read, head, readTold, toCompare } = this.log.state;
    const seq = Math.min(read, head);
    if (seq <= readTold || toCompare) return;
    this.log.state.readTold = seq;
    this.moved = true;
    this.asking.send({ case: "movePosition", value: { read: BigInt(seq) } });
  }

  private mark(): number {
    return this.log.state.head > 0 && !this.log.state.toCompare ? this.log.watermark() : 0;
  }

  /** What it names is committed before the frame leaves: the commit of this turn comes first. */
  takeAck(): Ack | null {
    const mark = this.mark();
    const further = mark > this.watermarkTold;
    if (this.pushed === this.acked && !further) return null;
    this.acked = this.pushed;
    this.ackDue = null;
    this.watermarkTold = Math.max(mark, this.watermarkTold);
    const watermarks = further ? [{ conversation: new Uint8Array(), seq: BigInt(mark) }] : [];
    return { push: BigInt(this.pushed), watermarks };
  }

  wake(): (number | null)[] {
    const compare = this.log.state.toCompare && !this.log.asked ? this.log.retryAt : null;
    return [this.ackDue, this.log.due(), compare];
  }

  /** The log's state goes into this turn's transaction if it moved. */
  settle(turn: Turn): void {
    if (this.moved) turn.log(this.log.state);
    this.moved = false;
  }
}

const readEntries = (range: { first: number; last: number } | null) => ({
  case: "readEntries",
  value: {
    what: range
      ? { case: "range", value: { first: BigInt(range.first), last: BigInt(range.last) } }
      : { case: "newest", value: NEWEST },
  },
});
