import { GAP_WAIT_MS, PAGE_ENTRIES } from "../../src/gen/limits";
import { type Came, rangeOf } from "./block";
import type { Difference } from "./comparing";
import { hex } from "./ids";
import type { LogState, StoredEntry } from "./model";
import { inOrder } from "./order";
import { clip, count, gaps, insert, type Range, remove, watermark } from "./ranges";
import type { Turn } from "./turn";
import {
  type Block,
  create,
  type Entry,
  EntryKind,
  EntrySchema,
  fromBinary,
  MemberRole,
  type Position,
  RecallContentSchema,
  toBinary,
} from "./wire";

/** Missing entries beyond which the newest page comes first and the floor moves above the rest. */
const FAR = PAGE_ENTRIES;
/** Highest Seq that is believed. */
const LAST = 2 ** 40;

/** The customer's log as this browser has it: what is covered, what is missing, what is erased. */
export class Log {
  /** The newest page is wanted before anything else. */
  newest: boolean;
  asked = false;
  /** Counts up whenever answers under way are no longer wanted. */
  turned = 0;
  retryAt = 0;
  private gapDue: number | null = null;
  private readonly entries = new Map<number, StoredEntry>();
  private readonly seqs = new Map<string, number>();
  /** Messages that recalls named: content of these isn't taken, whenever it comes. */
  private readonly recalled = new Set<string>();

  constructor(
    readonly state: LogState,
    stored: readonly StoredEntry[],
  ) {
    this.newest = state.covered.length === 0;
    for (const entry of stored) {
      this.keep(entry);
      this.noteRecall(fromBinary(EntrySchema, entry.bytes));
    }
  }

  private keep(entry: StoredEntry): void {
    this.entries.set(entry.seq, entry);
    this.seqs.set(entry.id, entry.seq);
  }

  entry(seq: number): StoredEntry | undefined {
    return this.entries.get(seq);
  }

  watermark(): number {
    return watermark(this.state.covered, this.state.floor);
  }

  lowest(): number {
    return Math.min(this.state.head + 1, ...this.entries.keys());
  }

  isWhole(): boolean {
    return this.watermark() >= this.state.head && !this.state.toCompare;
  }

  /** The gateway told a head. */
  tellHead(head: number): void {
    if (head > this.state.head && head <= LAST) this.state.head = head;
  }

  /** The gateway told its floor: what lies below is gone on purpose, here too. */
  tellFloor(floor: number, turn: Turn): void {
    if (this.state.toCompare) return;
    if (floor > this.state.gatewayFloor && floor <= LAST) {
      this.state.gatewayFloor = floor;
      this.drop((seq) => seq < floor, turn);
    }
    this.setFloor(this.state.gatewayFloor, turn);
  }

  /** What is stored below is given up if something in between never came: a hole is never shown as none. */
  private setFloor(floor: number, turn: Turn): void {
    if (floor <= this.state.floor) return;
    if (gaps(this.state.covered, this.state.floor, floor - 1).length > 0) this.drop((seq) => seq < floor, turn);
    this.state.floor = floor;
    this.state.covered = clip(this.state.covered, { first: floor, last: LAST });
    this.state.erased = this.state.erased.filter((seq) => seq >= floor);
    const kept = Object.entries(this.state.generations).filter(([start]) => Number(start) >= floor);
    this.state.generations = Object.fromEntries(kept);
    this.turn();
  }

  /** Answers under way are no longer wanted. */
  turn(): void {
    this.turned += 1;
    this.asked = false;
  }

  private drop(which: (seq: number) => boolean, turn: Turn): void {
    const gone = [...this.entries.values()].filter(({ seq }) => which(seq));
    for (const { seq, id } of gone) {
      this.entries.delete(seq);
      this.seqs.delete(id);
    }
    turn.drop(gone.map(({ seq }) => seq));
  }

  /** Whether a block may come in: one of what was asked for, and none older than what is held. */
  takes(block: Block, asked: Range | null): boolean {
    const [first, last] = [Number(block.first), Number(block.last)];
    if (asked && (last < asked.first || first > asked.last)) return false;
    return block.generation === 0 || block.generation >= (this.state.generations[rangeOf(first)] ?? 1);
  }

