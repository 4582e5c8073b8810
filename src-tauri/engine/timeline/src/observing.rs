//! Opening windows, what they are told, and which rows are worth having in memory for them.

use std::collections::BTreeMap;

use zuoxi_protocol::change::Range;

use super::decode::Item;
use super::steps::Seq;
use super::window::Window;
use super::{From, Timeline};
use crate::view::{TimelineDelta, TimelineView};

impl<W: Ord + Clone> Timeline<W> {
    /// Opens a window, or moves it. What it was told before counts no more.
    pub fn observe(&mut self, window: W, from: From, count: u64) -> TimelineView {
        let unread = match self.windows.get(&window) {
            Some(open) if matches!(from, From::Row(_)) => open.first_unread,
            _ => self.first_unread(),
        };
        let from = match from {
            From::Row(row) => row,
            From::Unread => self.row_to_open_at(unread, count),
        };
        let mut opened = Window::new(from, count, unread);
        let view = self.view(&mut opened);
        self.windows.insert(window, opened);
        view
    }

    /// Where a window of `count` rows opens: a third of it above the first unread row, never past the end.
    fn row_to_open_at(&self, unread: Option<u64>, count: u64) -> u64 {
        let last = self.total().saturating_sub(count);
        unread.map_or(last, |seq| {
            seq.saturating_sub(self.floor).saturating_sub(count / 3).min(last)
        })
    }

    /// Seq of the first message of the other side above the own read position; where that isn't in memory, the Seq
    /// after the position.
    fn first_unread(&self) -> Option<u64> {
        /// Rows looked at: what stands between a position and the first unread words is short.
        const LOOK: usize = 64;
        let first = (self.own_read + 1).max(self.floor);
        let mut expected = first;
        for (seq, item) in self.settled.range(Seq(first)..).take(LOOK) {
            if seq.0 != expected || item.is_unread(&self.me) {
                return Some(expected);
            }
            expected += 1;
        }
        (expected <= self.top).then_some(expected)
    }

    /// Closes a window.
    pub fn unobserve(&mut self, window: &W) {
        self.windows.remove(window);
    }

    /// A window's rows computed afresh: what all that it was told must have made of its first view. `None`: it isn't
    /// open.
    pub fn whole(&self, window: &W) -> Option<TimelineView> {
        self.windows.get(window).map(|open| self.as_it_is(open))
    }

    /// What each window has to be told since it was asked last. A window that was told too much gets one `Reset`.
    pub fn take_deltas(&mut self) -> Vec<(W, Vec<TimelineDelta>)> {
        let mut told = Vec::new();
        let names: Vec<W> = self
            .windows
            .iter()
            .filter(|(_, open)| open.has_news())
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            let Some(mut open) = self.windows.remove(&name) else {
                continue;
            };
            let deltas = open.take().unwrap_or_else(|| {
                vec![TimelineDelta::Reset {
                    view: self.view(&mut open),
                }]
            });
            self.windows.insert(name.clone(), open);
            told.push((name, deltas));
        }
        told
    }

    /// Ranges that windows show (with `margin` rows around) and that aren't in memory: to be read from the store, or
    /// pulled. Sorted, apart.
    pub fn wanted(&self, margin: u64) -> Vec<Range> {
        let mut wanted: Vec<Range> = Vec::new();
        let mut next = self.floor;
        for (first, last) in self.looked_at(margin) {
            next = next.max(first);
            for (seq, _) in self.settled.range(Seq(next)..=Seq(last.max(next))) {
                if seq.0 > next {
                    wanted.push(Range {
                        first: next,
                        last: seq.0 - 1,
                    });
                }
                next = seq.0 + 1;
            }
            if next <= last {
                wanted.push(Range { first: next, last });
                next = last + 1;
            }
        }
        wanted
    }

    /// Lets go what no window shows, but for `margin` rows around each and at the end. Gives how many entries went.
    pub fn evict(&mut self, margin: u64) -> usize {
        let mut keep = self.looked_at(margin);
        keep.push(((self.top + 1).saturating_sub(margin).max(self.floor), self.top));
        keep.sort_unstable();
        let mut kept = BTreeMap::new();
        let mut rest = std::mem::take(&mut self.settled);
        let before = rest.len();
        for (first, last) in keep {
            let mut part = rest.split_off(&Seq(first));
            self.let_go(rest);
            rest = part.split_off(&Seq(last + 1));
            kept.append(&mut part);
        }
        self.let_go(rest);
        self.settled = kept;
        before - self.settled.len()
    }

    fn let_go(&mut self, gone: BTreeMap<Seq, Item>) {
        for (seq, item) in gone {
            self.ids.take(item.id, seq.0);
        }
    }

    /// Ranges of Seqs in windows and around them, by first Seq.
    fn looked_at(&self, margin: u64) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = self
            .windows
            .values()
            .filter_map(|window| {
                let (from, end) = window.rows_wanted(self.total());
                let first = (self.floor + from).saturating_sub(margin).max(self.floor);
                let last = (self.floor + end)
                    .saturating_sub(1)
                    .saturating_add(margin)
                    .min(self.top);
                (first <= last).then_some((first, last))
            })
            .collect();
        ranges.sort_unstable();
        ranges
    }
}
