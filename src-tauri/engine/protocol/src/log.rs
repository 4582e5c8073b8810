//! One conversation's log as this device has it: what is covered, what is missing, what is erased.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::v1::{Block, Entry, EntryKind, Position, RecallContent};
use zuoxi_wire::{Id, block, limits};

use crate::change::{LogState, Range, StoredEntry};
use crate::planted::{self, Fault};
use crate::ranges;

/// Missing entries beyond which the newest page comes first and the floor moves above the rest.
const FAR: u64 = limits::PAGE_ENTRIES;
/// Entries of a newest page: two screens.
pub(crate) const NEWEST: u32 = 50;
/// Highest Seq that is ever asked for.
pub(crate) const LAST: u64 = (1 << 40) - 1;

/// A log, kept in the store or only watched.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) state: LogState,
    /// The gateway's floor as far as this session was told: our own may lie above it, and what was fetched below ours on
    /// demand goes all the same.
    gateway_floor: u64,
    /// The newest page is wanted before anything else.
    pub(crate) newest: bool,
    /// From when on the gaps may be pulled.
    gap_due: Option<u64>,
    /// A question about this log is under way.
    pub(crate) asked: bool,
    /// Counts up whenever answers under way are no longer wanted. Two logs of one conversation, of before it left and
    /// after it came back, have no number in common.
    pub(crate) turned: u64,
    /// After a problem: not before.
    pub(crate) retry_at: u64,
    /// Messages that recalls of this session named: content of these isn't taken, whenever it comes.
    recalled: BTreeSet<(Id, Id)>,
    /// A closed conversation: what lies far back isn't filled.
    pub(crate) closed: bool,
    /// Highest watermark that this connection told.
    pub(crate) told: u64,
}

/// What came of an entry.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) entry: StoredEntry,
    /// The same, as it is read.
    pub(crate) read: Entry,
    /// A recall: what it takes away (author and id).
    pub(crate) recall: Option<(Id, Id)>,
}

/// An entry and its bytes as they came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) entry: Entry,
    pub(crate) bytes: Bytes,
}

impl Came {
    /// From a push, whose own bytes the frame's decoder has taken apart.
    pub(crate) fn pushed(entry: Entry) -> Self {
        let bytes = entry.encode_to_vec().into();
        Self { entry, bytes }
    }
}

impl Log {
    pub(crate) fn new(floor: u64) -> Self {
        Self::of(LogState {
            floor: floor.max(1),
            ..LogState::default()
        })
    }

    pub(crate) fn of(mut state: LogState) -> Self {
        state.floor = state.floor.max(1);
        let newest = state.covered.is_empty();
        Self {
            state,
            gateway_floor: 1,
            newest,
            gap_due: None,
            asked: false,
            turned: 0,
            retry_at: 0,
            recalled: BTreeSet::new(),
            closed: false,
            told: 0,
        }
    }

    /// The same as the `nth` log that this session began.
    pub(crate) fn begun(mut self, nth: u32) -> Self {
        self.turned = u64::from(nth) << 32;
        self
    }

    pub(crate) fn watermark(&self) -> u64 {
        if planted::has(Fault::WatermarkIsHighest) {
            let highest = self.state.covered.last().map(|range| range.last);
            return highest.unwrap_or(self.state.floor.saturating_sub(1));
        }
        ranges::watermark(&self.state.covered, self.state.floor)
    }

    /// What an act's sender has seen: the watermark; where nothing is covered, the head last told.
    pub(crate) fn base(&self) -> u64 {
        if self.state.covered.is_empty() {
            self.state.head
        } else {
            self.watermark()
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.watermark() >= self.state.head
    }

    /// Nothing is to be fetched or compared.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_whole() && !self.state.to_compare
    }

    pub(crate) fn missing(&self) -> u64 {
        let span = (self.state.head + 1).saturating_sub(self.state.floor);
        let mut held = self.state.covered.clone();
        ranges::clip(
            &mut held,
            Range {
                first: self.state.floor,
                last: self.state.head,
            },
        );
        span.saturating_sub(ranges::count(&held))
    }

    pub(crate) fn gaps(&self) -> Vec<Range> {
        ranges::gaps(&self.state.covered, self.state.floor, self.state.head)
    }

    /// The gateway told a head; whether that is news.
    pub(crate) fn tell_head(&mut self, head: u64) -> bool {
        let news = head > self.state.head && head <= LAST;
        if news {
            self.state.head = head;
        }
        news
    }

    /// Below `floor` nothing is wanted any more. The answer says whether what is stored below is given up, since
    /// something in between never came. What was asked for before isn't taken.
    pub(crate) fn set_floor(&mut self, floor: u64) -> Option<bool> {
        if floor <= self.state.floor || floor > LAST {
            return None;
        }
        let given_up = !ranges::gaps(&self.state.covered, self.state.floor, floor - 1).is_empty();
        self.state.floor = floor;
        ranges::clip(
            &mut self.state.covered,
            Range {
                first: floor,
                last: u64::MAX,
            },
        );
        self.state.erased.retain(|seq| *seq >= floor);
        self.state.generations.retain(|start, _| *start >= floor);
        self.turn();
        Some(given_up)
    }

    /// The gateway told its floor; whether that is news, and so what lies below it goes.
    pub(crate) fn tell_floor(&mut self, floor: u64) -> bool {
        let news = floor > self.gateway_floor && floor <= LAST;
        if news {
            self.gateway_floor = floor;
            if self.set_floor(floor).is_none() {
                self.turn();
            }
        }
        news
    }

