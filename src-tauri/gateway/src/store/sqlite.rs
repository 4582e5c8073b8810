//! [`SqliteStore`]: transactions, and the trait put together from its tables.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use zuoxi_checkpoint::Checkpointer;
use zuoxi_rules::StoreError;
use zuoxi_rules::record::{
    Agent, Audience, Avatar, Brand, Conversation, Customer, Entry, Facts, Feed, FeedRow, FeedState, KnownId, Position,
    Refusal, SealedBlock, Session, Team, Visit, Who,
};
use zuoxi_rules::store::{Store, Stored};
use zuoxi_wire::Id;
use zuoxi_wire::v1::Presence;

use super::kept::Kept;
use super::rows::failed;
use super::{OpenError, avatars, blocks, conversations, entries, facts, feeds, people, repeats, schema, sessions};

/// Every statement of the store stays prepared.
const STATEMENTS: usize = 128;
/// Another process (the command line) holds the write lock for milliseconds only.
const BUSY: Duration = Duration::from_secs(5);
/// Pages of WAL, of 4 KiB each, that are gathered before they are moved into the database.
const CHECKPOINT_PAGES: u32 = 4_000;

/// Everything durable of one gateway, in one SQLite file.
pub struct SqliteStore {
    /// Ends before the connection that it looks after.
    checkpointer: Option<Checkpointer>,
    db: Connection,
    kept: Kept,
    looked: repeats::Looked,
}

impl SqliteStore {
    /// Opens or makes the database at `path`, and brings its schema up to date.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let mut db = Connection::open(path)?;
        prepare(&db)?;
        schema::migrate(&mut db)?;
        Ok(Self {
            checkpointer: None,
            db,
            kept: Kept::default(),
            looked: None,
        })
    }

    /// Opens a database that must exist already; the schema isn't touched.
    ///
    /// # Errors
    /// See [`OpenError`]; an older schema is fine, a newer one isn't.
    pub fn open_existing(path: &Path) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        prepare(&db)?;
        let found = schema::version(&db)?;
        if found > schema::VERSION {
            return Err(OpenError::Newer {
                found,
                known: schema::VERSION,
            });
        }
        Ok(Self {
            checkpointer: None,
            db,
            kept: Kept::default(),
            looked: None,
        })
    }

    /// A number that changes when another process commits.
    ///
    /// # Errors
    /// The store failed.
    pub fn data_version(&self) -> Stored<i64> {
        self.db
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(failed)
    }

    /// At most so many pages of 4 KiB: a quota, also how a full disk is tried.
    ///
    /// # Errors
    /// The store failed.
    pub fn limit_pages(&self, pages: u32) -> Stored<()> {
        self.db.pragma_update(None, "max_page_count", pages).map_err(failed)
    }

    /// From now on what the WAL holds is moved into the database by a thread of its own, so that no commit waits for it.
    ///
    /// # Errors
    /// The store failed.
    pub fn checkpoint_beside(&mut self) -> Stored<()> {
        let path = self.db.path().unwrap_or_default().to_owned();
        let start = |db: &mut Connection| {
            let beside = Connection::open(path)?;
            beside.busy_timeout(BUSY)?;
            Checkpointer::start(beside, db, CHECKPOINT_PAGES)
        };
        self.checkpointer = Some(start(&mut self.db).map_err(failed)?);
        Ok(())
    }

    /// Writes what the WAL holds into the database, and empties it: at a stop.
    ///
    /// # Errors
    /// The store failed.
    pub fn checkpoint(&self) -> Stored<()> {
        self.db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(failed)
    }

    /// The connection, for upkeep.
    pub(super) fn connection(&self) -> &Connection {
        &self.db
    }

    fn run(&self, sql: &str) -> Stored<()> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map(|_| ())
            .map_err(failed)
    }

    /// The connection inside a transaction. SQLite takes a transaction back by itself when the disk is full: then
    /// nothing more may be written as if it stood.
    fn writing(&self) -> Stored<&Connection> {
        if self.db.is_autocommit() {
            return Err(StoreError::Broken("no transaction is open".into()));
        }
        Ok(&self.db)
    }
}

