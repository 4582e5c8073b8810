//! What becomes of acts when things go wrong: slow answers, a store that fails, a discard that comes too late, a session
//! that ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod computer;
mod desks;
mod scripted;

use std::sync::Arc;

use prost::Message;
use zuoxi_engine::Engine;
use zuoxi_engine::store::MemoryKeyring;
use zuoxi_engine::view::{DeskEvent, DraftView, Mark, RowBody};
use zuoxi_wire::v1::{
    Accepted, Act, ActKind, Answer, Answers, AuthorRole, Entry, EntryKind, GoingAway, MessageContent, Problem,
    ProblemCode, Push, Pushes, RecallContent, RefusalCode, Refused, answer, client_frame, gateway_frame, going_away,
    message_content,
};

use computer::{Computer, watch_opens, welcome};
use desks::Window;
use scripted::Peer;

const CONVERSATION: &str = "0190b5a0-0000-7000-8000-000000000001";
const MESSAGE: &str = "0190b5a0-0000-7000-8000-00000000000a";

/// The next act of this kind that reaches the gateway.
async fn act(peer: &mut Peer, kind: ActKind) -> Act {
    peer.find(|_, frame| match frame {
        client_frame::Kind::Acts(acts) => acts.acts.into_iter().find(|act| act.kind() == kind),
        _ => None,
    })
    .await
}

async fn accept(peer: &Peer, act: &Act, seq: u64) {
    let accepted = Accepted {
        seq,
        time_ms: 1_800_000_000_000,
        push: None,
    };
    let answer = Answer {
        conversation: act.conversation.clone(),
        lane: act.lane,
        number: act.number,
        id: act.id.clone(),
        result: Some(answer::Result::Accepted(accepted)),
    };
    peer.say(0, gateway_frame::Kind::Answers(Answers { answers: vec![answer] }))
        .await;
}

/// This agent's first entry, with the act's id.
async fn push_own(peer: &Peer, sent: &Act, content: bytes::Bytes) {
    let entry = Entry {
        seq: 1,
        id: MESSAGE.parse::<zuoxi_wire::Id>().unwrap().to_bytes(),
        kind: EntryKind::Message.into(),
        time_ms: 1_800_000_000_000,
        author_role: AuthorRole::Agent.into(),
        author: computer::ME.to_vec().into(),
        content,
        ..Entry::default()
    };
    let push = Push {
        number: 1,
        conversation: sent.conversation.clone(),
        head: 1,
        floor: 1,
        entry: Some(entry),
        ..Push::default()
    };
    peer.say(0, gateway_frame::Kind::Pushes(Pushes { pushes: vec![push] }))
        .await;
}

async fn desk(computer: &mut Computer) -> (Engine, Peer, Window) {
    let engine = computer.start();
    let mut peer = computer.log_in(&engine, true).await;
    let mut window = Window::open(&engine, "main").await;
    engine.observe_timeline(&window.id, CONVERSATION, -1, 50).await.unwrap();
    watch_opens(&mut peer).await;
    window.until(|window| window.timeline.as_ref().map(|_| ())).await;
    (engine, peer, window)
}

fn mark(window: &Window) -> Option<Mark> {
    window.timeline.as_ref()?.rows.last()?.mark
}

#[tokio::test]
async fn an_act_that_is_not_answered_waits_for_the_network() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let (engine, mut peer, mut window) = desk(&mut computer).await;
    engine.send_message(CONVERSATION, MESSAGE, "您好".into()).await.unwrap();
    act(&mut peer, ActKind::Message).await;
    // The connection stands, and nothing is said.
    window
        .until(|window| (mark(window)? == Mark::WaitingForNetwork).then_some(()))
        .await;
}

#[tokio::test]
async fn what_was_discarded_too_late_is_told_and_can_be_recalled() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let (engine, mut peer, mut window) = desk(&mut computer).await;
    engine.send_message(CONVERSATION, MESSAGE, "您好".into()).await.unwrap();
    act(&mut peer, ActKind::Message).await;
    engine.discard(CONVERSATION, MESSAGE).await.unwrap();
    let void = act(&mut peer, ActKind::Void).await;
    accept(&peer, &void, 7).await;
    let told = window
        .event(|event| match event {
            DeskEvent::TooLate { message, .. } => Some(message.clone()),
            _ => None,
        })
        .await;
    assert_eq!(told, MESSAGE);
    engine.recall(CONVERSATION, MESSAGE).await.unwrap();
    act(&mut peer, ActKind::Recall).await;
}

