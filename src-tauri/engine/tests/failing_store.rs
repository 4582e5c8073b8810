//! A store that fails behind the session's back: all is read again, and no words are lost on the way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod computer;
mod desks;
mod scripted;

use std::sync::Arc;

use zuoxi_engine::Engine;
use zuoxi_engine::store::MemoryKeyring;
use zuoxi_engine::view::{DeskEvent, DraftView, Mark};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    Answer, Answers, FeedPage, FeedRow, MemberRole, RefusalCode, Refused, Signal, Standing, Summary, answer,
    client_frame, gateway_frame, signal,
};

use computer::{Computer, watch_opens};
use desks::Window;
use scripted::Peer;

const CONVERSATION: &str = "0190b5a0-0000-7000-8000-000000000001";
const MESSAGE: &str = "0190b5a0-0000-7000-8000-00000000000a";
const NO_ROWS: &str = "CREATE TRIGGER no_rows BEFORE INSERT ON feed_rows BEGIN SELECT RAISE(ABORT, 'no'); END;";
const NO_ACTS: &str = "CREATE TRIGGER no_acts BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END;";

struct Desk {
    computer: Computer,
    engine: Engine,
    peer: Peer,
    window: Window,
    /// The question for the agent's feed, which nobody has answered.
    feed: u32,
}

async fn desk() -> Desk {
    let mut computer = Computer::new(Arc::new(MemoryKeyring::default()));
    let engine = computer.start();
    let mut peer = computer.log_in(&engine, true).await;
    let feed = peer
        .find(|request, kind| matches!(kind, client_frame::Kind::ReadFeed(_)).then_some(request))
        .await;
    let mut window = Window::open(&engine, "main").await;
    engine.observe_timeline(&window.id, CONVERSATION, -1, 50).await.unwrap();
    watch_opens(&mut peer).await;
    window.until(|window| window.timeline.as_ref().map(|_| ())).await;
    Desk {
        computer,
        engine,
        peer,
        window,
        feed,
    }
}

impl Desk {
    /// Another conversation in the agent's feed. Returns once the store was given it.
    async fn a_row_comes(&mut self) {
        let row = FeedRow {
            revision: 1,
            conversation: vec![9; 16].into(),
            standing: Standing::In.into(),
            summary: Some(Summary::default()),
            head: 0,
            floor: 1,
        };
        let page = FeedPage {
            feed_epoch: 1,
            rows: vec![row],
            revision: 1,
            ..FeedPage::default()
        };
        self.peer.say(self.feed, gateway_frame::Kind::FeedPage(page)).await;
        let typing = Signal {
            conversation: CONVERSATION.parse::<Id>().unwrap().to_bytes(),
            member: vec![8; 16].into(),
            role: MemberRole::Customer.into(),
            kind: Some(signal::Kind::Typing(true)),
        };
        self.peer.say(0, gateway_frame::Kind::Signal(typing)).await;
        self.window
            .event(|event| matches!(event, DeskEvent::Typing { .. }).then_some(()))
            .await;
    }

    /// Sends words, and types more.
    async fn write(&self) {
        self.engine
            .send_message(CONVERSATION, MESSAGE, "您好".into())
            .await
            .unwrap();
        let since = DraftView {
            text: "还有".into(),
            ..DraftView::default()
        };
        self.engine
            .save_draft(&self.window.id, CONVERSATION, since)
            .await
            .unwrap();
    }

    async fn draft(&self) -> String {
        self.engine.read_draft(CONVERSATION).await.unwrap().text
    }
}

#[tokio::test]
async fn words_whose_commit_fails_while_all_is_read_again_come_back() {
    let mut desk = desk().await;
    let database = desk.computer.open_database();
    // Nothing is stored until this is committed: what the network brought fails first, then the act.
    database
        .execute_batch(&format!("BEGIN IMMEDIATE; {NO_ROWS} {NO_ACTS}"))
        .unwrap();
    desk.a_row_comes().await;
    desk.write().await;
    database.execute_batch("COMMIT").unwrap();
    let back = desk
        .window
        .event(|event| match event {
            DeskEvent::PutBack { text, reason, .. } => Some((text.clone(), reason.clone())),
            _ => None,
        })
        .await;
    assert_eq!(back, ("您好".to_owned(), "store".to_owned()));
    assert_eq!(desk.draft().await, "您好\n还有");
    assert_eq!(desk.engine.unsent().await.unwrap().waiting, 0);
    // Stored as well, though no composer has saved it.
    desk.engine.stop().await.unwrap();
    database
        .execute_batch("DROP TRIGGER no_rows; DROP TRIGGER no_acts;")
        .unwrap();
    desk.computer.no_network();
    desk.engine = desk.computer.start();
    assert_eq!(desk.draft().await, "您好\n还有");
}

