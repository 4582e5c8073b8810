//! A device's disk: what each change means, what waits, and what a kill or a power loss takes.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use prost::Message as _;
use zuoxi_protocol::change::{
    Answer, Change, Draft, Durability, FeedKey, FeedPlace, Loaded, LogState, OutboxAct, Question, Range, StoredEntry,
    Transaction,
};
use zuoxi_protocol::hash;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Entry, Summary};

/// Everything stored.
#[derive(Debug, Clone, Default)]
pub struct Content {
    pub epoch: u64,
    pub feeds: BTreeMap<FeedKey, FeedPlace>,
    pub rows: BTreeMap<(FeedKey, Id), (Summary, u64)>,
    pub logs: BTreeMap<Id, LogState>,
    pub outbox: BTreeMap<u64, OutboxAct>,
    places: BTreeMap<Id, u64>,
    last_place: u64,
    drafts: BTreeMap<Id, Draft>,
    pub values: BTreeMap<String, Bytes>,
    pub entries: BTreeMap<Id, BTreeMap<u64, StoredEntry>>,
}

impl Content {
    pub fn act(&self, id: Id) -> Option<&OutboxAct> {
        self.outbox.get(self.places.get(&id)?)
    }

    pub fn load(&self) -> Loaded {
        Loaded {
            epoch: self.epoch,
            feeds: self.feeds.clone(),
            rows: self.rows.clone(),
            logs: self.logs.clone(),
            outbox: self.outbox.values().cloned().collect(),
            last_place: self.last_place,
            drafts: self.drafts.clone(),
            values: self.values.clone(),
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Epoch(epoch) => self.epoch = *epoch,
            Change::Feed(feed, place) => {
                self.feeds.insert(*feed, *place);
            }
            Change::ForgetFeed(feed) => {
                self.feeds.remove(feed);
                let rows: Vec<Id> = self
                    .rows
                    .keys()
                    .filter(|(of, _)| of == feed)
                    .map(|(_, id)| *id)
                    .collect();
                for conversation in rows {
                    self.leave(*feed, conversation);
                }
            }
            Change::Row {
                feed,
                conversation,
                summary,
                revision,
            } => {
                self.rows
                    .insert((*feed, *conversation), ((**summary).clone(), *revision));
            }
            Change::RowLeft { feed, conversation } => self.leave(*feed, *conversation),
            Change::Log(conversation, state) => {
                self.logs.insert(*conversation, state.clone());
            }
            Change::Entries(conversation, entries) => self.keep(*conversation, entries),
            Change::Block(conversation, block) => {
                self.keep(*conversation, &block.entries().expect("it was checked when it came"));
            }
            Change::Erase(conversation, seqs) => {
                for seq in seqs {
                    if let Some(entry) = self.entries.get_mut(conversation).and_then(|log| log.get_mut(seq)) {
                        erase(entry);
                    }
                }
            }
            Change::EraseMessage {
                conversation,
                below,
                author,
                id,
            } => {
                let log = self
                    .entries
                    .get_mut(conversation)
                    .into_iter()
                    .flat_map(BTreeMap::values_mut);
                log.filter(|entry| entry.seq < *below && entry.id == *id && entry.author == Some(*author))
                    .for_each(erase);
            }
            Change::Drop(conversation, range) => {
                if let Some(log) = self.entries.get_mut(conversation) {
                    log.retain(|seq, _| *seq < range.first || *seq > range.last);
                }
            }
            Change::Enqueue(act) | Change::Update(act) => {
                self.settle(act.id);
                self.last_place = self.last_place.max(act.place);
                self.places.insert(act.id, act.place);
                self.outbox.insert(act.place, act.clone());
            }
            Change::Settle(id) => self.settle(*id),
            Change::Draft(conversation, draft) => {
                if draft.text.is_empty() && draft.note.is_empty() {
                    self.drafts.remove(conversation);
                } else {
                    self.drafts.insert(*conversation, draft.clone());
                }
            }
            Change::Value(name, value) => {
                self.values.remove(*name);
                self.values
                    .extend(value.clone().map(|value| ((*name).to_owned(), value)));
            }
        }
    }

    fn keep(&mut self, conversation: Id, entries: &[StoredEntry]) {
        let log = self.entries.entry(conversation).or_default();
        for entry in entries {
            if !log.get(&entry.seq).is_some_and(is_erased) {
                log.insert(entry.seq, entry.clone());
            }
        }
    }

    fn leave(&mut self, feed: FeedKey, conversation: Id) {
        self.rows.remove(&(feed, conversation));
        if feed.is_own() {
            self.logs.remove(&conversation);
            self.entries.remove(&conversation);
        }
    }

    fn settle(&mut self, id: Id) {
        if let Some(place) = self.places.remove(&id) {
            self.outbox.remove(&place);
        }
    }

