//! Faults that tests switch on to see that they are caught (tests/simulate), each at one branch of what ships. Without the
//! feature `planted`, which is no default and in nothing that is released, [`has`] is `false` when compiled.

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An update of a window's last row isn't told.
    DeltaLeftOut,
    /// A row that is put in before others is told one too far down.
    WrongIndex,
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
        pub const ALL: &'static [Self] = &[Self::DeltaLeftOut, Self::WrongIndex];
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
