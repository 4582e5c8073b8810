//! What a device commits, and what it starts from: the seam between the machines and a store.
//!
//! The machines hold all of this in memory but the entries themselves; a store makes it durable. Changes of one
//! [`Transaction`] are committed together or not at all, transactions in the order in which they were given, but for
//! those that [stand apart](Transaction::stands_apart).

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::v1::{ActKind, Block, Entry, FeedKind, Summary};
use zuoxi_wire::{Id, block, block::BlockError};

/// How safe a commit must be before its consequences show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Survives a kill of the process; the network would bring it again after a power loss.
    Normal,
    /// Survives a power loss: outbox, voids, the end of a rest.
    Full,
}

/// Changes that are committed together.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// Comes back in the event that tells its end. Counts up from 1.
    pub token: u64,
    /// How safe it must be.
    pub durability: Durability,
    /// Applied in this order.
    pub changes: Vec<Change>,
}

impl Transaction {
    /// It holds new acts and drafts of the user alone: it builds on nothing that was given before it, and may be committed
    /// first, however much of what the network brought waits. An act's place keeps the order of doing: none leaves this
    /// device before those below it are durable.
    pub fn stands_apart(&self) -> bool {
        let is_users = |change: &Change| match change {
            Change::Enqueue(act) => act.state == OutboxState::Waiting,
            Change::Draft(..) => true,
            _ => false,
        };
        self.changes.iter().all(is_users)
    }

    /// A planted fault does it: what comes up to the first act that is parked, as a transaction of its own before this.
    pub(crate) fn split_at_parking(&mut self) -> Option<Self> {
        let parks = |change: &Change| {
            matches!(
                change,
                Change::Update(OutboxAct {
                    state: OutboxState::Parked { .. },
                    ..
                })
            )
        };
        let first = self.changes.iter().position(parks)?;
        let rest = self.changes.split_off(first + 1);
        let first = Self {
            changes: std::mem::replace(&mut self.changes, rest),
            ..*self
        };
        self.token += 1;
        (!self.changes.is_empty()).then_some(first)
    }
}

/// A feed, by kind and owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedKey {
    /// An agent's own or a team's ([`FeedKind`] as its number).
    pub kind: i32,
    /// The agent or team.
    pub id: Id,
}

impl FeedKey {
    /// Whether this is an agent's own feed, which carries entries.
    pub fn is_own(&self) -> bool {
        self.kind == FeedKind::Agent as i32
    }
}

/// How far a feed was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedPlace {
    /// Another one means: read from 0.
    pub feed_epoch: u64,
    /// Reached by what is committed.
    pub revision: u64,
    /// More was to follow: a place, not a state.
    pub partial: bool,
}

/// A closed range of Seqs, `first <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// First Seq in it.
    pub first: u64,
    /// Last Seq in it.
    pub last: u64,
}

/// What a device knows of one log, besides its entries. Written as a whole: it is small.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogState {
    /// Below it nothing is wanted; 1 or more.
    pub floor: u64,
    /// Everything in these was taken in since it came (eviction doesn't undo it); sorted, apart, at or above the floor.
    pub covered: Vec<Range>,
    /// Highest Seq told in this epoch; 0: none.
    pub head: u64,
    /// Seqs known as erased, at or above the floor; sorted.
    pub erased: Vec<u64>,
    /// Generation of the block held for a range, by the range's first Seq, where it is above 1: no lower one is taken
    /// in this epoch.
    pub generations: BTreeMap<u64, u32>,
    /// Restored log: takes nothing until compared.
    pub to_compare: bool,
    /// Own read position, as far as it was told or is to be told.
    pub read: u64,
    /// The gateway's part of the read position (what it acknowledged hasn't to be told again).
    pub read_told: u64,
    /// Positions of others: member, role number, delivered, read.
    pub positions: Vec<(Id, i32, u64, u64)>,
}

/// One entry as the cache keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEntry {
    /// In this device's log.
    pub seq: u64,
    /// The act's id.
    pub id: Id,
    /// Author's id; `None` for the gateway itself.
    pub author: Option<Id>,
    /// Milliseconds UTC.
    pub time_ms: u64,
    /// The wire's `Entry`, as its bytes came; without content if erased.
    pub bytes: Bytes,
}

/// A sealed block as the cache keeps it: the wire's `Block` as it came, in place of its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredBlock {
    /// First Seq of its fixed range ([`zuoxi_wire::block::range_of`]).
    pub start: u64,
    /// First Seq in it.
    pub first: u64,
    /// Last Seq in it.
    pub last: u64,
    /// Bit `n`: the entry at `start + n` is in it without content.
    pub erased: u64,
    /// The wire's `Block`; encoded anew only where content had to be left out of it.
    pub bytes: Bytes,
}

impl StoredBlock {
    /// Its entries, in order.
    ///
    /// # Errors
    /// The bytes are none of a block, or one of its entries can't be stored: the store is damaged.
    pub fn entries(&self) -> Result<Vec<StoredEntry>, BlockError> {
        let packed = Block::decode(self.bytes.clone()).map_err(|_| BlockError::Malformed("protobuf"))?;
        let stored = |(entry, bytes): (Entry, Bytes)| {
            Ok(StoredEntry {
                seq: entry.seq,
                id: Id::try_from(&entry.id).map_err(|_| BlockError::Malformed("id"))?,
                author: Id::optional(&entry.author).map_err(|_| BlockError::Malformed("author"))?,
                time_ms: entry.time_ms,
                bytes,
            })
        };
        block::decode(&packed)?.into_iter().map(stored).collect()
    }
}

