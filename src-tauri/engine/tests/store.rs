//! The store as its callers see it: what is durable, in which order, and how it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use zuoxi_engine::store::{Done, Key, Priority, Query, Store, StoreError, StoreOptions};
use zuoxi_protocol::change::{
    Change, Draft, Durability, FeedKey, FeedPlace, Loaded, LogState, OutboxAct, OutboxState, Range, StoredEntry,
    Transaction,
};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, Entry, FeedKind, Summary};

struct Desk {
    folder: tempfile::TempDir,
    store: Option<Store>,
    done: Receiver<Vec<Done>>,
    token: u64,
}

impl Desk {
    fn new() -> (Self, Loaded) {
        Self::open(tempfile::tempdir().unwrap(), None)
    }

    fn open(folder: tempfile::TempDir, limit_bytes: Option<u64>) -> (Self, Loaded) {
        let (tell, done) = channel();
        let mut options = StoreOptions::new(folder.path().join("desk.db"), key());
        options.limit_bytes = limit_bytes;
        let (store, loaded) = Store::open(options, Box::new(move |ends| drop(tell.send(ends)))).unwrap();
        (
            Self {
                folder,
                store: Some(store),
                done,
                token: 0,
            },
            loaded,
        )
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("desk.db")
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn give(&mut self, durability: Durability, priority: Priority, changes: Vec<Change>) -> u64 {
        self.token += 1;
        self.store()
            .commit(
                Transaction {
                    token: self.token,
                    durability,
                    changes,
                },
                priority,
            )
            .unwrap();
        self.token
    }

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        let token = self.give(Durability::Full, Priority::Network, changes);
        let ends = self.done.recv_timeout(Duration::from_mins(1)).unwrap();
        assert_eq!(ends.len(), 1);
        assert_eq!(ends[0].token, token);
        ends[0].result.clone()
    }

    fn ask(&self, query: Query) -> Vec<StoredEntry> {
        let (tell, answer) = channel();
        self.store().ask(query, move |found| drop(tell.send(found))).unwrap();
        answer.recv_timeout(Duration::from_mins(1)).unwrap().unwrap()
    }

    fn newest(&self, conversation: Id, count: u32) -> Vec<u64> {
        self.ask(Query::Newest { conversation, count })
            .iter()
            .map(|entry| entry.seq)
            .collect()
    }

    fn again(mut self) -> (Self, Loaded) {
        self.store.take();
        Self::open(self.folder, None)
    }
}

fn key() -> Key {
    Key::from_bytes([7; 32])
}

fn id(number: u8) -> Id {
    Id([number; 16])
}

fn own_feed() -> FeedKey {
    FeedKey {
        kind: FeedKind::Agent as i32,
        id: id(200),
    }
}

fn message_id(seq: u64) -> Id {
    Id::v7(1_700_000_000_000 + seq * 1_000, [seq as u8; 10])
}

fn entry(seq: u64, content: &str) -> StoredEntry {
    let (id, author) = (message_id(seq), id(9));
    let time_ms = 1_700_000_000_000 + seq * 1_000;
    let wire = Entry {
        seq,
        id: id.to_bytes(),
        kind: 1,
        time_ms,
        author_role: 1,
        author: author.to_bytes(),
        content: Bytes::copy_from_slice(content.as_bytes()),
        ..Entry::default()
    };
    StoredEntry {
        seq,
        id,
        author: Some(author),
        time_ms,
        bytes: wire.encode_to_vec().into(),
    }
}

fn entries(range: std::ops::RangeInclusive<u64>) -> Vec<StoredEntry> {
    range.map(|seq| entry(seq, "什么时候发货？")).collect()
}

fn act(place: u64, number: u8) -> OutboxAct {
    OutboxAct {
        place,
        id: id(number),
        conversation: Some(id(1)),
        kind: ActKind::Message,
        content: Bytes::from_static(b"words"),
        base: 3,
        done_ms: 1_700_000_000_000,
        left: false,
        state: OutboxState::Waiting,
    }
}

