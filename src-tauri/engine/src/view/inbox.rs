//! The inbox's lists and their rows.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::people::CustomerView;
use zuoxi_timeline::view::Mark;

/// A list of the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum InboxTab {
    /// Conversations of this agent.
    Mine,
    /// Those that wait for an agent, longest wait first.
    Queue,
    /// Open ones of the agent's teams, own ones left out.
    Team,
    /// Closed ones that this agent had last.
    Closed,
}

/// A conversation's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StatusView {
    /// Waits for an agent.
    Queued,
    /// An agent has it.
    Open,
    /// Closed; reopens when the customer writes.
    Closed,
}

/// Since when a customer waits, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Waiting {
    /// Milliseconds UTC by this computer's clock (the gateway's time, shifted).
    #[ts(type = "number")]
    pub since_ms: u64,
    /// The first response of this visit is due (else the next).
    pub first: bool,
    /// Target in milliseconds; 0: none.
    #[ts(type = "number")]
    pub target_ms: u64,
}

/// A row of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InboxRow {
    /// The conversation's id: the row's key.
    pub conversation: String,
    /// Who waits or waited.
    pub customer: CustomerView,
    /// Status.
    pub status: StatusView,
    /// Public name of who serves; empty: nobody.
    pub assignee: String,
    /// This agent serves it.
    pub mine: bool,
    /// Team's name.
    pub team: String,
    /// One line: the draft, the oldest unanswered words, or the last words.
    pub preview: String,
    /// The preview is an unsent draft.
    pub draft: bool,
    /// Mark of the last words if they are this agent's.
    pub mark: Option<Mark>,
    /// Unread messages of the customer.
    pub unread: u32,
    /// The customer waits.
    pub waiting: Option<Waiting>,
    /// Time of the last words, milliseconds UTC.
    #[ts(type = "number")]
    pub last_ms: u64,
    /// Parked acts in it.
    pub not_sent: u32,
}

/// A window onto one list of the inbox. Rows of the first group come first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InboxView {
    /// Which list.
    pub tab: InboxTab,
    /// Rows in the first group: waiting for you.
    pub waiting_count: u32,
    /// Rows in all.
    pub total: u32,
    /// Index of the first row here.
    pub from: u32,
    /// The rows.
    pub rows: Vec<InboxRow>,
}

/// A row of an [`InboxDelta`]: in TypeScript a number, or the row itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum InboxSlot {
    /// The window has this row already: its index in `rows` of the view that the window was told last. Nothing in it has
    /// changed, though it may stand elsewhere now.
    Kept(u32),
    /// A row that is new here, or says something else than before.
    Row(InboxRow),
}

/// An [`InboxView`], told by what changed. With the view that the window was told last, whichever list that was of, it
/// gives the view as it is now.
///
/// Window and engine begin from nothing, so that every row comes whole, at the same events: when the window is attached,
/// with `Me` of nobody and with `SessionEnded`. A window that has lost its view observes the same rows again: whoever
/// asks for what they observe already is told all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InboxDelta {
    /// Which list.
    pub tab: InboxTab,
    /// Rows in the first group: waiting for you.
    pub waiting_count: u32,
    /// Rows in all.
    pub total: u32,
    /// Index of the first row here.
    pub from: u32,
    /// All rows of the view, in its order.
    pub rows: Vec<InboxSlot>,
}

impl InboxDelta {
    /// The view as it is now, from the one that was told last. `None`: it speaks of a row that isn't in that one.
    pub fn onto(self, last: Option<&InboxView>) -> Option<InboxView> {
        let last = last.map(|view| view.rows.as_slice()).unwrap_or_default();
        let rows = self.rows.into_iter().map(|slot| match slot {
            InboxSlot::Kept(index) => last.get(index as usize).cloned(),
            InboxSlot::Row(row) => Some(row),
        });
        Some(InboxView {
            tab: self.tab,
            waiting_count: self.waiting_count,
            total: self.total,
            from: self.from,
            rows: rows.collect::<Option<_>>()?,
        })
    }
}

/// How many each list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct InboxCounts {
    /// Of this agent.
    pub mine: u32,
    /// In the queue.
    pub queue: u32,
    /// Others' in the teams.
    pub team: u32,
    /// Closed ones kept.
    pub closed: u32,
    /// Those of `mine` that wait for an answer.
    pub waiting: u32,
    /// Since when the first of the queue waits, milliseconds UTC by this computer's clock; 0: nobody does.
    #[ts(type = "number")]
    pub queue_since_ms: u64,
}
