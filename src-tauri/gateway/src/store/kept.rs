//! What the store has read and knows to be still so, since nobody else writes: the gateway holds its folder's lock. What
//! another process may write all the same (the command line does) is noticed at the begin of each transaction.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Result};
use zuoxi_rules::record::Conversation;
use zuoxi_wire::Id;

use super::repeats;

/// Conversations at hand at most, of less than a kilobyte each; then all are read anew.
const CONVERSATIONS: usize = 4_096;

/// A conversation with its row's number.
type Row = (i64, Conversation);

#[derive(Default)]
pub(super) struct Kept {
    /// SQLite's number of what others wrote; none: nothing was read yet.
    version: Option<i64>,
    conversations: HashMap<Id, Row>,
    /// Of the open transaction: where it is taken back, they aren't so any longer.
    written: Vec<Id>,
    /// Where a refusal may be remembered; one that was taken back does no harm here. None: unknown, since another
    /// process wrote.
    refused: Option<HashSet<Id>>,
}

impl Kept {
    /// A transaction begins: forgets everything if another process wrote meanwhile.
    pub(super) fn begin(&mut self, db: &Connection, version: i64) -> Result<()> {
        if self.version != Some(version) {
            self.conversations.clear();
            // Scanned once: later it would make an act wait each time that somebody uses the command line.
            self.refused = match self.version {
                None => Some(repeats::conversations_with_refusals(db)?),
                Some(_) => None,
            };
            self.version = Some(version);
        }
        Ok(())
    }

    /// What was written is so.
    pub(super) fn committed(&mut self) {
        self.written.clear();
    }

    /// Some of what was written in this transaction was taken back: it is read anew. What is read then holds only if the
    /// transaction does, so it stays noted.
    pub(super) fn partly_taken_back(&mut self) {
        for id in &self.written {
            self.conversations.remove(id);
        }
    }

    /// All that was written in this transaction was taken back, or may have been.
    pub(super) fn taken_back(&mut self) {
        self.partly_taken_back();
        self.written.clear();
    }

    pub(super) fn conversation(&self, id: Id) -> Option<&Row> {
        self.conversations.get(&id)
    }

    pub(super) fn keep(&mut self, row: Row) {
        if self.conversations.len() >= CONVERSATIONS {
            self.conversations.clear();
        }
        self.conversations.insert(row.1.id, row);
    }

    pub(super) fn wrote(&mut self, row: Row) {
        self.written.push(row.1.id);
        self.keep(row);
    }

    pub(super) fn refuses(&mut self, conversation: Id) {
        if let Some(refused) = &mut self.refused {
            refused.insert(conversation);
        }
    }

    /// Whether a refusal may be remembered in this conversation.
    pub(super) fn may_have_refused(&self, conversation: Id) -> bool {
        self.refused
            .as_ref()
            .is_none_or(|refused| refused.contains(&conversation))
    }
}
