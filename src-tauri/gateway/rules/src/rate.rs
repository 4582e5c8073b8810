//! How much somebody may ask for.

use std::collections::BTreeMap;

/// A bucket: `burst` at once, refilled by `per_second`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    /// Thousandths of what may still be taken.
    level: u64,
    filled_ms: u64,
    per_second: u32,
    burst: u32,
}

impl Bucket {
    pub(crate) fn new(per_second: u32, burst: u32, now_ms: u64) -> Self {
        Self {
            level: u64::from(burst) * 1_000,
            filled_ms: now_ms,
            per_second: per_second.max(1),
            burst: burst.max(1),
        }
    }

    /// Whether it holds all it may.
    pub(crate) fn is_full(&self, now_ms: u64) -> bool {
        let gained = now_ms
            .saturating_sub(self.filled_ms)
            .saturating_mul(u64::from(self.per_second));
        self.level.saturating_add(gained) >= u64::from(self.burst) * 1_000
    }

    /// Takes one; else says after how many milliseconds there will be one.
    pub(crate) fn take(&mut self, now_ms: u64) -> Result<(), u32> {
        let gained = now_ms
            .saturating_sub(self.filled_ms)
            .saturating_mul(u64::from(self.per_second));
        self.level = (self.level + gained).min(u64::from(self.burst) * 1_000);
        self.filled_ms = now_ms;
        if self.level >= 1_000 {
            self.level -= 1_000;
            Ok(())
        } else {
            Err((1_000 - self.level).div_ceil(u64::from(self.per_second)).max(1) as u32)
        }
    }
}

/// Moments handed out one after the other, so that those who were turned away don't come back at once.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// When the next one is, microseconds UTC.
    next_us: u64,
}

/// Moments lie at most so far ahead, milliseconds; beyond it the client's own jitter has to do.
const FURTHEST_MS: u64 = 60_000;

impl Places {
    /// How many milliseconds away the next one is, of so many a second.
    pub(crate) fn take(&mut self, now_ms: u64, per_second: u32) -> u32 {
        let now_us = now_ms.saturating_mul(1_000);
        let next_us = self.next_us.max(now_us) + 1_000_000 / u64::from(per_second.max(1));
        self.next_us = next_us.min(now_us.saturating_add(FURTHEST_MS * 1_000));
        (self.next_us.saturating_sub(now_us)).div_ceil(1_000).max(1) as u32
    }
}

/// Buckets by name: one that is full again is forgotten.
#[derive(Debug)]
pub(crate) struct Buckets {
    per_second: u32,
    burst: u32,
    by_name: BTreeMap<String, (Bucket, Places)>,
}

impl Buckets {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        Self {
            per_second,
            burst,
            by_name: BTreeMap::new(),
        }
    }

    /// Takes one of this name; else tells after how many milliseconds it is this asker's turn.
    pub(crate) fn take(&mut self, name: &str, now_ms: u64) -> Result<(), u32> {
        if self.by_name.len() >= NAMES && !self.by_name.contains_key(name) {
            self.forget(now_ms);
            if self.by_name.len() >= NAMES {
                self.by_name.pop_first();
            }
        }
        let fresh = || (Bucket::new(self.per_second, self.burst, now_ms), Places::default());
        let (bucket, places) = self.by_name.entry(name.to_owned()).or_insert_with(fresh);
        let taken = bucket.take(now_ms);
        taken.map_err(|left_ms| left_ms.max(places.take(now_ms, self.per_second)))
    }

    /// Forgets what is full again.
    pub(crate) fn forget(&mut self, now_ms: u64) {
        self.by_name.retain(|_, (bucket, _)| !bucket.is_full(now_ms));
    }
}

/// Counts of something by name, each forgotten after a while.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Count, and when it is forgotten.
    counts: BTreeMap<String, (u32, u64)>,
}

/// So many names at most are counted: nobody makes us remember without end.
const NAMES: usize = 100_000;

impl Tally {
    /// How many are counted, and for how many milliseconds more.
    pub(crate) fn count(&self, name: &str, now_ms: u64) -> (u32, u64) {
        match self.counts.get(name) {
            Some((count, until)) if *until > now_ms => (*count, until - now_ms),
            _ => (0, 0),
        }
    }

    /// Counts one more; all of this name are forgotten `keep_ms` after the first.
    pub(crate) fn add(&mut self, name: &str, now_ms: u64, keep_ms: u64) {
        if self.counts.len() >= NAMES {
            self.counts.retain(|_, (_, until)| *until > now_ms);
            if self.counts.len() >= NAMES {
                self.counts.pop_first();
            }
        }
        let entry = self.counts.entry(name.to_owned()).or_insert((0, now_ms + keep_ms));
        if entry.1 <= now_ms {
            *entry = (0, now_ms + keep_ms);
        }
        entry.0 += 1;
    }

    pub(crate) fn take_back(&mut self, name: &str) {
        if let Some((count, _)) = self.counts.get_mut(name) {
            *count = count.saturating_sub(1);
        }
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.counts.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_turned_away_finds_a_place_at_the_told_moment() {
        let mut buckets = Buckets::new(10, 3);
        let mut told: Vec<u64> = (0..8)
            .filter_map(|_| buckets.take("10.0.0.1", 0).err())
            .map(u64::from)
            .collect();
        assert_eq!(told.len(), 5);
        told.dedup();
        assert_eq!(told.len(), 5, "each a moment of their own: {told:?}");
        for at_ms in told {
            assert_eq!(buckets.take("10.0.0.1", at_ms), Ok(()), "{at_ms}");
        }
        assert_eq!(buckets.take("10.0.0.2", 0), Ok(()), "others come as they like");
    }

    #[test]
    fn an_address_that_keeps_coming_makes_nobody_wait_for_ever_and_is_forgotten_at_last() {
        let mut buckets = Buckets::new(100, 1);
        for _ in 0..100_000 {
            let _ = buckets.take("10.0.0.1", 5_000);
        }
        assert_eq!(buckets.take("10.0.0.1", 5_000), Err(60_000));
        buckets.forget(5_001);
        assert_eq!(buckets.by_name.len(), 1);
        buckets.forget(5_020);
        assert!(buckets.by_name.is_empty());
    }
}
