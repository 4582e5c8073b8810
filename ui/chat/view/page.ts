import { QUEUE_AHEAD } from "../../src/gen/limits";
import { m } from "../../src/texts/messages.js";
import type { Act } from "../client/model";
import { firstStatus, type Status } from "../client/status";
import { isUnsent, type Shown } from "../client/store";
import { Stage } from "../client/wire";
import { Composer } from "./composer";
import { h, icon } from "./element";
import { LogView } from "./logView";
import { type Choice, Menu } from "./menu";
import { ask } from "./question";
import { rowsOf, unreadOf } from "./rows";

/** So long a connection may take before it is spoken of, milliseconds. */
const PATIENCE_MS = 1_500;
/** So long words stay for a screen reader, milliseconds. */
const SPOKEN_MS = 2_000;
/** Within so many pixels of the end, a reader is at the end. */
const NEAR = 48;

export interface PageActs {
  write(text: string): Promise<void>;
  resend(act: Act): void;
  discard(act: Act): void;
  recall(id: string): void;
  closeConversation(): void;
  logOut(): void;
  /** The merchant's page says that it is somebody else: whether what is unsent may be lost. */
  answerSwitch(agreed: boolean): void;
  draft(text: string): void;
  typing(on: boolean): void;
  markRead(seq: number): void;
  older(storedMore: boolean): void;
  minimise(): void;
  unread(count: number): void;
}

export interface PageFacts {
  locale: string;
  embedded: boolean;
  durable: boolean;
  brand: { name: string; shortName: string; greeting: string };
}

const REFUSALS: Record<NonNullable<Status["refusal"]>, () => string> = {
  VERSION: () => m.chat_refused_version(),
  BRAND: () => m.chat_refused_brand(),
  ORIGIN: () => m.chat_refused_origin(),
  DISABLED: () => m.chat_refused_other(),
  OTHER: () => m.chat_refused_other(),
};

const dots = (): HTMLElement => h("span", { class: "dots" }, h("i", {}), h("i", {}), h("i", {}));

function queueWords(ahead: number): string {
  if (ahead === 0) return m.chat_queued_next();
  return ahead < QUEUE_AHEAD ? m.chat_queued({ count: ahead }) : m.chat_queued_many({ count: ahead });
}

/** The whole page: head, log, composer. Told what is so, it draws; it knows nothing of the network. */
export class Page {
  private status = firstStatus();
  private shown: Shown = { entries: [], more: false, acts: [] };
  private open = true;
  private impatient = false;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private storeBroken = false;
  private announced = 0;
  private known = false;
  private atEnd = true;
  private asking = false;
  private switchAsked = false;
  private readonly chat: HTMLElement;
  private readonly log: LogView;
  private readonly composer: Composer;
  private readonly square = h("span", { class: "bl", "aria-hidden": "true" });
  private readonly name = h("h1", { class: "cut" });
  private readonly line = h("div", { class: "meta cut", role: "status" });
  private readonly strip = h("div", { class: "off", role: "status" });
  private readonly typing = h("div", { class: "ty" });
  private readonly greeting = h("div", { class: "b in hi", dir: "auto" });
  private readonly olderButton = h("button", { type: "button", class: "older" });
  private readonly toEnd = h("button", { type: "button", class: "toend" });
  private readonly speaker = h("div", { class: "sr", "aria-live": "polite" });

