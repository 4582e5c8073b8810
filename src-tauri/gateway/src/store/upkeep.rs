//! Backup, restore and check, for the administrator.

use std::path::{Path, PathBuf};

use prost::Message;
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use zuoxi_rules::store::Store;
use zuoxi_wire::v1::Block;
use zuoxi_wire::{Id, block, limits};

use super::{OpenError, SqliteStore, entries, random_epoch, schema};
use crate::clock::system_ms;

/// Writes a copy of the database, also while a gateway runs. The file appears when it is whole.
///
/// # Errors
/// The database can't be read, or the file can't be written.
pub fn backup(database: &Path, file: &Path) -> Result<(), OpenError> {
    let part = beside(file, "part");
    let _ = std::fs::remove_file(&part);
    let source = SqliteStore::open_existing(database)?;
    {
        let mut target = Connection::open(&part)?;
        // All pages in one step: a read of one snapshot, which a writer neither disturbs nor waits for.
        Backup::new(source.connection(), &mut target)?.step(-1)?;
        // A copy is one file, without a WAL beside it.
        target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    }
    let folder = |source| OpenError::Folder {
        path: file.to_owned(),
        source,
    };
    std::fs::File::open(&part)
        .and_then(|part| part.sync_all())
        .map_err(folder)?;
    std::fs::rename(&part, file).map_err(folder)?;
    Ok(())
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The log's new epoch: devices compare what they have when they see it.
    pub epoch: u64,
    /// Where the database that was there before is kept; none: there was none.
    pub kept: Option<PathBuf>,
}

/// Puts a backup in the database's place, with a new epoch. No gateway may run on the folder: the caller holds its
/// lock.
///
/// # Errors
/// The backup can't be used (then nothing is changed), or files can't be moved.
pub fn restore(file: &Path, database: &Path) -> Result<Restored, OpenError> {
    let fresh = beside(database, "restoring");
    for name in with_wal(&fresh) {
        let _ = std::fs::remove_file(name);
    }
    let epoch = prepare(file, &fresh)?;
    let mut kept = None;
    if database.exists() {
        let away = beside(database, &format!("before-{}", system_ms()));
        for (from, to) in with_wal(database).into_iter().zip(with_wal(&away)) {
            if from.exists() {
                std::fs::rename(&from, &to).map_err(|source| OpenError::Folder { path: from, source })?;
            }
        }
        kept = Some(away);
    }
    std::fs::rename(&fresh, database).map_err(|source| OpenError::Folder {
        path: database.to_owned(),
        source,
    })?;
    Ok(Restored { epoch, kept })
}

/// Copies the backup, checks it, brings its schema up to date and gives it a new epoch.
fn prepare(file: &Path, fresh: &Path) -> Result<u64, OpenError> {
    {
        let source = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut target = Connection::open(fresh)?;
        Backup::new(&source, &mut target)?.step(-1)?;
    }
    let mut store = SqliteStore::open(fresh)?;
    let wrong = check(&store)?;
    if let Some(first) = wrong.first() {
        return Err(OpenError::Damaged(first.clone()));
    }
    let before = store.epoch().map_err(|error| OpenError::Damaged(error.to_string()))?;
    let mut epoch = random_epoch()?;
    while epoch == before {
        epoch = random_epoch()?;
    }
    store
        .begin()
        .and_then(|()| store.renew_epoch(epoch))
        .and_then(|()| store.commit())
        .and_then(|()| store.checkpoint())
        .map_err(|error| OpenError::Damaged(error.to_string()))?;
    Ok(epoch)
}

