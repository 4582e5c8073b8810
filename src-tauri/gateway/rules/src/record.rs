//! What a store keeps: one type for each table.
//!
//! Times are milliseconds UTC by the gateway's clock. Seqs count from 1; 0 means none. Enums of the wire are stored as
//! their numbers.

use bytes::Bytes;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{AuthorRole, Due, EntryKind, Presence, Status};

/// A merchant's chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// Of this brand.
    pub id: Id,
    /// Public key, as it stands in the merchant's page; unique. Also the audience of identity tokens.
    pub key: String,
    /// Shown above the chat.
    pub name: String,
    /// One or two characters for the launcher's square.
    pub short_name: String,
    /// Shown before the first message; empty: none.
    pub greeting: String,
    /// Origins of pages that may embed the chat (`frame-ancestors`); empty: none but the gateway's own.
    pub origins: Vec<String>,
    /// The team that serves it.
    pub team: Id,
    /// With which the merchant signs identities; none: visitors stay anonymous.
    pub identity_key: Option<IdentityKey>,
}

/// The one algorithm and key that a brand's identity tokens are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityKey {
    /// JWS name: `HS256`, `ES256`, `EdDSA` or `RS256`.
    pub algorithm: String,
    /// A shared secret, or a public key in PEM.
    pub key: Vec<u8>,
}

/// Agents who share a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Of this team.
    pub id: Id,
    /// Shown to agents, and to customers who wait.
    pub name: String,
    /// Target for the first answer, milliseconds; 0: none.
    pub first_response_ms: u64,
    /// Target for further answers, milliseconds; 0: none.
    pub next_response_ms: u64,
    /// An open conversation in which nobody wrote for so long is closed, milliseconds; 0: never.
    pub idle_ms: u64,
    /// A reply older than this is refused if another agent answered meanwhile, milliseconds; 0: never.
    pub stale_ms: u64,
    /// An agent who goes offline keeps their conversations for so long, milliseconds.
    pub grace_ms: u64,
}

/// Who serves customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Of this agent.
    pub id: Id,
    /// Log-in name; unique; never told to a customer.
    pub login: String,
    /// Public display name.
    pub name: String,
    /// Open conversations that routing gives them at most.
    pub capacity: u32,
    /// argon2id in PHC form.
    pub password_hash: String,
    /// May not log in.
    pub disabled: bool,
    /// The presence they last asked for; what others see is offline while no device of theirs is connected.
    pub presence: Presence,
    /// Their teams, in order of id.
    pub teams: Vec<Membership>,
}

/// An agent's public picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avatar {
    /// Whose.
    pub agent: Id,
    /// SHA-256 of the bytes: tells whether it is another one.
    pub hash: [u8; 32],
    /// PNG, JPEG or WebP.
    pub bytes: Bytes,
}

/// An agent's place in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    /// Which team.
    pub team: Id,
    /// May assign what the team has.
    pub lead: bool,
}

/// Everything that only the administrator changes; small, held in memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// All brands.
    pub brands: Vec<Brand>,
    /// All teams.
    pub teams: Vec<Team>,
    /// All agents.
    pub agents: Vec<Agent>,
}

/// Who a session or a connection belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// An agent's id.
    Agent(Id),
    /// A customer's id.
    Customer(Id),
}

impl Who {
    /// The id, whoever it is.
    pub fn id(self) -> Id {
        match self {
            Self::Agent(id) | Self::Customer(id) => id,
        }
    }
}

/// A log-in that can be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token: the token itself is never stored.
    pub token_hash: [u8; 32],
    /// Whose.
    pub who: Who,
    /// The device it was given to.
    pub device: Id,
    /// When it was given.
    pub created_ms: u64,
    /// From then on it is refused.
    pub expires_ms: u64,
}

