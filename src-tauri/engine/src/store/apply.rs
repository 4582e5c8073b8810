//! One transaction's changes, as statements.

use std::collections::HashMap;

use bytes::Bytes;
use prost::Message;
use rusqlite::{Connection, OptionalExtension, params};
use zuoxi_protocol::change::{Change, Draft, FeedKey, OutboxAct, Range, StoredEntry};
use zuoxi_wire::Id;
use zuoxi_wire::v1::Entry;

use super::blocks;
use super::error::StoreError;
use super::peek::peek;
use super::record::{damaged, encode_log, encode_state};

/// Bits of a Seq in an entry's key. 2^40 entries of one conversation are 30 years of a thousand a second.
pub(super) const SEQ_BITS: u32 = 40;
/// Highest Seq that has a key.
pub(super) const SEQ_MAX: u64 = (1 << SEQ_BITS) - 1;

/// Rows that weigh as much as a block.
const BLOCK_ROWS: i64 = 32;

/// The keys of a range of Seqs, both ends included; Seqs beyond the highest are cut.
pub(super) fn places(number: i64, range: Range) -> (i64, i64) {
    let place = |seq: u64| (number << SEQ_BITS) | seq.min(SEQ_MAX) as i64;
    (place(range.first), place(range.last))
}

/// What the writing thread remembers between transactions, to spare statements. Forgotten after a rollback.
#[derive(Debug, Default)]
pub(super) struct Numbers(HashMap<Id, i64>);

impl Numbers {
    /// After a rollback numbers may not be what they were.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// A conversation's number, if it has one.
    fn known(&mut self, db: &Connection, conversation: Id) -> Result<Option<i64>, StoreError> {
        if let Some(number) = self.0.get(&conversation) {
            return Ok(Some(*number));
        }
        let number = db
            .prepare_cached("SELECT number FROM conversations WHERE conversation = ?1")?
            .query_row([conversation.0], |row| row.get(0))
            .optional()?;
        if let Some(number) = number {
            self.0.insert(conversation, number);
        }
        Ok(number)
    }

