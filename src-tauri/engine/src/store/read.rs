//! Reading entries and pictures, on a thread and a connection that no write holds up.

use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use prost::Message;
use rusqlite::{Connection, OptionalExtension, params};
use zuoxi_protocol::change::{Range, StoredEntry};
use zuoxi_wire::v1::Entry;
use zuoxi_wire::{Id, block};

use super::apply::{SEQ_MAX, places};
use super::error::StoreError;
use super::pictures::{self, StoredPicture};
use super::record::{damaged, id};

/// What can be asked. An unknown conversation, or one that left, has no entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// What is stored of a range, at most `limit` entries from its first on.
    Range {
        /// Whose log.
        conversation: Id,
        /// Which Seqs, both ends included.
        range: Range,
        /// Entries at most.
        limit: u32,
    },
    /// The newest so many that are stored.
    Newest {
        /// Whose log.
        conversation: Id,
        /// Entries at most.
        count: u32,
    },
    /// The first entry at or after a time (times never go back within a conversation): one or none. Of what is stored.
    At {
        /// Whose log.
        conversation: Id,
        /// Milliseconds UTC.
        time_ms: u64,
    },
}

/// Takes what a question found.
pub(super) type Reply<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// What is asked, and who waits for it.
pub(super) enum Question {
    Entries {
        query: Query,
        reply: Reply<Vec<StoredEntry>>,
    },
    Picture {
        agent: Id,
        reply: Reply<Option<StoredPicture>>,
    },
}

/// Starts the reader's thread; it ends when nobody can ask any more.
pub(super) fn spawn(db: Connection, asked: Receiver<Question>) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("zuoxi-store-read".to_owned())
        .spawn(move || {
            while let Ok(question) = asked.recv() {
                match question {
                    Question::Entries { query, reply } => reply(answer(&db, &query)),
                    Question::Picture { agent, reply } => reply(pictures::read(&db, agent)),
                }
            }
        })
}

fn answer(db: &Connection, query: &Query) -> Result<Vec<StoredEntry>, StoreError> {
    let conversation = match query {
        Query::Range { conversation, .. } | Query::Newest { conversation, .. } | Query::At { conversation, .. } => {
            *conversation
        }
    };
    // One snapshot: the number must be the one whose entries are read.
    let snapshot = db.unchecked_transaction()?;
    let number: Option<i64> = snapshot
        .prepare_cached("SELECT number FROM conversations WHERE conversation = ?1")?
        .query_row([conversation.0], |row| row.get(0))
        .optional()?;
    let Some(number) = number else { return Ok(Vec::new()) };
    match query {
        Query::Range { range, limit, .. } => within(&snapshot, number, *range, *limit as usize, From::First),
        Query::Newest { count, .. } => {
            let all = Range {
                first: 0,
                last: SEQ_MAX,
            };
            within(&snapshot, number, all, *count as usize, From::Last)
        }
        Query::At { time_ms, .. } => at(&snapshot, number, *time_ms),
    }
}

/// From which end of a range entries are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    First,
    Last,
}

/// At most `limit` entries of a range, from its first or its last on, in ascending order: rows and blocks alike.
fn within(
    db: &Connection,
    number: i64,
    range: Range,
    limit: usize,
    from: From,
) -> Result<Vec<StoredEntry>, StoreError> {
    let (first, last) = places(number, range);
    let (rows, blocks) = match from {
        From::First => (
            "SELECT place, bytes FROM entries WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3",
            "SELECT * FROM blocks WHERE place BETWEEN ?1 AND ?2 ORDER BY place",
        ),
        From::Last => (
            "SELECT place, bytes FROM entries WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC LIMIT ?3",
            "SELECT * FROM blocks WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC",
        ),
    };
    let mut found = entries(db, rows, params![first, last, limit as i64])?;
    let start = Range {
        first: block::range_of(range.first).0.min(range.first),
        last: range.last,
    };
    let mut statement = db.prepare_cached(blocks)?;
    let mut held = statement.query(params![places(number, start).0, last])?;
    let mut opened = 0;
    while opened < limit
        && let Some(row) = held.next()?
    {
        let mut inside = super::blocks::entries(&super::blocks::read(row)?)?;
        inside.retain(|entry| (range.first..=range.last).contains(&entry.seq));
        opened += inside.len();
        found.append(&mut inside);
    }
    found.sort_unstable_by_key(|entry| entry.seq);
    match from {
        From::First => found.truncate(limit),
        From::Last => drop(found.drain(..found.len().saturating_sub(limit))),
    }
    Ok(found)
}

/// Halves the range of Seqs until the first entry at or after the time is left: a page for each step, no index.
fn at(db: &Connection, number: i64, time_ms: u64) -> Result<Vec<StoredEntry>, StoreError> {
    let next = |first: u64| within(db, number, Range { first, last: SEQ_MAX }, 1, From::First);
    let all = Range {
        first: 0,
        last: SEQ_MAX,
    };
    let Some(newest) = within(db, number, all, 1, From::Last)?.pop() else {
        return Ok(Vec::new());
    };
    let (mut low, mut high) = (0, newest.seq + 1);
    while low < high {
        let middle = low.midpoint(high);
        match next(middle)?.first() {
            Some(entry) if entry.time_ms < time_ms => low = entry.seq + 1,
            _ => high = middle,
        }
    }
    next(low)
}

fn entries(db: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<StoredEntry>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(0)?;
        let bytes = Bytes::copy_from_slice(row.get_ref(1)?.as_blob().map_err(|_| damaged("entry"))?);
        let entry = Entry::decode(bytes.clone()).map_err(|_| damaged("entry"))?;
        found.push(StoredEntry {
            seq: place as u64 & SEQ_MAX,
            id: id(&entry.id)?,
            author: Id::optional(&entry.author).map_err(|_| damaged("author"))?,
            time_ms: entry.time_ms,
            bytes,
        });
    }
    Ok(found)
}
