import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// A test that needs a document says so in its first line: `// @vitest-environment jsdom`.
export default defineConfig({
  plugins: [svelte()],
  resolve: { conditions: ["browser"] },
  test: { include: ["{desk,chat,src}/**/*.test.ts"], passWithNoTests: true },
});