#[test]
fn everything_but_entries_is_loaded_as_it_was_committed() {
    let (mut desk, fresh) = Desk::new();
    assert_eq!((fresh.epoch, fresh.last_place, fresh.outbox.len()), (0, 0, 0));
    let log = LogState {
        floor: 5,
        covered: vec![Range { first: 5, last: 9 }, Range { first: 12, last: 14 }],
        head: 20,
        erased: vec![6],
        generations: [(1, 3)].into(),
        to_compare: true,
        read: 8,
        read_told: 7,
        positions: vec![(id(3), 1, 9, 8)],
    };
    let summary = Summary {
        preview: "在吗".into(),
        ..Summary::default()
    };
    let parked = OutboxState::Parked {
        code: 12,
        behind: true,
        stale_seqs: vec![8, 9],
        assignee_name: "周".into(),
    };
    let place = FeedPlace {
        feed_epoch: u64::MAX - 1,
        revision: 44,
        partial: true,
    };
    let draft = Draft {
        text: "您好".into(),
        note: "VIP".into(),
        on_note: true,
    };
    let row = Change::Row {
        feed: own_feed(),
        conversation: id(1),
        summary: Box::new(summary.clone()),
        revision: 44,
    };
    desk.commit(vec![
        Change::Epoch(u64::MAX),
        Change::Feed(own_feed(), place),
        row,
        Change::Log(id(1), log.clone()),
        Change::Enqueue(act(4, 40)),
        Change::Enqueue(act(5, 50)),
        Change::Enqueue(act(6, 60)),
        Change::Update(OutboxAct {
            state: parked.clone(),
            base: 1,
            left: true,
            ..act(4, 40)
        }),
        Change::Settle(id(60)),
        Change::Draft(id(1), draft.clone()),
        Change::Draft(id(2), draft.clone()),
        Change::Draft(id(2), Draft::default()),
        Change::Value("session", Some(Bytes::from_static(b"secret"))),
        Change::Value("gone", Some(Bytes::from_static(b"x"))),
        Change::Value("gone", None),
    ])
    .unwrap();
    let (_desk, loaded) = desk.again();
    assert_eq!(loaded.epoch, u64::MAX);
    assert_eq!(loaded.feeds, [(own_feed(), place)].into());
    assert_eq!(loaded.rows, [((own_feed(), id(1)), (summary, 44))].into());
    assert_eq!(loaded.logs, [(id(1), log)].into());
    assert_eq!(
        loaded.outbox,
        [
            OutboxAct {
                state: parked,
                base: 1,
                left: true,
                ..act(4, 40)
            },
            act(5, 50)
        ]
    );
    assert_eq!(
        loaded.last_place, 6,
        "a place is never used twice, even of what is settled"
    );
    assert_eq!(loaded.drafts, [(id(1), draft)].into());
    assert_eq!(
        loaded.values,
        [("session".to_owned(), Bytes::from_static(b"secret"))].into()
    );
}

#[test]
fn entries_are_read_by_range_newest_and_time() {
    let (mut desk, _) = Desk::new();
    desk.commit(vec![
        Change::Entries(id(1), entries(11..=300)),
        Change::Entries(id(2), entries(1..=3)),
    ])
    .unwrap();
    assert_eq!(desk.newest(id(1), 3), [298, 299, 300]);
    assert_eq!(desk.newest(id(2), 10), [1, 2, 3]);
    assert_eq!(desk.newest(id(3), 10), Vec::<u64>::new());
    let range = Range {
        first: 5,
        last: u64::MAX,
    };
    let found = desk.ask(Query::Range {
        conversation: id(1),
        range,
        limit: 2,
    });
    assert_eq!(found, entries(11..=12), "every byte as it came");
    let at = |time_ms| {
        desk.ask(Query::At {
            conversation: id(1),
            time_ms,
        })
    };
    assert_eq!(at(0)[0].seq, 11);
    assert_eq!(at(1_700_000_100_500)[0].seq, 101);
    assert_eq!(at(1_800_000_000_000), []);
}

#[test]
fn erased_wins_over_content_that_comes_later() {
    let (mut desk, _) = Desk::new();
    desk.commit(vec![
        Change::Entries(id(1), entries(1..=3)),
        Change::Erase(id(1), vec![2, 9]),
    ])
    .unwrap();
    desk.commit(vec![Change::Entries(id(1), entries(2..=4))]).unwrap();
    let found = desk.ask(Query::Newest {
        conversation: id(1),
        count: 9,
    });
    let wire = Entry::decode(found[1].bytes.clone()).unwrap();
    assert!(wire.erased && wire.content.is_empty());
    assert_eq!(
        (found[1].seq, found[1].id, found[1].author),
        (2, message_id(2), Some(id(9)))
    );
    assert_eq!(found[2..], entries(3..=4));
}

