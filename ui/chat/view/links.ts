import { m } from "../../src/texts/messages.js";
import { h } from "./element";

const ADDRESS = /https?:\/\/[^\s<>"'「」『』《》“”，。；！？、（）【】]+/giu;
const TRAILING = /[.,;:!?)\]}'"*]+$/u;

/** A text with its http and https addresses as links, shown as they are written. */
export const withLinks = (text: string): (Node | string)[] => {
  const out: (Node | string)[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(TRAILING, "");
    const host = hostOf(address);
    if (host === null) continue;
    const attributes = {
      href: address,
      target: "_blank",
      rel: "noopener noreferrer",
      title: m.chat_opens_new({ host }),
      dir: "ltr",
    };
    out.push(text.slice(at, match.index), h("a", attributes, address));
    at = match.index + address.length;
  }
  out.push(text.slice(at));
  return out;
};

/** Where a link leads, in plain letters. Null: nowhere on the web, or it pretends to lead elsewhere (`https://shop@evil`). */
const hostOf = (address: string): string | null => {
  try {
    const { protocol, username, password, host } = new URL(address);
    const plain = username === "" && password === "";
    return plain && ["http:", "https:"].includes(protocol) ? host : null;
  } catch {
    return null;
  }
};
