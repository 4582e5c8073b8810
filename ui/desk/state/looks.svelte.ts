// Theme and language of this window. Texts read the language through a rune, so they change in place at runtime.

import type { Settings } from "../../src/gen/shell";
import { overwriteGetLocale, type Locale } from "../../src/texts/runtime.js";

const looks = $state({ locale: systemLocale() });
overwriteGetLocale(() => looks.locale);

function systemLocale(): Locale {
  const wanted = typeof navigator === "undefined" ? [] : navigator.languages;
  const first = wanted.find((each) => /^(zh|en)\b/i.test(each));
  return first === undefined || /^zh/i.test(first) ? "zh-CN" : "en";
}

function darkSystem(): MediaQueryList {
  return matchMedia("(prefers-color-scheme: dark)");
}

let theme = "system";

function drawTheme(): void {
  const dark = theme === "dark" || (theme === "system" && darkSystem().matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

export function locale(): Locale {
  return looks.locale;
}

/** Draws what the settings say; both may be `system`. */
export function applyLooks(settings: Pick<Settings, "theme" | "language">): void {
  theme = settings.theme;
  looks.locale = settings.language === "zh-CN" || settings.language === "en" ? settings.language : systemLocale();
  document.documentElement.lang = looks.locale;
  drawTheme();
}

/** Follows the system's theme; answers with the way to stop. */
export function followSystem(): () => void {
  const query = darkSystem();
  query.addEventListener("change", drawTheme);
  return () => query.removeEventListener("change", drawTheme);
}
