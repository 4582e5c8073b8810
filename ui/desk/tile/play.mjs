// Plays a tile in Chromium over the browser host, as an agent's hands would: `npm run test:tile`.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer } from "vite";

const ui = fileURLToPath(new URL("../..", import.meta.url));
process.chdir(ui);
const server = await createServer({
  configFile: `${ui}/vite.desk.ts`,
  cacheDir: `${ui}/node_modules/.vite-play`,
  logLevel: "error",
  server: { port: 0, strictPort: false, host: "127.0.0.1", hmr: false },
});
await server.listen();
const address = server.resolvedUrls?.local[0] ?? "";
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

let faults = [];
async function open(query, viewport = { width: 1440, height: 900 }) {
  const page = await browser.newPage({ viewport });
  page.on("pageerror", (fault) => faults.push(String(fault)));
  page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
  await page.goto(`${address}?lang=zh-CN&theme=light&still&${query}`);
  await page.waitForSelector(".tile.on [data-bubble]");
  await page.waitForTimeout(300);
  return page;
}

const field = (page) => page.locator(".tile.on textarea");
const bubbles = (page, text) =>
  page.evaluate(
    (wanted) =>
      [...document.querySelectorAll(".tile.on [data-bubble] .tx")].filter((tx) => tx.textContent === wanted).length,
    text,
  );
const gap = (page) =>
  page.evaluate(() => {
    const list = document.querySelector(".tile.on .list");
    return list.scrollHeight - list.scrollTop - list.clientHeight;
  });
const clear = async (page) => {
  await field(page).click();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
};

