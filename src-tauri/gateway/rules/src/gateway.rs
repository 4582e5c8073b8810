//! The machine: one batch of events is one group commit.

use crate::config::Config;
use crate::event::{ConnectionId, Event, Output};
use crate::store::{Store, Stored};

/// The rules of one gateway, with what it knows only as long as its connections live.
pub struct Gateway {
    _config: Config,
}

impl Gateway {
    /// A gateway without connections over `store`; `seed` is 32 random bytes, from which all ids, salts and tokens
    /// come.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn new<S: Store>(config: Config, store: &mut S, seed: [u8; 32], now_ms: u64) -> Stored<Self> {
        let _ = (store.epoch()?, seed, now_ms);
        Ok(Self { _config: config })
    }

    /// Runs a batch of events in order as one group commit; what leaves is added to `out`, in order.
    ///
    /// Never fails: where the store does, acts are refused for now and log-ins get a problem.
    pub fn handle<S: Store>(&mut self, store: &mut S, now_ms: u64, batch: Vec<Event>, out: &mut Vec<Output>) {
        let _ = (store, now_ms, batch, out);
    }

    /// Whether frames of this connection may be as large as those of somebody known.
    pub fn is_logged_in(&self, connection: ConnectionId) -> bool {
        let _ = connection;
        false
    }
}
