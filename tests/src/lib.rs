//! What the tests across processes are told with: real gateways, real desks, real browsers.

pub mod chat;
pub mod desk;
pub mod gateway;
pub mod process;
