import { m } from "../../src/texts/messages.js";

/** Bytes that a password needs at least: limits.rs, PASSWORD_MIN_BYTES. */
const least = 8;

/** What is wrong with a change of password, before the server is asked; empty: nothing. */
export function passwordFault(old: string, fresh: string, again: string): string {
  if (old === "") return m.password_old_missing();
  if (new TextEncoder().encode(fresh).length < least) return m.password_too_short({ least });
  if (fresh !== again) return m.password_differs();
  return "";
}
