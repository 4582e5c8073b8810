import type { TimelineRow } from "../../src/gen/view";

/** What a row can ask of its tile. */
export interface RowActs {
  /** There is a composer to put words into. */
  readonly writable: boolean;
  /** A look at where it leads comes first. */
  openLink(url: string): void;
  editAgain(text: string, note: boolean): void;
  /** A parked one into the composer. */
  edit(row: TimelineRow): void;
  resend(row: TimelineRow): void;
  discard(row: TimelineRow): void;
  /** What was discarded too late. */
  recall(row: TimelineRow): void;
  /** It stays sent: recalling it isn't offered any more. */
  keep(row: TimelineRow): void;
  jumpTo(seq: number): void;
}
