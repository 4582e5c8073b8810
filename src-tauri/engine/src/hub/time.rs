//! The hub's time: milliseconds UTC that never go back while the process lives, whatever is done to the wall clock.

use std::sync::Arc;

use crate::surroundings::Clock;

/// The wall clock at the start, moved on by a steady one.
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    /// UTC when the steady clock stood at 0.
    began_ms: u64,
}

impl Time {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let began_ms = clock.utc_ms().saturating_sub(clock.steady_ms());
        Self { clock, began_ms }
    }

    /// Now, for everything that is reckoned with.
    pub(crate) fn now(&self) -> u64 {
        self.began_ms + self.clock.steady_ms()
    }

    /// Now by the wall clock: for ids and for what is shown beside it.
    pub(crate) fn wall(&self) -> u64 {
        self.clock.utc_ms()
    }

    /// The computer slept: steady clocks may have stood still, and what was due meanwhile is due now.
    pub(crate) fn woke_up(&mut self) {
        self.began_ms += self.wall().saturating_sub(self.now());
    }

    /// What to add to a time of [`Time::now`] to have it by the wall clock.
    pub(crate) fn to_wall(&self) -> i64 {
        self.wall() as i64 - self.now() as i64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[derive(Default)]
    struct Set {
        wall: AtomicU64,
        steady: AtomicU64,
    }

    impl Clock for Set {
        fn utc_ms(&self) -> u64 {
            self.wall.load(Ordering::Relaxed)
        }
        fn steady_ms(&self) -> u64 {
            self.steady.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn setting_the_wall_clock_back_stops_nothing_and_sleep_is_caught_up() {
        let clock = Arc::new(Set::default());
        clock.wall.store(10_000_000, Ordering::Relaxed);
        let mut time = Time::new(clock.clone());
        clock.steady.store(500, Ordering::Relaxed);
        clock.wall.store(6_400_500, Ordering::Relaxed);
        assert_eq!(time.now(), 10_000_500);
        assert_eq!(time.to_wall(), -3_600_000);
        time.woke_up();
        assert_eq!(time.now(), 10_000_500);
        clock.wall.store(20_000_000, Ordering::Relaxed);
        time.woke_up();
        assert_eq!(time.now(), 20_000_000);
    }
}
