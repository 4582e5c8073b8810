import type { Waiting } from "../gen/view";

/** 0 under half the target, 1 from half, 2 from 85 %, 3 past it. */
export type Heat = 0 | 1 | 2 | 3;

/** How long somebody waits, in whole milliseconds; never negative when clocks disagree. */
export function waited(waiting: Waiting, now: number): number {
  return Math.max(0, now - waiting.since_ms);
}

export function heat(waitedMs: number, targetMs: number): Heat {
  if (targetMs <= 0) return 0;
  if (waitedMs >= targetMs) return 3;
  if (waitedMs * 100 >= targetMs * 85) return 2;
  if (waitedMs * 2 >= targetMs) return 1;
  return 0;
}

/** Part of the ring that is drawn, in percent of the target. */
export function ring(waitedMs: number, targetMs: number): number {
  return targetMs <= 0 ? 0 : Math.min(100, Math.round((waitedMs * 100) / targetMs));
}
