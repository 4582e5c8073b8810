/** The shared suite of scripted exchanges; `src-tauri/engine/protocol/tests/exchanges.rs` plays the same. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Exchange, type Step } from "../test/exchange";

const FOLDER = "../proto/vectors/exchanges";

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
  const scripts = JSON.parse(readFileSync(`${FOLDER}/${file}`, "utf8")) as { rule: string; steps: Step[] }[];
  describe(file, () => {
    it.each(scripts)("$rule", async ({ steps }) => {
      const exchange = new Exchange();
      for (const [at, step] of steps.entries()) {
        const wrong = await exchange.step(step);
        expect(wrong ?? null, `step ${at + 1}: ${JSON.stringify(step)}`).toBeNull();
      }
    });
  });
}
