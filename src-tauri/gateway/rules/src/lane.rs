//! The order of one connection's acts in one conversation.

/// What the gateway knows of a lane, as long as its connection lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lane {
    current: u32,
    /// The highest settled number.
    last: u32,
    /// A stop ended it: nothing above `last` is taken.
    ended: bool,
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
    use super::{Lane, Place};

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
