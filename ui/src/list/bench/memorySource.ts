// A list wholly in memory, for the bench and the invariants; with `hidden` only a window of it is known.

import type { RowChange, RowSource } from "../rowSource";

export interface BenchMessage {
  id: number;
  /** `nothing` has no height. */
  kind: "msg" | "day" | "nothing";
  text: string;
  name: string;
  time: string;
  avatar: string;
  own: boolean;
  img: string | null;
}

export class MemorySource implements RowSource<BenchMessage> {
  private listeners = new Set<(change: RowChange) => void>();
  private messages: BenchMessage[] = [];
  /** Rows asked for, by calls. */
  readonly wanted: { from: number; count: number }[] = [];
  /** Only what was asked for is known, some time later. */
  windowed: { delayMs: number } | null = null;
  private known = { from: 0, count: 0 };

  get total(): number {
    return this.messages.length;
  }

  private isKnown(index: number): boolean {
    return !this.windowed || (index >= this.known.from && index < this.known.from + this.known.count);
  }

  row(index: number): BenchMessage | undefined {
    return this.isKnown(index) ? this.messages[index] : undefined;
  }

  key(index: number): string {
    return this.isKnown(index) ? `m${this.messages[index]?.id}` : `seq:${index}`;
  }

  indexOf(key: string): number | undefined {
    const id = Number(key.slice(1));
    let low = 0;
    let high = this.messages.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const there = this.messages[middle]?.id ?? 0;
      if (there === id) return this.isKnown(middle) ? middle : undefined;
      if (there < id) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  want(from: number, count: number): void {
    const { windowed, known } = this;
    if (!windowed || (from >= known.from && from + count <= known.from + known.count)) return;
    const window = { from: Math.max(0, from - 60), count: count + 120 };
    if (this.wanted.at(-1)?.from === window.from) return;
    this.wanted.push(window);
    setTimeout(() => {
      this.known = window;
      this.tell({ op: "reset", shift: 0 });
    }, windowed.delayMs);
  }

  subscribe(listener: (change: RowChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(change: RowChange): void {
    for (const listener of this.listeners) listener(change);
  }

  load(messages: BenchMessage[]): void {
    this.messages = messages;
    this.known = { from: 0, count: 0 };
    this.wanted.length = 0;
  }

  append(messages: BenchMessage[]): void {
    const index = this.messages.length;
    for (const message of messages) this.messages.push(message);
    this.tell({ op: "insert", index, count: messages.length, own: messages.some((message) => message.own) });
  }

  prepend(messages: BenchMessage[]): void {
    this.messages = messages.concat(this.messages);
    this.tell({ op: "insert", index: 0, count: messages.length, own: false });
  }

  remove(index: number, count: number): void {
    this.messages.splice(index, count);
    this.tell({ op: "remove", index, count });
  }

  /** A message changes its place; ids are no longer in order then. */
  move(from: number, to: number): void {
    const [message] = this.messages.splice(from, 1);
    if (message) this.messages.splice(to, 0, message);
    this.tell({ op: "move", from, to });
  }

  update(id: number, part: Partial<BenchMessage>): void {
    const index = this.indexOf(`m${id}`);
    const old = index === undefined ? undefined : this.messages[index];
    if (index === undefined || !old) return;
    this.messages[index] = { ...old, ...part };
    this.tell({ op: "update", index });
  }
}
