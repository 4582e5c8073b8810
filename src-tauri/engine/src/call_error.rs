//! Making of [`CallError`]s: the codes in one place.

use crate::view::CallError;

impl CallError {
    /// A failure by its code, with no advice on when to try again.
    pub fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            retry_ms: 0,
        }
    }

    /// A failure by its code, to be tried again after `retry_ms` milliseconds.
    pub fn later(code: &str, retry_ms: u64) -> Self {
        Self {
            code: code.to_owned(),
            retry_ms,
        }
    }

    pub(crate) fn invalid() -> Self {
        Self::new("invalid")
    }

    pub(crate) fn session() -> Self {
        Self::new("session")
    }

    pub(crate) fn network() -> Self {
        Self::new("network")
    }

    pub(crate) fn not_found() -> Self {
        Self::new("not_found")
    }

    pub(crate) fn store() -> Self {
        Self::new("store")
    }
}
