// Plays the built chat page in Chromium against a real gateway: `npm run test:chat`. Needs `npm run build:chat` and a
// built gateway. What a play can't know from the page it reads from a fresh pull of the gateway's log.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { BRAND, freePort, loadWire, logInAgent, startGateway, token } from "./gateway.mjs";

const ui = fileURLToPath(new URL("../..", import.meta.url));
process.chdir(ui);
const wire = await loadWire(ui);

// A merchant's page, and the page of somebody whom nobody allowed anything; two origins, neither the gateway's.
const ports = { merchant: await freePort(), stranger: await freePort() };
const merchant = `http://127.0.0.1:${ports.merchant}`;
const stranger = `http://127.0.0.1:${ports.stranger}`;
const gateway = await startGateway(merchant);
const shop = (inner) => `<!doctype html><meta charset="utf-8"><title>shop</title><body>${inner}</body>`;
const pages = {
  "/": `<h1>shop</h1><script src="${gateway.address}/embed.js" data-brand="${BRAND}" data-lang="zh-CN"></script>`,
  "/frame": `<iframe src="${gateway.chat("&embed=1")}" width="380" height="600"></iframe>`,
};
const serve = (port) =>
  createHttp((asked, answer) => {
    answer.setHeader("content-type", "text/html; charset=utf-8");
    answer.end(shop(pages[asked.url] ?? ""));
  }).listen(port, "127.0.0.1");
const servers = [serve(ports.merchant), serve(ports.stranger)];

const flags = { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] };
const browser = await chromium.launch(flags);
const faults = [];
/** What a play provokes on purpose. */
let expected = [];

async function newPage(context) {
  const page = await context.newPage();
  // The embed script's shadow root is closed; a play has to look into it.
  await page.addInitScript(() => {
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function unveiled(options) {
      return attach.call(this, { ...options, mode: "open" });
    };
  });
  return watch(page);
}

function watch(page) {
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (fault) => faults.push(String(fault)));
  page.on("console", (line) => {
    // An agent without a picture: the page shows the first sign of their name.
    if (line.location().url.includes("/v1/avatars/")) return;
    if (line.type() === "error" && !expected.some((words) => words.test(line.text()))) faults.push(line.text());
  });
  return page;
}

const visit = async (options = {}) => browser.newContext({ viewport: { width: 390, height: 844 }, ...options });

/** `line`: how the page's socket is tampered with. */
async function open(context, { url = gateway.chat(), line = null } = {}) {
  const page = await newPage(context);
  if (line) await page.routeWebSocket(/\/v1\/ws/, line);
  await page.goto(url);
  await page.waitForSelector("textarea");
  return page;
}

async function write(page, text) {
  await page.fill("textarea", text);
  await page.press("textarea", "Enter");
}

const bubbles = (page) =>
  page.evaluate(() => [...document.querySelectorAll(".b:not(.hi)")].map((bubble) => bubble.textContent));

