// The scrollbar stands for the whole list without knowing its heights: a fraction of it is a fraction of the rows.
// The point that lies at fraction f of the list is shown at fraction f of the screen, so both ends meet exactly.

/** Height that engines scroll well, in px. WebKitGTK ends at 33,554,428, and positions are floats long before. */
export const SCROLLED_HEIGHT = 2 ** 20;

export interface PlacedRow {
  index: number;
  /** Top, px from the top of what is scrolled. */
  y: number;
  height: number;
}

/** Fraction of the list that the screen's top at `top` stands for. */
export function fractionAt(rows: readonly PlacedRow[], top: number, screen: number, total: number): number {
  for (const row of rows) {
    const slope = row.height - screen / total;
    if (slope === 0) continue;
    const point = (row.index * row.height - (row.y - top)) / slope;
    if (point >= row.index && point <= row.index + 1) return clamp(point / total, 0, 1);
  }
  const seen = rows.find((row) => row.y + row.height > top) ?? rows.at(-1);
  return seen ? clamp(seen.index / total, 0, 1) : 0;
}

/** Row to place for a fraction, and where its top goes, px below the screen's. */
export function rowAt(fraction: number, screen: number, total: number, rowHeight: number) {
  const point = clamp(fraction, 0, 1) * total;
  const index = Math.min(Math.floor(point), total - 1);
  return { index, offset: fraction * screen - (point - index) * rowHeight };
}

/** Room that must stay on one side so that nobody runs into the end of the scrollbar before the end of the list. */
export function room(rows: number, rowHeight: number, screen: number, screens: number): number {
  return Math.min(rows * rowHeight, screens * screen);
}

/** A scrolled height and a place in it that leave room on both sides of the rows that stand from `y` to `end`. */
export function recentred(
  fraction: number,
  place: { above: number; below: number; content: number; lead: number },
  rowHeight: number,
  screen: number,
  total: number,
): { height: number; top: number } {
  const before = room(place.above, rowHeight, screen, 6);
  const after = room(place.below, rowHeight, screen, 6);
  const height = Math.ceil(clamp(total * rowHeight, before + place.content + after, SCROLLED_HEIGHT));
  const lowest = before + place.lead;
  const highest = height - after - place.content + place.lead;
  return { height, top: Math.round(clamp(fraction * (height - screen), lowest, Math.max(lowest, highest))) };
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