#[tokio::test]
async fn what_was_discarded_too_late_and_is_kept_is_offered_in_no_window() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let (engine, mut peer, mut window) = desk(&mut computer).await;
    let mut other = Window::open(&engine, "chat-1").await;
    engine.observe_timeline(&other.id, CONVERSATION, -1, 50).await.unwrap();
    engine.send_message(CONVERSATION, MESSAGE, "您好".into()).await.unwrap();
    let sent = act(&mut peer, ActKind::Message).await;
    engine.discard(CONVERSATION, MESSAGE).await.unwrap();
    let void = act(&mut peer, ActKind::Void).await;
    accept(&peer, &void, 1).await;
    push_own(&peer, &sent, sent.content.clone()).await;
    let offered = |window: &Window| Some(window.timeline.as_ref()?.rows.last()?.too_late);
    for window in [&mut window, &mut other] {
        window.until(|window| offered(window).filter(|offered| *offered)).await;
    }
    engine.keep(CONVERSATION, MESSAGE).await.unwrap();
    for window in [&mut window, &mut other] {
        window.until(|window| offered(window).filter(|offered| !offered)).await;
    }
    // Drawn anew, it isn't offered either.
    engine.unobserve_timeline(&other.id, CONVERSATION).await.unwrap();
    other.timeline = None;
    engine.observe_timeline(&other.id, CONVERSATION, -1, 50).await.unwrap();
    let drawn = other
        .until(|window| window.timeline.as_ref().and_then(|_| offered(window)))
        .await;
    assert!(!drawn);
}

/// Two computers went on from one disk: both words are shown, and each answers to what is done with it.
#[tokio::test]
async fn what_another_computer_sent_under_the_same_id_hides_nothing() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let (engine, mut peer, mut window) = desk(&mut computer).await;
    engine.send_message(CONVERSATION, MESSAGE, "您好".into()).await.unwrap();
    let sent = act(&mut peer, ActKind::Message).await;
    let other = MessageContent {
        body: Some(message_content::Body::Text("稍等".into())),
        language: String::new(),
    };
    push_own(&peer, &sent, other.encode_to_vec().into()).await;
    let refused = Refused {
        code: RefusalCode::Reused.into(),
        ..Refused::default()
    };
    let answer = Answer {
        conversation: sent.conversation.clone(),
        lane: sent.lane,
        number: sent.number,
        id: sent.id.clone(),
        result: Some(answer::Result::Refused(refused)),
    };
    peer.say(0, gateway_frame::Kind::Answers(Answers { answers: vec![answer] }))
        .await;
    let said = |window: &Window| {
        let rows = window.timeline.iter().flat_map(|view| &view.rows);
        rows.filter_map(|row| match &row.body {
            RowBody::Message { text, .. } => Some((row.key.clone(), text.clone(), row.mark)),
            _ => None,
        })
        .collect::<Vec<_>>()
    };
    let theirs = (MESSAGE.to_owned(), "稍等".to_owned(), Some(Mark::Sent));
    let parked = (format!("act:{MESSAGE}"), "您好".to_owned(), Some(Mark::NotSent));
    let both = [theirs.clone(), parked];
    window.until(|window| (said(window) == both).then_some(())).await;
    engine.recall(CONVERSATION, MESSAGE).await.unwrap();
    let recall = act(&mut peer, ActKind::Recall).await;
    let recalled = RecallContent::decode(recall.content).unwrap();
    assert_eq!(
        recalled.id, sent.id,
        "what is in the log is recalled, not what is parked discarded"
    );
    engine.resend(CONVERSATION, MESSAGE).await.unwrap();
    let again = act(&mut peer, ActKind::Message).await;
    assert!(again.id != sent.id && again.content == sent.content);
    window
        .until(|window| {
            let said = said(window);
            (said.len() == 2 && said[0] == theirs && said[1].1 == "您好" && !said[1].0.contains(':')).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_close_discarded_too_late_is_not_announced_as_words_are() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let (engine, mut peer, mut window) = desk(&mut computer).await;
    engine.close(CONVERSATION).await.unwrap();
    let close = act(&mut peer, ActKind::Close).await;
    let id = zuoxi_wire::Id::try_from(&close.id).unwrap();
    engine.discard(CONVERSATION, &id.to_string()).await.unwrap();
    let void = act(&mut peer, ActKind::Void).await;
    accept(&peer, &void, 7).await;
    engine.send_message(CONVERSATION, MESSAGE, "您好".into()).await.unwrap();
    act(&mut peer, ActKind::Message).await;
    engine.discard(CONVERSATION, MESSAGE).await.unwrap();
    let void = act(&mut peer, ActKind::Void).await;
    accept(&peer, &void, 8).await;
    let told = window
        .event(|event| match event {
            DeskEvent::TooLate { message, .. } => Some(message.clone()),
            _ => None,
        })
        .await;
    assert_eq!(told, MESSAGE, "the first that is told");
}

#[tokio::test]
async fn words_that_could_not_be_stored_go_back_before_what_was_typed_since() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let (engine, _peer, mut window) = desk(&mut computer).await;
    let breaking = break_outbox(&computer);
    engine.send_message(CONVERSATION, MESSAGE, "您好".into()).await.unwrap();
    let since = DraftView {
        text: "还有".into(),
        ..DraftView::default()
    };
    engine.save_draft(&window.id, CONVERSATION, since).await.unwrap();
    breaking.execute_batch("COMMIT").unwrap();
    let back = window
        .event(|event| match event {
            DeskEvent::PutBack { text, reason, .. } => Some((text.clone(), reason.clone())),
            _ => None,
        })
        .await;
    assert_eq!(back, ("您好".to_owned(), "store".to_owned()));
    // No bubble stands for what isn't stored.
    window
        .until(|window| window.timeline.as_ref()?.rows.is_empty().then_some(()))
        .await;
    assert_eq!(engine.read_draft(CONVERSATION).await.unwrap().text, "您好\n还有");
    assert_eq!(engine.unsent().await.unwrap().waiting, 0);
}

