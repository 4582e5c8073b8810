// @vitest-environment jsdom
import { flushSync } from "svelte";
import { describe, expect, it, vi } from "vitest";
import type { DeskEvent, InboxDelta, InboxSlot } from "../../src/gen/view";
import { DeskFacts } from "./facts.svelte";
import { row } from "./samples";

function list(...rows: InboxSlot[]): InboxDelta {
  return { tab: "mine", waiting_count: 0, total: rows.length, from: 0, rows };
}

const inbox = list(row("a", 2), row("b"));

describe("what the engine told", () => {
  it("keeps lists, heads and counts in the order of the events", () => {
    const facts = new DeskFacts(() => {});
    facts.apply([
      { event: "inbox", delta: inbox },
      { event: "conversation", row: row("a", 5) },
      { event: "counts", counts: { mine: 2, queue: 1, team: 0, closed: 0, waiting: 1, queue_since_ms: 0 } },
    ]);
    expect(facts.head("a")?.unread).toBe(5);
    expect(facts.head("b")?.unread).toBe(0);
    expect(facts.counts.waiting).toBe(1);
    expect(facts.inbox).toEqual(inbox);
  });

  it("hands a timeline's deltas on as they are, to its own tile alone", () => {
    const facts = new DeskFacts(() => {});
    const mine = vi.fn();
    const others = vi.fn();
    const stop = facts.subscribe("a", mine);
    facts.subscribe("b", others);
    const event: DeskEvent = { event: "timeline", conversation: "a", deltas: [{ op: "remove", index: 1, count: 1 }] };
    facts.apply([event]);
    expect(mine.mock.calls[0]?.[0]).toBe(event);
    expect(others).not.toHaveBeenCalled();
    stop();
    facts.apply([event]);
    expect(mine).toHaveBeenCalledTimes(1);
  });

  it("tells happenings once and keeps none", () => {
    const happened = vi.fn();
    const facts = new DeskFacts(happened);
    facts.apply([{ event: "quit_asked", waiting: 1, parked: 0 }]);
    expect(happened).toHaveBeenCalledExactlyOnceWith({ event: "quit_asked", waiting: 1, parked: 0 });
  });

  it.each<DeskEvent>([
    { event: "me", me: null },
    { event: "session_ended", reason: "session" },
  ])("forgets everything of an account whose session is over, by $event", (over) => {
    const facts = new DeskFacts(() => {});
    facts.apply([{ event: "inbox", delta: inbox }, { event: "popped", conversations: ["a"] }, over]);
    expect([facts.inbox, facts.head("a"), facts.popped.size]).toEqual([null, null, 0]);
  });

  it("keeps the rows that a list keeps, and their heads, as the objects they are", () => {
    const facts = new DeskFacts(() => {});
    facts.apply([{ event: "inbox", delta: inbox }]);
    const before = facts.inbox?.rows;
    const came = row("c", 1);
    facts.apply([{ event: "inbox", delta: list(1, came, 0) }]);
    expect(facts.inbox?.rows.map((each) => each.conversation)).toEqual(["b", "c", "a"]);
    expect(facts.inbox?.rows[0]).toBe(before?.[1]);
    expect(facts.inbox?.rows[2]).toBe(before?.[0]);
    expect(facts.head("a")).toBe(before?.[0]);
    expect(facts.head("c")).toBe(came);
    // The next one speaks of this one.
    facts.apply([{ event: "inbox", delta: list(1) }]);
    expect(facts.inbox?.rows).toEqual([came]);
    expect(facts.inboxLost).toBe(0);
  });

  it("has no list rather than a wrong one when it is told of a row that isn't there", () => {
    const facts = new DeskFacts(() => {});
    facts.apply([
      { event: "inbox", delta: inbox },
      { event: "inbox", delta: list(0, 2) },
    ]);
    expect([facts.inbox, facts.inboxLost]).toEqual([null, 1]);
    facts.apply([{ event: "inbox", delta: inbox }]);
    expect([facts.inbox, facts.inboxLost]).toEqual([inbox, 1]);
  });

  it("changes nobody's view but the one that a head belongs to", () => {
    const facts = new DeskFacts(() => {});
    facts.apply([{ event: "inbox", delta: inbox }]);
    const runs = { a: 0, b: 0 };
    const stop = $effect.root(() => {
      $effect(() => {
        facts.head("a");
        runs.a += 1;
      });
      $effect(() => {
        facts.head("b");
        runs.b += 1;
      });
    });
    flushSync();
    facts.apply([{ event: "conversation", row: row("a", 9) }]);
    flushSync();
    expect(runs).toEqual({ a: 2, b: 1 });
    stop();
  });

  it("lets go of conversations that no window shows", () => {
    const facts = new DeskFacts(() => {});
    facts.apply([
      { event: "inbox", delta: inbox },
      { event: "conversation", row: row("old") },
      { event: "conversation", row: row("open") },
    ]);
    facts.forgetAllBut(new Set(["open"]));
    expect([facts.head("old"), facts.head("open")?.conversation, facts.head("b")?.conversation]).toEqual([
      null,
      "open",
      "b",
    ]);
  });
});
