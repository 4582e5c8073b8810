//! What the tests across processes are told with: real gateways, real desks, real browsers.

pub mod chat;
pub mod checker;
pub mod desk;
pub mod desk_bench;
pub mod frames;
pub mod full_desk;
pub mod gateway;
pub mod process;
pub mod sample;
pub mod soak;
