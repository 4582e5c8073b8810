import type { Act } from "./model";

/** Shortest and longest pause after a refusal for now, and how long an answer is waited for; milliseconds. */
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const UNANSWERED_MS = 20_000;

interface Numbered {
  /** As it was frozen, also if its own entry has settled it since: its number must be answered all the same. */
  act: Act;
  sentMs: number;
  inFlight: boolean;
  answered: boolean;
}

export interface Sending {
  lane: number;
  number: number;
  act: Act;
}

/** The acts of one connection in one conversation, numbered in the order of doing. */
export class Lane {
  lane = 1;
  private numbered: Numbered[] = [];
  private settled = 0;
  private pauseUntil = 0;
  private pauses = 0;

  inFlight(): number {
    return this.numbered.filter((numbered) => numbered.inFlight).length;
  }

  isPaused(now: number): boolean {
    return this.pauseUntil > now;
  }

  holds(id: string): boolean {
    return this.numbered.some((numbered) => numbered.act.id === id);
  }

  /** The lowest number that must go again. */
  again(now: number): Sending | null {
    const at = this.numbered.findIndex((numbered) => !numbered.answered && !numbered.inFlight);
    const found = this.numbered[at];
    if (!found) return null;
    found.inFlight = true;
    found.sentMs = now;
    return { lane: this.lane, number: this.settled + 1 + at, act: found.act };
  }

  /** The next number. */
  number(act: Act, now: number): Sending {
    this.numbered.push({ act, sentMs: now, inFlight: true, answered: false });
    return { lane: this.lane, number: this.settled + this.numbered.length, act };
  }

  /** The act of a number that awaits its answer. */
  awaited(lane: number, number: number, id: string): Act | null {
    const found = lane === this.lane ? this.numbered[number - this.settled - 1] : undefined;
    return found && found.act.id === id && !found.answered ? found.act : null;
  }

  answer(number: number): void {
    const found = this.numbered[number - this.settled - 1];
    if (found) {
      found.answered = true;
      found.inFlight = false;
      this.pauses = 0;
    }
    while (this.numbered[0]?.answered) {
      this.numbered.shift();
      this.settled += 1;
    }
  }

  /** Refused for now: everything from this number on goes again, after a pause with jitter. */
  goBack(number: number, retryMs: number, now: number, random: () => number): void {
    for (const numbered of this.numbered.slice(Math.max(0, number - this.settled - 1))) numbered.inFlight = false;
    if (!this.isPaused(now)) {
      const longest = Math.min(PAUSE_MS * 2 ** this.pauses, LONGEST_PAUSE_MS);
      this.pauses = Math.min(this.pauses + 1, 10);
      this.pauseUntil = now + longest / 2 + (random() * longest) / 2;
    }
    this.pauseUntil = Math.max(this.pauseUntil, now + retryMs);
  }

  /** The act was discarded: its number goes again, as a void. */
  void(act: Act): void {
    for (const numbered of this.numbered) {
      if (numbered.act.id === act.id && !numbered.answered) {
        numbered.act = act;
        numbered.inFlight = false;
      }
    }
  }

  /** A stop: nothing of this lane is waited for, and a new one is open. */
  end(): void {
    this.lane += 1;
    this.numbered = [];
    this.settled = 0;
  }

  timeOut(now: number): void {
    const first = this.numbered.findIndex((numbered) => numbered.inFlight && numbered.sentMs + UNANSWERED_MS <= now);
    if (first >= 0) for (const numbered of this.numbered.slice(first)) numbered.inFlight = false;
  }

  /** When something must be done if nothing happens. */
  wake(now: number): number | null {
    if (this.isPaused(now)) return this.pauseUntil;
    const flying = this.numbered.filter((numbered) => numbered.inFlight).map((numbered) => numbered.sentMs);
    return flying.length > 0 ? Math.min(...flying) + UNANSWERED_MS : null;
  }
}
