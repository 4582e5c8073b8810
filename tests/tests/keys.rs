//! Walks the desk's key table in the real window: each key does what UI.md says. Run by `cargo xtask test` on a screen
//! of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::TypingData;
use thirtyfour::prelude::*;
use zuoxi_engine::net::{Proxies, WebSocketTransport};
use zuoxi_engine::store::MemoryKeyring;
use zuoxi_engine::view::TransferTo;
use zuoxi_engine::{Engine, EngineConfig, Surroundings};
use zuoxi_tests::desk::{Desk, Told};
use zuoxi_tests::full_desk;
use zuoxi_tests::gateway::{Gateway, PASSWORD};
use zuoxi_tests::soak::customers::Customers;
use zuoxi_torture::proxy::{Line, Weather};

/// Where the keyboard stands: `row:<conversation>`, `composer:<tile>`, or the element's name.
const STANDING: &str = "(() => {
    const at = document.activeElement;
    if (at?.dataset?.conversation) return `row:${at.dataset.conversation}`;
    if (at?.tagName === 'TEXTAREA') return `composer:${at.closest('section')?.querySelector('.tno')?.textContent ?? ''}`;
    return at?.tagName ?? '';
})()";
const TILES: &str = "document.querySelectorAll('.tiles > *').length";
const COMPOSER: &str = "document.querySelector('.tile.on textarea')";
const NEWEST: &str = "[...document.querySelectorAll('.tile.on [data-bubble][data-mark]')].at(-1)";

/// What the walk goes through.
struct Walk {
    desk: Desk,
    walked: BTreeSet<&'static str>,
    conversations: Vec<String>,
}

impl Walk {
    /// Presses a key of the table.
    async fn press(&mut self, id: &'static str, keys: impl Into<TypingData>) -> Told {
        self.walked.insert(id);
        self.desk.keys(keys).await
    }

    /// Waits until this is so.
    async fn so(&self, script: &str) -> Told {
        self.desk.until(&format!("return {script}")).await.map(drop)
    }

    async fn stands(&self, place: &str) -> Told {
        self.so(&format!("{STANDING} === {}", json!(place))).await
    }

    async fn ask(&self, script: &str) -> Told<Value> {
        Ok(self
            .desk
            .driver
            .execute(&format!("return {script}"), vec![])
            .await?
            .json()
            .clone())
    }

    /// Opens a conversation in a tile, by mouse.
    async fn open(&self, nth: usize, tile: usize) -> Told {
        let row = row(&self.conversations[nth]);
        self.desk.keys(Key::Control + tile.to_string().as_str()).await?;
        self.desk.driver.execute(&format!("{row}.click()"), vec![]).await?;
        self.shown_in(nth, &tile.to_string()).await
    }

    /// The tile's number stands at a conversation's row.
    async fn shown_in(&self, nth: usize, tile: &str) -> Told {
        let row = row(&self.conversations[nth]);
        self.so(&format!("{row}?.querySelector('.tno')?.textContent === '{tile}'"))
            .await
    }

    async fn dialog(&self, name: &str, open: bool) -> Told {
        self.so(&format!(
            "(document.querySelector('[data-test=dialog-{name}]') !== null) === {open}"
        ))
        .await
    }

    async fn layouts_and_tiles(&mut self) -> Told {
        for tiles in ["1", "2", "4", "6"] {
            self.press("layout 1, 2, 4, 6", Key::Control + Key::Alt + tiles).await?;
            self.so(&format!("{TILES} === {tiles}")).await?;
        }
        for nth in 0..4 {
            self.open(nth, nth + 1).await?;
        }
        for tile in ["1", "2", "3", "4"] {
            self.press("tile 1–6", Key::Control + tile).await?;
            self.stands(&format!("composer:{tile}")).await?;
        }
        for tile in ["5", "6"] {
            self.press("tile 1–6", Key::Control + tile).await?;
            self.so(&format!(
                "document.querySelector('.tile.on .tno').textContent === '{tile}'"
            ))
            .await?;
        }
        self.press("next tile", Key::Control + Key::Tab).await?;
        self.stands("composer:1").await?;
        self.press("next tile", Key::Control + Key::Tab).await?;
        self.stands("composer:2").await?;
        self.press("previous tile", Key::Control + Key::Shift + Key::Tab)
            .await?;
        self.stands("composer:1").await
    }

