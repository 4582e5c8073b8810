import { hex } from "../client/ids";
import type { Act, StoredEntry } from "../client/model";
import type { Status } from "../client/status";
import type { Shown } from "../client/store";
import {
  ActKind,
  AssignmentContentSchema,
  AuthorRole,
  CloseContentSchema,
  CloseReason,
  type Entry,
  EntryKind,
  EntrySchema,
  fromBinary,
  MessageContentSchema,
  RecallContentSchema,
  RefusalCode,
  Stage,
} from "../client/wire";

export type Mark = "pending" | "sent" | "delivered" | "read";
export type Failure =
  "failed" | "failed_long" | "failed_unknown" | "failed_behind" | "lost" | "late" | "recall_failed" | "close_failed";
export type Line =
  "joined" | "waiting_again" | "was_closed" | "was_closed_idle" | "was_closed_own" | "nobody" | "closing" | "reopened";

/** What stands in the log, from top to bottom. */
export type Row =
  | { is: "day"; key: string; timeMs: number }
  | { is: "line"; key: string; timeMs: number; say: Line; name: string }
  | {
      is: "message";
      key: string;
      own: boolean;
      grouped: boolean;
      text: string | null;
      erased: boolean;
      failed: boolean;
      /** The words can be taken back: here, and at the other side. */
      recallable: boolean;
      recalling: boolean;
    }
  | {
      is: "under";
      key: string;
      own: boolean;
      /** Of an agent's words: who they are, for the picture, and their public name. */
      author: string;
      name: string;
      timeMs: number;
      mark: Mark | null;
      act: Act | null;
    }
  | { is: "failure"; key: string; act: Act; why: Failure };

/** Messages of one person within this time are one group, milliseconds. */
const GROUP_MS = 120_000;

interface Message {
  key: string;
  seq: number;
  own: boolean;
  author: string;
  name: string;
  timeMs: number;
  /** Null: recalled, or a body that this page doesn't know. */
  text: string | null;
  erased: boolean;
  act: Act | null;
}

type Item = Message | { line: Line; key: string; name: string; timeMs: number; act?: Act };

const textOf = (content: Uint8Array): string | null => {
  try {
    const { body } = fromBinary(MessageContentSchema, content);
    return body.case === "text" ? body.value : null;
  } catch {
    return null;
  }
};

const lineOf = (entry: Entry): { line: Line; name: string } | null => {
  try {
    if (entry.kind === EntryKind.ASSIGNMENT) {
      const content = fromBinary(AssignmentContentSchema, entry.content);
      const joined = content.agent.length > 0 || content.agentName !== "";
      return { line: joined ? "joined" : "waiting_again", name: content.agentName };
    }
    if (entry.kind === EntryKind.CLOSE) {
      const { reason } = fromBinary(CloseContentSchema, entry.content);
      if (reason === CloseReason.CUSTOMER) return { line: "was_closed_own", name: "" };
      return { line: reason === CloseReason.IDLE ? "was_closed_idle" : "was_closed", name: "" };
    }
    return entry.kind === EntryKind.REOPEN ? { line: "reopened", name: "" } : null;
  } catch {
    return null;
  }
};

const itemOf = (stored: StoredEntry): Item | null => {
  const entry = fromBinary(EntrySchema, stored.bytes);
  const { id: key, seq, timeMs, author } = stored;
  if (entry.kind !== EntryKind.MESSAGE) {
    const line = lineOf(entry);
    return line ? { key, timeMs, ...line } : null;
  }
  const own = entry.authorRole === AuthorRole.CUSTOMER;
  const text = entry.erased ? null : textOf(entry.content);
  return { key, seq, own, author, name: entry.authorName, timeMs, text, erased: entry.erased, act: null };
};

const actItem = (act: Act, key: string, me: string): Message => ({
  key,
  seq: 0,
  own: true,
  author: me,
  name: "",
  timeMs: act.doneMs,
  text: textOf(act.content),
  erased: false,
  act,
});

const markOf = (message: Message, marks: Status["marks"]): Mark => {
  if (message.act) return "pending";
  if (message.seq <= marks.read) return "read";
  return message.seq <= marks.delivered ? "delivered" : "sent";
};

const failureOf = (act: Act): Failure | null => {
  if (act.state === "lost") return "lost";
  if (act.state === "late") return "late";
  if (act.state !== "parked") return null;
  if (act.kind === ActKind.RECALL) return "recall_failed";
  if (act.kind === ActKind.CLOSE) return "close_failed";
  if (act.behind) return "failed_behind";
  if (act.code === RefusalCode.TOO_LONG) return "failed_long";
  return act.code === RefusalCode.UNKNOWN ? "failed_unknown" : "failed";
};

const day = (timeMs: number): string => new Date(timeMs).toDateString();

