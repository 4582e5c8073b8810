//! The gateway's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds UTC by the system's clock.
pub fn system_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_millis() as u64
}

/// The system's clock, never going back while the process lives.
#[derive(Debug, Default)]
pub struct Clock {
    last_ms: u64,
}

impl Clock {
    /// Milliseconds UTC, at least what was told before.
    pub fn now_ms(&mut self) -> u64 {
        self.last_ms = self.last_ms.max(system_ms());
        self.last_ms
    }
}
