//! What a device's store should hold, in a few maps.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use prost::Message;
use zuoxi_protocol::change::{
    Change, Draft, FeedKey, FeedPlace, Loaded, LogState, OutboxAct, OutboxState, Range, StoredBlock, StoredEntry,
};
use zuoxi_wire::v1::{ActKind, BlockCodec, Entry, FeedKind, Summary};
use zuoxi_wire::{Id, block};

/// Ids of each kind: few, so that changes meet.
pub(crate) const IDS: u8 = 3;

pub(crate) fn id(number: u8) -> Id {
    Id([number + 1; 16])
}

/// Everything that is stored, and the changes that the last operation came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) loaded: Loaded,
    pub(crate) entries: BTreeMap<Id, BTreeMap<u64, StoredEntry>>,
    pub(crate) changes: Vec<Change>,
}

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Restart,
    Commit { wishes: Vec<Wish>, full: bool, user: bool },
}

/// A change, where it is possible.
#[derive(Debug, Clone)]
pub(crate) enum Wish {
    Epoch(u64),
    Feed(bool, u64),
    ForgetFeed(bool),
    Row(bool, u8, u64),
    RowLeft(bool, u8),
    Log(u8, u64),
    Entries(u8, u64, u64, bool),
    Block(u8, u64, u64, bool),
    Erase(u8, u64),
    /// A Seq's id, or the same by the other author; below which Seq.
    EraseMessage {
        of: u8,
        seq: u64,
        other: bool,
        below: u64,
    },
    Drop(u8, u64, u64),
    Enqueue(u8),
    Park(u8, bool),
    Again(u8),
    Settle(u8),
    Draft {
        of: u8,
        text: bool,
        note: bool,
        on_note: bool,
    },
    Value(bool, bool),
}

fn feed(own: bool) -> FeedKey {
    FeedKey {
        kind: if own { FeedKind::Agent } else { FeedKind::Team } as i32,
        id: id(9),
    }
}

/// Two neighbours share it, of different authors: what is done to one mustn't reach the other.
fn message(of: u8, seq: u64) -> Id {
    Id::v7(seq / 2, [of; 10])
}

fn author(seq: u64) -> Id {
    id(7 + (seq % 2) as u8)
}

fn entry(of: u8, seq: u64, erased: bool) -> StoredEntry {
    let (id, author) = (message(of, seq), author(seq));
    let content = if erased {
        Bytes::new()
    } else {
        Bytes::from(vec![of, seq as u8, 7])
    };
    let wire = Entry {
        seq,
        id: id.to_bytes(),
        kind: 1,
        time_ms: seq * 10,
        author: author.to_bytes(),
        content,
        erased,
        ..Entry::default()
    };
    StoredEntry {
        seq,
        id,
        author: Some(author),
        time_ms: seq * 10,
        bytes: wire.encode_to_vec().into(),
    }
}

fn act(number: u8, place: u64, state: OutboxState) -> OutboxAct {
    OutboxAct {
        place,
        id: id(number + 20),
        conversation: (number > 0).then(|| id(number)),
        kind: ActKind::Message,
        content: Bytes::from_static(b"words"),
        base: place * 2,
        done_ms: 5,
        left: number.is_multiple_of(2),
        state,
    }
}

