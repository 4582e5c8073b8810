import { inOrder } from "./order";

/** Closed ranges of Seqs, sorted and apart. */
export interface Range {
  first: number;
  last: number;
}

export const insert = (ranges: readonly Range[], added: Range): Range[] => {
  const out: Range[] = [];
  let { first, last } = added;
  for (const range of ranges) {
    if (range.last + 1 < first || range.first > last + 1) {
      out.push(range);
    } else {
      first = Math.min(first, range.first);
      last = Math.max(last, range.last);
    }
  }
  out.push({ first, last });
  return inOrder(out, (range) => range.first);
};

export const remove = (ranges: readonly Range[], seq: number): Range[] =>
  ranges.flatMap(({ first, last }) => [
    ...(first < seq ? [{ first, last: Math.min(last, seq - 1) }] : []),
    ...(last > seq ? [{ first: Math.max(first, seq + 1), last }] : []),
  ]);

export const clip = (ranges: readonly Range[], within: Range): Range[] =>
  ranges
    .map((range) => ({ first: Math.max(range.first, within.first), last: Math.min(range.last, within.last) }))
    .filter((range) => range.first <= range.last);

/** The Seq up to which everything from the floor on is there. */
export const watermark = (ranges: readonly Range[], floor: number): number => {
  const lowest = ranges.find((range) => range.first <= floor && range.last >= floor);
  return lowest ? lowest.last : floor - 1;
};

export const gaps = (ranges: readonly Range[], first: number, last: number): Range[] => {
  const out: Range[] = [];
  let next = first;
  for (const range of clip(ranges, { first, last })) {
    if (range.first > next) out.push({ first: next, last: range.first - 1 });
    next = range.last + 1;
  }
  if (next <= last) out.push({ first: next, last });
  return out;
};

export const count = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, range) => sum + range.last - range.first + 1, 0);
