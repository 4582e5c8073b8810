//! The desk's windows: one main window, and one for each conversation that was popped out.

use tauri::{AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use zuoxi_engine::view::{CallError, DeskEvent};
use zuoxi_wire::Id;

use crate::bridge::Bridge;
use crate::shell_file::ShellFile;
use crate::web_process;

/// Label of the main window.
pub(crate) const MAIN: &str = "main";
const POPPED: &str = "chat-";

/// Label of a conversation's own window; `None` if that is no conversation's id.
pub(crate) fn popped_label(conversation: &str) -> Option<String> {
    conversation.parse::<Id>().ok().map(|id| format!("{POPPED}{id}"))
}

/// The conversation of a popped-out window.
pub(crate) fn popped_conversation(label: &str) -> Option<String> {
    label.strip_prefix(POPPED).map(str::to_owned)
}

/// Conversations that stand in windows of their own.
pub(crate) fn popped(app: &AppHandle) -> Vec<String> {
    let mut list: Vec<String> = app
        .webview_windows()
        .keys()
        .filter_map(|label| popped_conversation(label))
        .collect();
    list.sort();
    list
}

/// Opens the main window, or brings it to the front.
///
/// # Errors
/// The system's, if it can't open one.
pub(crate) fn open_main(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(MAIN) {
        return to_front(&window);
    }
    let window = place(app, MAIN, (1440, 900), builder(app, MAIN))
        .min_inner_size(720.0, 480.0)
        .build()?;
    web_process::reload_when_it_dies(&window);
    Ok(())
}

/// Opens a conversation in a window of its own, or brings it to the front. Returns at once; the window follows.
///
/// # Errors
/// The system's, if it can't open one.
pub(crate) fn open_popped(app: &AppHandle, label: &str) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(label) {
        return to_front(&window);
    }
    let app = app.clone();
    let label = label.to_owned();
    match app.get_webview_window(MAIN) {
        #[cfg(target_os = "linux")]
        Some(main) => main.with_webview(move |first| {
            // Related views share one web process: 35 MB for each further window instead of 81.
            let window = popped_builder(&app, &label).with_related_view(first.inner()).build();
            if let Err(error) = window {
                tracing::error!(%error, "a window could not be opened");
            }
        }),
        _ => popped_builder(&app, &label)
            .build()
            .map(|window| web_process::reload_when_it_dies(&window)),
    }
}

fn popped_builder<'a>(app: &'a AppHandle, label: &str) -> WebviewWindowBuilder<'a, tauri::Wry, AppHandle> {
    place(app, label, (480, 720), builder(app, label)).min_inner_size(360.0, 420.0)
}

/// A window with the walls that every window has: the app's own page alone, no new windows, nothing kept on disk.
fn builder<'a>(app: &'a AppHandle, label: &str) -> WebviewWindowBuilder<'a, tauri::Wry, AppHandle> {
    WebviewWindowBuilder::new(app, label, WebviewUrl::default())
        .title("Zuoxi")
        .incognito(!is_driven())
        .on_navigation(is_own_page)
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny)
}

/// Opens the windows that conversations of this account had of their own.
pub(crate) fn open_kept(app: &AppHandle, account: Option<String>) {
    let kept = account.and_then(|account| app.state::<ShellFile>().read().popped.get(&account).cloned());
    for label in kept
        .unwrap_or_default()
        .iter()
        .filter_map(|conversation| popped_label(conversation))
    {
        if let Err(error) = open_popped(app, &label) {
            tracing::warn!(%error, "a window could not be opened again");
        }
    }
}

/// Closes all windows but the main one (log-out). What was popped out stays kept for the account.
pub(crate) fn close_popped(app: &AppHandle) {
    for (label, window) in app.webview_windows() {
        if label != MAIN
            && let Err(error) = window.destroy()
        {
            tracing::warn!(%error, label, "a window could not be closed");
        }
    }
}

