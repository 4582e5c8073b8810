//! How far the customer has received and read, and how far this member has read.

use super::Timeline;

impl<W: Ord + Clone> Timeline<W> {
    /// How far the customer's page has received and read. Positions only move forward, but for a restored log
    /// (see [`Timeline::cap_positions`]).
    pub fn customer_at(&mut self, delivered: u64, read: u64) {
        let (old_delivered, old_read) = (self.delivered, self.customer_read);
        self.customer_read = self.customer_read.max(read);
        self.delivered = self.delivered.max(delivered).max(self.customer_read);
        if (self.delivered, self.customer_read) == (old_delivered, old_read) {
            return;
        }
        self.told_marks(old_delivered.min(old_read), self.delivered.max(self.customer_read));
        if self.customer_read != old_read {
            self.told_bounds();
        }
    }

    /// Positions of another log's epoch are capped.
    pub fn cap_positions(&mut self, seq: u64) {
        let (delivered, read) = (self.delivered, self.customer_read);
        self.delivered = delivered.min(seq);
        self.customer_read = read.min(seq);
        self.own_read = self.own_read.min(seq);
        self.told_marks(self.delivered.min(self.customer_read), delivered);
        if self.customer_read != read {
            self.told_bounds();
        }
    }

    /// The own read position: decides what is unread for windows that are opened later.
    pub fn own_at(&mut self, read: u64) {
        self.own_read = self.own_read.max(read);
    }
}