    async fn writing(&mut self) -> Told {
        self.desk.keys("keys: eins").await?;
        self.press("newline", Key::Shift + Key::Enter).await?;
        self.desk.keys("zwei").await?;
        self.so(&format!("{COMPOSER}.value === 'keys: eins\\nzwei'")).await?;
        self.press("send", Key::Enter).await?;
        self.so(&format!(
            "{NEWEST}?.innerText.includes('zwei') && {COMPOSER}.value === ''"
        ))
        .await?;
        self.so(&format!("{NEWEST}?.dataset.mark === 'sent'")).await?;

        self.press("internal note", Key::Control + "m").await?;
        self.so("document.querySelector('.tile.on .cmp.noting') !== null")
            .await?;
        self.press("internal note", Key::Control + "m").await?;
        self.so("document.querySelector('.tile.on .cmp.noting') === null")
            .await?;

        // A message is chosen, left again, copied, recalled.
        let picked = "document.querySelector('.tile.on .b.picked')";
        self.press("select a message", Key::Up).await?;
        self.so(&format!("{picked}?.innerText.includes('zwei')")).await?;
        self.press("back to composer", Key::Escape).await?;
        self.so(&format!("{picked} === null")).await?;
        self.press("select a message", Key::Up).await?;
        self.so(&format!("{picked} !== null")).await?;
        self.press("copy the selected message", "c").await?;
        self.so("document.querySelector('[data-test=toast]')?.innerText.includes('已复制')")
            .await?;
        self.press("select a message", Key::Up).await?;
        self.so(&format!("{picked} !== null")).await?;
        self.press("recall the selected message", Key::Delete).await?;
        self.so("document.querySelector('.tile.on .b.gone') !== null").await
    }

    /// Answers one after the other: each time the one who waits longest of the rest is shown.
    async fn who_waits(&mut self) -> Told {
        let waiting =
            "[...document.querySelectorAll('[data-test=inbox-row]')].filter((row) => row.querySelector('.wait'))";
        self.press("next waiting", Key::Control + "j").await?;
        let first = "document.querySelector('[data-test=inbox-row]')";
        self.so(&format!("{first}.classList.contains('sel') || {waiting}.length === 0"))
            .await?;
        self.so(&format!("{STANDING}.startsWith('composer:')")).await?;
        let before = self
            .ask("document.querySelector('[data-test=inbox-row].sel').dataset.conversation")
            .await?;
        self.desk.keys("keys: und weiter").await?;
        self.press("send, then next waiting", Key::Control + Key::Enter).await?;
        self.so(&format!(
            "document.querySelector('[data-test=inbox-row].sel')?.dataset.conversation !== {before}"
        ))
        .await?;
        self.so(&format!("{STANDING}.startsWith('composer:')")).await
    }

