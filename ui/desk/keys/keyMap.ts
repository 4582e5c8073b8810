// Every key of the desk in one place: its combination, its words, what it does. The all-keys sheet shows this list,
// the window's listener runs it; keys with `run: null` are read where the focus is (composer, message, inbox row).

import type { InboxTab } from "../../src/gen/view";
import { m } from "../../src/texts/messages.js";
import type { TileCount } from "../state/arrangement";

/** What a key can do. */
export interface KeyActs {
  nextWaiting(): void;
  goToTile(index: number): void;
  stepTile(step: 1 | -1): void;
  setTiles(tiles: TileCount): void;
  stepInbox(step: 1 | -1): void;
  toInbox(): void;
  back(): void;
  setTab(tab: InboxTab): void;
  resendFailed(): void;
  toggleNote(): void;
  transfer(): void;
  close(): void;
  hide(): void;
  popOutOrIn(): void;
  togglePanel(): void;
  presence(): void;
  settings(): void;
  keys(): void;
}

export type KeyGroup = "write" | "go" | "inbox" | "conversation" | "desk";
export const keyGroups: readonly KeyGroup[] = ["write", "go", "inbox", "conversation", "desk"];

export interface KeyEntry {
  /** Words of UI.md's table, the key's name in tests. */
  id: string;
  group: KeyGroup;
  label: () => string;
  /** Each with what it does; the sheet shows `shown` instead where a row of digits would be tiring. */
  combos: readonly { combo: string; run: ((acts: KeyActs) => void) | null }[];
  shown?: readonly string[];
  /** Works while a dialog is open. */
  overLayers?: boolean;
  /** Needs the desk around it: nothing in a window of its own. */
  deskOnly?: boolean;
}

const inPlace = (...combos: string[]) => combos.map((combo) => ({ combo, run: null }));
const tileKeys = [0, 1, 2, 3, 4, 5].map((index) => ({
  combo: `Mod+${index + 1}`,
  run: (acts: KeyActs) => acts.goToTile(index),
}));
const layoutKeys = ([1, 2, 4, 6] as const).map((tiles) => ({
  combo: `Mod+Alt+${tiles}`,
  run: (acts: KeyActs) => acts.setTiles(tiles),
}));
const tabKeys = (["mine", "queue", "team", "closed"] as const).map((tab, index) => ({
  combo: `Alt+${index + 1}`,
  run: (acts: KeyActs) => acts.setTab(tab),
}));

export const keyMap: readonly KeyEntry[] = [
  { id: "send", group: "write", label: m.key_send, combos: inPlace("Enter") },
  { id: "newline", group: "write", label: m.key_newline, combos: inPlace("Shift+Enter") },
  { id: "send, then next waiting", group: "write", label: m.key_send_next, combos: inPlace("Mod+Enter") },
  {
    id: "internal note",
    group: "write",
    label: m.key_note,
    combos: [{ combo: "Mod+M", run: (acts) => acts.toggleNote() }],
  },
  { id: "select a message", group: "write", label: m.key_select_message, combos: inPlace("ArrowUp") },
  { id: "copy the selected message", group: "write", label: m.key_copy_message, combos: inPlace("C") },
  { id: "recall the selected message", group: "write", label: m.key_recall_message, combos: inPlace("Delete") },
  {
    id: "resend the failed one",
    group: "write",
    label: m.key_resend,
    combos: [{ combo: "Mod+R", run: (acts) => acts.resendFailed() }],
  },
  {
    id: "next waiting",
    group: "go",
    label: m.key_next_waiting,
    deskOnly: true,
    combos: [{ combo: "Mod+J", run: (acts) => acts.nextWaiting() }],
  },
  { id: "tile 1–6", group: "go", label: m.key_tile, deskOnly: true, combos: tileKeys, shown: ["Mod+1…6"] },
  {
    id: "next tile",
    group: "go",
    label: m.key_next_tile,
    deskOnly: true,
    combos: [{ combo: "Ctrl+Tab", run: (acts) => acts.stepTile(1) }],
  },
  {
    id: "previous tile",
    group: "go",
    label: m.key_previous_tile,
    deskOnly: true,
    combos: [{ combo: "Ctrl+Shift+Tab", run: (acts) => acts.stepTile(-1) }],
  },
  {
    id: "layout 1, 2, 4, 6",
    group: "go",
    label: m.key_layout,
    deskOnly: true,
    combos: layoutKeys,
    shown: ["Mod+Alt+1", "2", "4", "6"],
  },
  {
    id: "inbox up",
    group: "inbox",
    label: m.key_inbox_up,
    deskOnly: true,
    combos: [{ combo: "Alt+ArrowUp", run: (acts) => acts.stepInbox(-1) }],
  },
  {
    id: "inbox down",
    group: "inbox",
    label: m.key_inbox_down,
    deskOnly: true,
    combos: [{ combo: "Alt+ArrowDown", run: (acts) => acts.stepInbox(1) }],
  },
  {
    id: "to inbox",
    group: "inbox",
    label: m.key_to_inbox,
    deskOnly: true,
    combos: [{ combo: "Mod+I", run: (acts) => acts.toInbox() }],
  },
  {
    id: "back to composer",
    group: "inbox",
    label: m.key_back,
    overLayers: true,
    combos: [{ combo: "Escape", run: (acts) => acts.back() }],
  },
  { id: "open row", group: "inbox", label: m.key_open_row, deskOnly: true, combos: inPlace("Enter") },
  {
    id: "open row in a new tile",
    group: "inbox",
    label: m.key_open_row_free,
    deskOnly: true,
    combos: inPlace("Mod+Enter"),
  },
  { id: "inbox tabs", group: "inbox", label: m.key_tabs, deskOnly: true, combos: tabKeys, shown: ["Alt+1…4"] },
  {
    id: "transfer",
    group: "conversation",
    label: m.key_transfer,
    combos: [{ combo: "Mod+T", run: (acts) => acts.transfer() }],
  },
  {
    id: "close conversation",
    group: "conversation",
    label: m.key_close,
    combos: [{ combo: "Mod+D", run: (acts) => acts.close() }],
  },
  {
    id: "hide tile",
    group: "conversation",
    label: m.key_hide,
    deskOnly: true,
    combos: [{ combo: "Mod+W", run: (acts) => acts.hide() }],
  },
  {
    id: "pop out, and back",
    group: "conversation",
    label: m.key_pop,
    combos: [{ combo: "Mod+O", run: (acts) => acts.popOutOrIn() }],
  },
  {
    id: "customer panel",
    group: "conversation",
    label: m.key_panel,
    combos: [{ combo: "Mod+B", run: (acts) => acts.togglePanel() }],
  },
  {
    id: "my presence",
    group: "desk",
    label: m.key_presence,
    deskOnly: true,
    combos: [{ combo: "Mod+S", run: (acts) => acts.presence() }],
  },
  {
    id: "settings",
    group: "desk",
    label: m.key_settings,
    deskOnly: true,
    combos: [{ combo: "Mod+,", run: (acts) => acts.settings() }],
  },
  {
    id: "all keys",
    group: "desk",
    label: m.key_all,
    overLayers: true,
    combos: [{ combo: "Mod+/", run: (acts) => acts.keys() }],
  },
];

/** The combination that a tooltip names. */
export function comboOf(id: string): string {
  const entry = keyMap.find((each) => each.id === id);
  return entry?.combos[0]?.combo ?? "";
}
