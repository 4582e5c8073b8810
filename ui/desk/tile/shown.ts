// Which conversations stand in a tile of this window. One may leave a tile and stand in another in the same stroke.

const tiles = new Map<string, number>();

/** Answers with the way to leave, which says whether no tile shows it any more. */
export function enter(conversation: string): () => boolean {
  tiles.set(conversation, (tiles.get(conversation) ?? 0) + 1);
  return () => {
    const left = (tiles.get(conversation) ?? 1) - 1;
    if (left > 0) tiles.set(conversation, left);
    else tiles.delete(conversation);
    return left <= 0;
  };
}
