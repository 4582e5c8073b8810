//! Headless desks and a customer talk through a real gateway over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod customer;
mod headless;

use std::time::Duration;

use zuoxi_engine::view::{DeskEvent, InboxTab, Mark, PresenceView, RowBody, StatusView, SyncView, TransferTo};
use zuoxi_tests::gateway::Gateway;

use customer::Customer;
use headless::Desk;

pub(crate) async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("nothing came")
}

#[tokio::test]
async fn a_customer_writes_an_agent_answers_and_hands_over() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&folder.path().join("gateway"), &[("lin", "小林"), ("wang", "小王")]).unwrap();
    let mut lin = Desk::logged_in(&folder.path().join("lin"), &gateway.address(), "lin").await;
    lin.show(InboxTab::Mine).await;

    // A customer writes: it comes to the only agent who is there.
    let mut customer = Customer::new(&gateway.address()).await;
    customer.write("你好，台灯还有货吗？").await;
    let row = lin
        .until("the conversation is there", |desk| {
            let rows = &desk.inboxes.get(&InboxTab::Mine)?.rows;
            rows.iter()
                .find(|row| row.preview == "你好，台灯还有货吗？" && row.unread == 1)
                .cloned()
        })
        .await;
    assert!(row.mine && row.waiting.is_some_and(|waiting| waiting.first));
    let conversation = row.conversation;

    // It is opened and answered.
    lin.tile(&conversation).await;
    let seq = lin
        .until("its words are there", |desk| {
            let row = desk
                .rows(&conversation)
                .iter()
                .find(|row| headless::text(row).is_some())?;
            row.seq
        })
        .await;
    lin.engine.mark_read(&conversation, seq).await.unwrap();
    lin.until("it is read", |desk| {
        desk.inboxes
            .get(&InboxTab::Mine)?
            .rows
            .iter()
            .find(|row| row.unread == 0)
            .map(|_| ())
    })
    .await;
    let id = lin.send(&conversation, "有的，今天就能发。").await;
    lin.until("the answer is sent", |desk| {
        matches!(desk.mark(&conversation, &id)?, Mark::Sent | Mark::Delivered).then_some(())
    })
    .await;
    let answered = customer
        .until(|customer| {
            customer
                .entries
                .values()
                .find(|entry| customer::text(entry).as_deref() == Some("有的，今天就能发。"))
                .cloned()
        })
        .await;
    assert_eq!(answered.author_name, "小林");
    customer.read(answered.seq).await;
    lin.until("the customer has read", |desk| {
        (desk.mark(&conversation, &id)? == Mark::Read).then_some(())
    })
    .await;

    // Typing reaches the customer; a note doesn't.
    lin.engine.typing(&conversation, true).await.unwrap();
    customer.until(|customer| customer.typing.then_some(())).await;
    let note = zuoxi_wire::Id::v7(1, customer::rand()).to_string();
    lin.engine
        .write_note(&conversation, &note, "客户很急".into())
        .await
        .unwrap();
    lin.until("the note is stored", |desk| {
        (desk.mark(&conversation, &note)? == Mark::Sent).then_some(())
    })
    .await;

    // Another agent comes; it is handed over, with all that was said.
    let mut wang = Desk::logged_in(&folder.path().join("wang"), &gateway.address(), "wang").await;
    wang.show(InboxTab::Mine).await;
    wang.until("up to date", |desk| {
        matches!(desk.sync, Some(SyncView::UpToDate { .. })).then_some(())
    })
    .await;
    let targets = lin.engine.transfer_targets().await.unwrap();
    let to = targets.agents.iter().find(|agent| agent.name == "小王").unwrap();
    assert_eq!(to.presence, PresenceView::Online);
    lin.engine
        .transfer(&conversation, TransferTo::Agent(to.id.clone()), "请接手".into())
        .await
        .unwrap();
    wang.until("it is handed over", |desk| {
        desk.events
            .iter()
            .find(|event| matches!(event, DeskEvent::Attention { assigned: true, .. }))
            .map(|_| ())
    })
    .await;
    wang.tile(&conversation).await;
    wang.until("all is there", |desk| {
        let whole = desk.texts(&conversation) == ["你好，台灯还有货吗？", "有的，今天就能发。"];
        let rows = desk.rows(&conversation);
        let note = rows
            .iter()
            .any(|row| matches!(&row.body, RowBody::Note { text } if text == "客户很急"));
        let why = rows.iter().any(
            |row| matches!(&row.body, RowBody::Assignment { reason: Some(reason), .. } if reason.text == "请接手"),
        );
        (whole && note && why).then_some(())
    })
    .await;
    lin.until("it left", |desk| {
        desk.inboxes.get(&InboxTab::Mine)?.rows.is_empty().then_some(())
    })
    .await;

    // Taken back, closed, and opened again by the customer.
    let sorry = wang.send(&conversation, "打错了").await;
    wang.until("sent", |desk| {
        matches!(desk.mark(&conversation, &sorry)?, Mark::Sent | Mark::Delivered).then_some(())
    })
    .await;
    wang.engine.recall(&conversation, &sorry).await.unwrap();
    wang.until("recalled", |desk| {
        let row = desk.rows(&conversation).iter().find(|row| row.key == sorry)?;
        matches!(row.body, RowBody::Recalled { .. }).then_some(())
    })
    .await;
    wang.engine.set_tags(&conversation, vec!["急".into()]).await.unwrap();
    let panel = wang.engine.read_customer(&conversation).await.unwrap();
    assert_eq!(panel.page_url, "https://shop.example/lamp");
    wang.engine.close(&conversation).await.unwrap();
    wang.until("closed", |desk| {
        (desk.heads.get(&conversation)?.status == StatusView::Closed).then_some(())
    })
    .await;
    customer.write("还有一个问题").await;
    wang.until("reopened", |desk| {
        (desk.heads.get(&conversation)?.status == StatusView::Open
            && desk.texts(&conversation).contains(&"还有一个问题".into()))
        .then_some(())
    })
    .await;
    assert_eq!(
        customer.texts_at_gateway().await,
        ["你好，台灯还有货吗？", "有的，今天就能发。", "还有一个问题"]
    );
}

