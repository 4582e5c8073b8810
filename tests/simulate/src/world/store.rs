//! The gateway's store: its twin in memory, with faults between any two operations, and a witness of what is committed.

use std::collections::BTreeMap;

use zuoxi_rules::memory::CommitFault;
use zuoxi_rules::record::{
    Agent, Audience, Avatar, Brand, Conversation, Customer, Entry, Facts, Feed, FeedRow, FeedState, KnownId, Position,
    Refusal, SealedBlock, Session, Team, Visit, Who,
};
use zuoxi_rules::store::Stored;
use zuoxi_rules::{MemoryStore, Store, StoreError};
use zuoxi_wire::Id;
use zuoxi_wire::v1::Presence;

/// What a commit made durable, as far as the checker looks.
#[derive(Debug, Clone)]
pub enum Written {
    Entry(Entry),
    Erased(Id, u64),
    Conversation(Box<Conversation>),
    Row(Feed, FeedRow),
    Feed(Feed, FeedState),
}

/// Answers that the rules found where repeats are remembered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Remembered {
    pub in_index: u64,
    pub above_base: u64,
    pub refused: u64,
}

/// A store that breaks on demand.
#[derive(Default)]
pub struct GatewayStore {
    inner: MemoryStore,
    open: Vec<Written>,
    mark: usize,
    sealing: Vec<SealedBlock>,
    sealing_mark: usize,
    /// The first block of each range that was ever committed: what a cache somewhere may still have.
    pub oldest: BTreeMap<(Id, Audience, u64), SealedBlock>,
    /// What was committed and not yet taken by the checker.
    pub committed: Vec<Written>,
    /// Commits since, with or without anything written.
    pub groups: u32,
    /// Operations until the process dies; none: it lives.
    pub dies_after: Option<u32>,
    /// It died: nothing is done any more.
    pub dead: bool,
    /// One read in so many fails; 0: none.
    pub bad_reads: u64,
    reads: u64,
    lose_now: bool,
    /// How the next commit that stores an entry fails.
    pub commit_fault: Option<CommitFault>,
    /// The next commit that remembers a refusal fails.
    pub lose_refusal: bool,
    /// Commits that were stored, and told as failed.
    pub stored_untold: u64,
    pub remembered: Remembered,
}

fn broken() -> StoreError {
    StoreError::Broken("simulated".into())
}

impl GatewayStore {
    pub fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            ..Self::default()
        }
    }

    pub fn backup(&self) -> MemoryStore {
        self.inner.backup()
    }

    pub fn set_full(&mut self, full: bool) {
        self.inner.set_full(full);
    }

    /// A new process opens what the old one committed.
    pub fn reopen(&mut self) {
        self.inner.rollback();
        self.open.clear();
        self.mark = 0;
        self.sealing.clear();
        self.dead = false;
        self.dies_after = None;
    }

    fn alive(&mut self) -> Stored<()> {
        if let Some(left) = &mut self.dies_after {
            if *left == 0 {
                self.dead = true;
            } else {
                *left -= 1;
            }
        }
        if self.dead { Err(broken()) } else { Ok(()) }
    }

    fn reads(&mut self) -> Stored<()> {
        self.alive()?;
        if self.bad_reads > 0 {
            self.reads += 1;
            if self.reads.is_multiple_of(self.bad_reads) {
                return Err(broken());
            }
        }
        Ok(())
    }

    fn note(&mut self, done: Stored<()>, written: Written) -> Stored<()> {
        done?;
        self.open.push(written);
        Ok(())
    }
}

macro_rules! pass {
    ($check:ident: $(fn $name:ident(&mut self $(, $arg:ident: $kind:ty)*) -> $out:ty;)*) => {
        $(fn $name(&mut self $(, $arg: $kind)*) -> Stored<$out> {
            self.$check()?;
            self.inner.$name($($arg),*)
        })*
    };
}

impl Store for GatewayStore {
    fn begin(&mut self) -> Stored<()> {
        self.alive()?;
        self.open.clear();
        self.sealing.clear();
        self.inner.begin()
    }

    fn savepoint(&mut self) -> Stored<()> {
        self.alive()?;
        self.inner.savepoint()?;
        self.mark = self.open.len();
        self.sealing_mark = self.sealing.len();
        Ok(())
    }

    fn release(&mut self) -> Stored<()> {
        self.alive()?;
        self.inner.release()
    }

    fn undo(&mut self) -> Stored<()> {
        self.alive()?;
        self.open.truncate(self.mark);
        self.sealing.truncate(self.sealing_mark);
        self.inner.undo()
    }

    fn commit(&mut self) -> Stored<()> {
        self.alive()?;
        let stores = self.open.iter().any(|written| matches!(written, Written::Entry(_)));
        let fault = if std::mem::take(&mut self.lose_now) {
            Some(CommitFault::Lost)
        } else if stores {
            self.commit_fault.take()
        } else {
            None
        };
        if let Some(fault) = fault {
            self.inner.fail_commit(fault);
        }
        let done = self.inner.commit();
        if done.is_ok() || fault == Some(CommitFault::Stored) {
            if done.is_err() && !self.open.is_empty() {
                self.stored_untold += 1;
            }
            self.groups += 1;
            self.committed.append(&mut self.open);
            for block in self.sealing.drain(..).filter(|block| !block.bytes.is_empty()) {
                let key = (block.conversation, block.log, block.start);
                self.oldest.entry(key).or_insert(block);
            }
        }
        self.open.clear();
        self.sealing.clear();
        done
    }

    fn rollback(&mut self) {
        self.open.clear();
        self.sealing.clear();
        self.inner.rollback();
    }

