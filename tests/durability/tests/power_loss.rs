//! The real stores on a disk that forgets what wasn't synced: at every sync, and at moments between, the power fails.
//! What had been told as durable is there, no transaction stands half, and the store opens and goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod disk;

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use bytes::Bytes;
use disk::{LOSSES, Moment, Recorder, Step, lay};
use prost::Message;
use zuoxi_engine::store::{Key, Priority, Query, Store as DeskStore, StoreOptions, StoredEntry};
use zuoxi_gateway::store::SqliteStore;
use zuoxi_protocol::change::{Change, Durability, Loaded, LogState, OutboxAct, OutboxState, Range, Transaction};
use zuoxi_rules::conformance::{sample_conversation, sample_entry};
use zuoxi_rules::record::{Conversation, Entry};
use zuoxi_rules::store::Store;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, Entry as WireEntry, Status};

/// Transactions of a story.
const TRANSACTIONS: u64 = 60;
/// Moments between syncs at which the power fails too.
const BETWEEN: usize = 60;

const CONVERSATION: Id = Id([1; 16]);

/// Every moment of a story is tried with every loss.
fn fail_at_every_sync(steps: &[Step], seed: u64, check: impl Fn(&Path, &Moment)) {
    let mut random = fastrand::Rng::with_seed(seed);
    let first = steps.iter().position(|step| matches!(step, Step::Begun(_))).unwrap();
    let mut moments: Vec<usize> = (first..steps.len())
        .filter(|at| matches!(steps[*at], Step::Sync { .. } | Step::Told(_)))
        .map(|at| at + 1)
        .collect();
    moments.extend((0..BETWEEN).map(|_| random.usize(first..steps.len())));
    assert!(moments.len() as u64 > TRANSACTIONS);
    for at in moments {
        for loss in LOSSES {
            let folder = tempfile::tempdir().unwrap();
            let moment = lay(&steps[..at], loss, &mut random, folder.path());
            check(folder.path(), &moment);
        }
    }
}

#[test]
fn the_gateways_store_survives_a_power_loss_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(folder.path());
    let mut store = SqliteStore::open(&folder.path().join("gateway.db")).unwrap();
    for count in 1..=TRANSACTIONS {
        recorder.note(Step::Begun(count));
        store.begin().unwrap();
        for seq in [count * 2 - 1, count * 2] {
            let content = Bytes::from(vec![seq as u8; 700]);
            let entry = Entry {
                conversation: CONVERSATION,
                content,
                ..sample_entry(seq)
            };
            store.append(&entry).unwrap();
        }
        let conversation = Conversation {
            id: CONVERSATION,
            head: count * 2,
            ..sample_conversation(1, Status::Open)
        };
        store.put_conversation(&conversation).unwrap();
        store.commit().unwrap();
        recorder.note(Step::Told(count));
        if count.is_multiple_of(20) {
            store.checkpoint().unwrap();
        }
    }
    drop(store);
    let steps = recorder.stop();
    fail_at_every_sync(&steps, 1, |folder, moment| {
        let mut store = SqliteStore::open(&folder.join("gateway.db")).unwrap();
        let head = store.conversation(CONVERSATION).unwrap().map_or(0, |found| found.head);
        let entries = store.entries(CONVERSATION, 1, 10_000).unwrap();
        assert_eq!(entries.len() as u64, head, "a transaction stands half");
        assert!(
            (moment.told * 2..=moment.begun * 2).contains(&head),
            "{head} of {}",
            moment.told * 2
        );
        for (entry, seq) in entries.iter().zip(1..) {
            assert_eq!((entry.seq, entry.content.as_ref()), (seq, &[seq as u8; 700][..]));
        }
        // It goes on.
        store.begin().unwrap();
        let entry = Entry {
            conversation: CONVERSATION,
            ..sample_entry(head + 1)
        };
        store.append(&entry).unwrap();
        store.commit().unwrap();
    });
}

