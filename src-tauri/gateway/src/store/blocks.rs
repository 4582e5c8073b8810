//! Sealed blocks of both logs: one row each, replaced as a whole.

use rusqlite::{Connection, OptionalExtension, Result, params};
use zuoxi_rules::record::{Audience, Conversation, SealedBlock};
use zuoxi_wire::{Id, block};

use super::rows::{int, uint};

fn audience(log: Audience) -> bool {
    matches!(log, Audience::Agents)
}

pub(super) fn find(db: &Connection, conversation: Id, log: Audience, start: u64) -> Result<Option<SealedBlock>> {
    db.prepare_cached(
        "SELECT first, last, generation, bytes FROM blocks WHERE conversation = ?1 AND audience = ?2 AND start = ?3",
    )?
    .query_row(params![conversation.0, audience(log), int(start)], |row| {
        Ok(SealedBlock {
            conversation,
            log,
            start,
            first: uint(row, "first")?,
            last: uint(row, "last")?,
            generation: row.get("generation")?,
            bytes: row.get::<_, Vec<u8>>("bytes")?.into(),
        })
    })
    .optional()
}

pub(super) fn sealed_to(db: &Connection, conversation: Id, log: Audience) -> Result<u64> {
    let last = db
        .prepare_cached(
            "SELECT last FROM blocks WHERE conversation = ?1 AND audience = ?2 ORDER BY start DESC LIMIT 1",
        )?
        .query_row(params![conversation.0, audience(log)], |row| uint(row, "last"))
        .optional()?;
    Ok(last.unwrap_or(0))
}

pub(super) fn put(db: &Connection, block: &SealedBlock) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO blocks (conversation, audience, start, first, last, generation, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (conversation, audience, start) DO UPDATE SET first = ?4, last = ?5, generation = ?6, bytes = ?7",
    )?
    .execute(params![
        block.conversation.0,
        audience(block.log),
        int(block.start),
        int(block.first),
        int(block.last),
        block.generation,
        block.bytes.as_ref()
    ])
    .map(|_| ())
}

/// Removes at most `limit` blocks of each log whose range lies below its floor as a whole; whether some may be left.
pub(super) fn remove_below(db: &Connection, conversation: &Conversation, limit: u32) -> Result<bool> {
    let mut more = false;
    for (log, floor) in [
        (Audience::Agents, conversation.floor),
        (Audience::Everybody, conversation.public_floor),
    ] {
        let removed = db
            .prepare_cached(
                "DELETE FROM blocks WHERE number IN (SELECT number FROM blocks
                 WHERE conversation = ?1 AND audience = ?2 AND start < ?3 ORDER BY start LIMIT ?4)",
            )?
            .execute(params![
                conversation.id.0,
                audience(log),
                int(block::range_of(floor).0),
                limit
            ])?;
        more |= removed as u64 >= u64::from(limit);
    }
    Ok(more)
}
