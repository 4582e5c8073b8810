//! What identifies a repeat: acceptances and final refusals, by id.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Result, params};
use zuoxi_rules::record::{Fingerprint, KnownId, Refusal};
use zuoxi_wire::Id;

use super::rows::{Columns, int};

pub(super) fn remember(db: &Connection, known: &KnownId) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO known (id, conversation, author, seq, time_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id, conversation, author) DO UPDATE SET seq = ?4, time_ms = ?5",
    )?
    .execute(params![
        known.id.0,
        known.conversation.0,
        known.author.0,
        int(known.seq),
        int(known.time_ms)
    ])
    .map(|_| ())
}

pub(super) fn known(db: &Connection, conversation: Id, act: Id) -> Result<Vec<KnownId>> {
    db.prepare_cached(
        "SELECT id, conversation, author, seq, time_ms FROM known WHERE id = ?1 AND conversation = ?2 ORDER BY author",
    )?
    .query_map(params![act.0, conversation.0], |row| {
        let mut columns = Columns::of(row);
        Ok(KnownId {
            id: columns.id()?,
            conversation: columns.id()?,
            author: columns.id()?,
            seq: columns.uint()?,
            time_ms: columns.uint()?,
        })
    })?
    .collect()
}

/// Where a look through all acceptances goes on: behind this one, in the table's own order. None: at the first.
pub(super) type Looked = Option<[[u8; 16]; 3]>;

/// Looks at the next `limit` acceptances and forgets those from before `before_ms`; tells where to go on. An index by time
/// would find them at once, but each message would pay for it.
pub(super) fn forget_known(db: &Connection, looked: Looked, before_ms: u64, limit: u32) -> Result<Looked> {
    let [id, conversation, author] = looked.unwrap_or_default();
    let last = db
        .prepare_cached(
            "SELECT id, conversation, author FROM known WHERE (id, conversation, author) > (?1, ?2, ?3)
             ORDER BY id, conversation, author LIMIT 1 OFFSET ?4",
        )?
        .query_row(params![id, conversation, author, limit.saturating_sub(1)], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?])
        })
        .optional()?;
    let [last_id, last_conversation, last_author] = last.unwrap_or([[0xff; 16]; 3]);
    db.prepare_cached(
        "DELETE FROM known WHERE (id, conversation, author) > (?1, ?2, ?3) AND (id, conversation, author) <= (?4, ?5, ?6)
         AND time_ms < ?7",
    )?
    .execute(params![
        id,
        conversation,
        author,
        last_id,
        last_conversation,
        last_author,
        int(before_ms)
    ])?;
    Ok(last)
}

pub(super) fn remember_refusal(db: &Connection, refusal: &Refusal) -> Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO refusals (id, conversation, author, salt, hash, answer)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        refusal.id.0,
        refusal.conversation.0,
        refusal.author.0,
        refusal.fingerprint.salt,
        refusal.fingerprint.hash,
        refusal.answer.as_ref()
    ])
    .map(|_| ())
}

/// Scans: once when the store is opened.
pub(super) fn conversations_with_refusals(db: &Connection) -> Result<HashSet<Id>> {
    db.prepare_cached("SELECT DISTINCT conversation FROM refusals")?
        .query_map([], |row| row.get(0).map(Id))?
        .collect()
}

pub(super) fn refusals(db: &Connection, conversation: Id, act: Id) -> Result<Vec<Refusal>> {
    db.prepare_cached(
        "SELECT id, conversation, author, salt, hash, answer FROM refusals WHERE id = ?1 AND conversation = ?2
         ORDER BY author",
    )?
    .query_map(params![act.0, conversation.0], |row| {
        let mut columns = Columns::of(row);
        Ok(Refusal {
            id: columns.id()?,
            conversation: columns.id()?,
            author: columns.id()?,
            fingerprint: Fingerprint {
                salt: columns.get()?,
                hash: columns.get()?,
            },
            answer: columns.get::<Vec<u8>>()?.into(),
        })
    })?
    .collect()
}
