//! What an operation costs, counted without a clock: comparisons of Seqs and looks at rows.

use std::cell::Cell;

/// A key of the settled rows. Its comparisons are counted where tests show that costs are flat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seq(pub(super) u64);

impl PartialOrd for Seq {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Seq {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        count_step();
        self.0.cmp(&other.0)
    }
}

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// One comparison or one look at a row.
pub(super) fn count_step() {
    STEPS.set(STEPS.get().wrapping_add(1));
}

/// Comparisons and looks at rows on this thread so far: what an operation costs, without a clock.
pub fn steps() -> u64 {
    STEPS.get()
}
