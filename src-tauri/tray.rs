//! The tray icon, where there is a tray. On Linux it sends no clicks, so it has a menu.

use tauri::menu::{Menu, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager};

use crate::closing;
use crate::windows;
use crate::words::Language;

/// Whether closing the main window may hide it: only where the user can get it back.
pub(crate) struct TrayIsThere(pub(crate) bool);

const OPEN: &str = "open";
const QUIT: &str = "quit";

/// Puts the icon into the tray, if there is one.
///
/// # Errors
/// The system's.
pub(crate) fn put(app: &AppHandle, language: Language) -> tauri::Result<()> {
    let there = is_there();
    app.manage(TrayIsThere(there));
    if !there {
        return Ok(());
    }
    let menu = Menu::with_items(
        app,
        &[
            &MenuItem::with_id(app, OPEN, language.open(), true, None::<&str>)?,
            &MenuItem::with_id(app, QUIT, language.quit(), true, None::<&str>)?,
        ],
    )?;
    let mut tray = TrayIconBuilder::new()
        .menu(&menu)
        .tooltip("Zuoxi")
        .on_menu_event(|app, event| {
            if event.id() == OPEN {
                if let Err(error) = windows::open_main(app) {
                    tracing::error!(%error, "the main window could not be opened");
                }
            } else if event.id() == QUIT {
                closing::ask_to_quit(app);
            }
        });
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok(())
}

/// On Linux a tray is a program that owns the watcher's name on the session bus.
#[cfg(target_os = "linux")]
fn is_there() -> bool {
    let asked = zbus::blocking::Connection::session().and_then(|bus| {
        bus.call_method(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            Some("org.freedesktop.DBus"),
            "NameHasOwner",
            &("org.kde.StatusNotifierWatcher"),
        )
    });
    asked
        .ok()
        .and_then(|answer| answer.body().deserialize::<bool>().ok())
        .unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
fn is_there() -> bool {
    true
}
