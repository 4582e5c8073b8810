//! How loaded the gateway is, and what it sheds for it, in a stated order: first what is worth nothing a second later,
//! last what people write.

/// What is shed. Each level sheds what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Nothing.
    #[default]
    Calm,
    /// Typing and presence. Presence is told anew when it is calm again.
    Signals,
    /// Pushes become heads: a heartbeat tells that there is something, and a device pulls it.
    Pushes,
    /// Whoever comes is told when to come back.
    LogIns,
    /// Acts are refused for now.
    Acts,
}

impl Level {
    /// All, from calm to the last.
    pub const ALL: [Self; 5] = [Self::Calm, Self::Signals, Self::Pushes, Self::LogIns, Self::Acts];

    /// Milliseconds that something which comes now would wait, from which on this level holds.
    fn begins_ms(self) -> u64 {
        match self {
            Self::Calm => 0,
            Self::Signals => 250,
            Self::Pushes => 1_000,
            Self::LogIns => 3_000,
            Self::Acts => 10_000,
        }
    }

    /// The level that fits a wait.
    fn of(wait_ms: u64) -> Self {
        let fits = Self::ALL.into_iter().rev().find(|level| wait_ms >= level.begins_ms());
        fits.unwrap_or_default()
    }

    fn below(self) -> Self {
        Self::ALL
            .into_iter()
            .rev()
            .find(|level| *level < self)
            .unwrap_or_default()
    }
}

/// What the core saw of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sample {
    /// Events that wait behind those which are being taken.
    pub waiting: u32,
    /// Events that may wait at most: beyond it, whoever brings one waits where nobody can count it.
    pub room: u32,
    /// Events that one turn takes at most.
    pub turn_events: u32,
    /// How long the last turn took, microseconds.
    pub turn_us: u64,
}

/// Turns over which their time is averaged.
const SMOOTH: u64 = 4;
/// A higher level holds after so many samples in a row that ask for it: one slow write is no flood.
const RISE: u32 = 3;
/// A lower one after so many milliseconds without one that asks for more than half of it.
const FALL_MS: u64 = 2_000;
/// Milliseconds for which a full queue may stand before pushes, and before log-ins are shed.
const FULL_PUSHES_MS: u64 = 1_000;
const FULL_LOG_INS_MS: u64 = 5_000;

/// Judges samples.
#[derive(Debug, Default)]
pub struct Load {
    level: Level,
    turn_us: u64,
    wait_ms: u64,
    /// Samples in a row that ask for more than holds.
    asked: u32,
    /// Since when none asked for as much as holds.
    easy_since_ms: Option<u64>,
    /// Since when the queue is full.
    full_since_ms: Option<u64>,
}

impl Load {
    /// Takes a sample; the level that holds from now on.
    pub fn observe(&mut self, now_ms: u64, sample: Sample) -> Level {
        self.turn_us = if self.turn_us == 0 {
            sample.turn_us
        } else {
            (self.turn_us * (SMOOTH - 1) + sample.turn_us) / SMOOTH
        };
        let turns = u64::from(sample.waiting.div_ceil(sample.turn_events.max(1)));
        // One long turn says nothing of the next ones; quick ones that follow it do.
        self.wait_ms = turns.saturating_mul(self.turn_us.min(sample.turn_us)) / 1_000;
        let wanted = Level::of(self.wait_ms).max(self.by_fullness(now_ms, sample));
        if wanted > self.level {
            self.easy_since_ms = None;
            self.asked += 1;
            if self.asked >= RISE {
                self.asked = 0;
                self.level = wanted;
            }
            return self.level;
        }
        self.asked = 0;
        // Half of what brought it: else it would come and go.
        if wanted < self.level && self.wait_ms <= self.level.begins_ms() / 2 {
            let since = *self.easy_since_ms.get_or_insert(now_ms);
            if now_ms.saturating_sub(since) >= FALL_MS {
                self.level = self.level.below();
                self.easy_since_ms = (self.level > Level::Calm).then_some(now_ms);
            }
        } else {
            self.easy_since_ms = None;
        }
        self.level
    }

    /// A queue that is full tells nothing of those who wait before it, so its time counts.
    fn by_fullness(&mut self, now_ms: u64, sample: Sample) -> Level {
        if sample.room == 0 || u64::from(sample.waiting) * 8 < u64::from(sample.room) * 7 {
            self.full_since_ms = None;
            return Level::Calm;
        }
        let since = *self.full_since_ms.get_or_insert(now_ms);
        match now_ms.saturating_sub(since) {
            full if full >= FULL_LOG_INS_MS => Level::LogIns,
            full if full >= FULL_PUSHES_MS => Level::Pushes,
            _ => Level::Signals,
        }
    }

