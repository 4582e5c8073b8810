/** What Rust (`src-tauri/wire/tests/vectors.rs`) and TypeScript both decode and encode: `proto/vectors/`. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import {
  createRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { decodeBlock } from "../chat/client/block";
import { unhex } from "../chat/client/ids";
import { checkText } from "../chat/client/text";
import { EntrySchema, file_zuoxi_v1_entry } from "./gen/proto/zuoxi/v1/entry_pb";
import { BlockSchema } from "./gen/proto/zuoxi/v1/history_pb";
import { ClientFrameSchema, file_zuoxi_v1_frame, GatewayFrameSchema } from "./gen/proto/zuoxi/v1/frame_pb";

const FOLDER = "../proto/vectors";
const registry = createRegistry(file_zuoxi_v1_frame, file_zuoxi_v1_entry);
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".bin"))
  .map((name) => name.replace(".bin", ""));

const schemaOf = (name: string): DescMessage => {
  if (name.startsWith("client")) return ClientFrameSchema;
  return name === "future_entry" ? EntrySchema : GatewayFrameSchema;
};

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(`${FOLDER}/${name}.bin`));

describe("vectors of the wire", () => {
  it.each(names)("%s is decoded and encoded byte for byte, what it doesn't know included", (name) => {
    const schema = schemaOf(name);
    const message = fromBinary(schema, read(name));
    expect(toBinary(schema, message)).toEqual(read(name));
    const described = { message: schema.typeName, json: toJson(schema, message, { registry }) };
    const path = `${FOLDER}/${name}.json`;
    if (process.env["ZUOXI_GENERATE"]) writeFileSync(path, `${JSON.stringify(described, null, 2)}\n`);
    const written = JSON.parse(readFileSync(path, "utf8")) as { message: string; json: JsonValue };
    expect(described).toEqual(written);
    if (!name.startsWith("future"))
      expect(toBinary(schema, fromJson(schema, written.json, { registry }))).toEqual(read(name));
  });

  it("fields of the future come out of a block as they went in", () => {
    const { kind } = fromBinary(GatewayFrameSchema, read("gateway_page"));
    if (kind.case !== "entriesPage") throw new Error("not a page");
    const came = kind.value.blocks.map(decodeBlock)[0];
    expect(came?.map(({ entry }) => Number(entry.seq))).toEqual([1, 2, 3]);
    expect(came?.[2]?.bytes).toEqual(read("future_entry"));
  });
});

describe("envelopes are judged as Rust judges them", () => {
  const vectors = JSON.parse(readFileSync(`${FOLDER}/blocks.json`, "utf8")) as {
    name: string;
    block: string;
    taken: boolean;
  }[];
  it.each(vectors)("$name", ({ block, taken }) => {
    expect(decodeBlock(fromBinary(BlockSchema, unhex(block))) !== null).toBe(taken);
  });
});

interface TextVector {
  name: string;
  text: string;
  times?: number;
  verdict: string;
}

describe("texts are judged as Rust judges them", () => {
  const vectors = JSON.parse(readFileSync(`${FOLDER}/texts.json`, "utf8")) as TextVector[];
  it.each(vectors)("$name", ({ text, times, verdict }) => {
    expect(checkText(text.repeat(times ?? 1)) ?? "ok").toBe(verdict);
  });

  it("a lone surrogate counts as the one character that it becomes on the wire", () => {
    expect(checkText("\ud800".repeat(4000))).toBeNull();
    expect(checkText("\ud800".repeat(4001))).toBe("too_long");
  });
});
