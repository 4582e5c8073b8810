// Plays the desk in Chromium over the browser host, by the keys of UI.md's table and by hand: `npm run test:desk`.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer } from "vite";

const ui = fileURLToPath(new URL("..", import.meta.url));
process.chdir(ui);
const server = await createServer({
  configFile: `${ui}/vite.desk.ts`,
  cacheDir: `${ui}/node_modules/.vite-play-desk`,
  logLevel: "error",
  server: { port: 0, strictPort: false, host: "127.0.0.1", hmr: false },
});
await server.listen();
const address = server.resolvedUrls?.local[0] ?? "";
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

const faults = [];
async function open(query, viewport = { width: 1440, height: 900 }) {
  const page = await browser.newPage({ viewport, reducedMotion: "reduce" });
  page.setDefaultTimeout(8000);
  page.on("pageerror", (fault) => faults.push(String(fault)));
  page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
  await page.goto(`${address}?lang=zh-CN&theme=light&still&${query}`, { timeout: 60_000 });
  await page.waitForSelector(
    "[data-test=desk] [data-test=inbox-row], [data-test=log-in], [data-test=popped-out], [data-test=empty-tile]",
    { timeout: 60_000 },
  );
  await page.waitForTimeout(300);
  return page;
}

const test = (page, name) => page.locator(`[data-test=${name}]`);
const row = (page, conversation) => page.locator(`[data-conversation=${conversation}]`);
/** Presses a key and lets the page follow. */
async function press(page, ...keys) {
  for (const key of keys) {
    await page.keyboard.press(key);
    await page.waitForTimeout(80);
  }
}
/** Where the keyboard stands: `row:<conversation>`, `composer:<tile>`, or the element's name. */
const standing = (page) =>
  page.evaluate(() => {
    const at = document.activeElement;
    if (at?.dataset?.conversation) return `row:${at.dataset.conversation}`;
    if (at?.tagName === "TEXTAREA")
      return `composer:${at.closest("section")?.querySelector(".tno")?.textContent ?? ""}`;
    return at?.tagName ?? "";
  });
const tilesTop = async (page) => (await page.locator(".tiles").boundingBox()).y;
const customer = (page) => test(page, "panel").locator("header .strong").innerText();
const until = async (page, wanted, what) => {
  for (let nth = 0; nth < 40; nth += 1) {
    if (await wanted()) return;
    await page.waitForTimeout(50);
  }
  assert.fail(what);
};

