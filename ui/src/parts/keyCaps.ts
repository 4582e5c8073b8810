/** macOS, by what the webview says of itself. */
export function onMac(): boolean {
  return typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);
}

const plain: Record<string, string> = {
  Mod: "Ctrl",
  Enter: "↵",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Delete: "Del",
  Escape: "Esc",
};
const mac: Record<string, string> = { ...plain, Mod: "⌘", Ctrl: "⌃", Alt: "⌥", Shift: "⇧" };

/** Each cap as it is drawn. */
export function keyCaps(combo: string, isMac: boolean = onMac()): string[] {
  const names = isMac ? mac : plain;
  return combo.split("+").map((key) => names[key] ?? key);
}

/** In one word, for tooltips: Ctrl+B. */
export function keyText(combo: string, isMac: boolean = onMac()): string {
  return keyCaps(combo, isMac).join(isMac ? "" : "+");
}
