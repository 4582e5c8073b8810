//! One plain system notification for a new assignment or an unseen customer: who and how many, never what was said.

use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;
use zuoxi_engine::view::DeskEvent;

use crate::shell_file::ShellFile;
use crate::words::Language;

/// Notifies of each such event, if the user wants that and no window of the desk has the focus.
pub(crate) fn notify(app: &AppHandle, events: &[DeskEvent]) {
    for event in events {
        let DeskEvent::Attention {
            customer,
            assigned,
            unread,
            ..
        } = event
        else {
            continue;
        };
        let settings = app.state::<ShellFile>().read().settings;
        let watched = app
            .webview_windows()
            .values()
            .any(|window| window.is_focused().unwrap_or(false));
        if !settings.notify || watched {
            continue;
        }
        let (title, text) = Language::choose(&settings.language).attention(customer, *assigned, *unread);
        if let Err(error) = app.notification().builder().title(title).body(text).show() {
            tracing::warn!(%error, "a notification could not be shown");
        }
    }
}
