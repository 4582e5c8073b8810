import { TEXT_BYTES, TEXT_SCALARS } from "../../src/gen/limits";

export type TextFault = "empty" | "too_long" | "control";

const encoder = new TextEncoder();
// Newline and tab are the only control characters that a text may have.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u;
// White space, zero-width characters and direction marks: alone they make no message.
const INVISIBLE = /^[\p{White_Space}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]*$/u;

/** Unicode scalar values; a lone surrogate counts as the U+FFFD that it becomes on the wire. */
export const scalars = (text: string): number => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

/** The same verdict as `zuoxi_wire::content::check_text`, held together by proto/vectors/texts.json. */
export const checkText = (text: string): TextFault | null => {
  if (scalars(text) > TEXT_SCALARS || encoder.encode(text).length > TEXT_BYTES) return "too_long";
  if (CONTROL.test(text)) return "control";
  return INVISIBLE.test(text) ? "empty" : null;
};

/** As many bytes of UTF-8 as fit, cut between scalar values. */
export const cutBytes = (text: string, most: number): string => {
  let out = "";
  let bytes = 0;
  for (const char of text) {
    bytes += encoder.encode(char).length;
    if (bytes > most) break;
    out += char;
  }
  return out;
};

export const cutScalars = (text: string, most: number): string => Array.from(text).slice(0, most).join("");
