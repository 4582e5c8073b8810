//! What happens in a run: who does what, and what breaks, each at its moment. Made from a seed alone; a story with deeds
//! left out is a story too, so that a failure can be told short.

mod deed;
mod scenes;

use crate::dice::Dice;
use deed::{anybody, one};
use scenes::{noted, retention, scene, sealed};

pub use deed::{ANY, CUSTOMER, CUSTOMERS, Deed, FIXED, LAST};

/// How the world is in a run.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Slowest frame, milliseconds.
    pub latency: u64,
    /// Slowest commit of a device, milliseconds.
    pub disk: u64,
    /// Slowest group commit of the gateway, milliseconds.
    pub commit: u64,
    /// Lea is there.
    pub lead: bool,
    /// One conversation already has a long history.
    pub history: bool,
    /// A second gateway hears the same without notes; its store and log have no faults then.
    pub twin: bool,
    /// Rows of a feed's page.
    pub feed_rows: u32,
    /// The administrator keeps history for some days alone.
    pub keep: bool,
    /// Pages of entries may arrive after what was said later: nothing promises an order between them.
    pub late_pages: bool,
}

/// A seed's story.
#[derive(Debug, Clone)]
pub struct Story {
    pub seed: u64,
    pub weather: Weather,
    /// Milliseconds since the start, and what happens then; sorted.
    pub deeds: Vec<(u64, Deed)>,
}

/// When the first deed may come: all have logged in.
const BEGIN_MS: u64 = 1_500;
const DEEDS: usize = 75;
/// Of a thousand seeds, those in which a block is sealed while its words are recalled.
const SEALED: u64 = 150;
/// Of a thousand seeds with a twin, those in which a note goes to a desk that sleeps.
const NOTED: u64 = 500;

impl Story {
    /// The story of a seed.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let pick = |dice: &mut Dice, of: &[u64]| of[dice.below(of.len() as u64) as usize];
        let weather = Weather {
            latency: pick(&mut dice, &[8, 30, 30, 80, 200]),
            disk: pick(&mut dice, &[2, 8, 8, 30, 120]),
            commit: pick(&mut dice, &[2, 6, 20, 60]),
            lead: dice.often(500),
            history: dice.often(120),
            twin: dice.often(150),
            feed_rows: pick(&mut dice, &[1, 2, 3, 500]) as u32,
            keep: false,
            late_pages: false,
        };
        // Chance of its own, so that older seeds tell what they told.
        let mut other = Dice::new(seed, 4);
        let weather = Weather {
            keep: other.often(300) && !weather.twin,
            ..weather
        };
        let weather = Weather {
            late_pages: (weather.keep || other.often(300)) && !weather.twin,
            ..weather
        };
        let pace = pick(&mut dice, &[100, 200, 300, 500]);
        let mut deeds = Vec::with_capacity(DEEDS + 40);
        let mut at = BEGIN_MS;
        for _ in 0..DEEDS {
            at += dice.below(pace * 2);
            deeds.push((at, one(&mut dice)));
        }
        let end = at;
        // Of these at least one each.
        for fault in [
            Deed::Break {
                who: anybody(&mut dice),
                late: true,
            },
            Deed::Partition {
                who: anybody(&mut dice),
                ms: 1_500,
            },
            Deed::Kill {
                who: anybody(&mut dice),
                ms: 500,
            },
            Deed::PowerLoss {
                who: anybody(&mut dice),
                ms: 500,
                kept: 1,
            },
            Deed::HalfOpen {
                who: anybody(&mut dice),
                up: false,
            },
        ] {
            deeds.push((dice.between(BEGIN_MS, end), fault));
        }
        for _ in 0..dice.between(2, 3) {
            let from = dice.between(BEGIN_MS + 4_000, (end * 3 / 4).max(BEGIN_MS + 5_000));
            scene(&mut dice, from, &mut deeds);
        }
        if weather.keep {
            let from = other.between(BEGIN_MS + 2_000, end.max(BEGIN_MS + 3_000));
            retention(&mut other, from, &mut deeds);
        }
        // By a stream of its own, so that all other seeds have the stories that they had before there was this scene.
        let mut dice = Dice::new(seed, 9);
        if dice.often(SEALED) {
            let from = dice.between(BEGIN_MS + 4_000, (end * 3 / 4).max(BEGIN_MS + 5_000));
            sealed(&mut dice, from, &mut deeds);
        }
        let mut dice = Dice::new(seed, 10);
        if weather.twin && dice.often(NOTED) {
            let from = dice.between(BEGIN_MS + 2_000, end.max(BEGIN_MS + 3_000));
            noted(&mut dice, from, &mut deeds);
        }
        if weather.twin {
            deeds.retain(|(_, deed)| !is_of_the_store(*deed));
        }
        deeds.sort_by_key(|(at, _)| *at);
        Self { seed, weather, deeds }
    }

    /// The same with these deeds alone.
    #[must_use]
    pub fn with(&self, deeds: Vec<(u64, Deed)>) -> Self {
        Self { deeds, ..self.clone() }
    }
}

/// Something happens to the gateway's store.
fn is_of_the_store(deed: Deed) -> bool {
    match deed {
        Deed::KillGateway { after, .. } => after < 255,
        Deed::CommitLost
        | Deed::CommitStored
        | Deed::LoseRefusal
        | Deed::Full { .. }
        | Deed::BadReads { .. }
        | Deed::Restore { .. }
        | Deed::Shorten { .. } => true,
        _ => false,
    }
}