/// Tells the main window which conversations stand elsewhere, and keeps that for the next start. `opening` and
/// `closing` count as open and closed already, since windows come and go a moment later.
///
/// # Errors
/// The engine's.
pub(crate) async fn tell_popped(
    app: &AppHandle,
    bridge: &Bridge,
    opening: Option<&str>,
    closing: Option<&str>,
) -> Result<(), CallError> {
    let mut conversations = popped(app);
    conversations.extend(opening.map(str::to_owned));
    conversations.retain(|conversation| Some(conversation.as_str()) != closing);
    conversations.sort();
    conversations.dedup();
    if let Some(me) = bridge.engine().start().await?.me {
        let list = conversations.clone();
        let app = app.clone();
        tauri::async_runtime::spawn_blocking(move || {
            let kept = app.state::<ShellFile>().change(|memory| {
                memory.popped.insert(format!("{}@{}", me.login, me.gateway), list);
            });
            if let Err(error) = kept {
                tracing::warn!(%error, "the list of windows could not be kept");
            }
        });
    }
    bridge.tell(MAIN, vec![DeskEvent::Popped { conversations }]);
    Ok(())
}

/// Where it stood last, if that was kept.
fn place<'a>(
    app: &AppHandle,
    label: &str,
    size: (u32, u32),
    builder: WebviewWindowBuilder<'a, tauri::Wry, AppHandle>,
) -> WebviewWindowBuilder<'a, tauri::Wry, AppHandle> {
    let kept = app
        .try_state::<ShellFile>()
        .and_then(|file| file.read().places.get(label).copied());
    match kept {
        Some((x, y, width, height)) if width >= 200 && height >= 200 => builder
            .inner_size(f64::from(width), f64::from(height))
            .position(f64::from(x), f64::from(y)),
        _ => builder.inner_size(f64::from(size.0), f64::from(size.1)),
    }
}

/// A test or a bench drives this window: WebKitGTK lets no driver into an incognito one. Never in a released build.
fn is_driven() -> bool {
    cfg!(any(debug_assertions, feature = "driven")) && std::env::var_os("TAURI_WEBVIEW_AUTOMATION").is_some()
}

/// The app's own page is the only one that a window may show.
fn is_own_page(url: &Url) -> bool {
    matches!(
        (url.scheme(), url.host_str()),
        ("tauri", Some("localhost")) | ("http" | "https", Some("tauri.localhost"))
    )
}

fn to_front(window: &WebviewWindow) -> tauri::Result<()> {
    window.show()?;
    window.unminimize()?;
    window.set_focus()
}

/// Remembers where a window stands, in logical pixels. Not for the UI thread's hot path: called when it closes.
pub(crate) fn remember_place(window: &tauri::Window) {
    let (Ok(position), Ok(size), Ok(scale)) = (window.outer_position(), window.inner_size(), window.scale_factor())
    else {
        return;
    };
    let (position, size) = (position.to_logical::<i32>(scale), size.to_logical::<u32>(scale));
    let label = window.label().to_owned();
    let app = window.app_handle().clone();
    tauri::async_runtime::spawn_blocking(move || {
        let kept = app.state::<ShellFile>().change(|memory| {
            memory
                .places
                .insert(label, (position.x, position.y, size.width, size.height));
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "a window's place could not be kept");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_apps_own_page_is_shown() {
        for (url, own) in [
            ("tauri://localhost/index.html", true),
            ("http://tauri.localhost/", true),
            ("https://example.com/", false),
            ("http://localhost/", false),
            ("file:///etc/passwd", false),
            ("data:text/html,x", false),
            ("tauri://evil/", false),
            ("picture://localhost/x", false),
            ("http://picture.localhost/x", false),
        ] {
            assert_eq!(is_own_page(&url.parse().expect("a URL")), own, "{url}");
        }
    }

    #[test]
    fn a_window_is_opened_for_a_conversations_id_alone() {
        assert!(popped_label("0190f3a4-0000-7000-8000-000000000001").is_some());
        assert!(popped_label("../../etc").is_none());
        assert_eq!(popped_conversation(MAIN), None);
    }
}
