//! Windows onto a timeline, and what each is told: the smallest deltas that bring its last view to the next.
//!
//! What lies outside of a window costs it a `Bounds` at most. What no delta says well (the floor moved, rows moved
//! across a window's edge, more happened than the window has rows) becomes one `Reset`.

use super::Timeline;
use super::planted::{self, Fault};
use crate::view::{TimelineDelta, TimelineRow, TimelineView};

/// Deltas that may wait for one window: above it one `Reset` is smaller.
const PENDING: usize = 256;
/// A window that follows the end grows up to so many times its rows, until its owner moves it.
const GROWTH: u64 = 4;
/// Rows that a window may hold, whatever its owner asks for: several screens of the smallest rows.
const ROWS: u64 = 1_000;

/// One window.
#[derive(Debug)]
pub(super) struct Window {
    from: u64,
    count: u64,
    /// Rows it holds.
    len: u64,
    /// It holds the last row.
    at_end: bool,
    /// Seq of the first unread row when it was opened.
    pub(super) first_unread: Option<u64>,
    pending: Vec<TimelineDelta>,
    anew: bool,
}

impl Window {
    pub(super) fn new(from: u64, count: u64, first_unread: Option<u64>) -> Self {
        let count = count.clamp(1, ROWS);
        Self {
            from,
            count,
            len: 0,
            at_end: false,
            first_unread,
            pending: Vec::new(),
            anew: false,
        }
    }

    pub(super) fn has_news(&self) -> bool {
        self.anew || !self.pending.is_empty()
    }

    /// The deltas; `None`: it must see everything anew.
    pub(super) fn take(&mut self) -> Option<Vec<TimelineDelta>> {
        if self.anew {
            None
        } else {
            Some(std::mem::take(&mut self.pending))
        }
    }

    /// The rows it shows or would show: from, end.
    pub(super) fn rows_wanted(&self, total: u64) -> (u64, u64) {
        (self.from.min(total), (self.from + self.len.max(self.count)).min(total))
    }

    pub(super) fn reset(&mut self) {
        self.anew = true;
        self.pending.clear();
    }

    /// Row 0 is another Seq.
    pub(super) fn shift(&mut self, old_floor: u64, floor: u64) {
        self.from = (self.from + old_floor).saturating_sub(floor);
        self.reset();
    }

    fn end(&self) -> u64 {
        self.from + self.len
    }

    fn holds(&self, index: u64) -> bool {
        index >= self.from && index < self.end()
    }

    fn tell(&mut self, delta: TimelineDelta) {
        let full = self.pending.len() >= PENDING;
        match (self.pending.last_mut(), &delta) {
            (Some(TimelineDelta::Update { index: last, row: old }), TimelineDelta::Update { index, row })
                if last == index =>
            {
                old.clone_from(row);
            }
            (Some(last @ TimelineDelta::Bounds { .. }), TimelineDelta::Bounds { .. }) => *last = delta,
            _ if full => self.reset(),
            _ => self.pending.push(delta),
        }
    }
}

impl<W: Ord + Clone> Timeline<W> {
    /// Lets each window that isn't to be read anew say what it is told.
    fn each_window(&mut self, mut tell: impl FnMut(&Self, &mut Window)) {
        let mut windows = std::mem::take(&mut self.windows);
        let total = self.total();
        for window in windows.values_mut().filter(|window| !window.anew) {
            tell(self, window);
            if !window.anew {
                window.at_end = window.end() == total;
            }
        }
        self.windows = windows;
    }

    fn bounds(&self) -> TimelineDelta {
        TimelineDelta::Bounds {
            total: self.total(),
            floor: self.floor,
            customer_read: self.customer_read,
        }
    }

    fn rows(&self, from: u64, end: u64, first_unread: Option<u64>) -> Vec<TimelineRow> {
        (from..end).map(|index| self.row(index, first_unread)).collect()
    }

