//! The client's side of the protocol as state machines: they take events and a time, and give actions. No clock, no
//! network, no disk, no randomness of their own; the app, the simulated customers and the simulator run this very code.
//!
//! - [`session`]: the door: one device's session with one gateway; [`input`] and [`notice`] are what passes through it.
//! - [`change`]: the seam to a device's store; [`memory`] is one.

mod ack;
pub mod change;
mod connection;
mod feeds;
pub mod hash;
pub mod input;
mod lane;
mod log;
pub mod memory;
pub mod notice;
mod outbox;
pub mod planted;
mod random;
mod ranges;
pub mod session;
mod turn;

pub use input::{Ask, Broken, Command, Credential, Input, NewAct, Output, StoreFailure};
pub use memory::MemoryDevice;
pub use notice::{Notice, Sync};
pub use session::{Config, Role, Session};

/// Whether faults can be planted in this build: never in what is released, which doesn't compile with them.
pub const PLANTED: bool = cfg!(feature = "planted");