impl Model {
    /// The change that a wish comes to here; `None`: an impossible one.
    fn change(&self, wish: &Wish) -> Option<Change> {
        let there = |number: u8| self.loaded.outbox.iter().find(|act| act.id == id(number + 20));
        Some(match *wish {
            Wish::Epoch(epoch) => Change::Epoch(epoch),
            Wish::Feed(own, revision) => {
                let place = FeedPlace {
                    feed_epoch: u64::MAX - revision,
                    revision,
                    partial: revision.is_multiple_of(2),
                };
                Change::Feed(feed(own), place)
            }
            Wish::ForgetFeed(own) => Change::ForgetFeed(feed(own)),
            Wish::Row(own, of, revision) => Change::Row {
                feed: feed(own),
                conversation: id(of),
                summary: Box::new(Summary {
                    preview: format!("第 {revision} 句"),
                    ..Summary::default()
                }),
                revision,
            },
            Wish::RowLeft(own, of) => Change::RowLeft {
                feed: feed(own),
                conversation: id(of),
            },
            Wish::Log(of, head) => {
                let state = LogState {
                    floor: 1,
                    covered: vec![Range { first: 1, last: head }],
                    head,
                    ..LogState::default()
                };
                Change::Log(id(of), state)
            }
            Wish::Entries(of, first, count, erased) => Change::Entries(
                id(of),
                (first..first + count).map(|seq| entry(of, seq, erased)).collect(),
            ),
            Wish::Erase(of, seq) => Change::Erase(id(of), vec![seq, seq + 1]),
            Wish::Block(of, first, count, erased) => {
                let rows: Vec<StoredEntry> = (first..first + count).map(|seq| entry(of, seq, erased)).collect();
                Change::Block(id(of), sealed(&rows, erased))
            }
            Wish::EraseMessage { of, seq, other, below } => Change::EraseMessage {
                conversation: id(of),
                below,
                author: author(seq + u64::from(other)),
                id: message(of, seq),
            },
            Wish::Drop(of, first, count) => Change::Drop(
                id(of),
                Range {
                    first,
                    last: first + count,
                },
            ),
            Wish::Enqueue(number) if there(number).is_none() => {
                Change::Enqueue(act(number, self.loaded.last_place + 1, OutboxState::Waiting))
            }
            Wish::Park(number, behind) => {
                let state = OutboxState::Parked {
                    code: 3,
                    behind,
                    stale_seqs: vec![4, 5],
                    assignee_name: "周".into(),
                };
                Change::Update(act(number, there(number)?.place, state))
            }
            Wish::Again(number) => {
                there(number)?;
                Change::Update(act(number, self.loaded.last_place + 1, OutboxState::Waiting))
            }
            Wish::Settle(number) => Change::Settle(id(number + 20)),
            Wish::Draft {
                of,
                text,
                note,
                on_note,
            } => {
                let words = |written: bool, words: &str| if written { words.to_owned() } else { String::new() };
                let draft = Draft {
                    text: words(text, "您好"),
                    note: words(note, "只给同事"),
                    on_note,
                };
                Change::Draft(id(of), draft)
            }
            Wish::Value(first, there) => {
                let name = if first { "session" } else { "logged_in" };
                Change::Value(name, there.then(|| Bytes::from_static(b"secret")))
            }
            Wish::Enqueue(_) => return None,
        })
    }

    fn apply_change(&mut self, change: &Change) {
        let loaded = &mut self.loaded;
        match change {
            Change::Epoch(epoch) => loaded.epoch = *epoch,
            Change::Feed(feed, place) => drop(loaded.feeds.insert(*feed, *place)),
            Change::ForgetFeed(feed) => {
                loaded.feeds.remove(feed);
                let rows: Vec<Id> = loaded
                    .rows
                    .keys()
                    .filter(|key| key.0 == *feed)
                    .map(|key| key.1)
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
                let row = (summary.as_ref().clone(), *revision);
                loaded.rows.insert((*feed, *conversation), row);
            }
            Change::RowLeft { feed, conversation } => self.leave(*feed, *conversation),
            Change::Log(of, state) => drop(loaded.logs.insert(*of, state.clone())),
            Change::Entries(of, entries) => self.keep(*of, entries),
            Change::Block(of, block) => self.keep(*of, &block.entries().unwrap()),
            Change::Erase(of, seqs) => self.erase(*of, |entry| seqs.contains(&entry.seq)),
            Change::EraseMessage {
                conversation,
                below,
                author,
                id,
            } => self.erase(*conversation, |entry| {
                entry.id == *id && entry.author == Some(*author) && entry.seq < *below
            }),
            Change::Drop(of, range) => {
                if let Some(log) = self.entries.get_mut(of) {
                    log.retain(|seq, _| !(range.first..=range.last).contains(seq));
                }
            }
            Change::Enqueue(act) | Change::Update(act) => {
                loaded.outbox.retain(|there| there.id != act.id);
                loaded.outbox.push(act.clone());
                loaded.outbox.sort_by_key(|act| act.place);
                loaded.last_place = loaded.last_place.max(act.place);
            }
            Change::Settle(id) => loaded.outbox.retain(|act| act.id != *id),
            Change::Draft(of, draft) if draft.text.is_empty() && draft.note.is_empty() => {
                drop(loaded.drafts.remove(of));
            }
            Change::Draft(of, draft) => drop(loaded.drafts.insert(*of, draft.clone())),
            Change::Value(name, Some(value)) => drop(loaded.values.insert((*name).to_owned(), value.clone())),
            Change::Value(name, None) => drop(loaded.values.remove(*name)),
        }
    }

