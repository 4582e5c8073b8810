import type { DraftView } from "../../src/gen/view";

/** A draft is written this long after the last key, ms; at once when the composer is left. */
const SETTLE_MS = 400;

/** Keeps what stands in a composer with the engine, never more often than hands pause. */
export class DraftKeeper {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private next: DraftView | null = null;

  constructor(private readonly save: (draft: DraftView) => Promise<void>) {}

  changed(draft: DraftView): void {
    this.next = draft;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), SETTLE_MS);
  }

  async flush(): Promise<void> {
    clearTimeout(this.timer);
    const draft = this.next;
    this.next = null;
    if (draft) await this.save(draft);
  }

  /** It was sent: the engine clears it in the same stroke, and what was about to be written is old. */
  forget(): void {
    clearTimeout(this.timer);
    this.next = null;
  }

  get waiting(): boolean {
    return this.next !== null;
  }
}
