/** What the server takes: limits.rs, TAGS and TAG_SCALARS. */
export const mostTags = 20;
export const tagScalars = 20;

/** The tags with one more, cut to its length; null: nothing new. */
export function withTag(tags: readonly string[], words: string): string[] | null {
  const tag = [...words.trim().replace(/\s+/g, " ")].slice(0, tagScalars).join("").trim();
  if (tag === "" || tags.includes(tag) || tags.length >= mostTags) return null;
  return [...tags, tag];
}
