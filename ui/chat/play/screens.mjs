// Pictures of the real chat page over a real gateway: `npm run screens:chat -- FOLDER`. Needs `npm run build:chat` and a
// built gateway.

import { createServer as createHttp } from "node:http";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { BRAND, freePort, loadWire, logInAgent, startGateway } from "./gateway.mjs";

const folder = resolve(process.argv[2] ?? ".");
const ui = fileURLToPath(new URL("../..", import.meta.url));
process.chdir(ui);
const wire = await loadWire(ui);

const port = await freePort();
const gateway = await startGateway(`http://127.0.0.1:${port}`);
const shop = `<!doctype html><meta charset="utf-8"><title>shop</title>
  <body style="margin:0;background:#eef0f2;font:15px sans-serif"><h1 style="padding:24px">青禾家居</h1>
  <script src="${gateway.address}/embed.js" data-brand="${BRAND}" data-lang="zh-CN"></script>`;
const merchant = createHttp((_, answer) => {
  answer.setHeader("content-type", "text/html; charset=utf-8");
  answer.end(shop);
}).listen(port, "127.0.0.1");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const agent = await logInAgent(gateway, wire);
const asked = () => agent.entries.filter((entry) => entry.kind === 1 && entry.authorRole === 1).length;

async function until(wanted) {
  for (let nth = 0; nth < 400; nth += 1) {
    if (await wanted()) return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error("it doesn't come about");
}

async function open({ lang = "zh-CN", dark = false } = {}) {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    colorScheme: dark ? "dark" : "light",
    locale: lang,
    timezoneId: "Asia/Shanghai",
  });
  const page = await context.newPage();
  page.cut = () => {
    page.isCut = true;
    for (const socket of sockets) socket.close();
  };
  const sockets = [];
  await page.routeWebSocket(/\/v1\/ws/, (socket) => {
    if (page.isCut) return socket.close();
    socket.connectToServer();
    sockets.push(socket);
  });
  await page.goto(gateway.chat().replace("lang=zh-CN", `lang=${lang}`));
  await page.waitForSelector("textarea");
  return page;
}

async function write(page, text) {
  const before = asked();
  await page.fill("textarea", text);
  await page.press("textarea", "Enter");
  await until(() => asked() > before);
}

const says = async (page, text) => {
  agent.say(text);
  await page.locator(".b.in", { hasText: text }).first().waitFor();
};
const shoot = (page, name) => page.screenshot({ path: join(folder, `${name}.png`) });

const talks = [
  [
    "zh-CN",
    "杯子收到了，杯口有一道裂纹",
    "真抱歉！给您换一只新的，今天就寄出。",
    "谢谢，地址不变",
    "好的，单号稍后发您。",
  ],
  ["en", "The lamp arrived, but the cable is missing", "So sorry! We send one today.", "Thank you", "My pleasure."],
];
// The gateway says how soon answers come once it has seen five.
for (let nth = 0; nth < 5; nth += 1) {
  const page = await open();
  await write(page, "在吗？");
  await says(page, "我在，请讲。");
  await page.context().close();
}
for (const [lang, first, answer, thanks, end] of talks) {
  for (const dark of [false, true]) {
    const page = await open({ lang, dark });
    await write(page, first);
    await says(page, answer);
    await write(page, thanks);
    await says(page, end);
    await page.waitForTimeout(600);
    const look = `${dark ? "dark" : "light"}-${lang.slice(0, 2)}`;
    await shoot(page, `chat-talk-${look}`);
    page.cut();
    await page.fill("textarea", thanks);
    await page.press("textarea", "Enter");
    await page.waitForTimeout(2_600);
    await shoot(page, `chat-offline-${look}`);
    await page.context().close();
  }
}
const context = await browser.newContext({ viewport: { width: 1000, height: 760 }, locale: "zh-CN" });
const page = await context.newPage();
await page.goto(`http://127.0.0.1:${port}/`);
await page.waitForTimeout(800);
await page.mouse.click(956, 716);
await page.waitForTimeout(1_500);
await shoot(page, "chat-launcher-open");
agent.end();
await browser.close();
merchant.close();
gateway.end();
