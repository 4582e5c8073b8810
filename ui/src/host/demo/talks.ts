// What was said in the demo's conversations.

import type { ReasonView, RefusalView, TimelineRow } from "../../gen/view";
import { people, type Pair, type Person } from "./people";

const minute = 60_000;

/** A row before it has its place: ids, Seq and day are filled in by the timeline. */
export type Said = Omit<TimelineRow, "key" | "message" | "seq" | "new_day" | "joined" | "first_unread" | "too_late"> & {
  unread?: boolean;
};

interface Teller {
  say: (text: Pair) => string;
  /** Today at that time, milliseconds. */
  time: (clock: string, daysAgo?: number) => number;
  customer: string;
  me: string;
}

function from(teller: Teller) {
  const base = { author_name: "", agent: "", mine: false, mark: null, refusal: null };
  return {
    customer: (clock: string, text: Pair, unread = false, daysAgo = 0): Said => ({
      ...base,
      body: { kind: "message", text: teller.say(text), language: /^[\x20-\x7e]/.test(text[0]) ? "en" : "" },
      author: "customer",
      author_name: teller.customer,
      time_ms: teller.time(clock, daysAgo),
      unread,
    }),
    agent: (
      clock: string,
      text: Pair,
      mark: TimelineRow["mark"] = "delivered",
      refusal: RefusalView | null = null,
      daysAgo = 0,
    ): Said => ({
      ...base,
      body: { kind: "message", text: teller.say(text), language: "" },
      author: "agent",
      author_name: teller.me,
      mine: true,
      mark,
      refusal,
      time_ms: teller.time(clock, daysAgo),
    }),
    note: (clock: string, by: Pair, text: Pair): Said => ({
      ...base,
      body: { kind: "note", text: teller.say(text) },
      author: "agent",
      author_name: teller.say(by),
      mark: "sent",
      time_ms: teller.time(clock),
    }),
    assigned: (clock: string, reason: ReasonView | null = null): Said => ({
      ...base,
      body: { kind: "assignment", agent: teller.me, me: true, team: teller.say(["售后", "After-sales"]), reason },
      author: "gateway",
      time_ms: teller.time(clock),
    }),
    because: (code: string, text: Pair, by: Pair): ReasonView => ({ code, text: teller.say(text), by: teller.say(by) }),
    closed: (clock: string, daysAgo: number): Said => ({
      ...base,
      body: { kind: "closed", reason: "agent" },
      author: "gateway",
      time_ms: teller.time(clock, daysAgo),
    }),
    reopened: (clock: string): Said => ({
      ...base,
      body: { kind: "reopened" },
      author: "gateway",
      time_ms: teller.time(clock),
    }),
    recalled: (clock: string, text: Pair): Said => ({
      ...base,
      body: { kind: "recalled", edit_again: teller.say(text), note: false },
      author: "agent",
      author_name: teller.me,
      mine: true,
      time_ms: teller.time(clock),
    }),
  };
}

type Row = ReturnType<typeof from>;

function both(text: string): Pair {
  return [text, text];
}

function clockOf(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 5);
}

