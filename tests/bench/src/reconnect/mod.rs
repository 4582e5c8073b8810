//! What coming back costs: a desk with many conversations, many clients at once, and what a message costs meanwhile.

mod crowd;
mod desk;
mod tap;

use std::path::Path;
use std::time::{Duration, Instant};

use zuoxi_torture::cast::Gateway;
use zuoxi_torture::proxy::{Line, Weather};

use crate::Outcome;
use crate::figures::median;
use crowd::Crowd;
use desk::Desk;
use tap::Traffic;

/// Conversations of the desk that comes back, and acts that wait in it.
const CONVERSATIONS: usize = 200;
const PENDING: usize = 20;
/// Milliseconds of one way of its line.
const ONE_WAY_MS: u64 = 25;
/// How often it goes and comes.
const ROUNDS: usize = 5;
/// Messages of the busy conversation, each way.
const BUSY: usize = 200;
/// What takes longer is no figure any more.
const PATIENCE: Duration = Duration::from_mins(5);

/// Prints all of it.
pub(crate) async fn measure(gateway: &Path, clients: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    let logs = folder.path().join("logs");
    let data = folder.path().join("gateway");
    let mut gateway = Gateway::found(gateway, &data, &logs, &["lin".to_owned()]).await?;
    gateway.serve().await?;
    come_back(&gateway, folder.path()).await?;
    busy(&gateway, folder.path()).await?;
    crowd_comes_back(&mut gateway, clients).await
}

/// From the network's return until everything is sent and proven to be up to date.
async fn come_back(gateway: &Gateway, folder: &Path) -> Outcome {
    let line = Line::open(gateway.address()).await?;
    line.set(Weather::Slow(ONE_WAY_MS));
    let mut desk = Desk::log_in(&folder.join("desk"), line.address(), Traffic::default()).await?;
    let crowd = Crowd::come(gateway.address(), CONVERSATIONS).await?;
    crowd.all_write().await?;
    desk.until(|desk| desk.conversations() >= CONVERSATIONS && desk.up_to_date())
        .await?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        line.set(Weather::Cut(0));
        desk.until(|desk| !desk.online()).await?;
        crowd.all_write().await?;
        desk.write_somewhere(PENDING).await?;
        line.set(Weather::Slow(ONE_WAY_MS));
        let begun = Instant::now();
        desk.network_is_back().await;
        desk.until(|desk| desk.up_to_date() && desk.waiting() == 0).await?;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    let round_trip = 2.0 * ONE_WAY_MS as f64;
    let took = median(times);
    println!(
        "network back, {CONVERSATIONS} conversations with a new message each, {PENDING} acts pending: all sent and up to \
         date after {took:.0} ms = {:.1} round trips of {round_trip:.0} ms (median of {ROUNDS})",
        took / round_trip
    );
    Ok(())
}

/// What a message costs on the desk's connection while customer and agent write ten times a second each.
async fn busy(gateway: &Gateway, folder: &Path) -> Outcome {
    let traffic = Traffic::default();
    let mut desk = Desk::log_in(&folder.join("desk"), gateway.address(), traffic.clone()).await?;
    let crowd = Crowd::come(gateway.address(), 1).await?;
    crowd.all_write().await?;
    desk.until(|desk| desk.up_to_date() && desk.newest().is_some()).await?;
    traffic.begin();
    for _ in 0..BUSY {
        crowd.all_write().await?;
        desk.write_to_newest().await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    desk.until(|desk| desk.up_to_date() && desk.waiting() == 0).await?;
    let count = traffic.end();
    let messages = 2.0 * BUSY as f64;
    println!(
        "busy conversation, {messages:.0} messages: {:.0} bytes up and {:.0} down a message, {:.2} frames up and {:.2} down; \
         acknowledgements {:.1} % of the bytes",
        count.up_bytes as f64 / messages,
        count.down_bytes as f64 / messages,
        count.up_frames as f64 / messages,
        count.down_frames as f64 / messages,
        100.0 * count.ack_bytes as f64 / (count.up_bytes + count.down_bytes).max(1) as f64
    );
    Ok(())
}

/// From the restart of a gateway that was killed until all its clients are proven to be up to date.
async fn crowd_comes_back(gateway: &mut Gateway, clients: usize) -> Outcome {
    let crowd = Crowd::come(gateway.address(), clients).await?;
    crowd.all_write().await?;
    gateway.kill().await;
    crowd.until(0).await?;
    let begun = Instant::now();
    gateway.serve().await?;
    let listening = begun.elapsed();
    crowd.until(clients).await?;
    let took = begun.elapsed();
    println!(
        "{clients} clients after a restart of the gateway: it listens after {:.1} s, all are up to date after {:.1} s; its \
         memory at most {:.0} MB",
        listening.as_secs_f64(),
        took.as_secs_f64(),
        gateway.peak_kb()? as f64 / 1_000.0
    );
    Ok(())
}

/// Waits for something that must come.
pub(crate) async fn patiently<T>(what: &str, coming: impl Future<Output = T>) -> Outcome<T> {
    tokio::time::timeout(PATIENCE, coming)
        .await
        .map_err(|_| format!("waited in vain for {what}").into())
}
