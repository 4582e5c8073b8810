//! The proof by simulation: the gateway's rules and the devices' sessions as they ship, in one thread, on a simulated
//! clock, network and disk.
//!
//! - [`story`]: what users do and what breaks, made from a seed; [`world`]: plays it.
//! - [`check`]: what must be true, judged from outside; [`rare`]: what happened how often.
//! - [`shrink`]: the shortest story that still fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    clippy::should_implement_trait,
    clippy::struct_excessive_bools,
    clippy::unused_self,
    missing_docs,
    unreachable_pub
)]

pub mod check;
pub mod command;
pub mod dice;
#[cfg(feature = "planted")]
pub mod planted;
pub mod rare;
pub mod shrink;
pub mod story;
pub mod world;
