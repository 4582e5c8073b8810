import type { DraftView } from "../../src/gen/view";

/** A draft is written this long after the last key, ms; at once when the composer is left. */
const SETTLE_MS = 400;

/** Keeps what stands in a composer with the engine, never more often than hands pause. */
export class DraftKeeper {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private next: DraftView | null = null;
  private forgotten = 0;

  constructor(private readonly save: (draft: DraftView) => Promise<void>) {}

  changed(draft: DraftView): void {
    this.next = draft;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flushSoon(), SETTLE_MS);
  }

  /** Rejects if the engine didn't take it: the next one tries again. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    const [draft, forgotten] = [this.next, this.forgotten];
    this.next = null;
    if (!draft) return;
    try {
      await this.save(draft);
    } catch (error) {
      if (forgotten === this.forgotten) this.next ??= draft;
      throw error;
    }
  }

  /** Where nothing hangs on it. */
  flushSoon(): void {
    this.flush().catch(() => undefined);
  }

  /** It was sent: the engine clears it in the same stroke, and what was about to be written is old. */
  forget(): void {
    clearTimeout(this.timer);
    this.forgotten++;
    this.next = null;
  }

  get waiting(): boolean {
    return this.next !== null;
  }
}
