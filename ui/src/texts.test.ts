import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const areas = ["desk", "tile", "chat"];

type Texts = Record<string, unknown>;

function read(area: string, locale: string): Texts {
  const texts = JSON.parse(readFileSync(join(root, "texts", area, `${locale}.json`), "utf8")) as Texts;
  delete texts["$schema"];
  return texts;
}

function slots(text: unknown): string[] {
  const words = typeof text === "string" ? text : JSON.stringify((text as { match: unknown }[])[0]?.match);
  const names = [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
  return [...new Set(names)].toSorted();
}

/** Sources under these folders that agents and customers see words of. */
function sources(folders: readonly string[], without: RegExp): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
    )
    .filter(
      (path) => /\.(?:ts|svelte)$/.test(path) && !/\.test\.ts$|^src\/(?:texts|gen)\//.test(path) && !without.test(path),
    );
}

/** Every `m.name` in the sources, tests left out. */
function used(): Set<string> {
  const names = sources(["desk", "chat", "src"], /^$/).flatMap((file) => [
    ...readFileSync(join(root, file), "utf8").matchAll(/\bm\.([a-z][a-z0-9_]*)/g),
  ]);
  return new Set(names.map(([, name]) => name ?? ""));
}

describe.each(areas)("texts of %s", (area) => {
  const chinese = read(area, "zh-CN");
  const english = read(area, "en");

  it("has each text in both languages, with the same slots", () => {
    expect(Object.keys(english).toSorted()).toEqual(Object.keys(chinese).toSorted());
    for (const [name, text] of Object.entries(chinese)) {
      expect(JSON.stringify(text), name).not.toBe('""');
      expect(JSON.stringify(english[name]), name).not.toBe('""');
      expect(slots(english[name]), name).toEqual(slots(text));
    }
  });

  it("has no text that nothing shows", () => {
    const names = used();
    expect(Object.keys(chinese).filter((name) => !names.has(name))).toEqual([]);
  });
});

describe("sources", () => {
  it("show no text that isn't there", () => {
    const known = new Set(areas.flatMap((area) => Object.keys(read(area, "zh-CN"))));
    expect([...used()].filter((name) => !known.has(name))).toEqual([]);
  });

  it("hold no Hanzi outside the texts, but for the demo's and the names of guests", () => {
    const files = sources(["desk", "src"], /^src\/host\/demo\/|bench|\/initial\.ts$/);
    const holding = files.filter((file) =>
      /\p{Script=Han}/u.test(withoutComments(readFileSync(join(root, file), "utf8"))),
    );
    expect(holding).toEqual([]);
  });
});

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->|^\s*\/\/.*$/gm, "");
}
