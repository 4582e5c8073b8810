//! Feeds: a counter each, and one row for each conversation.

use rusqlite::{Connection, OptionalExtension, Result, params};
use zuoxi_rules::record::{Feed, FeedRow, FeedState};

use super::rows::{Columns, int};

fn key(feed: Feed) -> (i64, [u8; 16]) {
    match feed {
        Feed::Agent(id) => (1, id.0),
        Feed::Team(id) => (2, id.0),
    }
}

pub(super) fn find(db: &Connection, feed: Feed) -> Result<Option<FeedState>> {
    db.prepare_cached("SELECT epoch, revision FROM feeds WHERE kind = ?1 AND owner = ?2")?
        .query_row(key(feed), |row| {
            let mut columns = Columns::of(row);
            Ok(FeedState {
                epoch: columns.uint()?,
                revision: columns.uint()?,
            })
        })
        .optional()
}

pub(super) fn put(db: &Connection, feed: Feed, state: FeedState) -> Result<()> {
    let (kind, owner) = key(feed);
    db.prepare_cached(
        "INSERT INTO feeds (kind, owner, epoch, revision) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, owner) DO UPDATE SET epoch = ?3, revision = ?4",
    )?
    // The epoch is 64 random bits: kept as they are.
    .execute(params![kind, owner, state.epoch as i64, int(state.revision)])
    .map(|_| ())
}

pub(super) fn put_row(db: &Connection, feed: Feed, row: &FeedRow) -> Result<()> {
    let (kind, owner) = key(feed);
    db.prepare_cached(
        "INSERT INTO feed_rows (kind, owner, conversation, revision, stands) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (kind, owner, conversation) DO UPDATE SET revision = ?4, stands = ?5",
    )?
    .execute(params![kind, owner, row.conversation.0, int(row.revision), row.stands])
    .map(|_| ())
}

pub(super) fn rows(db: &Connection, feed: Feed, above: u64, limit: u32) -> Result<Vec<FeedRow>> {
    let (kind, owner) = key(feed);
    db.prepare_cached(
        "SELECT conversation, revision, stands FROM feed_rows WHERE kind = ?1 AND owner = ?2 AND revision > ?3
         ORDER BY revision LIMIT ?4",
    )?
    .query_map(params![kind, owner, int(above), limit], |row| {
        let mut columns = Columns::of(row);
        Ok(FeedRow {
            conversation: columns.id()?,
            revision: columns.uint()?,
            stands: columns.get()?,
        })
    })?
    .collect()
}

pub(super) fn remove_left(db: &Connection, feed: Feed) -> Result<()> {
    db.prepare_cached("DELETE FROM feed_rows WHERE kind = ?1 AND owner = ?2 AND stands = 0")?
        .execute(key(feed))
        .map(|_| ())
}
