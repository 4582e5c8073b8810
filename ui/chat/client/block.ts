import { BLOCK_DECODED_BYTES, BLOCK_SEQS } from "../../src/gen/limits";
import { type Block, BlockCodec, BlockEntriesSchema, type Entry, EntrySchema, fromBinary } from "./wire";

/** An entry, and the bytes it came in. */
export interface Came {
  entry: Entry;
  bytes: Uint8Array;
}

/** The first Seq of the fixed range in which a Seq lies: 1 to 64, 65 to 128 and so on. */
export const rangeOf = (seq: number): number => Math.floor((seq - 1) / BLOCK_SEQS) * BLOCK_SEQS + 1;

/** A sealed block keeps within its range. */
const keepsBorders = (block: Block): boolean =>
  block.generation === 0 || rangeOf(Number(block.first)) === rangeOf(Number(block.last));

/** A block's entries, Seqs first to last without holes; null: it isn't what its envelope says, or of another codec. */
export const decodeBlock = (block: Block): Came[] | null => {
  const fits =
    block.version === 1 &&
    block.dictionary === 0 &&
    block.codec === BlockCodec.PLAIN &&
    block.decodedSize === block.data.length &&
    keepsBorders(block) &&
    block.data.length <= BLOCK_DECODED_BYTES;
  if (!fits) return null;
  try {
    const came = fromBinary(BlockEntriesSchema, block.data).entries.map((bytes) => ({
      entry: fromBinary(EntrySchema, bytes),
      bytes,
    }));
    const inOrder = came.every(({ entry }, at) => entry.seq === block.first + BigInt(at) && entry.id.length === 16);
    return inOrder && block.first > 0n && BigInt(came.length) === block.last - block.first + 1n ? came : null;
  } catch {
    return null;
  }
};