  /** A sealed block came in as a whole. */
  hold(block: Block): void {
    const first = Number(block.first);
    if (block.generation > 1 && first >= this.state.floor) this.state.generations[rangeOf(first)] = block.generation;
  }

  /** The one place where an entry enters. `demand`: asked for by the reader, may lie below the floor. */
  take(came: Came, demand: boolean, turn: Turn): Entry | null {
    let { entry, bytes } = came;
    const seq = Number(entry.seq);
    const wanted = !this.state.toCompare && (seq >= this.state.floor || demand);
    if (entry.id.length !== 16 || seq < 1 || seq > LAST || !wanted) return null;
    const [id, author] = [hex(entry.id), hex(entry.author)];
    const gone = entry.erased || this.state.erased.includes(seq) || this.recalled.has(`${author}:${id}`);
    if (gone && (!entry.erased || entry.content.length > 0)) {
      entry = { ...entry, erased: true, content: new Uint8Array() };
      bytes = toBinary(EntrySchema, entry);
    }
    if (gone && !this.state.erased.includes(seq)) this.state.erased.push(seq);
    if (seq >= this.state.floor) this.state.covered = insert(this.state.covered, { first: seq, last: seq });
    this.tellHead(seq);
    this.put({ seq, id, author, timeMs: Number(entry.timeMs), bytes }, turn);
    const target = this.noteRecall(entry);
    if (target) this.erase(target, turn);
    return entry;
  }

  private put(entry: StoredEntry, turn: Turn): void {
    this.keep(entry);
    turn.entry(entry);
  }

  private noteRecall(entry: Entry): { author: string; id: string } | null {
    if (entry.kind !== EntryKind.RECALL || entry.erased) return null;
    try {
      const content = fromBinary(RecallContentSchema, entry.content);
      const target = { author: hex(content.author), id: hex(content.id) };
      this.recalled.add(`${target.author}:${target.id}`);
      return target;
    } catch {
      return null;
    }
  }

  private erase(target: { author: string; id: string }, turn: Turn): void {
    const seq = this.seqs.get(target.id);
    const entry = seq === undefined ? undefined : this.entries.get(seq);
    if (entry && entry.author === target.author) this.eraseEntry(entry, turn);
  }

  private eraseEntry(entry: StoredEntry, turn: Turn): void {
    const bare = { ...fromBinary(EntrySchema, entry.bytes), erased: true, content: new Uint8Array() };
    this.put({ ...entry, bytes: toBinary(EntrySchema, bare) }, turn);
    if (!this.state.erased.includes(entry.seq)) this.state.erased.push(entry.seq);
  }

  /** A repeat's answer tells Seq and time alone: shown from what was sent, and pulled like any gap. */
  showUncovered(entry: Entry, turn: Turn): void {
    const seq = Number(entry.seq);
    const gone = this.state.erased.includes(seq) || this.recalled.has(`${hex(entry.author)}:${hex(entry.id)}`);
    if (seq < this.state.floor || this.entries.has(seq) || gone) return;
    this.put(
      {
        seq,
        id: hex(entry.id),
        author: hex(entry.author),
        timeMs: Number(entry.timeMs),
        bytes: toBinary(EntrySchema, create(EntrySchema, entry)),
      },
      turn,
    );
  }

  /** The gateway's log is another one: nothing is taken until both are compared, and its head is told anew. */
  newEpoch(): void {
    Object.assign(this.state, { toCompare: true, head: 0, readTold: 0, positions: [], generations: {} });
    this.turn();
  }

