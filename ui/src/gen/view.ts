// Generated from src-tauri/engine/src/view.rs by `cargo xtask generate`. Don't edit.

/**
 * A list of the inbox.
 */
export type InboxTab = "mine" | "queue" | "team" | "closed";

/**
 * A conversation's status.
 */
export type StatusView = "queued" | "open" | "closed";

/**
 * Since when a customer waits, and for what.
 */
export type Waiting = { 
/**
 * Milliseconds UTC by this computer's clock (the gateway's time, shifted).
 */
since_ms: number, 
/**
 * The first response of this visit is due (else the next).
 */
first: boolean, 
/**
 * Target in milliseconds; 0: none.
 */
target_ms: number, };

/**
 * A customer as lists and heads show them.
 */
export type CustomerView = { 
/**
 * Their id.
 */
id: string, 
/**
 * Name, or 访客 7K3F.
 */
name: string, 
/**
 * The merchant's signature says so.
 */
verified: boolean, 
/**
 * Writes from a phone.
 */
mobile: boolean, 
/**
 * A page of theirs is open.
 */
online: boolean, 
/**
 * 1 to 8: the avatar's hue, from the id.
 */
hue: number, };

/**
 * A mark at an own message.
 */
export type Mark = "writing" | "sending" | "waiting_for_network" | "overdue" | "sent" | "delivered" | "read" | "not_sent" | "lost";

/**
 * A row of the inbox.
 */
export type InboxRow = { 
/**
 * The conversation's id: the row's key.
 */
conversation: string, 
/**
 * Who waits or waited.
 */
customer: CustomerView, 
/**
 * Status.
 */
status: StatusView, 
/**
 * Public name of who serves; empty: nobody.
 */
assignee: string, 
/**
 * This agent serves it.
 */
mine: boolean, 
/**
 * Team's name.
 */
team: string, 
/**
 * One line: the draft, the oldest unanswered words, or the last words.
 */
preview: string, 
/**
 * The preview is an unsent draft.
 */
draft: boolean, 
/**
 * Mark of the last words if they are this agent's.
 */
mark: Mark | null, 
/**
 * Unread messages of the customer.
 */
unread: number, 
/**
 * The customer waits.
 */
waiting: Waiting | null, 
/**
 * Time of the last words, milliseconds UTC.
 */
last_ms: number, 
/**
 * Parked acts in it.
 */
not_sent: number, };

/**
 * A window onto one list of the inbox. Rows of the first group come first.
 */
export type InboxView = { 
/**
 * Which list.
 */
tab: InboxTab, 
/**
 * Rows in the first group: waiting for you.
 */
waiting_count: number, 
/**
 * Rows in all.
 */
total: number, 
/**
 * Index of the first row here.
 */
from: number, 
/**
 * The rows.
 */
rows: Array<InboxRow>, };

/**
 * A row of an [`InboxDelta`]: in TypeScript a number, or the row itself.
 */
export type InboxSlot = number | InboxRow;

/**
 * An [`InboxView`], told by what changed. With the view that the window was told last, whichever list that was of, it
 * gives the view as it is now.
 *
 * Window and engine begin from nothing, so that every row comes whole, at the same events: when the window is attached,
 * with `Me` of nobody and with `SessionEnded`. A window that has lost its view observes the same rows again: whoever
 * asks for what they observe already is told all of it.
 */
export type InboxDelta = { 
/**
 * Which list.
 */
tab: InboxTab, 
/**
 * Rows in the first group: waiting for you.
 */
waiting_count: number, 
/**
 * Rows in all.
 */
total: number, 
/**
 * Index of the first row here.
 */
from: number, 
/**
 * All rows of the view, in its order.
 */
rows: Array<InboxSlot>, };

/**
 * How many each list holds.
 */
export type InboxCounts = { 
/**
 * Of this agent.
 */
mine: number, 
/**
 * In the queue.
 */
queue: number, 
/**
 * Others' in the teams.
 */
team: number, 
/**
 * Closed ones kept.
 */
closed: number, 
/**
 * Those of `mine` that wait for an answer.
 */
waiting: number, 
/**
 * Since when the first of the queue waits, milliseconds UTC by this computer's clock; 0: nobody does.
 */
queue_since_ms: number, };

/**
 * What a row of a timeline is.
 */
