//! A clock an hour off: waits are shown by this computer's clock, whatever the gateway's says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod computer;
mod desks;
mod scripted;

use std::sync::Arc;

use zuoxi_engine::store::{MemoryKeyring, Priority, Store, StoreOptions};
use zuoxi_engine::view::InboxTab;
use zuoxi_protocol::change::{Change, Durability, FeedKey, FeedPlace, LogState, Transaction};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Due, FeedKind, Status, Summary};

use computer::{Computer, ME, now_ms, welcome_at};

const HOUR: u64 = 3_600_000;
/// How long a test may take between two looks at the clock.
const SLACK: u64 = 30_000;

/// A customer who waits since so many milliseconds by the gateway's clock.
fn fill(computer: &Computer, waiting_since_ms: u64) {
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
        waiting_since_ms,
        due: Due::First as i32,
        ..Summary::default()
    };
    let conversation = Id([9; 16]);
    let changes = vec![
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
            conversation,
            summary: Box::new(summary),
            revision: 1,
        },
        Change::Log(
            conversation,
            LogState {
                floor: 1,
                ..LogState::default()
            },
        ),
    ];
    let transaction = Transaction {
        token: 1,
        durability: Durability::Full,
        changes,
    };
    store.commit(transaction, Priority::Network).unwrap();
    store.close();
}

async fn waits_a_minute(gateway_ms: u64) {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let engine = computer.start();
    drop(computer.log_in(&engine, true).await);
    engine.stop().await.unwrap();
    fill(&computer, gateway_ms - 60_000);
    let engine = computer.start();
    let mut peer = computer.gateway.accept().await;
    welcome_at(&mut peer, gateway_ms).await;
    let mut window = desks::Window::open(&engine, "main").await;
    engine.observe_inbox(&window.id, InboxTab::Mine, 0, 20).await.unwrap();
    window
        .until(|window| {
            let since = window.inbox.as_ref()?.rows.first()?.waiting?.since_ms;
            since.abs_diff(now_ms() - 60_000).lt(&SLACK).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_clock_an_hour_off_breaks_no_wait() {
    waits_a_minute(now_ms()).await;
    waits_a_minute(now_ms() + HOUR).await;
    waits_a_minute(now_ms() - HOUR).await;
}
