import { m } from "../../src/texts/messages.js";
import { h } from "./element";

export interface Asking {
  title: string;
  says: string;
  yes: string;
  /** What is lost by it can't be had back. */
  grave: boolean;
}

/** One question over the page. Resolves with false by Esc, and Enter lands on the safe choice. */
export const ask = (host: HTMLElement, { title, says, yes, grave }: Asking): Promise<boolean> =>
  new Promise((resolve) => {
    const no = h("button", { type: "button", class: "btn" }, m.chat_cancel());
    const go = h("button", { type: "button", class: grave ? "btn bad" : "btn primary" }, yes);
    const dialog = h(
      "dialog",
      { class: "ask", role: "alertdialog", "aria-labelledby": "ask-title", "aria-describedby": "ask-says" },
      h("h2", { id: "ask-title" }, title),
      h("p", { id: "ask-says" }, says),
      h("div", { class: "btns" }, no, go),
    );
    const end = (answer: boolean) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    no.addEventListener("click", () => end(false));
    go.addEventListener("click", () => end(true));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      end(false);
    });
    // Esc closes the question, not the page behind it.
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    host.append(dialog);
    dialog.showModal();
    no.focus();
  });
