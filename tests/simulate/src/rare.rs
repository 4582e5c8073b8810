//! What happened how often: a proof is worth as much as what happened in it.

use std::collections::{BTreeMap, BTreeSet};

/// Events that must happen in at least one run in a hundred.
pub const RARE: &[&str] = &[
    "a block in an older generation",
    "behind",
    "copied disk",
    "disk full at a device",
    "failed COMMIT that was stored",
    "feed epoch",
    "frame of an old connection after a new one",
    "gap pulled by range",
    "gateway killed between two writes",
    "lane ended",
    "log epoch",
    "page with more to follow",
    "refused for now",
    "repeat answered from a remembered refusal",
    "repeat answered from above the base",
    "repeat answered from the index",
    "reused id",
    "server lost, and it was named",
    "session loaded anew",
    "stale",
    "taken away",
    "timeline: a row changed",
    "timeline: a row moved to its place",
    "timeline: bounds moved",
    "timeline: rows put in",
    "timeline: rows went",
    "timeline: told anew",
    "torn write",
    "void",
    "void too late",
    "watch",
    "window overflow",
];

/// Counts of one run.
#[derive(Debug, Clone, Default)]
pub struct Rare {
    counts: BTreeMap<&'static str, u64>,
    /// Kinds of fault.
    pub faults: BTreeSet<&'static str>,
}

impl Rare {
    pub fn add(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.counts.entry(what).or_default() += count;
        }
    }

    pub fn fault(&mut self, what: &'static str) {
        self.faults.insert(what);
    }

    pub fn take(&mut self, other: &mut Self) {
        for (what, count) in std::mem::take(&mut other.counts) {
            self.add(what, count);
        }
    }

    pub fn happened(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.counts.keys().copied()
    }
}
