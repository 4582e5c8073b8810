//! The engine's stores commit random transactions beside a model of a few maps; after each, everything that can be read
//! is the same. The encrypted one on disk, closed and opened again in between, and the one in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod engine;

use std::marker::PhantomData;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use engine::{IDS, Model, Op, id};
use proptest::test_runner::Config;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use zuoxi_engine::store::{Done, Key, Priority, Query, Store, StoreOptions, StoredEntry};
use zuoxi_protocol::MemoryDevice;
use zuoxi_protocol::change::{Durability, Loaded, Range, Transaction};
use zuoxi_wire::Id;

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A device's store.
trait Kept: Sized + 'static {
    fn open(folder: &Path) -> Self;
    fn again(self, folder: &Path) -> Self;
    fn commit(&mut self, transaction: Transaction, priority: Priority);
    fn loaded(&self) -> Loaded;
    fn entries(&self, conversation: Id) -> Vec<StoredEntry>;
}

impl Kept for MemoryDevice {
    fn open(_: &Path) -> Self {
        Self::default()
    }

    fn again(self, _: &Path) -> Self {
        self
    }

    fn commit(&mut self, transaction: Transaction, _: Priority) {
        Self::commit(self, transaction);
    }

    fn loaded(&self) -> Loaded {
        self.load()
    }

    fn entries(&self, conversation: Id) -> Vec<StoredEntry> {
        Self::entries(self, conversation).cloned().collect()
    }
}

struct OnDisk {
    store: Store,
    ends: Receiver<Vec<Done>>,
}

impl Kept for OnDisk {
    fn open(folder: &Path) -> Self {
        let (tell, ends) = channel();
        let options = StoreOptions::new(folder.join("desk.db"), Key::from_bytes([7; 32]));
        let (store, _) = Store::open(options, Box::new(move |done| drop(tell.send(done)))).unwrap();
        Self { store, ends }
    }

    fn again(self, folder: &Path) -> Self {
        drop(self);
        Self::open(folder)
    }

    fn commit(&mut self, transaction: Transaction, priority: Priority) {
        let token = transaction.token;
        self.store.commit(transaction, priority).unwrap();
        let ends = self.ends.recv_timeout(PATIENCE).unwrap();
        assert_eq!(ends, [Done { token, result: Ok(()) }]);
    }

    fn loaded(&self) -> Loaded {
        let (tell, told) = channel();
        self.store.load(move |loaded| drop(tell.send(loaded))).unwrap();
        told.recv_timeout(PATIENCE).unwrap().unwrap()
    }

    fn entries(&self, conversation: Id) -> Vec<StoredEntry> {
        let (tell, told) = channel();
        let query = Query::Range {
            conversation,
            range: Range { first: 1, last: 1_000 },
            limit: 1_000,
        };
        self.store.ask(query, move |found| drop(tell.send(found))).unwrap();
        told.recv_timeout(PATIENCE).unwrap().unwrap()
    }
}

struct Beside<S>(PhantomData<S>);

impl<S: Kept> StateMachineTest for Beside<S> {
    type SystemUnderTest = (S, tempfile::TempDir, u64);
    type Reference = Model;

    fn init_test(_: &Model) -> Self::SystemUnderTest {
        let folder = tempfile::tempdir().unwrap();
        (S::open(folder.path()), folder, 0)
    }

    fn apply((mut store, folder, token): Self::SystemUnderTest, after: &Model, op: Op) -> Self::SystemUnderTest {
        let token = token + 1;
        match op {
            Op::Restart => store = store.again(folder.path()),
            Op::Commit { full, user, .. } => {
                let durability = if full { Durability::Full } else { Durability::Normal };
                let priority = if user { Priority::User } else { Priority::Network };
                let changes = after.changes.clone();
                store.commit(
                    Transaction {
                        token,
                        durability,
                        changes,
                    },
                    priority,
                );
            }
        }
        compare(&store, after);
        (store, folder, token)
    }
}

fn compare<S: Kept>(store: &S, expected: &Model) {
    let (found, wanted) = (store.loaded(), &expected.loaded);
    assert_eq!((found.epoch, found.last_place), (wanted.epoch, wanted.last_place));
    assert_eq!(found.feeds, wanted.feeds);
    assert_eq!(found.rows, wanted.rows);
    assert_eq!(found.logs, wanted.logs);
    assert_eq!(found.outbox, wanted.outbox);
    assert_eq!(found.drafts, wanted.drafts);
    assert_eq!(found.values, wanted.values);
    for number in 0..IDS {
        let wanted = expected
            .entries
            .get(&id(number))
            .into_iter()
            .flat_map(|log| log.values());
        assert_eq!(store.entries(id(number)), wanted.cloned().collect::<Vec<_>>());
    }
}

prop_state_machine! {
    #![proptest_config(Config { cases: 32, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_store_is_its_model(sequential 1..40 => Beside<OnDisk>);

    #[test]
    fn the_memory_device_is_its_model(sequential 1..40 => Beside<MemoryDevice>);
}
