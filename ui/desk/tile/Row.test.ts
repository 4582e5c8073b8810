// @vitest-environment jsdom
import { flushSync, mount, unmount } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { TimelineRow } from "../../src/gen/view";
import { setLocale } from "../../src/texts/runtime.js";
import Row from "./Row.svelte";
import type { RowActs } from "./rowActs";

const own: TimelineRow = {
  key: "m1",
  message: "m1",
  seq: null,
  body: { kind: "message", text: "On its way", language: "en" },
  author: "agent",
  author_name: "J",
  agent: "",
  mine: true,
  time_ms: 1_764_000_000_000,
  mark: "sending",
  refusal: null,
  new_day: false,
  joined: false,
  first_unread: false,
  too_late: false,
};

let drawn: ReturnType<typeof mount> | undefined;

function draw(row: Partial<TimelineRow>, beneath: { lastOverdue?: boolean } = {}) {
  void setLocale("en", { reload: false });
  const acts = {
    writable: true,
    openLink: vi.fn(),
    editAgain: vi.fn(),
    edit: vi.fn(),
    resend: vi.fn(),
    discard: vi.fn(),
    recall: vi.fn(),
    keep: vi.fn(),
    jumpTo: vi.fn(),
  } satisfies RowActs;
  const props = { row: { ...own, ...row }, index: 0, picked: false, lastRead: false, acts };
  drawn = mount(Row, { target: document.body, props: { lastOverdue: false, ...beneath, ...props } });
  flushSync();
  return acts;
}

const button = (words: string) =>
  [...document.querySelectorAll("button")].find((each) => each.textContent?.includes(words));

const line = () => [...document.querySelectorAll(".sys > span[dir=auto]")].map((part) => part.textContent?.trim());

afterEach(async () => {
  if (drawn) await unmount(drawn);
});

describe("an own row", () => {
  it("says by its clock whether it is on its way, waits, or waits too long", () => {
    draw({ mark: "overdue" }, { lastOverdue: true });
    // It may have reached the server: nothing says that it wasn't sent.
    expect(document.querySelector(".mk")?.getAttribute("title")).toBe("Not confirmed yet");
    expect(document.querySelector("[data-test=overdue]")?.textContent).toContain("Not confirmed by the server yet");
    expect(document.body.textContent).not.toMatch(/not sent/i);
  });

  it("warns once for a run of words that wait", () => {
    draw({ mark: "overdue" });
    expect(document.querySelector("[data-test=overdue]")).toBeNull();
  });

  it("stands beside what was said meanwhile, and sends all the same if told to", () => {
    const said = [{ seq: 7, author_name: "Wang", text: "It ships today." }];
    const acts = draw({ mark: "not_sent", refusal: { code: "stale", assignee: "", said } });
    expect(document.querySelector("[data-test=said-meanwhile]")?.textContent).toContain("It ships today.");
    button("It ships today.")?.click();
    expect(acts.jumpTo).toHaveBeenCalledWith(7);
    button("Send anyway")?.click();
    expect(acts.resend).toHaveBeenCalledOnce();
  });

  it("offers to recall what was discarded too late, until it is to stay", async () => {
    const acts = draw({ seq: 9, mark: "sent", too_late: true });
    expect(document.querySelector("[data-test=too-late]")).not.toBeNull();
    button("Recall")?.click();
    expect(acts.recall).toHaveBeenCalledOnce();
    button("Keep it")?.click();
    expect(acts.keep).toHaveBeenCalledOnce();
    if (drawn) await unmount(drawn);
    draw({ seq: 9, mark: "sent", too_late: false });
    expect(document.querySelector("[data-test=too-late]")).toBeNull();
  });

  it("says of an act without words that it waits, and lets it be discarded once it was refused", async () => {
    draw({ body: { kind: "closed", reason: "agent" } });
    expect(document.querySelector(".sys .mk")?.getAttribute("title")).toContain("Sending");
    if (drawn) await unmount(drawn);
    const refusal = { code: "taken", assignee: "Wang", said: [] };
    const acts = draw({ body: { kind: "recall" }, mark: "not_sent", refusal });
    expect(document.body.textContent).toContain("Wang has the conversation now");
    expect(button("Edit")).toBeUndefined();
    button("Discard")?.click();
    expect(acts.discard).toHaveBeenCalledOnce();
  });
});

describe("who serves", () => {
  const to = { kind: "assignment" as const, agent: "Wang", me: false, team: "After-sales" };

  it("stands in one line with why", async () => {
    draw({ mine: false, mark: null, body: { ...to, reason: { code: "least_busy", text: "", by: "" } } });
    expect(line()).toEqual(["Assigned to Wang", "After-sales", "The least busy agent"]);
    if (drawn) await unmount(drawn);
    const reason = { code: "transfer", text: "Damaged item", by: "Shan" };
    draw({ mine: false, mark: null, body: { ...to, me: true, reason } });
    expect(line()).toEqual(["Transferred to you by Shan", "After-sales", "Reason: Damaged item"]);
  });

  it("stands without why as long as that isn't known, and why by itself", async () => {
    draw({ mine: false, mark: null, body: { ...to, reason: null } });
    expect(line()).toEqual(["Assigned to Wang", "After-sales"]);
    if (drawn) await unmount(drawn);
    draw({ mine: false, mark: null, body: { kind: "reason", code: "no_room", text: "", by: "" } });
    expect(line()).toEqual(["All agents online are at capacity"]);
  });
});