    /// A conversation's number; it gets one, once what it held before it left is gone.
    fn number(&mut self, db: &Connection, conversation: Id) -> Result<i64, StoreError> {
        if let Some(number) = self.known(db, conversation)? {
            return Ok(number);
        }
        let doomed: Vec<i64> = db
            .prepare_cached("SELECT number FROM doomed WHERE conversation = ?1")?
            .query_map([conversation.0], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for number in doomed {
            while delete_doomed(db, number, i64::MAX)? {}
        }
        db.prepare_cached("INSERT INTO conversations (conversation) VALUES (?1)")?
            .execute([conversation.0])?;
        let number = db.last_insert_rowid();
        self.0.insert(conversation, number);
        Ok(number)
    }
}

/// Deletes at most `rows` entries of a doomed number; whether something may be left.
pub(super) fn delete_doomed(db: &Connection, number: i64, rows: i64) -> Result<bool, StoreError> {
    let (first, last) = places(
        number,
        Range {
            first: 0,
            last: SEQ_MAX,
        },
    );
    let deleted = db
        .prepare_cached(
            "DELETE FROM entries WHERE place IN
               (SELECT place FROM entries WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3)",
        )?
        .execute(params![first, last, rows])?;
    // A block weighs as much as so many rows.
    let blocks = rows / BLOCK_ROWS + 1;
    let deleted_blocks = db
        .prepare_cached(
            "DELETE FROM blocks WHERE place IN
               (SELECT place FROM blocks WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3)",
        )?
        .execute(params![first, last, blocks])?;
    if (deleted as i64) < rows && (deleted_blocks as i64) < blocks {
        db.prepare_cached("DELETE FROM doomed WHERE number = ?1")?
            .execute([number])?;
        return Ok(false);
    }
    Ok(true)
}

/// Applies one change inside the open transaction.
pub(super) fn apply(db: &Connection, numbers: &mut Numbers, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::Epoch(epoch) => {
            db.prepare_cached("UPDATE account SET epoch = ?1")?
                .execute([*epoch as i64])?;
        }
        Change::Feed(feed, place) => {
            db.prepare_cached("INSERT OR REPLACE INTO feeds VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![
                    feed.kind,
                    feed.id.0,
                    place.feed_epoch as i64,
                    place.revision as i64,
                    place.partial
                ])?;
        }
        Change::ForgetFeed(feed) => forget_feed(db, numbers, *feed)?,
        Change::Row {
            feed,
            conversation,
            summary,
            revision,
        } => {
            db.prepare_cached("INSERT OR REPLACE INTO feed_rows VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![
                    feed.kind,
                    feed.id.0,
                    conversation.0,
                    *revision as i64,
                    summary.encode_to_vec()
                ])?;
        }
        Change::RowLeft { feed, conversation } => {
            db.prepare_cached("DELETE FROM feed_rows WHERE kind = ?1 AND id = ?2 AND conversation = ?3")?
                .execute(params![feed.kind, feed.id.0, conversation.0])?;
            if feed.is_own() {
                doom(db, numbers, *conversation)?;
            }
        }
        Change::Log(conversation, state) => {
            let number = numbers.number(db, *conversation)?;
            db.prepare_cached("UPDATE conversations SET state = ?2 WHERE number = ?1")?
                .execute(params![number, encode_log(state)])?;
        }
        Change::Entries(conversation, entries) => {
            let number = numbers.number(db, *conversation)?;
            insert_entries(db, number, entries)?;
        }
        Change::Block(conversation, block) => {
            let number = numbers.number(db, *conversation)?;
            blocks::put(db, number, block)?;
        }
        Change::Erase(conversation, seqs) => {
            if let Some(number) = numbers.known(db, *conversation)? {
                erase(db, number, seqs)?;
            }
        }
        Change::EraseMessage {
            conversation,
            below,
            author,
            id,
        } => {
            if let Some(number) = numbers.known(db, *conversation)? {
                // An id stands once in a log: blocks, which are opened one by one, hold it if rows don't.
                if !erase_message(db, number, *below, *author, *id)? {
                    blocks::erase_message(db, number, *below, *author, *id)?;
                }
            }
        }
        Change::Drop(conversation, range) => {
            if let Some(number) = numbers.known(db, *conversation)? {
                let (first, last) = places(number, *range);
                db.prepare_cached("DELETE FROM entries WHERE place BETWEEN ?1 AND ?2")?
                    .execute([first, last])?;
                blocks::drop_range(db, number, *range)?;
            }
        }
        Change::Enqueue(act) => {
            db.prepare_cached("UPDATE account SET last_place = max(last_place, ?1)")?
                .execute([act.place as i64])?;
            write_act(
                db,
                "INSERT INTO outbox VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                act,
            )?;
        }
        Change::Update(act) => {
            // A place may change too: "send again" of what a restored log lost takes the last one.
            db.prepare_cached("UPDATE account SET last_place = max(last_place, ?1)")?
                .execute([act.place as i64])?;
            let sql = "UPDATE outbox SET place = ?1, conversation = ?3, kind = ?4, content = ?5, base = ?6,
                       done_ms = ?7, left = ?8, state = ?9, parked = ?10 WHERE id = ?2";
            if write_act(db, sql, act)? == 0 {
                return Err(StoreError::Refused(format!(
                    "an update of act {}, which isn't in the outbox",
                    act.id
                )));
            }
        }
        Change::Settle(id) => {
            db.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id.0])?;
        }
        Change::Draft(conversation, draft) => write_draft(db, *conversation, draft)?,
        Change::Value(name, Some(value)) => {
            db.prepare_cached("INSERT OR REPLACE INTO account_values VALUES (?1, ?2)")?
                .execute(params![name, value.as_ref()])?;
        }
        Change::Value(name, None) => {
            db.prepare_cached("DELETE FROM account_values WHERE name = ?1")?
                .execute([name])?;
        }
    }
    Ok(())
}

/// From this commit on nothing finds what the conversation held.
fn doom(db: &Connection, numbers: &mut Numbers, conversation: Id) -> Result<(), StoreError> {
    let Some(number) = numbers.known(db, conversation)? else {
        return Ok(());
    };
    numbers.0.remove(&conversation);
    db.prepare_cached("INSERT INTO doomed VALUES (?1, ?2)")?
        .execute(params![number, conversation.0])?;
    db.prepare_cached("DELETE FROM conversations WHERE number = ?1")?
        .execute([number])?;
    Ok(())
}