#[test]
fn what_left_is_never_seen_again_and_is_deleted() {
    let (mut desk, _) = Desk::new();
    let row = |revision| Change::Row {
        feed: own_feed(),
        conversation: id(1),
        summary: Box::default(),
        revision,
    };
    let log = Change::Log(
        id(1),
        LogState {
            floor: 1,
            head: 900,
            ..LogState::default()
        },
    );
    desk.commit(vec![
        row(1),
        log,
        Change::Entries(id(1), entries(1..=900)),
        Change::Enqueue(act(1, 40)),
    ])
    .unwrap();
    desk.commit(vec![Change::RowLeft {
        feed: own_feed(),
        conversation: id(1),
    }])
    .unwrap();
    assert_eq!(desk.newest(id(1), 10), Vec::<u64>::new());
    // It comes back before the background got to it.
    desk.commit(vec![row(2), Change::Entries(id(1), entries(901..=902))])
        .unwrap();
    assert_eq!(desk.newest(id(1), 1_000), [901, 902]);
    let (desk, loaded) = desk.again();
    assert!(loaded.logs.is_empty(), "what was known of the log went with it");
    assert_eq!(loaded.outbox.len(), 1, "outbox and drafts stay");
    assert_eq!(desk.newest(id(1), 1_000), [901, 902]);
}

#[test]
fn a_team_row_that_leaves_takes_no_entries_with_it() {
    let (mut desk, _) = Desk::new();
    let team = FeedKey {
        kind: FeedKind::Team as i32,
        id: id(100),
    };
    let row = |feed| Change::Row {
        feed,
        conversation: id(1),
        summary: Box::default(),
        revision: 1,
    };
    desk.commit(vec![row(team), row(own_feed()), Change::Entries(id(1), entries(1..=2))])
        .unwrap();
    desk.commit(vec![
        Change::RowLeft {
            feed: team,
            conversation: id(1),
        },
        Change::ForgetFeed(team),
    ])
    .unwrap();
    assert_eq!(desk.newest(id(1), 9), [1, 2]);
    desk.commit(vec![Change::ForgetFeed(own_feed())]).unwrap();
    assert_eq!(desk.newest(id(1), 9), Vec::<u64>::new());
}

#[test]
fn a_dropped_range_is_gone_and_its_neighbours_stay() {
    let (mut desk, _) = Desk::new();
    desk.commit(vec![
        Change::Entries(id(1), entries(1..=9)),
        Change::Entries(id(2), entries(1..=9)),
    ])
    .unwrap();
    desk.commit(vec![Change::Drop(
        id(1),
        Range {
            first: 3,
            last: u64::MAX,
        },
    )])
    .unwrap();
    assert_eq!(desk.newest(id(1), 99), [1, 2]);
    assert_eq!(desk.newest(id(2), 99).len(), 9);
}

#[test]
fn one_fault_costs_its_own_transaction_and_those_that_built_on_it() {
    let (mut desk, _) = Desk::new();
    // A write that takes a while, so that the next ones are committed as one group.
    desk.give(
        Durability::Normal,
        Priority::Network,
        vec![Change::Entries(id(1), entries(1..=5_000))],
    );
    let bad = StoredEntry { seq: 0, ..entry(1, "") };
    let fine = desk.give(Durability::Normal, Priority::Network, vec![Change::Epoch(5)]);
    let faulty = desk.give(
        Durability::Normal,
        Priority::Network,
        vec![Change::Entries(id(1), vec![bad])],
    );
    let built = desk.give(Durability::Normal, Priority::Network, vec![Change::Epoch(6)]);
    let mut ends = Vec::new();
    while ends.len() < 4 {
        ends.extend(desk.done.recv_timeout(Duration::from_mins(1)).unwrap());
    }
    let of = |token| ends.iter().find(|done| done.token == token).unwrap().result.clone();
    assert_eq!(of(fine), Ok(()));
    assert!(matches!(of(faulty), Err(StoreError::Refused(_))));
    assert_eq!(of(built), Err(StoreError::After));
    // The user's own go on; the network's only after loading.
    let own = desk.give(Durability::Full, Priority::User, vec![Change::Enqueue(act(1, 40))]);
    assert_eq!(
        desk.done.recv().unwrap(),
        [Done {
            token: own,
            result: Ok(())
        }]
    );
    assert_eq!(desk.commit(vec![Change::Epoch(7)]), Err(StoreError::After));
    let (tell, answer) = channel();
    desk.store().load(move |loaded| drop(tell.send(loaded))).unwrap();
    let loaded = answer.recv_timeout(Duration::from_mins(1)).unwrap().unwrap();
    assert_eq!((loaded.epoch, loaded.outbox.len()), (5, 1));
    desk.commit(vec![Change::Epoch(7)]).unwrap();
}

#[test]
fn a_full_disk_is_told_and_what_was_stored_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (mut desk, _) = Desk::open(folder, Some(1024 * 1024));
    desk.commit(vec![Change::Entries(id(1), entries(1..=100))]).unwrap();
    assert_eq!(
        desk.commit(vec![Change::Entries(id(2), entries(1..=50_000))]),
        Err(StoreError::DiskFull)
    );
    assert_eq!(StoreError::DiskFull.code(), "disk_full");
    assert_eq!(desk.newest(id(1), 1_000).len(), 100);
    assert_eq!(desk.newest(id(2), 1_000).len(), 0);
}

