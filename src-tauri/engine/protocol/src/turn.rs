//! One call of a session: what it changes, and what leaves once that is committed.

use std::collections::{BTreeMap, BTreeSet};

use zuoxi_wire::Id;

use crate::change::{Change, Durability, StoredEntry, Transaction};
use crate::input::Output;
use crate::notice::Notice;
use crate::outbox::LaneKey;

/// Gathers the changes of one call into one transaction.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) now: u64,
    pub(crate) out: &'a mut Vec<Output>,
    changes: Vec<Change>,
    full: bool,
    after: Vec<Notice>,
    logs: BTreeSet<Id>,
    /// Acts that may leave once this is committed.
    pub(crate) acts: Vec<Id>,
    /// Lanes in which a refusal is shown once this is committed.
    pub(crate) refusals: Vec<LaneKey>,
    /// What a failed commit costs.
    pub(crate) fails: Fails,
    pub(crate) push: Option<u64>,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(now: u64, out: &'a mut Vec<Output>) -> Self {
        Self {
            now,
            out,
            changes: Vec::new(),
            full: false,
            after: Vec::new(),
            logs: BTreeSet::new(),
            acts: Vec::new(),
            refusals: Vec::new(),
            fails: Fails::Reload,
            push: None,
        }
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// This transaction must survive a power loss.
    pub(crate) fn full(&mut self) {
        self.full = true;
    }

    /// To be told once what was changed so far is committed.
    pub(crate) fn after(&mut self, notice: Notice) {
        self.after.push(notice);
    }

    /// To be told at once.
    pub(crate) fn tell(&mut self, notice: Notice) {
        self.out.push(Output::Notice(notice));
    }

    /// What is known of this log changed; it is written at the end of the call, once.
    pub(crate) fn touch(&mut self, conversation: Id) {
        self.logs.insert(conversation);
    }

    /// To be told once it is stored. Neighbours of one log travel together.
    pub(crate) fn tell_entry(&mut self, conversation: Id, entry: StoredEntry) {
        match self.after.last_mut() {
            Some(Notice::Entries {
                conversation: last,
                entries,
            }) if *last == conversation => entries.push(entry),
            _ => self.after.push(Notice::Entries {
                conversation,
                entries: vec![entry],
            }),
        }
    }

    /// Stores an entry as a row, and tells it.
    pub(crate) fn entry(&mut self, conversation: Id, entry: StoredEntry) {
        self.tell_entry(conversation, entry.clone());
        match self.changes.last_mut() {
            Some(Change::Entries(last, entries)) if *last == conversation => entries.push(entry),
            _ => self.changes.push(Change::Entries(conversation, vec![entry])),
        }
    }

    pub(crate) fn touched(&mut self) -> BTreeSet<Id> {
        std::mem::take(&mut self.logs)
    }

    /// The transaction, if anything changed, and what waits for it.
    pub(crate) fn finish(self, token: u64) -> (Option<Transaction>, Pending, &'a mut Vec<Output>) {
        let transaction = (!self.changes.is_empty()).then(|| Transaction {
            token,
            durability: if self.full {
                Durability::Full
            } else {
                Durability::Normal
            },
            changes: self.changes,
        });
        let pending = Pending {
            token,
            apart: transaction.as_ref().is_some_and(Transaction::stands_apart),
            after: self.after,
            acts: self.acts,
            refusals: self.refusals,
            fails: self.fails,
            push: self.push,
            watermarks: BTreeMap::new(),
            connection: 0,
            proven_ms: None,
        };
        (transaction, pending, self.out)
    }
}

/// What a failed commit costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fails {
    /// Memory is ahead of the store: everything is loaded anew.
    Reload,
    /// This act alone: its text goes back to the composer.
    Act(Id),
    /// Nothing but a draft: it is told, and the next one tries again.
    Tell,
}

/// What waits for a commit.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) token: u64,
    /// [`Transaction::stands_apart`].
    pub(crate) apart: bool,
    pub(crate) after: Vec<Notice>,
    pub(crate) acts: Vec<Id>,
    pub(crate) refusals: Vec<LaneKey>,
    pub(crate) fails: Fails,
    pub(crate) push: Option<u64>,
    /// Watermarks that moved.
    pub(crate) watermarks: BTreeMap<Id, u64>,
    /// On which connection the push came.
    pub(crate) connection: u64,
    /// With this commit the store is up to date as of that time.
    pub(crate) proven_ms: Option<u64>,
}

impl Pending {
    /// What waits for more than the user's own act: all that was given before.
    pub(crate) fn split_off(&mut self) -> Pending {
        Pending {
            token: self.token,
            apart: false,
            after: std::mem::take(&mut self.after),
            // Where there is a transaction, they are what it writes.
            acts: if self.apart {
                Vec::new()
            } else {
                std::mem::take(&mut self.acts)
            },
            refusals: std::mem::take(&mut self.refusals),
            fails: Fails::Reload,
            push: self.push.take(),
            watermarks: std::mem::take(&mut self.watermarks),
            connection: self.connection,
            proven_ms: None,
        }
    }

    /// Nothing at all waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.after.is_empty()
            && self.acts.is_empty()
            && self.refusals.is_empty()
            && self.push.is_none()
            && self.watermarks.is_empty()
    }

    /// What a later call without changes of its own adds to this commit.
    pub(crate) fn join(&mut self, later: Pending) {
        self.after.extend(later.after);
        self.acts.extend(later.acts);
        self.refusals.extend(later.refusals);
        if later.push.is_some() {
            self.push = later.push;
            self.connection = later.connection;
        }
        self.watermarks.extend(later.watermarks);
    }
}
