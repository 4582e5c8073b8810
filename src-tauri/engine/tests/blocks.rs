//! Blocks in a desk's store: read as entries are, smaller, and without what was taken away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;
use zuoxi_engine::store::{Done, Key, Priority, Query, Store, StoreError, StoreOptions};
use zuoxi_protocol::MemoryDevice;
use zuoxi_protocol::change::{Change, Durability, FeedKey, Range, StoredBlock, StoredEntry, Transaction};
use zuoxi_wire::v1::{BlockCodec, Entry, FeedKind};
use zuoxi_wire::{Id, block};

const TALK: Id = Id([1; 16]);
const AUTHOR: Id = Id([9; 16]);

struct Desk {
    folder: tempfile::TempDir,
    store: Option<Store>,
    done: Receiver<Vec<Done>>,
    token: u64,
}

fn key() -> Key {
    Key::from_bytes([7; 32])
}

impl Desk {
    fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap())
    }

    fn open(folder: tempfile::TempDir) -> Self {
        let (tell, done) = channel();
        let options = StoreOptions::new(folder.path().join("desk.db"), key());
        let (store, _) = Store::open(options, Box::new(move |ends| drop(tell.send(ends)))).unwrap();
        Self {
            folder,
            store: Some(store),
            done,
            token: 0,
        }
    }

    fn again(mut self) -> Self {
        self.store.take();
        Self::open(self.folder)
    }

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.token += 1;
        let transaction = Transaction {
            token: self.token,
            durability: Durability::Normal,
            changes,
        };
        self.store
            .as_ref()
            .unwrap()
            .commit(transaction, Priority::Network)
            .unwrap();
        self.done.recv_timeout(Duration::from_mins(1)).unwrap()[0]
            .result
            .clone()
    }

    fn ask(&self, query: Query) -> Vec<StoredEntry> {
        let (tell, answer) = channel();
        let store = self.store.as_ref().unwrap();
        store.ask(query, move |found| drop(tell.send(found))).unwrap();
        answer.recv_timeout(Duration::from_mins(1)).unwrap().unwrap()
    }

    fn range(&self, first: u64, last: u64, limit: u32) -> Vec<StoredEntry> {
        self.ask(Query::Range {
            conversation: TALK,
            range: Range { first, last },
            limit,
        })
    }

    fn all(&self) -> Vec<StoredEntry> {
        self.range(1, u64::MAX, u32::MAX)
    }
}

fn message_id(seq: u64) -> Id {
    Id::v7(1_700_000_000_000 + seq * 1_000, [seq as u8; 10])
}

fn wire(seq: u64, erased: bool) -> Entry {
    Entry {
        seq,
        id: message_id(seq).to_bytes(),
        kind: 1,
        time_ms: 1_700_000_000_000 + seq * 1_000,
        author_role: 1,
        author: AUTHOR.to_bytes(),
        author_name: "访客 7K3F".into(),
        content: if erased {
            Bytes::new()
        } else {
            format!("secret number {seq}").into_bytes().into()
        },
        erased,
        ..Entry::default()
    }
}

fn row(seq: u64, erased: bool) -> StoredEntry {
    StoredEntry {
        seq,
        id: message_id(seq),
        author: Some(AUTHOR),
        time_ms: 1_700_000_000_000 + seq * 1_000,
        bytes: wire(seq, erased).encode_to_vec().into(),
    }
}

fn rows(range: std::ops::RangeInclusive<u64>) -> Vec<StoredEntry> {
    range.map(|seq| row(seq, false)).collect()
}

fn sealed(first: u64, last: u64, generation: u32, gone: &[u64]) -> StoredBlock {
    let start = block::range_of(first).0;
    let entries = (first..=last).map(|seq| wire(seq, gone.contains(&seq)).encode_to_vec().into());
    let packed = block::encode(BlockCodec::Zstd, first, last, generation, entries.collect()).unwrap();
    StoredBlock {
        start,
        first,
        last,
        erased: gone.iter().map(|seq| 1 << (seq - start)).sum(),
        bytes: packed.encode_to_vec().into(),
    }
}

