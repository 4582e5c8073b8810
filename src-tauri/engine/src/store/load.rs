//! What a device starts from.

use bytes::Bytes;
use prost::Message;
use rusqlite::Connection;
use zuoxi_protocol::change::{Draft, FeedKey, FeedPlace, Loaded, OutboxAct};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, Summary};

use super::error::StoreError;
use super::record::{damaged, decode_log, decode_state, id};

/// Reads everything but the entries, from one snapshot.
pub(super) fn load(db: &Connection) -> Result<Loaded, StoreError> {
    let snapshot = db.unchecked_transaction()?;
    let mut loaded = Loaded::default();
    (loaded.epoch, loaded.last_place) = snapshot
        .query_row("SELECT epoch, last_place FROM account", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .map(|(epoch, place)| (epoch as u64, place as u64))?;
    load_feeds(&snapshot, &mut loaded)?;
    load_logs(&snapshot, &mut loaded)?;
    load_outbox(&snapshot, &mut loaded)?;
    load_words(&snapshot, &mut loaded)?;
    Ok(loaded)
}

fn load_feeds(db: &Connection, loaded: &mut Loaded) -> Result<(), StoreError> {
    let mut statement = db.prepare("SELECT kind, id, feed_epoch, revision, partial FROM feeds")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let place = FeedPlace {
            feed_epoch: row.get::<_, i64>(2)? as u64,
            revision: row.get::<_, i64>(3)? as u64,
            partial: row.get(4)?,
        };
        loaded.feeds.insert(
            FeedKey {
                kind: row.get(0)?,
                id: Id(row.get(1)?),
            },
            place,
        );
    }
    let mut statement = db.prepare("SELECT kind, id, conversation, summary, revision FROM feed_rows")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let feed = FeedKey {
            kind: row.get(0)?,
            id: Id(row.get(1)?),
        };
        let summary = row.get_ref(3)?.as_blob().map_err(|_| damaged("summary"))?;
        let summary = Summary::decode(summary).map_err(|_| damaged("summary"))?;
        loaded
            .rows
            .insert((feed, Id(row.get(2)?)), (summary, row.get::<_, i64>(4)? as u64));
    }
    Ok(())
}

fn load_logs(db: &Connection, loaded: &mut Loaded) -> Result<(), StoreError> {
    let mut statement = db.prepare("SELECT conversation, state FROM conversations WHERE state IS NOT NULL")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let state = row.get_ref(1)?.as_blob().map_err(|_| damaged("log"))?;
        loaded.logs.insert(Id(row.get(0)?), decode_log(state)?);
    }
    Ok(())
}

fn load_outbox(db: &Connection, loaded: &mut Loaded) -> Result<(), StoreError> {
    let mut statement = db.prepare(
        "SELECT place, id, conversation, kind, content, base, done_ms, left, state, parked FROM outbox ORDER BY place",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let conversation: Option<Vec<u8>> = row.get(2)?;
        let parked: Option<Vec<u8>> = row.get(9)?;
        loaded.outbox.push(OutboxAct {
            place: row.get::<_, i64>(0)? as u64,
            id: Id(row.get(1)?),
            conversation: conversation.as_deref().map(id).transpose()?,
            kind: ActKind::try_from(row.get::<_, i32>(3)?).map_err(|_| damaged("act's kind"))?,
            content: Bytes::from(row.get::<_, Vec<u8>>(4)?),
            base: row.get::<_, i64>(5)? as u64,
            done_ms: row.get::<_, i64>(6)? as u64,
            left: row.get(7)?,
            state: decode_state(row.get(8)?, parked.as_deref())?,
        });
    }
    Ok(())
}

fn load_words(db: &Connection, loaded: &mut Loaded) -> Result<(), StoreError> {
    let mut statement = db.prepare("SELECT conversation, text, note, on_note FROM drafts")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let draft = Draft {
            text: row.get(1)?,
            note: row.get(2)?,
            on_note: row.get(3)?,
        };
        loaded.drafts.insert(Id(row.get(0)?), draft);
    }
    let mut statement = db.prepare("SELECT name, value FROM account_values")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        loaded
            .values
            .insert(row.get(0)?, Bytes::from(row.get::<_, Vec<u8>>(1)?));
    }
    Ok(())
}
