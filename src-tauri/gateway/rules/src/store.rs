//! Everything durable, behind one trait.
//!
//! A store has one owner and one thread. Writes happen between [`Store::begin`] and [`Store::commit`]; reads see what
//! was written before them, inside a transaction too, and need none. One transaction holds a whole group of acts: what
//! fails for one of them is undone to a savepoint, or was the first write of its act and so left nothing. The rules read a conversation once and write it once for each group; entries, ids and refusals are
//! written as they come. So each operation is one prepared statement by primary key or by one index, and none scans
//! but where its documentation says so.
//!
//! [`crate::memory::MemoryStore`] is the twin for tests and simulation; [`crate::conformance`] is the suite that every
//! implementation passes.

use zuoxi_wire::Id;
use zuoxi_wire::v1::Presence;

use crate::record::{
    Agent, Audience, Avatar, Brand, Conversation, Customer, Entry, Facts, Feed, FeedRow, FeedState, KnownId, Position,
    Refusal, SealedBlock, Session, Team, Visit, Who,
};

/// Why the store didn't do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk. Nothing is lost; make room, and the senders' repeats go through.
    #[error("the disk is full: make room, then what was refused comes again by itself")]
    Full,
    /// Damaged, unreadable, locked, or used against its rules. Run `zuoxi-gateway doctor`.
    #[error("the store failed ({0}): run `zuoxi-gateway doctor`")]
    Broken(String),
}

/// Short for what every operation gives.
pub type Stored<T> = Result<T, StoreError>;

/// Everything durable of one gateway.
///
/// Every operation may fail with [`StoreError`]; inside a transaction the caller then undoes the savepoint or rolls
/// back.
pub trait Store {
    // ---- transactions ------------------------------------------------------------------------------------------

    /// Begins the transaction of a group. Fails if one is open.
    fn begin(&mut self) -> Stored<()>;
    /// Begins a savepoint inside the transaction; one at a time.
    fn savepoint(&mut self) -> Stored<()>;
    /// Keeps what was written since the savepoint, as part of the transaction.
    fn release(&mut self) -> Stored<()>;
    /// Takes back what was written since the savepoint, and ends it.
    fn undo(&mut self) -> Stored<()>;
    /// Makes everything durable (synchronous=FULL). After an error the transaction is over, and it isn't known whether
    /// it was stored.
    fn commit(&mut self) -> Stored<()>;
    /// Takes the whole transaction back; does nothing where none is open.
    fn rollback(&mut self);

    // ---- the log's epoch, and what the administrator sets ------------------------------------------------------

    /// The log's epoch: random, made with the store, never 0.
    fn epoch(&mut self) -> Stored<u64>;
    /// Gives the log another epoch: after a restore, offline.
    fn renew_epoch(&mut self, epoch: u64) -> Stored<()>;
    /// All brands, teams and agents, each in order of id.
    fn facts(&mut self) -> Stored<Facts>;
    /// Makes or replaces a brand.
    fn put_brand(&mut self, brand: &Brand) -> Stored<()>;
    /// Makes or replaces a team.
    fn put_team(&mut self, team: &Team) -> Stored<()>;
    /// Makes or replaces an agent, teams included. Fails if another has that log-in name.
    fn put_agent(&mut self, agent: &Agent) -> Stored<()>;
    /// The presence that an agent asked for.
    fn put_presence(&mut self, agent: Id, presence: Presence) -> Stored<()>;
    /// An agent's new password, as argon2id in PHC form.
    fn put_password(&mut self, agent: Id, hash: &str) -> Stored<()>;
    /// Gives an agent a picture, or another one.
    fn put_avatar(&mut self, avatar: &Avatar) -> Stored<()>;
    /// Takes an agent's picture away; nothing if there is none.
    fn remove_avatar(&mut self, agent: Id) -> Stored<()>;
    /// Who has a picture, with its hash, in order of agent.
    fn avatars(&mut self) -> Stored<Vec<(Id, [u8; 32])>>;
    /// An agent's picture.
    fn avatar(&mut self, agent: Id) -> Stored<Option<Avatar>>;

    // ---- sessions ----------------------------------------------------------------------------------------------

    /// Makes or replaces a session, by its token's hash.
    fn put_session(&mut self, session: &Session) -> Stored<()>;
    /// A session by its token's hash, expired or not.
    fn session(&mut self, token_hash: &[u8; 32]) -> Stored<Option<Session>>;
    /// Removes one session; nothing if there is none.
    fn remove_session(&mut self, token_hash: &[u8; 32]) -> Stored<()>;
    /// Removes all sessions of `who` but `keep`.
    fn remove_sessions(&mut self, who: Who, keep: Option<&[u8; 32]>) -> Stored<()>;
    /// Removes at most `limit` sessions that expired before `before_ms`.
    fn forget_sessions(&mut self, before_ms: u64, limit: u32) -> Stored<()>;
    /// Notes that an identity token's id was used in this brand. False: it was used before, and nothing changes.
    fn use_token_id(&mut self, brand: Id, token_id: &str, expires_ms: u64) -> Stored<bool>;
    /// Removes at most `limit` used ids of tokens that expired before `before_ms`.
    fn forget_token_ids(&mut self, before_ms: u64, limit: u32) -> Stored<()>;

    // ---- customers ---------------------------------------------------------------------------------------------

    /// Makes or replaces a customer. Fails if another of the brand has that external id.
    fn put_customer(&mut self, customer: &Customer) -> Stored<()>;
    /// A customer by id.
    fn customer(&mut self, id: Id) -> Stored<Option<Customer>>;
    /// A customer by the merchant's id for them.
    fn customer_by_external(&mut self, brand: Id, external: &str) -> Stored<Option<Customer>>;

