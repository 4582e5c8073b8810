//! A customer's storage: what a browser would keep, in memory, so that somebody can leave and come back.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use zuoxi_protocol::change::{Answer, Change, FeedKey, Loaded, OutboxAct, Question, Range, StoredEntry, Transaction};
use zuoxi_protocol::hash;
use zuoxi_wire::Id;
use zuoxi_wire::v1::Entry;

/// Entries kept of a log: a simulated customer looks at nothing older.
const KEPT: usize = 500;

/// Everything that one customer's device keeps.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    loaded: Loaded,
    entries: BTreeMap<Id, BTreeMap<u64, StoredEntry>>,
}

impl Memory {
    /// What a session starts from.
    pub fn loaded(&self) -> Loaded {
        self.loaded.clone()
    }

    /// Keeps a transaction.
    pub fn commit(&mut self, transaction: &Transaction) {
        transaction.changes.iter().for_each(|change| self.apply(change));
    }

    fn apply(&mut self, change: &Change) {
        let loaded = &mut self.loaded;
        match change {
            Change::Epoch(epoch) => loaded.epoch = *epoch,
            Change::Feed(feed, place) => {
                loaded.feeds.insert(*feed, *place);
            }
            Change::ForgetFeed(feed) => {
                loaded.feeds.remove(feed);
                loaded.rows.retain(|(of, _), _| of != feed);
            }
            Change::Row {
                feed,
                conversation,
                summary,
                revision,
            } => {
                loaded
                    .rows
                    .insert((*feed, *conversation), (summary.as_ref().clone(), *revision));
            }
            Change::RowLeft { feed, conversation } => self.leave(*feed, *conversation),
            Change::Log(conversation, state) => {
                loaded.logs.insert(*conversation, state.clone());
            }
            Change::Entries(conversation, entries) => self.keep(*conversation, entries),
            Change::Block(conversation, block) => self.keep(*conversation, &block.entries().unwrap_or_default()),
            Change::Erase(conversation, seqs) => seqs.iter().for_each(|seq| self.erase(*conversation, *seq)),
            Change::EraseMessage {
                conversation,
                below,
                author,
                id,
            } => {
                let of = |entry: &&StoredEntry| entry.seq < *below && entry.id == *id && entry.author == Some(*author);
                let found = self
                    .entries
                    .get(conversation)
                    .and_then(|log| log.values().find(of))
                    .map(|entry| entry.seq);
                if let Some(seq) = found {
                    self.erase(*conversation, seq);
                }
            }
            Change::Drop(conversation, range) => {
                if let Some(log) = self.entries.get_mut(conversation) {
                    log.retain(|seq, _| *seq < range.first || *seq > range.last);
                }
            }
            Change::Enqueue(act) => {
                loaded.last_place = loaded.last_place.max(act.place);
                loaded.outbox.push(act.clone());
            }
            Change::Update(act) => Self::update(loaded, act),
            Change::Settle(id) => loaded.outbox.retain(|act| act.id != *id),
            Change::Draft(conversation, draft) => {
                loaded.drafts.insert(*conversation, draft.clone());
            }
            Change::Value(name, Some(value)) => {
                loaded.values.insert((*name).to_owned(), value.clone());
            }
            Change::Value(name, None) => {
                loaded.values.remove(*name);
            }
        }
    }

    fn leave(&mut self, feed: FeedKey, conversation: Id) {
        self.loaded.rows.remove(&(feed, conversation));
        if feed.is_own() {
            self.loaded.logs.remove(&conversation);
            self.entries.remove(&conversation);
        }
    }

    fn update(loaded: &mut Loaded, act: &OutboxAct) {
        loaded.last_place = loaded.last_place.max(act.place);
        if let Some(there) = loaded.outbox.iter_mut().find(|there| there.id == act.id) {
            there.clone_from(act);
        }
        loaded.outbox.sort_by_key(|act| act.place);
    }

    fn keep(&mut self, conversation: Id, entries: &[StoredEntry]) {
        let log = self.entries.entry(conversation).or_default();
        for entry in entries {
            log.entry(entry.seq).or_insert_with(|| entry.clone());
        }
        while log.len() > KEPT {
            log.pop_first();
        }
    }

    fn erase(&mut self, conversation: Id, seq: u64) {
        let Some(stored) = self.entries.get_mut(&conversation).and_then(|log| log.get_mut(&seq)) else {
            return;
        };
        if let Ok(mut entry) = Entry::decode(stored.bytes.clone()) {
            entry.content = Bytes::new();
            entry.erased = true;
            stored.bytes = entry.encode_to_vec().into();
        }
    }

    /// Answers a session's question.
    pub fn answer(&self, question: &Question) -> Answer {
        let within = |conversation: &Id, range: &Range| -> Vec<StoredEntry> {
            let log = self.entries.get(conversation);
            log.into_iter()
                .flat_map(|log| log.range(range.first..=range.last))
                .map(|(_, entry)| entry.clone())
                .collect()
        };
        match question {
            Question::Hashes { conversation, ranges } => {
                let of = |range: &Range| {
                    let entries = within(conversation, range);
                    let whole = entries.len() as u64 == range.last - range.first + 1;
                    whole.then(|| hash::of(entries.iter().map(|entry| (entry.seq, entry.id, entry.author))))
                };
                Answer::Hashes(ranges.iter().map(of).collect())
            }
            Question::ByAuthor {
                conversation,
                range,
                author,
            } => {
                let mut entries = within(conversation, range);
                entries.retain(|entry| entry.author == Some(*author));
                Answer::Entries(entries)
            }
            Question::Erased { conversation, range } => {
                let is_erased =
                    |entry: &StoredEntry| Entry::decode(entry.bytes.clone()).is_ok_and(|entry| entry.erased);
                let entries = within(conversation, range);
                Answer::Erased(
                    entries
                        .iter()
                        .filter(|entry| is_erased(entry))
                        .map(|entry| entry.seq)
                        .collect(),
                )
            }
        }
    }

    /// Acts that aren't settled.
    pub fn unsettled(&self) -> usize {
        self.loaded.outbox.len()
    }
}
