// The list core. Rows are placed absolutely, at positions that hang on an anchor row: what grows above the anchor moves
// the rows above it, and scrollTop stays. `place` alone writes positions and scrollTop.

import { MountedRows, type MountedRow } from "./mountedRows";
import { Pace } from "./pace";
import type { ListView, Opening, RowChange, RowRenderer, RowSource } from "./rowSource";
import { clamp, fractionAt, recentred, room, rowAt, SCROLLED_HEIGHT } from "./scrollMap";

export interface ListOptions {
  /** Empty px before the first row and after the last. */
  padTop: number;
  padBottom: number;
  onView?: (view: ListView) => void;
}

/** Rows kept ready beyond the screen, px: at rest, and while much comes in or a list opens. */
const MARGIN = 400;
const MARGIN_BUSY = 60;
/** What is scrolled in this time is kept ready too, ms. */
const LOOKAHEAD_MS = 120;
const MARGIN_FAST = 3000;
/** Layouts until a screen is filled: heights are known only once rows stand. */
const PASSES = 8;
/** Most rows that one layout mounts, however low they are. */
const MOST_ROWS = 240;
/** Nobody scrolls: the scrollbar is set right, ms. */
const IDLE_MS = 160;
/** How near the end counts as the end, px. */
const NEAR = 2;

