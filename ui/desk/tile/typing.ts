/** The customer's page lets "is typing" go by itself, so it is repeated; ms. */
const REPEAT_MS = 3000;
const PAUSE_MS = 5000;

/** Tells the customer that somebody writes: never more often than needed, and never about a note. */
export class TypingSignal {
  private toldAt = -Infinity;
  private on = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly tell: (typing: boolean) => void) {}

  typed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.stop(), PAUSE_MS);
    const now = performance.now();
    if (this.on && now - this.toldAt < REPEAT_MS) return;
    this.on = true;
    this.toldAt = now;
    this.tell(true);
  }

  stop(): void {
    clearTimeout(this.timer);
    if (!this.on) return;
    this.on = false;
    this.toldAt = -Infinity;
    this.tell(false);
  }
}
