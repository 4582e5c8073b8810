// One clock for every running time on screen: it beats once a second, so all pills change in the same frame.

const clock = $state({ now: Date.now(), day: dayOf(Date.now()) });
let fixed = false;

/** This computer's time in milliseconds, as of the last beat. Reading it in markup makes that text tick. */
export function now(): number {
  return clock.now;
}

/** The day that it is, by its first millisecond. What reads it changes at midnight, and not with each beat. */
export function today(): number {
  return clock.day;
}

/** Starts the beat; answers with the way to stop it. */
export function startClock(): () => void {
  const timer = setInterval(() => {
    if (!fixed) beat(Date.now());
  }, 1000);
  return () => clearInterval(timer);
}

/** Holds the clock still at a time, for pictures and tests. */
export function holdClock(timeMs: number): void {
  fixed = true;
  beat(timeMs);
}

function beat(timeMs: number): void {
  clock.now = timeMs;
  // Set, not derived: what is derived from it isn't looked at again with each beat.
  clock.day = dayOf(timeMs);
}

function dayOf(timeMs: number): number {
  return new Date(timeMs).setHours(0, 0, 0, 0);
}
