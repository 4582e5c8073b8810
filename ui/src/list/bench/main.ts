// Our list alone over a memory source, as ../../../../shared/ui-bench measures it, with the invariants beside.

import { flushSync, mount, unmount } from "svelte";
import type { ListView, Opening } from "../rowSource";
import Bench from "./Bench.svelte";
import { invariants } from "./invariants";
import { MemorySource, type BenchMessage } from "./memorySource";
import { message, messages } from "./messages";

const target = document.getElementById("panel");
if (!target) throw new Error("no #panel");
const panel: HTMLElement = target;
const source = new MemorySource();
let view: ListView | null = null;
let app: { handle(): { toEnd(): void; toRow(index: number): void; place(): Place | null } | undefined } | null = null;
let left: Place | null = null;

interface Place {
  key: string;
  index: number;
  offset: number;
}

function show(opening: Opening): void {
  hide();
  app = mount(Bench, {
    target: panel,
    props: {
      source,
      opening,
      onView: (now: ListView) => {
        view = now;
      },
    },
  }) as typeof app;
  flushSync();
}

function hide(): void {
  if (app) void unmount(app);
  app = null;
  panel.textContent = "";
}

const kit = {
  name: "ours",
  source,
  scroller: () => panel.querySelector<HTMLElement>(".list"),
  panel: () => panel,
  view: () => view,
  load(data: BenchMessage[], opening: Opening = { at: "end" }) {
    source.load(data);
    show(opening);
  },
  append: (data: BenchMessage[]) => source.append(data),
  prepend: (data: BenchMessage[]) => source.prepend(data),
  update: (id: number, part: Partial<BenchMessage>) => source.update(id, part),
  toBottom: () => app?.handle()?.toEnd(),
  toRow: (index: number) => app?.handle()?.toRow(index),
  leave() {
    left = app?.handle()?.place() ?? null;
    hide();
  },
  enter() {
    show(left ? { at: "place", index: source.indexOf(left.key) ?? left.index, offset: left.offset } : { at: "end" });
  },
  msg: message,
  msgs: messages,
};
export type Kit = typeof kit;

Object.assign(window, { __kit: kit, __invariants: () => invariants(kit) });