async function until(wanted, what) {
  let last;
  for (const begun = Date.now(); Date.now() - begun < 40_000;) {
    last = await wanted();
    if (last === true) return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  assert.fail(`${what}: ${JSON.stringify(last)}`);
}

/** Waits until the page shows exactly these messages, in this order. */
const shows = (page, texts) =>
  until(
    async () => {
      const now = await bubbles(page);
      return JSON.stringify(now) === JSON.stringify(texts) || now;
    },
    `the page shows other messages than ${JSON.stringify(texts)}`,
  );

const reads = (page, words) =>
  until(async () => {
    const text = await page.evaluate(() => document.body.innerText);
    return text.includes(words) || text;
  }, `the page doesn't say ${words}`);

/** All is settled: nothing in the outbox, each own message with a Seq. */
const settled = (page) =>
  until(
    () =>
      page.evaluate(async (name) => {
        const request = indexedDB.open(name);
        await new Promise((done) => request.addEventListener("success", done));
        const acts = request.result.transaction("acts").objectStore("acts").count();
        await new Promise((done) => acts.addEventListener("success", done));
        request.result.close();
        return acts.result === 0 || acts.result;
      }, `zuoxi-chat-${BRAND}`),
    "something stays in the outbox",
  );

/** What the gateway holds: the cache goes, and the page pulls everything anew. */
async function heldByGateway(context) {
  const page = await open(context);
  await page.evaluate(async (name) => {
    const request = indexedDB.open(name);
    await new Promise((done) => request.addEventListener("success", done));
    const change = request.result.transaction(["facts", "entries"], "readwrite");
    change.objectStore("facts").delete("log");
    change.objectStore("entries").clear();
    await new Promise((done) => change.addEventListener("complete", done));
    request.result.close();
  }, `zuoxi-chat-${BRAND}`);
  for (const other of context.pages()) if (other !== page) await other.close();
  await page.reload();
  await page.waitForSelector("textarea");
  return page;
}

/** Of the page's frames, those after the log-in; of the gateway's, those that answer acts. */
const holdAnswers = (socket) => {
  const server = socket.connectToServer();
  let sent = 0;
  socket.onMessage((frame) => {
    sent += 1;
    server.send(frame);
  });
  server.onMessage((frame) => {
    const { kind } = wire.fromBinary(wire.GatewayFrameSchema, new Uint8Array(frame));
    if (kind.case !== "answers" && kind.case !== "pushes") socket.send(frame);
  });
  return () => sent;
};
const holdActs = (socket) => {
  const server = socket.connectToServer();
  socket.onMessage((frame) => {
    const { kind } = wire.fromBinary(wire.ClientFrameSchema, new Uint8Array(frame));
    if (kind.case !== "acts") server.send(frame);
  });
  server.onMessage((frame) => socket.send(frame));
};

const crash = async (context, page) => {
  const session = await context.newCDPSession(page);
  const gone = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => undefined);
  await gone;
};