const talks: Record<string, (row: Row) => Said[]> = {
  chen: (row) => [
    row.customer("20:41", ["雾白和雾蓝哪个耐脏一点？", "Which shows stains less, fog white or fog blue?"], false, 9),
    row.agent(
      "20:42",
      [
        "雾蓝更耐脏，雾白更百搭。两款都是磨砂面，好擦洗。",
        "Fog blue hides stains better. Both are matte and easy to wipe.",
      ],
      "delivered",
      null,
      9,
    ),
    row.customer("20:44", ["那就雾白吧，谢谢", "Fog white then, thanks"], false, 9),
    row.closed("21:20", 9),
    row.assigned("14:18", row.because("transfer", ["破损补发", "Damaged item"], ["王珊", "Shan Wang"])),
    row.note(
      "14:19",
      ["王珊", "Shan Wang"],
      [
        "上次补发走的顺丰。别走中通，她那边总丢件。",
        "Last replacement went by SF. Avoid ZTO, her depot loses parcels.",
      ],
    ),
    row.customer("14:20", ["收到了，可是杯子是坏的", "It came, but the mug is broken"]),
    row.customer("14:20", ["杯口这里有一道裂纹，能换新的吗？", "There is a crack at the rim. Can I get a new one?"]),
    row.agent("14:21", [
      "真抱歉给您添麻烦了！麻烦把订单号发我，我马上看。",
      "So sorry about that! Please send me the order number and I will look right away.",
    ]),
    row.customer(
      "14:25",
      ["SO-2411-20931，青禾保温壶 1.2 L，雾白", "SO-2411-20931, Qinghe flask 1.2 L, fog white"],
      true,
    ),
    row.customer("14:26", ["就是这单，昨天下午刚签收的。", "This one, it arrived yesterday afternoon."], true),
    row.customer("14:26", ["能今天发吗？急用", "Can it ship today? I need it"], true),
  ],
  emily: (row) => {
    return [
      row.assigned("14:08", row.because("from_queue", ["", ""], ["", ""])),
      row.customer(
        "14:08",
        both(
          "Hi! I ordered the oak desk lamp last week. Could you deliver it before Friday? I'm leaving for Shanghai on Saturday.",
        ),
      ),
      row.agent("14:10", both("Happy to check. Is it the 45 cm one? https://shop.example/lamps/qh-lmp-045")),
      row.customer("14:11", both("Yes, the 45 cm one.")),
      row.recalled("14:12", both("It leaves tomorrow.")),
      row.agent("14:13", both("It leaves Hangzhou tonight and arrives on Thursday."), "delivered"),
      row.agent("14:13", both("The waybill is SF1402 7731 8831."), "read"),
      row.customer("14:29", both("Thanks. The invoice should say Carter Studio Ltd."), true),
      row.agent("14:32", both("Of course. Does the tax number end in 4471?"), "sending"),
    ];
  },
  huang: (row) => [
    row.assigned("13:58"),
    row.customer("14:00", ["我的订单怎么还没发货？", "Why has my order not shipped?"]),
    row.agent("14:02", [
      "您好，仓库这边正在核实，请您稍等。",
      "Hello, the warehouse is checking, please give me a moment.",
    ]),
    row.customer(
      "14:19",
      ["都三天了还没发货，到底什么情况？", "Three days and still not shipped, what is going on?"],
      true,
    ),
    row.customer("14:23", ["在吗？？", "Anyone there??"], true),
    row.customer("14:28", ["再不回我就申请退款了", "I will ask for a refund if nobody answers"], true),
  ],
  zhou: (row) => [
    row.assigned("14:26"),
    row.customer("14:27", ["发票抬头写错了，可以重开吗？", "The invoice title is wrong, can you issue it again?"]),
    row.agent("14:28", ["可以的，请把正确的抬头和税号发我。", "Sure, please send me the right title and tax number."]),
    row.customer("14:30", [
      "杭州青柠文化创意有限公司，税号 91330106MA2XQ7T31B",
      "Lime Creative Ltd, tax number 91330106MA2XQ7T31B",
    ]),
    row.agent("14:31", ["好的，新发票 10 分钟内发到您邮箱。", "The new invoice comes in 10 minutes."], "not_sent", {
      code: "too_long",
      assignee: "",
      said: [],
    }),
  ],
};

/** What was said with a person so far. */
export function talkOf(person: Person, teller: Teller, now: number): Said[] {
  const row = from(teller);
  const told = talks[person.id];
  if (told) return told(row);
  const last = now - person.last * 1000;
  const opening: Said[] = person.list === "queue" ? [] : [{ ...row.assigned("00:00"), time_ms: last - 9 * minute }];
  const hello = { ...row.customer(clockOf(last), ["你好", "Hello"]), time_ms: last - 8 * minute };
  if (person.waits !== undefined || person.mark === undefined) {
    return [
      ...opening,
      hello,
      { ...row.customer(clockOf(last), person.words), time_ms: last, unread: (person.unread ?? 0) > 0 },
    ];
  }
  return [...opening, hello, { ...row.agent(clockOf(last), person.words, person.mark), time_ms: last }];
}

export function personOf(id: string): Person | undefined {
  return people.find((person) => person.id === id);
}
