import { onMac } from "../../src/parts/keyCaps";
import { keyMap, type KeyActs, type KeyEntry } from "./keyMap";

export interface Press {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** Digits and letters by their place on the keyboard where Alt turns them into other signs. */
function keyOf(press: Press): string {
  if (/^Digit\d$/.test(press.code)) return press.code.slice(5);
  if (/^Numpad\d$/.test(press.code)) return press.code.slice(6);
  // WebKitGTK has no name for Shift+Tab.
  if (press.code === "Tab") return "Tab";
  if (/^Key[A-Z]$/.test(press.code) && !/^[a-z]$/i.test(press.key)) return press.code.slice(3);
  return press.key.length === 1 ? press.key.toUpperCase() : press.key;
}

export function matches(press: Press, combo: string, mac: boolean = onMac()): boolean {
  const parts = combo.split("+");
  const key = parts.at(-1);
  const has = (name: string) => parts.includes(name);
  const ctrl = has("Ctrl") || (has("Mod") && !mac);
  const meta = has("Mod") && mac;
  return (
    keyOf(press) === key &&
    press.ctrlKey === ctrl &&
    press.metaKey === meta &&
    press.altKey === has("Alt") &&
    press.shiftKey === has("Shift")
  );
}

export interface Found {
  entry: KeyEntry;
  run: (acts: KeyActs) => void;
}

/** The key's entry if the window's listener is to run it. */
export function find(press: Press, mac: boolean = onMac()): Found | null {
  for (const entry of keyMap) {
    for (const { combo, run } of entry.combos) {
      if (run !== null && matches(press, combo, mac)) return { entry, run };
    }
  }
  return null;
}
