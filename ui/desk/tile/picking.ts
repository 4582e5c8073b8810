import type { TimelineRow } from "../../src/gen/view";

/** Messages and notes can be chosen; lines that say what happened can't. */
export function choosable(row: TimelineRow | undefined): row is TimelineRow {
  return row?.body.kind === "message" || row?.body.kind === "note";
}

/** What the gateway may still take back: own words that it has. */
export function recallable(row: TimelineRow): boolean {
  return row.mine && row.seq !== null && choosable(row);
}

/** Own words that wait for the gateway: its fate decides whether they were sent. */
export function discardable(row: TimelineRow): boolean {
  return row.mine && choosable(row) && (row.mark === "waiting_for_network" || row.mark === "overdue");
}

/** The next choosable row from `index` on, in steps of `by`; undefined: none that is here. */
export function nextChoosable(
  rows: { total: number; row(index: number): TimelineRow | undefined },
  index: number,
  by: 1 | -1,
): TimelineRow | undefined {
  for (let at = index + by; at >= 0 && at < rows.total; at += by) {
    const row = rows.row(at);
    if (row === undefined) return undefined;
    if (choosable(row)) return row;
  }
  return undefined;
}

const JOINED_MS = 3 * 60_000;

/** Own words as they stand before the engine has answered. */
export function ownRow(
  id: string,
  text: string,
  note: boolean,
  timeMs: number,
  before: TimelineRow | undefined,
): TimelineRow {
  const sameDay = before !== undefined && new Date(before.time_ms).toDateString() === new Date(timeMs).toDateString();
  const kind = note ? "note" : "message";
  return {
    key: id,
    message: id,
    seq: null,
    body: note ? { kind: "note", text } : { kind: "message", text, language: "" },
    author: "agent",
    author_name: "",
    agent: "",
    mine: true,
    time_ms: timeMs,
    mark: "writing",
    refusal: null,
    new_day: !sameDay,
    joined: sameDay && before.mine && before.body.kind === kind && timeMs - before.time_ms < JOINED_MS,
    first_unread: false,
    too_late: false,
  };
}
