// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { create, EntryKind, EntrySchema, AuthorRole, MessageContentSchema, Stage, toBinary } from "../client/wire";
import type { Act, StoredEntry } from "../client/model";
import { firstStatus } from "../client/status";
import { withLinks } from "./links";
import { Page, type PageActs } from "./page";
import { h } from "./element";

const entry = (seq: number, text: string, authorRole = AuthorRole.AGENT): StoredEntry => {
  const content = toBinary(MessageContentSchema, create(MessageContentSchema, { body: { case: "text", value: text } }));
  const [id, timeMs] = [new Uint8Array(16).fill(seq), BigInt(Date.now())];
  const fields = { seq: BigInt(seq), id, kind: EntryKind.MESSAGE, timeMs, authorRole, authorName: "沈佳宁", content };
  const bytes = toBinary(EntrySchema, create(EntrySchema, fields));
  return { seq, id: String(seq), author: authorRole === AuthorRole.AGENT ? "a" : "me", timeMs: Date.now(), bytes };
};

const waiting = (id: string, state: Act["state"]): Act => ({
  place: 1,
  id,
  kind: 1,
  base: 0,
  doneMs: Date.now(),
  state,
  code: 0,
  behind: false,
  seq: 0,
  content: toBinary(MessageContentSchema, create(MessageContentSchema, { body: { case: "text", value: id } })),
});

const shown = (text: string) => h("div", {}, ...withLinks(text));

describe("links", () => {
  it("only http and https become links, shown as written, without the page as opener", () => {
    const element = shown("看 https://example.com/a?b=1，或 javascript:alert(1) data:text/html,x http://x.y.");
    const links = [...element.querySelectorAll("a")];
    expect(links.map((link) => link.textContent)).toEqual(["https://example.com/a?b=1", "http://x.y"]);
    expect(links.every((link) => link.rel === "noopener noreferrer" && link.target === "_blank")).toBe(true);
  });

  it("markup is text", () => {
    const text = `<img src=x onerror=alert(1)> "https://a.b/"><script>`;
    expect(shown(text).textContent).toBe(text);
    expect(shown(text).querySelector("img, script")).toBeNull();
  });
});

const text = () => document.body.textContent;
const field = () => document.querySelector("textarea") as HTMLTextAreaElement;
const press = (init: KeyboardEventInit) =>
  field().dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", cancelable: true, ...init }));
const type = (value: string) => {
  field().value = value;
  field().dispatchEvent(new Event("input"));
};

describe("the page", () => {
  const acts = {
    write: vi.fn<PageActs["write"]>(() => Promise.resolve()),
    resend: vi.fn<PageActs["resend"]>(),
    discard: vi.fn<PageActs["discard"]>(),
    typing: vi.fn<PageActs["typing"]>(),
    markRead: vi.fn<PageActs["markRead"]>(),
    older: vi.fn<PageActs["older"]>(),
    minimise: vi.fn<PageActs["minimise"]>(),
    unread: vi.fn<PageActs["unread"]>(),
  };
  const brand = { name: "青禾家居", shortName: "青禾", greeting: "您好" };
  const live = { ...firstStatus(), connection: "live" as const, me: "me" };
  let page: Page;

  beforeEach(() => {
    vi.clearAllMocks();
    document.body.replaceChildren(h("div", { id: "chat" }));
    const root = document.querySelector<HTMLElement>("#chat") as HTMLElement;
    page = new Page(root, { locale: "zh-CN", embedded: false, durable: true, brand }, acts);
    page.tell(live);
  });

  it("Enter sends, but not with Shift, nor when it ends a composition", () => {
    type("你好");
    press({ isComposing: true });
    press({ keyCode: 229 });
    press({ shiftKey: true });
    expect(acts.write).not.toHaveBeenCalled();
    press({});
    expect(acts.write).toHaveBeenCalledExactlyOnceWith("你好");
    expect(field().value).toBe("");
  });

  it("a text that wasn't stored is put back before what was typed since", async () => {
    acts.write.mockRejectedValueOnce(new Error("full"));
    type("first");
    press({});
    type("second");
    await vi.waitFor(() => expect(field().value).toBe("first\nsecond"));
    expect(text()).toContain("消息没有保存");
  });

  it("tells who serves, how many are ahead, and that it is closed", () => {
    page.tell({ ...live, stage: Stage.QUEUED, ahead: 3 });
    expect(text()).toContain("前面还有 3 位");
    page.tell({ ...live, stage: Stage.SERVED, agentName: "沈佳宁" });
    expect(text()).toContain("沈佳宁 为您服务");
    page.tell({ ...live, stage: Stage.CLOSED });
    expect(text()).toContain("会话已关闭");
  });

  it("marks go from sent over delivered to read, and a failed one can be sent again or discarded", () => {
    page.show({ entries: [entry(1, "hi", AuthorRole.CUSTOMER)], more: false, acts: [] });
    expect(text()).toContain("已发送");
    page.tell({ ...live, marks: { delivered: 1, read: 0 } });
    expect(text()).toContain("已送达");
    page.tell({ ...live, marks: { delivered: 1, read: 1 } });
    expect(text()).toContain("已读");
    const failed = waiting("no", "parked");
    page.show({ entries: [], more: false, acts: [failed] });
    const [resend, discard] = [...document.querySelectorAll<HTMLButtonElement>(".under.bad button")];
    resend?.click();
    discard?.click();
    expect(acts.resend).toHaveBeenCalledWith(failed);
    expect(acts.discard).toHaveBeenCalledWith(failed);
  });

  it("what is hidden is unread, in the title too; what is seen is read", () => {
    page.setOpen(false);
    page.show({ entries: [entry(1, "在的")], more: false, acts: [] });
    expect(document.title).toBe("(1) 青禾家居 · 在线客服");
    expect(acts.unread).toHaveBeenLastCalledWith(1);
    expect(acts.markRead).not.toHaveBeenCalled();
    page.setOpen(true);
    expect(acts.markRead).toHaveBeenCalledWith(1);
    expect(document.title).toBe("青禾家居 · 在线客服");
  });

  it("a brand that isn't there takes no words", () => {
    page.tell({ ...live, connection: "refused", refusal: "BRAND" });
    expect(field().disabled).toBe(true);
    expect(text()).toContain("这个聊天不存在");
  });
});
