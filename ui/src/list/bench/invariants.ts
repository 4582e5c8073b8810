// What a reader would notice, checked in a real browser's page. Each rule plays on its own list.

import type { Kit } from "./main";
import type { BenchMessage } from "./memorySource";
import { message, messages } from "./messages";

export interface Outcome {
  name: string;
  passed: boolean;
  /** What was wrong. */
  detail: string;
}

type Check = (page: Page) => Promise<string | null>;

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

class Page {
  private lastId = 0;
  private firstId = 1;
  readonly errors: string[] = [];

  constructor(readonly kit: Kit) {}

  get scroller(): HTMLElement {
    const found = this.kit.scroller();
    if (!found) throw new Error("no list");
    return found;
  }

  frame(): Promise<unknown> {
    return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }

  async frames(count: number): Promise<void> {
    for (let at = 0; at < count; at++) await this.frame();
  }

  /** Until nothing has moved for some frames. */
  async settled(): Promise<void> {
    let same = 0;
    let before = "";
    for (let at = 0; at < 90 && same < 14; at++) {
      await this.frame();
      const row = this.topRow();
      const now = `${this.scroller.scrollTop} ${this.scroller.scrollHeight} ${row?.id} ${row ? this.y(row.id) : 0}`;
      same = now === before ? same + 1 : 0;
      before = now;
    }
  }

  async load(count: number, opening?: Parameters<Kit["load"]>[1]): Promise<void> {
    this.lastId = count;
    this.firstId = 1;
    this.kit.load(messages(1, count), opening);
    await this.settled();
  }

  next(count: number, options?: Partial<BenchMessage>): BenchMessage[] {
    const made = messages(this.lastId + 1, count, options);
    this.lastId += count;
    return made;
  }

  earlier(count: number): BenchMessage[] {
    this.firstId -= count;
    return messages(this.firstId, count);
  }

  element(id: string): HTMLElement | null {
    return document.getElementById(id);
  }

  y(id: string): number {
    const element = this.element(id);
    return element ? element.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top : Number.NaN;
  }