#[tokio::test]
async fn kill_9_of_the_gateway_and_a_restart_of_the_desk_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut gateway = Gateway::start(&folder.path().join("gateway"), &[("lin", "小林")]).unwrap();
    let mut desk = Desk::logged_in(&folder.path().join("lin"), &gateway.address(), "lin").await;
    desk.show(InboxTab::Mine).await;
    let mut customer = Customer::new(&gateway.address()).await;
    customer.write("在吗？").await;
    let conversation = desk
        .until("it is there", |desk| {
            Some(desk.inboxes.get(&InboxTab::Mine)?.rows.first()?.conversation.clone())
        })
        .await;
    desk.tile(&conversation).await;
    desk.until("opened", |desk| (!desk.texts(&conversation).is_empty()).then_some(()))
        .await;

    let mut said = vec!["在吗？".to_owned()];
    for round in 0..3 {
        for number in 0..10 {
            let words = format!("第 {round} 轮第 {number} 句");
            desk.send(&conversation, &words).await;
            said.push(words);
            if number == 4 {
                gateway.kill();
            }
        }
        let drafted = zuoxi_engine::view::DraftView {
            text: format!("draft {round}"),
            ..Default::default()
        };
        desk.engine
            .save_draft(&desk.window, &conversation, drafted.clone())
            .await
            .unwrap();
        // Killed too: what was accepted is in its outbox.
        desk.until("all is stored", |desk| {
            let rows = desk.rows(&conversation);
            let writing = rows.iter().any(|row| row.mark == Some(Mark::Writing));
            (!writing && desk.texts(&conversation).len() == said.len()).then_some(())
        })
        .await;
        desk = desk.restart().await;
        let me = desk.engine.start().await.unwrap().me.expect("the session goes on");
        assert_eq!(me.name, "小林");
        desk.show(InboxTab::Mine).await;
        desk.tile(&conversation).await;
        desk.until("all is shown without a gateway", |desk| {
            (desk.texts(&conversation) == said).then_some(())
        })
        .await;
        assert_eq!(desk.engine.read_draft(&conversation).await.unwrap(), drafted);
        gateway.serve().unwrap();
        desk.engine.reconnect_now().await.unwrap();
        desk.until("all is sent", |desk| {
            let rows = desk
                .rows(&conversation)
                .iter()
                .filter(|row| row.mine && headless::text(row).is_some());
            let sent = rows
                .clone()
                .all(|row| matches!(row.mark, Some(Mark::Sent | Mark::Delivered | Mark::Read)));
            (sent && rows.count() == said.len() - 1).then_some(())
        })
        .await;
        assert_eq!(desk.texts(&conversation), said);
    }
    customer.connect().await;
    assert_eq!(customer.texts_at_gateway().await, said);
    desk.until("up to date", |desk| {
        matches!(desk.sync, Some(SyncView::UpToDate { .. })).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_queued_conversation_is_watched_taken_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&folder.path().join("gateway"), &[("lin", "小林")]).unwrap();
    let mut desk = Desk::logged_in(&folder.path().join("lin"), &gateway.address(), "lin").await;
    desk.engine.set_presence(PresenceView::Busy).await.unwrap();
    desk.until("busy", |desk| {
        let busy =
            |event: &DeskEvent| matches!(event, DeskEvent::Me { me: Some(me) } if me.presence == PresenceView::Busy);
        desk.events.iter().any(busy).then_some(())
    })
    .await;
    // Told here at once, it is on its way there.
    desk.is_heard().await;
    desk.show(InboxTab::Queue).await;
    let mut customer = Customer::new(&gateway.address()).await;
    customer.write("有人吗？").await;
    let conversation = desk
        .until("it is queued", |desk| {
            let row = desk.inboxes.get(&InboxTab::Queue)?.rows.first()?;
            (row.preview == "有人吗？" && row.assignee.is_empty()).then(|| row.conversation.clone())
        })
        .await;

    // Reading along: nothing is kept, new words come by themselves.
    desk.tile(&conversation).await;
    desk.until("it is watched", |desk| {
        let view = desk.timelines.get(&conversation)?;
        (view.watched && desk.texts(&conversation) == ["有人吗？"]).then_some(())
    })
    .await;
    customer.write("我等着").await;
    desk.until("it comes", |desk| (desk.texts(&conversation).len() == 2).then_some(()))
        .await;

    // Taken: the same tile goes on, and what follows is kept.
    desk.show(InboxTab::Mine).await;
    desk.engine.take(&conversation).await.unwrap();
    desk.until("it is mine", |desk| {
        let mine = desk
            .inboxes
            .get(&InboxTab::Mine)?
            .rows
            .iter()
            .any(|row| row.conversation == conversation);
        (mine && !desk.timelines.get(&conversation)?.watched).then_some(())
    })
    .await;
    let id = desk.send(&conversation, "来了").await;
    desk.until("it is sent", |desk| {
        matches!(desk.mark(&conversation, &id)?, Mark::Sent | Mark::Delivered).then_some(())
    })
    .await;
    assert_eq!(desk.texts(&conversation), ["有人吗？", "我等着", "来了"]);

    // Nobody looks at it: the shell is told of what the customer writes.
    desk.engine
        .unobserve_timeline(&desk.window, &conversation)
        .await
        .unwrap();
    desk.until("up to date", |desk| {
        matches!(desk.sync, Some(SyncView::UpToDate { .. })).then_some(())
    })
    .await;
    customer.write("多少钱？").await;
    desk.until("attention", |desk| {
        let unseen =
            |event: &&DeskEvent| matches!(event, DeskEvent::Attention { assigned: false, unread, .. } if *unread > 0);
        desk.events.iter().find(unseen).map(|_| ())
    })
    .await;
    desk.until("it waits", |desk| {
        let row = desk.inboxes.get(&InboxTab::Mine)?.rows.first()?;
        (row.preview == "多少钱？" && row.waiting.is_some_and(|waiting| !waiting.first)).then_some(())
    })
    .await;
    assert_eq!(desk.engine.next_waiting(&[]).await.unwrap(), Some(conversation));
    let proof = desk.engine.proof().await.unwrap();
    assert_eq!((proof.gaps, proof.waiting, proof.parked), (0, 0, 0));
    assert!(proof.feeds.iter().any(|feed| feed.name == "售前"));
}
