// Builds the bench page, serves it on a free port and plays the invariants in Chromium and in WebKitGTK.
// `node src/list/bench/run.mjs [chromium|webkit]`; WebKitGTK needs WebKitWebDriver, MiniBrowser and Xvfb.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { chromium } from "playwright-core";
import { build } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = join(here, "../../../dist/list");
const only = process.argv[2];
const say = (line) => process.stdout.write(`${line}\n`);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

await build({
  configFile: false,
  root: here,
  base: "./",
  logLevel: "warn",
  plugins: [svelte({ configFile: join(here, "../../../svelte.config.js") })],
  build: { outDir: dist, emptyOutDir: true, target: "es2022" },
});

const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };

/** A picture of a size that its number gives, as late as it is asked to be. */
function picture(url, answer) {
  const number = Number.parseInt(url.pathname.slice(5), 10) || 0;
  const [width, height] = [140 + ((number * 37) % 220), 90 + ((number * 53) % 260)];
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#47a"/></svg>`;
  setTimeout(
    () => {
      answer.setHeader("content-type", "image/svg+xml");
      answer.end(drawing);
    },
    Number(url.searchParams.get("delay") ?? 30),
  );
}

const server = createServer((question, answer) => {
  const url = new URL(question.url ?? "/", "http://127.0.0.1");
  if (url.pathname.startsWith("/img/")) return picture(url, answer);
  const path = join(dist, normalize(url.pathname === "/" ? "/index.html" : url.pathname));
  if (!path.startsWith(dist) || !existsSync(path)) {
    answer.statusCode = 404;
    return answer.end();
  }
  answer.setHeader("content-type", types[extname(path)] ?? "application/octet-stream");
  return answer.end(readFileSync(path));
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/`;

async function inChromium() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(address);
    await page.waitForFunction("!!window.__kit");
    return await page.evaluate("window.__invariants()");
  } finally {
    await browser.close();
  }
}

async function inWebKit() {
  const display = process.env.LIST_DISPLAY ?? ":81";
  const started = [];
  const start = (command, args, env = {}) => {
    const child = spawn(command, args, { stdio: "ignore", detached: true, env: { ...process.env, ...env } });
    started.push(child);
    return child;
  };
  const port = 5700 + (process.pid % 200);
  const call = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const { value } = await response.json();
    if (value?.error) throw new Error(`${value.error}: ${String(value.message).slice(0, 300)}`);
    return value;
  };
  let session;
  try {
    start("Xvfb", [display, "-screen", "0", "1400x1100x24", "-nolisten", "tcp"]);
    await sleep(600);
    start("WebKitWebDriver", ["-p", String(port), "--host=127.0.0.1"], {
      DISPLAY: display,
      GDK_BACKEND: "x11",
      LIBGL_ALWAYS_SOFTWARE: "1",
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
    });
    for (let attempt = 0; ; attempt++) {
      try {
        await call("GET", "/status");
        break;
      } catch (fault) {
        if (attempt > 80) throw fault;
        await sleep(100);
      }
    }
    const binary = process.env.BROWSER_BIN ?? "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary, args: ["--automation"] } } };
    session = (await call("POST", "/session", { capabilities })).sessionId;
    await call("POST", `/session/${session}/timeouts`, { script: 300_000, pageLoad: 30_000 });
    await call("POST", `/session/${session}/window/rect`, { x: 0, y: 0, width: 1280, height: 1000 }).catch(() => {});
    await call("POST", `/session/${session}/url`, { url: address });
    for (let attempt = 0; attempt < 100; attempt++) {
      if (await call("POST", `/session/${session}/execute/sync`, { script: "return !!window.__kit", args: [] })) break;
      await sleep(100);
    }
    const script = "const done = arguments[0]; window.__invariants().then(done, (fault) => done(String(fault)));";
    return await call("POST", `/session/${session}/execute/async`, { script, args: [] });
  } finally {
    if (session) await Promise.race([call("DELETE", `/session/${session}`).catch(() => {}), sleep(2000)]);
    for (const child of started.toReversed()) {
      try {
        process.kill(-child.pid, "SIGTERM");
      } catch {
        // It has ended by itself.
      }
    }
  }
}

let passed = 0;
let failed = 0;
for (const [name, play] of Object.entries({ chromium: inChromium, webkit: inWebKit })) {
  if (only && only !== name) continue;
  try {
    const outcomes = await play();
    if (!Array.isArray(outcomes)) throw new Error(String(outcomes));
    for (const outcome of outcomes) {
      if (outcome.passed) passed += 1;
      else failed += 1;
      if (!outcome.passed) say(`${name}: ${outcome.name}: ${outcome.detail}`);
    }
    say(`${name}: ${outcomes.filter((outcome) => outcome.passed).length} of ${outcomes.length}`);
  } catch (fault) {
    failed += 1;
    say(`${name}: ${fault}`);
  }
}
server.close();
say(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
