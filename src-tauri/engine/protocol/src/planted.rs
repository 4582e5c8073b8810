//! Faults that tests switch on to see that they are caught (tests/simulate), each at one branch of what ships. Without the
//! feature `planted`, which is no default and in nothing that is released, [`has`] is `false` when compiled.

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// What is sent again gets a new id.
    NewIdOnRetry,
    /// A stop and what it parks are committed one after the other.
    ParkingInTwo,
    /// Bases stay in a new epoch.
    BaseNotLowered,
    /// An answer is taken by its number alone.
    AnswerWithoutLane,
    /// An own entry settles its number too.
    OwnEntryFreesNumber,
    /// Close and transfer don't wait for those before them.
    CloseOvertakes,
    /// The watermark is the highest Seq.
    WatermarkIsHighest,
    /// Pushes are acknowledged when they come.
    AckBeforeCommit,
    /// The end of a page is taken for the end of the list.
    UnfinishedPageProves,
    /// A push moves its feed from any lower revision.
    RevisionByMaximum,
    /// A conversation that left is kept.
    TakenAfterLeft,
    /// Answers are taken that were asked for before the floor moved, or before it left.
    TakenFromBeforeFloor,
    /// A recall doesn't take what is stored.
    ErasedStays,
    /// Heads of the older log are kept.
    HeadsKeptAcrossEpoch,
    /// What was asked on a lost connection is waited for.
    TimerLostAtReconnect,
    /// A block is taken though a later generation of it is held.
    OlderBlockTaken,
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
            Self::NewIdOnRetry,
            Self::ParkingInTwo,
            Self::BaseNotLowered,
            Self::AnswerWithoutLane,
            Self::OwnEntryFreesNumber,
            Self::CloseOvertakes,
            Self::WatermarkIsHighest,
            Self::AckBeforeCommit,
            Self::UnfinishedPageProves,
            Self::RevisionByMaximum,
            Self::TakenAfterLeft,
            Self::TakenFromBeforeFloor,
            Self::ErasedStays,
            Self::HeadsKeptAcrossEpoch,
            Self::TimerLostAtReconnect,
            Self::OlderBlockTaken,
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
