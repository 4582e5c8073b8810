//! The order of one connection's acts in one conversation.

/// What the gateway knows of a lane, as long as its connection lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lane {
    current: u32,
    /// The highest settled number.
    last: u32,
    /// A stop ended it: nothing above `last` is taken.
    ended: bool,
    /// Of the conversation, whatever the lane.
    pub(crate) young: Young,
}

/// From a Seq of the reader's log on, entries aren't older than a time: along a log times never go back, and what has
/// a Seq keeps its time. So what was seen once needs no look at the store again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Young {
    /// 0: nothing was seen yet.
    from: u64,
    time_ms: u64,
}

impl Young {
    pub(crate) fn of(from: u64, time_ms: u64) -> Self {
        Self { from, time_ms }
    }

    /// Whether the entry at `seq` was surely stored at `since_ms` or later.
    pub(crate) fn covers(self, seq: u64, since_ms: u64) -> bool {
        self.from > 0 && seq >= self.from && self.time_ms >= since_ms
    }
}

/// Where an act stands in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The lane ended below it.
    Ended,
    /// A lower number isn't settled.
    Behind,
    /// It is its turn.
    Due,
    /// Its number was settled before; a repeat.
    Settled,
}

impl Lane {
    /// Where this number stands; a higher lane begins anew.
    pub(crate) fn place(&mut self, lane: u32, number: u32) -> Place {
        if lane > self.current {
            *self = Self {
                current: lane,
                young: self.young,
                ..Self::default()
            };
        }
        if lane < self.current || (self.ended && number > self.last) {
            Place::Ended
        } else if number <= self.last {
            Place::Settled
        } else if number == self.last + 1 {
            Place::Due
        } else {
            Place::Behind
        }
    }

    /// A Seq or a final refusal was found for this number.
    pub(crate) fn settle(&mut self, number: u32, ends: bool) {
        if number > self.last {
            self.last = number;
            self.ended |= ends;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lane, Place, Young};

    #[test]
    fn what_stands_above_a_young_entry_is_young() {
        let young = Young::of(5, 1_000);
        assert!(young.covers(5, 1_000) && young.covers(6, 900));
        assert!(!young.covers(4, 900), "it may be older than any time");
        assert!(!young.covers(5, 1_001));
        assert!(!Young::default().covers(1, 0), "nothing was seen");
    }

    #[test]
    fn an_act_waits_for_the_one_before_it() {
        let mut lane = Lane::default();
        assert_eq!(lane.place(1, 2), Place::Behind);
        assert_eq!(lane.place(1, 1), Place::Due);
        lane.settle(1, false);
        assert_eq!(lane.place(1, 2), Place::Due);
        assert_eq!(lane.place(1, 1), Place::Settled);
    }

    #[test]
    fn nothing_follows_a_stop_until_a_new_lane_is_opened() {
        let mut lane = Lane::default();
        lane.place(1, 1);
        lane.settle(1, true);
        assert_eq!(lane.place(1, 2), Place::Ended);
        assert_eq!(lane.place(1, 1), Place::Settled);
        assert_eq!(lane.place(2, 1), Place::Due);
        assert_eq!(lane.place(1, 2), Place::Ended, "a frame of the ended lane comes late");
    }
}
