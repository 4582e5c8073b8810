import { m } from "../../src/texts/messages.js";
import type { Act } from "../client/model";
import { avatar } from "./avatar";
import { h, icon, type IconName } from "./element";
import { withLinks } from "./links";
import type { Failure, Line, Mark, Row } from "./rows";
import { clock, dayName } from "./times";

export interface LogActs {
  resend(act: Act): void;
  discard(act: Act): void;
  recall(id: string): void;
  /** Words that were recalled here go back to where they were written. */
  writeAgain(text: string): void;
}

/** What else a row's looks depend on. */
export interface Scene {
  locale: string;
  live: boolean;
  durable: boolean;
}

const LINES: Record<Line, (name: string) => string> = {
  joined: (name) => m.chat_joined({ name }),
  waiting_again: () => m.chat_waiting_again(),
  was_closed: () => m.chat_was_closed(),
  was_closed_idle: () => m.chat_was_closed_idle(),
  was_closed_own: () => m.chat_was_closed_own(),
  nobody: () => m.chat_nobody_says(),
  closing: () => m.chat_closing(),
  reopened: () => m.chat_reopened(),
};

const FAILURES: Record<Failure, () => string> = {
  failed: () => m.chat_failed(),
  failed_long: () => m.chat_failed_long(),
  failed_unknown: () => m.chat_failed_unknown(),
  failed_behind: () => m.chat_failed_behind(),
  lost: () => m.chat_lost(),
  late: () => m.chat_late(),
  recall_failed: () => m.chat_recall_failed(),
  close_failed: () => m.chat_close_failed(),
};

const ICONS: Record<Mark, IconName> = { pending: "clock", sent: "check", delivered: "checks", read: "checks" };

const markWords = (mark: Mark, scene: Scene): string => {
  if (mark === "sent") return m.chat_sent();
  if (mark === "delivered") return m.chat_delivered();
  if (mark === "read") return m.chat_read();
  if (scene.live) return m.chat_pending();
  return scene.durable ? m.chat_pending_offline() : m.chat_pending_memory();
};

const button = (label: string, press: () => void): HTMLElement => {
  const element = h("button", { type: "button", class: "link" }, label);
  element.addEventListener("click", press);
  return element;
};

/** The log's rows: keyed, so that what doesn't change stays, and nobody's selection is lost. */
export class LogView {
  readonly element = h("div", { class: "log", role: "log", tabindex: "0", "aria-live": "off" });
  private readonly drawn = new Map<string, { looks: string; element: HTMLElement }>();
  /** Words recalled on this page, as long as it is open. */
  private readonly recalled = new Map<string, string>();

  constructor(private readonly acts: LogActs) {
    this.element.setAttribute("aria-label", m.chat_log());
  }

  draw(rows: readonly Row[], scene: Scene): void {
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, { element }] of this.drawn) {
      if (keys.has(key)) continue;
      element.remove();
      this.drawn.delete(key);
    }
    const elements = rows.map((row) => this.rowElement(row, scene));
    let before: ChildNode | null = null;
    for (const element of elements) {
      const at: ChildNode | null = before ? before.nextSibling : this.element.querySelector(":scope > [data-row]");
      if (element !== at) this.element.insertBefore(element, at);
      before = element;
    }
  }

  private rowElement(row: Row, scene: Scene): HTMLElement {
    const pending = row.is === "under" && row.mark === "pending";
    const today = row.is === "day" ? new Date().toDateString() : "";
    const looks = JSON.stringify([{ ...row, act: null }, pending ? scene : null, today]);
    const drawn = this.drawn.get(row.key);
    if (drawn?.looks === looks) return drawn.element;
    const element = this.make(row, scene);
    element.dataset["row"] = row.is;
    drawn?.element.replaceWith(element);
    this.drawn.set(row.key, { looks, element });
    return element;
  }

  private make(row: Row, scene: Scene): HTMLElement {
    switch (row.is) {
      case "day":
        return h("div", { class: "day" }, dayName(row.timeMs, Date.now(), scene.locale));
      case "line":
        return h(
          "div",
          { class: "sys" },
          h("bdi", {}, LINES[row.say](row.name)),
          h("i", { class: "dt" }),
          h("time", {}, clock(row.timeMs)),
        );
      case "message":
        return this.bubble(row);
      case "under":
        return this.under(row, scene);
      case "failure":
        return this.failure(row.act, row.why);
      default:
        return row satisfies never;
    }
  }

  private bubble(row: Extract<Row, { is: "message" }>): HTMLElement {
    const { key, own, text } = row;
    const flags = { g: row.grouped, failed: row.failed, going: row.recalling, gone: text === null };
    const classes = ["b", own ? "out" : "in", ...Object.entries(flags).flatMap(([name, is]) => (is ? [name] : []))];
    const element = h("div", { class: classes.join(" "), dir: "auto" });
    if (text !== null) element.append(...withLinks(text));
    else if (!row.erased) element.append(m.chat_unreadable());
    else element.append(own ? m.chat_recalled_own() : m.chat_recalled());
    const words = this.recalled.get(key);
    if (row.erased && words !== undefined) {
      element.append(button(m.chat_write_again(), () => this.acts.writeAgain(words)));
    } else if (row.recallable && text !== null) {
      const take = h("button", {
        type: "button",
        class: "take",
        "aria-label": m.chat_recall(),
        title: m.chat_recall(),
      });
      take.append(icon("back"));
      take.addEventListener("click", () => {
        this.recalled.set(key, text);
        this.acts.recall(key);
      });
      element.append(take);
      // Where nothing can point without touching, a touch shows what can be done.
      element.addEventListener("click", () => element.classList.toggle("picked"));
    }
    return element;
  }

  private under(row: Extract<Row, { is: "under" }>, scene: Scene): HTMLElement {
    const element = h("div", { class: row.own ? "under" : "under in" });
    if (row.mark) element.append(h("span", { class: "mark" }, icon(ICONS[row.mark]), markWords(row.mark, scene)));
    if (row.name) element.append(avatar(row.author, row.name), h("bdi", {}, row.name));
    element.append(h("time", {}, clock(row.timeMs)));
    const { act } = row;
    if (act && row.mark === "pending" && !scene.live)
      element.append(button(m.chat_discard(), () => this.acts.discard(act)));
    return element;
  }

  private failure(act: Act, why: Failure): HTMLElement {
    const late = why === "late";
    return h(
      "div",
      { class: late ? "under" : "under bad" },
      h("span", { class: "mark" }, icon("alert"), FAILURES[why]()),
      late
        ? button(m.chat_recall(), () => this.acts.recall(act.id))
        : button(m.chat_resend(), () => this.acts.resend(act)),
      button(late ? m.chat_keep() : m.chat_discard(), () => this.acts.discard(act)),
    );
  }
}
