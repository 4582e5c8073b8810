//! How the webview draws, chosen before it starts.
//!
//! Without a graphics card WebKitGTK's software path is the faster one (own bubble in a flood 24 ms instead of 38, 236 MB
//! instead of 462), with one the slower: so we look for a card, and the user has a switch.

/// Set in the process that draws as chosen, so that it isn't chosen twice.
#[cfg(target_os = "linux")]
const CHOSEN: &str = "ZUOXI_GRAPHICS";

/// Starts this program again with the variables that WebKitGTK reads when it loads, if they are needed. The process is
/// replaced, so its id stays; on failure it goes on with the default renderer.
#[cfg(target_os = "linux")]
pub(crate) fn choose(safe: bool) {
    use std::os::unix::process::CommandExt;
    if std::env::var_os(CHOSEN).is_some() {
        return;
    }
    let software = safe || !has_render_node();
    let nvidia_on_wayland =
        std::env::var_os("WAYLAND_DISPLAY").is_some() && std::path::Path::new("/proc/driver/nvidia").exists();
    if !software && !nvidia_on_wayland {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut again = std::process::Command::new(program);
    again
        .args(std::env::args_os().skip(1))
        .env(CHOSEN, if software { "software" } else { "card" });
    if software {
        again.env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
    }
    if nvidia_on_wayland {
        again.env("__NV_DISABLE_EXPLICIT_SYNC", "1");
    }
    let error = again.exec();
    tracing::warn!(%error, "could not choose a renderer");
}

/// Other systems choose by themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) fn choose(_safe: bool) {}

#[cfg(target_os = "linux")]
fn has_render_node() -> bool {
    std::fs::read_dir("/dev/dri").is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
    })
}
