//! The engine's readers of addresses and proxies' answers.

#[path = "../../../src-tauri/engine/src/net/address.rs"]
mod address;
#[path = "../../../src-tauri/engine/src/net/proxy.rs"]
pub(crate) mod proxy;

pub(crate) use address::GatewayAddress;
pub(crate) use proxy::Proxies;

/// Why a proxy can't be used.
#[derive(Debug)]
pub(crate) enum NetError {
    Network(String),
}
