// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  AssignmentContentSchema,
  create,
  fromBinary,
  EntryKind,
  EntrySchema,
  AuthorRole,
  MessageContentSchema,
  Stage,
  toBinary,
} from "../client/wire";
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
  life: 1,
  content: toBinary(MessageContentSchema, create(MessageContentSchema, { body: { case: "text", value: id } })),
});

/** An agent's words, and the customer's after them. */
const answered = (key: number) => ({
  entries: [entry(key, "您好"), { ...entry(key + 1, "在吗", AuthorRole.CUSTOMER), author: "me" }],
  more: false,
  acts: [],
});

const shown = (text: string) => h("div", {}, ...withLinks(text));

describe("links", () => {
  it("only http and https become links, shown as written, without the page as opener", () => {
    const element = shown("看 https://example.com/a?b=1，或 javascript:alert(1) data:text/html,x http://x.y.");
    const links = [...element.querySelectorAll("a")];
    expect(links.map((link) => link.textContent)).toEqual(["https://example.com/a?b=1", "http://x.y"]);
    expect(links.every((link) => link.rel === "noopener noreferrer" && link.target === "_blank")).toBe(true);
  });

  it("a link tells its host in plain letters, and one that pretends is no link", () => {
    const element = shown("https://аpple.example/a https://shop.example@evil.example/");
    expect([...element.querySelectorAll("a")].map((link) => link.title)).toEqual(["在新窗口打开 xn--pple-43d.example"]);
  });

  it("markup is text", () => {
    const text = `<img src=x onerror=alert(1)> "https://a.b/"><script>`;
    expect(shown(text).textContent).toBe(text);
    expect(shown(text).querySelector("img, script")).toBeNull();
  });
});

const text = () => document.body.textContent;
const pictures = () => document.querySelectorAll<HTMLImageElement>(".under .av img");
const line = () => document.querySelector(".ch-h .meta")?.textContent;
const field = () => document.querySelector("textarea") as HTMLTextAreaElement;
const press = (init: KeyboardEventInit) =>
  field().dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", cancelable: true, ...init }));
const type = (value: string) => {
  field().value = value;
  field().dispatchEvent(new Event("input"));
};

const erased = (stored: StoredEntry): StoredEntry => {
  const bare = { ...fromBinary(EntrySchema, stored.bytes), erased: true, content: new Uint8Array() };
  return { ...stored, bytes: toBinary(EntrySchema, bare) };
};
const buttonOf = (label: string, within: string) =>
  [...document.querySelectorAll<HTMLButtonElement>(`${within} button`)].find((one) => one.textContent === label);
const menu = (): (string | null)[] => {
  document.querySelector<HTMLButtonElement>(".more > button")?.click();
  const items = [...document.querySelectorAll(".menu button")].map((item) => item.textContent);
  document.querySelector<HTMLButtonElement>(".more > button")?.click();
  return items;
};
const choose = (label: string) => {
  document.querySelector<HTMLButtonElement>(".more > button")?.click();
  buttonOf(label, ".menu")?.click();
};
const answer = (label: string) => buttonOf(label, "dialog")?.click();

// jsdom has no modal dialogs.
HTMLDialogElement.prototype.showModal = function showModal() {
  this.open = true;
};
HTMLDialogElement.prototype.close = function close() {
  this.open = false;
};

