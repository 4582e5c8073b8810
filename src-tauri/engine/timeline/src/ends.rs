//! Where the log begins and ends for a timeline: its floor and its head.

use super::Timeline;
use crate::view::RowBody;

impl<W: Ord + Clone> Timeline<W> {
    /// Where row 0 is from now on (1 or more). What lies below is dropped. Windows are told anew.
    pub fn set_floor(&mut self, floor: u64) {
        let floor = floor.max(1);
        if floor == self.floor {
            return;
        }
        let old = self.floor;
        self.floor = floor;
        self.top = self.top.max(floor - 1);
        while let Some((seq, _)) = self.settled.first_key_value() {
            if seq.0 >= floor {
                break;
            }
            self.forget_first();
        }
        for window in self.windows.values_mut() {
            window.shift(old, floor);
        }
    }

    /// No entry is in memory any more, and nothing is known of the customer's positions. Windows are told anew.
    pub(super) fn forget_entries(&mut self) {
        self.settled.clear();
        self.ids.clear();
        (self.delivered, self.customer_read) = (0, 0);
        for window in self.windows.values_mut() {
            window.reset();
        }
    }

    fn forget_first(&mut self) {
        if let Some((seq, item)) = self.settled.pop_first() {
            self.ids.take(item.id, seq.0);
        }
    }

    /// The log reaches up to this Seq; what isn't here yet is `Loading`. A lower one than known changes nothing.
    pub fn raise_head(&mut self, head: u64) {
        if head > self.top {
            let first = self.settled_rows();
            let added = head - self.top.max(self.floor - 1);
            let before = self.flags_below(first);
            self.top = head;
            self.told_insert(first, added);
            self.tell_changed(before);
        }
    }

    /// The log ends at this Seq after all (a restored gateway). What lies above is dropped.
    pub fn cut_above(&mut self, head: u64) {
        let head = head.max(self.floor - 1);
        if head >= self.top {
            return;
        }
        let first = head + 1 - self.floor;
        let count = self.settled_rows() - first;
        let before = self.flags_below(first + count);
        while let Some((seq, _)) = self.settled.last_key_value() {
            if seq.0 <= head {
                break;
            }
            if let Some((seq, item)) = self.settled.pop_last() {
                self.ids.take(item.id, seq.0);
            }
        }
        self.top = head;
        self.told_remove(first, count);
        // Its reason may be gone.
        if let Some(last) = first.checked_sub(1) {
            self.told_updates(last, first, |row| matches!(row.body, RowBody::Assignment { .. }));
        }
        self.tell_changed(before);
    }
}