fn prepare(db: &Connection) -> Result<(), OpenError> {
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else a statement is planned anew whenever a bound id differs from the last one.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // KiB, negative by SQLite's custom. Beyond it the system's own cache holds the file.
    db.pragma_update(None, "cache_size", -16_384)?;
    db.query_row(&format!("PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}"), [], |_| {
        Ok(())
    })?;
    Ok(())
}

impl Store for SqliteStore {
    fn begin(&mut self) -> Stored<()> {
        self.run("BEGIN IMMEDIATE")?;
        // Nobody can write from here on.
        let version = self.data_version()?;
        self.kept.begin(&self.db, version).map_err(failed)
    }
    fn savepoint(&mut self) -> Stored<()> {
        self.writing()?;
        self.run("SAVEPOINT act")
    }
    fn release(&mut self) -> Stored<()> {
        self.run("RELEASE act")
    }
    fn undo(&mut self) -> Stored<()> {
        self.kept.partly_taken_back();
        self.run("ROLLBACK TO act")?;
        self.run("RELEASE act")
    }
    fn commit(&mut self) -> Stored<()> {
        let done = self.writing().map(|_| ()).and_then(|()| self.run("COMMIT"));
        match &done {
            Ok(()) => self.kept.committed(),
            // A failed COMMIT may leave the transaction open.
            Err(_) => self.rollback(),
        }
        done
    }
    fn rollback(&mut self) {
        self.kept.taken_back();
        if !self.db.is_autocommit() {
            let _ = self.run("ROLLBACK");
        }
    }

    fn epoch(&mut self) -> Stored<u64> {
        facts::epoch(&self.db).map_err(failed)
    }
    fn renew_epoch(&mut self, epoch: u64) -> Stored<()> {
        facts::renew_epoch(self.writing()?, epoch).map_err(failed)
    }
    fn facts(&mut self) -> Stored<Facts> {
        facts::all(&self.db).map_err(failed)
    }
    fn put_brand(&mut self, brand: &Brand) -> Stored<()> {
        facts::put_brand(self.writing()?, brand)
    }
    fn put_team(&mut self, team: &Team) -> Stored<()> {
        facts::put_team(self.writing()?, team).map_err(failed)
    }
    fn put_agent(&mut self, agent: &Agent) -> Stored<()> {
        facts::put_agent(self.writing()?, agent).map_err(failed)
    }
    fn put_presence(&mut self, agent: Id, presence: Presence) -> Stored<()> {
        facts::put_presence(self.writing()?, agent, presence).map_err(failed)
    }
    fn put_password(&mut self, agent: Id, hash: &str) -> Stored<()> {
        facts::put_password(self.writing()?, agent, hash).map_err(failed)
    }
    fn put_avatar(&mut self, avatar: &Avatar) -> Stored<()> {
        avatars::put(self.writing()?, avatar).map_err(failed)
    }
    fn remove_avatar(&mut self, agent: Id) -> Stored<()> {
        avatars::remove(self.writing()?, agent).map_err(failed)
    }
    fn avatars(&mut self) -> Stored<Vec<(Id, [u8; 32])>> {
        avatars::hashes(&self.db).map_err(failed)
    }
    fn avatar(&mut self, agent: Id) -> Stored<Option<Avatar>> {
        avatars::find(&self.db, agent).map_err(failed)
    }

