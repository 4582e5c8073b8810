import { m } from "../../src/texts/messages.js";
import { h, icon } from "./element";

export interface Choice {
  label: string;
  choose(): void;
}

/** The head's "more": a button, and what it offers. */
export class Menu {
  readonly element: HTMLElement;
  private readonly button = h(
    "button",
    { type: "button", class: "ib", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": m.chat_more() },
    icon("more", true),
  );
  private readonly list = h("div", { class: "menu", role: "menu", "aria-label": m.chat_more() });

  /** `choices`: what is offered now, asked each time it opens. */
  constructor(private readonly choices: () => readonly Choice[]) {
    this.element = h("div", { class: "more" }, this.button, this.list);
    this.list.hidden = true;
    this.button.addEventListener("click", () => (this.list.hidden ? this.open() : this.close(true)));
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && this.element.contains(event.relatedTarget))) this.close(false);
    });
    document.addEventListener("pointerdown", (event) => {
      if (!(event.target instanceof Node && this.element.contains(event.target))) this.close(false);
    });
  }

  private items(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("button")];
  }

  private open(): void {
    const items = this.choices().map(({ label, choose }) => {
      const item = h("button", { type: "button", role: "menuitem", tabindex: "-1" }, label);
      item.addEventListener("click", () => {
        this.close(true);
        choose();
      });
      return item;
    });
    this.list.replaceChildren(...items);
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    items[0]?.focus();
  }

  private close(back: boolean): void {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (back) this.button.focus();
  }

  private key(event: KeyboardEvent): void {
    if (this.list.hidden) return;
    const items = this.items();
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items.at(to % items.length)?.focus();
    else if (event.key === "Escape") this.close(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
