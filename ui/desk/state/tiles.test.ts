import { describe, expect, it } from "vitest";
import type { WindowLayout } from "../../src/gen/shell";
import { hideTile, openConversation, setTileCount, stepFocus, wholeLayout, withoutConversations } from "./tiles";

function layout(open: (string | null)[], focused = 0): WindowLayout {
  return wholeLayout({ tiles: 2, open, focused, panel: null, tab: "mine" });
}

describe("tiles", () => {
  it("opens in the focused tile", () => {
    expect(openConversation(layout(["a", "b"], 1), 2, "c", "focused").open.slice(0, 2)).toEqual(["a", "c"]);
  });

  it("goes to the tile that has it open", () => {
    const next = openConversation(layout(["a", "b"], 0), 2, "b", "focused");
    expect(next.open.slice(0, 2)).toEqual(["a", "b"]);
    expect(next.focused).toBe(1);
  });

  it("takes the next free tile, and the next tile when none is free", () => {
    expect(openConversation(layout(["a", null], 0), 2, "c", "free").open.slice(0, 2)).toEqual(["a", "c"]);
    const full = openConversation(layout(["a", "b"], 1), 2, "c", "free");
    expect(full.open.slice(0, 2)).toEqual(["c", "b"]);
    expect(full.focused).toBe(0);
  });

  it("never has a conversation twice, undrawn tiles included", () => {
    const next = openConversation(layout(["a", "b", "c"], 0), 2, "c", "focused");
    expect(next.open.filter((each) => each === "c")).toHaveLength(1);
    expect(wholeLayout({ tiles: 9, open: ["a", "a"], focused: 44, panel: null, tab: "mine" })).toMatchObject({
      tiles: 2,
      open: ["a", null, null, null, null, null],
      focused: 5,
    });
  });

  it("keeps the focused conversation drawn when tiles become fewer", () => {
    const next = setTileCount({ ...layout(["a", "b", "c", "d"], 3), tiles: 4 }, 2);
    expect(next.open).toEqual(["a", "d", "c", "b", null, null]);
    expect(next.focused).toBe(1);
  });

  it("walks round, hides, and gives up what another window shows", () => {
    expect(stepFocus(layout(["a", "b"], 1), 2, 1).focused).toBe(0);
    expect(stepFocus(layout(["a", "b"], 0), 2, -1).focused).toBe(1);
    expect(hideTile(layout(["a", "b"]), 0).open[0]).toBeNull();
    expect(withoutConversations(layout(["a", "b"]), new Set(["b"])).open[1]).toBeNull();
  });
});
