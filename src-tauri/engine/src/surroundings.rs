//! What the engine takes from outside: clock, randomness, time zone and network. The app uses the system's; tests
//! bring their own and get the same run each time.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::net::{Transport, WebSocketTransport};

/// This computer's clock.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds UTC. May jump when the user or NTP sets it.
    fn utc_ms(&self) -> u64;
    /// Milliseconds that only count up, from any beginning.
    fn steady_ms(&self) -> u64;
}

/// Randomness for ids, jitter and keys.
pub trait Randomness: Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// 64 random bits.
    fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}

pub use zuoxi_timeline::TimeZone;

/// All of it together; cheap to clone.
#[derive(Clone)]
pub struct Surroundings {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub randomness: Arc<dyn Randomness>,
    /// The time zone.
    pub time_zone: TimeZone,
    /// The network.
    pub transport: Arc<dyn Transport>,
}

impl Surroundings {
    /// The system's own, with this time zone.
    pub fn system(time_zone: TimeZone) -> Self {
        Self {
            clock: Arc::new(SystemClock { began: Instant::now() }),
            randomness: Arc::new(SystemRandomness),
            time_zone,
            transport: Arc::new(WebSocketTransport::default()),
        }
    }
}

struct SystemClock {
    began: Instant,
}

impl Clock for SystemClock {
    fn utc_ms(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64)
    }

    fn steady_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        // The kernel's source fails only where there is none (early boot, a broken sandbox); ids then still differ.
        if let Err(error) = getrandom::fill(bytes) {
            tracing::error!(%error, "no randomness from the system");
            for byte in bytes {
                *byte = fastrand::u8(..);
            }
        }
    }
}
