//! At which Seqs an id stands.
//!
//! Ids are their authors' choice, so one may stand at several: under another author, who saw it, or twice under its own
//! after a log was restored. The first that came gives its row the id as key; what is done to a message is done to
//! every row of its author that has the id.

use std::collections::HashMap;

use zuoxi_wire::Id;

/// The Seqs of the ids in memory.
#[derive(Debug, Default)]
pub(super) struct Ids {
    first: HashMap<Id, u64>,
    /// Nearly always empty.
    others: HashMap<Id, Vec<u64>>,
}

impl Ids {
    pub(super) fn put(&mut self, id: Id, seq: u64) {
        let first = *self.first.entry(id).or_insert(seq);
        if first != seq {
            self.others.entry(id).or_default().push(seq);
        }
    }

    pub(super) fn take(&mut self, id: Id, seq: u64) {
        if self.gives_key(id, seq) {
            self.first.remove(&id);
        } else if let Some(others) = self.others.get_mut(&id) {
            others.retain(|other| *other != seq);
            if others.is_empty() {
                self.others.remove(&id);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.first.clear();
        self.others.clear();
    }

    /// Whether the row at this Seq has the id as its key. It keeps that key for as long as it is in memory.
    pub(super) fn gives_key(&self, id: Id, seq: u64) -> bool {
        self.first.get(&id) == Some(&seq)
    }

    pub(super) fn any(&self, id: Id) -> bool {
        self.of(id).next().is_some()
    }

    pub(super) fn of(&self, id: Id) -> impl Iterator<Item = u64> {
        let others = self.others.get(&id).into_iter().flatten();
        self.first.get(&id).into_iter().chain(others).copied()
    }
}
