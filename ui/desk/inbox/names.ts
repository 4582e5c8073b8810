import type { InboxTab } from "../../src/gen/view";
import { m } from "../../src/texts/messages.js";

const tabNames: Record<InboxTab, () => string> = {
  mine: () => m.inbox_mine(),
  queue: () => m.inbox_queue(),
  team: () => m.inbox_team(),
  closed: () => m.inbox_closed(),
};

export function tabName(tab: InboxTab): string {
  return tabNames[tab]();
}

export interface GroupNames {
  first: string;
  firstOrder: string;
  second: string;
  secondOrder: string;
}

/** Headings of a list's two groups, and what stands on top in them. */
export function groupNames(tab: InboxTab): GroupNames {
  const customer = { second: m.inbox_waiting_for_customer(), secondOrder: "" };
  const longest = m.inbox_longest_first();
  if (tab === "mine") return { first: m.inbox_waiting_for_you(), firstOrder: longest, ...customer };
  if (tab === "team") return { first: m.inbox_waiting_for_colleague(), firstOrder: longest, ...customer };
  if (tab === "queue") {
    return { first: m.inbox_waiting_in_queue(), firstOrder: longest, second: m.inbox_in_queue(), secondOrder: "" };
  }
  return { first: m.inbox_closed(), firstOrder: "", second: m.inbox_closed(), secondOrder: m.inbox_newest_first() };
}
