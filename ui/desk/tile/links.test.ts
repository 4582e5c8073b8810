import { describe, expect, it } from "vitest";
import { lookAt, textParts, webAddress } from "./links";

const links = (text: string) =>
  textParts(text)
    .filter((part) => part.url !== null)
    .map((part) => part.text);

describe("links in a text", () => {
  it.each([
    ["看 https://a.example/x?y=1，谢谢", ["https://a.example/x?y=1"]],
    ["(https://a.example/x).", ["https://a.example/x"]],
    ["https://a.example/w_(x)!", ["https://a.example/w_(x)"]],
    ["地址：http://a.example。还有「https://b.example/」", ["http://a.example", "https://b.example/"]],
    ["javascript:alert(1) file:///etc/passwd ftp://a.example", []],
    ["https:// and http://", []],
    ["没有链接", []],
  ])("%s", (text, expected) => {
    expect(links(text)).toEqual(expected);
  });

  it("gives every character back, markup included", () => {
    const text = "<b>https://a.example</b> & <img src=x onerror=alert(1)> https://b.example";
    const parts = textParts(text);
    expect(parts.map((part) => part.text).join("")).toBe(text);
    expect(links(text)).toEqual(["https://a.example", "https://b.example"]);
  });

  it("opens nothing but http and https", () => {
    expect(webAddress("javascript:alert(1)")).toBeNull();
    expect(webAddress("https://a.example")).toBe("https://a.example/");
  });

  it("shows the host apart, and says when an address is in disguise", () => {
    expect(lookAt("https://shop.example/a?b#c")).toEqual({
      before: "https://",
      host: "shop.example",
      after: "/a?b#c",
      disguised: false,
    });
    expect(lookAt("https://shop.example@evil.example/").disguised).toBe(true);
    expect(lookAt("https://аpple.example/").disguised).toBe(true);
  });
});
