import { describe, expect, it } from "vitest";
import { heat, ring, waited } from "./waiting";

const minute = 60_000;

describe("heat of waiting", () => {
  it.each([
    [0, 0],
    [minute - 1, 0],
    [minute, 1],
    [1.7 * minute - 1, 1],
    [1.7 * minute, 2],
    [2 * minute - 1, 2],
    [2 * minute, 3],
    [20 * minute, 3],
  ])("after %i ms of a target of two minutes: %i", (waitedMs, level) => {
    expect(heat(waitedMs, 2 * minute)).toBe(level);
  });

  it("stays grey without a target", () => {
    expect(heat(10 * minute, 0)).toBe(0);
    expect(ring(10 * minute, 0)).toBe(0);
  });

  it("never draws more than the ring, never waits less than nothing", () => {
    expect(ring(5 * minute, 2 * minute)).toBe(100);
    expect(waited({ since_ms: 2000, first: false, target_ms: 0 }, 1000)).toBe(0);
  });
});