    /// Answers under way are no longer wanted.
    pub(crate) fn turn(&mut self) {
        self.turned = self.turned.wrapping_add(1);
        self.asked = false;
    }

    /// The one place where an entry enters a log. `demand`: asked for by a window, may lie below the floor.
    pub(crate) fn take(&mut self, came: Came, demand: bool) -> Option<Taken> {
        let Came { mut entry, mut bytes } = came;
        let (id, author) = (Id::try_from(&entry.id).ok()?, Id::optional(&entry.author).ok()?);
        let seq = entry.seq;
        if seq == 0 || seq > LAST || self.state.to_compare || (seq < self.state.floor && !demand) {
            return None;
        }
        let known_erased = self.state.erased.binary_search(&seq).is_ok()
            || author.is_some_and(|author| self.recalled.contains(&(author, id)));
        if (known_erased || entry.erased) && (!entry.erased || !entry.content.is_empty()) {
            entry.erased = true;
            entry.content = Bytes::new();
            bytes = entry.encode_to_vec().into();
        }
        if entry.erased && seq >= self.state.floor {
            self.erase(seq);
        }
        if seq >= self.state.floor {
            ranges::insert(&mut self.state.covered, Range { first: seq, last: seq });
        }
        self.tell_head(seq);
        let recall = (entry.kind() == EntryKind::Recall)
            .then(|| RecallContent::decode(entry.content.as_ref()).ok())
            .flatten()
            .and_then(|recall| Some((Id::try_from(&recall.author).ok()?, Id::try_from(&recall.id).ok()?)));
        if let Some(target) = recall {
            self.recalled.insert(target);
        }
        let stored = StoredEntry {
            seq,
            id,
            author,
            time_ms: entry.time_ms,
            bytes,
        };
        Some(Taken {
            entry: stored,
            read: entry,
            recall,
        })
    }

    /// Whether a block may come in: within an epoch a lower generation is older than what is held.
    pub(crate) fn takes(&self, block: &Block) -> bool {
        let held = self.state.generations.get(&block::range_of(block.first).0);
        block.generation == 0
            || held.is_none_or(|held| *held <= block.generation)
            || planted::has(Fault::OlderBlockTaken)
    }

    /// A sealed block was stored as a whole.
    pub(crate) fn hold(&mut self, block: &Block) {
        let start = block::range_of(block.first).0;
        if block.generation > 1 {
            self.state.generations.insert(start, block.generation);
        } else {
            self.state.generations.remove(&start);
        }
    }

    /// Known as erased, for ever.
    pub(crate) fn erase(&mut self, seq: u64) {
        if let Err(at) = self.state.erased.binary_search(&seq) {
            self.state.erased.insert(at, seq);
        }
    }

    /// Judges the gaps anew: a fresh one waits a moment for the push that may fill it, unless nothing is to be waited
    /// for.
    pub(crate) fn judge(&mut self, now: u64, wait: bool) {
        if self.is_whole() {
            self.gap_due = None;
            self.newest = false;
        } else if self.gap_due.is_none() || !wait {
            self.gap_due = Some(if wait { now + limits::GAP_WAIT_MS } else { now });
        }
        if self.missing() > FAR {
            self.newest = true;
        }
    }

    /// When something may be asked for; `None`: nothing is missing, or it was asked for.
    pub(crate) fn due(&self) -> Option<u64> {
        if self.asked || self.state.to_compare || self.is_whole() {
            return None;
        }
        let due = if self.newest { 0 } else { self.gap_due.unwrap_or(0) };
        Some(due.max(self.retry_at))
    }

    /// What to ask for: `None` is the newest page. The newest of what is missing comes first.
    pub(crate) fn question(&self) -> Option<Range> {
        if self.newest {
            return None;
        }
        let gap = self.gaps().pop()?;
        let page = (gap.last + 1).saturating_sub(limits::PAGE_ENTRIES).max(1);
        // Blocks travel as a whole: none is asked for twice.
        let (start, end) = block::range_of(page);
        let border = if page == start { page } else { end + 1 };
        Some(Range {
            first: gap.first.max(border),
            last: gap.last,
        })
    }

    /// The newest page is in, from `first` on. If what lies below is far more than a device fetches unasked, the floor
    /// moves above it; says what [`Log::set_floor`] says.
    pub(crate) fn newest_came(&mut self, first: u64) -> Option<bool> {
        self.newest = false;
        if self.closed || self.missing() > FAR {
            self.set_floor(first)
        } else {
            None
        }
    }

    /// A member's position, forward only; whether anything moved.
    pub(crate) fn tell_position(&mut self, position: &Position, me: Option<Id>) -> bool {
        let Ok(member) = Id::try_from(&position.member) else {
            return false;
        };
        let state = &mut self.state;
        if Some(member) == me {
            let before = (state.read, state.read_told);
            state.read_told = state.read_told.max(position.read);
            state.read = state.read.max(position.read);
            return before != (state.read, state.read_told);
        }
        let known = |known: &&mut (Id, i32, u64, u64)| known.0 == member && known.1 == position.role;
        if let Some(known) = state.positions.iter_mut().find(known) {
            let before = (known.2, known.3);
            (known.2, known.3) = (known.2.max(position.delivered), known.3.max(position.read));
            return before != (known.2, known.3);
        }
        let told = (member, position.role, position.delivered, position.read);
        state.positions.push(told);
        true
    }

    pub(crate) fn positions(&self) -> Vec<Position> {
        let position = |(member, role, delivered, read): &(Id, i32, u64, u64)| Position {
            member: member.to_bytes(),
            role: *role,
            delivered: *delivered,
            read: *read,
        };
        self.state.positions.iter().map(position).collect()
    }
}
