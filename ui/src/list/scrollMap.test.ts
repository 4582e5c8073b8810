import { describe, expect, it } from "vitest";
import { fractionAt, recentred, rowAt, SCROLLED_HEIGHT, type PlacedRow } from "./scrollMap";

const screen = 800;
const usual = 50;

/** Rows of one height, placed so that `index` stands `offset` px below the screen's top at 10,000. */
function placed(index: number, offset: number, total: number): PlacedRow[] {
  const rows: PlacedRow[] = [];
  for (let at = Math.max(0, index - 30); at < Math.min(total, index + 30); at++) {
    rows.push({ index: at, y: 10_000 + offset + (at - index) * usual, height: usual });
  }
  return rows;
}

describe("the scrollbar", () => {
  it.each([10, 1000, 100_000, 1_000_000])("of %i rows comes back to the fraction that it was dragged to", (total) => {
    for (const fraction of [0, 0.1, 0.5, 0.93, 1]) {
      const { index, offset } = rowAt(fraction, screen, total, usual);
      expect(fractionAt(placed(index, offset, total), 10_000, screen, total)).toBeCloseTo(fraction, 9);
    }
  });

  it("meets both ends: the first row at the top, the last at the bottom", () => {
    expect(rowAt(0, screen, 5000, usual)).toEqual({ index: 0, offset: 0 });
    const end = rowAt(1, screen, 5000, usual);
    expect(end.index).toBe(4999);
    expect(end.offset + usual).toBe(screen);
  });

  it("is never higher than engines scroll well, and leaves room on both sides", () => {
    const place = { above: 3, below: 999_937, content: 3000, lead: 1200 };
    const { height, top } = recentred(0.00001, place, usual, screen, 1_000_000);
    expect(height).toBe(SCROLLED_HEIGHT);
    expect(top - place.lead).toBeGreaterThanOrEqual(place.above * usual);
    expect(height - (top - place.lead + place.content)).toBeGreaterThan(screen);
  });
});
