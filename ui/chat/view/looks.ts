import { overwriteGetLocale, type Locale } from "../../src/texts/runtime.js";

/** Language and theme: from the address if it says so, else as the browser is set. */
export const chooseLooks = (): Locale => {
  const asked = new URL(location.href).searchParams;
  const wanted = [asked.get("lang"), ...navigator.languages].find((tag) => tag && /^(?:zh|en)\b/i.test(tag)) ?? "en";
  const locale: Locale = /^zh/i.test(wanted) ? "zh-CN" : "en";
  overwriteGetLocale(() => locale);
  document.documentElement.lang = locale;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = asked.get("theme");
  const show = () => {
    document.documentElement.dataset["theme"] =
      theme === "dark" || theme === "light" ? theme : dark.matches ? "dark" : "light";
  };
  dark.addEventListener("change", show);
  show();
  return locale;
};