export type RowBody = { "kind": "message", 
/**
 * The text, plain.
 */
text: string, 
/**
 * BCP 47, or empty.
 */
language: string, } | { "kind": "note", 
/**
 * The text, plain.
 */
text: string, } | { "kind": "recalled", 
/**
 * The text, while this device may still offer "edit again" (own ones alone); empty: it can't.
 */
edit_again: string, 
/**
 * It was a note.
 */
note: boolean, } | { "kind": "assignment", 
/**
 * Public name; empty: it waits in the queue.
 */
agent: string, 
/**
 * It is this agent.
 */
me: boolean, 
/**
 * Team's name.
 */
team: string, 
/**
 * Why, as soon as that entry is here, too; its own row shows nothing then.
 */
reason: ReasonView | null, } | { "kind": "reason" } & ReasonView | { "kind": "closed", 
/**
 * That code.
 */
reason: string, } | { "kind": "reopened" } | { "kind": "tagged", 
/**
 * All of them.
 */
tags: Array<string>, } | { "kind": "rated", 
/**
 * 1 to 5.
 */
stars: number, 
/**
 * Words, may be empty.
 */
text: string, } | { "kind": "linked", 
/**
 * That conversation.
 */
conversation: string, } | { "kind": "recall" } | { "kind": "loading" } | { "kind": "nothing" };

/**
 * Why somebody serves.
 */
export type ReasonView = { 
/**
 * A code: last_agent, least_busy, no_room, nobody_online, taken, transfer, agent_away, from_queue.
 */
code: string, 
/**
 * The words of who handed it over.
 */
text: string, 
/**
 * Who did it; empty: the gateway.
 */
by: string, };

/**
 * Who wrote a row.
 */
export type AuthorView = "customer" | "agent" | "gateway";

/**
 * Why an act was parked, and what the user can do.
 */
export type RefusalView = { 
/**
 * A code for the UI's words: too_long, empty, malformed, stale, taken, closed, linked, reused, unknown, base,
 * not_found, not_recallable, no_target, behind (something before it was refused), other.
 */
code: string, 
/**
 * Who has it now, for `taken`.
 */
assignee: string, 
/**
 * For `stale`: what others said meanwhile, in order, as far as it is here.
 */
said: Array<SaidView>, };

/**
 * A message that overtook a reply.
 */
export type SaidView = { 
/**
 * Its place.
 */
seq: number, 
/**
 * Public name of its author.
 */
author_name: string, 
/**
 * Its text.
 */
text: string, };

/**
 * One row of a timeline.
 */
export type TimelineRow = { 
/**
 * The message id, from key press to ACK to history: a row's key never changes. `seq:N` for what isn't here yet;
 * `act:ID` for an act whose id stands in the log with other words, as a copied disk's does.
 */
key: string, 
/**
 * The message id, for what its author can do about it (recall, send again, discard, keep): of own words, and of
 * acts as long as they aren't settled. Left out where there is nothing to do.
 */
message?: string, 
/**
 * Place in the log; `None`: not settled.
 */
seq: number | null, 
/**
 * What it is.
 */
body: RowBody, 
/**
 * `customer`, `agent` or `gateway`.
 */
author: AuthorView, 
/**
 * Public name.
 */
author_name: string, 
/**
 * Another agent wrote it: their id, for their picture. Else empty.
 */
agent: string, 
/**
 * Written by this agent.
 */
mine: boolean, 
/**
 * Milliseconds UTC: the gateway's once settled, before that this computer's.
 */
time_ms: number, 
/**
 * For own messages and notes, and for other acts as long as they aren't settled.
 */
mark: Mark | null, 
/**
 * Why it was not sent: a code (too_long, stale, taken, closed, unknown …).
 */
refusal: RefusalView | null, 
/**
 * The first row of a day: a divider stands above.
 */
new_day: boolean, 
/**
 * Follows the same author within 3 minutes: stands closer.
 */
joined: boolean, 
/**
 * The first unread when this window was opened: "new messages" stands above.
 */
first_unread: boolean, 
/**
 * An own message that was discarded too late: it was sent. Recalling it is offered until the user recalls or keeps it.
 */
too_late: boolean, };

/**
 * A window onto a timeline: rows `from` .. `from + rows.len()` of `total`. Row index = Seq − floor while settled; the
 * outbox follows after the last Seq.
 */
export type TimelineView = { 
/**
 * Which conversation.
 */
conversation: string, 
/**
 * Rows in all, from the floor to the outbox's end.
 */
total: number, 
/**
 * Seq of row 0.
 */
floor: number, 
/**
 * Index of the first row here.
 */
from: number, 
/**
 * The rows.
 */
rows: Array<TimelineRow>, 
/**
 * Index of the first unread row when it was opened; `None`: all read.
 */
first_unread: number | null, 
/**
 * Up to which Seq the customer has read, for the words under the last one; 0: nothing.
 */
customer_read: number, 
/**
 * Only watched: kept in memory alone.
 */
watched: boolean, };

