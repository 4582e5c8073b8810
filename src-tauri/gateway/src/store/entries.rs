//! Entries of both logs in one table. `public` never goes back along the agents' log, and neither does the time: both
//! are found by binary search over Seqs, so that appending needs one index alone. `public_ms` is NULL where the customer's
//! log has the agents' time, as all entries had that were stored before there were two.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use zuoxi_rules::record::{Audience, Entry, Fingerprint};
use zuoxi_wire::Id;

use super::rows::{Columns, int};

macro_rules! columns {
    () => {
        "conversation, seq, public, audience, kind, id, role, author, author_name, time_ms, content, erased,
         customer_messages, salt, hash, public_ms"
    };
}

pub(super) fn append(db: &Connection, entry: &Entry) -> Result<()> {
    db.prepare_cached(concat!(
        "INSERT INTO entries (",
        columns!(),
        ")
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    ))?
    .execute(params![
        entry.conversation.0,
        int(entry.seq),
        int(entry.public),
        matches!(entry.audience, Audience::Agents),
        entry.kind as i32,
        entry.id.0,
        entry.role as i32,
        entry.author.map(|id| id.0),
        entry.author_name,
        int(entry.time_ms),
        entry.content.as_ref(),
        entry.erased,
        int(entry.customer_messages),
        entry.fingerprint.map(|fingerprint| fingerprint.salt),
        entry.fingerprint.map(|fingerprint| fingerprint.hash),
        (entry.public_ms != entry.time_ms).then_some(int(entry.public_ms)),
    ])
    .map(|_| ())
}

fn read(row: &Row<'_>) -> Result<Entry> {
    let mut columns = Columns::of(row);
    let mut entry = Entry {
        conversation: columns.id()?,
        seq: columns.uint()?,
        public: columns.uint()?,
        audience: if columns.get()? {
            Audience::Agents
        } else {
            Audience::Everybody
        },
        kind: columns.number()?,
        id: columns.id()?,
        role: columns.number()?,
        author: columns.optional_id()?,
        author_name: columns.get()?,
        time_ms: columns.uint()?,
        public_ms: 0,
        content: columns.get::<Vec<u8>>()?.into(),
        erased: columns.get()?,
        customer_messages: columns.uint()?,
        fingerprint: None,
    };
    let (salt, hash): (Option<[u8; 16]>, Option<[u8; 32]>) = (columns.get()?, columns.get()?);
    entry.fingerprint = salt.zip(hash).map(|(salt, hash)| Fingerprint { salt, hash });
    let public_ms: Option<i64> = columns.get()?;
    entry.public_ms = public_ms.map_or(entry.time_ms, |ms| ms as u64);
    Ok(entry)
}

pub(super) fn find(db: &Connection, conversation: Id, seq: u64) -> Result<Option<Entry>> {
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE conversation = ?1 AND seq = ?2"
    ))?
    .query_row(params![conversation.0, int(seq)], read)
    .optional()
}

pub(super) fn range(db: &Connection, conversation: Id, first: u64, last: u64) -> Result<Vec<Entry>> {
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE conversation = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq",
    ))?
    .query_map(params![conversation.0, int(first), int(last)], read)?
    .collect()
}

pub(super) fn find_public(db: &Connection, conversation: Id, public: u64) -> Result<Option<Entry>> {
    match seq_of_public(db, conversation, public)? {
        Some(seq) => Ok(find(db, conversation, seq)?.filter(|entry| entry.public == public)),
        None => Ok(None),
    }
}

pub(super) fn public_range(db: &Connection, conversation: Id, first: u64, last: u64) -> Result<Vec<Entry>> {
    if first > last {
        return Ok(Vec::new());
    }
    let Some(begin) = seq_of_public(db, conversation, first)? else {
        return Ok(Vec::new());
    };
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE conversation = ?1 AND seq >= ?2 AND audience = 0
         ORDER BY seq LIMIT ?3",
    ))?
    .query_map(
        params![conversation.0, int(begin), int((last - first).saturating_add(1))],
        read,
    )?
    .filter(|entry| !matches!(entry, Ok(entry) if entry.public > last))
    .collect()
}

pub(super) fn at_time(db: &Connection, conversation: Id, time_ms: u64, public: bool) -> Result<Option<Entry>> {
    let mut time = db.prepare_cached(if public {
        "SELECT coalesce(public_ms, time_ms) FROM entries WHERE conversation = ?1 AND seq = ?2"
    } else {
        "SELECT time_ms FROM entries WHERE conversation = ?1 AND seq = ?2"
    })?;
    let found = first_where(db, conversation, |seq| {
        let at: i64 = time.query_row(params![conversation.0, int(seq)], |row| row.get(0))?;
        Ok(at >= int(time_ms))
    })?;
    let Some(entry) = found.map(|seq| find(db, conversation, seq)).transpose()?.flatten() else {
        return Ok(None);
    };
    match entry.audience {
        Audience::Agents if public => find_public(db, conversation, entry.public + 1),
        _ => Ok(Some(entry)),
    }
}

pub(super) fn by_id(db: &Connection, conversation: Id, id: Id, above: u64) -> Result<Vec<Entry>> {
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE conversation = ?1 AND seq > ?2 AND id = ?3 ORDER BY seq",
    ))?
    .query_map(params![conversation.0, int(above), id.0], read)?
    .collect()
}

pub(super) fn erase(db: &Connection, conversation: Id, seq: u64) -> Result<()> {
    db.prepare_cached(
        "UPDATE entries SET content = x'', salt = NULL, hash = NULL, erased = 1 WHERE conversation = ?1 AND seq = ?2",
    )?
    .execute(params![conversation.0, int(seq)])
    .map(|_| ())
}

/// Removes at most `limit` entries below a floor, the lowest first; whether some may be left.
pub(super) fn remove_below(db: &Connection, conversation: Id, floor: u64, limit: u32) -> Result<bool> {
    let removed = db
        .prepare_cached(
            "DELETE FROM entries WHERE number IN
             (SELECT number FROM entries WHERE conversation = ?1 AND seq < ?2 ORDER BY seq LIMIT ?3)",
        )?
        .execute(params![conversation.0, int(floor), limit])?;
    Ok(removed as u64 >= u64::from(limit))
}

/// The Seq in the agents' log of the first entry that is at or above `public` in the customer's.
fn seq_of_public(db: &Connection, conversation: Id, public: u64) -> Result<Option<u64>> {
    let mut at = db.prepare_cached("SELECT public FROM entries WHERE conversation = ?1 AND seq = ?2")?;
    first_where(db, conversation, |seq| {
        let there: i64 = at.query_row(params![conversation.0, int(seq)], |row| row.get(0))?;
        Ok(there >= int(public))
    })
}

/// The first Seq for which `holds`, which stays true once it is: log(n) look-ups.
fn first_where(db: &Connection, conversation: Id, mut holds: impl FnMut(u64) -> Result<bool>) -> Result<Option<u64>> {
    let edge = |sql: &str| -> Result<Option<i64>> {
        db.prepare_cached(sql)?
            .query_row([conversation.0], |row| row.get(0))
            .optional()
    };
    let first = edge("SELECT seq FROM entries WHERE conversation = ?1 ORDER BY seq LIMIT 1")?;
    let last = edge("SELECT seq FROM entries WHERE conversation = ?1 ORDER BY seq DESC LIMIT 1")?;
    let Some((first, last)) = first.zip(last) else {
        return Ok(None);
    };
    // Below `low` it doesn't hold; from `high` on it does, or the log ends.
    let (mut low, mut high) = (first as u64, last as u64 + 1);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok((low <= last as u64).then_some(low))
}