    fn put_conversation(&mut self, conversation: &Conversation) -> Stored<()> {
        self.alive()?;
        let done = self.inner.put_conversation(conversation);
        self.note(done, Written::Conversation(Box::new(conversation.clone())))
    }

    fn append(&mut self, entry: &Entry) -> Stored<()> {
        self.alive()?;
        let done = self.inner.append(entry);
        self.note(done, Written::Entry(entry.clone()))
    }

    fn erase(&mut self, conversation: Id, seq: u64) -> Stored<()> {
        self.alive()?;
        let done = self.inner.erase(conversation, seq);
        self.note(done, Written::Erased(conversation, seq))
    }

    fn put_feed(&mut self, feed: Feed, state: FeedState) -> Stored<()> {
        self.alive()?;
        let done = self.inner.put_feed(feed, state);
        self.note(done, Written::Feed(feed, state))
    }

    fn put_feed_row(&mut self, feed: Feed, row: &FeedRow) -> Stored<()> {
        self.alive()?;
        let done = self.inner.put_feed_row(feed, row);
        self.note(done, Written::Row(feed, *row))
    }

    fn put_block(&mut self, block: &SealedBlock) -> Stored<()> {
        self.alive()?;
        self.inner.put_block(block)?;
        self.sealing.push(block.clone());
        Ok(())
    }

    fn remember_refusal(&mut self, refusal: &Refusal) -> Stored<()> {
        self.alive()?;
        if std::mem::take(&mut self.lose_refusal) {
            self.lose_now = true;
        }
        self.inner.remember_refusal(refusal)
    }

    fn find_entries(&mut self, conversation: Id, id: Id, above: u64) -> Stored<Vec<Entry>> {
        self.reads()?;
        let found = self.inner.find_entries(conversation, id, above)?;
        self.remembered.above_base += u64::from(!found.is_empty());
        Ok(found)
    }

    fn known(&mut self, conversation: Id, id: Id) -> Stored<Vec<KnownId>> {
        self.reads()?;
        let found = self.inner.known(conversation, id)?;
        self.remembered.in_index += u64::from(!found.is_empty());
        Ok(found)
    }

    fn refusals(&mut self, conversation: Id, id: Id) -> Stored<Vec<Refusal>> {
        self.reads()?;
        let found = self.inner.refusals(conversation, id)?;
        self.remembered.refused += u64::from(!found.is_empty());
        Ok(found)
    }

    pass! { alive:
        fn renew_epoch(&mut self, epoch: u64) -> ();
        fn put_brand(&mut self, brand: &Brand) -> ();
        fn put_team(&mut self, team: &Team) -> ();
        fn put_agent(&mut self, agent: &Agent) -> ();
        fn put_presence(&mut self, agent: Id, presence: Presence) -> ();
        fn put_password(&mut self, agent: Id, hash: &str) -> ();
        fn put_avatar(&mut self, avatar: &Avatar) -> ();
        fn remove_avatar(&mut self, agent: Id) -> ();
        fn put_session(&mut self, session: &Session) -> ();
        fn remove_session(&mut self, token_hash: &[u8; 32]) -> ();
        fn remove_sessions(&mut self, who: Who, keep: Option<&[u8; 32]>) -> ();
        fn forget_sessions(&mut self, before_ms: u64, limit: u32) -> ();
        fn use_token_id(&mut self, brand: Id, token_id: &str, expires_ms: u64) -> bool;
        fn forget_token_ids(&mut self, before_ms: u64, limit: u32) -> ();
        fn put_customer(&mut self, customer: &Customer) -> ();
        fn remember(&mut self, known: &KnownId) -> ();
        fn forget_known(&mut self, before_ms: u64, limit: u32) -> ();
        fn remove_left_rows(&mut self, feed: Feed) -> ();
        fn put_position(&mut self, position: &Position) -> ();
        fn put_visit(&mut self, visit: &Visit) -> ();
        fn remove_visits(&mut self, conversation: Id, below: u64) -> ();
        fn remove_below(&mut self, conversation: &Conversation, limit: u32) -> bool;
    }

    pass! { reads:
        fn epoch(&mut self) -> u64;
        fn facts(&mut self) -> Facts;
        fn avatars(&mut self) -> Vec<(Id, [u8; 32])>;
        fn avatar(&mut self, agent: Id) -> Option<Avatar>;
        fn session(&mut self, token_hash: &[u8; 32]) -> Option<Session>;
        fn customer(&mut self, id: Id) -> Option<Customer>;
        fn customer_by_external(&mut self, brand: Id, external: &str) -> Option<Customer>;
        fn conversation(&mut self, id: Id) -> Option<Conversation>;
        fn active_conversations(&mut self) -> Vec<Conversation>;
        fn conversation_ids(&mut self, above: Id, limit: u32) -> Vec<Id>;
        fn block(&mut self, conversation: Id, log: Audience, start: u64) -> Option<SealedBlock>;
        fn sealed_to(&mut self, conversation: Id, log: Audience) -> u64;
        fn entry(&mut self, conversation: Id, seq: u64) -> Option<Entry>;
        fn public_entry(&mut self, conversation: Id, public: u64) -> Option<Entry>;
        fn entries(&mut self, conversation: Id, first: u64, last: u64) -> Vec<Entry>;
        fn public_entries(&mut self, conversation: Id, first: u64, last: u64) -> Vec<Entry>;
        fn entry_at_time(&mut self, conversation: Id, time_ms: u64, public: bool) -> Option<Entry>;
        fn feed(&mut self, feed: Feed) -> Option<FeedState>;
        fn feed_rows(&mut self, feed: Feed, above: u64, limit: u32) -> Vec<FeedRow>;
        fn positions(&mut self, conversation: Id) -> Vec<Position>;
        fn visits(&mut self, conversation: Id, limit: u32) -> Vec<Visit>;
    }
}