  /** First row that is wholly seen. */
  topRow(): HTMLElement | null {
    const box = this.scroller.getBoundingClientRect();
    const rows = [...document.querySelectorAll<HTMLElement>("[data-mid]")];
    const seen = rows.filter((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return top >= box.top - 0.5 && bottom > box.top && top < box.bottom;
    });
    return (
      seen.toSorted((one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top)[0] ?? null
    );
  }

  mounted(): number {
    return document.querySelectorAll(".lrow").length;
  }

  gap(): number {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
  }

  /** Null: at the bottom with the last row seen. */
  notAtEnd(): string | null {
    const last = this.kit.source.row(this.kit.source.total - 1);
    const box = this.scroller.getBoundingClientRect();
    const bottom = last && this.element(`m${last.id}`)?.getBoundingClientRect().bottom;
    if (this.gap() > 2) return `${this.gap()} px above the end`;
    if (bottom === undefined) return "the last row doesn't stand";
    return Math.abs(bottom - box.bottom) > 2 ? `last row ends ${bottom - box.bottom} px off` : null;
  }

  /** Part of the screen without a row, 0 to 1. */
  blank(): number {
    const box = this.scroller.getBoundingClientRect();
    const rows = [...document.querySelectorAll(".lrow")].map((row) => row.getBoundingClientRect());
    let missing = 0;
    for (let at = 0; at < 40; at++) {
      const y = box.top + ((at + 0.5) * box.height) / 40;
      if (!rows.some((row) => row.top <= y && row.bottom >= y)) missing += 1;
    }
    return missing / 40;
  }

  async toMiddle(part: number): Promise<{ id: string; y: number }> {
    this.scroller.scrollTop = part * (this.scroller.scrollHeight - this.scroller.clientHeight);
    await this.settled();
    const row = this.topRow();
    if (!row) throw new Error("nothing is seen");
    return { id: row.id, y: this.y(row.id) };
  }

  /** Null: within a pixel of where it was, in each of the coming frames. */
  async moved(from: { id: string; y: number }, frames = 12): Promise<string | null> {
    let worst = 0;
    for (let at = 0; at < frames; at++) {
      await this.frame();
      const off = Math.abs(this.y(from.id) - from.y);
      if (Number.isNaN(off)) return `${from.id} is gone`;
      worst = Math.max(worst, off);
    }
    return worst > 1 ? `${from.id} moved by ${worst.toFixed(1)} px` : null;
  }
}

const checks: Record<string, Check> = {
  async "opens at the bottom, late pictures included"(page) {
    for (const count of [3, 40, 10_000]) {
      const data = messages(1, count);
      const last = data.at(-2);
      if (last) Object.assign(last, { kind: "msg", img: `/img/${count % 7}.png?delay=150&u=${count}` });
      page.kit.load(data);
      await sleep(350);
      await page.settled();
      const wrong = page.notAtEnd();
      if (wrong && count > 3) return `${count} rows: ${wrong}`;
      if (page.scroller.scrollTop > 0 && count === 3) return "a short list scrolls";
    }
    return null;
  },
  async "opens at the first unread row"(page) {
    await page.load(5000, { at: "row", index: 4900 });
    const y = page.y("m4901");
    return y > 0 && y < page.scroller.clientHeight / 2 ? null : `first unread at ${y}`;
  },
  async "opens at the bottom when all unread rows fit"(page) {
    await page.load(5000, { at: "row", index: 4998 });
    return page.notAtEnd();
  },
  async "append while pinned stays pinned"(page) {
    await page.load(2000);
    for (let at = 0; at < 20; at++) {
      page.kit.append(page.next(1 + (at % 3)));
      await page.frames(3);
      const wrong = page.notAtEnd();
      if (wrong) return `append ${at}: ${wrong}`;
    }
    return null;
  },
  async "a picture that comes late while pinned stays pinned"(page) {
    await page.load(500);
    page.kit.append(page.next(1, { own: false, kind: "msg", img: "/img/3.png?delay=120&u=pin" }));
    await sleep(320);
    await page.settled();
    return page.notAtEnd();
  },
  async "append while reading doesn't move"(page) {
    await page.load(5000);
    for (const part of [0.2, 0.5, 0.9]) {
      const anchor = await page.toMiddle(part);
      page.kit.append(page.next(3));
      const wrong = await page.moved(anchor);
      if (wrong) return wrong;
    }
    return null;
  },
  async "append while reading just above the end doesn't move"(page) {
    await page.load(5000);
    page.scroller.scrollTop -= 120;
    await page.settled();
    const row = page.topRow();
    if (!row) return "nothing is seen";
    const anchor = { id: row.id, y: page.y(row.id) };
    page.kit.append(page.next(5));
    return page.moved(anchor);
  },
  async "an own row is there in the next frame, in a flood too"(page) {
    await page.load(2000);
    for (let at = 0; at < 30; at++) {
      page.kit.append(page.next(12, { own: false }));
      await page.frame();
      if (at % 5 !== 4) continue;
      page.kit.append(page.next(1, { own: true }));
      await page.frame();
      const wrong = page.notAtEnd();
      if (wrong) return `own row ${at}: ${wrong}`;
    }
    return null;
  },
  async "prepend moves what is read by a pixel at most"(page) {
    await page.load(3000);
    for (let at = 0; at < 8; at++) {
      page.scroller.scrollTop = at % 2 === 0 ? 400 : 0;
      await page.settled();
      const row = page.topRow();
      if (!row) return "nothing is seen";
      const anchor = { id: row.id, y: page.y(row.id) };
      page.kit.prepend(page.earlier(50));
      const wrong = await page.moved(anchor, 24);
      if (wrong) return `prepend ${at}: ${wrong}`;
    }
    return null;
  },
  async "prepended rows can be reached, up to the first"(page) {
    await page.load(300);
    page.kit.prepend(page.earlier(200));
    page.scroller.scrollTop = 0;
    await page.settled();
    page.scroller.scrollTop = 0;
    await page.settled();
    const first = page.kit.source.row(0);
    const y = page.y(`m${first?.id}`);
    return Math.abs(y) <= 1 ? null : `first row at ${y}`;
  },
  async "a picture that comes late above doesn't move what is read"(page) {
    await page.load(5000);
    for (const part of [0.3, 0.6, 0.8]) {
      await page.toMiddle(part);
      page.scroller.scrollTop -= 60;
      await page.settled();
      const row = page.topRow();
      if (!row) return "nothing is seen";
      const anchor = { id: row.id, y: page.y(row.id) };
      const above = Number(row.dataset.mid) - 1;
      page.kit.update(above, { kind: "msg", img: `/img/${above % 24}.png?delay=80&u=${part}` });
      const wrong = await page.moved(anchor, 24);
      if (wrong) return wrong;
    }
    return null;
  },
  async "rows that come, go and move above don't move what is read"(page) {
    await page.load(5000);
    const anchor = await page.toMiddle(0.5);
    const index = page.kit.source.indexOf(anchor.id) ?? 0;
    page.kit.source.remove(index - 2, 2);
    const removed = await page.moved(anchor);
    if (removed) return `removed: ${removed}`;
    page.kit.source.move(index - 4, index - 3);
    return page.moved(anchor);
  },
  async "a resize keeps what is read"(page) {
    await page.load(5000);
    const panel = page.kit.panel();
    let wrong: string | null = null;
    for (const width of [600, 760, 480]) {
      const anchor = await page.toMiddle(0.4);
      panel.style.width = `${width}px`;
      await page.settled();
      wrong ??= await page.moved(anchor, 4);
    }
    panel.style.width = "760px";
    await page.settled();
    return wrong;
  },
  async "a resize at the end stays at the end"(page) {
    await page.load(2000);
    const panel = page.kit.panel();
    let wrong: string | null = null;
    for (const [width, height] of [
      [600, 560],
      [760, 800],
      [480, 300],
    ] as const) {
      panel.style.width = `${width}px`;
      panel.style.height = `${height}px`;
      await page.settled();
      wrong ??= page.notAtEnd();
    }
    panel.style.width = "760px";
    panel.style.height = "800px";
    await page.settled();
    return wrong;
  },
  async "leaving and coming back restores the place"(page) {
    await page.load(10_000);
    for (const part of [0.1, 0.55, 0.97]) {
      const anchor = await page.toMiddle(part);
      page.kit.leave();
      await sleep(30);
      page.kit.enter();
      await page.settled();
      const wrong = await page.moved(anchor, 3);
      if (wrong) return `${part}: ${wrong}`;
    }
    page.kit.toBottom();
    await page.settled();
    page.kit.leave();
    page.kit.enter();
    await page.settled();
    return page.notAtEnd();
  },
  async "few rows stand, however one scrolls, and none is missing on screen"(page) {
    await page.load(100_000);
    let most = page.mounted();
    for (let at = 0; at < 40; at++) {
      page.scroller.scrollTop -= 280;
      await page.frame();
      most = Math.max(most, page.mounted());
      if (at > 2 && page.blank() > 0.1) return `${Math.round(page.blank() * 100)} % blank`;
    }
    for (let at = 1; at < 9; at++) {
      await page.toMiddle(at / 9);
      most = Math.max(most, page.mounted());
      if (page.blank() > 0) return `blank at ${at}/9`;
    }
    return most <= 150 ? null : `${most} rows stood`;
  },
  async "scrolling up moves what is seen by just that"(page) {
    await page.load(100_000);
    for (let at = 0; at < 60; at++) {
      const row = page.topRow();
      if (!row) return "nothing is seen";
      const before = page.y(row.id);
      page.scroller.scrollTop -= 90;
      await page.frame();
      const off = page.y(row.id) - before - 90;
      if (Math.abs(off) > 1) return `step ${at}: off by ${off.toFixed(1)} px`;
    }
    return null;
  },
  async "a million rows open as ten do"(page) {
    const stood: number[] = [];
    for (const count of [200, 1_000_000]) {
      page.kit.source.windowed = null;
      page.kit.load(messages(1, 200));
      if (count > 200) page.kit.load(Array.from({ length: count }, (_, at) => message(at + 1)));
      await page.frames(2);
      const wrong = page.notAtEnd();
      if (wrong) return `${count}: ${wrong}`;
      stood.push(page.mounted());
      if (page.scroller.scrollHeight > 2 ** 20 + 2000) return `${page.scroller.scrollHeight} px are scrolled`;
    }
    const [small = 0, large = 0] = stood;
    if (Math.abs(small - large) > 12) return `${small} rows stood of 200, ${large} of a million`;
    page.scroller.scrollTop = 0;
    await page.settled();
    return Math.abs(page.y("m1")) <= 1 ? null : `first row at ${page.y("m1")}`;
  },
  async "a scroll that begins as the list comes to rest isn't lost"(page) {
    await page.load(2_000);
    for (let round = 0; round < 3; round++) {
      page.kit.toBottom();
      await page.settled();
      page.scroller.dispatchEvent(new Event("scroll"));
      // Now the list's timer is due, and the scroll's own event isn't told yet.
      const until = performance.now() + 250;
      while (performance.now() < until);
      page.scroller.scrollTop = 0;
      await page.settled();
      if (Math.abs(page.y("m1")) > 1 || !page.element("m1")) return `round ${round}: first row at ${page.y("m1")}`;
    }
    return null;
  },
  async "a jump asks for nothing that lies between"(page) {
    page.kit.source.windowed = { delayMs: 40 };
    page.kit.load(messages(1, 100_000));
    await sleep(200);
    await page.settled();
    const atEnd = page.notAtEnd();
    if (atEnd) return `opening: ${atEnd}`;
    const before = page.kit.source.wanted.length;
    page.kit.toRow(0);
    await sleep(200);
    await page.settled();
    const firstRow = page.y("m1");
    page.kit.toRow(50_000);
    await sleep(200);
    await page.settled();
    const asked = page.kit.source.wanted.slice(before);
    page.kit.source.windowed = null;
    if (Math.abs(firstRow) > 1) return `first row at ${firstRow}`;
    const y = page.y("m50001");
    if (!(y > 0 && y < page.scroller.clientHeight / 2)) return `row at ${y}`;
    const strange = asked.find(({ from, count }) => (from > 200 && from + count < 49_500) || count > 400);
    return strange ? `asked for ${strange.count} rows at ${strange.from}` : null;
  },
  async "rows that were not here come without moving the others"(page) {
    page.kit.source.windowed = { delayMs: 60 };
    page.kit.load(messages(1, 20_000));
    await sleep(250);
    await page.settled();
    let wrong: string | null = null;
    for (let at = 0; at < 12 && !wrong; at++) {
      page.scroller.scrollTop -= 500;
      await page.frames(2);
      const row = page.topRow();
      if (row) wrong = await page.moved({ id: row.id, y: page.y(row.id) }, 10);
      await page.settled();
      if (document.querySelector("[data-placeholder]") && page.blank() > 0) wrong ??= "rows are missing";
    }
    page.kit.source.windowed = null;
    return wrong;
  },
  async "rows of no height are allowed"(page) {
    const data = messages(1, 4000).map((one) => (one.id % 3 === 0 ? { ...one, kind: "nothing" as const } : one));
    page.kit.load(data);
    await page.settled();
    if (page.gap() > 2) return "not at the end";
    const anchor = await page.toMiddle(0.5);
    page.kit.prepend(page.earlier(20));
    return (await page.moved(anchor)) ?? (page.blank() > 0 ? "blank" : null);
  },
};

export async function invariants(kit: Kit): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const faults: string[] = [];
  const note = (event: ErrorEvent) => faults.push(event.message);
  window.addEventListener("error", note);
  for (const [name, check] of Object.entries(checks)) {
    faults.length = 0;
    kit.source.windowed = null;
    let detail: string;
    try {
      detail = (await check(new Page(kit))) ?? "";
    } catch (fault) {
      detail = String(fault);
    }
    if (!detail && faults.length > 0) detail = faults.join("; ");
    outcomes.push({ name, passed: detail === "", detail });
  }
  window.removeEventListener("error", note);
  return outcomes;
}
