// Writes every screen of the desk, light and dark, zh and en, to a folder: `node desk/screens.mjs FOLDER [FILTER]`.
// It serves ui/dist/desk (build it first; DESK_DIST names another folder) on a free port of loopback and looks with
// the system's Chromium (CHROMIUM names another).

import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { preview } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? "screens");
const filter = process.argv[3] ?? "";

const press =
  (...keys) =>
  async (page) => {
    for (const key of keys) await page.keyboard.press(key);
  };
const type = (words) => (page) => page.keyboard.type(words[page.language === "en" ? 1 : 0]);
const all =
  (...steps) =>
  async (page) => {
    for (const step of steps) await step(page);
  };
/** How far the server is, is told a moment after its address. */
const reach = (page) => page.waitForSelector("[data-test=reach]");
/** The line of catching up comes once that lasts. */
const strip = (page) => page.waitForSelector("[data-test=connection]");
const hit = (selector) => (page) => page.click(selector);

/** name, window's size, what the address says, what is done then. */
const screens = [
  ["desk-1440", [1440, 900], "tiles=2"],
  ["desk-1440-offline", [1440, 900], "tiles=2&scene=offline"],
  ["desk-1440-catching-up", [1440, 900], "tiles=2&scene=catching", strip],
  ["desk-1440-4tiles", [1440, 900], "tiles=4"],
  ["desk-1920-4tiles", [1920, 1080], "tiles=4"],
  ["desk-1024", [1024, 720], "tiles=2"],
  ["desk-1024-panel", [1024, 720], "tiles=2", press("Control+b")],
  ["desk-2560-4tiles", [2560, 1080], "tiles=4"],
  ["desk-2560-6tiles", [2560, 1440], "tiles=6"],
  ["login-1440", [1440, 900], "scene=login", reach],
  [
    "login-1440-wrong",
    [1440, 900],
    "scene=login",
    all(hit("input[name=password]"), press("Control+a"), type(["wrong", "wrong"]), press("Enter")),
  ],
  ["login-1440-passphrase", [1440, 900], "scene=passphrase"],
  ["popout", [480, 720], "popped=chen"],
  ["popout-panel", [480, 720], "popped=chen", press("Control+b")],
  ["state-nobody", [1440, 900], "scene=nobody&tiles=2"],
  ["state-empty", [1440, 900], "scene=empty&tiles=2"],
  ["state-proof", [1440, 900], "tiles=2", hit("button.sync")],
  ["state-presence", [1440, 900], "tiles=2", press("Control+s")],
  ["state-transfer", [1440, 900], "tiles=2", all(press("Control+t"), type(["财务", "fin"]))],
  ["state-close", [1440, 900], "tiles=2", press("Control+2", "Control+1", "Control+d")],
  ["state-keys", [1440, 900], "tiles=2", press("Control+/")],
  ["state-settings", [1440, 900], "tiles=2", press("Control+,")],
  ["state-queue", [1440, 900], "tiles=2", press("Alt+2")],
  ["state-team", [1440, 900], "tiles=2", press("Alt+3")],
  ["state-closed", [1440, 900], "tiles=2", press("Alt+4")],
  [
    "state-leave",
    [1440, 900],
    "tiles=2",
    all(press("Control+,"), hit("button:has-text('退出登录'), button:has-text('Log out')")),
  ],
  ["state-inbox-row", [1440, 900], "tiles=2", press("Control+i", "Alt+ArrowDown", "Alt+ArrowDown")],
];

const server = await preview({
  configFile: join(here, "../vite.desk.ts"),
  ...(process.env.DESK_DIST ? { build: { outDir: resolve(process.env.DESK_DIST) } } : {}),
  preview: { host: "127.0.0.1", port: 0, strictPort: false },
  logLevel: "silent",
});
const address = server.resolvedUrls.local[0];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
});
await mkdir(folder, { recursive: true });
const faults = [];
for (const [name, [width, height], query, act] of screens) {
  for (const theme of ["light", "dark"]) {
    for (const language of ["zh-CN", "en"]) {
      const file = `${name}-${theme}-${language.slice(0, 2)}.png`;
      if (!file.includes(filter)) continue;
      const scale = name.startsWith("popout") ? 2 : 1;
      const context = await browser.newContext({
        viewport: { width, height },
        deviceScaleFactor: scale,
        locale: language,
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      page.language = language;
      page.on("pageerror", (error) => faults.push(`${file}: ${error.message}`));
      page.on("console", (message) => {
        if (message.type() === "error") faults.push(`${file}: ${message.text()}`);
      });
      await page.goto(`${address}?still&${query}&theme=${theme}&lang=${language}`);
      await page.waitForTimeout(350);
      if (act) {
        await act(page);
        await page.waitForTimeout(250);
      }
      await page.screenshot({ path: join(folder, file) });
      await context.close();
    }
  }
}
await browser.close();
await server.close();
if (faults.length > 0) {
  process.stderr.write(`${faults.join("\n")}\n`);
  process.exit(1);
}
