//! What an administrator may set; everything else is fixed by the protocol.

use crate::record::Who;

/// Limits and times of the rules. Rates are buckets: `burst` at once, refilled by `per_second`.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Told in the hello, for people.
    pub software: String,
    /// How long an agent's session can be resumed after its last use, milliseconds.
    pub agent_session_ms: u64,
    /// The same for a customer.
    pub customer_session_ms: u64,
    /// Entries older than this go, milliseconds; 0: never. What is still going on stays whole until it closes.
    pub keep_ms: u64,
    /// Wrong passwords for one log-in name before it is locked.
    pub wrong_per_name: u32,
    /// Wrong passwords from one address before it is refused; a whole office may share one.
    pub wrong_per_address: u32,
    /// For how long wrong passwords count, and a lock lasts, milliseconds; at most 600,000 is told as advice.
    pub lock_ms: u64,
    /// New visitors from one address, for each minute; a mobile carrier's customers share a few.
    pub visitors_per_minute: u32,
    /// Acts of a customer's connection, each second, sustained.
    pub customer_acts_per_second: u32,
    /// Acts of a customer's connection at once.
    pub customer_acts_burst: u32,
    /// Acts of an agent's connection, each second, sustained.
    pub agent_acts_per_second: u32,
    /// Acts of an agent's connection at once.
    pub agent_acts_burst: u32,
    /// Other requests of a connection, each second, sustained; four times that at once.
    pub requests_per_second: u32,
    /// Rows of a feed's page at most; a device asks for what follows.
    pub feed_page_rows: u32,
    /// Connections at once, logged in or not; more are told to come back later.
    pub connections: u32,
    /// Connections at once from one address.
    pub connections_per_address: u32,
    /// New connections from one address, each second, sustained; more are told when to come back.
    pub connects_per_second: u32,
    /// New connections from one address at once: an office whose network comes back.
    pub connects_burst: u32,
}

impl Config {
    /// How long a session of theirs can be resumed after its last use, milliseconds.
    pub(crate) fn session_ms(&self, who: Who) -> u64 {
        match who {
            Who::Agent(_) => self.agent_session_ms,
            Who::Customer(_) => self.customer_session_ms,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            software: concat!("zuoxi-gateway ", env!("CARGO_PKG_VERSION")).into(),
            agent_session_ms: 30 * 24 * 3_600_000,
            customer_session_ms: 180 * 24 * 3_600_000,
            keep_ms: 0,
            wrong_per_name: 5,
            wrong_per_address: 100,
            lock_ms: 15 * 60_000,
            visitors_per_minute: 300,
            customer_acts_per_second: 10,
            customer_acts_burst: 64,
            agent_acts_per_second: 50,
            agent_acts_burst: 256,
            requests_per_second: 100,
            feed_page_rows: zuoxi_wire::limits::FEED_PAGE_ROWS as u32,
            connections: 20_000,
            connections_per_address: 10_000,
            connects_per_second: 100,
            connects_burst: 5_000,
        }
    }
}
