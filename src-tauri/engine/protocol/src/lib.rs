//! The client's side of the protocol as state machines: they take events and a time, and give actions. No clock, no
//! network, no disk, no randomness of their own; the app, the simulated customers and the simulator run this very code.

pub mod change;
