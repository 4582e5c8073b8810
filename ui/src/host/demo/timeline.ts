// A timeline in memory with the engine's promises: windows onto it, and the smallest change for whoever looks.

import type { TimelineDelta, TimelineRow, TimelineView } from "../../gen/view";
import type { Said } from "./talks";

export type SettledRow = TimelineRow;

const threeMinutes = 180_000;

export class DemoTimeline {
  readonly conversation: string;
  watched = false;
  customerRead = 0;
  firstUnread: number | null = null;
  /** Rows made only when they are looked at, before those that are kept. */
  readonly #madeCount: number;
  readonly #make: (index: number) => Said;
  readonly #rows: TimelineRow[] = [];
  #settled = 0;
  #serial = 0;
  #window: { from: number; count: number } | null = null;
  readonly #tell: (deltas: TimelineDelta[]) => void;

  constructor(
    conversation: string,
    said: readonly Said[],
    tell: (deltas: TimelineDelta[]) => void,
    made: { count: number; make: (index: number) => Said } = { count: 0, make: () => nothing },
  ) {
    this.conversation = conversation;
    this.#tell = tell;
    this.#madeCount = made.count;
    this.#make = made.make;
    for (const each of said) this.#push(each);
  }

  get total(): number {
    return this.#madeCount + this.#rows.length;
  }

  get lastSeq(): number {
    return this.#madeCount + this.#settled;
  }

  row(index: number): TimelineRow {
    const kept = this.#rows[index - this.#madeCount];
    return kept ?? this.#shaped(this.#make(index), index, `made:${this.conversation}:${index}`, index + 1);
  }

  find(key: string): number {
    const at = this.#rows.findLastIndex((row) => row.key === key);
    return at < 0 ? -1 : at + this.#madeCount;
  }

  /** Index of the first row at or after a time. */
  findTime(timeMs: number): number {
    let low = 0;
    let high = this.total;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.row(middle).time_ms < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  observe(from: number, count: number): void {
    const atEnd = this.firstUnread === null ? this.total - count : Math.min(this.firstUnread - 8, this.total - count);
    const first = Math.max(0, from < 0 ? atEnd : Math.min(from, this.total));
    this.#window = { from: first, count: Math.min(count, this.total - first) };
    this.#tell([{ op: "reset", view: this.#view(this.#window) }]);
  }

  unobserve(): void {
    this.#window = null;
  }

  /** A settled entry behind the last settled one, before what waits in the outbox. */
  append(said: Said): void {
    const index = this.#madeCount + this.#settled;
    const row = this.#shaped(said, index, this.#freshKey(), index + 1);
    this.#rows.splice(this.#settled, 0, row);
    this.#settled += 1;
    this.#inserted(index, row);
  }

  /** An own act, not settled. */
  write(key: string, said: Said): void {
    const row = this.#shaped(said, this.total, key, null);
    this.#rows.push(row);
    this.#inserted(this.total - 1, row);
  }

  change(key: string, change: Partial<TimelineRow>): void {
    const index = this.find(key);
    const kept = this.#rows[index - this.#madeCount];
    if (!kept) return;
    const row = { ...kept, ...change };
    this.#rows[index - this.#madeCount] = row;
    if (this.#sees(index)) this.#tell([{ op: "update", index, row }]);
  }

  /** The gateway has it: it gets its Seq and stands behind the last settled row. */
  settle(key: string): void {
    const from = this.find(key);
    const kept = this.#rows[from - this.#madeCount];
    if (!kept || kept.seq !== null) return;
    const to = this.#madeCount + this.#settled;
    const row: TimelineRow = { ...kept, seq: to + 1, mark: "sent" };
    this.#rows.splice(from - this.#madeCount, 1);
    this.#rows.splice(to - this.#madeCount, 0, row);
    this.#settled += 1;
    if (!this.#sees(from)) return;
    this.#tell([from === to ? { op: "update", index: to, row } : { op: "move", from, to, row }]);
  }

  remove(key: string): void {
    const index = this.find(key);
    if (index < 0) return;
    const [row] = this.#rows.splice(index - this.#madeCount, 1);
    if (row?.seq !== null) this.#settled -= 1;
    if (this.#window && this.#sees(index)) {
      this.#window.count -= 1;
      this.#tell([{ op: "remove", index, count: 1 }]);
    } else this.#bounds();
  }

  readByCustomer(seq: number): void {
    this.customerRead = seq;
    this.#bounds();
  }

  #freshKey(): string {
    this.#serial += 1;
    return `entry:${this.conversation}:${this.#serial}`;
  }

  #bounds(): void {
    if (!this.#window) return;
    this.#tell([{ op: "bounds", total: this.total, floor: 1, customer_read: this.customerRead }]);
  }

  #inserted(index: number, row: TimelineRow): void {
    const window = this.#window;
    if (!window) return;
    if (index >= window.from && index <= window.from + window.count) {
      window.count += 1;
      this.#tell([{ op: "insert", index, rows: [row] }]);
    } else this.#bounds();
  }

  #sees(index: number): boolean {
    return this.#window !== null && index >= this.#window.from && index < this.#window.from + this.#window.count;
  }

  #view({ from, count }: { from: number; count: number }): TimelineView {
    return {
      conversation: this.conversation,
      total: this.total,
      floor: 1,
      from,
      rows: Array.from({ length: count }, (_, step) => this.row(from + step)),
      first_unread: this.firstUnread,
      customer_read: this.customerRead,
      watched: this.watched,
    };
  }

  #push(said: Said): void {
    const index = this.total;
    const settled = said.mark !== "sending" && said.mark !== "not_sent" && said.mark !== "waiting_for_network";
    const row = this.#shaped(said, index, this.#freshKey(), settled ? index + 1 : null);
    if (said.unread === true && this.firstUnread === null) {
      this.firstUnread = index;
      row.first_unread = true;
    }
    this.#rows.push(row);
    if (settled) this.#settled += 1;
  }

  #shaped(said: Said, index: number, key: string, seq: number | null): TimelineRow {
    const { unread: _, ...rest } = said;
    const before =
      index > this.#madeCount ? this.#rows[index - this.#madeCount - 1] : index > 0 ? this.#make(index - 1) : null;
    const sameDay =
      before !== null &&
      before !== undefined &&
      new Date(before.time_ms).toDateString() === new Date(rest.time_ms).toDateString();
    const joined =
      sameDay &&
      before.author === rest.author &&
      before.mine === rest.mine &&
      before.body.kind === rest.body.kind &&
      rest.time_ms - before.time_ms < threeMinutes;
    const message = rest.mine ? { message: key } : {};
    return { ...rest, key, ...message, seq, new_day: !sameDay, joined, first_unread: false, too_late: false };
  }
}

const nothing: Said = {
  body: { kind: "nothing" },
  author: "gateway",
  author_name: "",
  agent: "",
  mine: false,
  time_ms: 0,
  mark: null,
  refusal: null,
};
