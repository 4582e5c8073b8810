//! Opening a database: lock, key and pragmas.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Once;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::StoreOptions;
use super::error::StoreError;

/// Bytes of a page: 16 KiB pages hold blocks of 64 entries in half the space that 4 KiB pages need (measured).
const PAGE_BYTES: u64 = 16 * 1024;
/// KiB of page cache: the writer's working set, and a few screens of reading.
const WRITER_CACHE_KIB: i64 = 8 * 1024;
const READER_CACHE_KIB: i64 = 4 * 1024;
/// Statements that a connection keeps ready.
const STATEMENTS: usize = 64;
/// Bytes that the WAL keeps on disk between checkpoints.
const WAL_KEPT_BYTES: i64 = 16 * 1024 * 1024;

/// One process has a database open: taken before anything is read.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// SQLite counts itself ready before SQLCipher has registered its ciphers (`isInit` before `SQLITE_EXTRA_INIT` in
/// `sqlite3_initialize`), so of two first connections opened at once one could find none: the first one is opened alone.
fn open_first_alone() {
    static FIRST: Once = Once::new();
    // What fails here fails again where it is told.
    FIRST.call_once(|| drop(Connection::open_in_memory()));
}

/// The writing connection.
pub(super) fn open(options: &StoreOptions) -> Result<Connection, StoreError> {
    open_first_alone();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&options.path, flags)?;
    unlock(&connection, options)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Io(format!("journal mode {mode} instead of WAL")));
    }
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
    // Checkpoints are made when nobody waits, or beside the writer, not in somebody's commit.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    if let Some(bytes) = options.limit_bytes {
        connection.pragma_update(None, "max_page_count", (bytes / PAGE_BYTES) as i64)?;
    }
    Ok(connection)
}

/// The reading connection; the database must be there.
pub(super) fn open_to_read(options: &StoreOptions) -> Result<Connection, StoreError> {
    let connection = open_beside(options)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// A connection beside the writer's, as it is enough for checkpoints; the database must be there.
pub(super) fn open_beside(options: &StoreOptions) -> Result<Connection, StoreError> {
    // Not read-only as a file: a WAL's reader writes its place into the shared memory file.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&options.path, flags)?;
    unlock(&connection, options)?;
    connection.pragma_update(None, "query_only", "ON")?;
    Ok(connection)
}

/// The key must be the first thing a connection hears; page size belongs to it with SQLCipher.
fn unlock(connection: &Connection, options: &StoreOptions) -> Result<(), StoreError> {
    // SQLCipher writes its own log to stderr otherwise, and what it says we tell typed.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let literal = options.key.literal();
    connection.key(None::<&str>, literal.as_bytes(), false)?;
    connection.pragma_update(None, "cipher_page_size", PAGE_BYTES as i64)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else a statement is planned anew whenever a bound id differs from the last one.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The first look at a page: fails for another key, or for what is no database.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(())
}