  /**
   * Both logs are compared: what isn't shared goes, and so does what is erased here without a recall there. Gives the
   * log as it is from now on, what of the old one is gone, and the last Seq that both share.
   */
  compared(difference: Difference, turn: Turn): { log: Log; gone: StoredEntry[]; shared: number } {
    const { from, bounds } = difference;
    const state = structuredClone(this.state);
    const before = [...this.entries.values()];
    const erasedHere = before.filter(({ seq, bytes }) => seq < from && fromBinary(EntrySchema, bytes).erased);
    const here = new Set([...erasedHere.map(({ seq }) => seq), ...state.erased.filter((seq) => seq < from)]);
    const there = new Set(difference.erased);
    state.covered = clip(state.covered, { first: bounds.first, last: from - 1 });
    const shared = state.covered.at(-1)?.last ?? 0;
    for (const seq of here) if (!there.has(seq)) state.covered = remove(state.covered, seq);
    state.erased = inOrder(there, (seq) => seq);
    state.floor = state.covered.length === 0 ? bounds.first : Math.max(state.floor, bounds.first);
    state.gatewayFloor = bounds.first;
    state.head = Math.max(state.head, bounds.last, shared);
    state.read = Math.min(state.read, from - 1);
    state.toCompare = false;
    this.drop((seq) => seq < state.floor || seq >= from || (here.has(seq) && !there.has(seq)), turn);
    for (const seq of there) {
      const entry = this.entries.get(seq);
      if (entry && !here.has(seq)) this.eraseEntry(entry, turn);
    }
    const log = new Log(state, [...this.entries.values()]);
    log.turned = this.turned + 1;
    return { log, gone: before.filter(({ seq }) => seq >= from), shared };
  }

  /** Judges the gaps anew: a fresh one waits a moment for the push that may fill it, unless there is none to wait for. */
  judge(now: number, wait: boolean): void {
    if (this.isWhole()) {
      this.gapDue = null;
      this.newest = false;
      return;
    }
    if (this.gapDue === null || !wait) this.gapDue = wait ? now + GAP_WAIT_MS : now;
    if (this.missing() > FAR) this.newest = true;
  }

  missing(): number {
    const { covered, floor, head } = this.state;
    return Math.max(0, head + 1 - floor - count(clip(covered, { first: floor, last: head })));
  }

  /** When something may be asked for; null: nothing is missing, or it was asked for. */
  due(): number | null {
    if (this.asked || this.state.toCompare || this.isWhole()) return null;
    return Math.max(this.newest ? 0 : (this.gapDue ?? 0), this.retryAt);
  }

  /** What to ask for; null: the newest page. The newest of what is missing comes first. */
  question(): Range | null {
    if (this.newest) return null;
    const gap = gaps(this.state.covered, this.state.floor, this.state.head).at(-1);
    return gap ? { first: Math.max(gap.first, gap.last + 1 - PAGE_ENTRIES), last: gap.last } : null;
  }

  /** The newest page is in, from `first` on: if far more lies below, the floor moves above it. */
  newestCame(first: number, turn: Turn): void {
    this.newest = false;
    if (this.missing() > FAR) this.setFloor(first, turn);
  }

  /** What isn't here yet can't have been seen. */
  markRead(seq: number): boolean {
    if (this.state.toCompare) return false;
    const seen = Math.max(0, ...clip(this.state.covered, { first: 1, last: seq }).map((range) => range.last));
    if (seen <= this.state.read) return false;
    this.state.read = seen;
    return true;
  }

  tellPosition(position: Position, me: string): void {
    if (this.state.toCompare) return;
    const member = hex(position.member);
    const [delivered, read] = [Number(position.delivered), Number(position.read)];
    if (member === me) {
      this.state.readTold = Math.max(this.state.readTold, read);
      this.state.read = Math.max(this.state.read, read);
      return;
    }
    const known = this.state.positions.find((other) => other.member === member && other.role === position.role);
    if (known) {
      known.delivered = Math.max(known.delivered, delivered);
      known.read = Math.max(known.read, read);
    } else {
      this.state.positions.push({ member, role: position.role, delivered, read });
    }
  }

  /** How far the other side has received and read. */
  marks(): { delivered: number; read: number } {
    const others = this.state.positions.filter((position) => position.role !== MemberRole.CUSTOMER);
    return {
      delivered: Math.max(0, ...others.map((position) => Math.max(position.delivered, position.read))),
      read: Math.max(0, ...others.map((position) => position.read)),
    };
  }
}
