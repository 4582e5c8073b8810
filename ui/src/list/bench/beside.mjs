// Measures our list beside virtua in shared/ui-bench's harness, in WebKitGTK: `node beside.mjs HARNESS FOLDER`. FOLDER
// becomes a copy of the harness with both built; nothing of it comes back but figures.

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { build } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const [harness, folder] = process.argv.slice(2);
const messages = Number(process.env.MESSAGES ?? 100_000);
const say = (line) => process.stdout.write(`${line}\n`);

/** Copies what may be read-only there, so that packages can be installed beside it here. */
function copy() {
  mkdirSync(folder, { recursive: true });
  cpSync(harness, folder, { recursive: true, force: true });
  cpSync(join(harness, "../corpus"), join(folder, "../corpus"), { recursive: true, force: true });
  const writable = (path) => {
    chmodSync(path, 0o755);
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) writable(join(path, entry.name));
    }
  };
  writable(folder);
}

function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], ...options });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
}

async function buildBoth() {
  const app = join(folder, "app");
  if (!existsSync(join(app, "node_modules/virtua"))) run("npm", ["install", "--no-audit", "--no-fund"], { cwd: app });
  run("npx", ["vite", "build"], { cwd: app, env: { ...process.env, KIT: "virtua" } });
  await build({
    configFile: false,
    root: here,
    base: "./",
    logLevel: "warn",
    plugins: [svelte({ configFile: join(here, "../../../svelte.config.js") })],
    build: { outDir: join(folder, "dist/ours"), emptyOutDir: true, target: "es2022" },
  });
}

/** One phase of one list; the harness leaves its figures in a file. */
function measure(kit, phase, env) {
  const out = join(folder, "out");
  spawnSync("dbus-run-session", ["--", "node", "harness/webkit.mjs", kit, phase, String(messages)], {
    cwd: folder,
    stdio: "ignore",
    env: { ...process.env, ...env, OUT: out },
  });
  const file = join(out, `webkit-${kit}-${phase}-${messages}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { fatal: "no figures" };
}

const figure = (value) =>
  value === undefined ? "—" : typeof value === "object" ? JSON.stringify(value) : String(value);

copy();
await buildBoth();
const display = ":79";
const screen = spawn("Xvfb", [display, "-screen", "0", "1400x1100x24", "-nolisten", "tcp"], { stdio: "ignore" });
const server = spawn("node", ["server.mjs"], { cwd: folder, stdio: "ignore" });
try {
  await new Promise((done) => setTimeout(done, 1_500));
  const env = { DISPLAY: display, GDK_BACKEND: "x11", WEBKIT_DISABLE_DMABUF_RENDERER: "1" };
  const told = {};
  for (const kit of ["ours", "virtua"]) told[kit] = measure(kit, "perf", env);
  say(`${messages} messages in WebKitGTK, drawn without a graphics card; ms`);
  for (const part of ["frameBase", "load", "append", "flood", "scrollUp", "rssEnd", "fatal"]) {
    for (const kit of Object.keys(told))
      if (told[kit][part] !== undefined) say(`${part} ${kit}: ${figure(told[kit][part])}`);
  }
} finally {
  server.kill();
  screen.kill();
}