#[tokio::test]
async fn words_come_back_once_an_account_opens_whose_store_could_not_be_read() {
    let mut desk = desk().await;
    let database = desk.computer.open_database();
    database
        .execute_batch(&format!(
            "BEGIN IMMEDIATE; {NO_ROWS} ALTER TABLE outbox RENAME TO gone;"
        ))
        .unwrap();
    desk.a_row_comes().await;
    desk.write().await;
    database.execute_batch("COMMIT").unwrap();
    desk.window
        .event(|event| matches!(event, DeskEvent::Me { me: None }).then_some(()))
        .await;
    assert_eq!(desk.engine.start().await.unwrap().trouble.unwrap().error.code, "store");
    database
        .execute_batch("DROP TRIGGER no_rows; ALTER TABLE gone RENAME TO outbox;")
        .unwrap();
    drop(database);
    desk.computer.log_in_again(&desk.engine).await;
    assert_eq!(desk.draft().await, "您好\n还有");
}

#[tokio::test]
async fn a_draft_that_was_not_stored_is_stored_with_the_next_try_though_it_is_the_same() {
    let mut desk = desk().await;
    let database = desk.computer.open_database();
    database
        .execute_batch("CREATE TRIGGER no_drafts BEFORE INSERT ON drafts BEGIN SELECT RAISE(ABORT, 'no'); END;")
        .unwrap();
    let draft = DraftView {
        text: "您好".into(),
        ..DraftView::default()
    };
    let save = || desk.engine.save_draft(&desk.window.id, CONVERSATION, draft.clone());
    save().await.unwrap();
    // What is stored after it says that it failed.
    let elsewhere = "0190b5a0-0000-7000-8000-000000000002";
    desk.engine.send_message(elsewhere, MESSAGE, "在".into()).await.unwrap();
    desk.peer
        .find(|_, kind| matches!(kind, client_frame::Kind::Acts(_)).then_some(()))
        .await;
    database.execute_batch("DROP TRIGGER no_drafts").unwrap();
    save().await.unwrap();
    desk.engine.stop().await.unwrap();
    desk.computer.no_network();
    desk.engine = desk.computer.start();
    assert_eq!(desk.draft().await, "您好");
}

#[tokio::test]
async fn a_resend_that_fails_leaves_its_words_where_they_were_parked() {
    let mut desk = desk().await;
    desk.engine
        .send_message(CONVERSATION, MESSAGE, "您好".into())
        .await
        .unwrap();
    let act = desk
        .peer
        .find(|_, kind| match kind {
            client_frame::Kind::Acts(mut acts) => acts.acts.pop(),
            _ => None,
        })
        .await;
    let refused = Refused {
        code: RefusalCode::Stale.into(),
        ..Refused::default()
    };
    let answer = Answer {
        conversation: act.conversation.clone(),
        lane: act.lane,
        number: act.number,
        id: act.id.clone(),
        result: Some(answer::Result::Refused(refused)),
    };
    desk.peer
        .say(0, gateway_frame::Kind::Answers(Answers { answers: vec![answer] }))
        .await;
    let not_sent = |window: &Window| {
        let row = window.timeline.as_ref()?.rows.last()?;
        (row.mark == Some(Mark::NotSent) && row.key == MESSAGE).then_some(())
    };
    desk.window.until(not_sent).await;
    desk.computer.open_database().execute_batch(NO_ACTS).unwrap();
    desk.engine.resend(CONVERSATION, MESSAGE).await.unwrap();
    // All is read again, and a new connection made.
    let mut peer = desk.computer.gateway.accept().await;
    computer::welcome(&mut peer).await;
    watch_opens(&mut peer).await;
    desk.window.until(not_sent).await;
    assert_eq!(desk.draft().await, "");
    assert_eq!(desk.engine.unsent().await.unwrap().parked, 1);
    let back = |event: &DeskEvent| matches!(event, DeskEvent::PutBack { .. });
    assert!(!desk.window.events.iter().any(back));
}
