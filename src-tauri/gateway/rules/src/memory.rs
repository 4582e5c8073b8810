//! A store in memory, for tests and simulation: the same answers as one on disk, and faults on demand.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use bytes::Bytes;
use zuoxi_wire::v1::{Presence, Status};
use zuoxi_wire::{Id, block};

use crate::record::{
    Agent, Audience, Avatar, Brand, Conversation, Customer, Entry, Facts, Feed, FeedRow, FeedState, KnownId, Position,
    Refusal, SealedBlock, Session, Team, Visit, Who,
};
use crate::store::{Store, StoreError, Stored};

/// How the next commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// Nothing of it is stored.
    Lost,
    /// All of it is stored, but the caller is told otherwise.
    Stored,
}

#[derive(Clone, Default)]
struct Tables {
    epoch: u64,
    brands: BTreeMap<Id, Brand>,
    teams: BTreeMap<Id, Team>,
    agents: BTreeMap<Id, Agent>,
    avatars: BTreeMap<Id, Avatar>,
    sessions: BTreeMap<[u8; 32], Session>,
    token_ids: BTreeMap<(Id, String), u64>,
    customers: BTreeMap<Id, Customer>,
    externals: BTreeMap<(Id, String), Id>,
    conversations: BTreeMap<Id, Conversation>,
    entries: BTreeMap<(Id, u64), Entry>,
    public: BTreeMap<(Id, u64), u64>,
    blocks: BTreeMap<(Id, Audience, u64), SealedBlock>,
    known: BTreeMap<(Id, Id, Id), KnownId>,
    refusals: BTreeMap<(Id, Id, Id), Refusal>,
    feeds: BTreeMap<Feed, FeedState>,
    feed_rows: BTreeMap<(Feed, Id), FeedRow>,
    feed_order: BTreeMap<(Feed, u64), Id>,
    positions: BTreeMap<(Id, Who), Position>,
    visits: BTreeMap<(Id, u64), Visit>,
}

type TakeBack = Box<dyn FnOnce(&mut Tables) + Send>;
type Table<K, V> = fn(&mut Tables) -> &mut BTreeMap<K, V>;

/// Everything in maps, with a journal that takes back what isn't committed.
#[derive(Default)]
pub struct MemoryStore {
    tables: Tables,
    /// None outside a transaction.
    journal: Option<Vec<TakeBack>>,
    savepoint: Option<usize>,
    faults: VecDeque<CommitFault>,
    /// Commits that succeed before the next fault.
    spared: u32,
    full: bool,
    /// The acceptance at which the last look for old ones ended.
    looked: Option<(Id, Id, Id)>,
    /// COMMITs that succeeded.
    commits: u64,
}

impl MemoryStore {
    /// An empty store with this epoch of the log.
    pub fn new(epoch: u64) -> Self {
        Self {
            tables: Tables {
                epoch,
                ..Tables::default()
            },
            ..Self::default()
        }
    }

    /// Makes the next commit fail so; several are kept in order.
    pub fn fail_commit(&mut self, fault: CommitFault) {
        self.faults.push_back(fault);
    }

    /// Lets so many commits succeed, then one fail so.
    pub fn fail_commit_after(&mut self, succeed: u32, fault: CommitFault) {
        self.spared += succeed;
        self.fail_commit(fault);
    }

    /// Lets every write fail with [`StoreError::Full`], or no longer.
    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// What was committed so far, as a store of its own: a backup. To restore it, give it another epoch.
    #[must_use]
    pub fn backup(&self) -> Self {
        Self {
            tables: self.tables.clone(),
            ..Self::default()
        }
    }

    /// How many transactions were committed.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// All entries of a conversation's agents' log, for checks from outside.
    pub fn log(&self, conversation: Id) -> Vec<Entry> {
        self.tables
            .entries
            .range((conversation, 0)..=(conversation, u64::MAX))
            .map(|(_, entry)| entry.clone())
            .collect()
    }

