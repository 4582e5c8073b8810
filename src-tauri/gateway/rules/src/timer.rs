//! When something has to be looked at again.

use std::collections::BTreeSet;

use crate::event::ConnectionId;

/// What is looked at. One that is out of date by then does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// No log-in came.
    FirstFrame(ConnectionId),
    Heartbeat(ConnectionId),
    /// Pushes aren't acknowledged.
    Ack(ConnectionId),
    /// Gathered positions leave.
    Positions,
    /// Typing ends by itself.
    Typing,
    /// An agent has been away for too long.
    Grace,
    /// Pushes became heads.
    Heads,
    /// The rest of those whose presence wasn't told under load.
    Unsaid,
    /// Customers in queues are told how many wait before them.
    Queues,
    /// What the administrator or an agent set is read again.
    Facts,
    /// More waits that other nodes told.
    Hear,
    Housekeeping,
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: BTreeSet<(u64, Timer)>,
}

impl Timers {
    pub(crate) fn set(&mut self, at_ms: u64, timer: Timer) {
        self.set.insert((at_ms, timer));
    }

    pub(crate) fn next(&self) -> Option<u64> {
        self.set.first().map(|(at, _)| *at)
    }

    /// Takes one that is due.
    pub(crate) fn due(&mut self, now_ms: u64) -> Option<Timer> {
        if self.next()? > now_ms {
            return None;
        }
        self.set.pop_first().map(|(_, timer)| timer)
    }
}
