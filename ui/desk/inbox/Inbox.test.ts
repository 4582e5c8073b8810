// @vitest-environment jsdom
import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { InboxDelta, InboxRow, InboxSlot } from "../../src/gen/view";
import type { Host } from "../../src/host/host";
import { holdClock } from "../../src/parts/clock.svelte";
import { row as plain, start } from "../state/samples";
import { Workplace } from "../state/workplace.svelte";
import Inbox from "./Inbox.svelte";

const noon = new Date(2026, 10, 24, 12).getTime();

/** Conversations whose row was read since asked last: each is drawn from its count of unread messages. */
const read = new Set<string>();

function row(conversation: string, unread: number): InboxRow {
  const sample = { ...plain(conversation), last_ms: noon };
  return Object.defineProperty(sample, "unread", {
    enumerable: true,
    get() {
      read.add(conversation);
      return unread;
    },
  });
}

function list(rows: InboxSlot[], total = rows.length): InboxDelta {
  return { tab: "mine", waiting_count: 0, total, from: 0, rows };
}

const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
const whole = () => list(names.map((name) => row(name, 0)));
const kept = () => names.map((_, index): InboxSlot => index);

let drawn: ReturnType<typeof mount> | undefined;
const observeInbox = vi.fn<Host["observeInbox"]>(() => Promise.resolve());

function draw() {
  const place = new Workplace({ observeInbox } as Partial<Host> as Host, start);
  drawn = mount(Inbox, { target: document.body, props: { place } });
  flushSync();
  const tell = (delta: InboxDelta) => {
    read.clear();
    place.facts.apply([{ event: "inbox", delta }]);
    flushSync();
    return read.size;
  };
  return { place, tell };
}

const shown = () =>
  [...document.querySelectorAll<HTMLElement>("[data-test=inbox-row]")].map((each) => each.dataset["conversation"]);

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
  observeInbox.mockClear();
  holdClock(noon);
});
afterEach(async () => {
  if (drawn) await unmount(drawn);
  vi.unstubAllGlobals();
});

it("draws the row that changed and none of the others", () => {
  const { tell } = draw();
  expect(tell(whole())).toBe(40);
  expect(shown()).toEqual(names);
  // What each change cost while lists were told as a whole.
  expect(tell(whole())).toBe(40);
  expect(tell(list(kept().with(7, row("c7", 3))))).toBe(1);
  expect(document.querySelector("[data-conversation=c7] .count")?.textContent).toBe("3");
});

it("draws only those anew that stand elsewhere when one moves", () => {
  const { tell } = draw();
  tell(whole());
  const moved = [row("c3", 1), ...kept().filter((each) => each !== 3)];
  expect(tell(list(moved))).toBe(4);
  expect(shown().slice(0, 5)).toEqual(["c3", "c0", "c1", "c2", "c4"]);
});

it("draws no row for the beat of a second, but each one at midnight", () => {
  const { tell } = draw();
  tell(whole());
  tell(whole());
  read.clear();
  holdClock(noon + 1000);
  flushSync();
  expect(read.size).toBe(0);
  expect(document.querySelector("[data-conversation=c0] time")?.textContent).toBe("12:00");
  holdClock(noon + 86_400_000);
  flushSync();
  expect(document.querySelector("[data-conversation=c0] time")?.textContent).toBe("24 Nov");
});

it("asks for the list again when it spoke of a row that isn't there, and shows it when it came", () => {
  const { tell } = draw();
  tell(whole());
  expect(observeInbox).toHaveBeenCalledTimes(1);
  tell(list([40]));
  expect(shown()).toEqual([]);
  expect(observeInbox.mock.calls).toEqual([
    ["mine", 0, expect.any(Number)],
    ["mine", 0, expect.any(Number)],
  ]);
  tell(whole());
  expect(shown()).toEqual(names);
  expect(observeInbox).toHaveBeenCalledTimes(2);
});