    /// All sealed blocks of a log, for checks from outside.
    pub fn blocks(&self, conversation: Id, log: Audience) -> Vec<SealedBlock> {
        self.tables
            .blocks
            .range((conversation, log, 0)..=(conversation, log, u64::MAX))
            .map(|(_, block)| block.clone())
            .collect()
    }

    fn writing(&mut self) -> Stored<&mut Vec<TakeBack>> {
        if self.full {
            return Err(StoreError::Full);
        }
        self.journal
            .as_mut()
            .ok_or_else(|| StoreError::Broken("a write outside a transaction".into()))
    }

    fn put<K, V>(&mut self, table: Table<K, V>, key: K, value: V) -> Stored<()>
    where
        K: Ord + Clone + Send + 'static,
        V: Send + 'static,
    {
        self.writing()?;
        let old = table(&mut self.tables).insert(key.clone(), value);
        self.note(move |tables| {
            match old {
                Some(old) => table(tables).insert(key, old),
                None => table(tables).remove(&key),
            };
        });
        Ok(())
    }

    fn remove<K, V>(&mut self, table: Table<K, V>, key: &K) -> Stored<()>
    where
        K: Ord + Clone + Send + 'static,
        V: Send + 'static,
    {
        self.writing()?;
        if let Some(old) = table(&mut self.tables).remove(key) {
            let key = key.clone();
            self.note(move |tables| {
                table(tables).insert(key, old);
            });
        }
        Ok(())
    }

    fn note(&mut self, take_back: impl FnOnce(&mut Tables) + Send + 'static) {
        if let Some(journal) = &mut self.journal {
            journal.push(Box::new(take_back));
        }
    }

    fn take_back_to(&mut self, mark: usize) {
        while self.journal.as_ref().is_some_and(|journal| journal.len() > mark) {
            if let Some(step) = self.journal.as_mut().and_then(Vec::pop) {
                step(&mut self.tables);
            }
        }
    }

    fn with_agent(&mut self, id: Id, change: impl FnOnce(&mut Agent)) -> Stored<()> {
        self.writing()?;
        let Some(mut agent) = self.tables.agents.get(&id).cloned() else {
            return Ok(());
        };
        change(&mut agent);
        self.put(|t| &mut t.agents, id, agent)
    }
}

fn broken(what: &str) -> StoreError {
    StoreError::Broken(what.into())
}

impl Store for MemoryStore {
    fn begin(&mut self) -> Stored<()> {
        if self.journal.is_some() {
            return Err(broken("a transaction inside a transaction"));
        }
        self.journal = Some(Vec::new());
        Ok(())
    }

    fn savepoint(&mut self) -> Stored<()> {
        if self.savepoint.is_some() {
            return Err(broken("a savepoint inside a savepoint"));
        }
        self.savepoint = Some(self.writing()?.len());
        Ok(())
    }

    fn release(&mut self) -> Stored<()> {
        self.savepoint.take().map(|_| ()).ok_or_else(|| broken("no savepoint"))
    }

    fn undo(&mut self) -> Stored<()> {
        let mark = self.savepoint.take().ok_or_else(|| broken("no savepoint"))?;
        self.take_back_to(mark);
        Ok(())
    }

    fn commit(&mut self) -> Stored<()> {
        if self.journal.is_none() {
            return Err(broken("a commit outside a transaction"));
        }
        let fault = if self.spared > 0 {
            self.spared -= 1;
            None
        } else {
            self.faults.pop_front()
        };
        match fault {
            Some(CommitFault::Lost) => {
                self.rollback();
                Err(broken("planted: lost"))
            }
            fault => {
                self.journal = None;
                self.savepoint = None;
                self.commits += 1;
                if fault.is_some() {
                    Err(broken("planted: stored, but not told"))
                } else {
                    Ok(())
                }
            }
        }
    }

    fn rollback(&mut self) {
        self.take_back_to(0);
        self.journal = None;
        self.savepoint = None;
    }

    fn epoch(&mut self) -> Stored<u64> {
        Ok(self.tables.epoch)
    }

