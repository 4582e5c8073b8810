//! A timeline of 100,000 entries opens and is jumped in as one of ten is: what a window doesn't show isn't loaded.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod computer;
mod desks;
mod scripted;

use std::sync::Arc;

use prost::Message;
use zuoxi_engine::store::{MemoryKeyring, Priority, Store, StoreOptions, StoredBlock, StoredEntry};
use zuoxi_engine::view::{InboxTab, RowBody};
use zuoxi_protocol::change::{Change, Durability, FeedKey, FeedPlace, LogState, Range, Transaction};
use zuoxi_wire::v1::{
    AuthorRole, BlockCodec, CustomerCard, Entry, EntryKind, FeedKind, MessageContent, Status, Summary, message_content,
};
use zuoxi_wire::{Id, block, limits};

use computer::{Computer, ME};

const CONVERSATION: Id = Id([9; 16]);
const CUSTOMER: Id = Id([8; 16]);
/// Held in memory at most: what two windows show, with a margin.
const HELD: u64 = 2_000;

fn entry(seq: u64) -> StoredEntry {
    let id = Id::v7(1_700_000_000_000 + seq * 1_000, [seq as u8; 10]);
    let body = Some(message_content::Body::Text(format!("第 {seq} 句")));
    let entry = Entry {
        seq,
        id: id.to_bytes(),
        kind: EntryKind::Message as i32,
        time_ms: 1_700_000_000_000 + seq * 1_000,
        author_role: AuthorRole::Customer as i32,
        author: CUSTOMER.to_bytes(),
        author_name: "访客 7K3F".into(),
        content: MessageContent {
            body,
            language: "zh".into(),
        }
        .encode_to_vec()
        .into(),
        ..Entry::default()
    };
    StoredEntry {
        seq,
        id,
        author: Some(CUSTOMER),
        time_ms: entry.time_ms,
        bytes: entry.encode_to_vec().into(),
    }
}

fn sealed(rows: &[StoredEntry]) -> StoredBlock {
    let (first, last) = (rows[0].seq, rows[rows.len() - 1].seq);
    let entries = rows.iter().map(|entry| entry.bytes.clone()).collect();
    let packed = block::encode(BlockCodec::Zstd, first, last, 1, entries).unwrap();
    StoredBlock {
        start: first,
        first,
        last,
        erased: 0,
        bytes: packed.encode_to_vec().into(),
    }
}

/// Puts a conversation of so many entries into the account's database, read up to `read`.
fn fill(computer: &Computer, entries: u64, read: u64) {
    let account = computer.account();
    let key = computer.keyring.read_key(account.name()).unwrap().unwrap();
    let (store, _) = Store::open(StoreOptions::new(account.database(), key), Box::new(|_| {})).unwrap();
    let feed = FeedKey {
        kind: FeedKind::Agent as i32,
        id: Id(ME),
    };
    let summary = Summary {
        status: Status::Open as i32,
        assignee: ME.to_vec().into(),
        customer: Some(CustomerCard {
            id: CUSTOMER.to_bytes(),
            name: "访客 7K3F".into(),
            ..CustomerCard::default()
        }),
        ..Summary::default()
    };
    let log = LogState {
        floor: 1,
        covered: vec![Range {
            first: 1,
            last: entries,
        }],
        head: entries,
        read,
        read_told: read,
        ..LogState::default()
    };
    let mut changes = vec![
        Change::Feed(
            feed,
            FeedPlace {
                feed_epoch: 1,
                revision: 1,
                partial: false,
            },
        ),
        Change::Row {
            feed,
            conversation: CONVERSATION,
            summary: Box::new(summary),
            revision: 1,
        },
        Change::Log(CONVERSATION, log),
    ];
    // History in blocks, and what is fresh in rows, as a desk has them.
    let all: Vec<u64> = (1..=entries).collect();
    for (token, seqs) in all.chunks(limits::BLOCK_SEQS as usize).enumerate() {
        let rows: Vec<StoredEntry> = seqs.iter().map(|seq| entry(*seq)).collect();
        changes.push(if seqs.len() as u64 == limits::BLOCK_SEQS {
            Change::Block(CONVERSATION, sealed(&rows))
        } else {
            Change::Entries(CONVERSATION, rows)
        });
        let transaction = Transaction {
            token: token as u64 + 1,
            durability: Durability::Normal,
            changes,
        };
        store.commit(transaction, Priority::Network).unwrap();
        changes = Vec::new();
    }
    store.close();
}

/// Entries of the timeline that are in memory.
async fn held(engine: &zuoxi_engine::Engine) -> u64 {
    let diagnostics = engine.diagnostics().await.unwrap();
    let line = diagnostics.lines().find(|line| line.starts_with("timeline ")).unwrap();
    line.split(", ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

fn first_words(window: &desks::Window) -> Option<String> {
    match &window.timeline.as_ref()?.rows.first()?.body {
        RowBody::Message { text, .. } => Some(text.clone()),
        _ => None,
    }
}

async fn open_and_jump(entries: u64) {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let engine = computer.start();
    drop(computer.log_in(&engine, true).await);
    engine.stop().await.unwrap();
    fill(&computer, entries, entries);
    computer.no_network();

    let engine = computer.start();
    engine.start().await.unwrap();
    let mut window = desks::Window::open(&engine, "main").await;
    engine.observe_inbox(&window.id, InboxTab::Mine, 0, 20).await.unwrap();
    window
        .until(|window| (window.inbox.as_ref()?.total == 1).then_some(()))
        .await;
    let conversation = CONVERSATION.to_string();

    // All is read: it opens at the end.
    engine
        .observe_timeline(&window.id, &conversation, -1, 50)
        .await
        .unwrap();
    let last = format!("第 {entries} 句");
    window
        .until(|window| match &window.timeline.as_ref()?.rows.last()?.body {
            RowBody::Message { text, .. } if *text == last => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(window.timeline.as_ref().unwrap().total, entries);
    assert!(held(&engine).await <= HELD);

    // To the first message, to the middle, and back: what is shown comes, and nothing between.
    for first in [0, entries / 2, entries - 50] {
        engine
            .observe_timeline(&window.id, &conversation, first as i64, 50)
            .await
            .unwrap();
        let words = format!("第 {} 句", first + 1);
        window
            .until(|window| (first_words(window)? == words).then_some(()))
            .await;
        assert!(held(&engine).await <= HELD, "{} held at {first}", held(&engine).await);
    }

    // By date.
    let at = engine
        .find_time(&conversation, 1_700_000_000_000 + 7_000)
        .await
        .unwrap();
    assert_eq!(at, 6);
}

#[tokio::test]
async fn a_thousand_times_more_entries_load_no_more() {
    open_and_jump(100).await;
    open_and_jump(100_000).await;
}
