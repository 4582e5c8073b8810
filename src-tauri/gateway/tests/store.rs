//! The store on disk is a store, and says clearly what it can't open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use zuoxi_gateway::store::{OpenError, SqliteStore};
use zuoxi_rules::conformance;
use zuoxi_rules::record::{Conversation, Fingerprint, Refusal};
use zuoxi_rules::store::{Store, StoreError};
use zuoxi_wire::Id;
use zuoxi_wire::v1::Status;

#[test]
fn sqlite_passes_the_suite_of_all_stores() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    conformance::run(&mut || {
        count += 1;
        SqliteStore::open(&folder.path().join(format!("{count}.db"))).unwrap()
    });
}

#[test]
fn what_was_committed_is_there_after_opening_again_and_what_was_not_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.db");
    let mut store = SqliteStore::open(&path).unwrap();
    let epoch = store.epoch().unwrap();
    assert_ne!(epoch, 0);
    store.begin().unwrap();
    store.append(&conformance::sample_entry(1)).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    store.append(&conformance::sample_entry(2)).unwrap();
    drop(store);
    let mut store = SqliteStore::open(&path).unwrap();
    let entry = conformance::sample_entry(1);
    assert_eq!(store.epoch().unwrap(), epoch);
    assert_eq!(store.entry(entry.conversation, 1).unwrap(), Some(entry.clone()));
    assert_eq!(store.entry(entry.conversation, 2).unwrap(), None);
}

#[test]
fn what_another_process_wrote_is_seen_by_the_next_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.db");
    let (mut ours, mut other) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    let open = conformance::sample_conversation(1, Status::Open);
    ours.begin().unwrap();
    ours.put_conversation(&open).unwrap();
    ours.commit().unwrap();
    let refusal = Refusal {
        id: Id([9; 16]),
        conversation: open.id,
        author: Id([8; 16]),
        fingerprint: Fingerprint {
            salt: [1; 16],
            hash: [2; 32],
        },
        answer: vec![3].into(),
    };
    let moved = Conversation { head: 77, ..open };
    other.begin().unwrap();
    other.put_conversation(&moved).unwrap();
    other.remember_refusal(&refusal).unwrap();
    other.commit().unwrap();
    ours.begin().unwrap();
    assert_eq!(ours.conversation(moved.id).unwrap(), Some(moved.clone()));
    assert_eq!(
        ours.refusals(moved.id, refusal.id).unwrap(),
        std::slice::from_ref(&refusal)
    );
    ours.rollback();
    drop((ours, other));
    let mut again = SqliteStore::open(&path).unwrap();
    assert_eq!(again.refusals(moved.id, refusal.id).unwrap(), [refusal]);
    assert_eq!(again.conversation(moved.id).unwrap(), Some(moved));
}

#[test]
fn a_newer_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.db");
    drop(SqliteStore::open(&path).unwrap());
    rusqlite::Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 4_000)
        .unwrap();
    let Err(OpenError::Newer { found: 4_000, .. }) = SqliteStore::open(&path) else {
        panic!("a newer database was opened");
    };
    let version: u32 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 4_000);
}

#[test]
fn what_is_no_database_of_ours_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, vec![0x5a; 8192]).unwrap();
    assert!(matches!(SqliteStore::open(&garbage), Err(OpenError::Damaged(_))));
    let foreign = folder.path().join("foreign.db");
    rusqlite::Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE cats (name)")
        .unwrap();
    assert!(matches!(SqliteStore::open(&foreign), Err(OpenError::Foreign)));
}

#[test]
fn a_full_disk_is_told_as_such_and_loses_nothing_that_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("gateway.db")).unwrap();
    store.begin().unwrap();
    store.append(&conformance::sample_entry(1)).unwrap();
    store.commit().unwrap();
    store.limit_pages(1).unwrap();
    store.begin().unwrap();
    let mut entry = conformance::sample_entry(2);
    entry.content = vec![7; 100_000].into();
    assert_eq!(store.append(&entry), Err(StoreError::Full));
    // SQLite may have taken the whole transaction back: nothing may go through as if it stood.
    store.rollback();
    assert!(store.append(&conformance::sample_entry(3)).is_err());
    store.limit_pages(1_000_000).unwrap();
    store.begin().unwrap();
    store.append(&entry).unwrap();
    store.commit().unwrap();
    assert_eq!(store.entries(entry.conversation, 1, 9).unwrap().len(), 2);
}

#[test]
fn what_is_erased_is_not_left_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.db");
    let mut store = SqliteStore::open(&path).unwrap();
    let mut entry = conformance::sample_entry(1);
    entry.content = b"a very secret sentence".to_vec().into();
    store.begin().unwrap();
    store.append(&entry).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    store.erase(entry.conversation, 1).unwrap();
    store.commit().unwrap();
    store.checkpoint().unwrap();
    drop(store);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"very secret"));
    }
}
