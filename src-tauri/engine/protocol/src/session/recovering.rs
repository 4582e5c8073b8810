//! A restored gateway has another epoch: every log is compared with the gateway's, what differs is dropped, and what
//! was acknowledged and is gone is shown.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::v1::{ActKind, Compare, Compared, Entry, EntryKind, SeqRange, client_frame};
use zuoxi_wire::{Id, limits};

use super::Session;
use super::asking::{Asked, RETRY_MS};
use crate::change::{Answer, Change, OutboxAct, OutboxState, Question, Range, StoredEntry};
use crate::input::Output;
use crate::log::{LAST, Log};
use crate::notice::Notice;
use crate::planted::{self, Fault};
use crate::ranges;
use crate::turn::Turn;

/// Conversations compared at once.
const AT_ONCE: usize = 4;

/// A comparison under way: hashes of pieces here and there, narrowed to the first piece that differs.
#[derive(Debug)]
pub(super) struct Comparing {
    ticket: u64,
    /// Where the first difference is looked for.
    within: Vec<Range>,
    pieces: Vec<Range>,
    here: Option<Vec<Option<[u8; 32]>>>,
    there: Option<Compared>,
    /// The gateway's floor and head, as far as they were told.
    bounds: Range,
    /// Seqs that the gateway erased, where both agree.
    erased: BTreeSet<u64>,
    /// From here on nothing is shared; the store is asked what is erased below, then for one's own entries there.
    difference: Option<u64>,
    erased_here: Option<BTreeSet<u64>>,
}

impl Session {
    /// Commits at once that the log is another one: nothing is taken until it is compared.
    pub(super) fn new_epoch(&mut self, epoch: u64, turn: &mut Turn<'_>) {
        if epoch == self.epoch {
            return;
        }
        turn.change(Change::Epoch(epoch));
        let first = self.epoch == 0;
        self.epoch = epoch;
        if first {
            return;
        }
        tracing::warn!(epoch, "the gateway's log is another one: comparing");
        for (key, feed) in &mut self.feeds.0 {
            feed.forget();
            turn.change(Change::Feed(*key, feed.place));
        }
        self.heads.clear();
        let (logs, own) = (&self.logs, self.own);
        let unknown = |act: &OutboxAct| act.conversation.or(own).is_none_or(|id| !logs.contains_key(&id));
        self.outbox.lower_bases(unknown, 0, turn);
        for (conversation, log) in &mut self.logs {
            log.turn();
            let state = &mut log.state;
            (state.to_compare, state.read_told) = (true, 0);
            if !planted::has(Fault::HeadsKeptAcrossEpoch) {
                state.head = 0;
            }
            state.generations.clear();
            state.positions.clear();
            turn.touch(*conversation);
            self.unsettled.insert(*conversation);
        }
    }

    fn may_compare(&self, conversation: Id) -> bool {
        let named = |feed: &crate::feeds::Feed| !feed.listing || feed.named.contains(&conversation);
        self.is_customer() || self.feeds.own().is_some_and(named)
    }

    /// Begins to compare what may be compared.
    pub(super) fn compare_logs(&mut self, turn: &mut Turn<'_>) {
        let mut free = AT_ONCE.saturating_sub(self.comparing.len());
        let due = |id: &&Id| {
            let log = self.logs.get(*id);
            log.is_some_and(|log| log.state.to_compare && log.retry_at <= turn.now)
        };
        let marked: Vec<Id> = self.unsettled.iter().filter(due).copied().collect();
        for conversation in marked {
            if free == 0 {
                return;
            }
            if self.comparing.contains_key(&conversation) || !self.may_compare(conversation) {
                continue;
            }
            free -= 1;
            let Some(log) = self.logs.get(&conversation) else {
                continue;
            };
            let within = log
                .state
                .covered
                .iter()
                .take(limits::COMPARE_RANGES as usize)
                .copied()
                .collect();
            let bounds = Range { first: 1, last: LAST };
            self.compare_within(conversation, within, bounds, BTreeSet::new(), turn);
        }
    }

