import type { CallError } from "../src/gen/view";
import { m } from "../src/texts/messages.js";

type Words = (seconds: number) => string;

const words: Record<string, Words> = {
  network: () => m.error_network(),
  tls: () => m.error_tls(),
  not_a_gateway: () => m.error_not_a_gateway(),
  version: () => m.error_version(),
  credentials: () => m.error_credentials(),
  locked: (seconds) => (seconds > 0 ? m.error_locked_for({ seconds }) : m.error_locked()),
  disabled: () => m.error_disabled(),
  session: () => m.error_session(),
  not_found: () => m.error_not_found(),
  rate: (seconds) => (seconds > 0 ? m.error_rate_for({ seconds }) : m.error_rate()),
  crowded: () => m.error_crowded(),
  store: () => m.error_store(),
  disk_full: () => m.error_disk_full(),
  damaged: () => m.error_damaged(),
  newer_database: () => m.error_newer_database(),
  in_use: () => m.error_in_use(),
  passphrase_needed: () => m.error_passphrase_needed(),
  passphrase_wrong: () => m.error_passphrase_wrong(),
  busy: () => m.error_busy(),
  invalid: () => m.error_invalid(),
  too_long: () => m.error_too_long(),
  empty: () => m.error_empty(),
  control: () => m.error_control(),
};

export function errorCode(error: unknown): string {
  return isCallError(error) ? error.code : "";
}

/** What happened and what to do, in the agent's language. */
export function errorText(error: unknown): string {
  const code = errorCode(error);
  const seconds = isCallError(error) ? Math.ceil(error.retry_ms / 1000) : 0;
  return words[code]?.(seconds) ?? m.error_other({ code: code || String(error) });
}

function isCallError(error: unknown): error is CallError {
  return typeof error === "object" && error !== null && "code" in error && "retry_ms" in error;
}
