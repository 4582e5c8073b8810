//! What a window is told, in order.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::inbox::{InboxCounts, InboxDelta, InboxRow};
use super::people::{CustomerPanel, MeView};
use super::sync::SyncView;
use zuoxi_timeline::view::TimelineDelta;

/// What stands in a composer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct DraftView {
    /// Text of the reply.
    pub text: String,
    /// Text of the note.
    pub note: String,
    /// The composer stands on the note.
    pub on_note: bool,
}

/// What the engine tells a window, in order. The shell gathers those of one frame into one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum DeskEvent {
    /// Log-in state; `None`: logged out.
    Me {
        /// Who.
        me: Option<MeView>,
    },
    /// The mark.
    Sync {
        /// As it is now.
        sync: SyncView,
        /// Acts waiting for the gateway.
        waiting: u32,
        /// Acts parked.
        parked: u32,
        /// Smoothed round trip, milliseconds.
        #[ts(type = "number | null")]
        round_trip_ms: Option<u64>,
    },
    /// The observed list of the inbox changed.
    Inbox {
        /// All of its rows; those that the window has are told by where they stood.
        delta: InboxDelta,
    },
    /// How many each list holds.
    Counts {
        /// Those.
        counts: InboxCounts,
    },
    /// Head of an observed conversation (also when it is in none of the lists).
    Conversation {
        /// As its inbox row.
        row: InboxRow,
    },
    /// An observed timeline changed.
    Timeline {
        /// Which.
        conversation: String,
        /// In order.
        deltas: Vec<TimelineDelta>,
    },
    /// The customer types, or stopped.
    Typing {
        /// Where.
        conversation: String,
        /// They do.
        typing: bool,
    },
    /// The customer panel of an observed conversation changed.
    Customer {
        /// As it is now.
        panel: CustomerPanel,
    },
    /// A conversation was given to this agent, or an unseen customer wrote: for the shell's notification.
    Attention {
        /// Which.
        conversation: String,
        /// Their name.
        customer: String,
        /// New assignment (else: unseen message).
        assigned: bool,
        /// Unread messages.
        unread: u32,
    },
    /// A send could not be stored: the text goes back to the composer, before what was typed since.
    PutBack {
        /// Where.
        conversation: String,
        /// The text.
        text: String,
        /// It was a note.
        note: bool,
        /// A code for why: disk_full, store.
        reason: String,
    },
    /// A message was discarded too late: it was sent, and its row offers to recall it.
    TooLate {
        /// Where.
        conversation: String,
        /// Which.
        message: String,
        /// The customer's name.
        customer: String,
    },
    /// A draft was changed by another window or by putting back.
    Draft {
        /// Where.
        conversation: String,
        /// As it is now.
        draft: DraftView,
    },
    /// The session ended by the gateway: log in again. Outbox and drafts are kept.
    SessionEnded {
        /// A code: session, disabled, version.
        reason: String,
    },
    /// From the shell: the user wants to quit while acts are unsent. Ask, then call `quit` with force.
    QuitAsked {
        /// Acts waiting for the gateway.
        waiting: u32,
        /// Acts parked.
        parked: u32,
    },
    /// From the shell: these conversations stand in windows of their own now.
    Popped {
        /// All of them.
        conversations: Vec<String>,
    },
    /// From the shell: show this conversation (a notification or a second start asked for it).
    Show {
        /// Which.
        conversation: String,
    },
    /// The server was restored from a backup and lost acknowledged messages.
    ServerLost {
        /// How many.
        count: u32,
    },
}
