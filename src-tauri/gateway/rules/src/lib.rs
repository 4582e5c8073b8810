//! The rules of the gateway, without clock, randomness, network or disk.
//!
//! - [`store`]: everything durable, behind one trait; [`record`]: its rows; [`memory`]: its twin for tests and
//!   simulation.
//! - [`event`]: what the machine is told and what it wants done.
//! - [`gateway`]: the machine.

pub mod config;
pub mod conformance;
pub mod event;
pub mod gateway;
pub mod memory;
pub mod record;
pub mod store;

pub use config::Config;
pub use event::{Claims, ConnectionId, Door, Event, Output};
pub use gateway::Gateway;
pub use memory::MemoryStore;
pub use store::{Store, StoreError};
