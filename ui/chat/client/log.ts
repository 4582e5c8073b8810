import { GAP_WAIT_MS, PAGE_ENTRIES } from "../../src/gen/limits";
import type { Came } from "./block";
import { hex } from "./ids";
import type { LogState, StoredEntry } from "./model";
import { clip, count, gaps, insert, type Range, watermark } from "./ranges";
import type { Turn } from "./turn";
import {
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

  stored(): StoredEntry[] {
    return [...this.entries.values()];
  }

  watermark(): number {
    return watermark(this.state.covered, this.state.floor);
  }

  lowest(): number {
    return Math.min(this.state.head + 1, ...this.entries.keys());
  }

  isWhole(): boolean {
    return this.watermark() >= this.state.head;
  }

  /** The gateway told a head. */
  tellHead(head: number): void {
    if (head > this.state.head && head <= LAST) this.state.head = head;
  }

  /** The gateway told its floor: what lies below is gone on purpose. */
  tellFloor(floor: number): void {
    if (floor > this.state.gatewayFloor && floor <= LAST) this.state.gatewayFloor = floor;
    this.setFloor(this.state.gatewayFloor);
  }

  private setFloor(floor: number): void {
    if (floor <= this.state.floor) return;
    this.state.floor = floor;
    this.state.covered = clip(this.state.covered, { first: floor, last: LAST });
    this.state.erased = this.state.erased.filter((seq) => seq >= floor);
    this.turned += 1;
    this.asked = false;
  }

  /** The one place where an entry enters. `demand`: asked for by the reader, may lie below the floor. */
  take(came: Came, demand: boolean, turn: Turn): Entry | null {
    let { entry, bytes } = came;
    const seq = Number(entry.seq);
    if (entry.id.length !== 16 || seq < 1 || seq > LAST || (seq < this.state.floor && !demand)) return null;
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
    if (!entry || entry.author !== target.author) return;
    const bare = { ...fromBinary(EntrySchema, entry.bytes), erased: true, content: new Uint8Array() };
    this.put({ ...entry, bytes: toBinary(EntrySchema, bare) }, turn);
    if (!this.state.erased.includes(entry.seq)) this.state.erased.push(entry.seq);
  }

  /** A repeat's answer tells Seq and time alone: shown from what was sent, and pulled like any gap. */
  showUncovered(entry: Entry, turn: Turn): void {
    const seq = Number(entry.seq);
    if (seq < this.state.floor || this.entries.has(seq)) return;
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

  private missing(): number {
    const { covered, floor, head } = this.state;
    return Math.max(0, head + 1 - floor - count(clip(covered, { first: floor, last: head })));
  }

  /** When something may be asked for; null: nothing is missing, or it was asked for. */
  due(): number | null {
    if (this.asked || this.isWhole()) return null;
    return Math.max(this.newest ? 0 : (this.gapDue ?? 0), this.retryAt);
  }

  /** What to ask for; null: the newest page. The newest of what is missing comes first. */
  question(): Range | null {
    if (this.newest) return null;
    const gap = gaps(this.state.covered, this.state.floor, this.state.head).at(-1);
    return gap ? { first: Math.max(gap.first, gap.last + 1 - PAGE_ENTRIES), last: gap.last } : null;
  }

  /** The newest page is in, from `first` on: if far more lies below, the floor moves above it. */
  newestCame(first: number): void {
    this.newest = false;
    if (this.missing() > FAR) this.setFloor(first);
  }

  tellPosition(position: Position, me: string): void {
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
