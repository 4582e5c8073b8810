// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import { keyMap, type KeyActs } from "./keyMap";
import { find, matches, type Press } from "./match";

// UI.md's table of keys, without what this version doesn't draw (palette, canned replies, search, undo, quote, attach,
// emoji, new conversation, F9).
const table: Record<string, string[]> = {
  send: ["Enter"],
  newline: ["Shift+Enter"],
  "send, then next waiting": ["Mod+Enter"],
  "next waiting": ["Mod+J"],
  "tile 1–6": ["Mod+1", "Mod+2", "Mod+3", "Mod+4", "Mod+5", "Mod+6"],
  "next tile": ["Ctrl+Tab"],
  "previous tile": ["Ctrl+Shift+Tab"],
  "layout 1, 2, 4, 6": ["Mod+Alt+1", "Mod+Alt+2", "Mod+Alt+4", "Mod+Alt+6"],
  "inbox up": ["Alt+ArrowUp"],
  "inbox down": ["Alt+ArrowDown"],
  "to inbox": ["Mod+I"],
  "back to composer": ["Escape"],
  "open row": ["Enter"],
  "open row in a new tile": ["Mod+Enter"],
  "inbox tabs": ["Alt+1", "Alt+2", "Alt+3", "Alt+4"],
  "select a message": ["ArrowUp"],
  "copy the selected message": ["C"],
  "recall the selected message": ["Delete"],
  "resend the failed one": ["Mod+R"],
  "internal note": ["Mod+M"],
  transfer: ["Mod+T"],
  "close conversation": ["Mod+D"],
  "hide tile": ["Mod+W"],
  "pop out, and back": ["Mod+O"],
  "customer panel": ["Mod+B"],
  "my presence": ["Mod+S"],
  settings: ["Mod+,"],
  "all keys": ["Mod+/"],
};

/** Chinese input methods own these. */
const kept = new Set(["Mod+Space", "Mod+.", "Mod+;", "Mod+Shift+F", "Mod+Shift+E"]);

function press(key: string, code: string, held: Partial<Press> = {}): Press {
  return { key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held };
}

describe("the key map", () => {
  it("is UI.md's table", () => {
    const map = Object.fromEntries(keyMap.map((entry) => [entry.id, entry.combos.map(({ combo }) => combo)]));
    expect(map).toEqual(table);
  });

  it("gives no combination of the window to two entries, nor one that input methods own", () => {
    const combos = keyMap.flatMap((entry) => entry.combos.filter(({ run }) => run !== null).map(({ combo }) => combo));
    expect(new Set(combos).size).toBe(combos.length);
    expect(combos.filter((combo) => kept.has(combo))).toEqual([]);
  });

  it("has words for every entry", () => {
    for (const entry of keyMap) expect(entry.label()).not.toBe("");
  });
});

describe("a key press", () => {
  it("finds its entry by place where Alt changes the sign", () => {
    expect(find(press("¡", "Digit1", { altKey: true }), true)?.entry.id).toBe("inbox tabs");
    expect(find(press("1", "Digit1", { ctrlKey: true, altKey: true }), false)?.entry.id).toBe("layout 1, 2, 4, 6");
  });

  it("takes ⌘ for Ctrl on macOS, but for Ctrl+Tab", () => {
    expect(matches(press("j", "KeyJ", { metaKey: true }), "Mod+J", true)).toBe(true);
    expect(matches(press("j", "KeyJ", { ctrlKey: true }), "Mod+J", true)).toBe(false);
    expect(matches(press("Tab", "Tab", { ctrlKey: true }), "Ctrl+Tab", true)).toBe(true);
  });

  it("knows Shift+Tab, which WebKitGTK has no name for", () => {
    const backwards = press("Unidentified", "Tab", { ctrlKey: true, shiftKey: true });
    expect(find(backwards, false)?.entry.id).toBe("previous tile");
  });

  it("leaves plain letters and the composer's own keys alone", () => {
    expect(find(press("j", "KeyJ"), false)).toBeNull();
    expect(find(press("Enter", "Enter"), false)).toBeNull();
    expect(find(press("a", "KeyA", { ctrlKey: true }), false)).toBeNull();
  });

  it("runs what it says", () => {
    const acts = { goToTile: vi.fn() } as unknown as KeyActs;
    find(press("3", "Digit3", { ctrlKey: true }), false)?.run(acts);
    expect(acts.goToTile).toHaveBeenCalledWith(2);
  });
});
