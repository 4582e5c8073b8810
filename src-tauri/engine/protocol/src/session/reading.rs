//! What comes: pushes, feed pages, pages of entries; rows are applied before their entries.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use prost::Message as _;
use zuoxi_wire::v1::{
    ActKind, Block, BlockCodec, CustomerState, EntriesPage, Entry as WireEntry, FeedPage, Position, Push, Standing,
    Status, Summary,
};
use zuoxi_wire::{Id, block};

use super::asking::{RETRY_MS, Want};
use super::{CONVERSATION, Session};
use crate::change::{Change, FeedKey, OutboxState, Range, StoredBlock, StoredEntry};
use crate::log::{Came, LAST, Log, Taken};
use crate::notice::{ErasedWhat, Notice, WatchEnd};
use crate::planted::{self, Fault};
use crate::turn::Turn;

/// A row as a push or a page tells it.
struct Row {
    feed: FeedKey,
    conversation: Id,
    revision: u64,
    summary: Option<Summary>,
    head: u64,
    floor: u64,
}

impl Session {
    /// Pushes of one frame. `false`: numbers that no gateway gives.
    pub(super) fn pushes(&mut self, pushes: Vec<Push>, turn: &mut Turn<'_>) -> bool {
        for push in pushes {
            if !self.acks.receive(push.number, Id::try_from(&push.conversation).ok()) {
                return false;
            }
            if planted::has(Fault::AckBeforeCommit) {
                self.acks.commit(push.number, turn.now);
            }
            turn.push = Some(push.number);
            self.push(push, false, turn);
        }
        true
    }

    /// One push, or what the first answer to an act carries in its place.
    pub(super) fn push(&mut self, mut push: Push, answer: bool, turn: &mut Turn<'_>) {
        let Ok(conversation) = Id::try_from(&push.conversation) else {
            return;
        };
        let key = push.feed.take().and_then(|feed| {
            Some(FeedKey {
                kind: feed.kind,
                id: Id::try_from(&feed.id).ok()?,
            })
        });
        if let Some(key) = key {
            self.push_row(key, conversation, &mut push, turn);
        } else if self.is_customer() {
            self.owns(conversation, turn);
            self.told_head(conversation, push.head, push.floor, turn);
        } else if !self.logs.contains_key(&conversation) || !answer {
            self.own_entry(conversation, &push, turn);
            self.watch_push(conversation, push, turn);
            return;
        }
        if let Some(entry) = push.entry.take() {
            if self.logs.contains_key(&conversation) {
                self.keep(conversation, Came::pushed(entry), false, turn);
            } else {
                push.entry = Some(entry);
                self.own_entry(conversation, &push, turn);
                self.watch_push(conversation, push, turn);
            }
        }
        self.judge(conversation, true, turn.now);
    }

    fn push_row(&mut self, key: FeedKey, conversation: Id, push: &mut Push, turn: &mut Turn<'_>) {
        let Some(feed) = self.feeds.0.get_mut(&key) else { return };
        if !feed.push(push.feed_epoch, push.revision, turn.now) {
            return;
        }
        if feed.listing {
            match push.standing() {
                Standing::In => feed.named.insert(conversation),
                _ => feed.named.remove(&conversation),
            };
        }
        self.feed_moved(key, turn);
        if push.standing() == Standing::Left {
            self.row_left(key, conversation, turn);
        } else {
            let summary = push.summary.take();
            let row = Row {
                feed: key,
                conversation,
                revision: push.revision,
                summary,
                head: push.head,
                floor: push.floor,
            };
            self.row_in(row, turn);
        }
    }

