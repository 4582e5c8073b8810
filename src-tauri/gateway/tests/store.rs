//! The store on disk is a store, and says clearly what it can't open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use zuoxi_gateway::store::{OpenError, SqliteStore, VERSION};
use zuoxi_rules::conformance;
use zuoxi_rules::record::{Audience, Avatar, Conversation, Fingerprint, Refusal, SealedBlock};
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

/// As the first released gateway made it.
const SCHEMA_1: &str = include_str!("../src/store/schema_1.sql");

#[test]
fn a_database_of_schema_1_is_brought_up_to_date_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.db");
    {
        let old = rusqlite::Connection::open(&path).unwrap();
        old.execute_batch(SCHEMA_1).unwrap();
        old.execute_batch(
            "INSERT INTO log VALUES (1, 77);
             INSERT INTO entries (conversation, seq, public, audience, kind, id, role, author_name, time_ms, content,
                 erased, customer_messages)
             VALUES (x'01010101010101010101010101010101', 1, 1, 0, 1, x'02020202020202020202020202020202', 1, 'A', 5,
                 x'0a0161', 0, 1);",
        )
        .unwrap();
        old.pragma_update(None, "application_id", 0x5A58_4757).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
    }
    let mut store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.epoch().unwrap(), 77);
    let entry = store.entry(zuoxi_wire::Id([1; 16]), 1).unwrap().unwrap();
    assert_eq!((entry.time_ms, entry.content.as_ref()), (5, b"\x0a\x01a".as_slice()));
    store.begin().unwrap();
    store.put_block(&sealed(b"content")).unwrap();
    store.commit().unwrap();
    drop(store);
    let version: u32 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, VERSION);
    let mut store = SqliteStore::open(&path).unwrap();
    let block = sealed(b"content");
    assert_eq!(store.block(block.conversation, block.log, 1).unwrap(), Some(block));
}

/// As the last gateway before pictures made it.
const SCHEMA_2: &str = include_str!("../src/store/schema_2.sql");

#[test]
fn a_database_of_schema_2_takes_pictures_from_now_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.db");
    {
        let old = rusqlite::Connection::open(&path).unwrap();
        old.execute_batch(SCHEMA_1).unwrap();
        old.execute_batch(SCHEMA_2).unwrap();
        old.execute_batch("INSERT INTO log VALUES (1, 77)").unwrap();
        old.pragma_update(None, "application_id", 0x5A58_4757).unwrap();
        old.pragma_update(None, "user_version", 2).unwrap();
    }
    let mut store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.epoch().unwrap(), 77);
    assert_eq!(store.avatars().unwrap(), []);
    let avatar = Avatar {
        agent: Id([4; 16]),
        hash: [1; 32],
        bytes: bytes::Bytes::from_static(b"a picture"),
    };
    store.begin().unwrap();
    store.put_avatar(&avatar).unwrap();
    store.commit().unwrap();
    drop(store);
    let mut store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.avatar(avatar.agent).unwrap(), Some(avatar));
}

#[test]
fn check_tells_a_block_that_holds_what_was_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("gateway.db")).unwrap();
    let entry = conformance::sample_entry(1);
    let wire = zuoxi_wire::v1::Entry {
        seq: 1,
        id: entry.id.to_bytes(),
        content: entry.content.clone(),
        ..zuoxi_wire::v1::Entry::default()
    };
    let bytes = prost::Message::encode_to_vec(&wire).into();
    let codec = zuoxi_wire::v1::BlockCodec::Zstd;
    let packed = zuoxi_wire::block::encode(codec, 1, 1, 1, vec![bytes]).unwrap();
    let block = SealedBlock {
        bytes: prost::Message::encode_to_vec(&packed).into(),
        ..sealed(b"")
    };
    store.begin().unwrap();
    store.append(&entry).unwrap();
    store.put_block(&block).unwrap();
    store.commit().unwrap();
    let lies = |store: &SqliteStore| {
        let told = zuoxi_gateway::store::upkeep::check(store).unwrap();
        told.iter().any(|line| line.starts_with("a sealed block that isn't"))
    };
    assert!(!lies(&store));
    store.begin().unwrap();
    store.erase(entry.conversation, 1).unwrap();
    store.commit().unwrap();
    assert!(lies(&store));
}

fn sealed(bytes: &'static [u8]) -> SealedBlock {
    SealedBlock {
        conversation: conformance::sample_entry(1).conversation,
        log: Audience::Agents,
        start: 1,
        first: 1,
        last: 1,
        generation: 1,
        bytes: bytes::Bytes::from_static(bytes),
    }
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
    store.put_block(&sealed(b"a very secret sentence, sealed")).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    store.erase(entry.conversation, 1).unwrap();
    store.put_block(&sealed(b"nothing")).unwrap();
    store.commit().unwrap();
    store.checkpoint().unwrap();
    drop(store);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"very secret"));
    }
}
