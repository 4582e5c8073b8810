/** A sorted copy. `toSorted` isn't there on phones of 2022. */
export const inOrder = <T>(items: Iterable<T>, key: (item: T) => number): T[] =>
  // oxlint-disable-next-line unicorn/no-array-sort
  [...items].sort((a, b) => key(a) - key(b));