/**
 * A change of an observed window. Applied in order to the last [`TimelineView`] it gives the next one.
 */
export type TimelineDelta = { "op": "reset", 
/**
 * The new window.
 */
view: TimelineView, } | { "op": "insert", 
/**
 * Absolute index.
 */
index: number, 
/**
 * The new rows.
 */
rows: Array<TimelineRow>, } | { "op": "update", 
/**
 * Absolute index.
 */
index: number, 
/**
 * The row as it is now.
 */
row: TimelineRow, } | { "op": "move", 
/**
 * Absolute index where it stood.
 */
from: number, 
/**
 * Absolute index where it stands now, counted after taking it out.
 */
to: number, 
/**
 * The row as it is now.
 */
row: TimelineRow, } | { "op": "remove", 
/**
 * Absolute index of the first.
 */
index: number, 
/**
 * How many.
 */
count: number, } | { "op": "bounds", 
/**
 * Rows in all.
 */
total: number, 
/**
 * Seq of row 0.
 */
floor: number, 
/**
 * Read by the customer up to this Seq.
 */
customer_read: number, };

/**
 * Whether what is shown is everything.
 */
export type SyncView = { "state": "up_to_date", 
/**
 * Everything committed before this time is here, milliseconds UTC (gateway).
 */
as_of_ms: number, } | { "state": "catching_up", 
/**
 * Entries missing, as far as known.
 */
missing: number, 
/**
 * Entries fetched since it began.
 */
fetched: number, 
/**
 * Conversations with something missing.
 */
conversations: number, } | { "state": "offline", 
/**
 * Milliseconds UTC by this computer's clock; 0: never was connected.
 */
since_ms: number, 
/**
 * When the next attempt begins, milliseconds UTC by this computer's clock; 0: under way.
 */
retry_at_ms: number, 
/**
 * A code for why: network, tls, version, crowded, session, disabled, stopping, store.
 */
reason: string, };

/**
 * One feed of the proof.
 */
export type ProofFeed = { 
/**
 * Team's name; empty: the agent's own feed.
 */
name: string, 
/**
 * Revision here.
 */
here: number, 
/**
 * Revision of the last heartbeat.
 */
there: number, 
/**
 * They agree.
 */
agrees: boolean, };

/**
 * The proof behind the mark.
 */
export type ProofView = { 
/**
 * The mark itself.
 */
sync: SyncView, 
/**
 * Feeds by name: here and at the gateway.
 */
feeds: Array<ProofFeed>, 
/**
 * Conversations kept here.
 */
conversations: number, 
/**
 * Gaps in them.
 */
gaps: number, 
/**
 * Acts waiting for the gateway.
 */
waiting: number, 
/**
 * Acts parked.
 */
parked: number, 
/**
 * Smoothed round trip, milliseconds; `None`: not measured yet.
 */
round_trip_ms: number | null, };

/**
 * Presence, in the UI's words.
 */
export type PresenceView = "online" | "busy" | "away" | "offline";

/**
 * Who is logged in.
 */
export type MeView = { 
/**
 * Agent's id.
 */
id: string, 
/**
 * Public name.
 */
name: string, 
/**
 * Log-in name.
 */
login: string, 
/**
 * Gateway's address as typed.
 */
gateway: string, 
/**
 * Presence as it stands.
 */
presence: PresenceView, 
/**
 * Leads at least one team.
 */
lead: boolean, 
/**
 * Under which name the pictures of this account's agents are served; another one each time it is opened.
 */
pictures: string, };

/**
 * An earlier visit.
 */
export type PastVisitView = { 
/**
 * Its place in the timeline.
 */
first_seq: number, 
/**
 * Milliseconds UTC.
 */
started_ms: number, 
/**
 * 0: it goes on.
 */
ended_ms: number, 
/**
 * The customer's first words.
 */
first_words: string, };

/**
 * The customer panel.
 */