const plays = {
  async "three tabs: the one that sends is killed in mid-send, and each message is there once, in order"() {
    const context = await visit();
    const leader = await open(context, { line: holdAnswers });
    await reads(leader, "青禾家居");
    const [second, third] = [await open(context), await open(context)];
    await write(leader, "one");
    await write(second, "two");
    await write(third, "three");
    await shows(third, ["one", "two", "three"]);
    // All three are on their way or at the gateway, and no answer has come.
    await until(async () => agent.said().includes("three") || agent.said(), "the gateway didn't get them");
    await crash(context, leader);
    await write(second, "four");
    await shows(third, ["one", "two", "three", "four"]);
    await write(third, "five");
    const all = ["one", "two", "three", "four", "five"];
    for (const page of [second, third]) await shows(page, all);
    await settled(second);
    await leader.close();
    const fresh = await heldByGateway(context);
    await shows(fresh, all);
  },

  async "the tab is closed before anything has left: coming back sends it, once"() {
    const context = await visit();
    const before = await open(context, { line: holdActs });
    await write(before, "kept");
    await reads(before, "发送中");
    await before.close();
    const after = await open(context);
    await shows(after, ["kept"]);
    await settled(after);
    await shows(await heldByGateway(context), ["kept"]);
  },

  async "the tab is closed when it has left and no answer came: coming back sends it, once"() {
    const context = await visit();
    const before = await open(context, { line: holdAnswers });
    await write(before, "answered nowhere");
    await until(async () => agent.said().includes("answered nowhere") || agent.said(), "it didn't leave");
    await before.close();
    const after = await open(context);
    await settled(after);
    await shows(after, ["answered nowhere"]);
    await shows(await heldByGateway(context), ["answered nowhere"]);
  },

  async "the gateway is killed in mid-talk: what is written meanwhile is sent when it is back"() {
    const context = await visit();
    expected = [/WebSocket connection|ERR_CONNECTION/];
    const page = await open(context);
    await write(page, "before");
    await reads(page, "已");
    await gateway.kill();
    await write(page, "meanwhile");
    await reads(page, "连上后自动发出");
    await gateway.serve();
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await settled(page);
    await shows(await heldByGateway(context), ["before", "meanwhile"]);
    await renewAgent();
  },

  async "a browser that keeps nothing: works in memory, and never says that it has stored"() {
    const profile = mkdtempSync(join(tmpdir(), "zuoxi-profile-"));
    mkdirSync(join(profile, "Default"), { recursive: true });
    // Site data blocked, as its owner can set it.
    const settings = { profile: { default_content_setting_values: { cookies: 2 } } };
    writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(settings));
    const context = await chromium.launchPersistentContext(profile, {
      ...flags,
      viewport: { width: 390, height: 844 },
    });
    try {
      expected = [/WebSocket connection|ERR_INTERNET/];
      const page = await open(context, { line: holdActs });
      const denied = await page.evaluate(
        () =>
          new Promise((resolve) => {
            try {
              const request = indexedDB.open("denied");
              request.addEventListener("success", () => resolve(false));
              request.addEventListener("error", () => resolve(true));
            } catch {
              resolve(true);
            }
          }),
      );
      assert.equal(denied, true, "this browser stores after all");
      await write(page, "in memory");
      await reads(page, "发送中");
      await page.close();
      const next = await open(context);
      assert.deepEqual(await bubbles(next), [], "it was kept after all");
      await write(next, "goes out");
      await reads(next, "已");
      await shows(next, ["goes out"]);
      await until(async () => agent.said().includes("goes out") || agent.said(), "it didn't arrive");
      assert.equal(agent.said().includes("in memory"), false);
      // Offline: it says what to do, and not that anything is safe.
      const offline = await open(context, { line: (socket) => socket.close() });
      await write(offline, "unsent");
      await reads(offline, "请勿关闭此页");
      assert.equal((await offline.innerText("body")).includes("自动发出"), false);
    } finally {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    }
  },

  async "embedded in a page of another origin: launcher, talk, unread, identity, and a switch that asks"() {
    const context = await visit({ viewport: { width: 1280, height: 800 } });
    const page = await newPage(context);
    await page.goto(merchant);
    const launcher = page.getByRole("button", { name: "打开聊天" });
    await launcher.click();
    const frame = page.frameLocator("iframe");
    await frame.locator("textarea").fill("从商店来");
    await frame.locator("textarea").press("Enter");
    await frame.getByText("沈佳宁 为您服务").waitFor();
    await frame.getByRole("button", { name: "收起" }).click();
    agent.say("在的");
    await page.getByRole("button", { name: "打开聊天，1 条未读" }).waitFor();
    await launcher.click();
    await frame.getByText("在的", { exact: true }).waitFor();
    await page.getByRole("button", { name: "打开聊天", exact: true }).waitFor();

    await page.exposeFunction("signFor", (nonce, sub) => token(nonce, sub, sub));
    const identify = (sub) => page.evaluate((who) => window.zuoxi.identify((nonce) => window.signFor(nonce, who)), sub);
    const chat = page.frames().find((one) => one.url().startsWith(gateway.address));
    const account = () =>
      chat.evaluate(async (name) => {
        const request = indexedDB.open(name);
        await new Promise((done) => request.addEventListener("success", done));
        const got = request.result.transaction("facts").objectStore("facts").get("account");
        await new Promise((done) => got.addEventListener("success", done));
        request.result.close();
        return got.result;
      }, `zuoxi-chat-${BRAND}`);
    await identify("anna");
    await until(async () => (await account()).subject === "anna" || (await account()), "anna isn't proven");
    await frame.getByText("从商店来").waitFor();
    // Nothing is unsent: another customer begins at once, and sees nothing of the first.
    await identify("bert");
    await until(async () => (await account()).subject === "bert" || (await account()), "bert isn't proven");
    await until(async () => (await frame.getByText("从商店来").count()) === 0, "anna's words are shown to bert");
    await page.evaluate(() => window.zuoxi.logOut());
    await until(async () => (await account()).subject === "" || (await account()), "bert is still here");
    await identify("anna");
    await frame.getByText("从商店来").waitFor();
  },

  async "a foreign page can't frame the chat, nor open its socket, nor speak to it"() {
    const context = await visit();
    expected = [/frame-ancestors|WebSocket|Framing/i];
    const page = await newPage(context);
    await page.goto(`${stranger}/frame`);
    await until(async () => {
      const urls = page.frames().map((one) => one.url());
      return urls.some((url) => url.startsWith("chrome-error")) || urls;
    }, "the chat was framed");
    const heard = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url);
          socket.binaryType = "arraybuffer";
          const frames = [];
          socket.addEventListener("message", (event) => frames.push([...new Uint8Array(event.data)]));
          socket.addEventListener("close", () => resolve(frames));
        }),
      `${gateway.address.replace("http", "ws")}/v1/ws`,
    );
    const said = heard.map((bytes) => wire.fromBinary(wire.GatewayFrameSchema, Uint8Array.from(bytes)).kind);
    assert.deepEqual(
      said.map((kind) => [kind.case, kind.value.code]),
      [["problem", wire.ProblemCode.ORIGIN]],
    );

    // Inside the merchant's own page stands a stranger's frame: it reaches the chat's window, and isn't heard.
    await page.goto(merchant);
    await page.getByRole("button", { name: "打开聊天" }).click();
    const chat = page.frameLocator("iframe[title]");
    await chat.locator("textarea").fill("mine");
    await chat.locator("textarea").press("Enter");
    await chat.getByText("mine").waitFor();
    await page.evaluate((src) => {
      const frame = document.createElement("iframe");
      frame.src = src;
      document.body.append(frame);
    }, stranger);
    await until(() => page.frames().some((one) => one.url().startsWith(stranger)), "the stranger's frame isn't there");
    const evil = page.frames().find((one) => one.url().startsWith(stranger));
    await evil.evaluate(() => {
      for (let nth = 0; nth < window.parent.length; nth += 1)
        for (const word of [{ say: "log_out" }, { say: "identity", jwt: "x.y.z" }, { say: "open", open: false }])
          window.parent[nth].postMessage({ zuoxi: 1, ...word }, "*");
      // And as if it were the chat, to the merchant's page.
      window.parent.postMessage({ zuoxi: 1, say: "unread", count: 7, label: "evil" }, "*");
      window.parent.postMessage({ zuoxi: 1, say: "minimise" }, "*");
    });
    await page.waitForTimeout(500);
    await chat.getByText("mine").waitFor();
    assert.equal(await chat.locator("textarea").isVisible(), true);
    assert.equal(await page.getByRole("button", { name: "evil" }).count(), 0);
  },

  async "texts are never markup, links say where they lead, and the page runs no script but its own"() {
    const context = await visit();
    const page = await open(context);
    const evil = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;
    await write(page, evil);
    await shows(page, [evil]);
    await until(async () => agent.said().includes(evil) || agent.said(), "it didn't arrive");
    agent.say(`看这里 https://shop.example/a?b=1 javascript:alert(1) ${evil}`);
    await reads(page, "看这里");
    const links = await page.$$eval(".b a", (all) => all.map((a) => [a.href, a.textContent, a.rel, a.target]));
    assert.deepEqual(links, [
      ["https://shop.example/a?b=1", "https://shop.example/a?b=1", "noopener noreferrer", "_blank"],
    ]);
    expected = [/Content Security Policy|violates/i];
    const ran = await page.evaluate(async () => {
      const script = document.createElement("script");
      script.textContent = "window.hacked = 1";
      document.body.append(script);
      await new Promise((wake) => setTimeout(wake, 200));
      return window.hacked ?? null;
    });
    assert.equal(ran, null);
  },

  async "an agent's picture stands by their words, and the first sign of their name where there is none"() {
    const context = await visit();
    const page = await open(context);
    await write(page, "有人吗");
    await until(async () => agent.said().includes("有人吗") || agent.said(), "it didn't arrive");
    agent.say("我在");
    await reads(page, "我在");
    const looks = () =>
      page.$$eval(".under .av", (all) => all.map((one) => [one.textContent, one.querySelector("img")?.naturalWidth]));
    const are = (wanted) =>
      until(async () => {
        const now = await looks();
        return JSON.stringify(now) === JSON.stringify(wanted) || now;
      }, "the picture");
    await are([["沈", null]]);
    // A dot, two by two.
    const dot = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGMwiTwJRAwQCgAjIgVZyYBXPgAAAABJRU5ErkJggg==";
    const folder = mkdtempSync(join(tmpdir(), "zuoxi-picture-"));
    const file = join(folder, "shen.png");
    writeFileSync(file, Buffer.from(dot, "base64"));
    gateway.run("agent", "avatar", "shen", "--file", file);
    rmSync(folder, { recursive: true });
    await until(async () => {
      await page.reload();
      await reads(page, "我在");
      return (await looks())[0]?.[1] === 2;
    }, "the picture isn't shown");
    gateway.run("agent", "avatar", "shen", "--none");
  },

  async "recall, end with its question, drafts over a reload, log out with its question"() {
    const context = await visit();
    const page = await open(context);
    await write(page, "一");
    await write(page, "说错了");
    await reads(page, "已送达");
    await page.hover(".b.out >> nth=1");
    await page.locator(".b.out >> nth=1").getByRole("button", { name: "撤回" }).click();
    await reads(page, "您撤回了一条消息");
    await settled(page);
    const stored = await page.evaluate(async (name) => {
      const request = indexedDB.open(name);
      await new Promise((done) => request.addEventListener("success", done));
      const got = request.result.transaction("entries").objectStore("entries").getAll();
      await new Promise((done) => got.addEventListener("success", done));
      request.result.close();
      return got.result.map((entry) => new TextDecoder().decode(entry.bytes)).join(" ");
    }, `zuoxi-chat-${BRAND}`);
    assert.equal(stored.includes("说错了"), false, "the words are still in the browser");
    await page.getByRole("button", { name: "重新编辑" }).click();
    assert.equal(await page.inputValue("textarea"), "说错了");
    await page.fill("textarea", "写了一半");
    await page.waitForTimeout(600);
    await page.reload();
    await until(async () => (await page.inputValue("textarea")) === "写了一半", "the draft is gone");
    await reads(page, "为您服务");
    await page.getByRole("button", { name: "更多" }).click();
    await page.getByRole("menuitem", { name: "结束会话" }).click();
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("dialog").count(), 0, "Enter didn't land on the safe choice");
    await page.getByRole("button", { name: "更多" }).click();
    await page.getByRole("menuitem", { name: "结束会话" }).click();
    await page.locator("dialog").getByRole("button", { name: "结束会话" }).click();
    await reads(page, "您结束了会话");
    await page.getByRole("button", { name: "更多" }).click();
    await page.getByRole("menuitem", { name: "退出并清除记录" }).click();
    await page.locator("dialog").getByRole("button", { name: "退出并清除" }).click();
    await shows(page, []);
    await until(async () => (await page.inputValue("textarea")) === "", "the draft is the next one's");
    await page.reload();
    await page.waitForSelector("textarea");
    await shows(page, []);
  },
};

let agent = await logInAgent(gateway, wire);
const renewAgent = async () => {
  agent.end();
  agent = await logInAgent(gateway, wire);
};

let failed = 0;
const wanted = process.argv[2] ?? "";
for (const [name, play] of Object.entries(plays)) {
  if (!name.includes(wanted)) continue;
  faults.length = 0;
  expected = [];
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
agent.end();
await browser.close();
for (const server of servers) server.close();
gateway.end();
process.exit(failed > 0 ? 1 : 0);