    async fn inbox(&mut self) -> Told {
        self.press("to inbox", Key::Control + "i").await?;
        self.so(&format!("{STANDING}.startsWith('row:')")).await?;
        self.press("back to composer", Key::Escape).await?;
        self.so(&format!("{STANDING}.startsWith('composer:')")).await?;
        self.press("to inbox", Key::Control + "i").await?;
        // Up to the first, then down: the rows in their order.
        let rows = self
            .ask("[...document.querySelectorAll('[data-test=inbox-row]')].map((row) => row.dataset.conversation)")
            .await?;
        let rows: Vec<String> = serde_json::from_value(rows)?;
        for _ in &rows {
            self.press("inbox up", Key::Alt + Key::Up).await?;
        }
        self.stands(&format!("row:{}", rows[0])).await?;
        self.press("inbox down", Key::Alt + Key::Down).await?;
        self.stands(&format!("row:{}", rows[1])).await?;
        self.press("inbox up", Key::Alt + Key::Up).await?;
        self.stands(&format!("row:{}", rows[0])).await?;

        // The row that no tile shows: opened in the focused tile, hidden, opened in a free one.
        let hidden = rows
            .iter()
            .position(|row| *row == self.conversations[4])
            .ok_or("the fifth conversation is gone")?;
        for _ in 0..hidden {
            self.press("inbox down", Key::Alt + Key::Down).await?;
        }
        self.stands(&format!("row:{}", rows[hidden])).await?;
        self.press("open row in a new tile", Key::Control + Key::Enter).await?;
        let free = ["5", "6"].map(|tile| {
            format!(
                "{}?.querySelector('.tno')?.textContent === '{tile}'",
                row(&rows[hidden])
            )
        });
        self.so(&free.join(" || ")).await?;
        self.so(&format!("{STANDING}.startsWith('composer:')")).await?;
        self.press("hide tile", Key::Control + "w").await?;
        self.so(&format!("{}.querySelector('.tno') === null", row(&rows[hidden])))
            .await?;
        self.desk.keys(Key::Control + "1").await?;
        self.stands("composer:1").await?;
        self.desk.keys(Key::Control + "i").await?;
        for _ in &rows {
            self.desk.keys(Key::Alt + Key::Up).await?;
        }
        for _ in 0..hidden {
            self.desk.keys(Key::Alt + Key::Down).await?;
        }
        self.stands(&format!("row:{}", rows[hidden])).await?;
        self.press("open row", Key::Enter).await?;
        self.shown_in(4, "1").await?;
        self.stands("composer:1").await?;

        for (key, tab) in [("2", "queue"), ("3", "team"), ("4", "closed"), ("1", "mine")] {
            self.press("inbox tabs", Key::Alt + key).await?;
            self.so(&format!(
                "document.querySelector('[data-test=tab-{tab}]').ariaSelected === 'true'"
            ))
            .await?;
        }
        Ok(())
    }

    async fn over_the_desk(&mut self) -> Told {
        self.press("all keys", Key::Control + "/").await?;
        self.dialog("keys", true).await?;
        self.desk.keys(Key::Escape).await?;
        self.dialog("keys", false).await?;
        self.press("settings", Key::Control + ",").await?;
        self.dialog("settings", true).await?;
        self.desk.keys(Key::Escape).await?;
        self.dialog("settings", false).await?;
        self.press("transfer", Key::Control + "t").await?;
        self.dialog("transfer", true).await?;
        self.desk.keys(Key::Escape).await?;
        self.dialog("transfer", false).await?;
        self.press("my presence", Key::Control + "s").await?;
        self.so("document.querySelector('[role=menu]') !== null").await?;
        self.desk.keys("2").await?;
        self.so("document.querySelector('[data-test=presence]').title.includes('忙碌')")
            .await?;
        self.desk.keys(Key::Control + "s").await?;
        self.so("document.querySelector('[role=menu]') !== null").await?;
        self.desk.keys("1").await?;
        self.so("document.querySelector('[data-test=presence]').title.includes('在线')")
            .await?;
        let panel = "(document.querySelector('[data-test=panel]') !== null)";
        let shown = self.ask(panel).await?;
        self.press("customer panel", Key::Control + "b").await?;
        self.so(&format!("{panel} !== {shown}")).await?;
        self.press("customer panel", Key::Control + "b").await?;
        self.so(&format!("{panel} === {shown}")).await
    }

    async fn out_and_back(&mut self) -> Told {
        self.desk.keys(Key::Control + "2").await?;
        self.stands("composer:2").await?;
        self.press("pop out, and back", Key::Control + "o").await?;
        self.desk.windows(2).await?;
        self.desk.switch_to("[data-test=popped-out]").await?;
        self.desk.see("textarea").await?.click().await?;
        self.desk.keys_that_close(Key::Control + "o").await?;
        self.desk.windows(1).await?;
        self.desk.switch_to("[data-test=inbox]").await?;
        self.so(&format!("{STANDING}.startsWith('composer:')")).await
    }

    /// Closes what the focused tile shows.
    async fn close_one(&mut self) -> Told {
        let of = self
            .ask("document.querySelector('[data-test=inbox-row].sel').dataset.conversation")
            .await?;
        self.press("close conversation", Key::Control + "d").await?;
        self.desk.confirm_if_asked().await?;
        self.so(&format!("document.querySelector('[data-conversation={of}]') === null"))
            .await
    }
}

