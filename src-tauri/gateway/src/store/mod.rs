//! The embedded store: one SQLite file, one writing connection owned by the core thread.
//!
//! - [`sqlite`]: [`SqliteStore`], the [`zuoxi_rules::Store`] of one gateway.
//! - [`upkeep`]: backup, restore and check, for the administrator.

mod avatars;
mod blocks;
mod conversations;
mod entries;
mod facts;
mod feeds;
mod kept;
mod people;
mod repeats;
mod rows;
mod schema;
mod sessions;
pub mod sqlite;
pub mod upkeep;

use std::path::PathBuf;

pub use schema::VERSION;
pub use sqlite::SqliteStore;

/// Name of the database in the data folder.
pub const FILE: &str = "gateway.db";

/// Why a database can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Made by a newer gateway.
    #[error(
        "the database has schema {found}, this gateway knows up to {known}: run the newer gateway again, or restore a backup made by this one"
    )]
    Newer {
        /// Schema of the file.
        found: u32,
        /// Newest schema that this build knows.
        known: u32,
    },
    /// A database of something else.
    #[error("this is a database, but not a gateway's: choose another data folder")]
    Foreign,
    /// No database at all, or a damaged one.
    #[error("the database is damaged, or no database ({0}): restore a backup with `zuoxi-gateway restore FILE`")]
    Damaged(String),
    /// No room on the disk.
    #[error("the disk is full: make room and start again")]
    Full,
    /// The folder or file can't be read or written.
    #[error("{path}: {source}: check that it exists and belongs to the gateway's user")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Anything else that SQLite says.
    #[error("the database can't be opened: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                Self::Damaged(error.to_string())
            }
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sqlite(error),
        }
    }
}

/// A fresh epoch: random, never 0.
fn random_epoch() -> Result<u64, OpenError> {
    let epoch = getrandom::u64().map_err(|error| OpenError::Damaged(format!("no randomness: {error}")))?;
    Ok(epoch.max(1))
}
