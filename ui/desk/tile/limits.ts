import { TEXT_BYTES, TEXT_SCALARS } from "../../src/gen/limits";

/** From here on the composer counts aloud. */
const COUNT_FROM = TEXT_SCALARS - 200;

export interface TextSize {
  scalars: number;
  /** Worth showing. */
  near: boolean;
  over: boolean;
}

export function sizeOf(text: string): TextSize {
  // A text of few units can't be long in any other measure.
  if (text.length < COUNT_FROM) return { scalars: text.length, near: false, over: false };
  const scalars = [...text].length;
  const over = scalars > TEXT_SCALARS || new TextEncoder().encode(text).length > TEXT_BYTES;
  return { scalars, near: scalars >= COUNT_FROM || over, over };
}
