import { TEXT_SCALARS } from "../../src/gen/limits";
import { m } from "../../src/texts/messages.js";
import { checkText, scalars } from "../client/text";
import { h, icon } from "./element";

/** From here on the count is shown. */
const COUNTED = TEXT_SCALARS - 200;
const TALLEST = 120;

export interface ComposerActs {
  /** Rejects if it wasn't stored: the text is put back. */
  send(text: string): Promise<void>;
  typing(on: boolean): void;
  /** What stands in the field from now on; not told of what a send takes away. */
  draft(text: string): void;
}

/** The field, its send button, and what is wrong with the text. */
export class Composer {
  readonly element: HTMLElement;
  private readonly field: HTMLTextAreaElement;
  private readonly button: HTMLButtonElement;
  private readonly fault = h("div", { class: "fault", role: "status", id: "fault" });

  constructor(private readonly acts: ComposerActs) {
    const label = m.chat_write();
    this.field = h("textarea", {
      class: "ch-f",
      rows: "1",
      placeholder: label,
      "aria-label": label,
      "aria-describedby": "fault",
      enterkeyhint: "send",
      dir: "auto",
    });
    this.button = h("button", { type: "button", class: "sd", "aria-label": m.chat_send() }, icon("arrow", true));
    this.element = h("div", { class: "ch-c" }, this.fault, this.field, this.button);
    this.field.addEventListener("input", () => this.edited());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.button.addEventListener("click", () => this.send());
    this.judge();
  }

  focus(): void {
    this.field.focus();
  }

  /** What stood here before a reload, unless something is being typed already. */
  restore(text: string): void {
    if (this.field.value !== "") return;
    this.field.value = text;
    this.judge();
  }

  /** Words to be written again, after those that stand here. */
  add(text: string): void {
    this.field.value = this.field.value ? `${this.field.value}\n${text}` : text;
    this.edited();
    this.field.focus();
  }

  clear(): void {
    this.field.value = "";
    this.judge();
  }

  disable(): void {
    this.field.disabled = true;
    this.button.disabled = true;
  }

  private key(event: KeyboardEvent): void {
    // Enter that ends a composition isn't a send; Safari tells it by 229 alone.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.send();
  }

  private edited(): void {
    this.judge();
    this.acts.draft(this.field.value);
    this.acts.typing(this.field.value.trim() !== "");
  }

  private judge(): void {
    const text = this.field.value;
    const fault = checkText(text);
    const count = scalars(text);
    this.button.disabled = fault !== null;
    const long = fault === "too_long" || count > COUNTED;
    let says = long ? m.chat_too_long({ most: TEXT_SCALARS, count }) : "";
    if (fault === "control") says = m.chat_control();
    this.fault.textContent = says;
    this.fault.hidden = says === "";
    this.fault.classList.toggle("bad", fault === "too_long" || fault === "control");
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, TALLEST)}px`;
  }

  private send(): void {
    const text = this.field.value;
    if (checkText(text) !== null) return;
    this.field.value = "";
    this.judge();
    this.acts.typing(false);
    this.field.focus();
    this.acts.send(text).catch(() => {
      // Before whatever was typed since.
      this.field.value = this.field.value ? `${text}\n${this.field.value}` : text;
      this.judge();
      this.acts.draft(this.field.value);
    });
  }
}
