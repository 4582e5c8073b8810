// One clock for every running time on screen: it beats once a second, so all pills change in the same frame.

const clock = $state({ now: Date.now() });
let fixed = false;

/** This computer's time in milliseconds, as of the last beat. Reading it in markup makes that text tick. */
export function now(): number {
  return clock.now;
}

/** Starts the beat; answers with the way to stop it. */
export function startClock(): () => void {
  const timer = setInterval(() => {
    if (!fixed) clock.now = Date.now();
  }, 1000);
  return () => clearInterval(timer);
}

/** Holds the clock still at a time, for pictures and tests. */
export function holdClock(timeMs: number): void {
  fixed = true;
  clock.now = timeMs;
}