    fn renew_epoch(&mut self, epoch: u64) -> Stored<()> {
        self.writing()?;
        let old = std::mem::replace(&mut self.tables.epoch, epoch);
        self.note(move |tables| tables.epoch = old);
        Ok(())
    }

    fn facts(&mut self) -> Stored<Facts> {
        Ok(Facts {
            brands: self.tables.brands.values().cloned().collect(),
            teams: self.tables.teams.values().cloned().collect(),
            agents: self.tables.agents.values().cloned().collect(),
        })
    }

    fn put_brand(&mut self, brand: &Brand) -> Stored<()> {
        self.put(|t| &mut t.brands, brand.id, brand.clone())
    }

    fn put_team(&mut self, team: &Team) -> Stored<()> {
        self.put(|t| &mut t.teams, team.id, team.clone())
    }

    fn put_agent(&mut self, agent: &Agent) -> Stored<()> {
        if self
            .tables
            .agents
            .values()
            .any(|other| other.login == agent.login && other.id != agent.id)
        {
            return Err(broken("a log-in name twice"));
        }
        self.put(|t| &mut t.agents, agent.id, agent.clone())
    }

    fn put_presence(&mut self, agent: Id, presence: Presence) -> Stored<()> {
        self.with_agent(agent, |agent| agent.presence = presence)
    }

    fn put_password(&mut self, agent: Id, hash: &str) -> Stored<()> {
        self.with_agent(agent, |agent| agent.password_hash = hash.into())
    }

    fn put_avatar(&mut self, avatar: &Avatar) -> Stored<()> {
        self.put(|t| &mut t.avatars, avatar.agent, avatar.clone())
    }

    fn remove_avatar(&mut self, agent: Id) -> Stored<()> {
        self.remove(|t| &mut t.avatars, &agent)
    }

    fn avatars(&mut self) -> Stored<Vec<(Id, [u8; 32])>> {
        let hash = |(agent, avatar): (&Id, &Avatar)| (*agent, avatar.hash);
        Ok(self.tables.avatars.iter().map(hash).collect())
    }

    fn avatar(&mut self, agent: Id) -> Stored<Option<Avatar>> {
        Ok(self.tables.avatars.get(&agent).cloned())
    }

    fn put_session(&mut self, session: &Session) -> Stored<()> {
        self.put(|t| &mut t.sessions, session.token_hash, *session)
    }

    fn session(&mut self, token_hash: &[u8; 32]) -> Stored<Option<Session>> {
        Ok(self.tables.sessions.get(token_hash).copied())
    }

    fn remove_session(&mut self, token_hash: &[u8; 32]) -> Stored<()> {
        self.remove(|t| &mut t.sessions, token_hash)
    }

    fn remove_sessions(&mut self, who: Who, keep: Option<&[u8; 32]>) -> Stored<()> {
        self.writing()?;
        let gone: Vec<[u8; 32]> = self
            .tables
            .sessions
            .values()
            .filter(|session| session.who == who && keep != Some(&session.token_hash))
            .map(|session| session.token_hash)
            .collect();
        gone.iter().try_for_each(|hash| self.remove_session(hash))
    }

    fn forget_sessions(&mut self, before_ms: u64, limit: u32) -> Stored<()> {
        self.writing()?;
        let sessions = self.tables.sessions.values();
        let gone: Vec<[u8; 32]> = sessions
            .filter(|session| session.expires_ms < before_ms)
            .map(|session| session.token_hash)
            .take(limit as usize)
            .collect();
        gone.iter().try_for_each(|hash| self.remove_session(hash))
    }

    fn use_token_id(&mut self, brand: Id, token_id: &str, expires_ms: u64) -> Stored<bool> {
        self.writing()?;
        let key = (brand, token_id.to_owned());
        if self.tables.token_ids.contains_key(&key) {
            return Ok(false);
        }
        self.put(|t| &mut t.token_ids, key, expires_ms)?;
        Ok(true)
    }

