// Links in what people wrote: http and https alone. The text stays text; a link is a part of it with an address.

export interface TextPart {
  text: string;
  /** Where it leads; null: plain words. */
  url: string | null;
}

// Ends at spaces, quotes, and at Hanzi and full-width marks, which nobody puts into an address but everybody after one.
const candidate = /https?:\/\/[^\s<>"'`\u2018-\u201f\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+/gi;
const trailing = /[.,;:!?\])}…]+$/;
const openers: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

export function textParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(candidate)) {
    const found = trimmed(match[0]);
    const url = webAddress(found);
    if (!url) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index), url: null });
    parts.push({ text: found, url });
    end = match.index + found.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), url: null });
  return parts;
}

/** Without the marks of the sentence around it; a bracket stays if it was opened within. */
function trimmed(found: string): string {
  let kept = found;
  for (let ending = trailing.exec(kept); ending; ending = trailing.exec(kept)) {
    const last = kept.at(-1) ?? "";
    const opener = openers[last];
    if (opener && kept.split(opener).length >= kept.split(last).length) return kept;
    kept = kept.slice(0, -1);
  }
  return kept;
}

/** The address as it would be opened; null: not http, not https, or no host. */
export function webAddress(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "" ? url.href : null;
}

/** What to look at before opening: the host apart from the rest, and whether the address hides something. */
export function lookAt(url: string): { before: string; host: string; after: string; disguised: boolean } {
  const { protocol, host, pathname, search, hash, username, password, hostname } = new URL(url);
  const user = username || password ? `${username}${password ? ":…" : ""}@` : "";
  const disguised = user !== "" || hostname.split(".").some((label) => label.startsWith("xn--"));
  return { before: `${protocol}//${user}`, host, after: `${pathname}${search}${hash}`, disguised };
}