    fn put_session(&mut self, session: &Session) -> Stored<()> {
        sessions::put(self.writing()?, session).map_err(failed)
    }
    fn session(&mut self, token_hash: &[u8; 32]) -> Stored<Option<Session>> {
        sessions::find(&self.db, token_hash).map_err(failed)
    }
    fn remove_session(&mut self, token_hash: &[u8; 32]) -> Stored<()> {
        sessions::remove(self.writing()?, token_hash).map_err(failed)
    }
    fn remove_sessions(&mut self, who: Who, keep: Option<&[u8; 32]>) -> Stored<()> {
        sessions::remove_all(self.writing()?, who, keep).map_err(failed)
    }
    fn forget_sessions(&mut self, before_ms: u64, limit: u32) -> Stored<()> {
        sessions::forget(self.writing()?, before_ms, limit).map_err(failed)
    }
    fn use_token_id(&mut self, brand: Id, token_id: &str, expires_ms: u64) -> Stored<bool> {
        sessions::use_token_id(self.writing()?, brand, token_id, expires_ms).map_err(failed)
    }
    fn forget_token_ids(&mut self, before_ms: u64, limit: u32) -> Stored<()> {
        sessions::forget_token_ids(self.writing()?, before_ms, limit).map_err(failed)
    }

    fn put_customer(&mut self, customer: &Customer) -> Stored<()> {
        people::put_customer(self.writing()?, customer).map_err(failed)
    }
    fn customer(&mut self, id: Id) -> Stored<Option<Customer>> {
        people::customer(&self.db, id).map_err(failed)
    }
    fn customer_by_external(&mut self, brand: Id, external: &str) -> Stored<Option<Customer>> {
        people::customer_by_external(&self.db, brand, external).map_err(failed)
    }

    fn conversation(&mut self, id: Id) -> Stored<Option<Conversation>> {
        if let Some((_, kept)) = self.kept.conversation(id) {
            return Ok(Some(kept.clone()));
        }
        let row = conversations::find(&self.db, id).map_err(failed)?;
        Ok(row.map(|row| {
            let conversation = row.1.clone();
            self.kept.keep(row);
            conversation
        }))
    }
    fn put_conversation(&mut self, conversation: &Conversation) -> Stored<()> {
        let db = self.writing()?;
        let number = match self.kept.conversation(conversation.id) {
            Some((number, before)) if conversations::only_moved(before, conversation) => {
                conversations::put_moved(db, *number, conversation).map_err(failed)?;
                *number
            }
            _ => conversations::put(db, conversation)?,
        };
        self.kept.wrote((number, conversation.clone()));
        Ok(())
    }
    fn active_conversations(&mut self) -> Stored<Vec<Conversation>> {
        conversations::active(&self.db).map_err(failed)
    }

    fn conversation_ids(&mut self, above: Id, limit: u32) -> Stored<Vec<Id>> {
        conversations::ids(&self.db, above, limit).map_err(failed)
    }

    fn append(&mut self, entry: &Entry) -> Stored<()> {
        entries::append(self.writing()?, entry).map_err(failed)
    }
    fn entry(&mut self, conversation: Id, seq: u64) -> Stored<Option<Entry>> {
        entries::find(&self.db, conversation, seq).map_err(failed)
    }
    fn public_entry(&mut self, conversation: Id, public: u64) -> Stored<Option<Entry>> {
        entries::find_public(&self.db, conversation, public).map_err(failed)
    }
    fn entries(&mut self, conversation: Id, first: u64, last: u64) -> Stored<Vec<Entry>> {
        entries::range(&self.db, conversation, first, last).map_err(failed)
    }
    fn public_entries(&mut self, conversation: Id, first: u64, last: u64) -> Stored<Vec<Entry>> {
        entries::public_range(&self.db, conversation, first, last).map_err(failed)
    }
    fn entry_at_time(&mut self, conversation: Id, time_ms: u64, public: bool) -> Stored<Option<Entry>> {
        entries::at_time(&self.db, conversation, time_ms, public).map_err(failed)
    }
    fn find_entries(&mut self, conversation: Id, id: Id, above: u64) -> Stored<Vec<Entry>> {
        entries::by_id(&self.db, conversation, id, above).map_err(failed)
    }
    fn erase(&mut self, conversation: Id, seq: u64) -> Stored<()> {
        entries::erase(self.writing()?, conversation, seq).map_err(failed)
    }

