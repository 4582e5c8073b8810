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
    /// An entry's time in the customer's log is never before a note.
    CustomersTimeMovesWithNote,
    /// An agent is dropped who doesn't acknowledge a note.
    NoteAwaited,
    /// A block is read in one transaction and written in a later one, whatever came between.
    SealedWithoutLock,
}

#[cfg(feature = "planted")]
mod switch {
    use std::cell::Cell;

    use super::Fault;
    use crate::record::SealedBlock;
    use crate::store::Store;

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
            Self::CustomersTimeMovesWithNote,
            Self::NoteAwaited,
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

    /// Blocks that were read in one transaction and are written in a later one: [`Fault::SealedWithoutLock`].
    #[derive(Debug, Default)]
    pub(crate) struct Unlocked(Vec<SealedBlock>);

    impl Unlocked {
        /// Whether the block is put off.
        pub(crate) fn takes(&mut self, block: &SealedBlock) -> bool {
            let takes = has(Fault::SealedWithoutLock);
            if takes {
                self.0.push(block.clone());
            }
            takes
        }

        /// Writes what was put off.
        pub(crate) fn write(&mut self, store: &mut dyn Store) {
            for block in self.0.drain(..) {
                let _ = store.put_block(&block);
            }
        }
    }
}

#[cfg(feature = "planted")]
pub use switch::plant;
#[cfg(feature = "planted")]
pub(crate) use switch::{Unlocked, has};

#[cfg(not(feature = "planted"))]
#[inline]
pub(crate) const fn has(_: Fault) -> bool {
    false
}

/// Nothing is put off in what ships.
#[cfg(not(feature = "planted"))]
#[derive(Debug, Default)]
pub(crate) struct Unlocked;

#[cfg(not(feature = "planted"))]
impl Unlocked {
    #[inline]
    #[allow(clippy::unused_self, reason = "as where faults can be planted")]
    pub(crate) const fn takes(&mut self, _: &crate::record::SealedBlock) -> bool {
        false
    }

    #[inline]
    #[allow(clippy::unused_self, reason = "as where faults can be planted")]
    pub(crate) const fn write(&mut self, _: &mut dyn crate::store::Store) {}
}
