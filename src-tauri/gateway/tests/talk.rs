//! A customer and an agent talk through a real gateway.
// A test's future may be large: there is one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::large_futures,
    missing_docs
)]

mod world;

use world::{OWN, World, words};
use zuoxi_wire::v1::answer::Result as Outcome;

fn seq(answer: &zuoxi_wire::v1::Answer) -> u64 {
    match &answer.result {
        Some(Outcome::Accepted(accepted)) => accepted.seq,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_customer_writes_an_agent_answers_and_a_kill_keeps_both() {
    let mut world = World::started();
    let mut shen = world.agent("shen").await;
    let mut customer = world.customer().await;
    let asked = customer.say(OWN, "在吗？").await;
    assert!(seq(&asked) >= 1);
    let (conversation, entry) = shen.hear("在吗？").await;
    assert_eq!(entry.id, asked.id);
    let answered = shen.say(conversation, "您好，在的。").await;
    let (_, heard) = customer.hear("您好，在的。").await;
    assert_eq!(heard.id, answered.id);
    assert_eq!(heard.author_name, "沈佳宁");

    world.kill();
    world.start();
    let mut shen = world.agent("shen").await;
    let said: Vec<String> = shen
        .entries(conversation)
        .await
        .iter()
        .filter(|entry| entry.kind == 1)
        .map(words)
        .collect();
    assert_eq!(said, ["在吗？", "您好，在的。"]);
    assert!(world.done(&["check"]).contains("consistent"));
}