    // ---- conversations -----------------------------------------------------------------------------------------

    /// A conversation by id.
    fn conversation(&mut self, id: Id) -> Stored<Option<Conversation>>;
    /// Makes or replaces a conversation.
    fn put_conversation(&mut self, conversation: &Conversation) -> Stored<()>;
    /// All that are queued or open, in order of id; read once at start. May scan an index of those.
    fn active_conversations(&mut self) -> Stored<Vec<Conversation>>;

    /// Ids above `above`, in order, at most `limit`: for whoever looks at all of them, a few at a time.
    fn conversation_ids(&mut self, above: Id, limit: u32) -> Stored<Vec<Id>>;

    // ---- entries of both logs ----------------------------------------------------------------------------------

    /// Stores an entry. Fails if its Seq is taken; an entry that fails leaves nothing behind.
    fn append(&mut self, entry: &Entry) -> Stored<()>;
    /// The entry at a Seq of the agents' log.
    fn entry(&mut self, conversation: Id, seq: u64) -> Stored<Option<Entry>>;
    /// The entry at a Seq of the customer's log.
    fn public_entry(&mut self, conversation: Id, public: u64) -> Stored<Option<Entry>>;
    /// Entries of the agents' log, `first` to `last`, in order.
    fn entries(&mut self, conversation: Id, first: u64, last: u64) -> Stored<Vec<Entry>>;
    /// Entries of the customer's log, `first` to `last` by their Seqs there, in order.
    fn public_entries(&mut self, conversation: Id, first: u64, last: u64) -> Stored<Vec<Entry>>;
    /// The first entry at or after a time, in the agents' log or (`public`) in the customer's, each by its own times. By
    /// binary search or an index: times never go back.
    fn entry_at_time(&mut self, conversation: Id, time_ms: u64, public: bool) -> Stored<Option<Entry>>;
    /// Entries with this id above `above` in the agents' log, in order. Scans that range: only for what is older than
    /// the index of ids remembers.
    fn find_entries(&mut self, conversation: Id, id: Id, above: u64) -> Stored<Vec<Entry>>;
    /// Takes an entry's content and fingerprint away and marks it erased; Seq, id and author stay.
    fn erase(&mut self, conversation: Id, seq: u64) -> Stored<()>;

    /// Removes what lies below a conversation's floors: at most `limit` entries, the lowest first, so that no hole comes
    /// about, and as many blocks whose range lies below as a whole. Whether something may be left.
    fn remove_below(&mut self, conversation: &Conversation, limit: u32) -> Stored<bool>;

    // ---- sealed blocks of both logs ----------------------------------------------------------------------------

    /// The block of a fixed range, by the range's first Seq.
    fn block(&mut self, conversation: Id, log: Audience, start: u64) -> Stored<Option<SealedBlock>>;
    /// Last Seq of a log's last block; 0: nothing is sealed.
    fn sealed_to(&mut self, conversation: Id, log: Audience) -> Stored<u64>;
    /// Makes or replaces a block, by conversation, log and range. What it replaces is gone from the disk.
    fn put_block(&mut self, block: &SealedBlock) -> Stored<()>;

    // ---- what identifies a repeat ------------------------------------------------------------------------------

    /// Remembers an acceptance, by id, conversation and author. Fails only where the store as a whole does.
    fn remember(&mut self, known: &KnownId) -> Stored<()>;
    /// Acceptances of this id in this conversation, in order of author; nearly always none or one.
    fn known(&mut self, conversation: Id, id: Id) -> Stored<Vec<KnownId>>;
    /// Looks at the next `limit` acceptances, on from where the last look ended and from the first again after the last,
    /// and forgets those from before `before_ms`.
    fn forget_known(&mut self, before_ms: u64, limit: u32) -> Stored<()>;
    /// Remembers a final refusal, by id, conversation and author; the first one stands.
    fn remember_refusal(&mut self, refusal: &Refusal) -> Stored<()>;
    /// Final refusals of this id in this conversation, in order of author; nearly always none or one.
    fn refusals(&mut self, conversation: Id, id: Id) -> Stored<Vec<Refusal>>;

    // ---- feeds -------------------------------------------------------------------------------------------------

    /// A feed's counter; none: never used.
    fn feed(&mut self, feed: Feed) -> Stored<Option<FeedState>>;
    /// Makes or replaces a feed's counter.
    fn put_feed(&mut self, feed: Feed, state: FeedState) -> Stored<()>;
    /// Makes or replaces the one row of a conversation in a feed.
    fn put_feed_row(&mut self, feed: Feed, row: &FeedRow) -> Stored<()>;
    /// Rows with a revision above `above`, in order of revision, at most `limit`.
    fn feed_rows(&mut self, feed: Feed, above: u64, limit: u32) -> Stored<Vec<FeedRow>>;
    /// Removes the rows that have left: part of giving the feed a new epoch.
    fn remove_left_rows(&mut self, feed: Feed) -> Stored<()>;

    // ---- members and visits ------------------------------------------------------------------------------------

    /// Positions of all members of a conversation, in order of who.
    fn positions(&mut self, conversation: Id) -> Stored<Vec<Position>>;
    /// Makes or replaces a position.
    fn put_position(&mut self, position: &Position) -> Stored<()>;
    /// Makes or replaces a visit, by conversation and first Seq.
    fn put_visit(&mut self, visit: &Visit) -> Stored<()>;
    /// Visits, newest first, at most `limit`.
    fn visits(&mut self, conversation: Id, limit: u32) -> Stored<Vec<Visit>>;
    /// Removes the visits that began below a Seq.
    fn remove_visits(&mut self, conversation: Id, below: u64) -> Stored<()>;
}