  constructor(
    root: HTMLElement,
    private readonly facts: PageFacts,
    private readonly acts: PageActs,
  ) {
    this.log = new LogView({
      resend: (act) => acts.resend(act),
      discard: (act) => acts.discard(act),
      recall: (id) => acts.recall(id),
      writeAgain: (text) => this.composer.add(text),
    });
    this.composer = new Composer({
      send: (text) => this.write(text),
      typing: (on) => acts.typing(on),
      draft: (text) => acts.draft(text),
    });
    const menu = new Menu(() => this.choices());
    const minimise = h("button", { type: "button", class: "ib", "aria-label": m.chat_minimise() }, icon("down", true));
    minimise.addEventListener("click", () => acts.minimise());
    const names = h("div", { class: "grow" }, this.name, this.line);
    const head = h("header", { class: "ch-h" }, this.square, names, menu.element);
    if (facts.embedded) head.append(minimise);
    const talk = h("div", { class: "talk" }, this.strip, this.log.element, this.toEnd);
    const chat = h("main", { class: facts.embedded ? "chat embed" : "chat" });
    this.chat = chat;
    chat.append(head, talk, this.typing, this.composer.element, this.speaker);
    root.replaceChildren(chat);
    this.olderButton.addEventListener("click", () => acts.older(this.shown.more));
    this.toEnd.addEventListener("click", () => this.scrollToEnd());
    this.log.element.addEventListener("scroll", () => this.scrolled(), { passive: true });
    document.addEventListener("visibilitychange", () => this.look());
    addEventListener("resize", () => this.keepEnd());
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && facts.embedded && !event.isComposing) acts.minimise();
    });
    this.draw();
  }

  tell(status: Status): void {
    // Somebody else begins here: what stood in the field was the former's.
    if (this.status.life > 0 && status.life > this.status.life) this.composer.clear();
    this.status = status;
    if (status.switching === 0) this.switchAsked = false;
    else void this.askSwitch(status.switching);
    const connecting = status.connection === "connecting";
    if (connecting && this.patience === undefined) {
      this.patience = setTimeout(() => {
        this.impatient = true;
        this.draw();
      }, PATIENCE_MS);
    } else if (!connecting) {
      clearTimeout(this.patience);
      this.patience = undefined;
      this.impatient = false;
    }
    if (status.refusal === "BRAND" || status.refusal === "ORIGIN") this.composer.disable();
    this.draw();
  }

  show(shown: Shown): void {
    this.shown = shown;
    this.known = true;
    this.draw();
  }

  /** What stood in the field before the page was loaded anew. */
  restoreDraft(text: string): void {
    this.composer.restore(text);
  }

  storeFailed(broken: boolean): void {
    this.storeBroken = broken;
    this.draw();
  }

  /** In a merchant's page: the frame is shown, or hidden. */
  setOpen(open: boolean): void {
    this.open = open;
    if (open) {
      this.keepEnd();
      this.composer.focus();
    }
    this.look();
  }

  private async write(text: string): Promise<void> {
    this.atEnd = true;
    try {
      await this.acts.write(text);
      this.storeFailed(false);
    } catch (error) {
      this.storeFailed(true);
      throw error;
    }
  }

  // ---- questions -------------------------------------------------------------------------------------------------

  private choices(): Choice[] {
    const { stage } = this.status;
    const open = stage === Stage.QUEUED || stage === Stage.SERVED || stage === Stage.NOBODY_ONLINE;
    const close = { label: m.chat_close(), choose: () => void this.askClose() };
    const logOut = { label: m.chat_log_out(), choose: () => void this.askLogOut() };
    return open ? [close, logOut] : [logOut];
  }

  private async askOnce(question: Parameters<typeof ask>[1]): Promise<boolean> {
    if (this.asking) return false;
    this.asking = true;
    const agreed = await ask(this.chat, question);
    this.asking = false;
    return agreed;
  }

  private async askClose(): Promise<void> {
    const question = { title: m.chat_close_ask(), says: m.chat_close_says(), yes: m.chat_close(), grave: false };
    if (await this.askOnce(question)) this.acts.closeConversation();
  }

  private async askLogOut(): Promise<void> {
    const count = this.shown.acts.filter(isUnsent).length;
    const says = count > 0 ? m.chat_log_out_unsent({ count }) : m.chat_log_out_says();
    const question = { title: m.chat_log_out_ask(), says, yes: m.chat_log_out_yes(), grave: true };
    if (await this.askOnce(question)) this.acts.logOut();
  }

  /** The merchant's page has logged its customer out; only what would be lost is asked about. */
  async leave(unsent: number): Promise<void> {
    if (unsent > 0) await this.askLogOut();
    else this.acts.logOut();
  }

  private async askSwitch(count: number): Promise<void> {
    if (this.asking || this.switchAsked) return;
    this.switchAsked = true;
    const says = m.chat_switch_says({ count });
    const question = { title: m.chat_switch_ask(), says, yes: m.chat_switch_yes(), grave: true };
    this.acts.answerSwitch(await this.askOnce(question));
  }

  // ---- drawing ---------------------------------------------------------------------------------------------------

  private draw(): void {
    const { element } = this.log;
    const first = element.querySelector<HTMLElement>(".b:not(.hi)");
    const top = first?.offsetTop ?? 0;
    const live = this.status.connection === "live" || !this.impatient;
    const { locale, durable } = this.facts;
    this.drawHead();
    this.drawStrip();
    this.log.draw(rowsOf(this.shown, this.status, live), { locale, live, durable });
    this.drawTop();
    this.drawTyping();
    if (this.atEnd) this.scrollToEnd();
    else if (first?.isConnected) element.scrollTop += first.offsetTop - top;
    this.look();
  }

  private drawHead(): void {
    const { name, shortName } = this.status.brand ?? this.facts.brand;
    this.square.textContent = shortName;
    this.name.textContent = name;
    const words = this.stageWords();
    const soon = this.replyWords();
    const says = `${words}\n${soon}`;
    if (this.line.dataset["says"] === says) return;
    this.line.dataset["says"] = says;
    this.line.replaceChildren(words, ...(soon ? [h("i", { class: "dt" }), soon] : []));
  }

  /** How soon answers usually come, where somebody is there to give one and there is room to say it. */
  private replyWords(): string {
    const { stage, replyMinutes: minutes } = this.status;
    if (minutes === 0 || (stage !== Stage.SERVED && stage !== Stage.NEW)) return "";
    return minutes === 1 ? m.chat_replies_in_1() : m.chat_replies_in({ minutes });
  }

  private stageWords(): string {
    const { stage, agentName, ahead } = this.status;
    if (stage === Stage.SERVED) return m.chat_served_by({ name: agentName });
    if (stage === Stage.QUEUED) return queueWords(ahead);
    if (stage === Stage.NOBODY_ONLINE) return m.chat_nobody();
    if (stage === Stage.CLOSED) return m.chat_closed();
    return stage === Stage.LINKED ? m.chat_linked() : m.chat_service();
  }

  private drawStrip(): void {
    const { refusal, connection } = this.status;
    let says = "";
    if (this.storeBroken) says = m.chat_store_failed();
    else if (refusal) says = REFUSALS[refusal]();
    else if (connection === "connecting" && this.impatient)
      says = this.facts.durable ? m.chat_offline() : m.chat_offline_memory();
    if (this.strip.dataset["says"] === says) return;
    const bad = this.storeBroken || refusal !== null;
    this.strip.dataset["says"] = says;
    this.strip.classList.toggle("bad", bad);
    this.strip.hidden = says === "";
    this.strip.replaceChildren(...(bad || !says ? [] : [dots()]), says);
  }

  private drawTop(): void {
    const { element } = this.log;
    const { greeting } = this.status.brand ?? this.facts.brand;
    const older = this.shown.more || this.status.hasOlder;
    this.greeting.textContent = greeting;
    if (greeting && this.known && !older) element.prepend(this.greeting);
    else this.greeting.remove();
    this.olderButton.textContent = this.status.askingOlder ? m.chat_older_loading() : m.chat_older();
    if (older) element.prepend(this.olderButton);
    else this.olderButton.remove();
  }

  private drawTyping(): void {
    const name = this.status.agentName;
    const says = this.status.typing ? m.chat_typing({ name }) : "";
    if (this.typing.dataset["says"] === says) return;
    this.typing.dataset["says"] = says;
    this.typing.replaceChildren(...(says ? [dots(), h("span", { class: "cut" }, says)] : []));
  }

  // ---- reading ---------------------------------------------------------------------------------------------------

  private scrollToEnd(): void {
    const { element } = this.log;
    element.scrollTop = element.scrollHeight;
    this.atEnd = true;
    this.look();
  }

  private keepEnd(): void {
    if (this.atEnd) this.scrollToEnd();
  }

  private scrolled(): void {
    const { element } = this.log;
    this.atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    this.look();
  }

  /** What is before a reader's eyes is read; the rest is counted, in the title and by the launcher. */
  private look(): void {
    const unread = unreadOf(this.shown, this.status.read);
    const seen = this.open && document.visibilityState === "visible" && this.atEnd;
    if (seen && unread.head > this.status.read) this.acts.markRead(unread.head);
    const count = seen ? 0 : unread.count;
    const { name: brand } = this.status.brand ?? this.facts.brand;
    document.title = count > 0 ? m.chat_title_unread({ count, brand }) : m.chat_title({ brand });
    this.acts.unread(count);
    this.toEnd.hidden = this.atEnd;
    this.toEnd.textContent = count > 0 ? m.chat_new_below({ count }) : m.chat_to_bottom();
    if (unread.head > this.announced) {
      this.announced = unread.head;
      if (unread.count > 0) this.speak(m.chat_says({ name: unread.lastName, text: unread.last }));
    }
  }

  /** Said once to a screen reader, and gone before a reader who walks the page comes by. */
  private speak(words: string): void {
    this.speaker.textContent = words;
    setTimeout(() => {
      if (this.speaker.textContent === words) this.speaker.textContent = "";
    }, SPOKEN_MS);
  }
}