fn is_erased(entry: &StoredEntry) -> bool {
    let wire = Entry::decode(entry.bytes.clone()).unwrap();
    assert_eq!(wire.erased, wire.content.is_empty());
    wire.erased
}

#[test]
fn blocks_and_rows_are_read_alike() {
    let mut desk = Desk::new();
    desk.commit(vec![
        Change::Block(TALK, sealed(1, 64, 1, &[])),
        Change::Entries(TALK, rows(60..=70)),
        Change::Block(TALK, sealed(129, 150, 2, &[])),
        Change::Entries(TALK, rows(151..=160)),
    ])
    .unwrap();
    let mut expected = rows(1..=70);
    expected.extend(rows(129..=160));
    assert_eq!(desk.all(), expected, "every byte as it came, each once");
    assert_eq!(desk.range(63, 140, 10), [rows(63..=70), rows(129..=130)].concat());
    let newest = desk.ask(Query::Newest {
        conversation: TALK,
        count: 15,
    });
    assert_eq!(newest, rows(146..=160));
    let at = |seq: u64| {
        desk.ask(Query::At {
            conversation: TALK,
            time_ms: 1_700_000_000_000 + seq * 1_000 - 1,
        })
    };
    for (seq, found) in [(0, 1), (33, 33), (66, 66), (71, 129), (150, 150), (155, 155)] {
        assert_eq!(at(seq)[0].seq, found);
    }
    assert_eq!(at(161), []);
    let desk = desk.again();
    assert_eq!(desk.all(), expected);
}

#[test]
fn a_longer_block_takes_the_place_of_a_shorter_one_and_of_the_rows_above_it() {
    let mut desk = Desk::new();
    desk.commit(vec![
        Change::Block(TALK, sealed(65, 80, 1, &[])),
        Change::Entries(TALK, rows(81..=100)),
    ])
    .unwrap();
    desk.commit(vec![Change::Block(TALK, sealed(65, 100, 2, &[]))]).unwrap();
    assert_eq!(desk.all(), rows(65..=100));
    // Cut by the gateway's floor: what was here below it stays until it is dropped.
    desk.commit(vec![Change::Block(TALK, sealed(70, 100, 3, &[]))]).unwrap();
    assert_eq!(desk.all(), rows(65..=100));
    desk.commit(vec![Change::Drop(TALK, Range { first: 1, last: 75 })])
        .unwrap();
    assert_eq!(desk.all(), rows(76..=100));
}

#[test]
fn erased_wins_over_a_block_that_comes_later() {
    let mut desk = Desk::new();
    desk.commit(vec![
        Change::Entries(TALK, rows(1..=20)),
        Change::Erase(TALK, vec![5]),
        Change::Block(TALK, sealed(65, 128, 1, &[])),
        Change::Erase(TALK, vec![70, 200]),
        Change::Entries(TALK, vec![row(71, true)]),
        Change::EraseMessage {
            conversation: TALK,
            below: 130,
            author: AUTHOR,
            id: message_id(72),
        },
        Change::EraseMessage {
            conversation: TALK,
            below: 130,
            author: Id([8; 16]),
            id: message_id(73),
        },
    ])
    .unwrap();
    desk.commit(vec![
        Change::Block(TALK, sealed(1, 64, 1, &[9])),
        Change::Block(TALK, sealed(65, 128, 1, &[])),
    ])
    .unwrap();
    let gone: Vec<u64> = desk
        .all()
        .iter()
        .filter(|entry| is_erased(entry))
        .map(|e| e.seq)
        .collect();
    assert_eq!(gone, [5, 9, 70, 71, 72]);
    assert_eq!(desk.all().len(), 128);
    let ids: Vec<Id> = desk.all().iter().map(|entry| entry.id).collect();
    assert_eq!(
        ids,
        (1..=128).map(message_id).collect::<Vec<_>>(),
        "Seq, id and author stay"
    );
}

