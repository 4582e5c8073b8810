//! The settings of macOS's network service that is in use, as `scutil` tells them. The same by the system's framework
//! would need `unsafe` for the list of exceptions.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use zuoxi_engine::net::{LookedUp, SystemProxies};

use super::settings::{Settings, ways_to};

/// Part of the system, and by its full path never another.
const SCUTIL: &str = "/usr/sbin/scutil";
/// It answers in milliseconds; a connection must not be held up for long.
const PATIENCE: Duration = Duration::from_secs(3);

/// `scutil --proxy`.
pub(crate) struct Scutil;

impl SystemProxies for Scutil {
    fn look_up(&self, url: String) -> LookedUp {
        Box::pin(async move {
            let told = Command::new(SCUTIL)
                .arg("--proxy")
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output();
            match tokio::time::timeout(PATIENCE, told).await {
                Ok(Ok(told)) => ways_to(&Settings::of_macos(&String::from_utf8_lossy(&told.stdout)), &url),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "scutil doesn't say which proxy to take");
                    None
                }
                Err(_) => {
                    tracing::warn!("scutil doesn't say which proxy to take");
                    None
                }
            }
        })
    }
}
