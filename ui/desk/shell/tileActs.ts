import type { TileActs } from "../tileSeam";
import type { Workplace } from "../state/workplace.svelte";

/** What the tile at a place may ask of the desk. Acts on a conversation go to the focused tile, so it is focused first. */
export function tileActs(place: Workplace, index: number): TileActs {
  return {
    focus: () => place.focusTile(index),
    hide: () => place.hide(index),
    popOut: () => {
      place.focusTile(index);
      place.popOutOrIn();
    },
    popIn: () => place.popOutOrIn(),
    next: () => void place.nextWaiting(),
    transfer: () => {
      place.focusTile(index);
      place.askTransfer();
    },
    close: () => {
      place.focusTile(index);
      place.close();
    },
    togglePanel: () => place.togglePanel(),
    toast: (text, tone) => place.toasts.show(text, tone),
  };
}
