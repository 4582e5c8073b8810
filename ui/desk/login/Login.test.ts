// @vitest-environment jsdom
import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StartState } from "../../src/gen/shell";
import type { Host } from "../../src/host/host";
import { start } from "../state/samples";
import { Workplace } from "../state/workplace.svelte";
import Dialogs from "../dialogs/Dialogs.svelte";
import Login from "./Login.svelte";

let drawn: ReturnType<typeof mount> | undefined;

function draw(host: Partial<Host>, begin: Partial<StartState> = {}) {
  const nobody = { reach: () => Promise.reject({ code: "network", retry_ms: 0 }) };
  const place = new Workplace({ ...nobody, ...host } as Host, { ...start, ...begin });
  drawn = mount(Login, { target: document.body, props: { place } });
  flushSync();
  return place;
}

function fill(name: string, value: string) {
  const input = document.querySelector<HTMLInputElement>(`input[name=${name}]`);
  if (!input) throw new Error(`no field ${name}`);
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

async function submit() {
  document.querySelector("form")?.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
  await new Promise((resolve) => setTimeout(resolve));
  flushSync();
}

const alert = () => document.querySelector("[role=alert]")?.textContent?.trim();

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  // jsdom draws no dialogs over the page.
  HTMLDialogElement.prototype.showModal = () => undefined;
});
afterEach(async () => {
  if (drawn) await unmount(drawn);
  vi.unstubAllGlobals();
});

describe("the log-in", () => {
  it("says how far away a server is that answers, once its address stands", async () => {
    vi.useFakeTimers();
    const reach = vi.fn(() => Promise.resolve(38));
    draw({ reach });
    fill("gateway", "im.example");
    fill("gateway", "im.example.org");
    await vi.advanceTimersByTimeAsync(1_000);
    vi.useRealTimers();
    flushSync();
    expect(reach.mock.calls).toEqual([["im.example.org"]]);
    expect(document.querySelector("[data-test=reach]")?.textContent).toBe("Reachable · 38 ms");
  });

  it.each([
    ["credentials", 0, "The agent name or the password is wrong."],
    ["locked", 60_000, "Too many wrong attempts; the account is locked for now. Try again in 60 s."],
    ["network", 0, "The server cannot be reached. Check the network and the address, then try again."],
    [
      "version",
      0,
      "This app and the server are of versions that do not fit. Update the app or ask your administrator.",
    ],
    ["not_a_gateway", 0, "There is no Zuoxi server at this address. Check it."],
  ])("says what %s means and what to do", async (code, retryMs, words) => {
    draw({ logIn: () => Promise.reject({ code, retry_ms: retryMs }) });
    fill("password", "secret");
    await submit();
    expect(alert()).toBe(words);
  });

  it("asks for what is missing before it asks the server", async () => {
    const logIn = vi.fn();
    draw({ logIn });
    await submit();
    expect(alert()).toBe("Type your password first.");
    expect(logIn).not.toHaveBeenCalled();
  });

  it("goes on with what the server says about the account", async () => {
    const me = {
      id: "1",
      name: "J",
      login: "shen",
      gateway: "g",
      presence: "online",
      lead: false,
      pictures: "",
    } as const;
    const logIn = vi.fn(() => Promise.resolve());
    const place = draw({ logIn, start: () => Promise.resolve({ ...start, me }) });
    fill("password", "secret");
    await submit();
    expect(logIn).toHaveBeenCalledWith({ gateway: "im.example.com", name: "shen", password: "secret", remember: true });
    expect(place.facts.me?.login).toBe("shen");
  });

  it("opens the store with its passphrase first, where there is no keyring", async () => {
    const calls: string[] = [];
    draw(
      {
        unlock: (passphrase) => Promise.resolve(void calls.push(`unlock ${passphrase}`)),
        start: () => Promise.resolve({ ...start, keyring: false }),
        logIn: () => Promise.resolve(void calls.push("log in")),
      },
      { keyring: false, passphrase: "new" },
    );
    expect(document.querySelector("input[name=remember]")).toBeNull();
    fill("password", "secret");
    fill("passphrase", "open sesame");
    await submit();
    expect(alert()).toBe("The two passphrases differ.");
    fill("passphrase-again", "open sesame");
    await submit();
    expect(calls).toEqual(["unlock open sesame", "log in"]);
  });

  it("tells whose database could not be opened and sets it aside only when told to", async () => {
    const setAside = vi.fn(() => Promise.resolve());
    const trouble = { gateway: "im.example.com", name: "lin", code: "damaged" };
    const place = draw({ setAside }, { trouble });
    expect(alert()).toContain("damaged");
    expect(alert()).toContain("lin at im.example.com");
    const dialogs = mount(Dialogs, { target: document.body, props: { place } });
    document.querySelector<HTMLElement>("[data-test=set-aside]")?.click();
    flushSync();
    expect(document.querySelector("dialog")?.textContent).toContain("nothing is deleted");
    expect(setAside).not.toHaveBeenCalled();
    document.querySelector<HTMLElement>("[data-test=confirm-act]")?.click();
    await new Promise((resolve) => setTimeout(resolve));
    flushSync();
    expect(setAside).toHaveBeenCalledWith("im.example.com", "lin");
    expect(alert()).toBeUndefined();
    expect(document.querySelector("[data-test=set-aside]")).toBeNull();
    await unmount(dialogs);
  });

  it("offers it also where a log-in meets the database, and says that an update is the safer way for a newer one", async () => {
    const trouble = { gateway: "im.example.com", name: "shen", code: "newer_database" };
    const place = draw({
      logIn: () => Promise.reject({ code: "newer_database", retry_ms: 0 }),
      start: () => Promise.resolve({ ...start, trouble }),
    });
    fill("password", "secret");
    await submit();
    expect(alert()).toContain("newer version");
    document.querySelector<HTMLElement>("[data-test=set-aside]")?.click();
    expect(place.dialog).toMatchObject({ kind: "set_aside", name: "shen", newer: true });
  });
});
