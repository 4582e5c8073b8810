//! Blocks of both logs: a range that is full, and a tail that rests, is encoded once and kept; what changes its content
//! (a recall, the floor, a longer tail) moves its generation in the same transaction.
//!
//! Sealing is no part of an act: it waits for a turn in which little happens, a few blocks at a time. What waits is known
//! in memory alone; what a stop leaves out is found by [`crate::rounds`].

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::v1::{Block, BlockCodec, Status};
use zuoxi_wire::{Id, block, limits};

use crate::change::Change;
use crate::gateway::Gateway;
use crate::group::Group;
use crate::planted::Unlocked;
use crate::reading::{PAGE_BYTES, encoded, read};
use crate::record::{Conversation, SealedBlock};
use crate::store::{Store, StoreError, Stored};
use crate::wording::Reader;

/// Blocks sealed in one group.
const AT_ONCE: usize = 8;
/// Logs that may wait; what exceeds it is found by a round.
const WAITING: usize = 10_000;

/// One of a conversation's two logs.
pub(crate) type LogOf = (Id, Reader);

/// Logs with a range that may be sealed.
#[derive(Debug, Default)]
pub(crate) struct Sealing {
    due: BTreeSet<LogOf>,
    unlocked: Unlocked,
}

impl Sealing {
    pub(crate) fn add(&mut self, log: LogOf) {
        if self.due.len() < WAITING {
            self.due.insert(log);
        }
    }

    pub(crate) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Nothing of these is left to seal, and that is committed.
    pub(crate) fn done(&mut self, logs: &[LogOf]) {
        for log in logs {
            self.due.remove(log);
        }
    }

    /// A change that the log's reader sees filled a range, or is of a closed conversation.
    pub(crate) fn note(&mut self, change: &Change) {
        let after = &change.after;
        let full = |seq: u64| seq == block::range_of(seq).1;
        for reader in [Reader::Agent, Reader::Customer] {
            let mut seen = change.entries.iter().filter(|entry| reader.sees(entry));
            if seen.any(|entry| after.status == Status::Closed || full(reader.seq(entry))) {
                self.add((after.id, reader));
            }
        }
    }
}

impl Gateway {
    /// Seals a few of the ranges that wait, within the group.
    pub(crate) fn seal_due(&mut self, group: &mut Group<'_>) {
        let due: Vec<LogOf> = self.sealing.due.iter().take(AT_ONCE).copied().collect();
        let mut left = AT_ONCE;
        self.sealing.unlocked.write(group.store);
        for log in due {
            match seal(group, log, self.now_ms, &mut left, &mut self.sealing.unlocked) {
                Ok(true) => {}
                Ok(false) => group.sealed.push(log),
                // It would be in the way of all others; the next round finds it.
                Err(error) => {
                    tracing::warn!(%error, conversation = %log.0, "a block isn't sealed");
                    group.sealed.push(log);
                }
            }
        }
    }
}

/// Seals a log in order, so that no hole comes about, as long as some are `left` to this group. Whether more waits.
fn seal(
    group: &mut Group<'_>,
    (id, reader): LogOf,
    now_ms: u64,
    left: &mut usize,
    unlocked: &mut Unlocked,
) -> Stored<bool> {
    // This locks it: what is read below can't be recalled or cut meanwhile.
    let Some(conversation) = group.conversation(id)? else {
        return Ok(false);
    };
    let sealed_to = group.store.sealed_to(id, reader.log())?;
    let mut from = next(&conversation, reader, sealed_to, now_ms);
    while let Some((start, last)) = from {
        if *left == 0 {
            return Ok(true);
        }
        *left -= 1;
        let block = sealed_range(group.store, &conversation, reader, start, last)?;
        if unlocked.takes(&block) {
            return Ok(false);
        }
        group.store.put_block(&block)?;
        from = next(&conversation, reader, last, now_ms);
    }
    Ok(false)
}

/// What is to be sealed next, above what is: the first Seq of a range, and the last Seq that there is of it.
pub(crate) fn next(conversation: &Conversation, reader: Reader, sealed_to: u64, now_ms: u64) -> Option<(u64, u64)> {
    let above = (sealed_to + 1).max(reader.floor(conversation));
    let (start, end) = block::range_of(above);
    let last = end.min(reader.head(conversation));
    (last >= above && (last == end || rests(conversation, reader, now_ms))).then_some((start, last))
}