#[test]
fn what_is_erased_in_a_block_is_not_left_in_the_plain_pages() {
    // The database is ciphered: its pages are looked at through the key, each blob opened.
    let mut desk = Desk::new();
    desk.commit(vec![Change::Block(TALK, sealed(1, 64, 1, &[]))]).unwrap();
    desk.commit(vec![Change::EraseMessage {
        conversation: TALK,
        below: 90,
        author: AUTHOR,
        id: message_id(7),
    }])
    .unwrap();
    let path = desk.folder.path().join("desk.db");
    let folder = std::mem::replace(&mut desk.folder, tempfile::tempdir().unwrap());
    desk.store.take();
    let blobs = blobs(&path);
    drop(folder);
    assert_eq!(blobs.len(), 1);
    let packed = zuoxi_wire::v1::Block::decode(blobs[0].as_slice()).unwrap();
    let plain = block::plain(packed).unwrap();
    let text = String::from_utf8_lossy(&plain.data).into_owned();
    assert!(text.contains("secret number 6\u{0}") || text.contains("secret number 6"));
    assert!(!text.contains("secret number 7\u{0}") && !text.contains("secret number 7H"));
    let entries = block::decode(&plain).unwrap();
    assert!(entries[6].0.content.is_empty() && entries[6].0.erased);
}

#[test]
fn no_block_is_opened_to_erase_what_stands_in_a_row() {
    let mut desk = Desk::new();
    // Whoever opens this one fails.
    let unreadable = StoredBlock {
        bytes: Bytes::from_static(b"no block"),
        ..sealed(1, 64, 1, &[])
    };
    desk.commit(vec![
        Change::Block(TALK, unreadable),
        Change::Entries(TALK, rows(65..=70)),
    ])
    .unwrap();
    let recall = |below| Change::EraseMessage {
        conversation: TALK,
        below,
        author: AUTHOR,
        id: message_id(66),
    };
    // Recalled twice, too: it is known as erased.
    desk.commit(vec![recall(80), recall(81)]).unwrap();
    let gone: Vec<bool> = desk.range(65, 70, 10).iter().map(is_erased).collect();
    assert_eq!(gone, [false, true, false, false, false, false]);
}

fn blobs(path: &Path) -> Vec<Vec<u8>> {
    let db = rusqlite::Connection::open(path).unwrap();
    db.pragma_update(None, "key", format!("x'{}'", "07".repeat(32)))
        .unwrap();
    db.pragma_update(None, "cipher_page_size", 16384).unwrap();
    let mut statement = db.prepare("SELECT bytes FROM blocks").unwrap();
    let found = statement.query_map([], |row| row.get(0)).unwrap();
    found.collect::<Result<_, _>>().unwrap()
}

#[test]
fn what_is_no_block_is_refused_and_costs_nothing_else() {
    let mut desk = Desk::new();
    for wrong in [
        StoredBlock {
            start: 2,
            ..sealed(1, 64, 1, &[])
        },
        StoredBlock {
            last: 65,
            ..sealed(1, 64, 1, &[])
        },
        StoredBlock {
            first: 0,
            ..sealed(1, 64, 1, &[])
        },
    ] {
        let refused = desk.commit(vec![Change::Block(TALK, wrong)]);
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
        let (tell, loaded) = channel();
        let store = desk.store.as_ref().unwrap();
        store.load(move |result| tell.send(result.is_ok()).unwrap()).unwrap();
        assert!(loaded.recv_timeout(Duration::from_mins(1)).unwrap());
    }
    assert_eq!(desk.all(), []);
}

