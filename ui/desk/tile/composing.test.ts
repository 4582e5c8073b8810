import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DraftView } from "../../src/gen/view";
import { DraftKeeper } from "./drafts";
import { freshId } from "./ids";
import { sizeOf } from "./limits";
import { TypingSignal } from "./typing";

const draft = (text: string): DraftView => ({ text, note: "", on_note: false });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("a draft", () => {
  it("is written once hands pause, with the last words", () => {
    const saved: string[] = [];
    const keeper = new DraftKeeper(async ({ text }) => void saved.push(text));
    keeper.changed(draft("a"));
    vi.advanceTimersByTime(200);
    keeper.changed(draft("ab"));
    vi.advanceTimersByTime(1000);
    expect(saved).toEqual(["ab"]);
  });

  it("is written at once when the composer is left, and only once", () => {
    const saved: string[] = [];
    const keeper = new DraftKeeper(async ({ text }) => void saved.push(text));
    keeper.changed(draft("a"));
    void keeper.flush();
    vi.advanceTimersByTime(1000);
    expect(saved).toEqual(["a"]);
  });

  it("that was sent doesn't come back", () => {
    const saved: string[] = [];
    const keeper = new DraftKeeper(async ({ text }) => void saved.push(text));
    keeper.changed(draft("a"));
    keeper.forget();
    void keeper.flush();
    vi.advanceTimersByTime(1000);
    expect(saved).toEqual([]);
  });
});

describe("a draft that the engine doesn't take", () => {
  it("is told to who waits for it, and written the next time", async () => {
    const saved: string[] = [];
    let full = true;
    const keeper = new DraftKeeper(async ({ text }) => {
      if (full) throw new Error("disk_full");
      saved.push(text);
    });
    keeper.changed(draft("a"));
    await expect(keeper.flush()).rejects.toThrow("disk_full");
    full = false;
    await keeper.flush();
    expect(saved).toEqual(["a"]);
  });

  it("doesn't come back if it was sent meanwhile", async () => {
    const saved: string[] = [];
    const fails: ((error: Error) => void)[] = [];
    const keeper = new DraftKeeper(({ text }) => {
      saved.push(text);
      return new Promise((_, reject) => fails.push(reject));
    });
    keeper.changed(draft("a"));
    const flushed = keeper.flush();
    keeper.forget();
    fails[0]?.(new Error("store"));
    await expect(flushed).rejects.toThrow("store");
    await keeper.flush();
    expect(saved).toEqual(["a"]);
  });
});

describe("is typing", () => {
  it("is told once, repeated while it goes on, and ends by itself", () => {
    const told: boolean[] = [];
    const typing = new TypingSignal((on) => told.push(on));
    for (let at = 0; at < 10; at++) {
      typing.typed();
      vi.advanceTimersByTime(100);
    }
    expect(told).toEqual([true]);
    vi.advanceTimersByTime(3000);
    typing.typed();
    expect(told).toEqual([true, true]);
    vi.advanceTimersByTime(6000);
    expect(told).toEqual([true, true, false]);
  });

  it("that never began needs no end", () => {
    const told: boolean[] = [];
    new TypingSignal((on) => told.push(on)).stop();
    expect(told).toEqual([]);
  });
});

describe("a text's size", () => {
  it("counts what people call characters, not code units", () => {
    expect(sizeOf("字".repeat(4000))).toEqual({ scalars: 4000, near: true, over: false });
    expect(sizeOf("字".repeat(4001)).over).toBe(true);
    expect(sizeOf("😀".repeat(4000))).toEqual({ scalars: 4000, near: true, over: false });
    expect(sizeOf("a".repeat(3000)).near).toBe(false);
  });
});

describe("a fresh id", () => {
  it("is a UUIDv7 that sorts by its time", () => {
    const early = freshId(1_700_000_000_000);
    const late = freshId(1_700_000_000_001);
    expect(early).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(early < late).toBe(true);
    expect(Number.parseInt(early.replaceAll("-", "").slice(0, 12), 16)).toBe(1_700_000_000_000);
  });
});