/// Where an act of the outbox stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxState {
    /// Waits for the gateway's answer.
    Waiting,
    /// Discarded while its fate was unknown: travels as a void.
    Voided,
    /// Refused for good, or done after something refused; waits for the user. The refusal's code number.
    Parked {
        /// [`zuoxi_wire::v1::RefusalCode`] as its number.
        code: i32,
        /// Parked since something before it was refused, not for itself.
        behind: bool,
        /// For a stale reply: Seqs of what others said meanwhile.
        stale_seqs: Vec<u64>,
        /// For a conversation that was taken: by whom, where told.
        assignee_name: String,
    },
    /// Was acknowledged, and a restored log no longer has it: "send again?".
    Lost,
}

/// An act that isn't settled. Frozen but for its state and its base (which a new epoch lowers).
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxAct {
    /// Order of doing, counts up over all conversations, never used twice.
    pub place: u64,
    /// Its identity for ever.
    pub id: Id,
    /// `None`: a customer's conversation that isn't made yet.
    pub conversation: Option<Id>,
    /// What it does; stays what it was when voided.
    pub kind: ActKind,
    /// As encoded once; empty once voided.
    pub content: Bytes,
    /// What its sender had seen.
    pub base: u64,
    /// Local clock when it was done, milliseconds UTC: for its age and for display alone.
    pub done_ms: u64,
    /// It may have left this device.
    pub left: bool,
    /// Where it stands.
    pub state: OutboxState,
}

/// A draft: what stands in a composer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// Text of the reply.
    pub text: String,
    /// Text of the note being written, apart from the reply.
    pub note: String,
    /// The composer stands on the note.
    pub on_note: bool,
}

/// One durable change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The log's epoch.
    Epoch(u64),
    /// How far a feed was read.
    Feed(FeedKey, FeedPlace),
    /// The feed is no longer this agent's: its rows go.
    ForgetFeed(FeedKey),
    /// A feed's row: the conversation stands `in`, with this summary and the revision that told it.
    Row {
        /// Which feed.
        feed: FeedKey,
        /// Which conversation.
        conversation: Id,
        /// What its list shows.
        summary: Box<Summary>,
        /// Revision that told it last.
        revision: u64,
    },
    /// It left the feed. From an own feed: its entries and log state are never shown or searched from this commit on,
    /// and are deleted (in the background) before anything new of it is stored. Draft and outbox stay.
    RowLeft {
        /// Which feed.
        feed: FeedKey,
        /// Which conversation.
        conversation: Id,
    },
    /// What is known of a log.
    Log(Id, LogState),
    /// Entries of a log; those there already are replaced by the same (an erased one is never replaced by content).
    Entries(Id, Vec<StoredEntry>),
    /// A sealed block of a log, in place of all entries of its Seqs and of an older block of its range. What the store
    /// knows as erased stays without content.
    Block(Id, StoredBlock),
    /// Content of these goes; Seq, id and author stay.
    Erase(Id, Vec<u64>),
    /// A recall: content of the entry with this id and author goes, wherever it stands in this log below the recall (if
    /// it is stored at all); Seq, id and author stay. For the store to find: the machines don't hold entries.
    EraseMessage {
        /// Whose log.
        conversation: Id,
        /// The recall's own Seq: what it names stands below.
        below: u64,
        /// Author of the recalled entry.
        author: Id,
        /// Its id.
        id: Id,
    },
    /// Entries of these Seqs go (restored log, floor moved, eviction).
    Drop(Id, Range),
    /// A new act at its place.
    Enqueue(OutboxAct),
    /// An act's state, content, base or `left` changed.
    Update(OutboxAct),
    /// Settled or discarded: gone from the outbox.
    Settle(Id),
    /// What stands in a composer; an empty one is removed.
    Draft(Id, Draft),
    /// A small named value of the account (session token, names, the customer's conversation).
    Value(&'static str, Option<Bytes>),
}

/// What a device starts from: everything durable but the entries.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// 0: never told.
    pub epoch: u64,
    /// Feeds and how far they were read.
    pub feeds: BTreeMap<FeedKey, FeedPlace>,
    /// Rows by feed and conversation: summary and revision.
    pub rows: BTreeMap<(FeedKey, Id), (Summary, u64)>,
    /// Logs.
    pub logs: BTreeMap<Id, LogState>,
    /// Acts by place.
    pub outbox: Vec<OutboxAct>,
    /// Highest place ever given.
    pub last_place: u64,
    /// Drafts by conversation.
    pub drafts: BTreeMap<Id, Draft>,
    /// Named values.
    pub values: BTreeMap<String, Bytes>,
}

/// What a machine must know of stored entries (after a restored log alone). Answered after all transactions that were
/// given before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// [`crate::hash::of`] over the stored entries of each range, in order.
    Hashes {
        /// Whose log.
        conversation: Id,
        /// At most 64.
        ranges: Vec<Range>,
    },
    /// Stored entries of this author in the range, without erased ones, in order of Seq.
    ByAuthor {
        /// Whose log.
        conversation: Id,
        /// Where.
        range: Range,
        /// Whose entries.
        author: Id,
    },
    /// Seqs in the range whose content was taken away.
    Erased {
        /// Whose log.
        conversation: Id,
        /// Where.
        range: Range,
    },
}

/// What the store says.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One for each range; `None`: not every Seq of it is stored.
    Hashes(Vec<Option<[u8; 32]>>),
    /// The entries.
    Entries(Vec<StoredEntry>),
    /// The erased ones' Seqs, in order.
    Erased(Vec<u64>),
}
