//! The rules of the gateway, without clock, randomness, network or disk.
//!
//! - [`store`]: everything durable, behind one trait; [`record`]: its rows; [`memory`]: its twin for tests and
//!   simulation; [`conformance`]: what every store must do.
//! - [`bus`]: what nodes that share a store tell each other; [`bus_conformance`]: what every bus must do.
//! - [`event`]: what the machine is told and what it wants done.
//! - [`gateway`]: the machine: a batch of events is one group commit, and nothing leaves or moves before it.
//! - [`routing`]: who gets a conversation.
//! - [`load`]: what is shed under load, in which order.
//!
//! Inside: `acts` checks in PROTOCOL.md's order, `doing` does what each kind asks for, `change` is the result in
//! memory, `telling` writes it and says whom it concerns, `committing` ends the group, `hearing` gives it to connections
//! and other nodes; `rights` alone says who may see and do what. `sealing` makes blocks, `rounds` sees to what is old.

mod account;
mod acts;
mod beats;
mod board;
pub mod bus;
pub mod bus_conformance;
mod change;
mod committing;
pub mod config;
pub mod conformance;
mod connection;
mod dispatch;
mod doing;
mod door;
mod elsewhere;
mod entering;
mod entropy;
pub mod event;
pub mod gateway;
mod group;
mod hearing;
mod identity;
mod lane;
pub mod load;
mod mail;
pub mod memory;
mod people;
pub mod planted;
mod positions;
mod rate;
mod reading;
pub mod record;
mod replies;
mod rights;
mod rounds;
pub mod routing;
mod sealing;
mod shedding;
mod signals;
pub mod store;
mod telling;
mod timer;
mod welcome;
mod wording;

pub use config::Config;
pub use event::{Claims, ConnectionId, Door, Event, Output};
pub use gateway::Gateway;
pub use memory::MemoryStore;
pub use store::{Store, StoreError};

/// Whether faults can be planted in this build: never in what is released, which doesn't compile with them.
pub const PLANTED: bool = cfg!(feature = "planted");