    /// What holds.
    pub fn level(&self) -> Level {
        self.level
    }

    /// How long something that comes now would wait, milliseconds, as far as it can be seen.
    pub fn wait_ms(&self) -> u64 {
        self.wait_ms
    }
}

/// What was shed since the start, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shed {
    /// Signals and news of presence.
    pub signals: u64,
    /// Pushes that became heads.
    pub pushes: u64,
    /// Log-ins and connections that were told to come back.
    pub log_ins: u64,
    /// Acts refused for now.
    pub acts: u64,
    /// Connections of addresses that came too often.
    pub floods: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(waiting: u32, turn_ms: u64) -> Sample {
        Sample {
            waiting,
            room: 8_192,
            turn_events: 1_024,
            turn_us: turn_ms * 1_000,
        }
    }

    /// The level after each of these samples, 100 ms apart.
    fn levels(load: &mut Load, from_ms: u64, samples: impl IntoIterator<Item = Sample>) -> Vec<Level> {
        let samples = samples.into_iter().enumerate();
        samples
            .map(|(n, sample)| load.observe(from_ms + n as u64 * 100, sample))
            .collect()
    }

    #[test]
    fn what_is_shed_grows_in_the_stated_order() {
        let mut load = Load::default();
        let mut seen = Vec::new();
        for turn_ms in [10, 70, 300, 900, 3_000] {
            seen.extend(levels(&mut load, 0, [sample(4_000, turn_ms); 12]).last().copied());
        }
        assert_eq!(seen, Level::ALL);
    }

    #[test]
    fn one_slow_write_sheds_nothing() {
        let mut load = Load::default();
        let slow = sample(8_000, 2_000);
        let mut calm = [sample(0, 1); 20];
        calm[7] = slow;
        calm[8] = slow;
        assert!(levels(&mut load, 0, calm).iter().all(|level| *level == Level::Calm));
        // However slow it is: with nobody waiting there is no flood.
        let alone = levels(&mut load, 0, [sample(0, 60_000); 20]);
        assert!(alone.iter().all(|level| *level == Level::Calm));
    }

    #[test]
    fn what_gathered_during_one_long_turn_sheds_nothing() {
        let mut load = Load::default();
        levels(&mut load, 0, [sample(0, 2); 8]);
        let mut drained = vec![sample(7_168, 4_000)];
        drained.extend((0..8).rev().map(|turns| sample(turns * 1_024, 10)));
        let seen = levels(&mut load, 1_000, drained);
        assert!(seen.iter().all(|level| *level == Level::Calm), "{seen:?}");
    }

    #[test]
    fn a_queue_that_stays_full_sheds_although_turns_are_quick() {
        let mut load = Load::default();
        let seen = levels(&mut load, 0, [sample(8_192, 1); 60]);
        assert_eq!(seen.first(), Some(&Level::Calm));
        assert_eq!(seen.get(5), Some(&Level::Signals));
        assert_eq!(seen.get(20), Some(&Level::Pushes));
        assert_eq!(seen.last(), Some(&Level::LogIns));
    }

    #[test]
    fn it_is_calm_again_level_by_level() {
        let mut load = Load::default();
        levels(&mut load, 0, [sample(8_000, 3_000); 10]);
        assert_eq!(load.level(), Level::Acts);
        let mut seen = levels(&mut load, 1_000, [sample(0, 1); 100]);
        seen.dedup();
        let mut down = Level::ALL;
        down.reverse();
        assert_eq!(seen, down);
        assert_eq!(load.wait_ms(), 0);
    }

    proptest! {
        #[test]
        fn a_level_rises_only_where_much_waits_and_calm_always_returns(
            samples in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u32>(), 0..u64::MAX / 8), 0..60),
        ) {
            let mut load = Load::default();
            for (n, (waiting, room, turn_events, turn_us)) in samples.into_iter().enumerate() {
                let before = load.level();
                let level = load.observe(n as u64 * 50, Sample { waiting, room, turn_events, turn_us });
                prop_assert!(level <= before || waiting > 0);
            }
            for n in 0..400_u64 {
                load.observe(10_000 + n * 100, sample(0, 1));
            }
            prop_assert_eq!(load.level(), Level::Calm);
        }
    }
}
