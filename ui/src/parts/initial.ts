/** One sign that stands for a name: a guest's own number begins where names of guests differ. */
export function initial(name: string): string {
  const word =
    name
      .trim()
      .split(/\s+/)
      .at(/^(访客|Guest)\s/.test(name) ? -1 : 0) ?? "";
  const first = [...word][0];
  return first === undefined ? "·" : first.toLocaleUpperCase();
}
