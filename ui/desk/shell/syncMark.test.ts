// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { caughtUp, markOf } from "./syncMark";

const upToDate = { state: "up_to_date", as_of_ms: 1 } as const;

describe("the sync mark", () => {
  it("shows its tick only while nothing waits for the server", () => {
    expect(markOf({ sync: upToDate, waiting: 0, parked: 3, roundTripMs: 18 })).toMatchObject({
      tone: "good",
      icon: "synced",
      label: "18 ms",
    });
    expect(markOf({ sync: upToDate, waiting: 2, parked: 0, roundTripMs: 18 })).toMatchObject({
      tone: "busy",
      label: "2",
    });
  });

  it("shows no tick while something is missing or the connection is lost", () => {
    const catching = { state: "catching_up", missing: 59, fetched: 41, conversations: 4 } as const;
    expect(markOf({ sync: catching, waiting: 0, parked: 0, roundTripMs: 18 })).toMatchObject({
      icon: "retry",
      label: "41%",
    });
    expect(markOf({ sync: catching, waiting: 0, parked: 0, roundTripMs: 18 }).title).toContain("59");
    const checking = { ...catching, missing: 0 };
    expect(markOf({ sync: checking, waiting: 0, parked: 0, roundTripMs: 18 }).label).toBe("…");
    const offline = { state: "offline", since_ms: 0, retry_at_ms: 0, reason: "network" } as const;
    expect(markOf({ sync: offline, waiting: 0, parked: 0, roundTripMs: null })).toMatchObject({
      tone: "bad",
      icon: "off",
    });
    const since = { ...offline, since_ms: new Date(2026, 10, 24, 14, 32).getTime() };
    expect(markOf({ sync: since, waiting: 0, parked: 0, roundTripMs: null }).title).toContain("14:32");
  });

  it("never says 100 % before everything is here", () => {
    expect(caughtUp(999, 1)).toBe(99);
    expect(caughtUp(0, 0)).toBe(0);
  });
});