    fn keep(&mut self, of: Id, entries: &[StoredEntry]) {
        let log = self.entries.entry(of).or_default();
        for entry in entries {
            if log.get(&entry.seq).is_none_or(|there| !is_erased(there)) {
                log.insert(entry.seq, entry.clone());
            }
        }
    }

    /// From the own feed: nothing of it stays but draft and outbox.
    fn leave(&mut self, from: FeedKey, conversation: Id) {
        self.loaded.rows.remove(&(from, conversation));
        if from == feed(true) {
            self.loaded.logs.remove(&conversation);
            self.entries.remove(&conversation);
        }
    }

    fn erase(&mut self, of: Id, which: impl Fn(&StoredEntry) -> bool) {
        let log = self.entries.get_mut(&of).into_iter().flat_map(BTreeMap::values_mut);
        for stored in log.filter(|entry| which(entry)) {
            let mut wire = Entry::decode(stored.bytes.clone()).unwrap();
            (wire.content, wire.erased) = (Bytes::new(), true);
            stored.bytes = wire.encode_to_vec().into();
        }
    }
}

/// Rows of the first fixed range as a block.
fn sealed(rows: &[StoredEntry], erased: bool) -> StoredBlock {
    let (first, last) = (rows[0].seq, rows[rows.len() - 1].seq);
    let entries = rows.iter().map(|row| row.bytes.clone()).collect();
    let packed = block::encode(BlockCodec::Zstd, first, last, 1, entries).unwrap();
    let bits = rows.iter().map(|row| u64::from(erased) << (row.seq - 1)).sum();
    StoredBlock {
        start: 1,
        first,
        last,
        erased: bits,
        bytes: packed.encode_to_vec().into(),
    }
}

fn is_erased(stored: &StoredEntry) -> bool {
    Entry::decode(stored.bytes.clone()).unwrap().erased
}

fn wishes() -> impl Strategy<Value = Wish> {
    use Wish as W;
    let of = || 0..IDS;
    let seq = || 1_u64..8;
    prop_oneof![
        1 => (1_u64..9).prop_map(W::Epoch),
        2 => (any::<bool>(), seq()).prop_map(|(own, revision)| W::Feed(own, revision)),
        1 => any::<bool>().prop_map(W::ForgetFeed),
        3 => (any::<bool>(), of(), seq()).prop_map(|(own, of, revision)| W::Row(own, of, revision)),
        2 => (any::<bool>(), of()).prop_map(|(own, of)| W::RowLeft(own, of)),
        3 => (of(), seq()).prop_map(|(of, head)| W::Log(of, head)),
        6 => (of(), seq(), 1_u64..4, any::<bool>()).prop_map(|(of, first, count, erased)| W::Entries(of, first, count, erased)),
        5 => (of(), seq(), 1_u64..6, any::<bool>()).prop_map(|(of, first, count, erased)| W::Block(of, first, count, erased)),
        2 => (of(), seq()).prop_map(|(of, seq)| W::Erase(of, seq)),
        3 => (of(), seq(), any::<bool>(), 1_u64..12).prop_map(|(of, seq, other, below)| W::EraseMessage { of, seq, other, below }),
        2 => (of(), seq(), 0_u64..3).prop_map(|(of, first, count)| W::Drop(of, first, count)),
        4 => of().prop_map(W::Enqueue),
        2 => (of(), any::<bool>()).prop_map(|(of, behind)| W::Park(of, behind)),
        1 => of().prop_map(W::Again),
        2 => of().prop_map(W::Settle),
        3 => (of(), any::<[bool; 3]>()).prop_map(|(of, [text, note, on_note])| W::Draft { of, text, note, on_note }),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(first, there)| W::Value(first, there)),
    ]
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Op;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Op> {
        let commit = (proptest::collection::vec(wishes(), 1..6), any::<bool>(), any::<bool>());
        prop_oneof![
            9 => commit.prop_map(|(wishes, full, user)| Op::Commit { wishes, full, user }),
            1 => Just(Op::Restart),
        ]
        .boxed()
    }

    fn apply(mut state: Self, op: &Op) -> Self {
        state.changes.clear();
        if let Op::Commit { wishes, .. } = op {
            for wish in wishes {
                if let Some(change) = state.change(wish) {
                    state.apply_change(&change);
                    state.changes.push(change);
                }
            }
        }
        state
    }
}
