//! Figures of the real desk: its start, messages on their way to the screen, its memory.

mod memory;
mod painted;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::desk::{Desk, Told};
use crate::full_desk::{FullDesk, TILES, WINDOWS};
use crate::gateway::{Gateway, PASSWORD};
use crate::sample::Sample;
use crate::soak::customers::Customers;
use memory::pss_mb;
use painted::Eye;

const AGENT: (&str, &str) = ("shen", "沈佳宁");
/// Customers in the flood, and their messages a second together.
const FLOOD: (u32, f64) = (100, 1_000.0);
/// Pairs of an empty frame and an own message.
const PAIRS: usize = 60;
/// Pairs while customers flood: fewer fit into its time.
const FLOOD_PAIRS: usize = 40;
const FLOOD_TIME: Duration = Duration::from_secs(25);
const STARTS: usize = 5;
/// An empty frame's median above this, milliseconds, means that something else has the machine: 27 is what it takes on
/// a quiet one without a graphics card, and a ratio needs 60 % of that speed.
const EMPTY_MS: f64 = 27.0 / 0.6;
/// Composer of the first tile.
const COMPOSER: &str = ".tiles > :nth-child(1) textarea";

/// Prints all of them.
///
/// # Errors
/// The desk's or the driver's.
#[allow(clippy::print_stdout)]
pub async fn bench() -> Told {
    let folder = TempDir::new()?;
    let gateway = Gateway::with_room(&folder.path().join("gateway"), &[AGENT], 1_000)?;
    for line in messages(folder.path(), &gateway).await? {
        println!("{line}");
    }
    for line in starts(folder.path(), &gateway).await? {
        println!("{line}");
    }
    for line in memory(&folder.path().join("wide"), &gateway).await? {
        println!("{line}");
    }
    Ok(())
}

/// Messages typed and messages that come, quiet and under a flood.
async fn messages(folder: &Path, gateway: &Gateway) -> Told<Vec<String>> {
    let desk = Desk::start(&folder.join("desk"), &gateway.address(), AGENT.0, PASSWORD).await?;
    desk.log_in().await?;
    desk.up_to_date().await?;
    let calm = Customers::start(&gateway.address(), 2, 4.0, Duration::from_secs(30))?;
    desk.until("return document.querySelectorAll('[data-test=inbox-row]').length === 2")
        .await?;
    desk.driver
        .execute("document.querySelector('[data-test=inbox-row]').click()", vec![])
        .await?;
    desk.see(COMPOSER).await?;
    let opened = now_ms();
    let mut eye = Eye::open(&desk).await?;
    for _ in 0..PAIRS {
        eye.blink().await?;
        eye.type_one(COMPOSER).await?;
    }
    let (mut empty, own) = (eye.take("empty").await?, eye.take("own").await?);
    let parts = (eye.take("drawn").await?, eye.take("framed").await?);
    let calm = incoming(calm, &eye, opened).await?;

    let flood = Customers::start(&gateway.address(), FLOOD.0, FLOOD.1, FLOOD_TIME)?;
    desk.until("return document.querySelectorAll('[data-test=inbox-row]').length > 10")
        .await?;
    // One of the flood's conversations is what the tile shows: those before it wait longer, and stand above.
    let newest = "[...document.querySelectorAll('[data-test=inbox-row]')].at(-1).click()";
    desk.driver.execute(newest, vec![]).await?;
    desk.see(COMPOSER).await?;
    let opened = now_ms();
    for _ in 0..FLOOD_PAIRS {
        eye.type_one(COMPOSER).await?;
    }
    let flooded_own = eye.take("own").await?;
    let flooded = incoming(flood, &eye, opened).await?;
    for _ in 0..PAIRS {
        eye.blink().await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    empty.0.extend(eye.take("empty").await?.0);

    let base = empty.percentile(99.0);
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split_whitespace().next().unwrap_or_default().to_owned();
    let mut lines = vec![row("an empty frame", &empty, None)];
    let ratio = (empty.percentile(50.0) <= EMPTY_MS).then_some(base);
    if ratio.is_none() {
        lines.push(format!(
            "no ratios: an empty frame takes more than {EMPTY_MS:.0} ms, so something else has this machine"
        ));
    }
    lines.push(row("own message, typed to painted, quiet", &own, ratio));
    lines.push(row("  of which until it is in the page", &parts.0, None));
    lines.push(row("  of which until its frame begins", &parts.1, None));
    lines.push(row("own message, typed to painted, flooded", &flooded_own, ratio));
    lines.push(row(
        "incoming message, stored at the gateway to painted, quiet",
        &calm.painted,
        ratio,
    ));
    lines.push(row("  of which until it is in the page", &calm.arrived, None));
    lines.push(row(
        "incoming message, stored at the gateway to painted, flooded",
        &flooded.painted,
        ratio,
    ));
    lines.push(row("  of which until it is in the page", &flooded.arrived, None));
    lines.push(format!(
        "the flood: {:.0} messages/s came to the desk's gateway (asked for {:.0})",
        flooded.rate, FLOOD.1
    ));
    lines.push(format!("the machine's load at the end: {load}"));
    desk.kill()?;
    Ok(lines)
}

/// What came from customers.
struct Incoming {
    /// From stored at the gateway until it is in the page.
    arrived: Sample,
    /// From stored at the gateway until it is on the screen.
    painted: Sample,
    /// Messages a second of all customers.
    rate: f64,
}

/// Of what was stored after a tile had been opened at `since_ms`, once the customers have ended.
async fn incoming(customers: Customers, eye: &Eye<'_>, since_ms: f64) -> Told<Incoming> {
    let saw = customers.end().await?;
    let mut times: Vec<u64> = saw.acknowledged.iter().filter_map(|seen| seen.time_ms).collect();
    times.sort_unstable();
    let span = times
        .last()
        .zip(times.first())
        .map_or(0, |(last, first)| last - first)
        .max(1);
    let since_stored = |moments: &BTreeMap<String, f64>| {
        let lasted = saw.acknowledged.iter().filter_map(|seen| {
            let stored = seen
                .time_ms
                .map(|time_ms| time_ms as f64)
                .filter(|stored| *stored >= since_ms)?;
            Some(moments.get(&seen.id)? - stored)
        });
        Sample(lasted.collect())
    };
    Ok(Incoming {
        arrived: since_stored(&eye.moments("arrived").await?),
        painted: since_stored(&eye.moments("came").await?),
        rate: times.len() as f64 * 1_000.0 / span as f64,
    })
}

/// Milliseconds UTC.
fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64() * 1_000.0
}

