// A conversation's rows as its tile shows them: the engine's window kept by deltas, and own words that the engine
// hasn't answered for yet, which stand after everything else.

import type { TimelineDelta, TimelineRow, TimelineView } from "../../src/gen/view";
import type { RowChange, RowSource } from "../../src/list/rowSource";

/** Rows asked for beyond those on screen, and how near the edge may come before more are asked for. */
const AHEAD = 60;
const NEAR = 20;

export class TimelineRows implements RowSource<TimelineRow> {
  private readonly listeners = new Set<(change: RowChange) => void>();
  private rows: TimelineRow[] = [];
  private from = 0;
  private engineTotal = 0;
  private floor = 0;
  private unanswered: TimelineRow[] = [];
  private asked: { from: number; count: number } | null = null;

  /** `observe` asks the engine for another window. */
  constructor(private readonly observe: (from: number, count: number) => void) {}

  get total(): number {
    return this.engineTotal + this.unanswered.length;
  }

  row(index: number): TimelineRow | undefined {
    return index < this.engineTotal ? this.rows[index - this.from] : this.unanswered[index - this.engineTotal];
  }

  key(index: number): string {
    return this.row(index)?.key ?? `seq:${this.floor + index}`;
  }

  indexOf(key: string): number | undefined {
    const at = this.rows.findIndex((row) => row.key === key);
    if (at >= 0) return this.from + at;
    const own = this.unanswered.findIndex((row) => row.key === key);
    return own >= 0 ? this.engineTotal + own : undefined;
  }

  indexOfSeq(seq: number): number {
    return Math.max(0, seq - this.floor);
  }

  /** Newest first, those that are here. */
  *newest(): Generator<TimelineRow> {
    yield* this.unanswered.toReversed();
    for (let at = this.rows.length - 1; at >= 0; at--) {
      const row = this.rows[at];
      if (row) yield row;
    }
  }

  want(from: number, count: number): void {
    const first = Math.max(0, Math.min(from, this.engineTotal) - NEAR);
    const end = Math.min(this.engineTotal, from + count + NEAR);
    const holds = (window: { from: number; count: number }) =>
      first >= window.from && end <= window.from + window.count;
    if (end <= first || holds({ from: this.from, count: this.rows.length }) || (this.asked && holds(this.asked)))
      return;
    this.asked = { from: Math.max(0, first - AHEAD), count: end - first + 2 * AHEAD };
    this.observe(this.asked.from, this.asked.count);
  }

  /** The window that was asked for won't come. */
  refused(): void {
    this.asked = null;
  }

  subscribe(listener: (change: RowChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(change: RowChange): void {
    for (const listener of this.listeners) listener(change);
  }

  /** Own words, on the key press. */
  add(row: TimelineRow): void {
    this.unanswered.push(row);
    this.tell({ op: "insert", index: this.total - 1, count: 1, own: true });
  }

  /** Own words that were not kept after all. */
  takeBack(which: (row: TimelineRow) => boolean): void {
    for (let at = this.unanswered.length - 1; at >= 0; at--) {
      const row = this.unanswered[at];
      if (!row || !which(row)) continue;
      this.unanswered.splice(at, 1);
      this.tell({ op: "remove", index: this.engineTotal + at, count: 1 });
    }
  }

  apply(delta: TimelineDelta): void {
    if (delta.op === "reset") this.reset(delta.view);
    else if (delta.op === "insert") this.insert(delta.index, delta.rows);
    else if (delta.op === "update") this.update(delta.index, delta.row);
    else if (delta.op === "move") this.move(delta.from, delta.to, delta.row);
    else if (delta.op === "remove") this.remove(delta.index, delta.count);
    else this.bounds(delta.total, delta.floor);
  }

  private reset(view: TimelineView): void {
    const shift = this.floor - view.floor;
    this.asked = null;
    this.rows = view.rows.slice();
    this.from = view.from;
    this.floor = view.floor;
    this.engineTotal = view.total;
    const here = new Set(view.rows.map((row) => row.key));
    this.unanswered = this.unanswered.filter((row) => !here.has(row.key));
    this.tell({ op: "reset", shift });
  }

  private insert(index: number, rows: TimelineRow[]): void {
    const at = index - this.from;
    if (at < 0 || at > this.rows.length) {
      this.engineTotal += rows.length;
      this.tell({ op: "reset", shift: index < this.from ? rows.length : 0 });
      return;
    }
    let next = index;
    let fresh: TimelineRow[] = [];
    const flush = () => {
      if (fresh.length === 0) return;
      this.rows.splice(next - this.from, 0, ...fresh);
      this.engineTotal += fresh.length;
      const own = fresh.some((row) => row.mine && row.seq === null);
      this.tell({ op: "insert", index: next, count: fresh.length, own });
      next += fresh.length;
      fresh = [];
    };
    for (const row of rows) {
      // Own words stand already: the engine's row takes their place.
      const first = next === this.engineTotal && this.unanswered[0]?.key === row.key;
      if (first) {
        flush();
        this.unanswered.shift();
        this.rows.splice(next - this.from, 0, row);
        this.engineTotal += 1;
        this.tell({ op: "update", index: next });
        next += 1;
      } else {
        this.takeBack((own) => own.key === row.key);
        fresh.push(row);
      }
    }
    flush();
  }

  private update(index: number, row: TimelineRow): void {
    const at = index - this.from;
    if (at < 0 || at >= this.rows.length) return;
    this.takeBack((own) => own.key === row.key);
    this.rows[at] = row;
    this.tell({ op: "update", index });
  }

  private move(from: number, to: number, row: TimelineRow): void {
    const [old, anew] = [from - this.from, to - this.from];
    if (Math.min(old, anew) < 0 || Math.max(old, anew) >= this.rows.length) return;
    this.rows.splice(old, 1);
    this.rows.splice(anew, 0, row);
    this.tell({ op: "move", from, to });
  }

  private remove(index: number, count: number): void {
    const at = index - this.from;
    this.engineTotal = Math.max(0, this.engineTotal - count);
    if (at >= 0 && at + count <= this.rows.length) {
      this.rows.splice(at, count);
      this.tell({ op: "remove", index, count });
    } else this.tell({ op: "reset", shift: index < this.from ? -count : 0 });
  }

  private bounds(total: number, floor: number): void {
    const [oldTotal, oldFloor] = [this.engineTotal, this.floor];
    this.engineTotal = total;
    this.floor = floor;
    if (floor !== oldFloor) {
      this.from = Math.max(0, this.from + oldFloor - floor);
      this.tell({ op: "reset", shift: oldFloor - floor });
    } else if (total > oldTotal) this.tell({ op: "insert", index: oldTotal, count: total - oldTotal, own: false });
    else if (total < oldTotal) this.tell({ op: "remove", index: total, count: oldTotal - total });
  }
}
