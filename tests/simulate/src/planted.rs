//! Faults planted in the code that ships, one at a time: each must be caught.

use std::time::Instant;

use crate::story::Story;
use crate::world::play;

/// Seeds within which each must be caught.
const SEEDS: u64 = 200;

/// A fault of the gateway's rules, of the device's session, or of a desk's timeline.
#[derive(Debug, Clone, Copy)]
pub enum Planted {
    Gateway(zuoxi_rules::planted::Fault),
    Device(zuoxi_protocol::planted::Fault),
    Timeline(zuoxi_timeline::planted::Fault),
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
        let timeline = zuoxi_timeline::planted::Fault::ALL
            .iter()
            .map(|fault| Self::Timeline(*fault));
        gateway.chain(device).chain(timeline).collect()
    }

    /// As it is named in the code.
    fn name(self) -> String {
        match self {
            Self::Gateway(fault) => format!("{fault:?}"),
            Self::Device(fault) => format!("{fault:?}"),
            Self::Timeline(fault) => format!("{fault:?}"),
        }
    }

    /// All of them, or the one of this name.
    ///
    /// # Errors
    /// There is none; names those that there are.
    pub fn named(name: Option<&str>) -> Result<Vec<Self>, String> {
        let mut all = Self::all();
        let Some(name) = name else { return Ok(all) };
        let names: Vec<String> = all.iter().map(|planted| planted.name()).collect();
        all.retain(|planted| planted.name() == name);
        if all.is_empty() {
            return Err(format!("there is no fault `{name}`: {}", names.join(", ")));
        }
        Ok(all)
    }

    fn plant(self) {
        match self {
            Self::Gateway(fault) => zuoxi_rules::planted::plant(Some(fault)),
            Self::Device(fault) => zuoxi_protocol::planted::plant(Some(fault)),
            Self::Timeline(fault) => zuoxi_timeline::planted::plant(Some(fault)),
        }
    }
}

/// The seed that catches it, and what was seen.
pub fn catch(planted: Planted, from: u64) -> Option<(u64, String)> {
    planted.plant();
    let caught = (from..from + SEEDS).find_map(|seed| Some((seed, play(&Story::of(seed), false).failure?.what)));
    zuoxi_rules::planted::plant(None);
    zuoxi_protocol::planted::plant(None);
    zuoxi_timeline::planted::plant(None);
    caught
}

/// Tells of each whether it was caught; says whether all were.
pub fn catch_all(from: u64, which: Vec<Planted>) -> bool {
    let mut all = true;
    for planted in which {
        let name = planted.name();
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

#[cfg(test)]
mod tests {
    use super::Planted;

    #[test]
    fn a_fault_has_its_exact_name_and_an_unknown_one_is_refused_with_those_that_there_are() {
        let all = Planted::named(None).unwrap();
        assert_eq!(Planted::named(Some("ErasedStays")).unwrap().len(), 1);
        for name in ["Erased", "Device(ErasedStays)", "Typo", ""] {
            let said = Planted::named(Some(name)).expect_err(name);
            assert!(all.iter().all(|planted| said.contains(&planted.name())), "{said}");
        }
    }
}
