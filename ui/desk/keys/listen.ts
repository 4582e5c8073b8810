import { anyLayer } from "../state/layers";
import type { KeyActs } from "./keyMap";
import { find } from "./match";

/** Listens to the whole window; answers with the way to stop. Keys of a running composition belong to the input method. */
export function listenToKeys(acts: KeyActs, poppedOut: boolean): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
    if (event.getModifierState("AltGraph")) return;
    const found = find(event);
    if (!found) return;
    // Even where it does nothing here, the webview's own meaning of the key (reload, print) stays away.
    event.preventDefault();
    if (poppedOut && found.entry.deskOnly === true) return;
    if (anyLayer() && found.entry.overLayers !== true) return;
    found.run(acts);
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}
