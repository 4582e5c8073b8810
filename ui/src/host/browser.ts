// An engine's stand-in in memory, for design work and tests in an ordinary browser. The address says what is shown:
//   ?scene=desk|login|passphrase|damaged|offline|catching|nobody|empty|long   &lang=zh-CN|en   &theme=light|dark
//   &tiles=1|2|4|6   &panel=hidden   &popped=<conversation>   &still (nobody writes; the clock stands)

import type { Settings, StartState, WindowLayout } from "../gen/shell";
import type { DeskEvent } from "../gen/view";
import { holdClock } from "../parts/clock.svelte";
import { callError, DemoDesk } from "./demo/desk";
import { demoTargets } from "./demo/panel";
import type { Host } from "./host";

/** The moment of the design's pictures: Tuesday, 24 November 2026, 14:32:07. */
const pictured = new Date(2026, 10, 24, 14, 32, 7).getTime();

function settingsFrom(params: URLSearchParams): Settings {
  return {
    theme: params.get("theme") ?? "system",
    language: params.get("lang") ?? "system",
    notify: true,
    sound: !params.has("still"),
    safe_graphics: false,
  };
}

function layoutFrom(params: URLSearchParams, empty: boolean): WindowLayout {
  const wanted = Number(params.get("tiles") ?? 2);
  const open = empty ? [] : ["chen", "emily", "huang", "zhou", "he", "zhao"];
  return {
    tiles: wanted,
    open: open.slice(0, wanted),
    focused: 0,
    panel: params.get("panel") === "hidden" ? false : null,
    tab: params.get("tab") ?? "mine",
  };
}

/** What it throws becomes a rejection, as with the shell's commands. */
function demoFor(run: () => void): Promise<void> {
  return new Promise((resolve) => {
    run();
    resolve();
  });
}

