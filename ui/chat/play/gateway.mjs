// A real gateway for plays: a data folder of its own, one team, one agent, one brand whose merchant has a page.
import { spawn, spawnSync } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer as createVite } from "vite";

export const BRAND = "qinghe";
const PASSWORD = "correct horse battery";
const SECRET = "a merchant's secret of 32 bytes and more";

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../../target", import.meta.url));
const program = join(target, "debug/zuoxi-gateway");

export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createTcp();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** The generated messages, as the page has them; `ui`: the folder. */
export async function loadWire(ui) {
  const vite = await createVite({
    configFile: `${ui}/vite.chat.ts`,
    cacheDir: `${ui}/node_modules/.vite-play-chat`,
    logLevel: "error",
    server: { middlewareMode: true, hmr: false, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  const wire = {
    ...(await vite.ssrLoadModule("/client/wire.ts")),
    ...(await vite.ssrLoadModule("../src/gen/proto/zuoxi/v1/frame_pb.ts")),
  };
  await vite.close();
  return wire;
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** As a merchant's server signs it. */
export const token = (nonce, sub, name) => {
  const claims = { sub, name, aud: BRAND, exp: Math.floor(Date.now() / 1000) + 120, nonce, jti: randomUUID() };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
};

/** `origin`: of the merchant's page that may embed the chat. */
export async function startGateway(origin) {
  if (!existsSync(program)) throw new Error(`${program} isn't built: cargo build --workspace`);
  const data = mkdtempSync(join(tmpdir(), "zuoxi-play-"));
  const secret = join(data, "secret");
  writeFileSync(secret, SECRET);
  const run = (...words) => {
    const env = { ...process.env, ZUOXI_AGENT_PASSWORD: PASSWORD };
    const done = spawnSync(program, ["--data", data, ...words], { env, encoding: "utf8" });
    if (done.status !== 0) throw new Error(`zuoxi-gateway ${words.join(" ")}: ${done.stderr}`);
  };
  run("team", "add", "售前");
  run("agent", "add", "shen", "--name", "沈佳宁", "--team", "售前", "--capacity", "100");
  const greeting = ["--greeting", "您好，这里是青禾家居，有什么可以帮您？"];
  const identity = ["--identity-algorithm", "HS256", "--identity-key", secret];
  const names = ["--name", "青禾家居", "--short-name", "青禾", "--team", "售前"];
  run("brand", "add", BRAND, ...names, ...greeting, "--origin", origin, ...identity);
  const port = await freePort();
  const gateway = {
    address: `http://127.0.0.1:${port}`,
    chat: (more = "") => `http://127.0.0.1:${port}/chat/?brand=${BRAND}&lang=zh-CN${more}`,
    process: null,
    async serve() {
      const words = ["--data", data, "serve", "--listen", `127.0.0.1:${port}`];
      gateway.process = spawn(program, words, { stdio: ["ignore", "ignore", "inherit"] });
      for (let nth = 0; nth < 400; nth += 1) {
        const ready = await fetch(`http://127.0.0.1:${port}/chat/brand.json?brand=${BRAND}`).then(
          (answer) => answer.ok,
          () => false,
        );
        if (ready) return;
        await new Promise((wake) => setTimeout(wake, 50));
      }
      throw new Error("the gateway doesn't answer");
    },
    /** kill -9. */
    async kill() {
      const gone = new Promise((resolve) => gateway.process.once("exit", resolve));
      gateway.process.kill("SIGKILL");
      await gone;
    },
    run,
    end() {
      gateway.process?.kill("SIGKILL");
      rmSync(data, { recursive: true, force: true });
    },
  };
  await gateway.serve();
  return gateway;
}

/**
 * An agent made by hand from the wire's frames alone: online, gets every new conversation, and says what a play wants.
 * `wire`: the generated messages, as Vite loads them.
 */
export async function logInAgent(gateway, wire) {
  const { create, toBinary, fromBinary, ClientFrameSchema, GatewayFrameSchema, MessageContentSchema } = wire;
  const socket = new WebSocket(`${gateway.address.replace("http", "ws")}/v1/ws`);
  socket.binaryType = "arraybuffer";
  const agent = { entries: [], conversations: [], ready: null, end: () => socket.close() };
  const numbers = new Map();
  let request = 0;
  let pushed = 0n;
  const watermarks = new Map();
  const send = (kind) => {
    request += 1;
    const marks = [...watermarks].map(([id, seq]) => ({ conversation: Buffer.from(id, "hex"), seq }));
    const ack = pushed > 0n ? { ack: { push: pushed, watermarks: marks } } : {};
    const frame = create(ClientFrameSchema, { request, kind, ...ack });
    socket.send(toBinary(ClientFrameSchema, frame));
  };
  agent.ready = new Promise((resolve, reject) => {
    socket.addEventListener("error", () => reject(new Error("the agent has no connection")));
    socket.addEventListener("message", (event) => {
      const { kind } = fromBinary(GatewayFrameSchema, new Uint8Array(event.data));
      if (kind.case === "hello") {
        const credential = { case: "agent", value: { name: "shen", password: PASSWORD } };
        const device = crypto.getRandomValues(new Uint8Array(16));
        send({ case: "logIn", value: { version: 1, device, language: "zh-CN", credential, presence: 1 } });
      } else if (kind.case === "loggedIn") {
        resolve();
      } else if (kind.case === "problem") {
        reject(new Error(`the agent got problem ${kind.value.code}`));
      } else if (kind.case === "pushes") {
        for (const push of kind.value.pushes) {
          pushed = push.number;
          const conversation = Buffer.from(push.conversation).toString("hex");
          if (!agent.conversations.includes(conversation)) agent.conversations.push(conversation);
          watermarks.set(conversation, push.head);
          if (push.entry) agent.entries.push({ conversation, ...push.entry });
        }
        if (pushed > 0n) send({ case: "askHeartbeat", value: {} });
      }
    });
  });
  /** To the conversation that came last, or to this one. */
  agent.say = (text, conversation = agent.conversations.at(-1)) => {
    const number = (numbers.get(conversation) ?? 0) + 1;
    numbers.set(conversation, number);
    const content = toBinary(
      MessageContentSchema,
      create(MessageContentSchema, { body: { case: "text", value: text } }),
    );
    const id = Buffer.from(randomUUID().replaceAll("-", ""), "hex");
    id[6] = 0x70 | (id[6] & 0x0f);
    const act = {
      id,
      conversation: Buffer.from(conversation, "hex"),
      lane: 1,
      number,
      base: 0n,
      ageMs: 0n,
      kind: 1,
      content,
    };
    send({ case: "acts", value: { acts: [act] } });
  };
  agent.said = () =>
    agent.entries
      .filter((entry) => entry.kind === 1 && entry.authorRole === 1 && !entry.erased)
      .map((entry) => fromBinary(MessageContentSchema, entry.content).body.value);
  await agent.ready;
  return agent;
}
