//! What a session tells those who look: the hub of a desk, a simulated customer, a test.
//!
//! Everything that speaks of stored things comes after their commit, unless it says otherwise.

use bytes::Bytes;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    ActKind, Brand, Colleagues, Customer, CustomerState, Member, MemberRole, Position, Presence, Problem, Summary, Team,
};

use crate::change::{FeedKey, OutboxAct, Range, StoredEntry};
use crate::input::{Ask, StoreFailure};

/// Something changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// An act has its place; shown at once, not stored yet.
    ActTaken(OutboxAct),
    /// It is durable: the clock mark. Also when a lost act waits again.
    ActStored {
        /// Which.
        id: Id,
    },
    /// It could not be stored and is gone: the text goes back before whatever was typed since.
    ActNotStored {
        /// As it was done.
        act: OutboxAct,
        /// Why.
        why: StoreFailure,
    },
    /// The gateway has it.
    ActSettled {
        /// Which.
        id: Id,
        /// What it does, or would have done had it not been discarded.
        kind: ActKind,
        /// Where; `None`: a customer's whose conversation isn't known yet.
        conversation: Option<Id>,
        /// Its Seq in this device's log.
        seq: u64,
        /// Milliseconds UTC.
        time_ms: u64,
        /// It had been discarded, too late: offer to recall it.
        too_late: bool,
    },
    /// Refused, or done after something refused: waits for the user ([`crate::change::OutboxState::Parked`]).
    ActParked(OutboxAct),
    /// The server lost it: send again?
    ActLost(OutboxAct),
    /// Gone from the outbox without having been sent: discarded.
    ActGone {
        /// Which.
        id: Id,
    },
    /// Entries came in (again, perhaps); those of erased ones have no content.
    Entries {
        /// Whose log.
        conversation: Id,
        /// In order of Seq.
        entries: Vec<StoredEntry>,
    },
    /// Content was taken away.
    Erased {
        /// Whose log.
        conversation: Id,
        /// What.
        what: ErasedWhat,
    },
    /// Stored entries went (restored log, floor).
    Dropped {
        /// Whose log.
        conversation: Id,
        /// Where.
        range: Range,
    },
    /// Coverage, head, floor or read position of a kept conversation changed; [`crate::Session::log`] has it.
    LogChanged {
        /// Whose.
        conversation: Id,
    },
    /// How far others have received and read changed.
    Positions {
        /// Where.
        conversation: Id,
        /// All that are known.
        positions: Vec<Position>,
    },
    /// A feed's row.
    RowChanged {
        /// Which feed.
        feed: FeedKey,
        /// Which conversation.
        conversation: Id,
        /// What its list shows.
        summary: Box<Summary>,
    },
    /// The conversation left the feed. From the own feed: what was kept of it is gone.
    RowLeft {
        /// Which feed.
        feed: FeedKey,
        /// Which conversation.
        conversation: Id,
    },
    /// A watch begins (or begins anew after a reconnect): what was shown of it is replaced by what comes.
    WatchOpened {
        /// Which.
        conversation: Id,
        /// What its list shows.
        summary: Option<Box<Summary>>,
        /// First Seq that there is.
        floor: u64,
        /// Last Seq that there is.
        head: u64,
        /// How far members have received and read.
        positions: Vec<Position>,
    },
    /// Entries of a watched conversation; in memory only, never stored.
    WatchEntries {
        /// Whose log.
        conversation: Id,
        /// In order of Seq.
        entries: Vec<StoredEntry>,
    },
    /// The watch is over.
    WatchEnded {
        /// Which.
        conversation: Id,
        /// Because of what.
        why: WatchEnd,
    },
    /// Somebody types, or stopped; ends by itself after [`zuoxi_wire::limits::TYPING_MS`].
    Typing {
        /// Where.
        conversation: Id,
        /// Who.
        member: Id,
        /// As what.
        role: MemberRole,
        /// Typing or not.
        typing: bool,
    },
    /// A customer looks at another page.
    Page {
        /// Where.
        conversation: Id,
        /// Its address.
        url: String,
    },
    /// Somebody's presence, one's own included.
    Presence {
        /// Whose.
        member: Id,
        /// What.
        presence: Presence,
    },
    /// Answer to [`crate::Command::ReadCustomer`].
    Customer {
        /// As asked.
        ask: Ask,
        /// What the panel shows.
        customer: Box<Customer>,
    },
    /// Answer to [`crate::Command::ReadColleagues`].
    Colleagues {
        /// As asked.
        ask: Ask,
        /// Agents and teams.
        colleagues: Box<Colleagues>,
    },
    /// Answer to [`crate::Command::FindTime`].
    FoundTime {
        /// As asked.
        ask: Ask,
        /// First Seq at or after that time; head + 1 where nothing is that young.
        seq: u64,
    },
    /// A question was done and has nothing more to say.
    Done {
        /// As asked.
        ask: Ask,
    },
    /// A question could not be answered.
    Failed {
        /// As asked.
        ask: Ask,
        /// The gateway's problem; `None`: there is no connection (any more).
        problem: Option<Problem>,
    },
    /// The state of synchronisation.
    Sync(Sync),
    /// Smoothed round trip.
    RoundTrip {
        /// Milliseconds.
        ms: u64,
    },
    /// Gateway's time minus this device's.
    Clock {
        /// Milliseconds.
        shift_ms: i64,
    },
    /// The log-in succeeded, or the session was resumed.
    LoggedIn(Box<Who>),
    /// The log-in failed, and is not tried again by itself.
    LogInFailed(LogInFailure),
    /// The session ended: revoked, expired, logged out. Data stays.
    SessionEnded,
    /// A restored server no longer has so many of this device's acknowledged messages ([`Notice::ActLost`] names them).
    ServerLost {
        /// How many.
        count: u32,
    },
    /// What a customer is told of their conversation.
    CustomerState(Box<CustomerState>),
    /// The store failed; the session is loaded anew.
    StoreFailed(StoreFailure),
}

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErasedWhat {
    /// The message of this author and id.
    Message {
        /// Author's id.
        author: Id,
        /// The message's id.
        id: Id,
    },
    /// The entries at these Seqs.
    Seqs(Vec<u64>),
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Who {
    /// Oneself.
    pub me: Member,
    /// The session's token, if it is new; secret. Stored as value `session` if it is to be remembered.
    pub session: Option<Bytes>,
    /// Teams of an agent.
    pub teams: Vec<Team>,
    /// A customer's brand.
    pub brand: Option<Brand>,
    /// An agent's presence as it stands.
    pub presence: Presence,
    /// Older than this (milliseconds), an overtaken reply is held back; 0: never.
    pub stale_ms: u64,
}

/// Why a watch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchEnd {
    /// It became one's own: what follows is kept, and told as [`Notice::Entries`]. Go on showing what was watched.
    Mine,
    /// Not there, or not for this agent (any more).
    Gone,
    /// Too many are watched.
    TooMany,
}

