//! Whether what is shown is everything, and the proof of it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether what is shown is everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SyncView {
    /// Proven by a heartbeat.
    UpToDate {
        /// Everything committed before this time is here, milliseconds UTC (gateway).
        #[ts(type = "number")]
        as_of_ms: u64,
    },
    /// Connected, fetching.
    CatchingUp {
        /// Entries missing, as far as known.
        #[ts(type = "number")]
        missing: u64,
        /// Entries fetched since it began.
        #[ts(type = "number")]
        fetched: u64,
        /// Conversations with something missing.
        conversations: u32,
    },
    /// No connection.
    Offline {
        /// Milliseconds UTC by this computer's clock; 0: never was connected.
        #[ts(type = "number")]
        since_ms: u64,
        /// When the next attempt begins, milliseconds UTC by this computer's clock; 0: under way.
        #[ts(type = "number")]
        retry_at_ms: u64,
        /// A code for why: network, tls, version, crowded, session, disabled, stopping, store.
        reason: String,
    },
}

/// The proof behind the mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProofView {
    /// The mark itself.
    pub sync: SyncView,
    /// Feeds by name: here and at the gateway.
    pub feeds: Vec<ProofFeed>,
    /// Conversations kept here.
    pub conversations: u32,
    /// Gaps in them.
    pub gaps: u32,
    /// Acts waiting for the gateway.
    pub waiting: u32,
    /// Acts parked.
    pub parked: u32,
    /// Smoothed round trip, milliseconds; `None`: not measured yet.
    #[ts(type = "number | null")]
    pub round_trip_ms: Option<u64>,
}

/// One feed of the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProofFeed {
    /// Team's name; empty: the agent's own feed.
    pub name: String,
    /// Revision here.
    #[ts(type = "number")]
    pub here: u64,
    /// Revision of the last heartbeat.
    #[ts(type = "number")]
    pub there: u64,
    /// They agree.
    pub agrees: bool,
}
