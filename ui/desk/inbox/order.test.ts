import { describe, expect, it } from "vitest";
import type { InboxView } from "../../src/gen/view";
import { row } from "../state/samples";
import { held, observed, places, wouldMove } from "./order";

function view(names: string[], waitingCount: number, from = 0): InboxView {
  return {
    tab: "mine",
    waiting_count: waitingCount,
    total: from + names.length,
    from,
    rows: names.map((each) => row(each)),
  };
}

describe("places of rows", () => {
  it("puts each group under its heading", () => {
    const both = places(5, 2);
    expect([0, 1, 2].map((index) => both.top(index))).toEqual([24, 80, 160]);
    expect(both.secondHead).toBe(136);
    expect(places(3, 0)).toMatchObject({ secondHead: 0 });
    expect(places(3, 3).secondHead).toBeNull();
  });

  it("observes what is seen with a margin, and asks nothing anew for a small scroll", () => {
    expect(observed(0, 560)).toEqual({ from: 0, count: 36 });
    expect(observed(20, 560)).toEqual(observed(0, 560));
    expect(observed(56 * 100, 560).from).toBeLessThanOrEqual(92);
  });
});

describe("the row under the pointer", () => {
  const shown = view(["a", "b", "c", "d"], 2);

  it("holds back an order that would move it", () => {
    expect(wouldMove(shown, view(["b", "c", "d"], 1), "b")).toBe(true);
    expect(wouldMove(shown, view(["a", "c", "d"], 1), "b")).toBe(true);
    expect(wouldMove(shown, view(["a", "b", "x", "c", "d"], 3), "c")).toBe(true);
  });

  it("lets through what leaves it where it is", () => {
    expect(wouldMove(shown, view(["a", "b", "d", "c"], 2), "a")).toBe(false);
    expect(wouldMove(shown, view(["c", "d"], 0, 4), "a")).toBe(false);
  });

  it("shows new contents in the held order", () => {
    const now = held(shown, (conversation) => (conversation === "b" ? row("b", 7) : null));
    expect(now.rows.map((each) => [each.conversation, each.unread])).toEqual([
      ["a", 0],
      ["b", 7],
      ["c", 0],
      ["d", 0],
    ]);
  });
});
