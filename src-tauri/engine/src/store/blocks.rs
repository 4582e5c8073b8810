//! Sealed blocks: kept as they came, opened when somebody reads in them, encoded anew only where content must go.

use bytes::Bytes;
use prost::Message;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zuoxi_protocol::change::{Range, StoredBlock, StoredEntry};
use zuoxi_wire::v1::{Block, BlockCodec};
use zuoxi_wire::{Id, block};

use super::apply::{SEQ_MAX, emptied, places};
use super::error::StoreError;
use super::record::damaged;

/// A row of `blocks`, all columns in their order.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<StoredBlock> {
    Ok(StoredBlock {
        start: row.get::<_, i64>(0)? as u64 & SEQ_MAX,
        first: row.get::<_, i64>(1)? as u64,
        last: row.get::<_, i64>(2)? as u64,
        erased: row.get::<_, i64>(3)? as u64,
        bytes: row.get::<_, Vec<u8>>(4)?.into(),
    })
}

fn open(bytes: &Bytes) -> Result<Block, StoreError> {
    Block::decode(bytes.clone()).map_err(|_| damaged("block"))
}

/// The entries of a block, in order.
pub(super) fn entries(stored: &StoredBlock) -> Result<Vec<StoredEntry>, StoreError> {
    stored.entries().map_err(|_| damaged("block"))
}

/// Whether the bytes of an id stand somewhere in a block.
fn names(stored: &StoredBlock, id: Id) -> Result<bool, StoreError> {
    let plain = block::plain(open(&stored.bytes)?).map_err(|_| damaged("block"))?;
    Ok(plain.data.windows(id.0.len()).any(|part| part == id.0))
}

/// The bit of a Seq in a block's `erased`; none if it isn't of this range.
fn bit(start: u64, seq: u64) -> u64 {
    seq.checked_sub(start)
        .map_or(0, |nth| 1u64.checked_shl(nth as u32).unwrap_or(0))
}

fn place_of(number: i64, seq: u64) -> i64 {
    places(number, Range { first: seq, last: seq }).0
}

/// The block of the fixed range in which a Seq lies.
pub(super) fn around(db: &Connection, number: i64, seq: u64) -> Result<Option<StoredBlock>, StoreError> {
    let place = place_of(number, block::range_of(seq).0);
    Ok(db
        .prepare_cached("SELECT * FROM blocks WHERE place = ?1")?
        .query_row([place], read)
        .optional()?)
}

/// First and last Seq and erased ones of the block of a range, without opening it.
pub(super) fn outline(db: &Connection, number: i64, start: u64) -> Result<Option<(u64, u64, u64)>, StoreError> {
    Ok(db
        .prepare_cached("SELECT first, last, erased FROM blocks WHERE place = ?1")?
        .query_row([place_of(number, start)], |row| {
            Ok((
                row.get::<_, i64>(0)? as u64,
                row.get::<_, i64>(1)? as u64,
                row.get::<_, i64>(2)? as u64,
            ))
        })
        .optional()?)
}

/// Keeps a block in place of its rows and of an older one. Erased wins.
pub(super) fn put(db: &Connection, number: i64, came: &StoredBlock) -> Result<(), StoreError> {
    let (start, end) = block::range_of(came.start);
    if start != came.start || came.first < start || came.last < came.first || came.last > end || end > SEQ_MAX {
        return Err(StoreError::Refused(format!(
            "a block of {} to {}",
            came.first, came.last
        )));
    }
    let range = Range {
        first: came.first,
        last: came.last,
    };
    let (first, last) = places(number, range);
    let mut known: u64 = db
        .prepare_cached("SELECT place FROM entries WHERE place BETWEEN ?1 AND ?2 AND erased = 1")?
        .query_map([first, last], |row| row.get::<_, i64>(0))?
        .map(|place| Ok(bit(start, place? as u64 & SEQ_MAX)))
        .sum::<rusqlite::Result<u64>>()?;
    if let Some((held_first, held_last, held_erased)) = outline(db, number, start)? {
        known |= held_erased;
        if (held_first < came.first || held_last > came.last)
            && let Some(held) = around(db, number, start)?
        {
            rest_as_rows(db, number, &held, range)?;
        }
    }
    let within = (came.first..=came.last).map(|seq| bit(start, seq)).sum::<u64>();
    let late = known & within & !came.erased;
    let kept = if late == 0 { came.clone() } else { without(came, late)? };
    db.prepare_cached("DELETE FROM entries WHERE place BETWEEN ?1 AND ?2")?
        .execute([first, last])?;
    write(db, number, &kept)
}

