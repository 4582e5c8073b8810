//! The soak: a hundred simulated customers talk to one real desk (six tiles and two windows of their own) and three
//! desks without a screen, through a real gateway; then an outside checker looks at what everybody kept.

mod colleague;
pub mod customers;

use std::fmt;
use std::time::{Duration, Instant};

use zuoxi_engine::store::SystemKeyring;

use crate::checker::{
    self, Cache, Faults, GatewayLog, Numbers, Seen, check_cache, check_gateway, check_received, check_refused,
    check_seen,
};
use crate::desk::Told;
use crate::frames::Watch;
use crate::full_desk::{FullDesk, PLACES};
use crate::gateway::Gateway;
use crate::sample::Sample;
use colleague::Colleague;
pub use colleague::secret;
use customers::Customers;

const DESK: (&str, &str) = ("shen", "沈佳宁");
const COLLEAGUES: [(&str, &str); 3] = [("wang", "王珊"), ("li", "李哲"), ("amy", "Amy Reed")];
/// Customers who talk.
pub const CUSTOMERS: u32 = 100;
/// Messages a second of all of them together, unless another rate is asked for.
pub const RATE: f64 = 30.0;
/// Between two messages that the desk's agent types.
const PACE: Duration = Duration::from_millis(300);
/// How long the agent types on while no customer writes, for comparison.
const QUIET: Duration = Duration::from_secs(12);
/// After it everything is there, or it never will be: longer than from one heartbeat to the next.
const HEARTBEAT: Duration = Duration::from_secs(11);

