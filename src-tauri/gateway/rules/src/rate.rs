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
