// Where each conversation was left, for as long as this window lives.

export interface LeftPlace {
  key: string;
  index: number;
  offset: number;
}

const MOST = 500;
const places = new Map<string, LeftPlace>();

export function leftAt(conversation: string): LeftPlace | null {
  return places.get(conversation) ?? null;
}

/** Null: at the end, which needs no remembering. */
export function leave(conversation: string, place: LeftPlace | null): void {
  places.delete(conversation);
  if (!place) return;
  places.set(conversation, place);
  const oldest = places.keys().next();
  if (places.size > MOST && !oldest.done) places.delete(oldest.value);
}
