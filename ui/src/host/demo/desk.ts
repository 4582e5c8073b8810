// The demo's whole state: conversations, lists, connection. It plays the engine and the customers at once.

import type {
  CallError,
  CustomerView,
  DeskEvent,
  DraftView,
  InboxCounts,
  InboxRow,
  InboxSlot,
  InboxTab,
  MeView,
  PresenceView,
  ProofView,
  SyncView,
  TransferTo,
  Waiting,
} from "../../gen/view";
import { people, type Pair, type Person } from "./people";
import { demoPanel, demoTargets } from "./panel";
import { talkOf, type Said } from "./talks";
import { DemoTimeline } from "./timeline";

interface Conversation {
  row: InboxRow;
  customer: CustomerView;
  tags: string[];
  draft: DraftView;
  timeline: DemoTimeline;
}

export interface DemoOptions {
  english: boolean;
  now: () => number;
  /** Nobody writes by themselves: for pictures and tests. */
  still: boolean;
  scene: string;
}

const answerAfter = { writing: 16, sent: 90, delivered: 260, typing: 1800, reply: 4200, read: 2600 };
const longEntries = 100_000;

export function callError(code: string, retryMs = 0): CallError {
  return { code, retry_ms: retryMs };
}

export class DemoDesk {
  readonly options: DemoOptions;
  readonly #conversations = new Map<string, Conversation>();
  readonly #tell: (events: DeskEvent[]) => void;
  #observed: { tab: InboxTab; from: number; count: number } = { tab: "mine", from: 0, count: 0 };
  /** Rows of the list as the window was told it last: only what changed is told again. */
  #told: readonly InboxRow[] = [];
  #sync: SyncView;
  #unsent = new Set<string>();
  #presence: PresenceView = "online";