const plays = {
  async "all keys: the sheet opens over everything, other keys rest under it, Esc closes it"() {
    const page = await open("tiles=2");
    await press(page, "Control+/");
    assert.equal(await test(page, "dialog-keys").count(), 1);
    await press(page, "Control+t", "Control+j");
    assert.equal(await page.locator("dialog").count(), 1);
    await press(page, "Escape");
    assert.equal(await page.locator("dialog").count(), 0);
    assert.equal(await standing(page), "composer:1");
  },

  async "layouts: 1, 2 and 4 at this width, 6 says what it needs; the panel folds with 4"() {
    const page = await open("tiles=2");
    for (const tiles of [1, 4, 2]) {
      await press(page, `Control+Alt+${tiles}`);
      assert.equal(await page.locator(".tiles > *").count(), tiles);
      assert.equal(await test(page, "panel").count(), tiles === 4 ? 0 : 1);
    }
    await press(page, "Control+Alt+6");
    assert.match(await test(page, "toast").innerText(), /2400/);
    assert.equal(await page.locator(".tiles > *").count(), 2);
  },

  async "tiles: Ctrl+1…6, Ctrl+Tab and Ctrl+Shift+Tab move the focus into the composer, Ctrl+W hides"() {
    const page = await open("tiles=2");
    await press(page, "Control+2");
    assert.equal(await standing(page), "composer:2");
    assert.equal(await customer(page), "Emily Carter");
    await press(page, "Control+Tab");
    assert.equal(await standing(page), "composer:1");
    await press(page, "Control+Shift+Tab");
    assert.equal(await standing(page), "composer:2");
    await press(page, "Control+w");
    assert.equal(await test(page, "empty-tile").count(), 1);
    assert.equal(await row(page, "emily").locator(".tno").count(), 0);
  },

  async "inbox by keys: Ctrl+I, Alt+arrows, Enter opens, Ctrl+Enter opens in a free tile, Esc goes home"() {
    const page = await open("tiles=4");
    await press(page, "Control+w", "Control+i");
    await press(page, "Alt+ArrowUp", "Alt+ArrowDown", "Alt+ArrowDown");
    assert.match(await standing(page), /^row:/);
    await press(page, "Escape");
    await press(page, "Control+2", "Alt+ArrowDown");
    assert.equal(await standing(page), "row:zhou");
    await press(page, "Alt+ArrowDown");
    assert.equal(await standing(page), "row:he");
    await press(page, "Control+Enter");
    assert.equal(await row(page, "he").locator(".tno").innerText(), "1", "tile 1 was the free one");
    await press(page, "Control+i", "Alt+ArrowDown", "Enter");
    assert.equal(await row(page, "zhao").locator(".tno").innerText(), "1", "opened in the focused tile");
    assert.equal(await standing(page), "composer:1");
  },

  async "a conversation is in one tile at most: opening it again goes there"() {
    const page = await open("tiles=2");
    await row(page, "emily").click();
    await page.waitForTimeout(100);
    assert.equal(await standing(page), "composer:2");
    assert.equal(await row(page, "chen").locator(".tno").innerText(), "1");
  },

  async "next waiting: Ctrl+J goes to who waits longest; nobody left leads to the queue"() {
    const page = await open("tiles=2");
    await press(page, "Control+j");
    await until(page, async () => (await customer(page)) === "黄俊杰", "the longest waiting is shown");
    const nobody = await open("tiles=2&scene=nobody");
    await press(nobody, "Control+j");
    assert.equal(await test(nobody, "tab-queue").getAttribute("aria-selected"), "true");
  },

  async "tabs by Alt+1…4, each with its own rows; a long list has only what is near mounted"() {
    const page = await open("tiles=2", { width: 1440, height: 520 });
    const first = { "Alt+2": "queue-0", "Alt+3": "team-30", "Alt+4": "closed-0", "Alt+1": "huang" };
    for (const [key, conversation] of Object.entries(first)) {
      await press(page, key);
      await until(page, async () => (await row(page, conversation).count()) === 1, `${key} shows ${conversation}`);
    }
    await press(page, "Alt+4");
    await page.locator("#inbox-list").evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await until(page, async () => (await row(page, "closed-39").count()) === 1, "the last row comes");
    assert.ok((await test(page, "inbox-row").count()) < 40);
  },

  async "no row moves under the pointer; it moves when the pointer has left"() {
    const page = await open("tiles=2");
    await row(page, "emily").hover();
    const before = (await row(page, "emily").boundingBox()).y;
    await test(page, "close").dispatchEvent("click");
    await page.waitForTimeout(250);
    assert.equal((await row(page, "emily").boundingBox()).y, before);
    await page.mouse.move(800, 400);
    await until(page, async () => (await row(page, "emily").boundingBox()).y !== before, "the order follows");
  },

  async "the panel: Ctrl+B hides and shows; tags are added and removed by keyboard; Esc leaves the field alone"() {
    const page = await open("tiles=2");
    await press(page, "Control+b");
    assert.equal(await test(page, "panel").count(), 0);
    await press(page, "Control+b");
    const panel = test(page, "panel");
    await panel.getByRole("button", { name: "添加标签" }).press("Enter");
    await page.keyboard.type("要发票");
    await press(page, "Enter");
    assert.match(await panel.innerText(), /要发票/);
    await press(page, "Backspace");
    await until(page, async () => !(await panel.innerText()).includes("要发票"), "the last tag goes");
    await press(page, "Escape");
    assert.equal(await panel.locator("input").count(), 0);
    assert.match(await panel.innerText(), /偏好顺丰/);
  },

  async "an earlier visit jumps to its place"() {
    const page = await open("tiles=2&scene=long");
    await test(page, "panel").locator(".past").click();
    await until(
      page,
      async () => /(^|\n)1 ·/.test(await page.locator(".tile.on").innerText()),
      "the first message is shown",
    );
  },

  async "a link of the customer's page is looked at before it opens"() {
    const page = await open("tiles=2");
    await test(page, "panel").locator(".link").click();
    assert.match(await test(page, "dialog-link").innerText(), /shop\.example/);
    await press(page, "Escape");
    assert.equal(await page.locator("dialog").count(), 0);
  },

  async "transfer by keys: typed words filter, Enter hands over, a line says so"() {
    const page = await open("tiles=2");
    await press(page, "Control+t");
    await page.keyboard.type("李哲");
    assert.equal(await page.locator("#transfer-choices [role=option]").count(), 1);
    await press(page, "Enter");
    await until(page, async () => (await test(page, "toast").count()) === 1, "a line says so");
    assert.match(await test(page, "toast").innerText(), /陈一诺.*李哲/);
    assert.equal(await row(page, "chen").count(), 0);
    assert.equal(await test(page, "take").count(), 1);
  },

  async "close asks only where something is unsent, and Enter lands on going back"() {
    const page = await open("tiles=4");
    await press(page, "Control+4", "Control+d");
    assert.equal(await test(page, "dialog-confirm").count(), 1);
    await press(page, "Enter");
    assert.equal(await page.locator("dialog").count(), 0);
    assert.equal(await row(page, "zhou").count(), 1);
    await press(page, "Control+d", "Tab", "Enter");
    await until(page, async () => (await row(page, "zhou").count()) === 0, "it is closed");
    await press(page, "Control+3", "Control+d");
    await until(page, async () => (await row(page, "huang").count()) === 0, "closed without a question");
  },

  async "taking from the queue"() {
    const page = await open("tiles=2");
    await press(page, "Alt+2");
    await row(page, "queue-0").click();
    await test(page, "take").click();
    await until(page, async () => (await test(page, "transfer").count()) === 1, "it is mine");
    assert.equal(await row(page, "queue-0").count(), 0);
  },

  async "presence by keys: Ctrl+S, a digit, and back in the composer"() {
    const page = await open("tiles=2");
    await press(page, "Control+s", "2");
    assert.match(await test(page, "presence").getAttribute("title"), /忙碌/);
    assert.equal(await page.locator("[role=menu]").count(), 0);
    await until(page, async () => (await standing(page)) === "composer:1", "back in the composer");
  },

  async "settings: theme and language change in place, drafts stay"() {
    const page = await open("tiles=2");
    await page.keyboard.type("未完");
    await press(page, "Control+,");
    await page.getByText("English", { exact: true }).click();
    await page.getByText("Dark", { exact: true }).click();
    await press(page, "Escape");
    assert.equal(await page.locator("h1").innerText(), "Inbox");
    assert.deepEqual(
      await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme]),
      ["en", "dark"],
    );
    assert.match(await page.locator(".tile.on textarea").inputValue(), /未完$/);
  },

  async "a wrong password says so and selects itself; the right one leads to the desk; logging out asks"() {
    const page = await open("scene=login");
    const password = page.locator("input[name=password]");
    await password.fill("wrong");
    await press(page, "Enter");
    await until(page, async () => (await test(page, "log-in-fault").count()) === 1, "it says so");
    await page.keyboard.type("right");
    await press(page, "Enter");
    await test(page, "inbox").waitFor();
    await press(page, "Control+,");
    await page.getByText("退出登录", { exact: true }).click();
    await test(page, "dialog-confirm").waitFor();
    await test(page, "confirm-act").click();
    await test(page, "log-in").waitFor();
  },

  async "a damaged database is named and set aside only after a question whose first answer is no"() {
    const page = await open("scene=damaged");
    assert.match(await test(page, "log-in-fault").innerText(), /已损坏[\s\S]*shen\.jianing（im\.qinghe\.example）/);
    await test(page, "set-aside").click();
    await test(page, "dialog-confirm").waitFor();
    await press(page, "Enter");
    assert.equal(await test(page, "log-in-fault").count(), 1);
    await test(page, "set-aside").click();
    await test(page, "confirm-act").click();
    await until(page, async () => (await test(page, "log-in-fault").count()) === 0, "it is set aside");
  },

  async "offline: the strip stands in the bar, nothing moves, and retrying takes it away"() {
    const calm = await open("tiles=2");
    const page = await open("tiles=2&scene=offline");
    assert.equal(await tilesTop(page), await tilesTop(calm));
    await press(page, "Enter");
    await until(
      page,
      async () => (await test(page, "connection").innerText()).includes("4 条"),
      "the outbox is counted",
    );
    await test(page, "connection").getByRole("button").click();
    await until(
      page,
      async () => (await test(page, "sync").getAttribute("data-state")) === "up_to_date",
      "up to date again",
    );
    assert.equal(await test(page, "connection").count(), 0);
  },

  async "the sync mark lists its proof; Esc closes it"() {
    const page = await open("tiles=2");
    await test(page, "sync").click();
    const proof = page.getByRole("dialog", { name: "证明「已是最新」" });
    await until(page, async () => (await proof.innerText()).includes("184,203 / 184,203"), "each feed is listed");
    await press(page, "Escape");
    assert.equal(await proof.count(), 0);
  },

  async "a window of its own: its tile alone, its panel over it, the desk's keys rest"() {
    const page = await open("popped=chen", { width: 480, height: 720 });
    assert.equal(await test(page, "inbox").count(), 0);
    await until(page, async () => (await page.locator(".tile [data-bubble]").count()) > 3, "its rows are shown");
    await press(page, "Control+b");
    assert.equal(await test(page, "panel").count(), 1);
    await press(page, "Control+,", "Control+j");
    assert.equal(await page.locator("dialog").count(), 0);
    await press(page, "Escape");
    assert.equal(await test(page, "panel").count(), 0);
  },

  async "1440 px at 200 %: the panel goes, then tiles; nothing runs out of the window"() {
    const page = await open("tiles=4", { width: 720, height: 450 });
    assert.equal(await page.locator(".tiles > *").count(), 1);
    assert.equal(await test(page, "panel").count(), 0);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 720);
  },
};

let failed = 0;
const wanted = process.argv[2] ?? "";
for (const [name, play] of Object.entries(plays)) {
  if (!name.includes(wanted)) continue;
  faults.length = 0;
  try {
    await play();
    assert.deepEqual(faults, []);
    process.stdout.write(`ok    ${name}\n`);
  } catch (error) {
    failed += 1;
    process.stdout.write(`FAIL  ${name}\n      ${error instanceof Error ? error.message : error}\n`);
  }
  for (const context of browser.contexts()) await context.close();
}
await browser.close();
await server.close();
process.exit(failed > 0 ? 1 : 0);
