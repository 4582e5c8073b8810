// The few dozen rows that stand in the document: a run without holes, with heights measured before they are painted.

import type { RowRenderer, RowSource, ShownRow } from "./rowSource";

export interface MountedRow<R> {
  key: string;
  index: number;
  row: R | undefined;
  element: HTMLElement;
  /** px; NaN until measured. */
  height: number;
  /** Top within what is scrolled, px. */
  y: number;
  /** `y` has been given once. */
  placed: boolean;
  /** `y` as last written to the document. */
  written: number;
}

/** Height to reckon with while none is known, px. */
const FIRST_GUESS = 48;

export class MountedRows<R> {
  private run: MountedRow<R>[] = [];
  private byKey = new Map<string, MountedRow<R>>();
  private byElement = new Map<Element, MountedRow<R>>();
  private unwatched: Element[] = [];
  private measured = { height: 0, rows: 0 };

  constructor(
    private readonly source: RowSource<R>,
    private readonly renderer: RowRenderer<R>,
    private readonly watcher: ResizeObserver,
  ) {}

  get all(): readonly MountedRow<R>[] {
    return this.run;
  }

  get length(): number {
    return this.run.length;
  }

  get first(): MountedRow<R> | undefined {
    return this.run[0];
  }

  get last(): MountedRow<R> | undefined {
    return this.run.at(-1);
  }

  /** Height of a row as they usually are, px. */
  get usual(): number {
    const { height, rows } = this.measured;
    return rows === 0 ? FIRST_GUESS : Math.max(8, height / rows);
  }

  at(index: number): MountedRow<R> | undefined {
    const first = this.run[0];
    return first && index >= first.index ? this.run.find((row) => row.index === index) : undefined;
  }

  heightOf(index: number): number {
    const row = this.byKey.get(this.source.key(index));
    return row && !Number.isNaN(row.height) ? row.height : this.usual;
  }

  /** Exactly these stand and are measured when it returns. True: a height became known that wasn't. */
  mount(from: number, to: number): boolean {
    const shown: ShownRow<R>[] = [];
    let same = this.run.length === to - from + 1;
    for (let index = from; index <= to; index++) {
      const key = this.source.key(index);
      const row = this.source.row(index);
      const stands = this.run[index - from];
      same &&= stands !== undefined && stands.key === key && stands.row === row && stands.index === index;
      shown.push({ key, index, row });
    }
    if (same) return this.measure();
    this.renderer.show(shown);
    const run: MountedRow<R>[] = [];
    const byKey = new Map<string, MountedRow<R>>();
    for (const { key, index, row } of shown) {
      const element = this.renderer.element(key);
      if (!element) continue;
      const known = this.byKey.get(key);
      const stands = known?.element === element ? known : this.fresh(key, index, row, element);
      if (stands.row !== row) stands.height = Number.NaN;
      stands.row = row;
      stands.index = index;
      byKey.set(key, stands);
      run.push(stands);
    }
    for (const [key, row] of this.byKey) if (byKey.get(key) !== row) this.forget(row);
    this.run = run;
    this.byKey = byKey;
    return this.measure();
  }

  private fresh(key: string, index: number, row: R | undefined, element: HTMLElement): MountedRow<R> {
    const made = { key, index, row, element, height: Number.NaN, y: 0, placed: false, written: Number.NaN };
    this.byElement.set(element, made);
    // Never within the observer's own turn: it would report a loop. What changes meanwhile is told at the first look.
    if (this.unwatched.push(element) === 1) requestAnimationFrame(() => this.watch());
    return made;
  }

  private watch(): void {
    for (const element of this.unwatched) if (this.byElement.has(element)) this.watcher.observe(element);
    this.unwatched = [];
  }

  private forget(row: MountedRow<R>): void {
    this.watcher.unobserve(row.element);
    this.byElement.delete(row.element);
  }

  /** One forced layout for all that are new. */
  private measure(): boolean {
    let found = false;
    for (const row of this.run) {
      if (!Number.isNaN(row.height)) continue;
      row.height = row.element.getBoundingClientRect().height;
      if (row.row !== undefined && row.height > 0) {
        this.measured.height += row.height;
        this.measured.rows += 1;
      }
      found = true;
    }
    // The usual height follows what is read now.
    if (this.measured.rows > 2000) this.measured = { height: this.measured.height / 2, rows: this.measured.rows / 2 };
    return found;
  }

  /** Gives each row its place, outwards from the anchor. */
  walk(anchor: { index: number; y: number }): void {
    const at = this.run.findIndex((row) => row.index === anchor.index);
    if (at < 0) return;
    let y = anchor.y;
    for (const row of this.run.slice(at)) {
      row.y = y;
      row.placed = true;
      y += row.height;
    }
    y = anchor.y;
    for (const row of this.run.slice(0, at).toReversed()) {
      y -= row.height;
      row.y = y;
      row.placed = true;
    }
  }

  move(shift: number): void {
    for (const row of this.run) row.y += shift;
  }

  write(): void {
    for (const row of this.run) {
      if (row.written === row.y) continue;
      row.element.style.transform = `translateY(${row.y}px)`;
      row.written = row.y;
    }
  }

  /** A height changed by itself: a picture came, the width is another. */
  grew(element: Element, height: number): boolean {
    const row = this.byElement.get(element);
    if (!row || Number.isNaN(row.height) || Math.abs(row.height - height) < 0.02) return false;
    row.height = height;
    return true;
  }

  inserted(index: number, count: number): void {
    for (const row of this.run) if (row.index >= index) row.index += count;
  }

  removed(index: number, count: number): void {
    this.run = this.run.filter((row) => row.index < index || row.index >= index + count);
    for (const row of this.run) if (row.index >= index + count) row.index -= count;
  }

  shifted(by: number): void {
    for (const row of this.run) row.index += by;
  }

  clear(): void {
    if (this.run.length === 0) return;
    for (const row of this.byKey.values()) this.forget(row);
    this.run = [];
    this.byKey = new Map();
    this.renderer.show([]);
  }
}