export type CustomerPanel = { 
/**
 * Whose.
 */
conversation: string, 
/**
 * Head of the panel.
 */
customer: CustomerView, 
/**
 * User-Agent in short ("Chrome 126, Windows").
 */
browser: string, 
/**
 * BCP 47.
 */
language: string, 
/**
 * Page they look at.
 */
page_url: string, 
/**
 * Its title.
 */
page_title: string, 
/**
 * Where they came from.
 */
referrer: string, 
/**
 * Milliseconds UTC.
 */
first_visit_ms: number, 
/**
 * Tags.
 */
tags: Array<string>, 
/**
 * Earlier visits, newest first.
 */
visits: Array<PastVisitView>, };

/**
 * A team to hand over to.
 */
export type TeamTarget = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Agents online.
 */
online: number, 
/**
 * Conversations queued.
 */
queued: number, };

/**
 * An agent to hand over to.
 */
export type AgentTarget = { 
/**
 * Their id.
 */
id: string, 
/**
 * Public name.
 */
name: string, 
/**
 * Presence.
 */
presence: PresenceView, 
/**
 * Open conversations.
 */
open: number, 
/**
 * Capacity.
 */
capacity: number, };

/**
 * To whom a conversation can be handed.
 */
export type TransferTargets = { 
/**
 * Teams.
 */
teams: Array<TeamTarget>, 
/**
 * Agents.
 */
agents: Array<AgentTarget>, };

/**
 * Where to hand a conversation over.
 */
export type TransferTo = { "to": "agent", "id": string } | { "to": "team", "id": string };

/**
 * What stands in a composer.
 */
export type DraftView = { 
/**
 * Text of the reply.
 */
text: string, 
/**
 * Text of the note.
 */
note: string, 
/**
 * The composer stands on the note.
 */
on_note: boolean, };

/**
 * What the engine tells a window, in order. The shell gathers those of one frame into one message.
 */
export type DeskEvent = { "event": "me", 
/**
 * Who.
 */
me: MeView | null, } | { "event": "sync", 
/**
 * As it is now.
 */
sync: SyncView, 
/**
 * Acts waiting for the gateway.
 */
waiting: number, 
/**
 * Acts parked.
 */
parked: number, 
/**
 * Smoothed round trip, milliseconds.
 */
round_trip_ms: number | null, } | { "event": "inbox", 
/**
 * All of its rows; those that the window has are told by where they stood.
 */
delta: InboxDelta, } | { "event": "counts", 
/**
 * Those.
 */
counts: InboxCounts, } | { "event": "conversation", 
/**
 * As its inbox row.
 */
row: InboxRow, } | { "event": "timeline", 
/**
 * Which.
 */
conversation: string, 
/**
 * In order.
 */
deltas: Array<TimelineDelta>, } | { "event": "typing", 
/**
 * Where.
 */
conversation: string, 
/**
 * They do.
 */
typing: boolean, } | { "event": "customer", 
/**
 * As it is now.
 */
panel: CustomerPanel, } | { "event": "attention", 
/**
 * Which.
 */
conversation: string, 
/**
 * Their name.
 */
customer: string, 
/**
 * New assignment (else: unseen message).
 */
assigned: boolean, 
/**
 * Unread messages.
 */
unread: number, } | { "event": "put_back", 
/**
 * Where.
 */
conversation: string, 
/**
 * The text.
 */
text: string, 
/**
 * It was a note.
 */
note: boolean, 
/**
 * A code for why: disk_full, store.
 */
reason: string, } | { "event": "too_late", 
/**
 * Where.
 */
conversation: string, 
/**
 * Which.
 */
message: string, 
/**
 * The customer's name.
 */
customer: string, } | { "event": "draft", 
/**
 * Where.
 */
conversation: string, 
/**
 * As it is now.
 */
draft: DraftView, } | { "event": "session_ended", 
/**
 * A code: session, disabled, version.
 */
reason: string, } | { "event": "quit_asked", 
/**
 * Acts waiting for the gateway.
 */
waiting: number, 
/**
 * Acts parked.
 */
parked: number, } | { "event": "popped", 
/**
 * All of them.
 */
conversations: Array<string>, } | { "event": "show", 
/**
 * Which.
 */
conversation: string, } | { "event": "server_lost", 
/**
 * How many.
 */
count: number, };

/**
 * Why a call failed: a code for the UI's words, never a sentence.
 */
export type CallError = { 
/**
 * network, tls, not_a_gateway, version, credentials, locked, disabled, session, not_found, rate, crowded, store,
 * disk_full, damaged, newer_database, in_use, passphrase_needed, passphrase_wrong, busy, invalid, too_long, empty,
 * control.
 */
code: string, 
/**
 * Milliseconds after which it may be tried again; 0: unknown.
 */
retry_ms: number, };
