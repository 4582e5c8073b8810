// What codes of a timeline are called, in the agent's language.

import type { Mark, ReasonView, RefusalView, RowBody } from "../../src/gen/view";
import type { IconName } from "../../src/parts/icons";
import { m } from "../../src/texts/messages.js";

interface MarkLooks {
  /** Null: the bubble stands and the disk hasn't answered. */
  icon: IconName | null;
  words: () => string;
}

export const marks: Record<Mark, MarkLooks> = {
  writing: { icon: null, words: () => m.tile_mark_writing() },
  sending: { icon: "clock", words: () => m.tile_mark_sending() },
  waiting_for_network: { icon: "clock", words: () => m.tile_mark_waiting_for_network() },
  overdue: { icon: "clock", words: () => m.tile_mark_overdue() },
  sent: { icon: "check", words: () => m.tile_mark_sent() },
  delivered: { icon: "checks", words: () => m.tile_mark_delivered() },
  read: { icon: "checks", words: () => m.tile_mark_read() },
  not_sent: { icon: "alert", words: () => m.tile_mark_not_sent() },
  lost: { icon: "alert", words: () => m.tile_mark_lost() },
};

const refusals: Record<string, (refusal: RefusalView) => string> = {
  too_long: () => m.tile_refused_too_long(),
  empty: () => m.tile_refused_empty(),
  malformed: () => m.tile_refused_malformed(),
  stale: () => m.tile_refused_stale(),
  taken: ({ assignee }) => (assignee ? m.tile_refused_taken({ name: assignee }) : m.tile_refused_taken_nobody()),
  closed: () => m.tile_refused_closed(),
  linked: () => m.tile_refused_linked(),
  reused: () => m.tile_refused_reused(),
  unknown: () => m.tile_refused_unknown(),
  base: () => m.tile_refused_base(),
  not_found: () => m.tile_refused_not_found(),
  not_recallable: () => m.tile_refused_not_recallable(),
  no_target: () => m.tile_refused_no_target(),
  behind: () => m.tile_refused_behind(),
};

export function refusalWords(refusal: RefusalView): string {
  return refusals[refusal.code]?.(refusal) ?? m.tile_refused_other({ code: refusal.code });
}

type Of<K extends RowBody["kind"]> = Extract<RowBody, { kind: K }>;

const reasons: Record<string, (by: string) => string> = {
  last_agent: () => m.tile_sys_last_agent(),
  least_busy: () => m.tile_sys_least_busy(),
  no_room: () => m.tile_sys_no_room(),
  nobody_online: () => m.tile_sys_nobody_online(),
  taken: (by) => (by ? m.tile_sys_taken_by({ name: by }) : m.tile_sys_taken()),
  transfer: (by) => (by ? m.tile_sys_transfer_by({ name: by }) : m.tile_sys_transfer()),
  agent_away: () => m.tile_sys_agent_away(),
  from_queue: () => m.tile_sys_from_queue(),
};

const closings: Record<string, () => string> = {
  agent: () => m.tile_sys_closed_agent(),
  customer: () => m.tile_sys_closed_customer(),
  idle: () => m.tile_sys_closed_idle(),
  linked: () => m.tile_sys_closed_linked(),
};

function reasonWords({ code, by, text }: ReasonView): string[] {
  const what = reasons[code]?.(by) ?? (code ? m.tile_sys_other_reason({ code }) : "");
  return [what, ...ownWords(text)].filter((part) => part !== "");
}

function ownWords(text: string): string[] {
  return text ? [m.tile_sys_reason({ text })] : [];
}

/** Who serves and why, in one phrase where there is one; null: they are two. */
function assignedBecause({ agent, me }: Of<"assignment">, { code, by }: ReasonView): string | null {
  if (code === "from_queue" && me) return m.tile_sys_from_queue_you();
  if (code === "from_queue" && agent) return m.tile_sys_from_queue_to({ name: agent });
  if (code === "taken" && me) return m.tile_sys_taken_you();
  if (code === "taken" && agent) return m.tile_sys_taken_by({ name: agent });
  if (code !== "transfer" || !by) return null;
  if (me) return m.tile_sys_transfer_you({ by });
  return agent ? m.tile_sys_transfer_to({ name: agent, by }) : m.tile_sys_transfer_queue({ by });
}

function assignmentWords(body: Of<"assignment">): string[] {
  const { agent, me, team, reason } = body;
  const both = reason && assignedBecause(body, reason);
  const who = me ? m.tile_sys_assigned_you() : agent ? m.tile_sys_assigned({ name: agent }) : m.tile_sys_queued();
  const why = reason ? (both ? ownWords(reason.text) : reasonWords(reason)) : [];
  return [both || who, team, ...why].filter((part) => part !== "");
}

/** Parts of a line that says what happened; null: this row is no such line. */
export function systemWords(body: RowBody): string[] | null {
  switch (body.kind) {
    case "assignment":
      return assignmentWords(body);
    case "reason":
      return reasonWords(body);
    case "closed":
      return [(closings[body.reason] ?? m.tile_sys_closed)()];
    case "reopened":
      return [m.tile_sys_reopened()];
    case "tagged":
      return [body.tags.length > 0 ? m.tile_sys_tagged({ tags: body.tags.join(" · ") }) : m.tile_sys_untagged()];
    case "rated":
      return body.text
        ? [m.tile_sys_rated({ stars: body.stars }), body.text]
        : [m.tile_sys_rated({ stars: body.stars })];
    case "linked":
      return [m.tile_sys_linked()];
    case "recall":
      return [m.tile_recall_act()];
    default:
      return null;
  }
}
