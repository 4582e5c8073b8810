/** A restored gateway has another log: hashes of pieces, here and there, narrowed to the first difference. */
import { COMPARE_RANGES } from "../../src/gen/limits";
import { sameBytes, unhex } from "./ids";
import type { StoredEntry } from "./model";
import { clip, type Range } from "./ranges";
import { sha256 } from "./sha256";
import type { Compared } from "./wire";

/** What came of a comparison. */
export interface Difference {
  /** First Seq that isn't shared. */
  from: number;
  /** What there is at the gateway: its floor and head. */
  bounds: Range;
  /** Seqs below the difference whose content the gateway erased. */
  erased: number[];
}

/** Over, for each entry in order: Seq (8 bytes, big-endian), id (16), author's length (1), author. */
export const hashOf = (entries: readonly StoredEntry[]): Uint8Array => {
  const bytes: number[] = [];
  for (const { seq, id, author } of entries) {
    const head = new DataView(new ArrayBuffer(8));
    head.setBigUint64(0, BigInt(seq));
    bytes.push(...new Uint8Array(head.buffer), ...unhex(id), author.length / 2, ...unhex(author));
  }
  return sha256(Uint8Array.from(bytes));
};

/** At most as many pieces of like size as one question may name. */
const piecesOf = (within: readonly Range[]): Range[] => {
  let size = 1;
  const count = () => within.reduce((sum, { first, last }) => sum + Math.ceil((last - first + 1) / size), 0);
  while (count() > Math.max(within.length, COMPARE_RANGES)) size *= 2;
  return within.flatMap(({ first, last }) =>
    Array.from({ length: Math.ceil((last - first + 1) / size) }, (_, at) => ({
      first: first + at * size,
      last: Math.min(first + (at + 1) * size - 1, last),
    })),
  );
};

export class Comparing {
  private readonly erased = new Set<number>();
  private pieces: Range[] = [];

  constructor(
    private within: readonly Range[],
    private readonly entry: (seq: number) => StoredEntry | undefined,
  ) {
    this.within = within.slice(0, COMPARE_RANGES);
  }

  /** Where nothing can be compared, the question still tells the gateway's head and floor. */
  question(): Range[] {
    this.pieces = piecesOf(this.within);
    return this.pieces.length > 0 ? this.pieces : [{ first: 1, last: 1 }];
  }

  /** The gateway's hashes. Null: ask again, narrower. */
  answer(compared: Compared): Difference | null {
    const bounds = { first: Math.max(1, Number(compared.floor)), last: Number(compared.head) };
    const inside = clip(this.within, bounds);
    const cut = JSON.stringify(inside) !== JSON.stringify(this.within);
    this.within = inside;
    if (inside.length === 0) return this.end(bounds.first, bounds);
    if (cut) return null;
    let agree = 0;
    for (const [at, piece] of this.pieces.entries()) {
      const theirs = compared.hashes[at];
      if (!theirs || !this.agrees(piece, theirs.sha256)) break;
      for (const seq of theirs.erased) this.erased.add(Number(seq));
      agree += 1;
    }
    const differs = this.pieces[agree];
    if (!differs) return this.end((inside.at(-1)?.last ?? 0) + 1, bounds);
    if (differs.first === differs.last) return this.end(differs.first, bounds);
    this.within = [differs];
    return null;
  }

  /** What isn't held whole can't be compared. */
  private agrees({ first, last }: Range, theirs: Uint8Array): boolean {
    const entries: StoredEntry[] = [];
    for (let seq = first; seq <= last; seq += 1) {
      const entry = this.entry(seq);
      if (!entry) return false;
      entries.push(entry);
    }
    return sameBytes(hashOf(entries), theirs);
  }

  private end(from: number, bounds: Range): Difference {
    return { from, bounds, erased: [...this.erased].filter((seq) => seq < from) };
  }
}

/** The gateway has no such log any more. */
export const nothingThere: Difference = { from: 1, bounds: { first: 1, last: 0 }, erased: [] };