    pub(super) fn feed_page(&mut self, key: FeedKey, above: u64, page: FeedPage, turn: &mut Turn<'_>) {
        let Some(feed) = self.feeds.0.get_mut(&key) else { return };
        if !feed.begin_page(page.feed_epoch, above, turn.now) {
            return;
        }
        let (reached, mut left) = (feed.place.revision, Vec::new());
        let mut rows = Vec::new();
        for row in page.rows {
            let Ok(conversation) = Id::try_from(&row.conversation) else {
                continue;
            };
            if row.standing() == Standing::In {
                feed.named.insert(conversation);
                let Some(summary) = row.summary.filter(|_| row.revision > reached) else {
                    continue;
                };
                let (head, floor) = (row.head, row.floor);
                rows.push(Row {
                    feed: key,
                    conversation,
                    revision: row.revision,
                    summary: Some(summary),
                    head,
                    floor,
                });
            } else if row.revision > reached {
                feed.named.remove(&conversation);
                left.push(conversation);
            }
        }
        let listed = feed.end_page(page.revision, page.more, turn.now);
        if !feed.listing && listed.is_none() {
            feed.named.clear();
        }
        for row in rows {
            self.row_in(row, turn);
        }
        for conversation in left {
            self.row_left(key, conversation, turn);
        }
        if let Some(named) = listed {
            self.sweep(key, &named, turn);
        }
        self.feed_moved(key, turn);
    }

    /// The list is complete: what wasn't named is let go.
    fn sweep(&mut self, key: FeedKey, named: &BTreeSet<Id>, turn: &mut Turn<'_>) {
        let of_feed = self
            .rows
            .keys()
            .filter(|(feed, _)| *feed == key)
            .map(|(_, conversation)| *conversation);
        let gone: Vec<Id> = of_feed.filter(|conversation| !named.contains(conversation)).collect();
        for conversation in gone {
            self.row_left(key, conversation, turn);
        }
    }

    fn row_in(&mut self, row: Row, turn: &mut Turn<'_>) {
        let Row {
            feed,
            conversation,
            revision,
            summary,
            head,
            floor,
        } = row;
        let known = self.rows.remove(&(feed, conversation)).map(|(summary, _)| summary);
        let summary = summary.or(known).unwrap_or_default();
        turn.change(Change::Row {
            feed,
            conversation,
            summary: Box::new(summary.clone()),
            revision,
        });
        turn.after(Notice::RowChanged {
            feed,
            conversation,
            summary: Box::new(summary.clone()),
        });
        let closed = summary.status() == Status::Closed;
        self.rows.insert((feed, conversation), (summary, revision));
        if !feed.is_own() {
            self.heads.insert(conversation, head);
            return;
        }
        if let Entry::Vacant(vacant) = self.logs.entry(conversation) {
            self.begun = self.begun.wrapping_add(1);
            vacant.insert(Log::new(floor).begun(self.begun));
            turn.touch(conversation);
            if self.watching.remove(&conversation).is_some() {
                turn.after(Notice::WatchEnded {
                    conversation,
                    why: WatchEnd::Mine,
                });
            }
        }
        if let Some(log) = self.logs.get_mut(&conversation) {
            log.closed = closed;
        }
        self.told_log(conversation, head, floor, turn);
    }

    pub(super) fn row_left(&mut self, feed: FeedKey, conversation: Id, turn: &mut Turn<'_>) {
        if self.rows.remove(&(feed, conversation)).is_none() {
            return;
        }
        turn.change(Change::RowLeft { feed, conversation });
        turn.after(Notice::RowLeft { feed, conversation });
        if !feed.is_own() {
            self.heads.remove(&conversation);
            return;
        }
        if planted::has(Fault::TakenAfterLeft) {
            return;
        }
        let Some(log) = self.logs.remove(&conversation) else {
            return;
        };
        self.unsettled.remove(&conversation);
        self.comparing.remove(&conversation);
        self.acks.forget(conversation);
        for pending in &mut self.commits {
            pending.watermarks.remove(&conversation);
        }
        self.reads.remove(&conversation);
        if log.state.to_compare {
            // Nothing of it can be compared any more.
            self.outbox
                .lower_bases(|act| act.conversation == Some(conversation), 0, turn);
            self.lanes_due.insert(Some(conversation));
        }
    }

    /// Head and floor as the gateway tells them beside a row, a push or a page.
    pub(super) fn told_log(&mut self, conversation: Id, head: u64, floor: u64, turn: &mut Turn<'_>) {
        self.told_head(conversation, head, floor, turn);
        self.judge(conversation, false, turn.now);
    }