/// Why a log-in failed.
#[derive(Debug, Clone, PartialEq)]
pub enum LogInFailure {
    /// The gateway refused it.
    Problem(Problem),
    /// The gateway can't be reached.
    Unreachable(crate::input::Broken),
    /// The gateway speaks no version that this device speaks.
    Version {
        /// Lowest that it speaks.
        min: u32,
        /// Highest that it speaks.
        max: u32,
    },
    /// What is stored here belongs to somebody else.
    AnotherAccount,
}

/// How much of the truth is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// No connection.
    Offline {
        /// Since when, by the clock of `now_ms`; 0: never was connected.
        since_ms: u64,
        /// When the next attempt begins; 0: under way, or none will be made.
        retry_at_ms: u64,
    },
    /// Connected, not proven to be up to date.
    CatchingUp {
        /// Entries missing, as far as known.
        missing: u64,
        /// Entries fetched since it began.
        fetched: u64,
        /// Conversations with something missing or to be compared.
        conversations: u32,
        /// Acts that wait for the gateway.
        waiting: u32,
    },
    /// Everything committed before that time is here, committed.
    UpToDate {
        /// Milliseconds UTC by the gateway's clock.
        as_of_ms: u64,
    },
}

/// What the mark rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The mark.
    pub sync: Sync,
    /// Feeds: revision here (committed) and in the last heartbeat; they agree if epochs do and `here >= there`.
    pub feeds: Vec<FeedProof>,
    /// Conversations kept here.
    pub conversations: u32,
    /// Gaps in them.
    pub gaps: u32,
    /// Acts waiting for the gateway.
    pub waiting: u32,
    /// Acts parked or lost.
    pub parked: u32,
    /// Smoothed round trip in milliseconds.
    pub round_trip_ms: Option<u64>,
}

/// One feed of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedProof {
    /// Which.
    pub feed: FeedKey,
    /// Revision here.
    pub here: u64,
    /// Revision of the last heartbeat.
    pub there: u64,
    /// They agree.
    pub agrees: bool,
}
