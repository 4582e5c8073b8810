//! The whole path for real: desks in WebKitGTK windows, the web chat page in Chromium, a gateway process. Run by
//! `cargo xtask test` on a screen of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use zuoxi_tests::chat::Chat;
use zuoxi_tests::desk::{Desk, Told};
use zuoxi_tests::gateway::{Gateway, PASSWORD};

const AGENTS: &[(&str, &str)] = &[("shen", "沈佳宁"), ("wang", "王珊")];

struct World {
    folder: TempDir,
    gateway: Gateway,
}

impl World {
    fn new() -> Told<Self> {
        let folder = TempDir::new()?;
        let gateway = Gateway::start(&folder.path().join("gateway"), AGENTS)?;
        Ok(Self { folder, gateway })
    }

    async fn desk(&self, login: &str) -> Told<Desk> {
        let desk = Desk::start(&self.data(login), &self.gateway.address(), login, PASSWORD).await?;
        desk.log_in().await?;
        desk.up_to_date().await?;
        Ok(desk)
    }

    fn data(&self, login: &str) -> std::path::PathBuf {
        self.folder.path().join(login)
    }

    async fn chat(&self) -> Told<Chat> {
        Chat::open(&self.gateway.chat_page()).await
    }
}

/// What a page's bubbles say, in order; only those that begin with a mark of this test.
async fn said(driver: &WebDriver, mark: &str) -> Told<Vec<String>> {
    let script = format!(
        "return [...document.querySelectorAll('.tx, .b')].filter(e => !e.querySelector('.tx'))
            .map(e => e.innerText.trim().split('\\n')[0].trim()).filter(t => t.startsWith({}))",
        json!(mark)
    );
    let answer = driver.execute(&script, vec![]).await?.json().clone();
    Ok(serde_json::from_value(answer)?)
}

