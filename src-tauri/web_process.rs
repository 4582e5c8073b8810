//! When the process behind the windows dies, they are loaded again: the engine gives everything back, drafts included.

use tauri::WebviewWindow;

/// Watches the web process of this window (WebKitGTK's own signal: Tauri's hook doesn't cover Linux). All windows share
/// one process there, so all are loaded again.
#[cfg(target_os = "linux")]
pub(crate) fn reload_when_it_dies(window: &WebviewWindow) {
    use tauri::Manager;
    use webkit2gtk::WebViewExt;

    let app = window.app_handle().clone();
    let watching = window.with_webview(move |webview| {
        webview.inner().connect_web_process_terminated(move |_, reason| {
            tracing::error!(?reason, "the web process died; loading the windows again");
            for window in app.webview_windows().values() {
                if let Err(error) = window.reload() {
                    tracing::error!(%error, label = window.label(), "a window could not be loaded again");
                }
            }
        });
    });
    if let Err(error) = watching {
        tracing::warn!(%error, "the web process can't be watched");
    }
}

/// Elsewhere the system's webview starts its process again by itself.
#[cfg(not(target_os = "linux"))]
pub(crate) fn reload_when_it_dies(_window: &WebviewWindow) {}
