//! The gateway: Seq, storage, routing, and the web chat page.
//!
//! The rules are in `zuoxi_rules`, without clock, network or disk. Here is what surrounds them.
//!
//! - [`store`]: everything durable, on SQLite.
//! - [`core`]: the one thread that owns store and rules; group commit.
//! - [`server`]: sockets, TLS, HTTP, WebSockets, the web chat page.
//! - [`settings`], [`data`], [`log_file`], [`metrics`]: what an administrator sees.
//! - [`password`], [`identity`]: what takes long, done beside the core.

pub mod avatar;
pub mod clock;
pub mod core;
pub mod data;
pub mod identity;
pub mod jobs;
pub mod line;
pub mod log_file;
pub mod metrics;
pub mod password;
pub mod server;
pub mod settings;
pub mod store;
mod trace;

const _: () = assert!(!zuoxi_rules::PLANTED, "a gateway is never built with planted faults");