export class ListCore<R> {
  private readonly rows: MountedRows<R>;
  private readonly pace = new Pace(() => this.layout());
  private readonly watcher: ResizeObserver;
  private readonly stopListening: () => void;
  /** Row that stays where it is, and its top within what is scrolled. */
  private anchor = { index: 0, y: 0 };
  private following = true;
  private top = 0;
  private screen = 0;
  private height = 0;
  private speed = 0;
  private scrolledAt = 0;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private held = false;
  private opening = true;
  /** The anchor was jumped to: it stays while what is above it comes, until somebody scrolls. */
  private aimed = false;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly spacer: HTMLElement,
    private readonly source: RowSource<R>,
    renderer: RowRenderer<R>,
    private readonly options: ListOptions,
  ) {
    this.watcher = new ResizeObserver((entries) => this.resized(entries));
    this.watcher.observe(scroller);
    this.rows = new MountedRows(source, renderer, this.watcher);
    this.stopListening = source.subscribe((change) => this.changed(change));
    scroller.addEventListener("scroll", this.scrolled, { passive: true });
    scroller.addEventListener("pointerdown", this.hold, { passive: true });
    window.addEventListener("pointerup", this.release, { passive: true });
  }

  destroy(): void {
    this.pace.stop();
    clearTimeout(this.idle);
    this.watcher.disconnect();
    this.stopListening();
    this.scroller.removeEventListener("scroll", this.scrolled);
    this.scroller.removeEventListener("pointerdown", this.hold);
    window.removeEventListener("pointerup", this.release);
  }

  get pinned(): boolean {
    return this.following;
  }

  /** Begins anew at a place; all rows stand there when it returns. */
  open(opening: Opening): void {
    this.readScreen();
    this.opening = true;
    this.rows.clear();
    if (opening.at === "end") this.toEnd();
    else if (opening.at === "row") this.toRow(opening.index);
    else this.goTo(opening.index, opening.offset);
    this.opening = false;
  }

  toEnd(): void {
    this.following = true;
    this.layout();
  }

  /** A row, with a third of a screen before it; what lies between here and there isn't asked for. */
  toRow(index: number): void {
    this.goTo(index, Math.round(this.screen / 3));
  }

  /** To come back to later: a row and where its top stands below the screen's; null: at the end. */
  place(): { key: string; index: number; offset: number } | null {
    if (this.following) return null;
    this.readScreen();
    this.chooseAnchor();
    const { index, y } = this.anchor;
    return { key: this.source.key(index), index, offset: y - this.top };
  }

  private goTo(index: number, offset: number): void {
    if (this.source.total === 0) return this.toEnd();
    const to = clamp(index, 0, this.source.total - 1);
    this.readScreen();
    this.following = false;
    this.aimed = true;
    const there = this.rows.at(to);
    this.anchor = { index: to, y: this.top + offset };
    if (there === undefined) {
      const fraction = to / this.source.total;
      const most = Math.max(0, this.height - this.screen);
      this.anchor.y += Math.round(fraction * most) - this.top;
      this.layout(Math.round(fraction * most));
    } else this.layout();
  }

  private readScreen(): void {
    this.top = this.scroller.scrollTop;
    this.screen = this.scroller.clientHeight;
  }

  /** Px that somebody scrolled since the last look; who scrolled up leaves the end, also if their event comes later. */
  private readScroll(): number {
    const before = this.top;
    this.readScreen();
    const moved = this.top - before;
    if (moved < 0 && this.height - this.screen - this.top > NEAR) this.following = false;
    return moved;
  }

  private changed(change: RowChange): void {
    const { rows } = this;
    if (change.op === "insert") {
      if (rows.length > 0 && change.index <= this.anchor.index) this.anchor.index += change.count;
      rows.inserted(change.index, change.count);
      if (change.own) this.pace.next();
      else this.pace.arrived(change.count);
      return;
    }
    if (change.op === "remove") this.removed(change.index, change.count);
    else if (change.op === "move") this.moved(change.from, change.to);
    else if (change.op === "reset") this.anew(change.shift);
    this.pace.next();
  }

  private removed(index: number, count: number): void {
    const { anchor } = this;
    if (anchor.index >= index + count) anchor.index -= count;
    else if (anchor.index >= index) {
      // The next one takes its place; at the very end the one before keeps its own.
      const before = this.rows.at(index - 1);
      if (index < this.source.total || before === undefined) anchor.index = index;
      else this.anchor = { index: before.index, y: before.y };
    }
    this.rows.removed(index, count);
  }

  private moved(from: number, to: number): void {
    const { anchor } = this;
    if (anchor.index === from) {
      const next = this.rows.at(from + 1) ?? this.rows.at(from - 1);
      if (next) this.anchor = { index: next.index, y: next.y };
    }
    if (this.anchor.index > from) this.anchor.index -= 1;
    if (this.anchor.index >= to) this.anchor.index += 1;
    this.rows.removed(from, 1);
    this.rows.inserted(to, 1);
  }

  private anew(shift: number): void {
    const from = this.anchor.index;
    const near = this.rows.all.toSorted((one, other) => Math.abs(one.index - from) - Math.abs(other.index - from));
    for (const row of near) {
      const index = this.source.indexOf(row.key);
      if (index === undefined) continue;
      this.anchor = { index, y: row.y };
      this.rows.shifted(index - row.index);
      return;
    }
    this.anchor.index += shift;
    this.rows.shifted(shift);
  }

  private readonly hold = () => {
    this.held = true;
  };

  private readonly release = () => {
    this.held = false;
  };

  private readonly scrolled = () => {
    const moved = this.readScroll();
    const now = performance.now();
    if (moved !== 0) {
      const speed = moved / Math.max(8, Math.min(100, now - this.scrolledAt));
      this.speed = (this.speed + speed) / 2;
      this.scrolledAt = now;
    }
    const below = this.height - this.screen - this.top;
    if (!this.following && below <= NEAR && this.rows.last?.index === this.source.total - 1) this.following = true;
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.rested(), IDLE_MS);
    if (moved !== 0) this.aimed = false;
    if (!this.following && !this.aimed) this.chooseAnchor();
    if (!this.covered()) this.layout();
    else this.tell();
  };

  /** The first row that is wholly seen, else the one that fills the screen; far from all rows: by the scrollbar. */
  private chooseAnchor(): void {
    const { rows, top, screen } = this;
    const first = rows.first;
    const last = rows.last;
    if (!first || !last) return;
    const slack = 3 * screen;
    if (top + screen < first.y - slack || top > last.y + last.height + slack) {
      const most = Math.max(1, this.height - screen);
      const { index, offset } = rowAt(top / most, screen, this.source.total, rows.usual);
      this.anchor = { index, y: top + offset };
      return;
    }
    const whole = rows.all.find((row) => row.y >= top - 0.5 && row.height > 0 && row.y < top + screen);
    const chosen = whole ?? rows.all.find((row) => row.y <= top && row.y + row.height > top);
    if (chosen) this.anchor = { index: chosen.index, y: chosen.y };
    else this.stepFrom(top < first.y ? first : last);
  }

  /** Scrolled beyond what stands, but not far: as if the rows between had the usual height. */
  private stepFrom(row: MountedRow<R>): void {
    const steps = Math.round((this.top - row.y) / this.rows.usual);
    const index = clamp(row.index + steps, 0, this.source.total - 1);
    this.anchor = { index, y: row.y + (index - row.index) * this.rows.usual };
  }

  private covered(): boolean {
    const first = this.rows.first;
    const last = this.rows.last;
    if (!first || !last) return this.source.total === 0;
    const ahead = Math.min(MARGIN_FAST, Math.abs(this.speed) * LOOKAHEAD_MS * 0.75);
    const margin = MARGIN / 2;
    const up = margin + (this.speed < 0 ? ahead : 0);
    const down = margin + (this.speed > 0 ? ahead : 0);
    const above = first.index === 0 || first.y <= this.top - up;
    const below = last.index === this.source.total - 1 || last.y + last.height >= this.top + this.screen + down;
    return above && below;
  }

  private margins(): { up: number; down: number } {
    if (this.opening || this.pace.flooding) return { up: MARGIN_BUSY, down: MARGIN_BUSY };
    const ahead = Math.min(MARGIN_FAST, Math.abs(this.speed) * LOOKAHEAD_MS);
    return { up: MARGIN + (this.speed < 0 ? ahead : 0), down: MARGIN + (this.speed > 0 ? ahead : 0) };
  }

  /** Mounts what the screen needs and puts everything in its place. `top`: where the screen goes. */
  private layout(top?: number): void {
    this.pace.ran();
    const total = this.source.total;
    this.screen = this.scroller.clientHeight;
    if (top !== undefined) this.top = top;
    else if (this.readScroll() < 0 && !this.following && !this.aimed) this.chooseAnchor();
    if (total === 0 || this.screen === 0) {
      this.rows.clear();
      this.write(this.options.padTop, 0);
      if (this.screen > 0) this.source.want(0, 1);
      return this.tell();
    }
    this.anchor.index = clamp(this.anchor.index, 0, total - 1);
    const margins = this.margins();
    for (let pass = 0; pass < PASSES; pass++) {
      const [first, last] = this.following ? this.rangeAtEnd(margins.up) : this.rangeAround(margins);
      if (!this.rows.mount(first, last) && pass > 0) break;
      if (this.following) this.anchorAtEnd();
    }
    this.rows.walk(this.anchor);
    this.settle();
    if (!this.following && !this.aimed) this.chooseAnchor();
    this.askFor();
    this.tell();
  }

  private rangeAtEnd(margin: number): [number, number] {
    const last = this.source.total - 1;
    let first = last;
    let height = this.rows.heightOf(last);
    while (first > 0 && height < this.screen + margin && last - first < MOST_ROWS)
      height += this.rows.heightOf(--first);
    return [first, last];
  }

  private rangeAround({ up, down }: { up: number; down: number }): [number, number] {
    const { anchor, rows } = this;
    const most = this.source.total - 1;
    let first = anchor.index;
    let y = anchor.y;
    while (first > 0 && y > this.top - up && anchor.index - first < MOST_ROWS) y -= rows.heightOf(--first);
    let last = anchor.index;
    let end = anchor.y + rows.heightOf(last);
    while (last < most && end < this.top + this.screen + down && last - anchor.index < MOST_ROWS) {
      end += rows.heightOf(++last);
    }
    // A full screen stands above the end, wherever the anchor was put.
    const enough = last === most ? this.screen + up : 0;
    while (first > 0 && end - y < enough && last - first < MOST_ROWS) y -= rows.heightOf(--first);
    return [first, last];
  }

  /** At the end, the rows that stood there before keep their places and the list grows below them. */
  private anchorAtEnd(): void {
    const known = this.rows.all.find((row) => row.placed);
    if (known) this.anchor = { index: known.index, y: known.y };
    else {
      const last = this.rows.last;
      if (last) this.anchor = { index: last.index, y: Math.max(0, this.height - this.options.padBottom - last.height) };
    }
  }

  /** Both ends meet the scrollbar's, and room stays on each side. */
  private settle(): void {
    const { rows, screen, options } = this;
    const first = rows.first;
    const last = rows.last;
    if (!first || !last) return;
    const atTop = first.index === 0;
    const atEnd = last.index === this.source.total - 1;
    const end = last.y + last.height + options.padBottom;
    if (atTop && atEnd && end - first.y + options.padTop <= screen) {
      this.following = true;
      return this.put(screen - end, screen, 0);
    }
    let top = this.top;
    if (atEnd && (this.following || top > end - screen)) top = end - screen;
    if (atTop && top < first.y - options.padTop) top = first.y - options.padTop;
    if (atEnd && top >= end - screen - NEAR) this.following = true;
    if (atTop) {
      const shift = options.padTop - first.y;
      const below = room(this.source.total - 1 - last.index, rows.usual, screen, 6);
      const height = atEnd ? end + shift : Math.max(this.height, end + shift + below);
      return this.put(shift, Math.min(height, Math.max(SCROLLED_HEIGHT, end + shift + below)), top + shift);
    }
    if (!this.roomy(atEnd, end)) return this.recentre(top);
    this.put(0, atEnd ? end : this.height, top);
  }

  private roomy(atEnd: boolean, end: number): boolean {
    const first = this.rows.first;
    const last = this.rows.last;
    if (!first || !last) return true;
    const above = room(first.index, this.rows.usual / 2, this.screen, 2);
    const below = room(this.source.total - 1 - last.index, this.rows.usual / 2, this.screen, 2);
    if (end > 1.5 * SCROLLED_HEIGHT) return false;
    return first.y >= above && (atEnd || this.height - end >= below);
  }

  /** Puts the rows where the scrollbar says what they are; on screen nothing moves. */
  private recentre(top: number): void {
    const { rows, screen } = this;
    const first = rows.first;
    const last = rows.last;
    if (!first || !last) return;
    const total = this.source.total;
    const place = {
      above: first.index,
      below: total - 1 - last.index,
      content: last.y + last.height - first.y,
      lead: top - first.y,
    };
    const fraction = this.following ? 1 : fractionAt(rows.all, top, screen, total);
    const to = recentred(fraction, place, rows.usual, screen, total);
    const shift = to.top - top;
    const end = last.y + last.height + shift + this.options.padBottom;
    this.put(shift, last.index === total - 1 ? end : Math.max(to.height, end), to.top);
  }

  /** Moves all rows by `shift` and writes what changed. */
  private put(shift: number, height: number, top: number): void {
    if (shift !== 0) {
      this.rows.move(shift);
      this.anchor.y += shift;
    }
    this.write(height, top);
  }

  private write(height: number, top: number): void {
    this.rows.write();
    const whole = Math.max(this.screen, Math.ceil(height));
    if (whole !== this.height) {
      this.height = whole;
      this.spacer.style.height = `${whole}px`;
    }
    const wanted = this.following ? this.height - this.screen : top;
    if (Math.abs(wanted - this.scroller.scrollTop) >= 0.5) this.scroller.scrollTop = wanted;
    this.top = this.scroller.scrollTop;
  }

  private askFor(): void {
    const first = this.rows.first;
    const last = this.rows.last;
    if (first && last) this.source.want(first.index, last.index - first.index + 1);
  }

  private rested(): void {
    this.speed = 0;
    if (this.held || this.rows.length === 0) return;
    this.layout();
    const first = this.rows.first;
    const last = this.rows.last;
    if (!first || !last || first.index === 0) return;
    const fraction = this.following ? 1 : fractionAt(this.rows.all, this.top, this.screen, this.source.total);
    const off = Math.abs(fraction * (this.height - this.screen) - this.top);
    if (off > 4 * this.screen + this.height / 100 || this.height > 1.1 * SCROLLED_HEIGHT) this.recentre(this.top);
  }

  private resized(entries: readonly ResizeObserverEntry[]): void {
    let changed = false;
    for (const entry of entries) {
      if (entry.target === this.scroller) changed ||= this.screen !== this.scroller.clientHeight;
      else changed = this.rows.grew(entry.target, entry.borderBoxSize[0]?.blockSize ?? 0) || changed;
    }
    if (changed) this.layout();
  }

  private tell(): void {
    const { onView } = this.options;
    if (!onView) return;
    const end = this.top + this.screen;
    const seen = this.rows.all.filter((row) => row.y < end && row.y + row.height > this.top);
    const far = !this.following && this.height - end > this.screen;
    onView({ first: seen[0]?.index ?? 0, last: seen.at(-1)?.index ?? -1, pinned: this.following, far });
  }
}
