import type { IconName } from "../../src/parts/icons";
import { clockTime, figure } from "../../src/parts/times";
import { m } from "../../src/texts/messages.js";
import type { Mark } from "../state/facts.svelte";

export interface DrawnMark {
  tone: "good" | "bad" | "busy";
  icon: IconName;
  /** Under the icon, at most six signs. */
  label: string;
  title: string;
  /** In a line of words. */
  short: string;
}

/** The tick stands only while everything is here and nothing waits for the server. */
export function markOf({ sync, waiting, roundTripMs }: Mark): DrawnMark {
  if (sync.state === "offline") {
    const since = offlineWords(sync.since_ms);
    return { tone: "bad", icon: "off", label: m.sync_offline_short(), title: since, short: since };
  }
  if (sync.state === "catching_up") {
    const words = catchingUpWords(sync.fetched, sync.missing);
    const label = sync.missing > 0 ? `${caughtUp(sync.fetched, sync.missing)}%` : "…";
    return { tone: "busy", icon: "retry", label, title: words, short: words };
  }
  if (waiting > 0) {
    return {
      tone: "busy",
      icon: "clock",
      label: String(waiting),
      title: m.sync_waiting({ count: waiting }),
      short: m.sync_waiting({ count: waiting }),
    };
  }
  const label = roundTripMs === null ? "—" : `${roundTripMs} ms`;
  const title = roundTripMs === null ? m.sync_up_to_date() : m.sync_up_to_date_ms({ ms: roundTripMs });
  return { tone: "good", icon: "synced", label, title, short: m.sync_up_to_date() };
}

/** Since when; 0: there never was a connection. */
export function offlineWords(sinceMs: number): string {
  return sinceMs > 0 ? m.sync_offline_since({ time: clockTime(sinceMs) }) : m.sync_offline();
}

/** How much is missing, as far as known. */
export function catchingUpWords(fetched: number, missing: number): string {
  if (missing === 0) return m.sync_checking();
  return m.sync_catching_up({ missing: figure(missing), percent: caughtUp(fetched, missing) });
}

/** Percent of what was missing when catching up began. */
export function caughtUp(fetched: number, missing: number): number {
  const all = fetched + missing;
  return all === 0 ? 0 : Math.floor((fetched * 100) / all);
}