    /// `count` rows stand at `index` now, and what stood there is behind them.
    pub(super) fn told_insert(&mut self, index: u64, count: u64) {
        self.each_window(|timeline, window| {
            let behind = index > window.end() || (index == window.end() && !window.at_end);
            let too_many = count > window.count || window.len + count > window.count * GROWTH;
            if behind || (too_many && index == window.end()) {
                window.tell(timeline.bounds());
            } else if index < window.from || too_many {
                window.reset();
            } else {
                let rows = timeline.rows(index, index + count, window.first_unread);
                let wrong = index < window.end() && planted::has(Fault::WrongIndex);
                window.len += count;
                window.tell(TimelineDelta::Insert {
                    index: index + u64::from(wrong),
                    rows,
                });
            }
        });
    }

    /// `count` rows that stood at `index` are gone.
    pub(super) fn told_remove(&mut self, index: u64, count: u64) {
        self.each_window(|timeline, window| {
            if index >= window.end() {
                window.tell(timeline.bounds());
            } else if index < window.from || index + count > window.end() {
                window.reset();
            } else {
                window.len -= count;
                window.tell(TimelineDelta::Remove { index, count });
            }
        });
    }

    /// The row that stood at `from` stands at `to`, counted after taking it out.
    pub(super) fn told_move(&mut self, from: u64, to: u64) {
        self.each_window(|timeline, window| match (window.holds(from), window.holds(to)) {
            (true, true) => {
                let row = timeline.row(to, window.first_unread);
                let delta = if from == to {
                    TimelineDelta::Update { index: to, row }
                } else {
                    TimelineDelta::Move { from, to, row }
                };
                window.tell(delta);
            }
            (false, false) if (from < window.from) == (to < window.from) => {}
            _ => window.reset(),
        });
    }

    /// The row at `index` is another.
    pub(super) fn told_update(&mut self, index: u64) {
        self.told_updates(index, index + 1, |_| true);
    }

    /// Those rows of a range that `which` says.
    pub(super) fn told_updates(&mut self, from: u64, end: u64, which: impl Fn(&TimelineRow) -> bool) {
        self.each_window(|timeline, window| {
            for index in from.max(window.from)..end.min(window.end()) {
                let row = timeline.row(index, window.first_unread);
                let left_out = index + 1 == window.end() && planted::has(Fault::DeltaLeftOut);
                if which(&row) && !left_out {
                    window.tell(TimelineDelta::Update { index, row });
                    if window.anew {
                        break;
                    }
                }
            }
        });
    }

    /// Marks of own rows with Seqs above `low`, up to `high`.
    pub(super) fn told_marks(&mut self, low: u64, high: u64) {
        let index = |seq: u64| (seq + 1).saturating_sub(self.floor).min(self.settled_rows());
        let (from, end) = (index(low), index(high));
        self.told_updates(from, end, |row| row.mark.is_some());
    }

    /// The read mark moved.
    pub(super) fn told_bounds(&mut self) {
        self.each_window(|timeline, window| window.tell(timeline.bounds()));
    }

    /// The window as it is now; from here on deltas build on it.
    pub(super) fn view(&self, window: &mut Window) -> TimelineView {
        let total = self.total();
        if window.at_end && window.anew {
            window.from = total.saturating_sub(window.count);
        }
        window.from = window.from.min(total);
        window.len = window.count.min(total - window.from);
        window.at_end = window.end() == total;
        window.anew = false;
        window.pending.clear();
        self.as_it_is(window)
    }

    /// What stands where the window stands.
    pub(super) fn as_it_is(&self, window: &Window) -> TimelineView {
        TimelineView {
            conversation: self.conversation.to_string(),
            total: self.total(),
            floor: self.floor,
            from: window.from,
            rows: self.rows(window.from, window.end(), window.first_unread),
            first_unread: window
                .first_unread
                .filter(|seq| (self.floor..=self.top).contains(seq))
                .map(|seq| seq - self.floor),
            customer_read: self.customer_read,
            watched: self.watched,
        }
    }
}
