//! Sessions, and ids of identity tokens that were used.

use rusqlite::{Connection, OptionalExtension, Result, params};
use zuoxi_rules::record::{Session, Who};
use zuoxi_wire::Id;

use super::rows::{id, int, member, uint, who};

pub(super) fn put(db: &Connection, session: &Session) -> Result<()> {
    let (role, of) = member(session.who);
    db.prepare_cached(
        "INSERT OR REPLACE INTO sessions (token_hash, role, member, device, created_ms, expires_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        session.token_hash,
        role,
        of,
        session.device.0,
        int(session.created_ms),
        int(session.expires_ms)
    ])
    .map(|_| ())
}

pub(super) fn find(db: &Connection, token_hash: &[u8; 32]) -> Result<Option<Session>> {
    db.prepare_cached(
        "SELECT token_hash, role, member, device, created_ms, expires_ms FROM sessions WHERE token_hash = ?1",
    )?
    .query_row([token_hash], |row| {
        Ok(Session {
            token_hash: row.get("token_hash")?,
            who: who(row)?,
            device: id(row, "device")?,
            created_ms: uint(row, "created_ms")?,
            expires_ms: uint(row, "expires_ms")?,
        })
    })
    .optional()
}

pub(super) fn remove(db: &Connection, token_hash: &[u8; 32]) -> Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE token_hash = ?1")?
        .execute([token_hash])
        .map(|_| ())
}

pub(super) fn remove_all(db: &Connection, who: Who, keep: Option<&[u8; 32]>) -> Result<()> {
    let (role, of) = member(who);
    db.prepare_cached("DELETE FROM sessions WHERE role = ?1 AND member = ?2 AND token_hash IS NOT ?3")?
        .execute(params![role, of, keep])
        .map(|_| ())
}

pub(super) fn forget(db: &Connection, before_ms: u64, limit: u32) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM sessions WHERE token_hash IN
         (SELECT token_hash FROM sessions WHERE expires_ms < ?1 ORDER BY expires_ms LIMIT ?2)",
    )?
    .execute(params![int(before_ms), limit])
    .map(|_| ())
}

pub(super) fn use_token_id(db: &Connection, brand: Id, token_id: &str, expires_ms: u64) -> Result<bool> {
    db.prepare_cached("INSERT OR IGNORE INTO token_ids (brand, token_id, expires_ms) VALUES (?1, ?2, ?3)")?
        .execute(params![brand.0, token_id, int(expires_ms)])
        .map(|rows| rows == 1)
}

pub(super) fn forget_token_ids(db: &Connection, before_ms: u64, limit: u32) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM token_ids WHERE (brand, token_id) IN
         (SELECT brand, token_id FROM token_ids WHERE expires_ms < ?1 ORDER BY expires_ms LIMIT ?2)",
    )?
    .execute(params![int(before_ms), limit])
    .map(|_| ())
}