    fn remove_below(&mut self, conversation: &Conversation, limit: u32) -> Stored<bool> {
        let db = self.writing()?;
        let entries = entries::remove_below(db, conversation.id, conversation.floor, limit).map_err(failed)?;
        let blocks = blocks::remove_below(db, conversation, limit).map_err(failed)?;
        Ok(entries || blocks)
    }

    fn block(&mut self, conversation: Id, log: Audience, start: u64) -> Stored<Option<SealedBlock>> {
        blocks::find(&self.db, conversation, log, start).map_err(failed)
    }
    fn sealed_to(&mut self, conversation: Id, log: Audience) -> Stored<u64> {
        blocks::sealed_to(&self.db, conversation, log).map_err(failed)
    }
    fn put_block(&mut self, block: &SealedBlock) -> Stored<()> {
        blocks::put(self.writing()?, block).map_err(failed)
    }

    fn remember(&mut self, known: &KnownId) -> Stored<()> {
        repeats::remember(self.writing()?, known).map_err(failed)
    }
    fn known(&mut self, conversation: Id, id: Id) -> Stored<Vec<KnownId>> {
        repeats::known(&self.db, conversation, id).map_err(failed)
    }
    fn forget_known(&mut self, before_ms: u64, limit: u32) -> Stored<()> {
        self.looked = repeats::forget_known(self.writing()?, self.looked, before_ms, limit).map_err(failed)?;
        Ok(())
    }
    fn remember_refusal(&mut self, refusal: &Refusal) -> Stored<()> {
        repeats::remember_refusal(self.writing()?, refusal).map_err(failed)?;
        self.kept.refuses(refusal.conversation);
        Ok(())
    }
    fn refusals(&mut self, conversation: Id, id: Id) -> Stored<Vec<Refusal>> {
        if self.kept.may_have_refused(conversation) {
            repeats::refusals(&self.db, conversation, id).map_err(failed)
        } else {
            Ok(Vec::new())
        }
    }

    fn feed(&mut self, feed: Feed) -> Stored<Option<FeedState>> {
        feeds::find(&self.db, feed).map_err(failed)
    }
    fn put_feed(&mut self, feed: Feed, state: FeedState) -> Stored<()> {
        feeds::put(self.writing()?, feed, state).map_err(failed)
    }
    fn put_feed_row(&mut self, feed: Feed, row: &FeedRow) -> Stored<()> {
        feeds::put_row(self.writing()?, feed, row).map_err(failed)
    }
    fn feed_rows(&mut self, feed: Feed, above: u64, limit: u32) -> Stored<Vec<FeedRow>> {
        feeds::rows(&self.db, feed, above, limit).map_err(failed)
    }
    fn remove_left_rows(&mut self, feed: Feed) -> Stored<()> {
        feeds::remove_left(self.writing()?, feed).map_err(failed)
    }

    fn positions(&mut self, conversation: Id) -> Stored<Vec<Position>> {
        people::positions(&self.db, conversation).map_err(failed)
    }
    fn put_position(&mut self, position: &Position) -> Stored<()> {
        people::put_position(self.writing()?, position).map_err(failed)
    }
    fn put_visit(&mut self, visit: &Visit) -> Stored<()> {
        people::put_visit(self.writing()?, visit).map_err(failed)
    }
    fn visits(&mut self, conversation: Id, limit: u32) -> Stored<Vec<Visit>> {
        people::visits(&self.db, conversation, limit).map_err(failed)
    }
    fn remove_visits(&mut self, conversation: Id, below: u64) -> Stored<()> {
        people::remove_visits(self.writing()?, conversation, below).map_err(failed)
    }
}
