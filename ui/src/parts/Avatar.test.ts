// @vitest-environment jsdom
import { flushSync, mount, unmount } from "svelte";
import { afterEach, expect, it } from "vitest";
import Avatar from "./Avatar.svelte";
import AvatarBelow from "./AvatarBelow.test.svelte";

let drawn: Record<string, unknown> | undefined;

function draw(agent: string, of = (asked: string) => `picture://localhost/here.${asked}`) {
  const avatar = { name: "Shan Wang", hue: 1, agent };
  const below = mount(AvatarBelow, { target: document.body, props: { of, avatar } });
  drawn = below;
  flushSync();
  return below;
}

const picture = () => document.querySelector("img");
const words = () => document.querySelector(".av")?.textContent?.trim();

function told(event: "load" | "error") {
  picture()?.dispatchEvent(new Event(event));
  flushSync();
}

afterEach(async () => {
  if (drawn) await unmount(drawn);
});

it("shows an agent's initial until their picture is there", () => {
  draw("a1");
  expect(picture()?.getAttribute("src")).toBe("picture://localhost/here.a1");
  expect(words()).toBe("S");
  told("load");
  expect(words()).toBe("");
  expect(picture()).not.toBeNull();
});

it("keeps the initial of an agent without a picture, and asks again once there is a connection", () => {
  const below = draw("a1");
  told("error");
  expect(words()).toBe("S");
  expect(picture()).toBeNull();
  below.connect();
  flushSync();
  expect(picture()).not.toBeNull();
  expect(words()).toBe("S");
  told("load");
  expect(words()).toBe("");
});

it("asks for no picture of customers, nor where nobody offers any", async () => {
  draw("");
  expect(picture()).toBeNull();
  expect(words()).toBe("S");
  if (drawn) await unmount(drawn);
  draw("a1", () => "");
  expect(picture()).toBeNull();
  if (drawn) await unmount(drawn);
  drawn = mount(Avatar, { target: document.body, props: { name: "Shan Wang", hue: 1, agent: "a1" } });
  flushSync();
  expect(picture()).toBeNull();
  expect(words()).toBe("S");
});