fn row(what: &str, sample: &Sample, base: Option<f64>) -> String {
    let (half, high) = (sample.percentile(50.0), sample.percentile(99.0));
    let ratio = base.map_or(String::new(), |base| {
        format!(", {:.2} of an empty frame's p99", high / base)
    });
    format!(
        "{what}: p50 {half:.0} ms, p99 {high:.0} ms{ratio} ({} of them)",
        sample.count()
    )
}

/// From the process' start to the inbox on the screen, with a remembered account.
async fn starts(folder: &Path, gateway: &Gateway) -> Told<Vec<String>> {
    let (mut script, mut inbox) = (Sample::default(), Sample::default());
    for _ in 0..STARTS {
        let desk = Desk::start(&folder.join("desk"), &gateway.address(), AGENT.0, PASSWORD).await?;
        desk.see("[data-test=inbox-row]").await?;
        let told = desk
            .until("const [mark] = performance.getEntriesByName('inbox'); return mark && [performance.timeOrigin, performance.timeOrigin + mark.startTime]")
            .await?;
        let (first, shown): (f64, f64) = serde_json::from_value(told)?;
        let began = started_ms(desk.process()?)?;
        script.0.push(first - began);
        inbox.0.push(shown - began);
        desk.kill()?;
    }
    Ok(vec![format!(
        "start: the page begins after {:.0} ms, the inbox is on the screen after {:.0} ms (medians of {STARTS})",
        script.percentile(50.0),
        inbox.percentile(50.0)
    )])
}

/// When a process began, milliseconds UTC, to the system's 10 ms.
fn started_ms(process: u32) -> Told<f64> {
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("no process")?.1;
    // The 22nd field of all, the 20th after the name.
    let ticks: f64 = after_name.split_whitespace().nth(19).ok_or("no start time")?.parse()?;
    let uptime = std::fs::read_to_string("/proc/uptime")?;
    let uptime: f64 = uptime.split_whitespace().next().ok_or("no uptime")?.parse()?;
    Ok(now_ms() + (ticks / TICKS - uptime) * 1_000.0)
}

/// One window, each tile, each further window.
async fn memory(data: &Path, gateway: &Gateway) -> Told<Vec<String>> {
    let mut desk = FullDesk::start(data, &gateway.address(), AGENT.0).await?;
    let settle = || tokio::time::sleep(Duration::from_secs(4));
    settle().await;
    let one = pss_mb(&desk.desk)?;
    desk.fill_tiles().await?;
    settle().await;
    let tiles = pss_mb(&desk.desk)?;
    desk.pop_out().await?;
    settle().await;
    let windows = pss_mb(&desk.desk)?;
    Ok(vec![format!(
        "memory (PSS of all processes, {} × {}): {one:.0} MB with one window, {:.1} MB for each tile, {:.1} MB for each further window",
        2_480,
        1_340,
        (tiles - one) / TILES as f64,
        (windows - tiles) / WINDOWS as f64
    )])
}
