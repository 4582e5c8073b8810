//! Why the store can't do something, in terms of what its user can do about it.

use rusqlite::ErrorCode;

/// A failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A newer version of the app has written this database: update the app.
    #[error("the database has schema {found}, this version knows {known}: update the app")]
    Newer {
        /// Schema of the file.
        found: u32,
        /// Newest schema that this build knows.
        known: u32,
    },
    /// The file is no database under this key, or its pages fail their check: set it aside and fetch anew.
    #[error("the database is damaged, or was made with another key: {0}")]
    Damaged(String),
    /// Another process has it open: use that one.
    #[error("the database is open in another process")]
    InUse,
    /// Make room on the disk, then try again.
    #[error("the disk is full")]
    DiskFull,
    /// The disk or its permissions: the system's own words.
    #[error("the disk failed: {0}")]
    Io(String),
    /// One before it failed, so this one was not tried: load again.
    #[error("not tried, since a transaction before it failed")]
    After,
    /// Too much waits: take nothing more from the network for a while.
    #[error("too many transactions or questions wait")]
    Crowded,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// A transaction that can't be stored as it is: a fault of this app.
    #[error("a change that can't be stored: {0}")]
    Refused(String),
}

impl StoreError {
    /// The code of [`crate::view::CallError`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "newer_database",
            Self::Damaged(_) => "damaged",
            Self::InUse => "in_use",
            Self::DiskFull => "disk_full",
            Self::Io(_) | Self::After | Self::Crowded | Self::Closed | Self::Refused(_) => "store",
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let words = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(words),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
            ) => Self::Io(words),
            _ => Self::Refused(words),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            Self::DiskFull
        } else {
            Self::Io(error.to_string())
        }
    }
}
