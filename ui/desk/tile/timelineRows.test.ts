import { beforeEach, describe, expect, it } from "vitest";
import type { TimelineDelta, TimelineRow, TimelineView } from "../../src/gen/view";
import type { RowChange } from "../../src/list/rowSource";
import { nextChoosable, ownRow } from "./picking";
import { TimelineRows } from "./timelineRows";

const row = (key: string, seq: number | null = null, part: Partial<TimelineRow> = {}): TimelineRow => ({
  key,
  seq,
  body: { kind: "message", text: key, language: "" },
  author: "customer",
  author_name: "",
  agent: "",
  mine: false,
  time_ms: 0,
  mark: null,
  refusal: null,
  new_day: false,
  joined: false,
  first_unread: false,
  too_late: false,
  ...part,
});

const view = (keys: string[], from: number, total: number, floor = 1): TimelineView => ({
  conversation: "c",
  total,
  floor,
  from,
  rows: keys.map((key, at) => row(key, floor + from + at)),
  first_unread: null,
  customer_read: 0,
  watched: false,
});

const own = (key: string) => ownRow(key, key, false, 1000, undefined);
const keys = (rows: TimelineRows) => Array.from({ length: rows.total }, (_, index) => rows.key(index));

let asked: [number, number][];
let told: RowChange[];
let rows: TimelineRows;

function apply(...deltas: TimelineDelta[]) {
  for (const delta of deltas) rows.apply(delta);
}

beforeEach(() => {
  asked = [];
  told = [];
  rows = new TimelineRows((from, count) => asked.push([from, count]));
  rows.subscribe((change) => told.push(change));
  apply({ op: "reset", view: view(["a", "b", "c"], 2, 5) });
  told.length = 0;
});

describe("a timeline's rows", () => {
  it("stand at absolute indices; what isn't here has the key that the engine would give it", () => {
    expect(keys(rows)).toEqual(["seq:1", "seq:2", "a", "b", "c"]);
    expect(rows.indexOf("b")).toBe(3);
    expect(rows.indexOfSeq(4)).toBe(3);
  });

  it("follow inserts, updates, moves and removals", () => {
    apply(
      { op: "insert", index: 5, rows: [row("d", 6), row("e")] },
      { op: "update", index: 3, row: row("b", 4, { mark: "read" }) },
      { op: "move", from: 6, to: 5, row: row("e", 6) },
      { op: "remove", index: 2, count: 1 },
    );
    expect(keys(rows)).toEqual(["seq:1", "seq:2", "b", "c", "e", "d"]);
    expect(rows.row(2)?.mark).toBe("read");
    expect(told.map((change) => change.op)).toEqual(["insert", "update", "move", "remove"]);
  });

  it("show own words at once, and the engine's row takes their place under the same key", () => {
    rows.add(own("x"));
    rows.add(own("y"));
    expect(keys(rows).slice(-3)).toEqual(["c", "x", "y"]);
    apply({ op: "insert", index: 5, rows: [row("x", null, { mark: "sending", mine: true })] });
    expect(keys(rows).slice(-3)).toEqual(["c", "x", "y"]);
    expect(rows.row(5)?.mark).toBe("sending");
    expect(told.at(-1)).toEqual({ op: "update", index: 5 });
  });

  it("never show own words twice, whatever comes between", () => {
    rows.add(own("x"));
    apply({ op: "insert", index: 5, rows: [row("d", 6), row("x", 7, { mine: true }), row("e", 8)] });
    expect(keys(rows).slice(-4)).toEqual(["c", "d", "x", "e"]);
    rows.add(own("z"));
    apply({ op: "reset", view: view(["d", "x", "e", "z"], 5, 9) });
    expect(keys(rows).slice(-4)).toEqual(["d", "x", "e", "z"]);
  });

  it("tell the list exactly what happened: played by another, it gives the same rows", () => {
    const copy = keys(rows);
    rows.subscribe((change) => {
      if (change.op === "insert")
        copy.splice(change.index, 0, ...keys(rows).slice(change.index, change.index + change.count));
      if (change.op === "remove") copy.splice(change.index, change.count);
      if (change.op === "update") copy[change.index] = rows.key(change.index);
    });
    rows.add(own("x"));
    rows.add(own("y"));
    apply({ op: "insert", index: 5, rows: [row("x", null, { mine: true }), row("d", 7), row("y", 8, { mine: true })] });
    expect(copy).toEqual(keys(rows));
    expect(copy.slice(-4)).toEqual(["c", "x", "d", "y"]);
  });

  it("take back own words that were not kept", () => {
    rows.add(own("x"));
    rows.takeBack((each) => each.key === "x");
    expect(rows.total).toBe(5);
  });

  it("grow beyond the window by bounds alone, and move with the floor", () => {
    apply({ op: "bounds", total: 9, floor: 1, customer_read: 0 });
    expect(told.at(-1)).toEqual({ op: "insert", index: 5, count: 4, own: false });
    apply({ op: "bounds", total: 8, floor: 2, customer_read: 0 });
    expect(told.at(-1)).toEqual({ op: "reset", shift: -1 });
    expect(rows.indexOf("a")).toBe(1);
  });

  it("ask for a window around what is looked at, once, and only when the edge comes near", () => {
    apply({
      op: "reset",
      view: view(
        Array.from({ length: 200 }, (_, at) => `r${at}`),
        400,
        1000,
      ),
    });
    rows.want(480, 20);
    expect(asked).toEqual([]);
    rows.want(410, 20);
    rows.want(405, 20);
    expect(asked).toEqual([[330, 180]]);
    rows.want(0, 20);
    expect(asked.at(-1)).toEqual([0, 160]);
  });

  it("are chosen from with the keys, lines that say what happened left out", () => {
    apply({ op: "update", index: 3, row: row("b", 4, { body: { kind: "reopened" } }) });
    expect(nextChoosable(rows, 4, -1)?.key).toBe("a");
    expect(nextChoosable(rows, 2, -1)).toBeUndefined();
  });
});
