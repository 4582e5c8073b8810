import { locale } from "../state/looks.svelte";

/** 中文（中国）, British English; a code that isn't known stays as it is. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([locale()], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** The page's title, else its address without scheme and query. */
export function pageName(title: string, url: string): string {
  if (title) return title;
  try {
    const { host, pathname } = new URL(url);
    return host + (pathname === "/" ? "" : decodeURI(pathname));
  } catch {
    return url;
  }
}
