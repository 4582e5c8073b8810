import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { sha256 } from "./sha256";

it("is the SHA-256 of everybody else, at every length around a block's borders", () => {
  for (let length = 0; length < 300; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 151 + length) % 256);
    expect(sha256(bytes)).toEqual(new Uint8Array(createHash("sha256").update(bytes).digest()));
  }
});