/// Who chats from the page of one brand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Of this customer; author of their entries.
    pub id: Id,
    /// The one brand they chat with.
    pub brand: Id,
    /// Id of their conversation, fixed when the customer is made; the conversation's row comes with their first act.
    pub conversation: Id,
    /// 访客 7K3F, or the merchant's name for them.
    pub name: String,
    /// The merchant's own id for them, unique in the brand; none: anonymous.
    pub external: Option<String>,
    /// Another customer took this one's identity over: sessions go on there.
    pub merged_into: Option<Id>,
    /// User-Agent.
    pub browser: String,
    /// BCP 47.
    pub language: String,
    /// Page they last came from.
    pub page_url: String,
    /// Its title.
    pub page_title: String,
    /// Its referrer.
    pub referrer: String,
    /// First log-in.
    pub first_visit_ms: u64,
}

/// The last public words of a conversation, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Whose.
    pub role: AuthorRole,
    /// Whose.
    pub author: Id,
    /// Preview of the text.
    pub text: String,
    /// When.
    pub time_ms: u64,
    /// Where, in the agents' log.
    pub seq: u64,
}

/// Everything between one customer and one brand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Equal to [`Customer::conversation`].
    pub id: Id,
    /// Whose chat.
    pub brand: Id,
    /// Which team has it.
    pub team: Id,
    /// With whom.
    pub customer: Id,
    /// The customer's name, as lists show it.
    pub customer_name: String,
    /// The merchant's signature says so.
    pub customer_verified: bool,
    /// Their page runs on a phone.
    pub customer_mobile: bool,
    /// Queued, open or closed.
    pub status: Status,
    /// In whose own feed it stands: its agent while open, its last one once closed, nobody while queued.
    pub holder: Option<Id>,
    /// Who served it last, for routing.
    pub last_agent: Option<Id>,
    /// Head of the agents' log.
    pub head: u64,
    /// Head of the customer's log.
    pub public_head: u64,
    /// First Seq that is kept, in the agents' log; 1 or more.
    pub floor: u64,
    /// The same in the customer's log.
    pub public_floor: u64,
    /// Since when it is queued; 0: it isn't.
    pub queued_ms: u64,
    /// Since when the customer waits for an answer; 0: they don't.
    pub waiting_ms: u64,
    /// Seq of the oldest unanswered customer message, in the agents' log; 0: none.
    pub waiting_seq: u64,
    /// Which answer is due.
    pub due: Due,
    /// Preview of that message.
    pub preview: String,
    /// An agent has answered in this visit.
    pub answered: bool,
    /// Messages of the customer, ever.
    pub customer_messages: u64,
    /// Of those, above the holder's read position.
    pub unread: u32,
    /// For lists.
    pub words: Option<Words>,
    /// The customer's tags.
    pub tags: Vec<String>,
    /// First Seq of the visit that goes on, or of the last one.
    pub visit: u64,
    /// Time of the last entry; no later entry is earlier.
    pub moved_ms: u64,
    /// Time of the last public entry: idle since.
    pub public_ms: u64,
    /// Where the story goes on, once linked.
    pub linked_to: Option<Id>,
}

impl Conversation {
    /// Who serves it now.
    pub fn assignee(&self) -> Option<Id> {
        if self.status == Status::Open { self.holder } else { None }
    }

    /// What routing has to know of it.
    pub fn stand(&self) -> Stand {
        Stand {
            status: self.status,
            team: self.team,
            holder: self.holder,
            queued_ms: self.queued_ms,
            public_ms: self.public_ms,
        }
    }
}

/// Where a conversation stands: what routing has to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// Queued, open or closed.
    pub status: Status,
    /// Whose it is.
    pub team: Id,
    /// In whose feed it is.
    pub holder: Option<Id>,
    /// Since when it is queued, milliseconds UTC.
    pub queued_ms: u64,
    /// Time of its last public entry, milliseconds UTC.
    pub public_ms: u64,
}

impl Stand {
    /// The two differ at most by what was said meanwhile.
    pub fn is_same_place(&self, other: &Self) -> bool {
        Self {
            public_ms: other.public_ms,
            ..*self
        } == *other
    }
}

/// Who may see an entry, as a whole and for ever; also which log is spoken of: the customer's or the agents'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// In both logs.
    Everybody,
    /// In the agents' log alone.
    Agents,
}

