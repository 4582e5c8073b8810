//! The gateway: Seq, storage, routing, and the web chat page.
//!
//! The rules are in `zuoxi_rules`, without clock, network or disk. Here is what surrounds them: the store on disk, the
//! thread that owns both, the server, and the command line.

pub mod store;