async fn says(driver: &WebDriver, mark: &str, expected: &[&str]) -> Told {
    let begun = std::time::Instant::now();
    loop {
        let now = said(driver, mark).await?;
        if now == expected {
            return Ok(());
        }
        if begun.elapsed() > zuoxi_tests::desk::PATIENCE {
            let page = driver.execute("return document.body.innerText", vec![]).await?;
            return Err(format!("{now:?} instead of {expected:?}; the page says:\n{}", page.json()).into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Checks the gateway's database from outside: each of these texts is stored once, in this order of Seq.
fn stored(data: &Path, mark: &str, expected: &[&str]) -> Told {
    let mut found = Vec::new();
    for file in std::fs::read_dir(data)?.flatten().map(|entry| entry.path()) {
        if file.extension().is_none_or(|extension| extension != "db") {
            continue;
        }
        let database = rusqlite::Connection::open(file)?;
        let mut rows = database.prepare("SELECT content FROM entries ORDER BY conversation, seq")?;
        for content in rows.query_map([], |row| row.get::<_, Option<Vec<u8>>>(0))? {
            let content = String::from_utf8_lossy(&content?.unwrap_or_default()).into_owned();
            found.extend(
                expected
                    .iter()
                    .filter(|text| content.contains(**text))
                    .map(|text| (*text).to_owned()),
            );
        }
    }
    let found: Vec<_> = found.into_iter().filter(|text| text.starts_with(mark)).collect();
    if found == expected {
        Ok(())
    } else {
        Err(format!("the gateway holds {found:?} instead of {expected:?}").into())
    }
}

#[tokio::test]
#[ignore = "needs a screen: cargo xtask test"]
async fn a_customer_writes_and_is_answered_from_a_tile() -> Told {
    let mut world = World::new()?;
    let desk = world.desk("shen").await?;
    let chat = world.chat().await?;

    chat.write("e2e: 你好，杯子裂了").await?;
    desk.click("[data-test=inbox-row]").await?;
    says(&desk.driver, "e2e:", &["e2e: 你好，杯子裂了"]).await?;

    desk.see(".tile textarea, textarea").await?.click().await?;
    desk.keys("e2e: 马上为您补发").await?;
    desk.keys(Key::Enter).await?;
    says(&chat.driver, "e2e:", &["e2e: 你好，杯子裂了", "e2e: 马上为您补发"]).await?;
    // Its mark comes back: the customer's page has it.
    desk.until("return document.body.innerText.includes('已读') || document.body.innerText.includes('已送达')")
        .await?;

    // A note is seen by agents alone.
    desk.keys(Key::Control + "m").await?;
    desk.keys("e2e: 内部备注").await?;
    desk.keys(Key::Enter).await?;
    says(
        &desk.driver,
        "e2e:",
        &["e2e: 你好，杯子裂了", "e2e: 马上为您补发", "e2e: 内部备注"],
    )
    .await?;
    desk.keys(Key::Control + "m").await?;
    desk.keys("e2e: 备注之后").await?;
    desk.keys(Key::Enter).await?;
    let public = ["e2e: 你好，杯子裂了", "e2e: 马上为您补发", "e2e: 备注之后"];
    says(&chat.driver, "e2e:", &public).await?;

    // In a window of its own, and back.
    desk.keys(Key::Control + "o").await?;
    desk.windows(2).await?;
    desk.switch_to("[data-test=popped-out]").await?;
    desk.see("textarea").await?.click().await?;
    desk.keys("e2e: 从小窗口").await?;
    desk.keys(Key::Enter).await?;
    says(
        &chat.driver,
        "e2e:",
        &[public[0], public[1], public[2], "e2e: 从小窗口"],
    )
    .await?;
    desk.keys_that_close(Key::Control + "o").await?;
    desk.windows(1).await?;
    desk.switch_to("[data-test=inbox]").await?;
    desk.see("textarea").await?.click().await?;

    // Closed by the agent; the customer writes again and it opens again.
    desk.keys(Key::Control + "d").await?;
    desk.confirm_if_asked().await?;
    chat.until("return /已结束|已关闭/.test(document.body.innerText)")
        .await?;
    chat.write("e2e: 还有一个问题").await?;
    desk.until("return document.body.innerText.includes('e2e: 还有一个问题')")
        .await?;

    let all = [
        public[0],
        public[1],
        "e2e: 内部备注",
        public[2],
        "e2e: 从小窗口",
        "e2e: 还有一个问题",
    ];
    world.gateway.kill();
    stored(world.gateway.data(), "e2e:", &all)
}

#[tokio::test]
#[ignore = "needs a screen: cargo xtask test"]
async fn what_was_typed_survives_kill_9_of_desk_and_gateway() -> Told {
    let mut world = World::new()?;
    let desk = world.desk("shen").await?;
    let chat = world.chat().await?;
    chat.write("e2e: 一").await?;
    desk.click("[data-test=inbox-row]").await?;
    says(&desk.driver, "e2e:", &["e2e: 一"]).await?;
    desk.see("textarea").await?.click().await?;

    // The gateway is gone in mid-talk; both sides go on typing.
    world.gateway.kill();
    desk.keys("e2e: 二").await?;
    desk.keys(Key::Enter).await?;
    desk.keys("e2e: 三").await?;
    desk.keys(Key::Enter).await?;
    desk.keys("e2e: 草稿").await?;
    chat.write("e2e: 四").await?;
    desk.until("return document.querySelector('[data-test=sync]')?.dataset.state === 'offline'")
        .await?;
    desk.stored_here().await?;

    // The desk is gone too, comes back without a server, and shows all of it.
    desk.kill()?;
    let desk = Desk::start(&world.data("shen"), &world.gateway.address(), "shen", PASSWORD).await?;
    desk.see("[data-test=inbox]").await?;
    says(&desk.driver, "e2e:", &["e2e: 一", "e2e: 二", "e2e: 三"]).await?;
    desk.until("return document.querySelector('textarea')?.value === 'e2e: 草稿'")
        .await?;

    // Everything back: each message once, in one order, on both sides.
    world.gateway.serve()?;
    desk.up_to_date().await?;
    let begun = std::time::Instant::now();
    let order = loop {
        let (here, there) = (said(&desk.driver, "e2e:").await?, said(&chat.driver, "e2e:").await?);
        if here.len() == 4 && here == there {
            break here;
        }
        if begun.elapsed() > Duration::from_mins(1) {
            return Err(format!("desk {here:?}, chat {there:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let place = |text: &str| order.iter().position(|said| said == text);
    assert_eq!(place("e2e: 一"), Some(0), "{order:?}");
    assert!(place("e2e: 二") < place("e2e: 三"), "{order:?}");
    world.gateway.kill();
    stored(
        world.gateway.data(),
        "e2e:",
        &order.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

#[tokio::test]
#[ignore = "needs a screen: cargo xtask test"]
async fn a_conversation_is_handed_to_a_second_desk() -> Told {
    let world = World::new()?;
    let first = world.desk("shen").await?;
    let chat = world.chat().await?;
    chat.write("e2e: 转给谁都行").await?;
    first.click("[data-test=inbox-row]").await?;
    let second = world.desk("wang").await?;

    first.see("textarea").await?.click().await?;
    first.keys(Key::Control + "t").await?;
    first.see("[data-test=dialog-transfer] input").await?;
    first.keys("王珊").await?;
    first
        .until("return document.querySelectorAll('[data-test=dialog-transfer] [role=option]').length === 1")
        .await?;
    first.keys(Key::Enter).await?;

    second.click("[data-test=inbox-row]").await?;
    says(&second.driver, "e2e:", &["e2e: 转给谁都行"]).await?;
    second.see("textarea").await?.click().await?;
    second.keys("e2e: 我是王珊").await?;
    second.keys(Key::Enter).await?;
    says(&chat.driver, "e2e:", &["e2e: 转给谁都行", "e2e: 我是王珊"]).await?;
    chat.reads("王珊").await
}

#[tokio::test]
#[ignore = "needs a screen: cargo xtask test"]
async fn after_a_restore_the_desk_says_what_the_server_lost() -> Told {
    let mut world = World::new()?;
    let desk = world.desk("shen").await?;
    let chat = world.chat().await?;
    chat.write("e2e: 备份之前").await?;
    desk.click("[data-test=inbox-row]").await?;
    desk.see("textarea").await?.click().await?;
    says(&desk.driver, "e2e:", &["e2e: 备份之前"]).await?;

    let backup = world.folder.path().join("backup.db");
    world.gateway.command(&["backup", &backup.to_string_lossy()])?;
    desk.keys("e2e: 备份之后").await?;
    desk.keys(Key::Enter).await?;
    says(&chat.driver, "e2e:", &["e2e: 备份之前", "e2e: 备份之后"]).await?;

    world.gateway.kill();
    world.gateway.command(&["restore", &backup.to_string_lossy()])?;
    world.gateway.serve()?;
    desk.up_to_date().await?;
    desk.until("return document.body.innerText.includes('服务器')").await?;
    says(&desk.driver, "e2e:", &["e2e: 备份之前", "e2e: 备份之后"]).await?;
    says(&chat.driver, "e2e:", &["e2e: 备份之前"]).await
}

#[tokio::test]
#[ignore = "needs a screen: cargo xtask test"]
async fn windows_of_their_own_come_back_after_a_kill() -> Told {
    let world = World::new()?;
    let desk = world.desk("shen").await?;
    let chat = world.chat().await?;
    chat.write("e2e: 小窗口").await?;
    desk.click("[data-test=inbox-row]").await?;
    desk.see("textarea").await?.click().await?;
    desk.keys(Key::Control + "o").await?;
    desk.windows(2).await?;
    desk.switch_to("[data-test=popped-out]").await?;
    says(&desk.driver, "e2e:", &["e2e: 小窗口"]).await?;

    desk.kill()?;
    let desk = Desk::start(&world.data("shen"), &world.gateway.address(), "shen", PASSWORD).await?;
    desk.windows(2).await?;
    desk.switch_to("[data-test=popped-out]").await?;
    says(&desk.driver, "e2e:", &["e2e: 小窗口"]).await
}

#[tokio::test]
#[ignore = "needs a screen: cargo xtask test"]
async fn a_wrong_password_is_said_and_nothing_is_kept() -> Told {
    let world = World::new()?;
    let desk = Desk::start(
        &world.data("shen"),
        &world.gateway.address(),
        "shen",
        "not the password",
    )
    .await?;
    desk.click("[data-test=log-in]").await?;
    desk.see("[data-test=log-in-fault]").await?;
    let inbox = desk
        .driver
        .execute("return document.querySelector('[data-test=inbox]') === null", vec![])
        .await?;
    assert_eq!(inbox.json(), &Value::Bool(true));
    Ok(())
}
