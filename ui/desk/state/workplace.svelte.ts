// What stands where in this window and what is open over it: layout, tabs, dialogs. It acts through the host and
// never holds a conversation's content.

import type { Settings, StartState, WindowLayout } from "../../src/gen/shell";
import type { InboxTab, PresenceView } from "../../src/gen/view";
import type { Host } from "../../src/host/host";
import { m } from "../../src/texts/messages.js";
import { errorText } from "../errors";
import type { TileHandle } from "../tileSeam";
import { arrange, panelIsShownBy, type TileCount } from "./arrangement";
import { DeskFacts, type Happening } from "./facts.svelte";
import { applyLooks } from "./looks.svelte";
import { playKnock } from "./sound";
import {
  focusTile,
  hideTile,
  openConversation,
  setTileCount,
  stepFocus,
  tileOf,
  wholeLayout,
  withoutConversations,
} from "./tiles";
import { Toasts } from "./toasts.svelte";

export type Dialog =
  | { kind: "transfer"; conversation: string }
  | { kind: "close"; conversation: string }
  | { kind: "settings" }
  | { kind: "keys" }
  | { kind: "proof" }
  | { kind: "presence" }
  | { kind: "leave"; by: "log_out" | "quit"; waiting: number; parked: number }
  | { kind: "set_aside"; gateway: string; name: string; newer: boolean; done: () => void }
  | { kind: "server_lost"; count: number }
  | { kind: "link"; url: string };

const tabs: readonly InboxTab[] = ["mine", "queue", "team", "closed"];

export class Workplace {
  readonly host: Host;
  readonly facts: DeskFacts;
  readonly toasts = new Toasts();
  readonly poppedOut: string | null;
  /** What the log-in begins from; read again when somebody has logged out. */
  start: StartState;

  settings: Settings = $state.raw({
    theme: "system",
    language: "system",
    notify: true,
    sound: true,
    safe_graphics: false,
  });
  layout: WindowLayout = $state.raw({ tiles: 2, open: [], focused: 0, panel: null, tab: "mine" });
  width = $state(1440);
  panelDemanded = $state(false);
  dialog: Dialog | null = $state.raw(null);
  /** Why the last session ended, for the log-in. */
  sessionEnded = $state("");
  /** Row that the keyboard stands on in the inbox; null: the focused tile's. */
  cursor: string | null = $state(null);
  readonly tileHandles: (TileHandle | null)[] = Array.from({ length: 6 }, () => null);
  readonly arrangement = $derived.by(() =>
    arrange(this.width, this.layout.tiles, this.layout.panel, this.panelDemanded),
  );
  readonly focusedTile = $derived(Math.min(this.layout.focused, this.arrangement.tiles - 1));
  readonly focusedConversation = $derived.by(() => this.poppedOut ?? this.layout.open[this.focusedTile] ?? null);