    fn forget_token_ids(&mut self, before_ms: u64, limit: u32) -> Stored<()> {
        self.writing()?;
        let ids = self.tables.token_ids.iter();
        let gone: Vec<(Id, String)> = ids
            .filter(|(_, ms)| **ms < before_ms)
            .map(|(key, _)| key.clone())
            .take(limit as usize)
            .collect();
        gone.iter().try_for_each(|key| self.remove(|t| &mut t.token_ids, key))
    }

    fn put_customer(&mut self, customer: &Customer) -> Stored<()> {
        self.writing()?;
        if let Some(external) = &customer.external {
            let key = (customer.brand, external.clone());
            if self.tables.externals.get(&key).is_some_and(|id| *id != customer.id) {
                return Err(broken("an external id twice"));
            }
        }
        let old = self
            .tables
            .customers
            .get(&customer.id)
            .and_then(|old| Some((old.brand, old.external.clone()?)));
        if let Some(key) = old {
            self.remove(|t| &mut t.externals, &key)?;
        }
        if let Some(external) = &customer.external {
            self.put(|t| &mut t.externals, (customer.brand, external.clone()), customer.id)?;
        }
        self.put(|t| &mut t.customers, customer.id, customer.clone())
    }

    fn customer(&mut self, id: Id) -> Stored<Option<Customer>> {
        Ok(self.tables.customers.get(&id).cloned())
    }

    fn customer_by_external(&mut self, brand: Id, external: &str) -> Stored<Option<Customer>> {
        let id = self.tables.externals.get(&(brand, external.to_owned()));
        Ok(id.and_then(|id| self.tables.customers.get(id)).cloned())
    }

    fn conversation(&mut self, id: Id) -> Stored<Option<Conversation>> {
        Ok(self.tables.conversations.get(&id).cloned())
    }

    fn put_conversation(&mut self, conversation: &Conversation) -> Stored<()> {
        self.put(|t| &mut t.conversations, conversation.id, conversation.clone())
    }

    fn active_conversations(&mut self) -> Stored<Vec<Conversation>> {
        let all = self.tables.conversations.values();
        Ok(all
            .filter(|conversation| conversation.status != Status::Closed)
            .cloned()
            .collect())
    }

    fn conversation_ids(&mut self, above: Id, limit: u32) -> Stored<Vec<Id>> {
        let ids = self.tables.conversations.keys().filter(|id| **id > above);
        Ok(ids.take(limit as usize).copied().collect())
    }

    fn append(&mut self, entry: &Entry) -> Stored<()> {
        self.writing()?;
        let key = (entry.conversation, entry.seq);
        if self.tables.entries.contains_key(&key) {
            return Err(broken("a Seq twice"));
        }
        if entry.audience == Audience::Everybody {
            self.put(|t| &mut t.public, (entry.conversation, entry.public), entry.seq)?;
        }
        self.put(|t| &mut t.entries, key, entry.clone())
    }

    fn entry(&mut self, conversation: Id, seq: u64) -> Stored<Option<Entry>> {
        Ok(self.tables.entries.get(&(conversation, seq)).cloned())
    }

    fn public_entry(&mut self, conversation: Id, public: u64) -> Stored<Option<Entry>> {
        match self.tables.public.get(&(conversation, public)).copied() {
            Some(seq) => self.entry(conversation, seq),
            None => Ok(None),
        }
    }

    fn entries(&mut self, conversation: Id, first: u64, last: u64) -> Stored<Vec<Entry>> {
        if first > last {
            return Ok(Vec::new());
        }
        let range = self.tables.entries.range((conversation, first)..=(conversation, last));
        Ok(range.map(|(_, entry)| entry.clone()).collect())
    }

    fn public_entries(&mut self, conversation: Id, first: u64, last: u64) -> Stored<Vec<Entry>> {
        if first > last {
            return Ok(Vec::new());
        }
        let range = self.tables.public.range((conversation, first)..=(conversation, last));
        Ok(range
            .filter_map(|(_, seq)| self.tables.entries.get(&(conversation, *seq)))
            .cloned()
            .collect())
    }

