import { describe, expect, it } from "vitest";
import { Log } from "./log";
import { emptyLog } from "./model";
import { Turn } from "./turn";
import { AuthorRole, BlockSchema, create, EntryKind, EntrySchema, toBinary } from "./wire";

const block = (first: number, last: number, generation: number) =>
  create(BlockSchema, { first: BigInt(first), last: BigInt(last), generation });

const came = (seq: number, content = "words") => {
  const entry = create(EntrySchema, {
    seq: BigInt(seq),
    id: new Uint8Array(16).fill(seq),
    kind: EntryKind.MESSAGE,
    authorRole: AuthorRole.AGENT,
    author: new Uint8Array(16).fill(9),
    content: new TextEncoder().encode(content),
  });
  return { entry, bytes: toBinary(EntrySchema, entry) };
};

describe("blocks", () => {
  it("no lower generation is taken, of this range alone", () => {
    const log = new Log(emptyLog(), []);
    log.hold(block(1, 64, 3));
    expect(log.takes(block(1, 64, 2), null)).toBe(false);
    expect(log.takes(block(10, 64, 2), null)).toBe(false);
    expect(log.takes(block(1, 64, 3), null)).toBe(true);
    expect(log.takes(block(1, 64, 4), null)).toBe(true);
    expect(log.takes(block(65, 128, 1), null)).toBe(true);
    // Unsealed: as it is now.
    expect(log.takes(block(60, 70, 0), null)).toBe(true);
  });

  it("nothing that wasn't asked for is taken", () => {
    const log = new Log(emptyLog(), []);
    expect(log.takes(block(65, 128, 1), { first: 70, last: 80 })).toBe(true);
    expect(log.takes(block(1, 64, 1), { first: 70, last: 80 })).toBe(false);
    expect(log.takes(block(129, 192, 1), { first: 70, last: 80 })).toBe(false);
  });

  it("the generation is kept with the log, and forgotten when the floor cuts the block", () => {
    const log = new Log(emptyLog(), []);
    log.hold(block(1, 64, 3));
    log.hold(block(65, 128, 2));
    const again = new Log(structuredClone(log.state), []);
    expect(again.takes(block(65, 128, 1), null)).toBe(false);
    again.tellFloor(20, new Turn(0));
    expect(again.takes(block(20, 64, 1), null)).toBe(true);
    expect(again.takes(block(65, 128, 1), null)).toBe(false);
  });

  it("another epoch forgets them", () => {
    const log = new Log(emptyLog(), []);
    log.hold(block(1, 64, 3));
    log.newEpoch();
    expect(log.takes(block(1, 64, 1), null)).toBe(true);
  });

  it("what lies below the gateway's floor is given up", () => {
    const log = new Log(emptyLog(), []);
    const turn = new Turn(0);
    for (const seq of [1, 2, 3]) log.take(came(seq), false, turn);
    log.tellFloor(3, turn);
    expect([1, 2, 3].map((seq) => log.entry(seq) !== undefined)).toEqual([false, false, true]);
    expect(turn.changed()?.drop).toEqual([1, 2]);
  });

  it("erased wins over a block that comes later", () => {
    const log = new Log({ ...emptyLog(), head: 64, erased: [5] }, []);
    const turn = new Turn(0);
    const entry = log.take(came(5, "secret"), false, turn);
    expect(entry?.erased).toBe(true);
    expect(new TextDecoder().decode(log.entry(5)?.bytes)).not.toContain("secret");
  });
});
