//! A device's store in memory: for simulated customers, simulations and tests; and what every store must do, in short.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::Id;
use zuoxi_wire::v1::Entry;

use crate::change::{Answer, Change, Loaded, OutboxAct, Question, Range, StoredEntry, Transaction};
use crate::hash;

/// Everything that a device stored. Nothing of it outlives the process.
#[derive(Debug, Clone, Default)]
pub struct MemoryDevice {
    loaded: Loaded,
    entries: BTreeMap<Id, BTreeMap<u64, StoredEntry>>,
}

impl MemoryDevice {
    /// What a session starts from.
    pub fn load(&self) -> Loaded {
        self.loaded.clone()
    }

    /// Stored entries of a log, by Seq.
    pub fn entries(&self, conversation: Id) -> impl Iterator<Item = &StoredEntry> {
        self.entries.get(&conversation).into_iter().flat_map(BTreeMap::values)
    }

    /// Commits a transaction.
    pub fn commit(&mut self, transaction: Transaction) {
        for change in transaction.changes {
            self.apply(change);
        }
    }

    fn apply(&mut self, change: Change) {
        let loaded = &mut self.loaded;
        match change {
            Change::Epoch(epoch) => loaded.epoch = epoch,
            Change::Feed(feed, place) => {
                loaded.feeds.insert(feed, place);
            }
            Change::ForgetFeed(feed) => {
                loaded.feeds.remove(&feed);
                let rows: Vec<Id> = loaded
                    .rows
                    .keys()
                    .filter(|(of, _)| *of == feed)
                    .map(|(_, id)| *id)
                    .collect();
                for conversation in rows {
                    self.apply(Change::RowLeft { feed, conversation });
                }
            }
            Change::Row {
                feed,
                conversation,
                summary,
                revision,
            } => {
                loaded.rows.insert((feed, conversation), (*summary, revision));
            }
            Change::RowLeft { feed, conversation } => {
                loaded.rows.remove(&(feed, conversation));
                if feed.is_own() {
                    loaded.logs.remove(&conversation);
                    self.entries.remove(&conversation);
                }
            }
            Change::Log(conversation, state) => {
                loaded.logs.insert(conversation, state);
            }
            Change::Entries(conversation, entries) => self.keep(conversation, entries),
            Change::Block(conversation, block) => self.keep(conversation, block.entries().unwrap_or_default()),
            Change::Erase(conversation, seqs) => self.erase(conversation, |entry| seqs.contains(&entry.seq)),
            Change::EraseMessage {
                conversation,
                below,
                author,
                id,
            } => {
                let named = |entry: &StoredEntry| entry.seq < below && entry.id == id && entry.author == Some(author);
                self.erase(conversation, named);
            }
            Change::Drop(conversation, range) => {
                if let Some(log) = self.entries.get_mut(&conversation) {
                    log.retain(|seq, _| *seq < range.first || *seq > range.last);
                }
            }
            Change::Enqueue(act) | Change::Update(act) => self.put(act),
            Change::Settle(id) => loaded.outbox.retain(|act| act.id != id),
            Change::Draft(conversation, draft) => {
                if draft.text.is_empty() && draft.note.is_empty() {
                    loaded.drafts.remove(&conversation);
                } else {
                    loaded.drafts.insert(conversation, draft);
                }
            }
            Change::Value(name, value) => {
                loaded.values.remove(name);
                loaded.values.extend(value.map(|value| (name.to_owned(), value)));
            }
        }
    }

    fn keep(&mut self, conversation: Id, entries: Vec<StoredEntry>) {
        let log = self.entries.entry(conversation).or_default();
        for entry in entries {
            if !log.get(&entry.seq).is_some_and(is_erased) {
                log.insert(entry.seq, entry);
            }
        }
    }

    fn put(&mut self, act: OutboxAct) {
        let outbox = &mut self.loaded.outbox;
        outbox.retain(|known| known.id != act.id);
        self.loaded.last_place = self.loaded.last_place.max(act.place);
        let at = outbox.partition_point(|known| known.place < act.place);
        outbox.insert(at, act);
    }

    fn erase(&mut self, conversation: Id, which: impl Fn(&StoredEntry) -> bool) {
        for stored in self
            .entries
            .get_mut(&conversation)
            .into_iter()
            .flat_map(BTreeMap::values_mut)
        {
            if which(stored)
                && let Ok(mut entry) = Entry::decode(stored.bytes.clone())
            {
                entry.erased = true;
                entry.content = Bytes::new();
                stored.bytes = entry.encode_to_vec().into();
            }
        }
    }

    fn within(&self, conversation: Id, range: Range) -> impl Iterator<Item = &StoredEntry> {
        let log = self.entries.get(&conversation);
        log.into_iter()
            .flat_map(move |log| log.range(range.first..=range.last))
            .map(|(_, entry)| entry)
    }

    /// What a session asked.
    pub fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Hashes { conversation, ranges } => {
                let within = |range: &Range| self.within(*conversation, *range);
                let hashed = |range: &Range| {
                    let whole = within(range).count() as u64 == range.last - range.first + 1;
                    whole.then(|| hash::of(within(range).map(|entry| (entry.seq, entry.id, entry.author))))
                };
                Answer::Hashes(ranges.iter().map(hashed).collect())
            }
            Question::Erased { conversation, range } => {
                let erased = self.within(*conversation, *range).filter(|entry| is_erased(entry));
                Answer::Erased(erased.map(|entry| entry.seq).collect())
            }
            Question::ByAuthor {
                conversation,
                range,
                author,
            } => {
                let theirs = |entry: &&StoredEntry| entry.author == Some(*author) && !is_erased(entry);
                Answer::Entries(self.within(*conversation, *range).filter(theirs).cloned().collect())
            }
        }
    }
}

fn is_erased(stored: &StoredEntry) -> bool {
    Entry::decode(stored.bytes.clone()).is_ok_and(|entry| entry.erased)
}
