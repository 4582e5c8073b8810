//! A timeline as a user interface is told of it, as plain data: its rows, the windows onto it and how those change. All of it
//! crosses to the webview, so ids are text and times are milliseconds UTC.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A mark at an own message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The bubble is there, the disk not yet.
    Writing,
    /// Stored here, the gateway not sure yet; sending.
    Sending,
    /// Stored here; there is no connection, or no answer within 2 s.
    WaitingForNetwork,
    /// Stored here; no answer within 10 s: to be warned of in words.
    Overdue,
    /// The gateway has stored it.
    Sent,
    /// The customer's page has it.
    Delivered,
    /// The customer saw it.
    Read,
    /// Parked.
    NotSent,
    /// Was acknowledged; a restored server no longer has it.
    Lost,
}

/// What a row of a timeline is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RowBody {
    /// Words to everybody.
    Message {
        /// The text, plain.
        text: String,
        /// BCP 47, or empty.
        language: String,
    },
    /// Words to agents alone.
    Note {
        /// The text, plain.
        text: String,
    },
    /// A message or note whose content was taken away.
    Recalled {
        /// The text, while this device may still offer "edit again" (own ones alone); empty: it can't.
        edit_again: String,
        /// It was a note.
        note: bool,
    },
    /// Who serves from now on.
    Assignment {
        /// Public name; empty: it waits in the queue.
        agent: String,
        /// It is this agent.
        me: bool,
        /// Team's name.
        team: String,
        /// Why, as soon as that entry is here, too; its own row shows nothing then.
        reason: Option<ReasonView>,
    },
    /// Why (agents alone), where the assignment isn't here.
    Reason(ReasonView),
    /// Closed: by agent, customer, idle or linked.
    Closed {
        /// That code.
        reason: String,
    },
    /// The customer wrote again.
    Reopened,
    /// The tags became these.
    Tagged {
        /// All of them.
        tags: Vec<String>,
    },
    /// A rating.
    Rated {
        /// 1 to 5.
        stars: u32,
        /// Words, may be empty.
        text: String,
    },
    /// The story goes on elsewhere.
    Linked {
        /// That conversation.
        conversation: String,
    },
    /// A recall that needs the user.
    Recall,
    /// Not here yet: being fetched.
    Loading,
    /// Shows nothing (a recall's own entry; a kind from the future).
    Nothing,
}

/// Why somebody serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReasonView {
    /// A code: last_agent, least_busy, no_room, nobody_online, taken, transfer, agent_away, from_queue.
    pub code: String,
    /// The words of who handed it over.
    pub text: String,
    /// Who did it; empty: the gateway.
    pub by: String,
}

/// One row of a timeline.
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each drawn by itself")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TimelineRow {
    /// The message id, from key press to ACK to history: a row's key never changes. `seq:N` for what isn't here yet;
    /// `act:ID` for an act whose id stands in the log with other words, as a copied disk's does.
    pub key: String,
    /// The message id, for what its author can do about it (recall, send again, discard, keep): of own words, and of
    /// acts as long as they aren't settled. Left out where there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub message: Option<String>,
    /// Place in the log; `None`: not settled.
    #[ts(type = "number | null")]
    pub seq: Option<u64>,
    /// What it is.
    pub body: RowBody,
    /// `customer`, `agent` or `gateway`.
    pub author: AuthorView,
    /// Public name.
    pub author_name: String,
    /// Another agent wrote it: their id, for their picture. Else empty.
    pub agent: String,
    /// Written by this agent.
    pub mine: bool,
    /// Milliseconds UTC: the gateway's once settled, before that this computer's.
    #[ts(type = "number")]
    pub time_ms: u64,
    /// For own messages and notes, and for other acts as long as they aren't settled.
    pub mark: Option<Mark>,
    /// Why it was not sent: a code (too_long, stale, taken, closed, unknown …).
    pub refusal: Option<RefusalView>,
    /// The first row of a day: a divider stands above.
    pub new_day: bool,
    /// Follows the same author within 3 minutes: stands closer.
    pub joined: bool,
    /// The first unread when this window was opened: "new messages" stands above.
    pub first_unread: bool,
    /// An own message that was discarded too late: it was sent. Recalling it is offered until the user recalls or keeps it.
    pub too_late: bool,
}

/// Who wrote a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AuthorView {
    /// The customer.
    Customer,
    /// An agent.
    Agent,
    /// The gateway by its rules.
    Gateway,
}

/// Why an act was parked, and what the user can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RefusalView {
    /// A code for the UI's words: too_long, empty, malformed, stale, taken, closed, linked, reused, unknown, base,
    /// not_found, not_recallable, no_target, behind (something before it was refused), other.
    pub code: String,
    /// Who has it now, for `taken`.
    pub assignee: String,
    /// For `stale`: what others said meanwhile, in order, as far as it is here.
    pub said: Vec<SaidView>,
}

/// A message that overtook a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SaidView {
    /// Its place.
    #[ts(type = "number")]
    pub seq: u64,
    /// Public name of its author.
    pub author_name: String,
    /// Its text.
    pub text: String,
}

/// A window onto a timeline: rows `from` .. `from + rows.len()` of `total`. Row index = Seq − floor while settled; the
/// outbox follows after the last Seq.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TimelineView {
    /// Which conversation.
    pub conversation: String,
    /// Rows in all, from the floor to the outbox's end.
    #[ts(type = "number")]
    pub total: u64,
    /// Seq of row 0.
    #[ts(type = "number")]
    pub floor: u64,
    /// Index of the first row here.
    #[ts(type = "number")]
    pub from: u64,
    /// The rows.
    pub rows: Vec<TimelineRow>,
    /// Index of the first unread row when it was opened; `None`: all read.
    #[ts(type = "number | null")]
    pub first_unread: Option<u64>,
    /// Up to which Seq the customer has read, for the words under the last one; 0: nothing.
    #[ts(type = "number")]
    pub customer_read: u64,
    /// Only watched: kept in memory alone.
    pub watched: bool,
}

/// A change of an observed window. Applied in order to the last [`TimelineView`] it gives the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum TimelineDelta {
    /// The whole window anew (opened, moved far, resynced).
    Reset {
        /// The new window.
        view: TimelineView,
    },
    /// Rows are put in before `index` (an absolute one); what stood there moves behind them.
    Insert {
        /// Absolute index.
        #[ts(type = "number")]
        index: u64,
        /// The new rows.
        rows: Vec<TimelineRow>,
    },
    /// One row has another content, mark or place's meaning; its key may be new only if it was `Loading`.
    Update {
        /// Absolute index.
        #[ts(type = "number")]
        index: u64,
        /// The row as it is now.
        row: TimelineRow,
    },
    /// One row moves (an act got its Seq).
    Move {
        /// Absolute index where it stood.
        #[ts(type = "number")]
        from: u64,
        /// Absolute index where it stands now, counted after taking it out.
        #[ts(type = "number")]
        to: u64,
        /// The row as it is now.
        row: TimelineRow,
    },
    /// Rows are gone.
    Remove {
        /// Absolute index of the first.
        #[ts(type = "number")]
        index: u64,
        /// How many.
        #[ts(type = "number")]
        count: u64,
    },
    /// Only the ends or the read mark changed.
    Bounds {
        /// Rows in all.
        #[ts(type = "number")]
        total: u64,
        /// Seq of row 0.
        #[ts(type = "number")]
        floor: u64,
        /// Read by the customer up to this Seq.
        #[ts(type = "number")]
        customer_read: u64,
    },
}
