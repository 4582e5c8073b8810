// Where rows of the inbox stand, and when an order that came must wait for the pointer to leave.

import type { InboxRow, InboxView } from "../../src/gen/view";

export const rowHeight = 56;
export const headHeight = 24;

/** Headings stand above non-empty groups: at 0 the first, at its own place the second. */
export interface Places {
  height: number;
  secondHead: number | null;
  top(index: number): number;
}

export function places(total: number, waitingCount: number): Places {
  const firstHead = waitingCount > 0 ? headHeight : 0;
  const hasSecond = total > waitingCount;
  const secondTop = firstHead + waitingCount * rowHeight;
  return {
    height: secondTop + (hasSecond ? headHeight + (total - waitingCount) * rowHeight : 0) + 8,
    secondHead: hasSecond ? secondTop : null,
    top: (index) => (index < waitingCount ? firstHead : firstHead + headHeight) + index * rowHeight,
  };
}

/** Rows to observe for what is seen, with a margin; steps of four so that a small scroll asks nothing. */
export function observed(scrollTop: number, height: number): { from: number; count: number } {
  const margin = 8;
  const first = Math.floor(Math.max(0, scrollTop - 2 * headHeight) / rowHeight) - margin;
  const from = Math.max(0, Math.floor(first / 4) * 4);
  return { from, count: Math.ceil(height / rowHeight / 4) * 4 + 2 * margin + 8 };
}

function topOf(view: InboxView, conversation: string): number | null {
  const at = view.rows.findIndex((row) => row.conversation === conversation);
  return at < 0 ? null : places(view.total, view.waiting_count).top(view.from + at);
}

/** True if the row under the pointer would leave its place. */
export function wouldMove(shown: InboxView, next: InboxView, under: string): boolean {
  if (shown.tab !== next.tab || shown.from !== next.from) return false;
  const before = topOf(shown, under);
  return before !== null && topOf(next, under) !== before;
}

/** The order that is shown with the contents that are known now. */
export function held(shown: InboxView, known: (conversation: string) => InboxRow | null): InboxView {
  return { ...shown, rows: shown.rows.map((row) => known(row.conversation) ?? row) };
}
