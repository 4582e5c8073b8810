import { m } from "../../src/texts/messages.js";

const two = (value: number): string => String(value).padStart(2, "0");

export const clock = (timeMs: number): string => {
  const time = new Date(timeMs);
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
};

/** Today, yesterday, else the date as the language writes it. */
export const dayName = (timeMs: number, nowMs: number, locale: string): string => {
  const time = new Date(timeMs);
  const today = new Date(nowMs);
  const yesterday = new Date(nowMs);
  yesterday.setDate(today.getDate() - 1);
  if (time.toDateString() === today.toDateString()) return m.chat_today();
  if (time.toDateString() === yesterday.toDateString()) return m.chat_yesterday();
  const year = time.getFullYear() === today.getFullYear() ? {} : { year: "numeric" as const };
  return time.toLocaleDateString(locale, { day: "numeric", month: "long", ...year });
};
