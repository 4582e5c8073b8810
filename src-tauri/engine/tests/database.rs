//! The account's database over restarts: resumed without a network, behind a passphrase, damaged, and written by a newer
//! version of the app.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod computer;
mod desks;
mod scripted;

use std::sync::Arc;

use zuoxi_engine::PassphraseNeed;
use zuoxi_engine::store::{Accounts, Keyring, MemoryKeyring, NoKeyring, Store, StoreOptions};
use zuoxi_wire::v1::client_frame;

use computer::{Computer, GATEWAY, welcome};

#[tokio::test]
async fn a_remembered_session_goes_on_without_a_network_and_resumes_with_one() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let engine = computer.start();
    drop(computer.log_in(&engine, true).await);
    engine.stop().await.unwrap();
    computer.no_network();
    let engine = computer.start();
    let start = engine.start().await.unwrap();
    assert_eq!(start.me.unwrap().name, "小林");
    assert_eq!((start.gateway.as_str(), start.name.as_str()), (GATEWAY, "lin"));
    // What a composer holds is kept without anybody to send it to.
    let conversation = "0190b5a0-0000-7000-8000-000000000001";
    let window = desks::Window::open(&engine, "main").await;
    let draft = zuoxi_engine::view::DraftView {
        text: "您好".into(),
        ..Default::default()
    };
    engine
        .save_draft(&window.id, conversation, draft.clone())
        .await
        .unwrap();
    engine.stop().await.unwrap();
    computer.gateway.refuse(None);
    let engine = computer.start();
    // Asked before the account is open: it waits for that.
    assert_eq!(engine.read_draft(conversation).await.unwrap(), draft);
    let mut peer = computer.gateway.accept().await;
    assert_eq!(welcome(&mut peer).await, Some(vec![6; 32].into()));
}

#[tokio::test]
async fn a_session_that_is_not_remembered_ends_with_the_app() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let engine = computer.start();
    drop(computer.log_in(&engine, false).await);
    engine.stop().await.unwrap();
    let start = computer.start().start().await.unwrap();
    assert_eq!((start.me, start.name.as_str()), (None, "lin"));
}

#[tokio::test]
async fn logging_out_ends_the_session_and_keeps_the_database() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let engine = computer.start();
    let mut peer = computer.log_in(&engine, true).await;
    engine.log_out(false).await.unwrap();
    peer.find(|_, kind| matches!(kind, client_frame::Kind::LogOut(_)).then_some(()))
        .await;
    assert_eq!(engine.start().await.unwrap().me, None);
    assert!(computer.database().exists());
    // And in again, on the same database.
    drop(computer.log_in(&engine, true).await);
    assert!(engine.start().await.unwrap().me.is_some());
}

#[tokio::test]
async fn a_wrong_passphrase_is_told_and_the_right_one_goes_on() {
    let mut computer = Computer::new(Arc::new(NoKeyring));
    let engine = computer.start();
    engine.unlock("一二三四五六七八").await.unwrap();
    drop(computer.log_in(&engine, true).await);
    engine.stop().await.unwrap();
    computer.no_network();
    let engine = computer.start();
    let start = engine.start().await.unwrap();
    assert_eq!((start.me, start.passphrase), (None, PassphraseNeed::Known));
    assert_eq!(
        engine.unlock("一二三四五六七九").await.unwrap_err().code,
        "passphrase_wrong"
    );
    engine.unlock("一二三四五六七八").await.unwrap();
    let start = engine.start().await.unwrap();
    assert_eq!((start.me.is_some(), start.passphrase), (true, PassphraseNeed::No));
}

#[tokio::test]
async fn a_damaged_database_is_told_and_can_be_set_aside() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let engine = computer.start();
    drop(computer.log_in(&engine, true).await);
    engine.stop().await.unwrap();
    std::fs::write(computer.database(), vec![7; 64 * 1024]).unwrap();
    let engine = computer.start();
    let start = engine.start().await.unwrap();
    assert_eq!(start.me, None);
    let trouble = start.trouble.unwrap();
    assert_eq!(
        (trouble.account.name.as_str(), trouble.error.code.as_str()),
        ("lin", "damaged")
    );
    // Nothing happens to it by itself: a log-in is refused as well, and says the same.
    let answering = async { welcome(&mut computer.gateway.accept().await).await };
    let (refused, _) = tokio::join!(engine.log_in(GATEWAY, "lin", "pw", true), answering);
    assert_eq!(refused.unwrap_err().code, "damaged");
    assert!(engine.start().await.unwrap().trouble.is_some());
    engine.set_aside(&trouble.account.gateway, "lin").await.unwrap();
    assert_eq!(engine.start().await.unwrap().trouble, None);
    assert_eq!(set_aside(&computer), vec![vec![7; 64 * 1024]]);
    drop(computer.log_in(&engine, true).await);
    let start = engine.start().await.unwrap();
    assert_eq!((start.me.is_some(), start.trouble), (true, None));
    // The one that is in use stays where it is.
    assert_eq!(engine.set_aside(GATEWAY, "lin").await.unwrap_err().code, "busy");
    assert_eq!(engine.set_aside(GATEWAY, "nobody").await.unwrap_err().code, "not_found");
}

/// The databases that were set aside, as they lie there.
fn set_aside(computer: &Computer) -> Vec<Vec<u8>> {
    let folder = computer.account().folder().to_owned();
    let aside = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    aside
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("set-aside-"))
        .map(|path| std::fs::read(path.join("desk.db")).unwrap())
        .collect()
}

#[tokio::test]
async fn a_database_that_another_process_has_open_is_told_as_that() {
    let keyring = Arc::new(MemoryKeyring::default());
    let mut computer = Computer::new(keyring.clone());
    let engine = computer.start();
    drop(computer.log_in(&engine, true).await);
    engine.stop().await.unwrap();
    let key = keyring.read_key(computer.account().name()).unwrap().unwrap();
    let (other, _) = Store::open(StoreOptions::new(computer.database(), key), Box::new(|_| ())).unwrap();
    let engine = computer.start();
    let trouble = engine.start().await.unwrap().trouble.unwrap();
    assert_eq!(trouble.error.code, "in_use");
    other.close();
    computer.log_in_again(&engine).await;
    assert!(engine.start().await.unwrap().me.is_some());
}

#[tokio::test]
async fn a_newer_database_is_told_and_left_alone() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let engine = computer.start();
    drop(computer.log_in(&engine, true).await);
    engine.stop().await.unwrap();
    let account = Accounts::new(computer.data.path()).list().unwrap().remove(0);
    let database = computer.open_database();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let newer = std::fs::read(account.database()).unwrap();
    let engine = computer.start();
    let trouble = engine.start().await.unwrap().trouble.unwrap();
    assert_eq!(trouble.error.code, "newer_database");
    assert!(account.database().exists());
    // Set aside it is whole, for the app that can read it.
    engine.set_aside(GATEWAY, "lin").await.unwrap();
    assert_eq!(set_aside(&computer), vec![newer]);
    drop(computer.log_in(&engine, true).await);
    assert!(engine.start().await.unwrap().me.is_some());
}
