import type { Status } from "./status";

/** Until the gateway has spoken, and between heartbeats that may be missed, milliseconds. */
const GREETING_MS = 15_000;
const MISSED_BEATS = 2.5;
/** Backoff with full jitter: the widest first and last pause, milliseconds. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A connection that lived so long wasn't the trouble. */
const STEADY_MS = 10_000;

type Phase = "idle" | "opening" | "greeting" | "logging_in" | "live" | "paused" | "refused";

/** One socket after another: when to open the next, and when one has fallen silent. */
export class Connection {
  private phase: Phase = "idle";
  private failures = 0;
  private dueAt = 0;
  private heardAt = 0;
  private liveSince = 0;
  private heartbeatMs = GREETING_MS / MISSED_BEATS;

  constructor(private readonly random: () => number) {}

  get live(): boolean {
    return this.phase === "live";
  }

  get greeting(): boolean {
    return this.phase === "greeting";
  }

  isOpen(): boolean {
    return this.phase === "greeting" || this.phase === "logging_in" || this.phase === "live";
  }

  shown(): Status["connection"] {
    if (this.phase === "idle" || this.phase === "live" || this.phase === "refused") return this.phase;
    return "connecting";
  }

  /** Something may have become better: whether to open now. */
  nudge(now: number): boolean {
    if (this.phase === "paused") this.dueAt = Math.min(this.dueAt, now);
    return this.phase === "idle" || this.phase === "paused";
  }

  open(now: number): void {
    this.phase = "opening";
    this.heardAt = now;
    this.heartbeatMs = GREETING_MS / MISSED_BEATS;
  }

  opened(now: number): void {
    if (this.phase !== "opening") return;
    this.phase = "greeting";
    this.heardAt = now;
  }

  greeted(now: number): void {
    this.phase = "logging_in";
    this.heardAt = now;
  }

  loggedIn(now: number, heartbeatMs: number): void {
    if (this.phase !== "live") this.liveSince = now;
    this.phase = "live";
    this.heartbeatMs = heartbeatMs;
  }

  hear(now: number): void {
    this.heardAt = now;
  }

  closed(now: number, comeBackMs = 0): void {
    if (this.phase === "refused" || this.phase === "paused" || this.phase === "idle") return;
    if (this.phase === "live" && now - this.liveSince >= STEADY_MS) this.failures = 0;
    const widest = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures = Math.min(this.failures + 1, 10);
    this.phase = "paused";
    this.dueAt = now + comeBackMs + this.random() * widest;
  }

  /** Closed by ourselves, to open anew at once. */
  again(now: number): void {
    if (this.phase === "idle") return;
    this.phase = "paused";
    this.dueAt = now;
  }

  refuse(): void {
    this.phase = "refused";
  }

  isDue(now: number): boolean {
    return this.phase === "paused" && this.dueAt <= now;
  }

  isSilent(now: number): boolean {
    return (this.phase === "opening" || this.isOpen()) && this.silentAt() <= now;
  }

  private silentAt(): number {
    return this.heardAt + this.heartbeatMs * MISSED_BEATS;
  }

  wake(): number | null {
    if (this.phase === "paused") return this.dueAt;
    return this.phase === "opening" || this.isOpen() ? this.silentAt() : null;
  }
}
