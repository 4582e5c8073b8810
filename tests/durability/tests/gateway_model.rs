//! The gateway's stores do random operations beside a model of a few maps; after each, everything that can be read is
//! the same. Both implementations; the one on disk is closed and opened again in between.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod gateway;

use std::marker::PhantomData;
use std::path::Path;

use gateway::model::{Model, Op};
use gateway::reads;
use proptest::test_runner::Config;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use zuoxi_gateway::store::SqliteStore;
use zuoxi_rules::MemoryStore;
use zuoxi_rules::store::Store;

/// A store that may be closed and opened again: what was committed is there, what was open isn't.
trait Kept: Store + Sized + 'static {
    fn open(folder: &Path) -> Self;
    fn again(self, folder: &Path) -> Self;
}

impl Kept for SqliteStore {
    fn open(folder: &Path) -> Self {
        Self::open(&folder.join("gateway.db")).unwrap()
    }

    fn again(self, folder: &Path) -> Self {
        drop(self);
        <Self as Kept>::open(folder)
    }
}

impl Kept for MemoryStore {
    fn open(_: &Path) -> Self {
        Self::new(1)
    }

    /// Its memory is its disk.
    fn again(mut self, _: &Path) -> Self {
        self.rollback();
        self
    }
}

struct Beside<S>(PhantomData<S>);

impl<S: Kept> StateMachineTest for Beside<S> {
    type SystemUnderTest = (S, tempfile::TempDir);
    type Reference = Model;

    fn init_test(_: &Model) -> Self::SystemUnderTest {
        let folder = tempfile::tempdir().unwrap();
        let mut store = S::open(folder.path());
        store.begin().unwrap();
        store.renew_epoch(1).unwrap();
        store.commit().unwrap();
        (store, folder)
    }

    fn apply((mut store, folder): Self::SystemUnderTest, after: &Model, op: Op) -> Self::SystemUnderTest {
        match &op {
            Op::Begin => store.begin().unwrap(),
            Op::Savepoint => store.savepoint().unwrap(),
            Op::Release => store.release().unwrap(),
            Op::Undo => store.undo().unwrap(),
            Op::Commit => store.commit().unwrap(),
            Op::Rollback => store.rollback(),
            Op::Restart => store = store.again(folder.path()),
            Op::Write(write) => {
                let done = write.perform(&mut store, after.seen());
                // Outside a transaction nothing is written.
                assert_eq!(done.is_ok(), after.is_open(), "{write:?}: {done:?}");
            }
        }
        reads::compare(&mut store, after.seen());
        (store, folder)
    }
}

prop_state_machine! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn sqlite_is_its_model(sequential 1..60 => Beside<SqliteStore>);

    #[test]
    fn memory_is_its_model(sequential 1..60 => Beside<MemoryStore>);
}
