// @vitest-environment jsdom
import { flushSync, mount, unmount } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { InboxRow } from "../../src/gen/view";
import { holdClock } from "../../src/parts/clock.svelte";
import { applyLooks } from "../state/looks.svelte";
import Row from "./Row.svelte";

const now = new Date(2026, 10, 24, 14, 32).getTime();
const row: InboxRow = {
  conversation: "c",
  customer: { id: "c", name: "Nora Chen", verified: false, mobile: true, online: true, hue: 3 },
  status: "open",
  assignee: "",
  mine: true,
  team: "",
  preview: "Can it ship today?",
  draft: false,
  mark: null,
  unread: 2,
  waiting: { since_ms: now - 380_000, first: false, target_ms: 180_000 },
  last_ms: now,
  not_sent: 0,
};

let drawn: ReturnType<typeof mount> | undefined;

function draw(shown: InboxRow) {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  applyLooks({ theme: "light", language: "en" });
  holdClock(now);
  const open = vi.fn();
  const stand = vi.fn();
  drawn = mount(Row, {
    target: document.body,
    props: {
      row: shown,
      top: 24,
      position: 3,
      total: 17,
      tile: 2,
      focused: false,
      tabStop: true,
      showTile: true,
      otherOnly: false,
      open,
      stand,
    },
  });
  flushSync();
  const element = document.querySelector<HTMLElement>("[role=option]");
  if (!element) throw new Error("no row");
  return { element, open };
}

afterEach(async () => {
  if (drawn) await unmount(drawn);
  vi.unstubAllGlobals();
});

describe("a row of the inbox", () => {
  it("is read as name, wait, unread, preview, with its place in the list", () => {
    const { element } = draw(row);
    expect(element.getAttribute("aria-label")).toBe("Nora Chen, waiting 6 min, unread: 2, Can it ship today?");
    expect([element.getAttribute("aria-posinset"), element.getAttribute("aria-setsize")]).toEqual(["3", "17"]);
  });

  it("shows wait, unread count and tile number", () => {
    const { element } = draw(row);
    expect(element.querySelector(".timer.h3")?.textContent).toContain("6:20");
    expect(element.querySelector(".count")?.textContent).toBe("2");
    expect(element.querySelector(".tno")?.textContent).toBe("2");
  });

  it("ticks in place: the pill's words change, the row stays the same element", () => {
    const { element } = draw(row);
    const pill = element.querySelector(".timer");
    holdClock(now + 1000);
    flushSync();
    expect(pill?.textContent).toContain("6:21");
    expect(element.querySelector(".timer")).toBe(pill);
  });

  it("says draft before an own mark, and what wasn't sent before both", () => {
    const { element } = draw({ ...row, draft: true, mark: "sent", not_sent: 1, waiting: null, unread: 0 });
    expect(element.querySelector(".draft")?.textContent).toContain("Draft");
    expect(element.querySelector(".mk")).toBeNull();
    expect(element.querySelector(".failed")).not.toBeNull();
    expect(element.getAttribute("aria-label")).toBe("Nora Chen, 14:32, Not sent: 1, Draft, Can it ship today?");
  });

  it("opens in the focused tile, with Ctrl in a free one", () => {
    const { element, open } = draw(row);
    element.click();
    element.dispatchEvent(new MouseEvent("click", { ctrlKey: true, bubbles: true }));
    expect(open.mock.calls).toEqual([["focused"], ["free"]]);
  });
});