    /// The same beside a push, after which others may still be on their way.
    fn told_head(&mut self, conversation: Id, head: u64, floor: u64, turn: &mut Turn<'_>) {
        let Some(log) = self.logs.get_mut(&conversation) else {
            return;
        };
        if log.tell_head(head) {
            turn.touch(conversation);
        }
        if !log.state.to_compare {
            self.raise_floor(conversation, floor, turn);
        }
    }

    /// The gateway's floor: below it history is gone on purpose, here too.
    fn raise_floor(&mut self, conversation: Id, floor: u64, turn: &mut Turn<'_>) {
        let news = self
            .logs
            .get_mut(&conversation)
            .is_some_and(|log| log.tell_floor(floor));
        if !news {
            return;
        }
        turn.touch(conversation);
        let range = Range {
            first: 1,
            last: floor - 1,
        };
        turn.change(Change::Drop(conversation, range));
        turn.after(Notice::Dropped { conversation, range });
    }

    pub(super) fn judge(&mut self, conversation: Id, wait: bool, now: u64) {
        let Some(log) = self.logs.get_mut(&conversation) else {
            return;
        };
        log.judge(now, wait);
        if log.is_settled() {
            self.unsettled.remove(&conversation);
        } else {
            self.unsettled.insert(conversation);
        }
    }

    /// An entry enters a kept log, as a row.
    fn keep(&mut self, conversation: Id, came: Came, demand: bool, turn: &mut Turn<'_>) {
        let Some(taken) = self.logs.get_mut(&conversation).and_then(|log| log.take(came, demand)) else {
            return;
        };
        turn.entry(conversation, taken.entry.clone());
        self.kept(conversation, &taken, turn);
    }

    /// What an entry brings beside itself.
    fn kept(&mut self, conversation: Id, taken: &Taken, turn: &mut Turn<'_>) {
        self.fetched += 1;
        let StoredEntry {
            seq,
            id,
            author,
            time_ms,
            ..
        } = taken.entry;
        let own = author.is_some() && author == self.me && self.is_as_done(id, &taken.read);
        turn.touch(conversation);
        if let Some((author, id)) = taken.recall.filter(|_| !planted::has(Fault::ErasedStays)) {
            turn.change(Change::EraseMessage {
                conversation,
                below: seq,
                author,
                id,
            });
            turn.after(Notice::Erased {
                conversation,
                what: ErasedWhat::Message { author, id },
            });
        }
        if own {
            self.outbox.settle(id, Some(conversation), seq, time_ms, turn);
        }
    }

    /// The blocks of a page, each checked; one that can't be read, that wasn't asked for or that is older than what is
    /// held brings nothing.
    fn keep_blocks(
        &mut self,
        conversation: Id,
        page: &EntriesPage,
        asked: Option<Range>,
        demand: bool,
        turn: &mut Turn<'_>,
    ) {
        for block in &page.blocks {
            let Some(log) = self.logs.get(&conversation).filter(|log| log.takes(block)) else {
                continue;
            };
            // A part below the floor isn't wanted: what is left are entries.
            let whole = block.generation > 0 && (demand || block.first >= log.state.floor);
            let came = opened(block, asked, page.head);
            if !whole {
                for came in came {
                    self.keep(conversation, came, demand, turn);
                }
            } else if !came.is_empty() {
                self.keep_block(conversation, block, came, demand, turn);
            }
        }
    }

