//! Agents' pictures: fetched, kept, shown without a network, and never another account's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod computer;
mod desks;
mod scripted;

use std::sync::Arc;

use bytes::Bytes;
use zuoxi_engine::net::{Fetched, NetError};
use zuoxi_engine::store::MemoryKeyring;
use zuoxi_engine::{Engine, Picture};
use zuoxi_wire::Id;

use computer::{Computer, welcome};
use desks::Window;
use scripted::{Peer, patiently};

const AGENT: &str = "0190b5a0-0000-7000-8000-00000000000a";

/// A picture of this width.
fn file(width: u8) -> Bytes {
    let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0";
    [head.as_slice(), &[width], b"\0\0\0\x40\x08\x06\0\0\0"].concat().into()
}

fn told(tag: &str, bytes: &Bytes) -> Fetched {
    Fetched::New {
        tag: tag.into(),
        bytes: bytes.clone(),
    }
}

fn agent() -> Id {
    AGENT.parse().unwrap()
}

async fn name(engine: &Engine) -> String {
    engine.start().await.unwrap().me.unwrap().pictures
}

/// Its file, or why there is none.
async fn shown(engine: &Engine) -> Result<Bytes, String> {
    let of = name(engine).await;
    let picture = patiently(engine.picture(&of, AGENT)).await;
    picture
        .map(|picture: Picture| picture.bytes().clone())
        .map_err(|error| error.code)
}

async fn desk() -> (Computer, Engine, Peer) {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let engine = computer.start();
    let peer = computer.log_in(&engine, true).await;
    (computer, engine, peer)
}

/// The same computer's next start; its agent is logged in again once this returns.
async fn again(computer: &mut Computer, engine: Engine) -> (Engine, Peer) {
    engine.stop().await.unwrap();
    let engine = computer.start();
    let mut window = Window::open(&engine, "main").await;
    let mut peer = computer.gateway.accept().await;
    welcome(&mut peer).await;
    window
        .event(|event| match event {
            zuoxi_engine::view::DeskEvent::Sync { sync, .. } => {
                (!matches!(sync, zuoxi_engine::view::SyncView::Offline { .. })).then_some(())
            }
            _ => None,
        })
        .await;
    (engine, peer)
}

#[tokio::test]
async fn a_picture_is_fetched_once_and_stays_without_a_network() {
    let (computer, engine, _peer) = desk().await;
    let picture = file(64);
    computer.gateway.pictures(Ok(told("\"1\"", &picture)));
    assert_eq!(shown(&engine).await, Ok(picture.clone()));
    for _ in 0..3 {
        assert_eq!(shown(&engine).await, Ok(picture.clone()));
    }
    assert_eq!(computer.gateway.pictures_asked(), [(agent(), String::new())]);
    engine.stop().await.unwrap();
    computer.no_network();
    let engine = computer.start();
    assert_eq!(shown(&engine).await, Ok(picture));
    assert_eq!(computer.gateway.pictures_asked().len(), 1, "nobody is asked");
}

#[tokio::test]
async fn another_picture_is_seen_after_the_next_start_and_one_that_is_gone_goes() {
    let (mut computer, engine, _peer) = desk().await;
    let (old, new) = (file(64), file(65));
    computer.gateway.pictures(Ok(told("\"1\"", &old)));
    assert_eq!(shown(&engine).await, Ok(old.clone()));
    let (engine, _peer) = again(&mut computer, engine).await;
    computer.gateway.pictures(Ok(told("\"2\"", &new)));
    // What is here is shown at once; the next time it is the other.
    assert_eq!(shown(&engine).await, Ok(old));
    while shown(&engine).await != Ok(new.clone()) {}
    assert_eq!(computer.gateway.pictures_asked()[1..], [(agent(), "\"1\"".to_owned())]);
    let (engine, _peer) = again(&mut computer, engine).await;
    computer.gateway.pictures(Ok(Fetched::Unchanged));
    assert_eq!(shown(&engine).await, Ok(new.clone()));
    // It is asked for behind what was shown.
    while computer.gateway.pictures_asked().len() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(computer.gateway.pictures_asked()[2..], [(agent(), "\"2\"".to_owned())]);
    let (engine, _peer) = again(&mut computer, engine).await;
    computer.gateway.pictures(Ok(Fetched::None));
    assert_eq!(shown(&engine).await, Ok(new));
    while shown(&engine).await != Err("not_found".to_owned()) {}
}

#[tokio::test]
async fn what_is_no_picture_is_never_shown_and_takes_no_other_picture_away() {
    let (mut computer, engine, _peer) = desk().await;
    let none = || Err("not_found".to_owned());
    let document = Bytes::from_static(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>");
    computer.gateway.pictures(Ok(told("\"1\"", &document)));
    assert_eq!(shown(&engine).await, none());
    assert_eq!(shown(&engine).await, none());
    assert_eq!(
        computer.gateway.pictures_asked().len(),
        1,
        "nor asked for again at once"
    );
    let (mut engine, mut _peer) = again(&mut computer, engine).await;
    computer
        .gateway
        .pictures(Err(NetError::Network("no answer in time".into())));
    assert_eq!(shown(&engine).await, none());
    (engine, _peer) = again(&mut computer, engine).await;
    let picture = file(64);
    computer.gateway.pictures(Ok(told("\"2\"", &picture)));
    assert_eq!(shown(&engine).await, Ok(picture.clone()));
    for failing in [
        Ok(told("\"3\"", &document)),
        Err(NetError::NotAGateway("length limit exceeded".into())),
    ] {
        (engine, _peer) = again(&mut computer, engine).await;
        computer.gateway.pictures(failing);
        for _ in 0..3 {
            assert_eq!(shown(&engine).await, Ok(picture.clone()));
        }
    }
}

#[tokio::test]
async fn only_the_active_accounts_name_leads_to_pictures() {
    let (mut computer, engine, _peer) = desk().await;
    let picture = file(64);
    computer.gateway.pictures(Ok(told("\"1\"", &picture)));
    let before = name(&engine).await;
    assert!(engine.picture(&before, AGENT).await.is_ok());
    let code = async |of: &str, agent: &str| engine.picture(of, agent).await.map_err(|error| error.code);
    for other in ["", AGENT, "../accounts", &before.to_uppercase()] {
        assert_eq!(code(other, AGENT).await, Err("not_found".to_owned()), "{other}");
    }
    for nobody in ["", "shen", "../desk.db", "0190b5a0-0000-7000-8000-00000000000a/"] {
        assert_eq!(code(&before, nobody).await, Err("invalid".to_owned()), "{nobody}");
    }
    engine.log_out(true).await.unwrap();
    assert_eq!(code(&before, AGENT).await, Err("session".to_owned()));
    // The same agent logs in anew: the page of before is another one's.
    let _peer = computer.log_in(&engine, true).await;
    assert_eq!(code(&before, AGENT).await, Err("not_found".to_owned()));
    assert_eq!(shown(&engine).await, Ok(picture));
}