#[test]
fn a_newer_a_damaged_and_a_foreign_database_are_refused() {
    let (desk, _) = Desk::new();
    let path = desk.path();
    let open = |key| Store::open(StoreOptions::new(path.clone(), key), Box::new(|_| ())).err();
    assert_eq!(open(key()), Some(StoreError::InUse));
    let folder = {
        let Desk { folder, store, .. } = desk;
        drop(store);
        folder
    };
    assert!(
        matches!(open(Key::from_bytes([8; 32])), Some(StoreError::Damaged(_))),
        "another key"
    );
    assert_eq!(open(key()), None);
    {
        let newer = rusqlite::Connection::open(&path).unwrap();
        newer
            .pragma_update(None, "key", format!("x'{}'", "07".repeat(32)))
            .unwrap();
        newer.pragma_update(None, "cipher_page_size", 16384).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
    }
    assert_eq!(open(key()), Some(StoreError::Newer { found: 99, known: 3 }));
    std::fs::write(&path, b"this was a database").unwrap();
    assert!(matches!(open(key()), Some(StoreError::Damaged(_))));
    drop(folder);
}

#[test]
fn a_damaged_page_is_told_when_it_is_read() {
    let (mut desk, _) = Desk::new();
    desk.commit(vec![Change::Entries(id(1), entries(1..=20_000))]).unwrap();
    let path = desk.path();
    let folder = {
        let Desk { folder, store, .. } = desk;
        drop(store);
        folder
    };
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (store, _) = Store::open(StoreOptions::new(path, key()), Box::new(|_| ())).unwrap();
    let (tell, answer) = channel();
    let query = Query::Newest {
        conversation: id(1),
        count: 20_000,
    };
    store.ask(query, move |found| drop(tell.send(found))).unwrap();
    assert!(matches!(answer.recv().unwrap(), Err(StoreError::Damaged(_))));
    drop((store, folder));
}

#[test]
fn nothing_readable_lies_on_the_disk() {
    let (mut desk, _) = Desk::new();
    let secret = "我的收货地址是虹桥路一号";
    desk.commit(vec![
        Change::Entries(id(1), vec![entry(1, secret)]),
        Change::Draft(
            id(1),
            Draft {
                text: secret.into(),
                ..Draft::default()
            },
        ),
    ])
    .unwrap();
    let look = |folder: &std::path::Path| {
        for file in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
            assert!(!bytes.starts_with(b"SQLite format 3"));
        }
    };
    look(desk.folder.path());
    desk.store.take();
    look(desk.folder.path());
}

/// Where the child of the next test writes; without it that test is empty.
const CHILD: &str = "ZUOXI_STORE_CHILD";

/// Does acts and says of each that it is durable, until it is killed.
#[test]
fn child_who_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let (tell, done) = channel();
    let options = StoreOptions::new(path.into(), key());
    let (store, _) = Store::open(options, Box::new(move |ends| drop(tell.send(ends)))).unwrap();
    for token in 1..u64::MAX {
        let mut doing = act(token, 0);
        doing.id = message_id(token);
        let changes = vec![Change::Enqueue(doing), Change::Draft(id(1), Draft::default())];
        let priority = if token % 2 == 0 {
            Priority::User
        } else {
            Priority::Network
        };
        store
            .commit(
                Transaction {
                    token,
                    durability: Durability::Full,
                    changes,
                },
                priority,
            )
            .unwrap();
        // A few are on the way at a time.
        if token > 4 {
            for end in done.recv().unwrap() {
                end.result.unwrap();
                println!("durable {}", end.token);
            }
        }
    }
}

#[test]
fn what_was_told_durable_survives_a_kill() {
    use std::io::BufRead;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["child_who_is_killed", "--exact", "--nocapture"])
        .env(CHILD, &path)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut durable = Vec::new();
    for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
        durable.extend(
            line.unwrap()
                .strip_prefix("durable ")
                .map(|token| token.parse::<u64>().unwrap()),
        );
        if durable.len() == 40 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(durable.len() >= 40);
    let (_store, loaded) = Store::open(StoreOptions::new(path, key()), Box::new(|_| ())).unwrap();
    let places: Vec<u64> = loaded.outbox.iter().map(|act| act.place).collect();
    for token in durable {
        assert!(places.contains(&token), "act {token} was told durable and is gone");
    }
}
