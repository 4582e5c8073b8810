//! Faults planted in the code that ships, one at a time: each must be caught.

use std::time::Instant;

use crate::story::Story;
use crate::world::play;

/// Seeds within which each must be caught.
const SEEDS: u64 = 200;

/// A fault of the gateway's rules, or of the device's session.
#[derive(Debug, Clone, Copy)]
pub enum Planted {
    Gateway(zuoxi_rules::planted::Fault),
    Device(zuoxi_protocol::planted::Fault),
}

impl Planted {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let gateway = zuoxi_rules::planted::Fault::ALL
            .iter()
            .map(|fault| Self::Gateway(*fault));
        let device = zuoxi_protocol::planted::Fault::ALL
            .iter()
            .map(|fault| Self::Device(*fault));
        gateway.chain(device).collect()
    }

    fn plant(self) {
        match self {
            Self::Gateway(fault) => zuoxi_rules::planted::plant(Some(fault)),
            Self::Device(fault) => zuoxi_protocol::planted::plant(Some(fault)),
        }
    }
}

/// The seed that catches it, and what was seen.
pub fn catch(planted: Planted, from: u64) -> Option<(u64, String)> {
    planted.plant();
    let caught = (from..from + SEEDS).find_map(|seed| Some((seed, play(&Story::of(seed), false).failure?.what)));
    zuoxi_rules::planted::plant(None);
    zuoxi_protocol::planted::plant(None);
    caught
}

/// Tells of each whether it was caught; says whether all were.
pub fn catch_all(from: u64, named: Option<&str>) -> bool {
    let mut all = true;
    for planted in Planted::all() {
        let name = format!("{planted:?}");
        if named.is_some_and(|named| !name.contains(named)) {
            continue;
        }
        let begun = Instant::now();
        match catch(planted, from) {
            Some((seed, what)) => {
                let what: String = what.chars().take(150).collect();
                let seconds = begun.elapsed().as_secs_f64();
                println!("{name}: caught by run {} in {seconds:.1} s: {what}", seed - from + 1);
            }
            None => {
                all = false;
                println!("{name}: NOT caught within {SEEDS} seeds");
            }
        }
    }
    all
}