/// Whether a log's tail is sealed though its range isn't full. Judged by what the log's reader sees: a customer's must
/// not tell that notes are written.
fn rests(conversation: &Conversation, reader: Reader, now_ms: u64) -> bool {
    let moved_ms = reader.moved_ms(conversation);
    conversation.status == Status::Closed || moved_ms + limits::BLOCK_QUIET_MS <= now_ms
}

fn sealed_range(
    store: &mut dyn Store,
    conversation: &Conversation,
    reader: Reader,
    start: u64,
    last: u64,
) -> Stored<SealedBlock> {
    let id = conversation.id;
    let first = start.max(reader.floor(conversation));
    let known = store.block(id, reader.log(), start)?;
    let generation = known.map_or(0, |known| known.generation) + 1;
    let bytes = packed(store, id, reader, (first, last), generation)?;
    Ok(SealedBlock {
        conversation: id,
        log: reader.log(),
        start,
        first,
        last,
        generation,
        bytes,
    })
}

/// The block as it is kept. Empty: it has no room in every reader's page, so its entries travel unsealed.
fn packed(store: &mut dyn Store, id: Id, reader: Reader, (first, last): (u64, u64), generation: u32) -> Stored<Bytes> {
    let entries = read(store, id, reader, first, last)?;
    if entries.len() as u64 != last - first + 1 {
        return Err(StoreError::Broken(format!(
            "entries {first} to {last} of {id} have a hole"
        )));
    }
    let bytes = entries.iter().map(|entry| encoded(entry, reader)).collect();
    let packed = match block::encode(BlockCodec::Zstd, first, last, generation, bytes) {
        Ok(packed) if packed.decoded_size as usize <= PAGE_BYTES => packed,
        Ok(_) | Err(block::BlockError::TooLarge) => return Ok(Bytes::new()),
        Err(error) => return Err(StoreError::Broken(error.to_string())),
    };
    Ok(packed.encode_to_vec().into())
}

/// What is kept of a range is encoded anew, since its content changed; part of the transaction that changes it.
fn renew(store: &mut dyn Store, conversation: &Conversation, reader: Reader, known: &SealedBlock) -> Stored<()> {
    let first = known.start.max(reader.floor(conversation));
    let generation = known.generation + 1;
    let bytes = if first > known.last {
        // Nothing is left of it, but the range goes on: so does its generation.
        Bytes::new()
    } else {
        packed(store, conversation.id, reader, (first, known.last), generation)?
    };
    store.put_block(&SealedBlock {
        first,
        generation,
        bytes,
        ..known.clone()
    })
}

/// The blocks that hold a Seq of the agents' log change with it.
pub(crate) fn erase(store: &mut dyn Store, conversation: &Conversation, seq: u64) -> Stored<()> {
    let Some(entry) = store.entry(conversation.id, seq)? else {
        return Ok(());
    };
    for reader in [Reader::Agent, Reader::Customer] {
        if !reader.sees(&entry) {
            continue;
        }
        let seq = reader.seq(&entry);
        let known = store.block(conversation.id, reader.log(), block::range_of(seq).0)?;
        if let Some(known) = known.filter(|known| (known.first..=known.last).contains(&seq)) {
            renew(store, conversation, reader, &known)?;
        }
    }
    Ok(())
}

/// The blocks that the floors cut change with them.
pub(crate) fn cut(store: &mut dyn Store, before: &Conversation, after: &Conversation) -> Stored<()> {
    for reader in [Reader::Agent, Reader::Customer] {
        let (floor, start) = (reader.floor(after), block::range_of(reader.floor(after)).0);
        if floor == reader.floor(before) || floor == start {
            continue;
        }
        if let Some(known) = store.block(after.id, reader.log(), start)? {
            renew(store, after, reader, &known)?;
        }
    }
    Ok(())
}

/// The block of a range as it is served, if it reaches from `from` to `to`.
pub(crate) fn sealed(
    store: &mut dyn Store,
    id: Id,
    reader: Reader,
    (from, to): (u64, u64),
    codec: BlockCodec,
) -> Stored<Option<Block>> {
    let known = store.block(id, reader.log(), block::range_of(from).0)?;
    let Some(known) = known.filter(|known| known.first <= from && to <= known.last && !known.bytes.is_empty()) else {
        return Ok(None);
    };
    let broken = |error: &dyn std::fmt::Display| StoreError::Broken(error.to_string());
    let packed = Block::decode(known.bytes).map_err(|error| broken(&error))?;
    let packed = match codec {
        BlockCodec::Zstd => packed,
        _ => block::plain(packed).map_err(|error| broken(&error))?,
    };
    Ok(Some(packed))
}