    fn entry_at_time(&mut self, conversation: Id, time_ms: u64, public: bool) -> Stored<Option<Entry>> {
        let mut range = self.tables.entries.range((conversation, 0)..=(conversation, u64::MAX));
        let found = range.find(|(_, entry)| match entry.audience {
            Audience::Agents if public => false,
            _ if public => entry.public_ms >= time_ms,
            _ => entry.time_ms >= time_ms,
        });
        Ok(found.map(|(_, entry)| entry.clone()))
    }

    fn find_entries(&mut self, conversation: Id, id: Id, above: u64) -> Stored<Vec<Entry>> {
        let range = self
            .tables
            .entries
            .range((conversation, above.saturating_add(1))..=(conversation, u64::MAX));
        Ok(range
            .map(|(_, entry)| entry)
            .filter(|entry| entry.id == id)
            .cloned()
            .collect())
    }

    fn erase(&mut self, conversation: Id, seq: u64) -> Stored<()> {
        self.writing()?;
        let Some(mut entry) = self.entry(conversation, seq)? else {
            return Ok(());
        };
        entry.content = Bytes::new();
        entry.fingerprint = None;
        entry.erased = true;
        self.put(|t| &mut t.entries, (conversation, seq), entry)
    }

    fn remove_below(&mut self, conversation: &Conversation, limit: u32) -> Stored<bool> {
        let (id, limit) = (conversation.id, limit as usize);
        let entries = self.tables.entries.range((id, 0)..(id, conversation.floor));
        let entries: Vec<(u64, u64, Audience)> = entries
            .map(|(_, entry)| (entry.seq, entry.public, entry.audience))
            .take(limit)
            .collect();
        for (seq, public, audience) in &entries {
            if *audience == Audience::Everybody {
                self.remove(|t| &mut t.public, &(id, *public))?;
            }
            self.remove(|t| &mut t.entries, &(id, *seq))?;
        }
        let mut more = entries.len() == limit;
        let logs = [
            (Audience::Everybody, conversation.public_floor),
            (Audience::Agents, conversation.floor),
        ];
        for (log, floor) in logs {
            let below = self
                .tables
                .blocks
                .range((id, log, 0)..(id, log, block::range_of(floor).0));
            let below: Vec<(Id, Audience, u64)> = below.map(|(key, _)| *key).take(limit).collect();
            more |= below.len() == limit;
            below.iter().try_for_each(|key| self.remove(|t| &mut t.blocks, key))?;
        }
        Ok(more)
    }

    fn block(&mut self, conversation: Id, log: Audience, start: u64) -> Stored<Option<SealedBlock>> {
        Ok(self.tables.blocks.get(&(conversation, log, start)).cloned())
    }

    fn sealed_to(&mut self, conversation: Id, log: Audience) -> Stored<u64> {
        let mut of_log = self
            .tables
            .blocks
            .range((conversation, log, 0)..=(conversation, log, u64::MAX));
        Ok(of_log.next_back().map_or(0, |(_, block)| block.last))
    }

    fn put_block(&mut self, block: &SealedBlock) -> Stored<()> {
        let key = (block.conversation, block.log, block.start);
        self.put(|t| &mut t.blocks, key, block.clone())
    }

    fn remember(&mut self, known: &KnownId) -> Stored<()> {
        self.put(|t| &mut t.known, (known.id, known.conversation, known.author), *known)
    }

    fn known(&mut self, conversation: Id, id: Id) -> Stored<Vec<KnownId>> {
        let range = self
            .tables
            .known
            .range((id, conversation, Id([0; 16]))..=(id, conversation, Id([255; 16])));
        Ok(range.map(|(_, known)| *known).collect())
    }

    fn forget_known(&mut self, before_ms: u64, limit: u32) -> Stored<()> {
        self.writing()?;
        let from = self.looked.map_or(Bound::Unbounded, Bound::Excluded);
        let seen: Vec<_> = self
            .tables
            .known
            .range((from, Bound::Unbounded))
            .take(limit as usize)
            .collect();
        let whole = seen.len() == limit as usize;
        self.looked = seen.last().filter(|_| whole).map(|(key, _)| **key);
        let old = seen.iter().filter(|(_, known)| known.time_ms < before_ms);
        let gone: Vec<(Id, Id, Id)> = old.map(|(key, _)| **key).collect();
        gone.iter().try_for_each(|key| self.remove(|t| &mut t.known, key))
    }