    fn within(&self, conversation: Id, range: Range) -> impl Iterator<Item = &StoredEntry> {
        let log = self.entries.get(&conversation);
        log.into_iter()
            .flat_map(move |log| log.range(range.first..=range.last))
            .map(|(_, entry)| entry)
    }

    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Hashes { conversation, ranges } => Answer::Hashes(
                ranges
                    .iter()
                    .map(|range| {
                        let whole = self.within(*conversation, *range).count() as u64 == range.last - range.first + 1;
                        let told = self.within(*conversation, *range);
                        whole.then(|| hash::of(told.map(|entry| (entry.seq, entry.id, entry.author))))
                    })
                    .collect(),
            ),
            Question::Erased { conversation, range } => Answer::Erased(
                self.within(*conversation, *range)
                    .filter(|entry| is_erased(entry))
                    .map(|entry| entry.seq)
                    .collect(),
            ),
            Question::ByAuthor {
                conversation,
                range,
                author,
            } => Answer::Entries(
                self.within(*conversation, *range)
                    .filter(|entry| entry.author == Some(*author) && !is_erased(entry))
                    .cloned()
                    .collect(),
            ),
        }
    }
}

fn is_erased(stored: &StoredEntry) -> bool {
    Entry::decode(stored.bytes.clone()).is_ok_and(|entry| entry.erased)
}

fn erase(stored: &mut StoredEntry) {
    if let Ok(mut entry) = Entry::decode(stored.bytes.clone()) {
        entry.erased = true;
        entry.content = Bytes::new();
        stored.bytes = entry.encode_to_vec().into();
    }
}

/// What the session asked of its store, in order.
#[derive(Debug, Clone)]
pub enum Job {
    Commit(Transaction),
    Read(u64, Question),
}

/// What became of the first job.
pub enum Done {
    Committed(Transaction),
    Failed(u64, bool),
    Read(u64, Option<Answer>),
}

/// A disk with its queue: the writer does one job after another, in the order given.
///
/// It keeps what SQLite in WAL keeps: a commit is whole or not there (a torn one has a wrong checksum), NORMAL ones are
/// lost by a power loss from some point on, never in between, and a FULL one makes all before it safe.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    pub now: Content,
    synced: Content,
    /// Committed at NORMAL since the last sync.
    tail: Vec<Transaction>,
    queue: VecDeque<Job>,
    /// A transaction that others build on failed; nothing more is stored until somebody loads.
    failed: bool,
    /// The next commits fail: so many.
    pub full: u32,
    /// The next reads fail: so many.
    pub unreadable: u32,
}

impl Disk {
    pub fn push(&mut self, job: Job) {
        self.queue.push_back(job);
    }

    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Does the first job.
    pub fn work(&mut self) -> Option<Done> {
        Some(match self.queue.pop_front()? {
            Job::Commit(transaction) => {
                if self.failed || self.full > 0 || self.refuses(&transaction) {
                    self.full = self.full.saturating_sub(1);
                    self.failed |= !stands_apart(&transaction);
                    return Some(Done::Failed(transaction.token, self.full == 0));
                }
                self.commit(&transaction);
                Done::Committed(transaction)
            }
            Job::Read(ticket, question) => {
                let answer = if self.unreadable > 0 {
                    self.unreadable -= 1;
                    None
                } else {
                    Some(self.now.answer(&question))
                };
                Done::Read(ticket, answer)
            }
        })
    }

    /// What isn't in the outbox can't be changed: SQLite's store refuses such a transaction as a whole.
    fn refuses(&self, transaction: &Transaction) -> bool {
        let mut new = Vec::new();
        transaction.changes.iter().any(|change| match change {
            Change::Enqueue(act) => {
                new.push(act.id);
                false
            }
            Change::Update(act) => self.now.act(act.id).is_none() && !new.contains(&act.id),
            _ => false,
        })
    }

    fn commit(&mut self, transaction: &Transaction) {
        for change in &transaction.changes {
            self.now.apply(change);
        }
        self.tail.push(transaction.clone());
        if transaction.durability == Durability::Full {
            self.sync(usize::MAX);
        }
    }

    fn sync(&mut self, count: usize) {
        for transaction in self.tail.drain(..count.min(self.tail.len())) {
            for change in &transaction.changes {
                self.synced.apply(change);
            }
        }
    }

    /// The session was dropped after a failure: the next transaction of those that it had given and that still can be is
    /// stored. `None`: none is left, and all may be loaded.
    pub fn works_off(&mut self) -> Option<Transaction> {
        while let Some(job) = self.queue.pop_front() {
            if let Job::Commit(transaction) = job
                && !self.failed
                && !self.refuses(&transaction)
            {
                self.commit(&transaction);
                return Some(transaction);
            }
        }
        self.failed = false;
        None
    }

    /// The process is killed: what it had not committed is gone. What the checker is told: how much that was.
    pub fn kill(&mut self) -> usize {
        self.failed = false;
        std::mem::take(&mut self.queue).len()
    }

    /// The power goes: of what was not synced only the first `kept` transactions are there. Says how many went.
    pub fn lose_power(&mut self, kept: usize) -> usize {
        let torn = self.kill();
        let lost = self.tail.len().saturating_sub(kept);
        self.sync(kept);
        self.tail.clear();
        self.now = self.synced.clone();
        lost + torn
    }

    pub fn unsynced(&self) -> usize {
        self.tail.len()
    }
}

/// Outbox, drafts and values alone: nothing that was given after it builds on it.
fn stands_apart(transaction: &Transaction) -> bool {
    transaction.changes.iter().all(|change| {
        matches!(
            change,
            Change::Enqueue(_) | Change::Update(_) | Change::Settle(_) | Change::Draft(..) | Change::Value(..)
        )
    })
}