export function browserHost(params: URLSearchParams): Host {
  const still = params.has("still");
  const scene = params.get("scene") ?? "desk";
  const language = params.get("lang") ?? navigator.language;
  const poppedOut = params.get("popped");
  if (still) holdClock(pictured);
  const now = () => (still ? pictured : Date.now());

  let listener: ((events: DeskEvent[]) => void) | null = null;
  let waiting: DeskEvent[] = [];
  let scheduled = false;
  let settings = settingsFrom(params);
  let layout = layoutFrom(params, scene === "empty" || scene === "nobody");
  let loggedIn = !["login", "passphrase", "damaged"].includes(scene);
  let trouble: StartState["trouble"] =
    scene === "damaged" ? { gateway: "im.qinghe.example", name: "shen.jianing", code: "damaged" } : null;
  let popped: string[] = [];

  // At most one call a frame, as the shell does it.
  function tell(events: readonly DeskEvent[]): void {
    waiting.push(...events);
    if (scheduled || !listener) return;
    scheduled = true;
    setTimeout(flush, 8);
  }

  function flush(): void {
    scheduled = false;
    const events = waiting;
    waiting = [];
    listener?.(events);
  }

  const desk = new DemoDesk({ english: language.startsWith("en"), now, still, scene }, tell);

  const host: Host = {
    start: (): Promise<StartState> =>
      Promise.resolve({
        me: loggedIn ? desk.me() : null,
        gateway: "im.qinghe.example",
        name: "shen.jianing",
        password: scene === "login" && still ? "demo-demo-" : "",
        passphrase: scene === "passphrase" ? "new" : "no",
        keyring: scene !== "passphrase",
        trouble,
        settings,
        layout,
        popped_out: poppedOut,
        popped,
        version: "0.1.0",
      }),
    listen: (onEvents) =>
      demoFor(() => {
        listener = onEvents;
        desk.greet();
      }),

    reach: async (gateway) => {
      await new Promise((resolve) => setTimeout(resolve, still ? 0 : 38));
      if (gateway.includes("nowhere")) throw callError("network");
      return 38;
    },
    logIn: async ({ gateway, password }) => {
      await new Promise((resolve) => setTimeout(resolve, still ? 0 : 400));
      if (gateway.includes("nowhere")) throw callError("network");
      if (password === "wrong") throw callError("credentials");
      if (password === "locked") throw callError("locked", 60_000);
      loggedIn = true;
      tell([{ event: "me", me: desk.me() }]);
      desk.greet();
    },
    logOut: (force) =>
      demoFor(() => {
        if (desk.unsent && !force) throw callError("busy");
        loggedIn = false;
        desk.logOut();
      }),
    changePassword: (old) =>
      demoFor(() => {
        if (old === "wrong") throw callError("credentials");
      }),
    unlock: (passphrase) =>
      demoFor(() => {
        if (passphrase === "wrong") throw callError("passphrase_wrong");
      }),
    setAside: () =>
      demoFor(() => {
        trouble = null;
      }),
    setPresence: (presence) => demoFor(() => desk.setPresence(presence)),

    observeInbox: (tab, from, count) => demoFor(() => desk.observeInbox(tab, from, count)),
    observeTimeline: (conversation, from, count) => demoFor(() => desk.observeTimeline(conversation, from, count)),
    unobserveTimeline: (conversation) => demoFor(() => desk.conversation(conversation).timeline.unobserve()),
    findTime: (conversation, timeMs) => Promise.resolve(desk.conversation(conversation).timeline.findTime(timeMs)),
    nextWaiting: (except) => Promise.resolve(desk.nextWaiting(except)),

    sendMessage: (conversation, id, text) => demoFor(() => desk.send(conversation, id, text, false)),
    writeNote: (conversation, id, text) => demoFor(() => desk.send(conversation, id, text, true)),
    recall: (conversation, messageId) => demoFor(() => desk.recall(conversation, messageId)),
    resend: (conversation, messageId) => demoFor(() => desk.resend(conversation, messageId)),
    discard: (conversation, messageId) => demoFor(() => desk.discard(conversation, messageId)),
    keep: (conversation, messageId) => demoFor(() => desk.keep(conversation, messageId)),
    take: (conversation) => demoFor(() => desk.take(conversation)),
    transfer: (conversation, to) => demoFor(() => desk.transfer(conversation, to)),
    close: (conversation) => demoFor(() => desk.close(conversation)),
    setTags: (conversation, tags) => demoFor(() => desk.setTags(conversation, tags)),
    markRead: (conversation) => demoFor(() => desk.markRead(conversation)),
    typing: () => Promise.resolve(),
    saveDraft: (conversation, draft) => demoFor(() => desk.saveDraft(conversation, draft)),
    readDraft: (conversation) => Promise.resolve(desk.conversation(conversation).draft),

    readCustomer: (conversation) => Promise.resolve(desk.panel(conversation)),
    picture: () => "",
    transferTargets: () => Promise.resolve(demoTargets(desk.say)),
    proof: () => Promise.resolve(desk.proof()),
    checkNow: () => demoFor(() => desk.checkNow()),
    reconnectNow: () => demoFor(() => desk.reconnect()),

    settings: () => Promise.resolve(settings),
    saveSettings: (changed) =>
      demoFor(() => {
        settings = changed;
      }),
    saveLayout: (changed) =>
      demoFor(() => {
        layout = changed;
      }),
    popOut: (conversation) =>
      demoFor(() => {
        popped = [...new Set([...popped, conversation])];
        window.open(`?popped=${encodeURIComponent(conversation)}`, `chat-${conversation}`, "width=480,height=720");
        tell([{ event: "popped", conversations: popped }]);
      }),
    popIn: () => demoFor(() => window.close()),
    openLink: (url) =>
      demoFor(() => {
        window.open(url, "_blank", "noopener,noreferrer");
      }),
    copyText: (text) => navigator.clipboard.writeText(text),
    copyDiagnostics: () => Promise.resolve(),
    quit: (force) =>
      demoFor(() => {
        if (desk.unsent && !force) throw callError("busy");
        window.close();
      }),
  };
  return host;
}
