//! Torture: gateway, desks and customers as real processes over real sockets, killed and halted at random instants, on
//! lines that break and disks that fill; then a checker that shares no code with them but the wire's generated types and
//! the reader of blocks looks for what was lost, doubled or misordered.
//!
//! - [`cast`]: the processes; [`proxy`]: their lines; [`disk`]: their disks; [`storm`]: what happens to them.
//! - [`desk`] and [`customer`]: what the client processes do; [`seen`]: what they write down.
//! - [`check`]: the checker; [`tally`]: the figures.
// It talks to a terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

pub mod cast;
pub mod check;
pub mod customer;
pub mod desk;
pub mod disk;
pub mod key_file;
pub mod proxy;
pub mod seen;
pub mod status;
pub mod storm;
pub mod tally;

/// What stops a run, as a sentence.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
