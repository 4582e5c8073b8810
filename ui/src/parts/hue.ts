/** 1 to 8 from an id, for agents; a customer's comes with them. */
export function hueOf(id: string): number {
  let sum = 0;
  for (const sign of id) sum = (sum * 31 + (sign.codePointAt(0) ?? 0)) % 65_521;
  return (sum % 8) + 1;
}
