import { closeTopLayer } from "../state/layers";
import type { Workplace } from "../state/workplace.svelte";
import type { KeyActs } from "./keyMap";

/** What keys ask of the inbox. */
export interface InboxHandle {
  step(by: 1 | -1): void;
  focusRow(): void;
}

export function keyActs(place: Workplace, inbox: () => InboxHandle | undefined): KeyActs {
  return {
    nextWaiting: () => void place.nextWaiting(),
    goToTile: (index) => place.goToTile(index),
    stepTile: (step) => place.stepTile(step),
    setTiles: (tiles) => place.setTiles(tiles),
    stepInbox: (step) => inbox()?.step(step),
    toInbox: () => inbox()?.focusRow(),
    back: () => back(place),
    setTab: (tab) => place.setTab(tab),
    resendFailed: () => place.focusedHandle()?.resendFailed(),
    toggleNote: () => place.focusedHandle()?.toggleNote(),
    transfer: () => place.askTransfer(),
    close: () => place.close(),
    hide: () => place.hide(place.focusedTile),
    popOutOrIn: () => place.popOutOrIn(),
    togglePanel: () => place.togglePanel(),
    presence: () => place.toggleDialog({ kind: "presence" }),
    settings: () => place.toggleDialog({ kind: "settings" }),
    keys: () => place.toggleDialog({ kind: "keys" }),
  };
}

/** One layer at a time: what lies over the desk, what a tile has opened, then home to the composer. */
function back(place: Workplace): void {
  if (closeTopLayer()) return;
  if (place.focusedHandle()?.closeLayer() === true) return;
  if (place.panelDemanded) place.panelDemanded = false;
  place.cursor = null;
  place.focusComposer();
}