fn row(conversation: &str) -> String {
    format!("document.querySelector('[data-test=inbox-row][data-conversation=\"{conversation}\"]')")
}

/// Names of all keys, as the desk's own table has them.
fn table() -> Told<BTreeSet<String>> {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../ui/desk/keys/keyMap.ts"))?;
    let names = source.split("id: \"").skip(1).filter_map(|rest| rest.split_once('"'));
    Ok(names.map(|(name, _)| name.to_owned()).collect())
}

/// Another agent, without a screen.
async fn colleague(folder: &TempDir, gateway: &str) -> Told<Engine> {
    let mut surroundings = Surroundings::system(Arc::new(|_| 480));
    surroundings.transport = Arc::new(WebSocketTransport::new(Proxies::none()));
    let engine = Engine::open(EngineConfig {
        data_dir: folder.path().join("wang"),
        software: "headless".into(),
        language: "zh-CN".into(),
        keyring: Arc::new(MemoryKeyring::default()),
        surroundings,
    })?;
    engine.log_in(gateway, "wang", PASSWORD, true).await?;
    Ok(engine)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a screen: cargo xtask test"]
async fn every_key_does_what_the_table_says() -> Told {
    let folder = TempDir::new()?;
    let mut gateway = Gateway::with_room(
        &folder.path().join("gateway"),
        &[("shen", "沈佳宁"), ("wang", "王珊")],
        20,
    )?;
    // Who is away for a second loses the conversations: that is how a message fails, below.
    gateway.kill();
    gateway.command(&["team", "add", "售前", "--grace", "1"])?;
    gateway.serve()?;
    let line = Line::open(gateway.address().parse()?).await?;
    let data = folder.path().join("shen");
    full_desk::wide(&data)?;
    let desk = Desk::start(&data, &line.address().to_string(), "shen", PASSWORD).await?;
    desk.log_in().await?;
    desk.up_to_date().await?;
    Customers::start(&gateway.address(), 6, 4.0, Duration::from_secs(4))?
        .end()
        .await?;
    let rows = "[...document.querySelectorAll('[data-test=inbox-row]')].map((row) => row.dataset.conversation)";
    let rows = desk
        .until(&format!("const rows = {rows}; return rows.length === 6 && rows"))
        .await?;
    let mut walk = Walk {
        desk,
        walked: BTreeSet::new(),
        conversations: serde_json::from_value(rows)?,
    };
    walk.layouts_and_tiles().await?;
    walk.writing().await?;
    walk.inbox().await?;
    walk.who_waits().await?;
    walk.over_the_desk().await?;
    walk.out_and_back().await?;
    walk.close_one().await?;

    // Away for too long: the colleague has them, and what was typed meanwhile can't be sent.
    let wang = colleague(&folder, &gateway.address()).await?;
    walk.desk.keys(Key::Control + "1").await?;
    walk.stands("composer:1").await?;
    let conversation = walk
        .ask("document.querySelector('[data-test=inbox-row].sel').dataset.conversation")
        .await?;
    let conversation = conversation.as_str().ok_or("nothing is open")?.to_owned();
    line.set(Weather::Cut(0));
    walk.desk.keys("keys: zu spät").await?;
    walk.desk.keys(Key::Enter).await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    line.set(Weather::Fair);
    walk.so(&format!("{NEWEST}?.dataset.mark === 'not_sent'")).await?;
    let targets = wang.transfer_targets().await?;
    let me = targets.agents.iter().find(|agent| agent.name == "沈佳宁");
    let to = me.ok_or("the desk's agent isn't there")?;
    wang.transfer(&conversation, TransferTo::Agent(to.id.clone()), String::new())
        .await?;
    walk.so(&format!("{} !== null", row(&conversation))).await?;
    walk.press("resend the failed one", Key::Control + "r").await?;
    walk.so(&format!(
        "{NEWEST}?.dataset.mark === 'sent' && {NEWEST}.innerText.includes('zu spät')"
    ))
    .await?;

    let walked: BTreeSet<String> = walk.walked.iter().map(|&id| id.to_owned()).collect();
    assert_eq!(walked, table()?, "a key of the table wasn't walked");
    Ok(())
}