describe("the page", () => {
  const acts = {
    write: vi.fn<PageActs["write"]>(() => Promise.resolve()),
    resend: vi.fn<PageActs["resend"]>(),
    discard: vi.fn<PageActs["discard"]>(),
    recall: vi.fn<PageActs["recall"]>(),
    closeConversation: vi.fn<PageActs["closeConversation"]>(),
    logOut: vi.fn<PageActs["logOut"]>(),
    answerSwitch: vi.fn<PageActs["answerSwitch"]>(),
    draft: vi.fn<PageActs["draft"]>(),
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

  it("an agent's picture stands by their name, or its first sign where there is none", () => {
    page.show(answered(1));
    expect([...pictures()].map((picture) => picture.getAttribute("src"))).toEqual(["../v1/avatars/a"]);
    pictures()[0]?.dispatchEvent(new Event("error"));
    expect(pictures()).toHaveLength(0);
    expect(document.querySelector(".under .av")?.textContent).toBe("沈");
    // Nobody asks again for what isn't there.
    page.show(answered(3));
    expect(document.querySelectorAll(".under .av")).toHaveLength(1);
    expect(pictures()).toHaveLength(0);
  });

  it("the head says how soon answers usually come, where somebody is there and it is known", () => {
    page.tell({ ...live, stage: Stage.QUEUED, ahead: 99 });
    expect(text()).toContain("前面还有 99 位以上");
    page.tell({ ...live, stage: Stage.SERVED, agentName: "沈佳宁", replyMinutes: 1 });
    expect(line()).toBe("沈佳宁 为您服务通常 1 分钟内回复");
    page.tell({ ...live, stage: Stage.SERVED, agentName: "沈佳宁", replyMinutes: 5 });
    expect(line()).toContain("通常 5 分钟内回复");
    page.tell({ ...live, stage: Stage.SERVED, agentName: "沈佳宁", replyMinutes: 0 });
    expect(line()).toBe("沈佳宁 为您服务");
    page.tell({ ...live, stage: Stage.NOBODY_ONLINE, replyMinutes: 5 });
    expect(line()).not.toContain("分钟");
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

  it("where nobody is online, the log says so in full", () => {
    const content = toBinary(AssignmentContentSchema, create(AssignmentContentSchema, {}));
    const fields = { seq: 2n, id: new Uint8Array(16).fill(2), kind: EntryKind.ASSIGNMENT, timeMs: 1n, content };
    const bytes = toBinary(EntrySchema, create(EntrySchema, fields));
    const queued = { seq: 2, id: "2", author: "", timeMs: Date.now(), bytes };
    page.show({ entries: [entry(1, "有人吗", AuthorRole.CUSTOMER), queued], more: false, acts: [] });
    expect(text()).toContain("正在为您安排客服");
    page.tell({ ...live, stage: Stage.NOBODY_ONLINE });
    expect(text()).toContain("请留言，上线后回复您");
    expect(text()).not.toContain("正在为您安排客服");
  });

  it("a recalled message takes no mark from the one above it", () => {
    const [one, two] = [entry(1, "一", AuthorRole.CUSTOMER), entry(2, "二", AuthorRole.CUSTOMER)];
    page.show({ entries: [one, erased(two)], more: false, acts: [] });
    expect(document.querySelectorAll(".mark")).toHaveLength(1);
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

  it("words that weren't taken stand beside others that have their id", () => {
    const own = entry(1, "另一台电脑写的", AuthorRole.CUSTOMER);
    const act = { ...waiting("1", "parked"), content: waiting("这里写的", "parked").content };
    page.show({ entries: [own], more: false, acts: [act] });
    const bubbles = [...document.querySelectorAll(".b.out")];
    expect(bubbles.map((bubble) => bubble.firstChild?.textContent)).toEqual(["另一台电脑写的", "这里写的"]);
    expect(document.querySelectorAll(".under.bad button")).toHaveLength(2);
    page.show({ entries: [own], more: false, acts: [] });
    expect(text()).toContain("另一台电脑写的");
    expect(text()).not.toContain("这里写的");
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

  it("an own message can be recalled, and its words written again", () => {
    const own = entry(1, "说错了", AuthorRole.CUSTOMER);
    page.show({ entries: [own, entry(2, "在的")], more: false, acts: [] });
    const takes = [...document.querySelectorAll<HTMLButtonElement>(".take")];
    expect(takes.map((take) => take.getAttribute("aria-label"))).toEqual(["撤回"]);
    takes[0]?.click();
    expect(acts.recall).toHaveBeenCalledWith("1");
    page.show({ entries: [erased(own)], more: false, acts: [] });
    expect(text()).not.toContain("说错了");
    expect(text()).toContain("您撤回了一条消息");
    document.querySelector<HTMLButtonElement>(".b.gone button")?.click();
    expect(field().value).toBe("说错了");
  });

  it("what was discarded too late is offered to be recalled", () => {
    const own = entry(1, "发出去了", AuthorRole.CUSTOMER);
    page.show({ entries: [own], more: false, acts: [waiting("1", "late")] });
    expect(text()).toContain("这条已经发出");
    const buttons = [...document.querySelectorAll<HTMLButtonElement>(".under button")];
    expect(buttons.map((button) => button.textContent)).toEqual(["撤回", "保留"]);
    buttons[0]?.click();
    expect(acts.recall).toHaveBeenCalledWith("1");
  });

  it("ending the conversation is asked about, and only an open one can be ended", async () => {
    page.tell({ ...live, stage: Stage.CLOSED });
    expect(menu()).toEqual(["退出并清除记录"]);
    page.tell({ ...live, stage: Stage.SERVED, agentName: "沈佳宁" });
    expect(menu()).toEqual(["结束会话", "退出并清除记录"]);
    choose("结束会话");
    expect(document.activeElement?.textContent).toBe("取消");
    answer("取消");
    await Promise.resolve();
    choose("结束会话");
    answer("结束会话");
    await vi.waitFor(() => expect(acts.closeConversation).toHaveBeenCalledOnce());
  });

  it("logging out asks, and says how much is unsent", async () => {
    page.show({ entries: [], more: false, acts: [waiting("a", "parked"), waiting("b", "voided")] });
    choose("退出并清除记录");
    expect(document.querySelector("dialog")?.textContent).toContain("还有 1 项没有发出");
    answer("退出并清除");
    await vi.waitFor(() => expect(acts.logOut).toHaveBeenCalledOnce());
    type("former words");
    page.tell({ ...live, life: 1 });
    page.tell({ ...live, life: 2 });
    expect(field().value).toBe("");
  });

  it("another identity with something unsent is a question", async () => {
    page.tell({ ...live, switching: 2 });
    expect(document.querySelector("dialog")?.textContent).toContain("还有 2 项没有发出");
    answer("取消");
    await vi.waitFor(() => expect(acts.answerSwitch).toHaveBeenCalledWith(false));
  });

  it("what was typed before a reload stands there again, unless something is typed already", () => {
    type("a");
    expect(acts.draft).toHaveBeenLastCalledWith("a");
    page.restoreDraft("from before");
    expect(field().value).toBe("a");
    type("");
    page.restoreDraft("from before");
    expect(field().value).toBe("from before");
  });

  it("a brand that isn't there takes no words", () => {
    page.tell({ ...live, connection: "refused", refusal: "BRAND" });
    expect(field().disabled).toBe(true);
    expect(text()).toContain("这个聊天不存在");
  });
});
