// Seam between the desk (who opens, focuses and closes tiles) and a tile's inside (timeline, composer).
// desk/tile/Tile.svelte takes TileProps and exports the functions of TileHandle (`export function …`, for bind:this).

import type { DeskEvent, InboxRow } from "../src/gen/view";
import type { Host } from "../src/host/host";

/** What a tile is told. One listener a window; handlers get the events of their own conversation, in order. */
export interface ConversationFeed {
  /** Head of a conversation as last told; reactive, null while unknown. */
  head(conversation: string): InboxRow | null;
  /** `timeline`, `typing`, `put_back` and `draft` events of one conversation; answers with the way to stop. */
  subscribe(conversation: string, handler: (event: DeskEvent) => void): () => void;
}

/** What the shell does for a tile: its own head buttons, and keys pressed in its composer. */
export interface TileActs {
  /** Pointer or focus came into the tile. */
  focus(): void;
  hide(): void;
  popOut(): void;
  /** In a window of its own: back to the desk. */
  popIn(): void;
  /** Sent with Ctrl+Enter: show the next that waits here. */
  next(): void;
  transfer(): void;
  close(): void;
  togglePanel(): void;
  /** Short words at the window's lower right; never for what could be lost. */
  toast(text: string, tone?: "plain" | "bad"): void;
}

export interface TileProps {
  conversation: string;
  /** 1 to 6; null in a window of its own. */
  number: number | null;
  focused: boolean;
  /** Several tiles are shown: the ones at rest say their key. */
  several: boolean;
  host: Host;
  feed: ConversationFeed;
  acts: TileActs;
}

export interface TileHandle {
  focusComposer(): void;
  /** Ctrl+M. */
  toggleNote(): void;
  /** Ctrl+R: the last parked act of this conversation. */
  resendFailed(): void;
  /** To the row of this Seq, wherever it is. */
  jumpTo(seq: number): void;
  /** Esc: a tile's own layers (menu, selection) first; true if one was closed. */
  closeLayer(): boolean;
}