const plays = {
  async "Enter sends: the bubble stands at once, once, and its row stays the same when the server answers"() {
    const page = await open("scene=desk");
    await clear(page);
    await page.keyboard.type("好的，马上");
    const stood = await page.evaluate(async () => {
      const area = document.querySelector(".tile.on textarea");
      area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      await new Promise((done) => requestAnimationFrame(done));
      const bubble = [...document.querySelectorAll(".tile.on [data-bubble]")].at(-1);
      bubble.id = "mine";
      return bubble.querySelector(".tx").textContent;
    });
    assert.equal(stood, "好的，马上");
    await page.waitForTimeout(1500);
    assert.equal(await bubbles(page, "好的，马上"), 1);
    assert.equal(await page.locator("#mine svg").count(), 1, "its mark changed in place");
    assert.equal(await field(page).inputValue(), "");
    assert.ok((await gap(page)) <= 2);
    return page;
  },
  async "Shift+Enter is a new line; Enter that ends a composition sends nothing"() {
    const page = await open("scene=desk");
    await clear(page);
    await page.keyboard.type("一");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("二");
    for (const init of [{ isComposing: true }, { keyCode: 229 }]) {
      await page.evaluate((part) => {
        const area = document.querySelector(".tile.on textarea");
        area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...part }));
      }, init);
    }
    assert.equal(await field(page).inputValue(), "一\n二");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(100);
    assert.equal(await bubbles(page, "一\n二"), 1);
    return page;
  },
  async "↑ selects, Del recalls, and what was recalled can be edited again before what was typed since"() {
    const page = await open("scene=desk");
    await clear(page);
    await page.keyboard.type("写错了");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(800);
    await page.keyboard.press("ArrowUp");
    assert.equal(await page.locator(".tile.on .picked .tx").textContent(), "写错了");
    await page.keyboard.press("Delete");
    await page.waitForSelector(".tile.on .gone >> text=重新编辑");
    await field(page).click();
    await page.keyboard.type("后写的");
    await page.locator(".tile.on .gone button").last().click();
    assert.equal(await field(page).inputValue(), "写错了\n后写的");
    return page;
  },
  async "Esc ends a selection and only that; typing ends it too"() {
    const page = await open("scene=desk");
    await clear(page);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".picked").count(), 0);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.type("字");
    assert.equal(await page.locator(".picked").count(), 0);
    assert.equal(await field(page).inputValue(), "字");
    return page;
  },
  async "a note keeps its own words, wears paper, and is nobody's reply"() {
    const page = await open("scene=desk");
    await clear(page);
    await page.keyboard.type("给客户");
    await page.keyboard.press("Control+m");
    assert.equal(await field(page).inputValue(), "");
    assert.equal(await page.locator(".tile.on .cmp.noting").count(), 1);
    await page.keyboard.type("给同事");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(500);
    assert.equal(await page.locator(".tile.on .note .tx").last().textContent(), "给同事");
    await page.keyboard.press("Control+m");
    assert.equal(await field(page).inputValue(), "给客户");
    return page;
  },
  async "a text over the limit is counted and stays in the composer"() {
    const page = await open("scene=desk");
    await clear(page);
    await field(page).fill("字".repeat(4001));
    await page.keyboard.press("Enter");
    assert.equal((await field(page).inputValue()).length, 4001);
    assert.match(await page.locator(".tile.on .cmp").innerText(), /超出 1 字/);
    return page;
  },
  async "a link is looked at before it opens; Esc closes the look alone"() {
    const page = await open("scene=desk&tiles=2");
    await page.locator(".tile .tx button").first().click();
    assert.match(await page.locator(".linklook .url").innerText(), /^https:\/\//);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".linklook").count(), 0);
    assert.equal(await page.locator(".tile").count(), 2);
    return page;
  },
  async "focus changes no size"() {
    const page = await open("scene=desk&tiles=2");
    await clear(page);
    const sizes = () =>
      page.evaluate(() =>
        [...document.querySelectorAll(".tile")].map((tile) =>
          [".thead", ".log", ".typing", ".cmp"]
            .map((part) => tile.querySelector(part).getBoundingClientRect().height)
            .join(),
        ),
      );
    const before = await sizes();
    await page.locator(".tile:not(.on) .log").click({ position: { x: 6, y: 6 } });
    await page.waitForTimeout(200);
    assert.deepEqual(await sizes(), before);
    assert.equal(await page.locator("button.send").count(), 1, "one Send button");
    return page;
  },
  async "what is written stands there again when the conversation comes back"() {
    const page = await open("scene=desk&tiles=1");
    await clear(page);
    await page.keyboard.type("还没写完");
    await page.locator(".cv").nth(0).click();
    await page.waitForTimeout(500);
    await page.locator(".cv >> text=陈一诺").click();
    await page.waitForTimeout(500);
    assert.equal(await field(page).inputValue(), "还没写完");
    return page;
  },
  async "one who waits in the queue is taken by a button in the composer's place, and nothing moves"() {
    const page = await open("scene=desk&tiles=1");
    await page.keyboard.press("Alt+2");
    await page.waitForTimeout(300);
    await page.locator(".cv").first().click();
    await page.waitForSelector(".tile.on .cmp >> text=接入");
    const before = await page.locator(".tile.on .cmp").boundingBox();
    assert.equal(await field(page).count(), 0);
    await page.locator(".tile.on .cmp button").click();
    await page.waitForSelector(".tile.on textarea");
    assert.deepEqual(await page.locator(".tile.on .cmp").boundingBox(), before);
    return page;
  },
  async "a hundred thousand rows scroll and open as ten do"() {
    const page = await open("scene=long&tiles=1");
    assert.ok((await page.locator(".tile.on .lrow").count()) < 150);
    await page.locator(".tile.on .list").evaluate((list) => {
      list.scrollTop = 0;
    });
    await page.waitForTimeout(600);
    const first = await page.evaluate(() => ({
      top: document.querySelector(".tile.on .list").scrollTop,
      loading: document.querySelectorAll(".tile.on .b.sk").length,
      rows: document.querySelectorAll(".tile.on .lrow").length,
    }));
    assert.equal(first.loading, 0, "all rows came");
    assert.ok(first.rows < 150 && first.top < 2);
    await page.locator(".toend").click();
    await page.waitForTimeout(400);
    assert.ok((await gap(page)) <= 2);
    return page;
  },
  async "who reads above stays there when words come, and own words bring the end back"() {
    const page = await open("scene=long&tiles=1");
    await page.locator(".tile.on .list").evaluate((list) => {
      list.scrollTop -= 3000;
    });
    await page.waitForTimeout(500);
    await clear(page);
    await page.keyboard.type("回来");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(600);
    assert.ok((await gap(page)) <= 2);
    assert.equal(await bubbles(page, "回来"), 1);
    return page;
  },
};

let failed = 0;
for (const [name, play] of Object.entries(plays)) {
  faults = [];
  try {
    const page = await play();
    assert.deepEqual(faults, []);
    await page.close();
  } catch (fault) {
    failed += 1;
    process.stdout.write(`${name}: ${fault instanceof Error ? fault.message : fault} ${faults.join("; ")}\n`);
  }
}
await browser.close();
await server.close();
process.stdout.write(`${Object.keys(plays).length - failed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
