//! The proxies that the system's settings name: on Linux as the desktop's portal says them for each address, on Windows
//! as they stand in the registry, on macOS as `scutil` tells them. Where the settings say nothing, the environment
//! decides. A script that configures proxies by itself is run on Linux alone.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(windows, target_os = "macos", test))]
mod settings;
#[cfg(windows)]
mod windows;

use std::sync::Arc;

use zuoxi_engine::net::{Proxies, Transport, WebSocketTransport};

/// The network as this system's settings lead to it.
pub(crate) fn transport() -> Arc<dyn Transport> {
    let transport = WebSocketTransport::new(Proxies::from_environment());
    #[cfg(target_os = "linux")]
    let transport = transport.asking(Arc::new(linux::Portal));
    #[cfg(target_os = "macos")]
    let transport = transport.asking(Arc::new(macos::Scutil));
    #[cfg(windows)]
    let transport = transport.asking(Arc::new(windows::Registry));
    Arc::new(transport)
}
