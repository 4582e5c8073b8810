//! The user's settings of Windows, in the registry.

use windows_registry::CURRENT_USER;
use zuoxi_engine::net::{LookedUp, SystemProxies};

use super::settings::{Settings, ways_to};

const KEY: &str = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings";

/// The values that the proxy page of the settings writes.
pub(crate) struct Registry;

impl SystemProxies for Registry {
    fn look_up(&self, url: String) -> LookedUp {
        // A few values from memory: nothing to wait for.
        let settings = read();
        Box::pin(async move { ways_to(&settings?, &url) })
    }
}

/// `None`: there are none, or they can't be read.
fn read() -> Option<Settings> {
    let key = CURRENT_USER.open(KEY).ok()?;
    let on = key.get_u32("ProxyEnable").unwrap_or_default() != 0;
    let text = |name| key.get_string(name).unwrap_or_default();
    on.then(|| Settings::of_windows(&text("ProxyServer"), &text("ProxyOverride")))
}