  constructor(options: DemoOptions, tell: (events: DeskEvent[]) => void) {
    this.options = options;
    this.#tell = tell;
    this.#sync = { state: "up_to_date", as_of_ms: options.now() };
    const mineAreGone = options.scene === "empty" || options.scene === "nobody";
    for (const person of people) {
      if (mineAreGone && person.list === "mine" && (options.scene === "empty" || person.waits !== undefined)) continue;
      if (options.scene === "empty" && person.list === "queue") continue;
      this.#add(person);
    }
    if (options.scene === "offline")
      this.#setSync({
        state: "offline",
        since_ms: options.now() - 9000,
        retry_at_ms: options.now() + 6000,
        reason: "network",
      });
    if (options.scene === "catching")
      this.#setSync({ state: "catching_up", missing: 1818, fetched: 1284, conversations: 4 });
    if (!options.still) this.#live();
  }

  say = (text: Pair): string => text[this.options.english ? 1 : 0];

  me(): MeView {
    return {
      id: "agent-me",
      name: this.say(["沈嘉宁", "Jianing Shen"]),
      login: "shen.jianing",
      gateway: "im.qinghe.example",
      presence: this.#presence,
      lead: true,
      pictures: "",
    };
  }

  conversation(id: string): Conversation {
    const found = this.#conversations.get(id);
    if (!found) throw callError("not_found");
    return found;
  }

  /** Everything a window is told once it listens. */
  greet(): void {
    this.#tell([{ event: "counts", counts: this.#counts() }, this.#mark()]);
  }

  logOut(): void {
    this.#told = [];
    this.#tell([{ event: "me", me: null }]);
  }

  setPresence(presence: PresenceView): void {
    this.#presence = presence;
    this.#tell([{ event: "me", me: this.me() }]);
  }

  observeInbox(tab: InboxTab, from: number, count: number): void {
    const before = this.#observed;
    // Nobody asks for what they have.
    if (before.tab === tab && before.from === from && before.count === count) this.#told = [];
    this.#observed = { tab, from, count };
    this.#tellInbox();
  }

  observeTimeline(id: string, from: number, count: number): void {
    const { timeline, row } = this.conversation(id);
    timeline.watched = !row.mine;
    this.#tell([{ event: "conversation", row }]);
    timeline.observe(from, count);
    if (id === "emily" && this.options.scene !== "offline")
      this.#tell([{ event: "typing", conversation: id, typing: true }]);
  }

  nextWaiting(except: readonly string[]): string | null {
    return (
      this.#list("mine").find((row) => row.waiting !== null && !except.includes(row.conversation))?.conversation ?? null
    );
  }

  send(id: string, messageId: string, text: string, note: boolean): void {
    if (text.trim() === "") throw callError("empty");
    if ([...text].length > 4000) throw callError("too_long");
    const { timeline } = this.conversation(id);
    timeline.write(messageId, {
      body: note ? { kind: "note", text } : { kind: "message", text, language: "" },
      author: "agent",
      author_name: this.me().name,
      agent: "",
      mine: true,
      time_ms: this.options.now(),
      mark: "writing",
      refusal: null,
    });
    this.#unsent.add(messageId);
    this.#changeRow(id, {
      draft: false,
      preview: note ? this.conversation(id).row.preview : text,
      mark: "sending",
      last_ms: this.options.now(),
    });
    this.#later(answerAfter.writing, () =>
      timeline.change(messageId, { mark: this.#offline() ? "waiting_for_network" : "sending" }),
    );
    if (!this.#offline()) this.#later(answerAfter.sent, () => this.#settle(id, messageId, note));
  }

  recall(id: string, messageId: string): void {
    const { timeline } = this.conversation(id);
    const row = timeline.row(timeline.find(messageId));
    const text = row.body.kind === "message" || row.body.kind === "note" ? row.body.text : "";
    timeline.change(messageId, {
      body: { kind: "recalled", edit_again: text, note: row.body.kind === "note" },
      mark: null,
    });
  }

  resend(id: string, messageId: string): void {
    const { timeline } = this.conversation(id);
    timeline.change(messageId, { mark: "sending", refusal: null });
    this.#changeRow(id, { not_sent: 0 });
    this.#later(answerAfter.sent, () => this.#settle(id, messageId, false));
  }

  discard(id: string, messageId: string): void {
    this.conversation(id).timeline.remove(messageId);
    this.#changeRow(id, { not_sent: 0 });
  }

  keep(id: string, messageId: string): void {
    this.conversation(id).timeline.change(messageId, { too_late: false });
  }

  take(id: string): void {
    const now = this.options.now();
    this.#changeRow(id, { status: "open", mine: true, assignee: this.me().name });
    this.conversation(id).timeline.append(this.#assignment(now));
    this.conversation(id).timeline.watched = false;
  }

  transfer(id: string, to: TransferTo): void {
    const targets = demoTargets(this.say);
    const all = [...targets.teams, ...targets.agents];
    this.#changeRow(id, {
      mine: false,
      status: to.to === "team" ? "queued" : "open",
      assignee: to.to === "agent" ? (all.find((target) => target.id === to.id)?.name ?? "") : "",
    });
  }

  close(id: string): void {
    this.#changeRow(id, { status: "closed", waiting: null, draft: false, unread: 0 });
    this.conversation(id).timeline.append({
      ...this.#assignment(this.options.now()),
      body: { kind: "closed", reason: "agent" },
    });
  }

  setTags(id: string, tags: string[]): void {
    this.conversation(id).tags = tags;
    this.#tell([{ event: "customer", panel: this.panel(id) }]);
  }

  panel(id: string) {
    const { customer, tags } = this.conversation(id);
    return demoPanel(id, customer, tags, this.options.now(), this.say);
  }

  markRead(id: string): void {
    if (this.conversation(id).row.unread > 0) this.#changeRow(id, { unread: 0 });
  }

  saveDraft(id: string, draft: DraftView): void {
    const conversation = this.conversation(id);
    conversation.draft = draft;
    const words = draft.text || draft.note;
    if (words !== "" || conversation.row.draft) {
      this.#changeRow(id, { draft: words !== "", preview: words || this.#lastWords(conversation) });
    }
  }

  proof(): ProofView {
    const there = 184_203;
    const here = this.#sync.state === "up_to_date" ? there : there - 6;
    return {
      sync: this.#sync,
      feeds: [
        { name: "", here, there, agrees: here === there },
        { name: this.say(["售后", "After-sales"]), here: 90_117, there: 90_117, agrees: true },
      ],
      conversations: 26,
      gaps: this.#sync.state === "catching_up" ? 4 : 0,
      waiting: this.#waiting(),
      parked: this.#parked(),
      round_trip_ms: this.#sync.state === "offline" ? null : 18,
    };
  }

  checkNow(): void {
    if (this.#sync.state === "up_to_date") this.#setSync({ state: "up_to_date", as_of_ms: this.options.now() });
  }

  reconnect(): void {
    this.#setSync({ state: "catching_up", missing: 12, fetched: 4, conversations: 2 });
    this.#later(900, () => {
      this.#setSync({ state: "up_to_date", as_of_ms: this.options.now() });
      for (const [id, { timeline }] of this.#conversations) {
        for (const messageId of this.#unsent) if (timeline.find(messageId) >= 0) this.#settle(id, messageId, false);
      }
    });
  }

  get unsent(): boolean {
    return this.#waiting() + this.#parked() > 0;
  }

  leaving(): { waiting: number; parked: number } {
    return { waiting: this.#waiting(), parked: this.#parked() };
  }

  #waiting(): number {
    return this.#unsent.size + (this.options.scene === "offline" ? 3 : 0);
  }

  #parked(): number {
    return [...this.#conversations.values()].reduce((sum, { row }) => sum + row.not_sent, 0);
  }

  #offline(): boolean {
    return this.#sync.state === "offline";
  }

  #settle(id: string, messageId: string, note: boolean): void {
    const { timeline } = this.conversation(id);
    this.#unsent.delete(messageId);
    timeline.settle(messageId);
    this.#changeRow(id, { mark: "sent", waiting: note ? this.conversation(id).row.waiting : null });
    if (note) return;
    this.#later(answerAfter.delivered, () => {
      timeline.change(messageId, { mark: "delivered" });
      this.#changeRow(id, { mark: "delivered" });
    });
    if (this.options.still) return;
    this.#later(answerAfter.read, () => timeline.readByCustomer(timeline.lastSeq));
    this.#later(answerAfter.typing, () => this.#tell([{ event: "typing", conversation: id, typing: true }]));
    this.#later(answerAfter.reply, () => this.#incoming(id, ["好的，谢谢", "All right, thank you"]));
  }

  #incoming(id: string, text: Pair): void {
    const conversation = this.conversation(id);
    const now = this.options.now();
    conversation.timeline.append({
      body: { kind: "message", text: this.say(text), language: "" },
      author: "customer",
      author_name: conversation.customer.name,
      agent: "",
      mine: false,
      time_ms: now,
      mark: null,
      refusal: null,
    });
    const { row } = conversation;
    this.#changeRow(id, {
      unread: row.unread + 1,
      last_ms: now,
      mark: null,
      ...(row.draft ? {} : { preview: this.say(text) }),
      waiting: row.waiting ?? { since_ms: now, first: false, target_ms: 180_000 },
    });
    this.#tell([
      { event: "typing", conversation: id, typing: false },
      { event: "attention", conversation: id, customer: row.customer.name, assigned: false, unread: row.unread + 1 },
    ]);
  }

  #live(): void {
    const words: readonly Pair[] = [
      ["还在吗？", "Are you there?"],
      ["我再补充一下，是昨天买的。", "One more thing: I bought it yesterday."],
      ["Can you check the size as well?", "Can you check the size as well?"],
      ["好的，麻烦您了", "All right, thanks for your trouble"],
    ];
    let nth = 0;
    setInterval(() => {
      const rows = this.#list("mine");
      const row = rows[(nth * 7 + 3) % rows.length];
      const text = words[nth % words.length];
      nth += 1;
      if (row && text && !this.#offline()) this.#incoming(row.conversation, text);
    }, 6000);
    setInterval(() => {
      if (this.#sync.state === "up_to_date") this.#setSync({ state: "up_to_date", as_of_ms: this.options.now() });
    }, 5000);
  }

  #add(person: Person): void {
    const now = this.options.now();
    const name = this.say(person.name);
    const customer: CustomerView = {
      id: `customer-${person.id}`,
      name,
      verified: person.id === "chen" || person.id === "sun",
      mobile: person.mobile,
      online: true,
      hue: person.hue,
    };
    const time = (clock: string, daysAgo = 0): number => {
      const date = new Date(now);
      const [hours, minutes] = clock.split(":").map(Number);
      date.setHours(hours ?? 0, minutes ?? 0, 0, 0);
      return date.getTime() - daysAgo * 86_400_000;
    };
    const said = talkOf(person, { say: this.say, time, customer: name, me: this.me().name }, now);
    const parked = said.filter((each) => each.mark === "not_sent").length;
    const words = person.draft ? this.say(person.draft) : this.say(person.words);
    const waiting: Waiting | null =
      person.waits === undefined
        ? null
        : {
            since_ms: now - person.waits * 1000,
            first: person.first === true,
            target_ms: person.first === true ? 60_000 : 180_000,
          };
    const mine = person.list === "mine" || person.list === "closed";
    const row: InboxRow = {
      conversation: person.id,
      customer,
      status: person.list === "queue" ? "queued" : person.list === "closed" ? "closed" : "open",
      assignee: person.list === "team" ? this.say(["王珊", "Shan Wang"]) : mine ? this.me().name : "",
      mine,
      team: this.say(["售后", "After-sales"]),
      preview: words,
      draft: person.draft !== undefined,
      mark: person.mark ?? null,
      unread: person.unread ?? 0,
      waiting,
      last_ms: now - person.last * 1000,
      not_sent: parked,
    };
    const onNote = person.id === "zhou";
    this.#conversations.set(person.id, {
      row,
      customer,
      tags:
        person.id === "chen"
          ? [
              ["老客户", "Regular"],
              ["破损补发", "Damaged"],
              ["偏好顺丰", "Prefers SF"],
            ].map((tag) => this.say(tag as unknown as Pair))
          : [],
      draft: {
        text: onNote ? "" : person.draft ? words : this.#composer(person),
        note: onNote ? words : "",
        on_note: onNote,
      },
      timeline: this.#timeline(person, said),
    });
  }

  #composer(person: Person): string {
    if (person.id !== "chen" || this.options.scene === "empty") return "";
    return this.say([
      "非常抱歉！已为您登记补发，今天 18:00 前从杭州仓发顺丰，单号稍后发您。",
      "So sorry! Your replacement ships from Hangzhou by SF Express before 18:00 today. I will send the tracking number soon.",
    ]);
  }

  #timeline(person: Person, said: Said[]): DemoTimeline {
    const tell = (deltas: Parameters<ConstructorParameters<typeof DemoTimeline>[2]>[0]) =>
      this.#tell([{ event: "timeline", conversation: person.id, deltas }]);
    const first = said[0];
    if (this.options.scene !== "long" || person.id !== "chen" || !first) return new DemoTimeline(person.id, said, tell);
    const start = first.time_ms - longEntries * 90_000;
    const make = (index: number): Said => ({
      ...first,
      author: index % 3 === 0 ? "agent" : "customer",
      mine: index % 3 === 0,
      mark: index % 3 === 0 ? "delivered" : null,
      body: {
        kind: "message",
        text: `${index + 1} · ${this.say(people[index % people.length]?.words ?? ["", ""]).repeat(1 + (index % 4))}`,
        language: "",
      },
      time_ms: start + index * 90_000,
    });
    return new DemoTimeline(person.id, said, tell, { count: longEntries, make });
  }

  #assignment(now: number): Said {
    return {
      body: {
        kind: "assignment",
        agent: this.me().name,
        me: true,
        team: this.say(["售后", "After-sales"]),
        reason: { code: "taken", text: "", by: this.me().name },
      },
      author: "gateway",
      author_name: "",
      agent: "",
      mine: false,
      time_ms: now,
      mark: null,
      refusal: null,
    };
  }

  #lastWords({ timeline, row }: Conversation): string {
    for (let index = timeline.total - 1; index >= 0 && index > timeline.total - 20; index -= 1) {
      const { body } = timeline.row(index);
      if (body.kind === "message") return body.text;
    }
    return row.preview;
  }

  #changeRow(id: string, change: Partial<InboxRow>): void {
    const conversation = this.conversation(id);
    conversation.row = { ...conversation.row, ...change };
    this.#tell([
      { event: "conversation", row: conversation.row },
      { event: "counts", counts: this.#counts() },
      this.#mark(),
    ]);
    this.#tellInbox();
  }

  #list(tab: InboxTab): InboxRow[] {
    const rows = [...this.#conversations.values()].map(({ row }) => row).filter((row) => tabOf(row) === tab);
    return rows.toSorted((one, other) => {
      if (one.waiting && other.waiting) return one.waiting.since_ms - other.waiting.since_ms;
      if (one.waiting || other.waiting) return one.waiting ? -1 : 1;
      return other.last_ms - one.last_ms;
    });
  }

  #tellInbox(): void {
    const { tab, from, count } = this.#observed;
    if (count === 0) return;
    const rows = this.#list(tab);
    const shown = rows.slice(from, from + count);
    const had = new Map(this.#told.map((row, index) => [row, index]));
    this.#told = shown;
    this.#tell([
      {
        event: "inbox",
        delta: {
          tab,
          waiting_count: rows.filter((row) => row.waiting !== null).length,
          total: rows.length,
          from,
          rows: shown.map((row): InboxSlot => had.get(row) ?? row),
        },
      },
    ]);
  }

  #counts(): InboxCounts {
    const first = this.#list("queue")[0]?.waiting;
    const counts: InboxCounts = {
      mine: 0,
      queue: 0,
      team: 0,
      closed: 0,
      waiting: 0,
      queue_since_ms: first?.since_ms ?? 0,
    };
    for (const { row } of this.#conversations.values()) {
      const tab = tabOf(row);
      counts[tab] += 1;
      if (tab === "mine" && row.waiting) counts.waiting += 1;
    }
    return counts;
  }

  #mark(): DeskEvent {
    return {
      event: "sync",
      sync: this.#sync,
      waiting: this.#waiting(),
      parked: this.#parked(),
      round_trip_ms: this.#sync.state === "offline" ? null : 18,
    };
  }

  #setSync(sync: SyncView): void {
    this.#sync = sync;
    this.#tell([this.#mark()]);
  }

  #later(ms: number, run: () => void): void {
    setTimeout(run, ms);
  }
}

function tabOf(row: InboxRow): InboxTab {
  if (row.status === "closed") return "closed";
  if (row.status === "queued") return "queue";
  return row.mine ? "mine" : "team";
}
