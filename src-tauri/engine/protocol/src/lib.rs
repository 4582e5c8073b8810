//! The client's side of the protocol as state machines: they take events and a time, and give actions. No clock, no
//! network, no disk, no randomness of their own; the app, the simulated customers and the simulator run this very code.
//!
//! - [`session`]: the door: one device's session with one gateway; [`input`] and [`notice`] are what passes through it.
//! - [`change`]: the seam to a device's store.

pub mod change;
pub mod hash;
pub mod input;
pub mod notice;
pub mod session;

pub use input::{Ask, Broken, Command, Credential, Input, NewAct, Output, StoreFailure};
pub use notice::{Notice, Sync};
pub use session::{Config, Role, Session};
