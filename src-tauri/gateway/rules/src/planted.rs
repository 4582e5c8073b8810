//! Faults that tests switch on to see that they are caught (tests/simulate), each at one branch of what ships. Without the
//! feature `planted`, which is no default and in nothing that is released, [`has`] is `false` when compiled.

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An ACK leaves though the COMMIT failed.
    AcceptedBeforeCommit,
    /// A final refusal leaves though the COMMIT that remembers it failed.
    RefusedBeforeCommit,
    /// Pushes leave though the COMMIT failed.
    HeadBeforeCommit,
    /// Lanes move though the COMMIT failed.
    LaneBeforeCommit,
    /// A known id is answered whatever its content.
    NoContentHash,
    /// A number is settled by a refusal for now.
    LanePastForNow,
    /// Rights are checked before the id is looked up.
    RightsBeforeKnownId,
    /// Final refusals are not remembered.
    RefusalForgotten,
    /// Ids are looked up as they stood before the group.
    IdOutsideTransaction,
    /// Rows and counters of feeds are written in a transaction of their own.
    FeedOutsideTransaction,
    /// A feed's counter is read as it stood before the group.
    CounterNotHeld,
    /// Pushes that had no room are told by nothing.
    OverflowDropped,
    /// A customer's heartbeat tells the head of the agents' log.
    CustomersCountMovesWithNote,
    /// A block is read in one transaction and written in a later one, whatever came between.
    SealedWithoutLock,
}

#[cfg(feature = "planted")]
mod switch {
    use std::cell::Cell;

    use super::Fault;

    thread_local! {
        static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    impl Fault {
        /// All of them.
        pub const ALL: &'static [Self] = &[
            Self::AcceptedBeforeCommit,
            Self::RefusedBeforeCommit,
            Self::HeadBeforeCommit,
            Self::LaneBeforeCommit,
            Self::NoContentHash,
            Self::LanePastForNow,
            Self::RightsBeforeKnownId,
            Self::RefusalForgotten,
            Self::IdOutsideTransaction,
            Self::FeedOutsideTransaction,
            Self::CounterNotHeld,
            Self::OverflowDropped,
            Self::CustomersCountMovesWithNote,
            Self::SealedWithoutLock,
        ];
    }

    /// From now on this thread has this fault, or none.
    pub fn plant(fault: Option<Fault>) {
        FAULT.set(fault);
    }

    pub(crate) fn has(fault: Fault) -> bool {
        FAULT.get() == Some(fault)
    }
}

#[cfg(feature = "planted")]
pub(crate) use switch::has;
#[cfg(feature = "planted")]
pub use switch::plant;

#[cfg(not(feature = "planted"))]
#[inline]
pub(crate) const fn has(_: Fault) -> bool {
    false
}