fn write(db: &Connection, number: i64, block: &StoredBlock) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR REPLACE INTO blocks VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            place_of(number, block.start),
            block.first as i64,
            block.last as i64,
            block.erased as i64,
            block.bytes.as_ref()
        ])?;
    Ok(())
}

/// The same block without the content of some entries, by their bits.
fn without(stored: &StoredBlock, erased: u64) -> Result<StoredBlock, StoreError> {
    let packed = open(&stored.bytes)?;
    let read = block::decode(&packed).map_err(|_| damaged("block"))?;
    let left = read.into_iter().map(|(entry, bytes)| {
        if bit(stored.start, entry.seq) & erased == 0 || (entry.erased && entry.content.is_empty()) {
            bytes
        } else {
            emptied(entry).into()
        }
    });
    let anew = block::encode(
        BlockCodec::Zstd,
        packed.first,
        packed.last,
        packed.generation,
        left.collect(),
    );
    Ok(StoredBlock {
        erased: stored.erased | erased,
        bytes: anew.map_err(|_| damaged("block"))?.encode_to_vec().into(),
        ..stored.clone()
    })
}

/// Takes the content of one entry out of its block, if a block has it.
pub(super) fn erase(db: &Connection, number: i64, seq: u64) -> Result<(), StoreError> {
    let Some(held) = around(db, number, seq)?.filter(|held| (held.first..=held.last).contains(&seq)) else {
        return Ok(());
    };
    let erased = bit(held.start, seq);
    if held.erased & erased == 0 {
        write(db, number, &without(&held, erased)?)?;
    }
    Ok(())
}

/// Finds an entry by author and id below a Seq, newest first, among blocks; and takes its content.
pub(super) fn erase_message(db: &Connection, number: i64, below: u64, author: Id, id: Id) -> Result<(), StoreError> {
    let (first, last) = places(
        number,
        Range {
            first: 0,
            last: below.saturating_sub(1),
        },
    );
    let mut statement = db.prepare_cached("SELECT * FROM blocks WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC")?;
    let mut rows = statement.query([first, last])?;
    while let Some(row) = rows.next()? {
        let held = read(row)?;
        if !names(&held, id)? {
            continue;
        }
        let named = |entry: &StoredEntry| entry.seq < below && entry.id == id && entry.author == Some(author);
        if let Some(target) = entries(&held)?.into_iter().find(named) {
            drop(rows);
            return erase(db, number, target.seq);
        }
    }
    Ok(())
}

/// What a block holds outside of a range becomes rows.
fn rest_as_rows(db: &Connection, number: i64, held: &StoredBlock, range: Range) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("INSERT OR REPLACE INTO entries VALUES (?1, ?2, ?3)")?;
    for entry in entries(held)? {
        if entry.seq < range.first || entry.seq > range.last {
            let erased = held.erased & bit(held.start, entry.seq) != 0;
            statement.execute(params![place_of(number, entry.seq), erased, entry.bytes.as_ref()])?;
        }
    }
    Ok(())
}

/// Entries of these Seqs go; what else a block holds that is cut becomes rows.
pub(super) fn drop_range(db: &Connection, number: i64, range: Range) -> Result<(), StoreError> {
    let within = Range {
        first: block::range_of(range.first).0,
        last: range.last,
    };
    let (first, last) = places(number, within);
    let touched: Vec<StoredBlock> = db
        .prepare_cached(
            "SELECT place, first, last, erased, x'' FROM blocks
             WHERE place BETWEEN ?1 AND ?2 AND last >= ?3 AND first <= ?4",
        )?
        .query_map(
            params![
                first,
                last,
                range.first.min(SEQ_MAX) as i64,
                range.last.min(SEQ_MAX) as i64
            ],
            read,
        )?
        .collect::<Result<_, _>>()?;
    for outline in touched {
        if outline.first < range.first || outline.last > range.last {
            let Some(held) = around(db, number, outline.start)? else {
                continue;
            };
            rest_as_rows(db, number, &held, range)?;
        }
        db.prepare_cached("DELETE FROM blocks WHERE place = ?1")?
            .execute([place_of(number, outline.start)])?;
    }
    Ok(())
}

/// Whether this entry stands in a block already; what the block must learn of it, it learns.
pub(super) fn has(db: &Connection, number: i64, seq: u64, entry_erased: bool) -> Result<bool, StoreError> {
    let start = block::range_of(seq).0;
    let Some((first, last, erased)) = outline(db, number, start)? else {
        return Ok(false);
    };
    if seq < first || seq > last {
        return Ok(false);
    }
    if entry_erased && erased & bit(start, seq) == 0 {
        erase(db, number, seq)?;
    }
    Ok(true)
}
