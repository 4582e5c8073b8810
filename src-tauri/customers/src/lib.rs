//! Simulated customers on the engine's own machines: they speak the real wire to a real gateway, write in Chinese and
//! English, read, wait, get impatient, leave and come back. For the demo, load tests and benches.
//!
//! - [`talks`]: what they say; [`shopper`]: how they behave, without network or clock.
//! - [`browser`]: one of them on a real connection; [`memory`]: what their browser keeps.
//! - [`report`]: what was acknowledged, for an outside checker.

pub mod browser;
pub mod memory;
pub mod report;
pub mod shopper;
pub mod talks;

use std::sync::Arc;

use tokio::task::JoinSet;
use zuoxi_engine::net::{AddressError, GatewayAddress, WebSocketTransport};

use browser::{Browser, Clock, Surroundings};
use report::{Counts, Report};
use shopper::{Manner, Shopper};

/// Milliseconds that the end waits for what is unsettled.
const DRAIN_MS: u64 = 10_000;

/// How many customers do what, where and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Address of the gateway: `host:port`, or `https://…`; `http://…` on loopback alone.
    pub gateway: String,
    /// Public key of the brand.
    pub brand: String,
    /// Customers; 1 or more.
    pub customers: u32,
    /// Messages a second of all of them together; above 0.
    pub rate: f64,
    /// The same seed gives the same talks (not the same instants).
    pub seed: u64,
    /// `None`: until the process is ended.
    pub seconds: Option<u64>,
    /// They never leave and never wait: for load tests.
    pub steady: bool,
}

/// Lets customers live by a plan, and tells what came of it.
///
/// # Errors
/// The gateway's address can't be understood.
pub async fn run(plan: &Plan, report: Arc<Report>) -> Result<Counts, AddressError> {
    let around = Surroundings {
        gateway: GatewayAddress::parse(&plan.gateway)?,
        transport: Arc::new(WebSocketTransport::default()),
        brand: plan.brand.clone(),
        report: Arc::clone(&report),
        clock: Clock::start(),
    };
    let languages = talks::languages();
    let customers = plan.customers.max(1);
    let pace_ms = (f64::from(customers) * 1_000.0 / plan.rate.max(0.001)).max(1.0) as u64;
    let manner = Manner {
        pace_ms,
        steady: plan.steady,
    };
    let began = around.clock.now_ms();
    let end_ms = plan
        .seconds
        .map_or(u64::MAX - DRAIN_MS, |seconds| began + seconds * 1_000);
    let mut seeds = fastrand::Rng::with_seed(plan.seed);
    let mut living = JoinSet::new();
    for number in 1..=customers {
        let shopper = Shopper::new(seeds.u64(..), manner, &languages, began);
        let browser = Browser::new(around.clone(), number, seeds.u64(..), shopper);
        living.spawn(browser.live(end_ms, DRAIN_MS));
    }
    while living.join_next().await.is_some() {}
    Ok(report.counts())
}
