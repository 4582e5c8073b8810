// When rows that came in are mounted: at once while it is quiet, gathered in a flood.

const QUIET_ROWS = 6;
const QUIET_MS = 100;
const GATHER_MS = 80;

export class Pace {
  private arrivals: number[] = [];
  private frame = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ranAt = -Infinity;

  constructor(private readonly run: () => void) {}

  /** More came in than is worth a layout each. */
  get flooding(): boolean {
    const since = performance.now() - QUIET_MS;
    while (this.arrivals.length > 0 && (this.arrivals[0] ?? 0) < since) this.arrivals.shift();
    return this.arrivals.length > QUIET_ROWS;
  }

  arrived(rows: number): void {
    const now = performance.now();
    for (let row = 0; row < Math.min(rows, QUIET_ROWS + 1); row++) this.arrivals.push(now);
    const crowd = this.arrivals.length - 4 * QUIET_ROWS;
    if (crowd > 0) this.arrivals.splice(0, crowd);
    if (!this.flooding) this.next();
    else if (this.frame === 0 && this.timer === undefined) {
      const wait = Math.max(0, this.ranAt + GATHER_MS - now);
      this.timer = setTimeout(() => this.next(), wait);
    }
  }

  /** In the next animation frame. */
  next(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => this.run());
  }

  /** A layout happens now, so none is due. */
  ran(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.frame = 0;
    this.timer = undefined;
    this.ranAt = performance.now();
  }

  stop(): void {
    this.ran();
  }
}
