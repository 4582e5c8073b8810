//! The network is pulled from a real desk in mid-burst, and given back: everything on both sides once, in order, and
//! the marks tell the truth at each step. Run by `cargo xtask test` on a screen of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use zuoxi_engine::store::SystemKeyring;
use zuoxi_tests::checker::{self, Cache, Faults, GatewayLog, check_cache, check_gateway};
use zuoxi_tests::desk::{Desk, PATIENCE, Told};
use zuoxi_tests::full_desk::{FullDesk, PLACES, TILES};
use zuoxi_tests::gateway::{Gateway, PASSWORD};
use zuoxi_tests::soak::{customers::Customers, secret};
use zuoxi_torture::proxy::{Line, Weather};

/// Between two messages.
const PACE: Duration = Duration::from_millis(300);
/// Messages of one step: one into each place.
const STEP: usize = PLACES;

const ACCEPTED: [&str; 2] = ["sending", "waiting_for_network"];
const STORED: [&str; 3] = ["sent", "delivered", "read"];

/// What the agent typed, by place, in order.
struct Story {
    desk: FullDesk,
    said: Vec<Vec<String>>,
}

impl Story {
    /// A message into each place, one each 300 ms.
    async fn burst(&mut self) -> Told {
        let mut pace = tokio::time::interval(PACE);
        for place in 0..STEP {
            pace.tick().await;
            let text = format!("net: {place}-{}", self.said[place].len());
            self.desk.turn_to(place).await?;
            self.desk.write(place, &text).await?;
            self.said[place].push(text);
        }
        Ok(())
    }

    /// Mark of each message that the page where the driver is shows, by text and in order, of one place.
    async fn marks(&self, place: usize) -> Told<Vec<(String, String)>> {
        let tile = if place < TILES {
            format!("document.querySelector('.tiles > :nth-child({})')", place + 1)
        } else {
            "document".to_owned()
        };
        // A tile opens where the unread begins: what was said last stands at the end.
        let script = format!(
            "{tile}.querySelector('.toend')?.click();
             return [...{tile}.querySelectorAll('[data-bubble][data-mark]')]
                .map((bubble) => [bubble.querySelector('.tx').innerText.trim(), bubble.dataset.mark])
                .filter(([text]) => text.startsWith('net: '))"
        );
        let told = self.desk.desk.driver.execute(&script, vec![]).await?;
        Ok(serde_json::from_value(told.json().clone())?)
    }

