import { m } from "../texts/messages.js";
import { getLocale } from "../texts/runtime.js";

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** 6:20, or 1:02:03 from an hour on. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${getLocale()} ${kind}`;
  const known = formats.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat(getLocale() === "en" ? "en-GB" : "zh-CN", options);
  formats.set(key, made);
  return made;
}

/** 14:32 */
export function clockTime(timeMs: number): string {
  return format("clock", { hour: "2-digit", minute: "2-digit", hour12: false }).format(timeMs);
}

/** 14:32:07 */
export function clockSeconds(timeMs: number): string {
  return format("seconds", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(timeMs);
}

/** 11-23, 23 Nov; with the year when it isn't this one. */
export function shortDate(timeMs: number, nowMs: number): string {
  const date = new Date(timeMs);
  const sameYear = date.getFullYear() === new Date(nowMs).getFullYear();
  if (getLocale() === "en") {
    return format(sameYear ? "date" : "date-year", {
      day: "numeric",
      month: "short",
      ...(sameYear ? {} : { year: "numeric" }),
    }).format(timeMs);
  }
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return sameYear ? day : `${date.getFullYear()}-${day}`;
}

/** 14:32 on the same day, else the date. */
export function listTime(timeMs: number, nowMs: number): string {
  return sameDay(timeMs, nowMs) ? clockTime(timeMs) : shortDate(timeMs, nowMs);
}

export function sameDay(one: number, other: number): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** 11 月 24 日 星期二, Tue 24 Nov */
export function dayName(timeMs: number): string {
  const english = getLocale() === "en";
  const weekday = format("weekday", { weekday: english ? "short" : "long" }).format(timeMs);
  const month = english ? format("month", { month: "short" }).format(timeMs) : String(new Date(timeMs).getMonth() + 1);
  return m.part_day({ weekday, day: new Date(timeMs).getDate(), month });
}

/** 1,284 */
export function figure(value: number): string {
  return value.toLocaleString("en-GB");
}
