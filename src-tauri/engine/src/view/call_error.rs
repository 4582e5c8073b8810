//! How a call fails.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a call failed: a code for the UI's words, never a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{code}")]
pub struct CallError {
    /// network, tls, not_a_gateway, version, credentials, locked, disabled, session, not_found, rate, crowded, store,
    /// disk_full, damaged, newer_database, in_use, passphrase_needed, passphrase_wrong, busy, invalid, too_long, empty,
    /// control.
    pub code: String,
    /// Milliseconds after which it may be tried again; 0: unknown.
    #[ts(type = "number")]
    pub retry_ms: u64,
}
