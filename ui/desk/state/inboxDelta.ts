// A list is told by what changed in it.

import type { InboxDelta, InboxRow, InboxView } from "../../src/gen/view";

/**
 * The list as it is now, from the one that was told last. Rows that stay are the same objects, so that nothing of them is
 * drawn anew. Null: it speaks of a row that isn't there.
 */
export function viewOf(last: InboxView | null, delta: InboxDelta): InboxView | null {
  const rows: InboxRow[] = [];
  for (const slot of delta.rows) {
    const row = typeof slot === "number" ? last?.rows[slot] : slot;
    if (row === undefined) return null;
    rows.push(row);
  }
  return { ...delta, rows };
}
