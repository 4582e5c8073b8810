// Which conversation stands in which tile: pure steps from one layout to the next.

import type { WindowLayout } from "../../src/gen/shell";
import type { TileCount } from "./arrangement";

const most = 6;

/** A layout as it was kept, made whole whatever was in it. */
export function wholeLayout(kept: WindowLayout): WindowLayout {
  const seen = new Set<string>();
  const open = Array.from({ length: most }, (_, index) => {
    const conversation = kept.open[index] ?? null;
    if (conversation === null || seen.has(conversation)) return null;
    seen.add(conversation);
    return conversation;
  });
  const tiles = [1, 2, 4, 6].includes(kept.tiles) ? kept.tiles : 2;
  return { ...kept, tiles, open, focused: Math.min(Math.max(0, kept.focused), most - 1) };
}

/** The tile that shows it, or -1; tiles that aren't drawn don't count. */
export function tileOf(layout: WindowLayout, drawn: number, conversation: string): number {
  return layout.open.slice(0, drawn).indexOf(conversation);
}

/** In one tile at most: where it is open already, it gets the focus there. */
export function openConversation(
  layout: WindowLayout,
  drawn: number,
  conversation: string,
  where: "focused" | "free",
): WindowLayout {
  const there = tileOf(layout, drawn, conversation);
  if (there >= 0) return { ...layout, focused: there };
  const target = where === "free" ? freeTile(layout, drawn) : Math.min(layout.focused, drawn - 1);
  const open = layout.open.map((each, index) => {
    if (index === target) return conversation;
    return each === conversation ? null : each;
  });
  return { ...layout, open, focused: target };
}

/** The next empty tile after the focused one, else the next tile. */
function freeTile(layout: WindowLayout, drawn: number): number {
  const order = Array.from({ length: drawn }, (_, step) => (layout.focused + 1 + step) % drawn);
  const focusedIsFree = layout.focused < drawn && layout.open[layout.focused] === null;
  if (focusedIsFree) return layout.focused;
  return order.find((index) => layout.open[index] === null) ?? order[0] ?? 0;
}

export function hideTile(layout: WindowLayout, index: number): WindowLayout {
  return { ...layout, open: layout.open.map((each, at) => (at === index ? null : each)) };
}

/** Conversations leave their tiles, because a window of their own shows them. */
export function withoutConversations(layout: WindowLayout, gone: ReadonlySet<string>): WindowLayout {
  if (!layout.open.some((each) => each !== null && gone.has(each))) return layout;
  return { ...layout, open: layout.open.map((each) => (each !== null && gone.has(each) ? null : each)) };
}

export function focusTile(layout: WindowLayout, drawn: number, index: number): WindowLayout {
  return index >= 0 && index < drawn ? { ...layout, focused: index } : layout;
}

export function stepFocus(layout: WindowLayout, drawn: number, step: 1 | -1): WindowLayout {
  return { ...layout, focused: (Math.min(layout.focused, drawn - 1) + step + drawn) % drawn };
}

/** Fewer tiles: the focused conversation comes along into what is still drawn; the others wait undrawn. */
export function setTileCount(layout: WindowLayout, tiles: TileCount): WindowLayout {
  if (layout.focused < tiles) return { ...layout, tiles };
  const open = [...layout.open];
  const last = tiles - 1;
  [open[last], open[layout.focused]] = [open[layout.focused] ?? null, open[last] ?? null];
  return { ...layout, tiles, open, focused: last };
}
