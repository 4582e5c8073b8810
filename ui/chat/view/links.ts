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
    if (!isWeb(address)) continue;
    const attributes = {
      href: address,
      target: "_blank",
      rel: "noopener noreferrer",
      title: m.chat_opens_new(),
      dir: "ltr",
    };
    out.push(text.slice(at, match.index), h("a", attributes, address));
    at = match.index + address.length;
  }
  out.push(text.slice(at));
  return out;
};

const isWeb = (address: string): boolean => {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
};