    /// A sealed block enters a kept log as it came.
    fn keep_block(&mut self, conversation: Id, block: &Block, came: Vec<Came>, demand: bool, turn: &mut Turn<'_>) {
        let Some(log) = self.logs.get_mut(&conversation) else {
            return;
        };
        let count = came.len();
        let mut as_it_came = true;
        let mut all = Vec::with_capacity(count);
        for came in came {
            let bytes = came.bytes.clone();
            if let Some(taken) = log.take(came, demand) {
                as_it_came &= taken.entry.bytes == bytes;
                all.push(taken);
            }
        }
        let stored = (all.len() == count).then(|| stored(block, &all, as_it_came)).flatten();
        let Some(stored) = stored else {
            for taken in all {
                turn.entry(conversation, taken.entry.clone());
                self.kept(conversation, &taken, turn);
            }
            return;
        };
        log.hold(block);
        turn.change(Change::Block(conversation, stored));
        for taken in all {
            turn.tell_entry(conversation, taken.entry.clone());
            self.kept(conversation, &taken, turn);
        }
    }

    /// An own entry with the words that were done here, or what can't be compared. Other words under the same id are a
    /// copied machine's: they settle nothing here, and the answer will say `reused`.
    fn is_as_done(&self, id: Id, entry: &WireEntry) -> bool {
        let Some(act) = self.outbox.get(id) else { return false };
        let words = matches!(act.kind, ActKind::Message | ActKind::Note) && act.state != OutboxState::Voided;
        !words || entry.erased || entry.content == act.content
    }

    /// One's own entry in a log that isn't kept settles its act all the same.
    fn own_entry(&mut self, conversation: Id, push: &Push, turn: &mut Turn<'_>) {
        let Some(entry) = &push.entry else { return };
        let (Ok(id), Ok(author)) = (Id::try_from(&entry.id), Id::optional(&entry.author)) else {
            return;
        };
        if author.is_some() && author == self.me && self.is_as_done(id, entry) {
            self.outbox
                .settle(id, Some(conversation), entry.seq, entry.time_ms, turn);
        }
    }

    /// A page of a kept log. What was asked for before the floor moved isn't taken.
    pub(super) fn page(
        &mut self,
        conversation: Id,
        turned: u64,
        asked: Option<Range>,
        page: &EntriesPage,
        turn: &mut Turn<'_>,
    ) {
        let Some(log) = self.logs.get_mut(&conversation).filter(|log| is_of_now(log, turned)) else {
            return;
        };
        log.asked = false;
        if log.state.to_compare {
            return;
        }
        let (newest, missing) = (log.newest, log.missing());
        self.told_log(conversation, page.head, page.floor, turn);
        self.keep_blocks(conversation, page, asked, false, turn);
        let first = page.covers.as_ref().map(|covers| covers.first);
        let now = turn.now;
        let Some(log) = self.logs.get_mut(&conversation) else {
            return;
        };
        if newest {
            let floor = log.state.floor;
            if log.newest_came(first.unwrap_or(floor)) == Some(true) {
                let range = Range {
                    first: 1,
                    last: log.state.floor - 1,
                };
                turn.change(Change::Drop(conversation, range));
                turn.after(Notice::Dropped { conversation, range });
            }
        } else if log.missing() >= missing {
            log.retry_at = now + RETRY_MS;
        }
        turn.touch(conversation);
        self.positions(conversation, &page.positions, turn);
        self.judge(conversation, false, now);
    }

    /// What a window wanted. Asked anew if it can't be taken, or for what is missing of it.
    pub(super) fn wanted(&mut self, want: Want, turned: u64, page: &EntriesPage, turn: &mut Turn<'_>) {
        let conversation = want.conversation;
        if let Some(log) = self.logs.get(&conversation) {
            if log.state.to_compare {
                turn.tell(Notice::Failed {
                    ask: want.ask,
                    problem: None,
                });
                return;
            }
            if !is_of_now(log, turned) {
                self.wants.push_front(want);
                return;
            }
            self.told_log(conversation, page.head, page.floor, turn);
            if self.logs.get(&conversation).is_none_or(|log| !is_of_now(log, turned)) {
                self.wants.push_front(want);
                return;
            }
            self.keep_blocks(conversation, page, Some(want.range), true, turn);
            self.judge(conversation, false, turn.now);
        } else if self.watching.contains_key(&conversation) {
            self.watch_page(conversation, page, Some(want.range), true, turn);
        }
        match page
            .covers
            .as_ref()
            .map(|covers| covers.last)
            .filter(|last| *last < want.range.last.min(page.head))
        {
            Some(last) if last >= want.range.first => {
                let range = Range {
                    first: last + 1,
                    last: want.range.last,
                };
                self.wants.push_front(Want { range, ..want });
            }
            _ => turn.after(Notice::Done { ask: want.ask }),
        }
    }