    fn remember_refusal(&mut self, refusal: &Refusal) -> Stored<()> {
        self.writing()?;
        let key = (refusal.id, refusal.conversation, refusal.author);
        if self.tables.refusals.contains_key(&key) {
            return Ok(());
        }
        self.put(|t| &mut t.refusals, key, refusal.clone())
    }

    fn refusals(&mut self, conversation: Id, id: Id) -> Stored<Vec<Refusal>> {
        let range = self
            .tables
            .refusals
            .range((id, conversation, Id([0; 16]))..=(id, conversation, Id([255; 16])));
        Ok(range.map(|(_, refusal)| refusal.clone()).collect())
    }

    fn feed(&mut self, feed: Feed) -> Stored<Option<FeedState>> {
        Ok(self.tables.feeds.get(&feed).copied())
    }

    fn put_feed(&mut self, feed: Feed, state: FeedState) -> Stored<()> {
        self.put(|t| &mut t.feeds, feed, state)
    }

    fn put_feed_row(&mut self, feed: Feed, row: &FeedRow) -> Stored<()> {
        if let Some(old) = self
            .tables
            .feed_rows
            .get(&(feed, row.conversation))
            .map(|old| old.revision)
        {
            self.remove(|t| &mut t.feed_order, &(feed, old))?;
        }
        self.put(|t| &mut t.feed_order, (feed, row.revision), row.conversation)?;
        self.put(|t| &mut t.feed_rows, (feed, row.conversation), *row)
    }

    fn feed_rows(&mut self, feed: Feed, above: u64, limit: u32) -> Stored<Vec<FeedRow>> {
        let range = self
            .tables
            .feed_order
            .range((feed, above.saturating_add(1))..=(feed, u64::MAX));
        let rows = range.filter_map(|(_, conversation)| self.tables.feed_rows.get(&(feed, *conversation)));
        Ok(rows.copied().take(limit as usize).collect())
    }

    fn remove_left_rows(&mut self, feed: Feed) -> Stored<()> {
        self.writing()?;
        let rows = self.feed_rows(feed, 0, u32::MAX)?;
        for row in rows.iter().filter(|row| !row.stands) {
            self.remove(|t| &mut t.feed_order, &(feed, row.revision))?;
            self.remove(|t| &mut t.feed_rows, &(feed, row.conversation))?;
        }
        Ok(())
    }

    fn positions(&mut self, conversation: Id) -> Stored<Vec<Position>> {
        let all = self.tables.positions.range((conversation, Who::Agent(Id([0; 16])))..);
        Ok(all
            .take_while(|((id, _), _)| *id == conversation)
            .map(|(_, position)| *position)
            .collect())
    }

    fn put_position(&mut self, position: &Position) -> Stored<()> {
        self.put(|t| &mut t.positions, (position.conversation, position.who), *position)
    }

    fn put_visit(&mut self, visit: &Visit) -> Stored<()> {
        self.put(|t| &mut t.visits, (visit.conversation, visit.first_seq), visit.clone())
    }

    fn visits(&mut self, conversation: Id, limit: u32) -> Stored<Vec<Visit>> {
        let range = self.tables.visits.range((conversation, 0)..=(conversation, u64::MAX));
        Ok(range
            .rev()
            .take(limit as usize)
            .map(|(_, visit)| visit.clone())
            .collect())
    }

    fn remove_visits(&mut self, conversation: Id, below: u64) -> Stored<()> {
        let began = self.tables.visits.range((conversation, 0)..(conversation, below));
        let began: Vec<(Id, u64)> = began.map(|(key, _)| *key).collect();
        began.iter().try_for_each(|key| self.remove(|t| &mut t.visits, key))
    }
}
