/**
 * What a merchant's page loads: `<script src="https://GATEWAY/embed.js" data-brand="KEY" async></script>`.
 * A launcher button, its unread mark, and a frame of the gateway's own origin. Identities:
 * `window.zuoxi.identify(async (nonce) => jwt)`, with a JWT that the merchant's server signed for that nonce.
 * `window.zuoxi.logOut()`: what this browser keeps of the customer goes.
 */
import type { FromFrame, ToFrame } from "./words";

declare global {
  interface Window {
    zuoxi?: { open(): void; close(): void; identify(sign: (nonce: string) => Promise<string>): void; logOut(): void };
  }
}

const make = <K extends keyof HTMLElementTagNameMap>(tag: K, style: Partial<CSSStyleDeclaration>) => {
  const element = document.createElement(tag);
  Object.assign(element.style, style);
  return element;
};

(() => {
  const script = document.currentScript as HTMLScriptElement | null;
  const brand = script?.dataset["brand"];
  if (!script || !brand || window.zuoxi) return;
  const origin = new URL(script.src).origin;
  const language = script.dataset["lang"] ?? navigator.language;
  const chinese = /^zh/i.test(language);

  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "closed" });
  const fixed = { position: "fixed", right: "20px", zIndex: "2147483000" } as const;
  const button = make("button", {
    ...fixed,
    bottom: "20px",
    width: "56px",
    height: "56px",
    border: "0",
    borderRadius: "50%",
    background: "#3459C9",
    color: "#fff",
    cursor: "pointer",
    padding: "0",
    boxShadow: "0 4px 16px rgba(20, 24, 34, .24)",
  });
  button.type = "button";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  Object.assign(svg.style, {
    width: "26px",
    height: "26px",
    fill: "none",
    stroke: "currentColor",
    strokeWidth: "1.35",
  });
  path.setAttribute("stroke-linejoin", "round");
  path.setAttribute("d", "M3 3.5h10a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H7L3.5 14v-2.500H3a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1z");
  svg.append(path);
  const mark = make("span", {
    position: "absolute",
    top: "-4px",
    right: "-4px",
    minWidth: "20px",
    height: "20px",
    padding: "0 4px",
    boxSizing: "border-box",
    borderRadius: "10px",
    background: "#191C22",
    color: "#fff",
    font: "600 12px/20px system-ui, sans-serif",
    textAlign: "center",
  });
  mark.hidden = true;
  button.append(svg, mark);
  button.setAttribute("aria-label", chinese ? "打开聊天" : "Open chat");
  button.setAttribute("aria-expanded", "false");

  const frame = make("iframe", { ...fixed, border: "0", background: "transparent", display: "none" });
  frame.title = chinese ? "在线客服" : "Chat";
  frame.allow = "clipboard-write";
  const place = () => {
    const narrow = innerWidth < 480;
    Object.assign(frame.style, {
      right: narrow ? "0" : "20px",
      bottom: narrow ? "0" : "88px",
      width: narrow ? "100%" : "380px",
      height: narrow ? "100%" : `${Math.min(640, innerHeight - 108)}px`,
      borderRadius: narrow ? "0" : "12px",
      boxShadow: narrow ? "none" : "0 0 0 1px rgba(20, 24, 34, .10), 0 12px 32px rgba(20, 24, 34, .18)",
    });
  };
  place();
  addEventListener("resize", place);

  let isOpen = false;
  let heard = false;
  let nonce = "";
  let sign: ((nonce: string) => Promise<string>) | null = null;

  const say = (word: ToFrame) => frame.contentWindow?.postMessage(word, origin);
  const hello = () =>
    say({ zuoxi: 1, say: "hello", url: location.href, title: document.title, referrer: document.referrer });
  const prove = () => {
    const asked = nonce;
    if (!sign || !asked) return;
    sign(asked).then(
      (jwt) => asked === nonce && say({ zuoxi: 1, say: "identity", jwt }),
      () => undefined,
    );
  };
  const show = (open: boolean) => {
    isOpen = open;
    frame.style.display = open ? "block" : "none";
    button.setAttribute("aria-expanded", String(open));
    say({ zuoxi: 1, say: "open", open });
    if (open) frame.focus();
    else button.focus();
  };

  addEventListener("message", (event: MessageEvent<FromFrame>) => {
    // Only our own frame, only from the gateway's own origin.
    if (event.origin !== origin || event.source !== frame.contentWindow || event.data?.zuoxi !== 1) return;
    const word = event.data;
    if (word.say === "ready") {
      if (!heard) hello();
      heard = true;
      say({ zuoxi: 1, say: "open", open: isOpen });
    } else if (word.say === "unread") {
      mark.hidden = word.count === 0;
      mark.textContent = word.count > 99 ? "99+" : String(word.count);
      button.setAttribute("aria-label", word.label);
    } else if (word.say === "minimise") {
      show(false);
    } else if (word.say === "identify") {
      ({ nonce } = word);
      prove();
    }
  });
  addEventListener("popstate", () => say({ zuoxi: 1, say: "page", url: location.href }));
  addEventListener("hashchange", () => say({ zuoxi: 1, say: "page", url: location.href }));
  button.addEventListener("click", () => show(!isOpen));

  const query = new URLSearchParams({ brand, embed: "1", lang: language });
  frame.src = `${origin}/chat/?${query.toString()}`;
  frame.addEventListener("load", hello);
  root.append(button, frame);
  document.body.append(host);

  window.zuoxi = {
    open: () => show(true),
    close: () => show(false),
    identify: (signer) => {
      sign = signer;
      prove();
    },
    logOut: () => {
      sign = null;
      nonce = "";
      say({ zuoxi: 1, say: "log_out" });
    },
  };
})();