#[test]
fn a_cache_of_schema_1_opens_and_goes_on() {
    let mut desk = Desk::new();
    desk.commit(vec![Change::Entries(TALK, rows(1..=100))]).unwrap();
    let folder = std::mem::replace(&mut desk.folder, tempfile::tempdir().unwrap());
    desk.store.take();
    {
        let db = rusqlite::Connection::open(folder.path().join("desk.db")).unwrap();
        db.pragma_update(None, "key", format!("x'{}'", "07".repeat(32)))
            .unwrap();
        db.pragma_update(None, "cipher_page_size", 16384).unwrap();
        // As it was before blocks and pictures.
        db.execute_batch("DROP TABLE blocks; DROP TABLE pictures").unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
    }
    let mut desk = Desk::open(folder);
    assert_eq!(desk.all(), rows(1..=100));
    desk.commit(vec![Change::Block(TALK, sealed(65, 128, 1, &[]))]).unwrap();
    assert_eq!(desk.all(), rows(1..=128));
}

#[derive(Debug, Clone)]
enum Step {
    Rows(u64, u64, Vec<u64>),
    Block(u64, u64, u64, Vec<u64>),
    Erase(Vec<u64>),
    Recall(u64, u64),
    Drop(u64, u64),
    Left,
    Again,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seqs = || prop::collection::vec(1u64..200, 0..4);
    let step = prop_oneof![
        4 => (1u64..200, 0u64..20, seqs()).prop_map(|(first, more, gone)| Step::Rows(first, first + more, gone)),
        5 => (0u64..3, 0u64..64, 0u64..64, seqs()).prop_map(|(range, a, b, gone)| {
            Step::Block(range * 64 + 1, a.min(b), a.max(b), gone)
        }),
        2 => seqs().prop_map(Step::Erase),
        2 => (1u64..220, 1u64..200).prop_map(|(below, target)| Step::Recall(below, target)),
        2 => (1u64..200, 0u64..90).prop_map(|(first, more)| Step::Drop(first, first + more)),
        1 => Just(Step::Left),
        1 => Just(Step::Again),
    ];
    prop::collection::vec(step, 1..30)
}

fn change(step: &Step) -> Option<Change> {
    Some(match step {
        Step::Rows(first, last, gone) => {
            let rows = (*first..=*last).map(|seq| row(seq, gone.contains(&seq)));
            Change::Entries(TALK, rows.collect())
        }
        Step::Block(start, from, to, gone) => {
            let (first, last) = (start + from, start + to);
            let gone: Vec<u64> = gone
                .iter()
                .copied()
                .filter(|seq| (first..=last).contains(seq))
                .collect();
            let gone: std::collections::BTreeSet<u64> = gone.into_iter().collect();
            Change::Block(TALK, sealed(first, last, 1, &gone.into_iter().collect::<Vec<_>>()))
        }
        Step::Erase(seqs) => Change::Erase(TALK, seqs.clone()),
        Step::Recall(below, target) => Change::EraseMessage {
            conversation: TALK,
            below: *below,
            author: AUTHOR,
            id: message_id(*target),
        },
        Step::Drop(first, last) => Change::Drop(
            TALK,
            Range {
                first: *first,
                last: *last,
            },
        ),
        Step::Left => Change::RowLeft {
            feed: FeedKey {
                kind: FeedKind::Agent as i32,
                id: AUTHOR,
            },
            conversation: TALK,
        },
        Step::Again => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn the_store_holds_what_the_plain_model_holds(steps in steps()) {
        let (mut desk, mut model) = (Desk::new(), MemoryDevice::default());
        for step in &steps {
            if let Some(change) = change(step) {
                model.commit(Transaction { token: 0, durability: Durability::Normal, changes: vec![change.clone()] });
                desk.commit(vec![change]).unwrap();
            } else {
                desk = desk.again();
            }
            let expected: Vec<StoredEntry> = model.entries(TALK).cloned().collect();
            prop_assert_eq!(desk.all(), expected);
        }
    }
}