/// Nothing is stored until this is committed, and no act any more from then on.
fn break_outbox(computer: &Computer) -> rusqlite::Connection {
    let database = computer.open_database();
    database
        .execute_batch("BEGIN IMMEDIATE; ALTER TABLE outbox RENAME TO gone;")
        .unwrap();
    database
}

#[tokio::test]
async fn a_session_revoked_in_the_middle_asks_for_the_password_and_keeps_what_is_unsent() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let (engine, mut peer, mut window) = desk(&mut computer).await;
    let draft = DraftView {
        text: "还有".into(),
        ..DraftView::default()
    };
    engine.send_message(CONVERSATION, MESSAGE, "您好".into()).await.unwrap();
    engine
        .save_draft(&window.id, CONVERSATION, draft.clone())
        .await
        .unwrap();
    act(&mut peer, ActKind::Message).await;
    let away = GoingAway {
        reason: going_away::Reason::SessionEnded.into(),
        ..GoingAway::default()
    };
    peer.say(0, gateway_frame::Kind::GoingAway(away)).await;
    window
        .event(|event| matches!(event, DeskEvent::SessionEnded { reason } if reason == "session").then_some(()))
        .await;
    assert_eq!(engine.start().await.unwrap().me, None);
    assert_eq!(engine.unsent().await.unwrap().waiting, 1);
    // The password again, and what was unsent goes, under the same id.
    let mut peer = computer.log_in(&engine, true).await;
    let again = act(&mut peer, ActKind::Message).await;
    let id: zuoxi_wire::Id = MESSAGE.parse().unwrap();
    assert_eq!(again.id, id.to_bytes());
    assert_eq!(engine.read_draft(CONVERSATION).await.unwrap(), draft);
    assert!(engine.start().await.unwrap().me.is_some());
}

#[tokio::test]
async fn a_token_that_expired_while_the_app_was_closed_asks_for_the_password() {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let (engine, _peer, _window) = desk(&mut computer).await;
    engine.send_message(CONVERSATION, MESSAGE, "您好".into()).await.unwrap();
    engine.stop().await.unwrap();
    let engine = computer.start();
    let mut window = Window::open(&engine, "main").await;
    let mut peer = computer.gateway.accept().await;
    peer.hello(1).await;
    let request = peer
        .find(|request, kind| matches!(kind, client_frame::Kind::LogIn(_)).then_some(request))
        .await;
    let expired = Problem {
        code: ProblemCode::Session.into(),
        ..Problem::default()
    };
    peer.say(request, gateway_frame::Kind::Problem(expired)).await;
    window
        .event(|event| matches!(event, DeskEvent::SessionEnded { .. }).then_some(()))
        .await;
    assert_eq!(engine.unsent().await.unwrap().waiting, 1);
    let logging_in = async {
        welcome(&mut computer.gateway.accept().await).await;
        let mut peer = computer.gateway.accept().await;
        welcome(&mut peer).await;
        act(&mut peer, ActKind::Message).await
    };
    let (logged_in, _) = tokio::join!(engine.log_in(computer::GATEWAY, "lin", "pw", true), logging_in);
    logged_in.unwrap();
}