fn desk(
    folder: &Path,
) -> (
    DeskStore,
    Loaded,
    std::sync::mpsc::Receiver<Vec<zuoxi_engine::store::Done>>,
) {
    let (tell, ends) = channel();
    let options = StoreOptions::new(folder.join("desk.db"), Key::from_bytes([7; 32]));
    let (store, loaded) = DeskStore::open(options, Box::new(move |done| drop(tell.send(done)))).unwrap();
    (store, loaded, ends)
}

fn cached(seq: u64) -> StoredEntry {
    let id = Id::v7(seq, [7; 10]);
    let wire = WireEntry {
        seq,
        id: id.to_bytes(),
        kind: 1,
        time_ms: seq,
        content: Bytes::from(vec![seq as u8; 3_000]),
        ..WireEntry::default()
    };
    StoredEntry {
        seq,
        id,
        author: None,
        time_ms: seq,
        bytes: wire.encode_to_vec().into(),
    }
}

/// An act at FULL (every third transaction), or entries at NORMAL: each with a log whose head says how many entries
/// there are.
fn transaction(token: u64) -> Transaction {
    let full = token.is_multiple_of(3);
    let head = token * 2;
    let state = LogState {
        floor: 1,
        head,
        covered: vec![Range { first: 1, last: head }],
        ..LogState::default()
    };
    let mut changes = vec![
        Change::Entries(CONVERSATION, vec![cached(head - 1), cached(head)]),
        Change::Log(CONVERSATION, state),
    ];
    if full {
        changes.push(Change::Enqueue(OutboxAct {
            place: token,
            id: Id::v7(token, [9; 10]),
            conversation: Some(CONVERSATION),
            kind: ActKind::Message,
            content: Bytes::from_static(b"words"),
            base: 0,
            done_ms: 0,
            left: false,
            state: OutboxState::Waiting,
        }));
    }
    Transaction {
        token,
        durability: if full { Durability::Full } else { Durability::Normal },
        changes,
    }
}

#[test]
fn the_engines_encrypted_store_survives_a_power_loss_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(folder.path());
    let (store, _, ends) = desk(folder.path());
    for token in 1..=TRANSACTIONS {
        recorder.note(Step::Begun(token));
        store.commit(transaction(token), Priority::Network).unwrap();
        let told = ends.recv_timeout(Duration::from_mins(1)).unwrap();
        assert_eq!(told[0].result, Ok(()));
        // NORMAL is promised against a kill alone; FULL makes what stands before it safe too.
        if token.is_multiple_of(3) {
            recorder.note(Step::Told(token));
        }
        if token.is_multiple_of(20) {
            // Quiet: the WAL goes into the database.
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    store.close();
    let steps = recorder.stop();
    fail_at_every_sync(&steps, 2, |folder, moment| {
        let (store, loaded, ends) = desk(folder);
        let head = loaded.logs.get(&CONVERSATION).map_or(0, |log| log.head);
        assert!(
            (moment.told * 2..=moment.begun * 2).contains(&head),
            "{head} of {}",
            moment.told * 2
        );
        assert_eq!(
            loaded.outbox.len() as u64,
            head / 6,
            "an act without its transaction, or the other way"
        );
        let (tell, told) = channel();
        let query = Query::Range {
            conversation: CONVERSATION,
            range: Range { first: 1, last: 10_000 },
            limit: 10_000,
        };
        store.ask(query, move |found| drop(tell.send(found))).unwrap();
        let entries = told.recv_timeout(Duration::from_mins(1)).unwrap().unwrap();
        assert_eq!(entries, (1..=head).map(cached).collect::<Vec<_>>());
        // It goes on.
        let next = Transaction {
            durability: Durability::Full,
            ..transaction(head / 2 + 1)
        };
        store.commit(next, Priority::Network).unwrap();
        let told = ends.recv_timeout(Duration::from_mins(1)).unwrap();
        assert_eq!(told[0].result, Ok(()));
    });
}