/// What came of it.
pub struct Outcome {
    /// Sentences, each a fault.
    pub faults: Faults,
    /// Frames while customers wrote and the agent typed: milliseconds of work in each.
    pub loaded: Sample,
    /// Frames while the agent alone wrote.
    pub quiet: Sample,
    counts: Vec<(&'static str, u64)>,
}

/// Lets everybody talk for so long, and checks.
///
/// # Errors
/// The soak itself couldn't go on; what was lost, doubled or misplaced is in [`Outcome::faults`].
pub async fn soak(time: Duration, rate: f64) -> Told<Outcome> {
    let folder = tempfile::tempdir()?;
    let data = |login: &str| folder.path().join(login);
    let agents: Vec<_> = [DESK].into_iter().chain(COLLEAGUES).collect();
    let mut gateway = Gateway::with_room(&data("gateway"), &agents, CUSTOMERS)?;
    let mut desk = FullDesk::start(&data(DESK.0), &gateway.address(), DESK.0).await?;
    let mut colleagues = Vec::new();
    for (login, _) in COLLEAGUES {
        colleagues.push(Colleague::start(&data(login), &gateway.address(), login).await?);
    }

    let customers = Customers::start(&gateway.address(), CUSTOMERS, rate, time)?;
    let ends = Instant::now() + time;
    desk.fill().await?;
    let watch = Watch::begin(&desk.desk).await?;
    let mut typed = type_until(&desk, ends).await?;
    let loaded = watch.end(&desk.desk).await?;
    let customers = customers.end().await?;
    let mut saw = Vec::new();
    for colleague in colleagues {
        saw.push(colleague.end().await?);
    }
    let watch = Watch::begin(&desk.desk).await?;
    typed += type_until(&desk, Instant::now() + QUIET).await?;
    let quiet = watch.end(&desk.desk).await?;
    tokio::time::sleep(HEARTBEAT).await;
    let shown = shown_as_stored(&desk).await?;
    gateway.kill();
    desk.desk.kill()?;

    let mut faults = Faults::default();
    let log = GatewayLog::read(gateway.data())?;
    check_gateway(&log, &mut faults);
    check_seen(&log, &customers.acknowledged, &mut faults);
    check_seen(&log, &customers.received, &mut faults);
    check_received(&customers.received, &mut faults);
    check_seen(&log, &shown, &mut faults);
    if shown.len() as u64 != typed {
        faults.0.push(format!(
            "{typed} messages were typed and {} shown as stored",
            shown.len()
        ));
    }
    let cache = Cache::read(&data(DESK.0), &|name| colleague::secret(&SystemKeyring, name))?;
    check_cache(&log, DESK.0, &cache, &mut faults);
    let mut cached = cache.entries();
    let mut acknowledged = shown.len();
    let mut refused = 0;
    for colleague in &saw {
        check_seen(&log, &colleague.acknowledged, &mut faults);
        for id in colleague.without_answer() {
            let fault = format!("{} wrote {id} and was never answered", colleague.login);
            faults.0.push(fault);
        }
        check_refused(&log, &colleague.login, &colleague.refused, &mut faults);
        refused += colleague.refused.len() as u64;
        let cache = colleague.cache()?;
        check_cache(&log, &colleague.login, &cache, &mut faults);
        cached += cache.entries();
        acknowledged += colleague.acknowledged.len();
    }
    if customers.unsettled > 0 {
        faults
            .0
            .push(format!("{} acts of customers were never answered", customers.unsettled));
    }
    let counts = vec![
        ("customers' acts acknowledged", customers.acknowledged.len() as u64),
        ("agents' acts acknowledged", acknowledged as u64),
        ("typed into the real desk, of these", typed),
        ("customers' acts refused", customers.refused),
        ("agents' acts refused, after a close", refused),
        ("entries that came to customers", customers.received.len() as u64),
        ("conversations at the gateway", log.conversations.len() as u64),
        ("entries at the gateway", log.entries() as u64),
        ("entries in the four caches", cached as u64),
    ];
    Ok(Outcome {
        faults,
        loaded,
        quiet,
        counts,
    })
}

/// Types a message into one place after the other; gives how many.
async fn type_until(desk: &FullDesk, end: Instant) -> Told<u64> {
    let mut typed = 0;
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // On a slow machine too, something is typed everywhere.
    while Instant::now() < end || typed < 2 * PLACES as u64 {
        let place = typed as usize % PLACES;
        pace.tick().await;
        desk.turn_to(place).await?;
        desk.write(place, &format!("第 {typed} 句，来自工作台")).await?;
        typed += 1;
    }
    desk.turn_to(0).await?;
    Ok(typed)
}

/// Own messages that the desk's windows showed with a tick. Its marks say no Seq: the gateway's database does.
async fn shown_as_stored(desk: &FullDesk) -> Told<Vec<Seen>> {
    let marks = desk.marks().await?;
    let stored = marks.into_iter().filter(|(_, worn)| {
        worn.iter()
            .any(|mark| matches!(mark.as_str(), "sent" | "delivered" | "read"))
    });
    Ok(stored
        .map(|(id, _)| Seen {
            by: DESK.0.to_owned(),
            id: checker::id(&id),
            conversation: None,
            seq: None,
            numbers: Numbers::Agents,
            time_ms: None,
        })
        .collect())
}

impl Outcome {
    /// How much busier the thread that draws was while customers wrote than while the agent typed alone: its frames'
    /// p99s.
    pub fn ratio(&self) -> f64 {
        self.loaded.percentile(99.0) / self.quiet.percentile(99.0).max(f64::MIN_POSITIVE)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.counts {
            writeln!(f, "{count:>9}  {what}")?;
        }
        writeln!(f, "{:>9}  faults", self.faults.0.len())?;
        write!(f, "{}", self.faults)?;
        for (when, frames) in [
            ("the agent types alone", &self.quiet),
            ("a hundred customers write too", &self.loaded),
        ] {
            writeln!(
                f,
                "UI thread's work in a frame, {when}: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms ({} frames)",
                frames.percentile(50.0),
                frames.percentile(99.0),
                frames.most(),
                frames.count()
            )?;
        }
        write!(
            f,
            "p99 with the customers is {:.2} of that without (reach: at most 2; no frame above 250 ms)",
            self.ratio()
        )
    }
}