  constructor(host: Host, start: StartState) {
    this.host = host;
    this.start = $state.raw(start);
    this.poppedOut = start.popped_out;
    this.facts = new DeskFacts((event) => this.#onHappening(event));
    this.facts.apply([
      { event: "me", me: start.me },
      { event: "popped", conversations: start.popped },
    ]);
    this.settings = start.settings;
    this.layout = withoutConversations(wholeLayout(start.layout), this.facts.popped);
    applyLooks(start.settings);
  }

  /** Another account's beginning, after a log-in. */
  restart(start: StartState): void {
    this.sessionEnded = "";
    this.dialog = null;
    this.panelDemanded = false;
    this.start = start;
    this.settings = start.settings;
    this.facts.apply([{ event: "popped", conversations: start.popped }]);
    this.layout = withoutConversations(wholeLayout(start.layout), this.facts.popped);
    applyLooks(start.settings);
    if (start.me !== null) this.facts.apply([{ event: "me", me: start.me }]);
  }

  async readStart(): Promise<void> {
    this.dialog = null;
    this.start = (await this.tell(this.host.start())) ?? this.start;
  }

  toggleDialog(dialog: Dialog): void {
    this.dialog = this.dialog?.kind === dialog.kind ? null : dialog;
  }

  // Layout

  get tab(): InboxTab {
    return tabs.find((tab) => tab === this.layout.tab) ?? "mine";
  }

  tileOf(conversation: string): number {
    return tileOf(this.layout, this.arrangement.tiles, conversation);
  }

  open(conversation: string, where: "focused" | "free" = "focused"): void {
    if (this.facts.popped.has(conversation)) {
      this.act(this.host.popOut(conversation));
      return;
    }
    this.#lay(openConversation(this.layout, this.arrangement.tiles, conversation, where));
    this.cursor = null;
    this.focusComposer();
  }

  hide(index: number): void {
    this.#lay(hideTile(this.layout, index));
  }

  focusTile(index: number): void {
    if (index !== this.layout.focused) this.#lay(focusTile(this.layout, this.arrangement.tiles, index));
  }

  goToTile(index: number): void {
    if (index >= this.arrangement.tiles) return;
    this.focusTile(index);
    this.focusComposer();
  }

  stepTile(step: 1 | -1): void {
    this.#lay(stepFocus(this.layout, this.arrangement.tiles, step));
    this.focusComposer();
  }

  setTiles(tiles: TileCount): void {
    if (!this.arrangement.choices.includes(tiles)) {
      this.toasts.show(m.desk_layout_too_narrow({ tiles, width: tiles === 6 ? 2400 : 1080 }));
      return;
    }
    this.#lay(setTileCount(this.layout, tiles));
  }

  togglePanel(): void {
    const shownByWidth = this.poppedOut === null && panelIsShownBy(this.width, this.arrangement.tiles);
    if (shownByWidth) this.#lay({ ...this.layout, panel: !this.arrangement.panel });
    else this.panelDemanded = !this.panelDemanded;
  }

  setTab(tab: InboxTab): void {
    this.cursor = null;
    if (tab !== this.tab) this.#lay({ ...this.layout, tab });
  }

  /** After the next paint: a tile that was just opened has no composer before. */
  focusComposer(): void {
    requestAnimationFrame(() => this.focusedHandle()?.focusComposer());
  }

  focusedHandle(): TileHandle | null {
    return this.tileHandles[this.poppedOut === null ? this.focusedTile : 0] ?? null;
  }

  // Acts

  async nextWaiting(): Promise<void> {
    const except = this.focusedConversation === null ? [] : [this.focusedConversation];
    const next = await this.tell(this.host.nextWaiting(except));
    if (next === undefined) return;
    if (next !== null) this.open(next);
    else if (this.facts.counts.queue > 0) this.setTab("queue");
    else this.toasts.show(m.desk_nobody_waits());
  }

  popOutOrIn(): void {
    const conversation = this.focusedConversation;
    if (conversation === null) return;
    this.act(this.poppedOut === null ? this.host.popOut(conversation) : this.host.popIn(conversation));
  }

  askTransfer(): void {
    const head = this.#focusedHead();
    if (head) this.dialog = { kind: "transfer", conversation: head.conversation };
  }

  /** Asks only where something of this conversation is unsent. */
  close(): void {
    const head = this.#focusedHead();
    if (!head || head.status === "closed") return;
    if (head.draft || head.not_sent > 0) this.dialog = { kind: "close", conversation: head.conversation };
    else this.closeNow(head.conversation);
  }

  closeNow(conversation: string): void {
    const name = this.facts.head(conversation)?.customer.name ?? "";
    this.act(this.host.close(conversation), () => this.toasts.show(m.desk_closed_toast({ name })));
  }

  setPresence(presence: PresenceView): void {
    this.act(this.host.setPresence(presence));
  }

  saveSettings(change: Partial<Settings>): void {
    this.settings = { ...this.settings, ...change };
    applyLooks(this.settings);
    this.act(this.host.saveSettings(this.settings));
  }

  /** Another window may have changed them. */
  async readSettings(): Promise<void> {
    const known = await this.tell(this.host.settings());
    if (known === undefined) return;
    this.settings = known;
    applyLooks(known);
  }

  leave(by: "log_out" | "quit", force: boolean): void {
    const going = by === "quit" ? this.host.quit(force) : this.host.logOut(force);
    going.catch((error: unknown) => {
      if (isBusy(error)) {
        this.dialog = { kind: "leave", by, waiting: this.facts.mark.waiting, parked: this.facts.mark.parked };
      } else this.toasts.show(errorText(error), "bad");
    });
  }

  /** A call whose failure is told to the agent; undefined: it failed. */
  async tell<Value>(call: Promise<Value>): Promise<Value | undefined> {
    try {
      return await call;
    } catch (error) {
      this.toasts.show(errorText(error), "bad");
      return undefined;
    }
  }

  act(call: Promise<void>, then?: () => void): void {
    call.then(then).catch((error: unknown) => this.toasts.show(errorText(error), "bad"));
  }

  #focusedHead() {
    return this.focusedConversation === null ? null : this.facts.head(this.focusedConversation);
  }

  #lay(layout: WindowLayout): void {
    if (layout === this.layout) return;
    this.layout = layout;
    this.facts.forgetAllBut(new Set(layout.open.filter((each) => each !== null)));
    if (this.poppedOut === null) this.act(this.host.saveLayout(layout));
  }

  /** Windows of their own took conversations: their tiles become free. */
  giveUpPopped(): void {
    if (this.poppedOut === null) this.#lay(withoutConversations(this.layout, this.facts.popped));
  }

  #onHappening(event: Happening): void {
    switch (event.event) {
      case "attention":
        this.#onAttention(event);
        break;
      case "session_ended":
        this.sessionEnded = event.reason;
        this.dialog = null;
        break;
      case "quit_asked":
        this.dialog = { kind: "leave", by: "quit", waiting: event.waiting, parked: event.parked };
        break;
      case "show":
        if (this.poppedOut === null) this.open(event.conversation);
        break;
      case "too_late":
        if (this.poppedOut === null && this.tileOf(event.conversation) < 0) {
          this.#toastAbout(event.conversation, m.desk_too_late_toast({ name: event.customer }));
        }
        break;
      case "server_lost":
        this.dialog = { kind: "server_lost", count: event.count };
    }
  }

  #onAttention(event: Extract<Happening, { event: "attention" }>): void {
    if (this.poppedOut !== null) return;
    if (this.settings.sound) playKnock();
    if (event.assigned && this.tileOf(event.conversation) < 0) {
      this.#toastAbout(event.conversation, m.desk_assigned_toast({ name: event.customer }));
    }
  }

  #toastAbout(conversation: string, words: string): void {
    this.toasts.show(words, "plain", { label: m.desk_show(), combo: null, run: () => this.open(conversation) });
  }
}

function isBusy(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "busy";
}