/** Whether the second stands in one group with the first. While offline, what waits stands apart from what was sent. */
const joins = (first: Item | undefined, second: Item | undefined, live: boolean): boolean =>
  first !== undefined &&
  second !== undefined &&
  !("line" in first) &&
  !("line" in second) &&
  first.own === second.own &&
  first.erased === second.erased &&
  (first.own || first.author === second.author) &&
  (live || (first.act === null) === (second.act === null)) &&
  !(first.act && failureOf(first.act)) &&
  second.timeMs - first.timeMs < GROUP_MS &&
  day(first.timeMs) === day(second.timeMs);

const targetOf = (recall: Act): string => {
  try {
    return hex(fromBinary(RecallContentSchema, recall.content).id);
  } catch {
    return "";
  }
};

/** What isn't settled, by what it is to a reader. */
const unsettled = (acts: readonly Act[], known: ReadonlySet<string>, me: string) => {
  const shown = acts.filter((act) => act.state !== "voided");
  const recalls = shown.filter((act) => act.kind === ActKind.RECALL);
  const items = shown
    .filter((act) => act.state !== "late")
    .flatMap((act): Item[] => {
      // Should an entry with other words have its id (a copied browser's), the act keeps a row of its own.
      const key = known.has(act.id) ? `act-${act.id}` : act.id;
      if (act.kind === ActKind.MESSAGE) return [actItem(act, key, me)];
      if (act.kind !== ActKind.CLOSE) return [];
      return [{ line: "closing", key, name: "", timeMs: act.doneMs, act }];
    });
  const late = new Map(shown.filter((act) => act.state === "late").map((act) => [act.id, act]));
  return { items, late, recalls: new Map(recalls.map((act) => [targetOf(act), act])) };
};

/** The log as rows: days, lines of what happened, messages in groups with their marks, and what isn't settled last. */
export const rowsOf = (shown: Shown, status: Status, live = true): Row[] => {
  const settled = shown.entries.map(itemOf).filter((item) => item !== null);
  const known = new Set(settled.map((item) => item.key));
  const open = unsettled(shown.acts, known, status.me);
  const items: Item[] = [...settled, ...open.items];
  // It waits, and nobody is there: said in full here, since the head has room for few words.
  const lowest = items.map((item) => "line" in item).lastIndexOf(true);
  const last = items[lowest];
  if (status.stage === Stage.NOBODY_ONLINE && last && "line" in last && last.line === "waiting_again")
    items[lowest] = { ...last, line: "nobody" };
  return items.flatMap((item, at): Row[] => {
    const [before, after] = [items[at - 1], items[at + 1]];
    const rows: Row[] = [];
    const { key, timeMs, name } = item;
    if (!before || day(before.timeMs) !== day(timeMs)) rows.push({ is: "day", key: `day-${key}`, timeMs });
    if ("line" in item) {
      const failure = item.act && failureOf(item.act);
      if (item.act && failure) return [...rows, { is: "failure", key, act: item.act, why: failure }];
      return [...rows, { is: "line", key, timeMs, say: item.line, name }];
    }
    const { act, own, author, text, erased } = item;
    const why = act && failureOf(act);
    const grouped = joins(before, item, live);
    const recall = open.recalls.get(key);
    const recalling = recall?.state === "waiting" && !erased;
    const recallable = own && !act && text !== null && recall === undefined;
    rows.push({ is: "message", key, own, grouped, text, erased, failed: why !== null, recallable, recalling });
    const under = `under-${key}`;
    if (act && why) return [...rows, { is: "failure", key: under, act, why }];
    const told = erased ? undefined : (open.late.get(key) ?? (recall?.state === "parked" ? recall : undefined));
    if (told) rows.push({ is: "failure", key: `told-${key}`, act: told, why: failureOf(told) ?? "failed" });
    const mark = own && !erased ? markOf(item, status.marks) : null;
    if (!joins(item, after, live))
      rows.push({ is: "under", key: under, own, author, name: own ? "" : name, timeMs, mark, act });
    return rows;
  });
};

export interface Unread {
  count: number;
  last: string;
  lastName: string;
  head: number;
}

/** Messages of agents above the own read position. */
export const unreadOf = (shown: Shown, read: number): Unread => {
  const unread: Unread = { count: 0, last: "", lastName: "", head: 0 };
  for (const stored of shown.entries) {
    unread.head = Math.max(unread.head, stored.seq);
    if (stored.seq <= read) continue;
    const entry = fromBinary(EntrySchema, stored.bytes);
    if (entry.kind !== EntryKind.MESSAGE || entry.authorRole !== AuthorRole.AGENT || entry.erased) continue;
    unread.count += 1;
    unread.last = textOf(entry.content) ?? "";
    unread.lastName = entry.authorName;
  }
  return unread;
};