    pub(super) fn compare_wake(&self) -> Option<u64> {
        let waits = |id: &Id| {
            self.logs
                .get(id)
                .filter(|log| log.state.to_compare && !self.comparing.contains_key(id))
        };
        self.unsettled
            .iter()
            .filter_map(waits)
            .map(|log| log.retry_at)
            .filter(|at| *at > 0)
            .min()
    }

    pub(super) fn compare_failed(&mut self, conversation: Id, at: u64) {
        self.comparing.remove(&conversation);
        if let Some(log) = self.logs.get_mut(&conversation) {
            log.retry_at = at;
        }
    }

    /// Asks both sides for hashes of the pieces.
    fn compare_within(
        &mut self,
        conversation: Id,
        within: Vec<Range>,
        bounds: Range,
        erased: BTreeSet<u64>,
        turn: &mut Turn<'_>,
    ) {
        let mut pieces = pieces(&within);
        if pieces.is_empty() {
            // Nothing can be compared; the question still tells the gateway's head and floor.
            pieces.push(Range {
                first: bounds.first,
                last: bounds.first,
            });
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let question = Question::Hashes {
            conversation,
            ranges: pieces.clone(),
        };
        turn.out.push(Output::Read { ticket, question });
        let ranges = pieces
            .iter()
            .map(|piece| SeqRange {
                first: piece.first,
                last: piece.last,
            })
            .collect();
        let compare = Compare {
            conversation: conversation.to_bytes(),
            ranges,
        };
        self.ask(
            Asked::Compare { conversation },
            client_frame::Kind::Compare(compare),
            turn,
        );
        let comparing = Comparing {
            ticket,
            within,
            pieces,
            here: None,
            there: None,
            bounds,
            erased,
            difference: None,
            erased_here: None,
        };
        self.comparing.insert(conversation, comparing);
    }

    pub(super) fn compared(&mut self, conversation: Id, compared: Compared, turn: &mut Turn<'_>) {
        if let Some(comparing) = self.comparing.get_mut(&conversation) {
            comparing.there = Some(compared);
            self.compare_step(conversation, turn);
        }
    }

    /// The store answers.
    pub(super) fn read(&mut self, ticket: u64, answer: Option<Answer>, turn: &mut Turn<'_>) {
        let found = self
            .comparing
            .iter_mut()
            .find(|(_, comparing)| comparing.ticket == ticket);
        let Some((&conversation, comparing)) = found else {
            return;
        };
        match answer {
            Some(Answer::Hashes(hashes)) => {
                comparing.here = Some(hashes);
                self.compare_step(conversation, turn);
            }
            Some(Answer::Erased(erased)) => {
                comparing.erased_here = Some(erased.into_iter().collect());
                self.ask_own(conversation, turn);
            }
            Some(Answer::Entries(entries)) if comparing.difference.is_some() => {
                self.compare_end(conversation, entries, turn);
            }
            _ => self.compare_failed(conversation, turn.now + RETRY_MS),
        }
    }

    /// Both sides have answered: narrower, or done.
    fn compare_step(&mut self, conversation: Id, turn: &mut Turn<'_>) {
        let ready = self
            .comparing
            .get(&conversation)
            .is_some_and(|c| c.here.is_some() && c.there.is_some());
        let Some(mut comparing) = ready.then(|| self.comparing.remove(&conversation)).flatten() else {
            return;
        };
        let (Some(here), Some(there)) = (comparing.here.take(), comparing.there.take()) else {
            return;
        };
        let bounds = Range {
            first: there.floor.clamp(1, LAST),
            last: there.head.min(LAST),
        };
        let mut inside = comparing.within.clone();
        ranges::clip(&mut inside, bounds);
        if inside != comparing.within {
            if inside.is_empty() {
                comparing.bounds = bounds;
                return self.differs_from(conversation, comparing, bounds.first, turn);
            }
            return self.compare_within(conversation, inside, bounds, comparing.erased, turn);
        }
        comparing.bounds = bounds;
        if inside.is_empty() {
            return self.differs_from(conversation, comparing, bounds.first, turn);
        }
        let same = |(mine, theirs): (&Option<[u8; 32]>, &zuoxi_wire::v1::RangeHash)| {
            mine.is_some_and(|mine| mine.as_slice() == theirs.sha256.as_ref())
        };
        let agree = here.iter().zip(&there.hashes).take_while(|pair| same(*pair)).count();
        for hash in there.hashes.iter().take(agree) {
            comparing.erased.extend(&hash.erased);
        }
        match comparing.pieces.get(agree).copied() {
            None => {
                let end = inside.last().map_or(bounds.first, |range| range.last + 1);
                self.differs_from(conversation, comparing, end, turn);
            }
            Some(piece) if piece.first == piece.last => {
                self.differs_from(conversation, comparing, piece.first, turn);
            }
            Some(piece) => self.compare_within(conversation, vec![piece], bounds, comparing.erased, turn),
        }
    }

    /// The first difference is known. What is erased below it? The store knows it, since recalls name ids.
    fn differs_from(&mut self, conversation: Id, mut comparing: Comparing, difference: u64, turn: &mut Turn<'_>) {
        comparing.difference = Some(difference);
        let first = self.logs.get(&conversation).map_or(1, |log| log.state.floor);
        let range = Range {
            first,
            last: difference - 1,
        };
        if range.first > range.last || comparing.within.is_empty() {
            self.comparing.insert(conversation, comparing);
            return self.ask_own(conversation, turn);
        }
        comparing.ticket = self.ask_store(Question::Erased { conversation, range }, turn);
        self.comparing.insert(conversation, comparing);
    }

    fn ask_store(&mut self, question: Question, turn: &mut Turn<'_>) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        turn.out.push(Output::Read { ticket, question });
        ticket
    }

    /// What of one's own is lost from the first difference on?
    fn ask_own(&mut self, conversation: Id, turn: &mut Turn<'_>) {
        let difference = self
            .comparing
            .get(&conversation)
            .and_then(|comparing| comparing.difference);
        let Some((first, author)) = difference.zip(self.me) else {
            return;
        };
        let covered = self.logs.get(&conversation).and_then(|log| log.state.covered.last());
        let last = covered.map_or(0, |range| range.last);
        if first > last {
            return self.compare_end(conversation, Vec::new(), turn);
        }
        let range = Range { first, last };
        let ticket = self.ask_store(
            Question::ByAuthor {
                conversation,
                range,
                author,
            },
            turn,
        );
        if let Some(comparing) = self.comparing.get_mut(&conversation) {
            comparing.ticket = ticket;
        }
    }

    /// The gateway has no such conversation any more: a customer's is made anew by the next act.
    pub(super) fn compared_with_nothing(&mut self, conversation: Id, turn: &mut Turn<'_>) {
        let Some(mut comparing) = self.comparing.remove(&conversation) else {
            return;
        };
        comparing.bounds = Range { first: 1, last: 0 };
        comparing.within.clear();
        self.differs_from(conversation, comparing, 1, turn);
    }

    /// One transaction: what differs goes, what is covered is computed anew, bases are lowered, the mark goes.
    fn compare_end(&mut self, conversation: Id, own: Vec<StoredEntry>, turn: &mut Turn<'_>) {
        let Some(comparing) = self.comparing.remove(&conversation) else {
            return;
        };
        let (Some(log), Some(difference)) = (self.logs.get_mut(&conversation), comparing.difference) else {
            return;
        };
        let mut state = log.state.clone();
        let bounds = comparing.bounds;
        ranges::clip(
            &mut state.covered,
            Range {
                first: bounds.first,
                last: difference - 1,
            },
        );
        let shared = state.covered.last().map_or(0, |range| range.last);
        let mut here: BTreeSet<u64> = state.erased.iter().copied().filter(|seq| *seq < difference).collect();
        here.extend(comparing.erased_here.into_iter().flatten());
        // A mark lives on only with the recall that made it.
        for seq in here.difference(&comparing.erased) {
            ranges::remove(&mut state.covered, *seq);
            let range = Range {
                first: *seq,
                last: *seq,
            };
            turn.change(Change::Drop(conversation, range));
        }
        let erased: Vec<u64> = comparing.erased.difference(&here).copied().collect();
        if !erased.is_empty() {
            turn.change(Change::Erase(conversation, erased.clone()));
            turn.after(Notice::Erased {
                conversation,
                what: crate::notice::ErasedWhat::Seqs(erased),
            });
        }
        state.erased = comparing.erased.into_iter().collect();
        state.floor = if state.covered.is_empty() {
            bounds.first
        } else {
            state.floor.max(bounds.first)
        };
        state.head = state.head.max(bounds.last).max(shared);
        state.read = state.read.min(difference - 1);
        state.to_compare = false;
        for range in [
            Range {
                first: 1,
                last: state.floor - 1,
            },
            Range {
                first: difference,
                last: LAST,
            },
        ] {
            if range.first <= range.last {
                turn.change(Change::Drop(conversation, range));
                turn.after(Notice::Dropped { conversation, range });
            }
        }
        let (closed, turned) = (log.closed, log.turned);
        *log = Log::of(state);
        (log.closed, log.turned) = (closed, turned);
        log.turn();
        turn.touch(conversation);
        self.judge(conversation, false, turn.now);
        self.outbox
            .lower_bases(|act| act.conversation.is_none_or(|id| id == conversation), shared, turn);
        self.lose_own(conversation, own, shared, turn);
        if self.logs.get(&conversation).is_some_and(|log| log.state.read > 0) {
            self.reads.insert(conversation);
        }
        let key = self.lane_key(Some(conversation));
        self.lanes_due.insert(key);
    }

    /// Acknowledged once, gone now: shown, with the question whether to send it again.
    fn lose_own(&mut self, conversation: Id, own: Vec<StoredEntry>, shared: u64, turn: &mut Turn<'_>) {
        let mut count = 0;
        for stored in own {
            let Ok(entry) = Entry::decode(stored.bytes.clone()) else {
                continue;
            };
            let kind = match entry.kind() {
                EntryKind::Message => ActKind::Message,
                EntryKind::Note => ActKind::Note,
                _ => continue,
            };
            if entry.erased || self.outbox.get(stored.id).is_some() {
                continue;
            }
            count += 1;
            let act = OutboxAct {
                place: self.outbox.next_place(),
                id: stored.id,
                conversation: Some(conversation),
                kind,
                content: Bytes::copy_from_slice(&entry.content),
                base: shared,
                done_ms: stored.time_ms,
                left: true,
                state: OutboxState::Lost,
            };
            self.outbox.lose(act, turn);
        }
        if count > 0 {
            let key = self.lane_key(Some(conversation));
            self.outbox.park_closing(key, 0, turn);
            turn.after(Notice::ServerLost { count });
        }
    }
}

/// At most [`limits::COMPARE_RANGES`] pieces of like size, in order.
fn pieces(within: &[Range]) -> Vec<Range> {
    let mut size = 1;
    let count = |size: u64| {
        within
            .iter()
            .map(|range| (range.last - range.first + 1).div_ceil(size))
            .sum::<u64>()
    };
    let smallest = count(u64::MAX).max(limits::COMPARE_RANGES);
    while count(size) > smallest {
        size *= 2;
    }
    let cut = |range: &Range| {
        let range = *range;
        (range.first..=range.last)
            .step_by(size as usize)
            .map(move |first| Range {
                first,
                last: (first + size - 1).min(range.last),
            })
    };
    within.iter().flat_map(cut).collect()
}
