import { afterEach, describe, expect, it } from "vitest";
import { overwriteGetLocale } from "../texts/runtime.js";
import { dayName, duration, figure, listTime } from "./times";

const now = new Date(2026, 10, 24, 14, 32).getTime();
const earlier = new Date(2026, 10, 23, 9, 5).getTime();

afterEach(() => overwriteGetLocale(() => "zh-CN"));

describe("times as UI.md writes them", () => {
  it("says how long somebody waits", () => {
    expect([8, 380, 3723].map(duration)).toEqual(["0:08", "6:20", "1:02:03"]);
  });

  it("names today by the clock, other days by the date, in each language", () => {
    overwriteGetLocale(() => "zh-CN");
    expect([listTime(now, now), listTime(earlier, now), dayName(now)]).toEqual([
      "14:32",
      "11-23",
      "11 月 24 日 星期二",
    ]);
    overwriteGetLocale(() => "en");
    expect([listTime(now, now), listTime(earlier, now), dayName(now)]).toEqual(["14:32", "23 Nov", "Tue 24 Nov"]);
  });

  it("groups figures", () => {
    expect(figure(184_203)).toBe("184,203");
  });
});
