import type { IconName } from "../../src/parts/icons";
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
    return {
      tone: "bad",
      icon: "off",
      label: m.sync_offline_short(),
      title: m.sync_offline(),
      short: m.sync_offline(),
    };
  }
  if (sync.state === "catching_up") {
    const percent = caughtUp(sync.fetched, sync.missing);
    return {
      tone: "busy",
      icon: "retry",
      label: `${percent}%`,
      title: m.sync_catching_up({ percent }),
      short: m.sync_catching_up({ percent }),
    };
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

/** Percent of what was missing when catching up began. */
export function caughtUp(fetched: number, missing: number): number {
  const all = fetched + missing;
  return all === 0 ? 0 : Math.floor((fetched * 100) / all);
}