fn forget_feed(db: &Connection, numbers: &mut Numbers, feed: FeedKey) -> Result<(), StoreError> {
    if feed.is_own() {
        let conversations: Vec<[u8; 16]> = db
            .prepare_cached("SELECT conversation FROM feed_rows WHERE kind = ?1 AND id = ?2")?
            .query_map(params![feed.kind, feed.id.0], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for conversation in conversations {
            doom(db, numbers, Id(conversation))?;
        }
    }
    db.prepare_cached("DELETE FROM feed_rows WHERE kind = ?1 AND id = ?2")?
        .execute(params![feed.kind, feed.id.0])?;
    db.prepare_cached("DELETE FROM feeds WHERE kind = ?1 AND id = ?2")?
        .execute(params![feed.kind, feed.id.0])?;
    Ok(())
}

fn insert_entries(db: &Connection, number: i64, entries: &[StoredEntry]) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "INSERT INTO entries VALUES (?1, ?2, ?3)
         ON CONFLICT (place) DO UPDATE SET erased = excluded.erased, bytes = excluded.bytes WHERE erased = 0",
    )?;
    for stored in entries {
        if stored.seq == 0 || stored.seq > SEQ_MAX {
            return Err(StoreError::Refused(format!("an entry with Seq {}", stored.seq)));
        }
        let no_entry = || StoreError::Refused(format!("entry {}, whose bytes are none", stored.id));
        let peeked = peek(&stored.bytes).ok_or_else(no_entry)?;
        if blocks::has(db, number, stored.seq, peeked.erased)? {
            continue;
        }
        let (place, _) = places(
            number,
            Range {
                first: stored.seq,
                last: stored.seq,
            },
        );
        if peeked.erased && peeked.has_content {
            let entry = Entry::decode(stored.bytes.clone()).map_err(|_| no_entry())?;
            statement.execute(params![place, true, emptied(entry)])?;
        } else {
            statement.execute(params![place, peeked.erased, stored.bytes.as_ref()])?;
        }
    }
    Ok(())
}

/// Erased: Seq, id and author stay, and nothing of what a newer version may have added to it.
pub(super) fn emptied(mut entry: Entry) -> Vec<u8> {
    entry.content = Bytes::new();
    entry.erased = true;
    entry.encode_to_vec()
}

fn erase(db: &Connection, number: i64, seqs: &[u64]) -> Result<(), StoreError> {
    for seq in seqs {
        let (place, _) = places(
            number,
            Range {
                first: *seq,
                last: *seq,
            },
        );
        let bytes: Option<Vec<u8>> = db
            .prepare_cached("SELECT bytes FROM entries WHERE place = ?1 AND erased = 0")?
            .query_row([place], |row| row.get(0))
            .optional()?;
        if let Some(bytes) = bytes {
            let entry = Entry::decode(bytes.as_slice()).map_err(|_| damaged("entry"))?;
            db.prepare_cached("UPDATE entries SET erased = 1, bytes = ?2 WHERE place = ?1")?
                .execute(params![place, emptied(entry)])?;
        } else {
            blocks::erase(db, number, *seq)?;
        }
    }
    Ok(())
}

/// A recall names author and id. It is rare, and ids have no index: what contains the id's bytes is looked at. Whether
/// a row holds what it names, erased before or now.
fn erase_message(db: &Connection, number: i64, below: u64, author: Id, id: Id) -> Result<bool, StoreError> {
    let (first, last) = places(
        number,
        Range {
            first: 0,
            last: below.saturating_sub(1),
        },
    );
    let found: Vec<Vec<u8>> = db
        .prepare_cached("SELECT bytes FROM entries WHERE place BETWEEN ?1 AND ?2 AND instr(bytes, ?3) > 0")?
        .query_map(params![first, last, id.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for bytes in found {
        let entry = Entry::decode(bytes.as_slice()).map_err(|_| damaged("entry"))?;
        if entry.id.as_ref() == id.0 && entry.author.as_ref() == author.0 {
            erase(db, number, &[entry.seq])?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn write_act(db: &Connection, sql: &str, act: &OutboxAct) -> Result<usize, StoreError> {
    let (state, parked) = encode_state(&act.state);
    Ok(db.prepare_cached(sql)?.execute(params![
        act.place as i64,
        act.id.0,
        act.conversation.map(|conversation| conversation.0),
        act.kind as i32,
        act.content.as_ref(),
        act.base as i64,
        act.done_ms as i64,
        act.left,
        state,
        parked
    ])?)
}

fn write_draft(db: &Connection, conversation: Id, draft: &Draft) -> Result<(), StoreError> {
    if draft.text.is_empty() && draft.note.is_empty() {
        db.prepare_cached("DELETE FROM drafts WHERE conversation = ?1")?
            .execute([conversation.0])?;
    } else {
        db.prepare_cached("INSERT OR REPLACE INTO drafts VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![conversation.0, draft.text, draft.note, draft.on_note])?;
    }
    Ok(())
}