/// The database with its WAL and index of the WAL.
fn with_wal(database: &Path) -> [PathBuf; 3] {
    let named = |end: &str| {
        let mut name = database.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    [database.to_owned(), named("-wal"), named("-shm")]
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

/// What must be true of every database, as queries that find nothing; each gives one column of text.
const RULES: [(&str, &str); 10] = [
    (
        "a conversation's head is not the number of its entries",
        "SELECT hex(c.id) FROM conversations c
         LEFT JOIN (SELECT conversation, max(seq) AS last, min(seq) AS first, count(*) AS count FROM entries
                    GROUP BY conversation) e ON e.conversation = c.id
         WHERE coalesce(e.last, 0) > c.head OR e.count <> e.last - e.first + 1
           OR (c.floor <= c.head AND (coalesce(e.last, 0) <> c.head OR e.first > c.floor))",
    ),
    (
        "a customer's log is not numbered without holes",
        "SELECT hex(c.id) FROM conversations c
         LEFT JOIN (SELECT conversation, max(public) AS last, min(public) AS first, count(*) AS count FROM entries
                    WHERE audience = 0 GROUP BY conversation) e ON e.conversation = c.id
         WHERE c.public_floor <= c.public_head
           AND (coalesce(e.last, 0) <> c.public_head OR e.count <> e.last - e.first + 1)",
    ),
    (
        "the customer's numbers go back along the agents' log",
        "SELECT hex(a.conversation) || ' ' || b.seq FROM entries a
         JOIN entries b ON b.conversation = a.conversation AND b.seq = a.seq + 1
         WHERE b.public <> a.public + (b.audience = 0)",
    ),
    (
        "the time goes back within a conversation",
        "SELECT hex(a.conversation) || ' ' || b.seq FROM entries a
         JOIN entries b ON b.conversation = a.conversation AND b.seq = a.seq + 1
         WHERE b.time_ms < a.time_ms",
    ),
    (
        "the time goes back within a customer's log",
        "SELECT hex(a.conversation) || ' ' || b.seq FROM entries a
         JOIN entries b ON b.conversation = a.conversation AND b.seq = a.seq + 1
         WHERE (a.audience = 0 OR a.public_ms IS NOT NULL) AND (b.audience = 0 OR b.public_ms IS NOT NULL)
           AND coalesce(b.public_ms, b.time_ms) < coalesce(a.public_ms, a.time_ms)",
    ),
    (
        "an author's id stands twice in one conversation",
        "SELECT hex(conversation) || ' ' || hex(id) FROM entries
         GROUP BY conversation, id, author HAVING count(*) > 1",
    ),
    (
        "an entry without its conversation",
        "SELECT hex(conversation) || ' ' || seq FROM entries
         WHERE conversation NOT IN (SELECT id FROM conversations)",
    ),
    (
        "a remembered id that points at another entry",
        "SELECT hex(k.conversation) || ' ' || k.seq FROM known k
         LEFT JOIN entries e ON e.conversation = k.conversation AND e.seq = k.seq
         JOIN conversations c ON c.id = k.conversation
         WHERE k.seq >= c.floor AND (e.id IS NULL OR e.id <> k.id OR e.author IS NOT k.author)",
    ),
    (
        "a feed's row above its revision",
        "SELECT hex(r.owner) || ' ' || r.revision FROM feed_rows r
         LEFT JOIN feeds f ON f.kind = r.kind AND f.owner = r.owner
         WHERE f.revision IS NULL OR r.revision > f.revision",
    ),
    (
        "a conversation that doesn't stand in its holder's feed",
        "SELECT hex(c.id) FROM conversations c
         WHERE c.holder IS NOT NULL AND NOT EXISTS (SELECT 1 FROM feed_rows r
             WHERE r.kind = 1 AND r.owner = c.holder AND r.conversation = c.id AND r.stands = 1)",
    ),
];

/// The same of what schema 2 brought; `?1` is the Seqs of a range.
const BLOCKS: (u32, (&str, &str)) = (
    2,
    (
        "a sealed block beyond its log or its range",
        "SELECT hex(b.conversation) || ' ' || b.start FROM blocks b
         LEFT JOIN conversations c ON c.id = b.conversation
         WHERE c.id IS NULL OR b.generation < 1 OR (b.start - 1) % ?1 <> 0 OR b.last >= b.start + ?1
             OR b.last > iif(b.audience, c.head, c.public_head)
             OR (b.start + ?1 > iif(b.audience, c.floor, c.public_floor)
                 AND b.first <> max(b.start, iif(b.audience, c.floor, c.public_floor)))",
    ),
);

/// Findings of one rule that are told.
const TOLD: usize = 5;

/// What isn't as it must be, in sentences; empty: all is well.
///
/// # Errors
/// The database can't be read.
pub fn check(store: &SqliteStore) -> Result<Vec<String>, OpenError> {
    let db = store.connection();
    let mut wrong: Vec<String> = db
        .prepare("PRAGMA integrity_check(5)")?
        .query_map([], |row| row.get::<_, String>(0))?
        .filter(|line| !matches!(line, Ok(line) if line == "ok"))
        .collect::<rusqlite::Result<_>>()?;
    // What is only partly there is not worth reading.
    if !wrong.is_empty() {
        return Ok(wrong);
    }
    let (since, rule) = BLOCKS;
    // A database of an older schema is checked as it is.
    let has_blocks = schema::version(db)? >= since;
    for (what, sql) in RULES.into_iter().chain(has_blocks.then_some(rule)) {
        let mut statement = db.prepare(sql)?;
        if statement.parameter_count() > 0 {
            statement.raw_bind_parameter(1, limits::BLOCK_SEQS as i64)?;
        }
        let found: Vec<String> = statement
            .raw_query()
            .mapped(|row| row.get::<_, String>(0))
            .take(TOLD)
            .collect::<rusqlite::Result<_>>()?;
        wrong.extend(found.into_iter().map(|id| format!("{what}: {}", id.to_lowercase())));
    }
    if has_blocks {
        let lying = lying_blocks(db)?.into_iter();
        wrong.extend(lying.map(|block| format!("a sealed block that isn't what its entries are: {block}")));
    }
    Ok(wrong)
}

/// Blocks whose entries aren't those of the log, or hold content that was taken away.
fn lying_blocks(db: &Connection) -> Result<Vec<String>, OpenError> {
    let mut statement = db.prepare("SELECT conversation, audience, start, bytes FROM blocks WHERE bytes <> x''")?;
    let mut rows = statement.query([])?;
    let mut lying = Vec::new();
    while let Some(row) = rows.next()? {
        let (conversation, agents, start) = (Id(row.get(0)?), row.get::<_, bool>(1)?, row.get::<_, i64>(2)?);
        let packed = Block::decode(row.get::<_, Vec<u8>>(3)?.as_slice()).unwrap_or_default();
        let sealed: Vec<_> = block::decode(&packed)
            .unwrap_or_default()
            .into_iter()
            .map(|(entry, _)| (entry.seq, entry.id.to_vec(), entry.erased, entry.content))
            .collect();
        let log = if agents {
            entries::range(db, conversation, packed.first, packed.last)?
        } else {
            entries::public_range(db, conversation, packed.first, packed.last)?
        };
        let log: Vec<_> = log
            .into_iter()
            .map(|entry| {
                let seq = if agents { entry.seq } else { entry.public };
                (seq, entry.id.0.to_vec(), entry.erased, entry.content)
            })
            .collect();
        if sealed.is_empty() || sealed != log {
            lying.push(format!("{conversation} {start}"));
        }
        if lying.len() == TOLD {
            break;
        }
    }
    Ok(lying)
}

/// How much stands in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Conversations.
    pub conversations: u64,
    /// Entries.
    pub entries: u64,
}

/// Counts what stands in the database.
///
/// # Errors
/// The database can't be read.
pub fn size(store: &SqliteStore) -> Result<Size, OpenError> {
    let count = |sql: &str| -> rusqlite::Result<u64> {
        store
            .connection()
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map(|count| count as u64)
    };
    Ok(Size {
        conversations: count("SELECT count(*) FROM conversations")?,
        entries: count("SELECT count(*) FROM entries")?,
    })
}

/// Time of the newest entry, milliseconds UTC; 0: none.
///
/// # Errors
/// The database can't be read.
pub fn newest_ms(store: &SqliteStore) -> Result<u64, OpenError> {
    let newest = store
        .connection()
        .query_row("SELECT coalesce(max(moved_ms), 0) FROM conversations", [], |row| {
            row.get::<_, i64>(0)
        });
    Ok(newest? as u64)
}