    /// Every place shows what was said there, once and in order, and the marks of the last `fresh` are among `wanted`;
    /// all before are stored at the server.
    async fn shows(&self, fresh: usize, wanted: &[&str]) -> Told {
        for place in 0..PLACES {
            self.desk.turn_to(place).await?;
            let begun = std::time::Instant::now();
            loop {
                let marks = self.marks(place).await?;
                let texts: Vec<&String> = marks.iter().map(|(text, _)| text).collect();
                let old = self.said[place].len() - fresh;
                let right = texts == self.said[place].iter().collect::<Vec<_>>()
                    && marks.iter().enumerate().all(|(at, (_, mark))| {
                        let may = if at < old { &STORED[..] } else { wanted };
                        may.contains(&mark.as_str())
                    });
                if right {
                    break;
                }
                if begun.elapsed() > PATIENCE {
                    return Err(format!("place {place} shows {marks:?}, said was {:?}", self.said[place]).into());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        self.desk.turn_to(0).await
    }

    /// The mark of the whole desk.
    async fn sync_is(&self, state: &str) -> Told {
        let script = format!(
            "return document.querySelector('[data-test=sync]')?.dataset.state === {}",
            json!(state)
        );
        self.desk.desk.until(&script).await.map(drop)
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a screen: cargo xtask test"]
async fn the_network_is_pulled_in_mid_burst_and_nothing_is_lost_or_doubled() -> Told {
    let folder = TempDir::new()?;
    let mut gateway = Gateway::with_room(&folder.path().join("gateway"), &[("shen", "沈佳宁")], 20)?;
    let line = Line::open(gateway.address().parse()?).await?;
    let data = folder.path().join("shen");
    let desk = FullDesk::start(&data, &line.address().to_string(), "shen").await?;
    // Customers write all the time, also while the desk is away.
    let customers = Customers::start(&gateway.address(), 12, 2.0, Duration::from_secs(40))?;
    let mut story = Story {
        desk,
        said: vec![Vec::new(); PLACES],
    };
    story.desk.fill().await?;

    story.burst().await?;
    story.shows(1, &STORED).await?;

    // Nothing arrives any more, and nobody has noticed: a clock is all that may be claimed.
    line.set(Weather::HalfOpen { up: true, down: true });
    story.burst().await?;
    story.shows(1, &ACCEPTED).await?;

    // Now it is known; the agent types on.
    line.set(Weather::Cut(0));
    story.sync_is("offline").await?;
    story.burst().await?;
    story.shows(2, &ACCEPTED).await?;
    story.desk.turn_to(0).await?;
    story.desk.put(0, "net: draft").await?;
    story.desk.desk.stored_here().await?;

    // The desk is killed, and comes back without a network: what was accepted is there, none of it claims more.
    let conversations = story.desk.conversations.clone();
    story.desk.desk.kill()?;
    let desk = Desk::start(&data, &line.address().to_string(), "shen", PASSWORD).await?;
    story.desk = FullDesk::come_back(desk, conversations).await?;
    story.shows(2, &ACCEPTED).await?;
    let draft = "return document.querySelector('.tiles > :nth-child(1) textarea').value === 'net: draft'";
    story.desk.desk.until(draft).await?;
    story.sync_is("offline").await?;

    // The network is back: all of it goes, in its order.
    line.set(Weather::Fair);
    story.shows(0, &[]).await?;
    let saw = customers.end().await?;
    story.sync_is("up_to_date").await?;
    for (id, worn) in story.desk.marks().await? {
        never_back(&id, &worn)?;
    }
    compare(&mut gateway, story, &data, saw.unsettled)
}

/// Marks go forward alone: what was stored at the server is never again on its way.
fn never_back(id: &str, worn: &[String]) -> Told {
    let order = ["writing", "waiting_for_network", "sending", "sent", "delivered", "read"];
    let place = |mark: &String| order.iter().position(|known| known == mark).map(|at| at.max(2));
    let places: Option<Vec<_>> = worn.iter().skip_while(|mark| *mark == "writing").map(place).collect();
    match places {
        Some(places) if places.is_sorted() => Ok(()),
        _ => Err(format!("{id} wore {worn:?}").into()),
    }
}

/// The gateway holds each message once, in the order of typing, and the desk's cache the same.
fn compare(gateway: &mut Gateway, story: Story, data: &std::path::Path, unsettled: u64) -> Told {
    gateway.kill();
    let conversations: Vec<String> = story.desk.conversations.iter().map(|text| checker::id(text)).collect();
    story.desk.desk.kill()?;
    let log = GatewayLog::read(gateway.data())?;
    let mut faults = Faults::default();
    check_gateway(&log, &mut faults);
    check_cache(
        &log,
        "shen",
        &Cache::read(data, &|name| secret(&SystemKeyring, name))?,
        &mut faults,
    );
    let mut stored: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (place, conversation) in conversations.iter().enumerate() {
        for entry in log.conversations.get(conversation).into_iter().flatten() {
            let words = String::from_utf8_lossy(&entry.content).into_owned();
            if let Some(at) = words.find("net: ") {
                stored.entry(place).or_default().push(words[at..].to_owned());
            }
        }
    }
    for (place, said) in story.said.iter().enumerate() {
        let there = stored.remove(&place).unwrap_or_default();
        if there.len() != said.len() || !there.iter().zip(said).all(|(there, said)| there.starts_with(said)) {
            return Err(format!("the gateway holds {there:?} instead of {said:?}").into());
        }
    }
    assert_eq!(unsettled, 0, "customers were left without an answer");
    if faults.0.is_empty() {
        Ok(())
    } else {
        Err(format!("\n{faults}").into())
    }
}
