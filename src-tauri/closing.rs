//! Closing windows and ending the app: nothing unsent goes without a question.

use tauri::{AppHandle, Manager, Window};
use zuoxi_engine::view::DeskEvent;

use crate::bridge::Bridge;
use crate::tray::TrayIsThere;
use crate::windows::{self, MAIN};

/// A window's close button. The main window goes to the tray where there is one, else the app ends, after a question if
/// acts are unsent. A conversation's own window just closes.
///
/// Returns whether the window may close.
pub(crate) fn close_window(window: &Window) -> bool {
    windows::remember_place(window);
    if window.label() != MAIN {
        return true;
    }
    let app = window.app_handle();
    if app.try_state::<TrayIsThere>().is_some_and(|tray| tray.0) {
        if let Err(error) = window.hide() {
            tracing::warn!(%error, "the main window could not be hidden");
        }
    } else {
        ask_to_quit(app);
    }
    false
}

/// Ends the app if nothing is unsent; else the main window asks.
pub(crate) fn ask_to_quit(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let bridge = app.state::<Bridge>();
        // An engine that doesn't answer has nothing to wait for.
        let unsent = bridge.engine().unsent().await.unwrap_or_default();
        if unsent.waiting + unsent.parked == 0 {
            quit(&app).await;
            return;
        }
        if let Err(error) = windows::open_main(&app) {
            tracing::error!(%error, "the main window could not be opened");
        }
        bridge.tell(
            MAIN,
            vec![DeskEvent::QuitAsked {
                waiting: unsent.waiting,
                parked: unsent.parked,
            }],
        );
    });
}

/// Ends the app in good order: what was typed is stored, the gateway is told.
pub(crate) async fn quit(app: &AppHandle) {
    if let Err(error) = app.state::<Bridge>().engine().stop().await {
        tracing::warn!(%error, "the engine did not stop in good order");
    }
    app.exit(0);
}
