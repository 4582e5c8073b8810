import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** Text or mark, what it needs, the surfaces that it stands on. */
const pairs: readonly (readonly [string, number, string])[] = [
  ["ink", 4.5, "canvas canvas-rest side raised in out note sunk hover bad-bg accent-soft accent-mark btn"],
  ["ink-2", 4.5, "canvas side chrome sunk accent-soft raised note btn hover"],
  ["ink-3", 4.5, "canvas canvas-rest side chrome raised sunk accent-soft note hover"],
  ["accent-ink", 4.5, "canvas canvas-rest side raised accent-soft in"],
  ["on-accent", 4.5, "accent accent-hover"],
  ["ink-inv", 4.5, "badge"],
  ["in-meta", 4.5, "in raised"],
  ["out-meta", 4.5, "out raised"],
  ["note-ink", 4.5, "note"],
  ["heat-0", 4.5, "heat-0-bg"],
  ["heat-1", 4.5, "heat-1-bg"],
  ["heat-2", 4.5, "heat-2-bg"],
  ["heat-3", 4.5, "heat-3-bg"],
  ["bad", 4.5, "canvas canvas-rest bad-bg raised chrome btn"],
  ["good", 4.5, "canvas side raised chrome good-bg"],
  ["av1-ink", 4.5, "av1"],
  ["av2-ink", 4.5, "av2"],
  ["av3-ink", 4.5, "av3"],
  ["av4-ink", 4.5, "av4"],
  ["av5-ink", 4.5, "av5"],
  ["av6-ink", 4.5, "av6"],
  ["av7-ink", 4.5, "av7"],
  ["av8-ink", 4.5, "av8"],
  ["accent", 3, "chrome canvas side raised"],
  ["line-strong", 3, "canvas side canvas-rest accent-soft"],
];

type Colours = Record<string, string>;

function coloursOf(css: string, theme: "light" | "dark"): Colours {
  const block = new RegExp(`\\[data-theme="${theme}"\\]\\s*\\{([^}]*)\\}`).exec(css)?.[1] ?? "";
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9A-Fa-f]{6})/g)].map(([, name, hex]) => [name, hex]),
  );
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((left, right) => right - left);
  return (light + 0.05) / (dark + 0.05);
}

const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");

describe.each(["light", "dark"] as const)("contrast in the %s theme", (theme) => {
  const colours = coloursOf(css, theme);

  it.each(pairs)("%s reaches %d on each of its surfaces", (ink, needs, surfaces) => {
    for (const surface of surfaces.split(" ")) {
      const reached = contrast(colours[ink] ?? "", colours[surface] ?? "");
      expect(reached, `${ink} on ${surface}`).toBeGreaterThanOrEqual(needs);
    }
  });

  it("knows every colour that is asked for", () => {
    const asked = pairs.flatMap(([ink, , surfaces]) => [ink, ...surfaces.split(" ")]);
    expect(asked.filter((name) => colours[name] === undefined)).toEqual([]);
  });
});