    pub(super) fn positions(&mut self, conversation: Id, told: &[Position], turn: &mut Turn<'_>) {
        let me = self.me;
        let Some(log) = self.logs.get_mut(&conversation).filter(|log| !log.state.to_compare) else {
            if self.watching.contains_key(&conversation) && !told.is_empty() {
                turn.after(Notice::Positions {
                    conversation,
                    positions: told.to_vec(),
                });
            }
            return;
        };
        let mut moved = false;
        for position in told {
            moved |= log.tell_position(position, me);
        }
        if moved {
            let positions = log.positions();
            turn.touch(conversation);
            turn.after(Notice::Positions {
                conversation,
                positions,
            });
        }
    }

    /// This conversation is the customer's own.
    pub(super) fn owns(&mut self, conversation: Id, turn: &mut Turn<'_>) {
        if !self.is_customer() || self.own == Some(conversation) {
            return;
        }
        if let Some(before) = self.own.replace(conversation) {
            self.logs.remove(&before);
            self.unsettled.remove(&before);
            turn.change(Change::Drop(before, Range { first: 1, last: LAST }));
        }
        turn.change(Change::Value(CONVERSATION, Some(conversation.to_bytes())));
        self.begun = self.begun.wrapping_add(1);
        let begun = self.begun;
        self.logs
            .entry(conversation)
            .or_insert_with(|| Log::new(1).begun(begun));
        turn.touch(conversation);
    }

    pub(super) fn customer_state(&mut self, state: CustomerState, turn: &mut Turn<'_>) {
        if let Ok(conversation) = Id::try_from(&state.conversation) {
            self.owns(conversation, turn);
            self.told_log(conversation, state.head, state.floor, turn);
        }
        turn.after(Notice::CustomerState(Box::new(state)));
    }
}

/// The entries of a block; one that can't be read, or that is none of what was asked for (`None`: the newest), has none.
pub(super) fn opened(block: &Block, asked: Option<Range>, head: u64) -> Vec<Came> {
    let asked = asked.unwrap_or(Range { first: 1, last: head });
    if block.last > head || block.last < asked.first || block.first > asked.last {
        tracing::warn!(
            first = block.first,
            last = block.last,
            "a block that wasn't asked for was dropped"
        );
        return Vec::new();
    }
    match block::decode(block) {
        Ok(read) => read.into_iter().map(|(entry, bytes)| Came { entry, bytes }).collect(),
        Err(error) => {
            tracing::warn!(%error, "a block was dropped");
            Vec::new()
        }
    }
}

/// A block as it is kept: as it came, unless content had to be left out. None: it can't be encoded anew.
fn stored(block: &Block, entries: &[Taken], as_it_came: bool) -> Option<StoredBlock> {
    let start = block::range_of(block.first).0;
    let erased = entries.iter().filter(|taken| taken.read.erased);
    let erased = erased.fold(0, |mask, taken| mask | 1 << (taken.entry.seq - start));
    let bytes = if as_it_came {
        block.encode_to_vec()
    } else {
        let entries = entries.iter().map(|taken| taken.entry.bytes.clone()).collect();
        let anew = block::encode(BlockCodec::Zstd, block.first, block.last, block.generation, entries);
        anew.inspect_err(|error| tracing::warn!(%error, "a block becomes rows"))
            .ok()?
            .encode_to_vec()
    };
    Some(StoredBlock {
        start,
        first: block.first,
        last: block.last,
        erased,
        bytes: bytes.into(),
    })
}

/// It was asked for since the floor moved last.
fn is_of_now(log: &Log, turned: u64) -> bool {
    log.turned == turned || planted::has(Fault::TakenFromBeforeFloor)
}