/// What identifies a repeat beside its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Random, of this entry or refusal alone.
    pub salt: [u8; 16],
    /// SHA-256 over salt, kind and content.
    pub hash: [u8; 32],
}

/// One immutable item of a conversation's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Of which conversation.
    pub conversation: Id,
    /// In the agents' log.
    pub seq: u64,
    /// How many entries up to and with this one everybody may see: its Seq in the customer's log if it is public, else
    /// that of the last public one before it (0: none). This translates between the logs.
    pub public: u64,
    /// Who may see it.
    pub audience: Audience,
    /// Of the wire.
    pub kind: EntryKind,
    /// Of the act that stored it, or made by the gateway.
    pub id: Id,
    /// Of the author.
    pub role: AuthorRole,
    /// None: the gateway.
    pub author: Option<Id>,
    /// Public name at that time.
    pub author_name: String,
    /// When, in the agents' log: never before the entry before it.
    pub time_ms: u64,
    /// When, in the customer's log; of a hidden entry, of the last public one before it (0: none). Earlier than `time_ms`
    /// where the clock was set back after something hidden: what is hidden must not show in a time either.
    pub public_ms: u64,
    /// Opaque; empty once erased.
    pub content: Bytes,
    /// Its content was taken away.
    pub erased: bool,
    /// Messages of the customer up to and with this entry: what makes counting unread ones cheap.
    pub customer_messages: u64,
    /// None: not made by an act, or erased.
    pub fingerprint: Option<Fingerprint>,
}

/// A sealed block of one log: encoded once, served as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBlock {
    /// Of which conversation.
    pub conversation: Id,
    /// Of which log.
    pub log: Audience,
    /// First Seq of its fixed range ([`zuoxi_wire::block::range_of`]).
    pub start: u64,
    /// First Seq in it: `start`, or the floor that cuts it.
    pub first: u64,
    /// Last Seq in it; below `first` where the floor has taken all of it, until more of its range comes.
    pub last: u64,
    /// From 1 on; moves when the content changes.
    pub generation: u32,
    /// A `zuoxi.v1.Block` under zstd; empty where nothing is in it, or more than a page holds: then it isn't served.
    pub bytes: Bytes,
}

/// The index of ids: where an acceptance is found again within 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownId {
    /// Of the act.
    pub id: Id,
    /// In which conversation.
    pub conversation: Id,
    /// By whom.
    pub author: Id,
    /// Where its entry stands, in the agents' log.
    pub seq: u64,
    /// When it was accepted, by its author's log.
    pub time_ms: u64,
}

/// A final refusal, remembered as long as the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Of the act.
    pub id: Id,
    /// In which conversation (which may have no row yet).
    pub conversation: Id,
    /// By whom.
    pub author: Id,
    /// Of what was refused.
    pub fingerprint: Fingerprint,
    /// A `zuoxi.v1.Refused`, as it was answered.
    pub answer: Bytes,
}

/// An agent's own feed, or a team's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feed {
    /// What one agent may keep.
    Agent(Id),
    /// What is queued or open in one team.
    Team(Id),
}

/// A feed's counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedState {
    /// Another one means: read from 0.
    pub epoch: u64,
    /// The last one given; never starts again within an epoch of the log.
    pub revision: u64,
}

/// How one conversation stands in one feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedRow {
    /// Which.
    pub conversation: Id,
    /// The last revision it took.
    pub revision: u64,
    /// `in` (true) or `left`.
    pub stands: bool,
}

/// How far a member has received and read, in the agents' Seqs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// In which conversation.
    pub conversation: Id,
    /// Whose.
    pub who: Who,
    /// Up to there it is on a device of theirs.
    pub delivered: u64,
    /// Up to there it was read.
    pub read: u64,
}

/// A stretch of a conversation from opening to closing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// In which conversation.
    pub conversation: Id,
    /// Where it begins, in the agents' log.
    pub first_seq: u64,
    /// When it began.
    pub started_ms: u64,
    /// 0: it goes on.
    pub ended_ms: u64,
    /// Preview of the customer's first words; empty: none yet, or taken away.
    pub first_words: String,
    /// Where those stand; 0: nowhere.
    pub words_seq: u64,
}
