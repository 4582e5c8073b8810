//! Agents' public pictures: one row each.

use rusqlite::{Connection, OptionalExtension, Result, params};
use zuoxi_rules::record::Avatar;
use zuoxi_wire::Id;

use super::rows::id;

pub(super) fn put(db: &Connection, avatar: &Avatar) -> Result<()> {
    db.execute(
        "INSERT INTO avatars (agent, hash, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (agent) DO UPDATE SET hash = ?2, bytes = ?3",
        params![avatar.agent.0, avatar.hash, avatar.bytes.as_ref()],
    )
    .map(|_| ())
}

pub(super) fn remove(db: &Connection, agent: Id) -> Result<()> {
    db.execute("DELETE FROM avatars WHERE agent = ?1", [agent.0])
        .map(|_| ())
}

pub(super) fn hashes(db: &Connection) -> Result<Vec<(Id, [u8; 32])>> {
    db.prepare_cached("SELECT agent, hash FROM avatars ORDER BY agent")?
        .query_map([], |row| Ok((id(row, "agent")?, row.get("hash")?)))?
        .collect()
}

pub(super) fn find(db: &Connection, agent: Id) -> Result<Option<Avatar>> {
    db.prepare_cached("SELECT hash, bytes FROM avatars WHERE agent = ?1")?
        .query_row([agent.0], |row| {
            Ok(Avatar {
                agent,
                hash: row.get("hash")?,
                bytes: row.get::<_, Vec<u8>>("bytes")?.into(),
            })
        })
        .optional()
}
