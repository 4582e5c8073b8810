import { readdirSync, readFileSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Bytes, gzipped: everything that a customer's page loads. */
const MOST = 60 * 1024;
const OUT = "dist/chat";

/** The build fails if the page becomes too heavy, or if what a merchant's page loads isn't a plain script. */
const weigh = (): Plugin => ({
  name: "weigh",
  apply: "build",
  closeBundle() {
    const files = readdirSync(OUT, { recursive: true, encoding: "utf8" })
      .map((name) => `${OUT}/${name}`)
      .filter((path) => statSync(path).isFile() && !/demo/.test(path));
    const bytes = files.reduce((sum, path) => sum + gzipSync(readFileSync(path)).length, 0);
    if (bytes > MOST) throw new Error(`the chat page has ${bytes} bytes gzipped; at most ${MOST} are allowed`);
    const loader = readFileSync(`${OUT}/embed.js`, "utf8");
    if (/^\s*(?:import|export)\b/m.test(loader)) throw new Error("embed.js must be a script, not a module");
    this.info(`the chat page has ${bytes} of ${MOST} bytes gzipped`);
  },
});

export default defineConfig({
  root: "chat",
  base: "./",
  plugins: [weigh()],
  server: { port: 4811, strictPort: true, host: "127.0.0.1" },
  build: {
    outDir: "../dist/chat",
    emptyOutDir: true,
    target: "es2020",
    cssMinify: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { page: "chat/index.html", demo: "chat/demo.html", embed: "chat/embed/embed.ts" },
      output: { entryFileNames: (chunk) => (chunk.name === "embed" ? "embed.js" : "assets/[name]-[hash].js") },
    },
  },
});
