//! The shell of the desk: windows, tray, notifications and the commands of the page. It has no rules of its own; what
//! must not fail is in `zuoxi-engine`.

mod arguments;
mod attention;
mod bridge;
mod closing;
#[macro_use]
mod command_names;
mod commands;
mod graphics;
mod links;
mod logs;
mod pictures;
mod shell_file;
pub mod shell_view;
mod system_events;
mod system_proxy;
#[cfg(all(test, target_os = "linux"))]
mod test_bus;
mod tray;
mod web_process;
mod windows;
mod words;

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tauri::{AppHandle, Manager, WindowEvent};
use zuoxi_engine::store::SystemKeyring;
use zuoxi_engine::{Engine, EngineConfig, Surroundings};

use arguments::Arguments;
use bridge::Bridge;
use shell_file::ShellFile;
use words::Language;

/// Runs the desk until it is quit.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match desk(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("Zuoxi could not start: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Before there is a window, a terminal is all there is.
#[allow(clippy::print_stderr)]
fn say(text: &str) {
    eprintln!("{text}");
}

fn desk(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let folder = arguments.data_folder();
    fs::create_dir_all(&folder)?;
    let file = ShellFile::open(&folder);
    let settings = file.read().settings;
    graphics::choose(arguments.safe_graphics || settings.safe_graphics);
    let _logs = logs::begin(&folder)?;
    let language = Language::choose(&settings.language);

    let app = tauri::Builder::default()
        // First, so that a second start ends before it touches the data.
        .plugin(
            tauri_plugin_single_instance::Builder::new()
                .dbus_id(instance_id(&folder))
                .callback(|app, _, _| show(app))
                .build(),
        )
        .plugin(tauri_plugin_clipboard_manager::init())
        .plugin(tauri_plugin_notification::init())
        .register_asynchronous_uri_scheme_protocol(pictures::SCHEME, |context, request, responder| {
            pictures::answer(&context, &request, responder);
        })
        .invoke_handler(handler())
        .setup(move |app| {
            let lock = only_desk_of(&folder)?;
            let mut surroundings = Surroundings::system(Arc::new(minutes_east));
            surroundings.transport = system_proxy::transport();
            let engine = Engine::open(EngineConfig {
                data_dir: folder,
                software: format!("Zuoxi {}, {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS),
                language: if language == Language::English {
                    "en".into()
                } else {
                    "zh-CN".into()
                },
                keyring: Arc::new(SystemKeyring),
                surroundings,
            })?;
            system_events::listen(engine.clone());
            app.manage(lock);
            app.manage(arguments);
            app.manage(file);
            app.manage(Bridge::new(engine));
            tray::put(app.handle(), language)?;
            windows::open_main(app.handle())?;
            open_kept_windows(app.handle().clone());
            Ok(())
        })
        .on_window_event(|window, event| match event {
            WindowEvent::CloseRequested { api, .. } if !closing::close_window(window) => api.prevent_close(),
            WindowEvent::Destroyed => forget(window),
            _ => {}
        })
        .build(tauri::generate_context!())?;
    app.run(|_, _| {});
    Ok(())
}

/// A remembered account's conversations come back into the windows of their own that they had.
fn open_kept_windows(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        match commands::current_account(&app.state::<Bridge>()).await {
            Ok(account) => windows::open_kept(&app, account),
            Err(error) => tracing::warn!(%error, "no window was opened again"),
        }
    });
}

/// Registers what `command_names.rs` lists.
fn handler() -> impl Fn(tauri::ipc::Invoke<tauri::Wry>) -> bool + Send + Sync + 'static {
    macro_rules! registered {
        ($($name:ident),+) => { tauri::generate_handler![$(commands::$name),+] };
    }
    with_commands!(registered)
}

/// A name for the session bus, made from the data folder: one desk for each.
fn instance_id(folder: &Path) -> String {
    // FNV-1a: a name, not a secret.
    let hash = folder
        .to_string_lossy()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("app.zuoxi.desk.d{hash:016x}")
}

/// Holds the data folder, also where there is no session bus.
struct OnlyDesk(#[allow(dead_code, reason = "held, not read: the lock ends with it")] File);

fn only_desk_of(folder: &Path) -> Result<OnlyDesk, Box<dyn Error>> {
    let lock = File::create(folder.join("desk.lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(OnlyDesk(lock)),
        Err(TryLockError::WouldBlock) => Err(format!("another desk uses {}", folder.display()).into()),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn show(app: &AppHandle) {
    if let Err(error) = windows::open_main(app) {
        tracing::error!(%error, "the main window could not be opened");
    }
}

/// A window is gone: it observes nothing any more, and a conversation it held comes back to the main window.
fn forget(window: &tauri::Window) {
    let app = window.app_handle().clone();
    let label = window.label().to_owned();
    tauri::async_runtime::spawn(async move {
        let bridge = app.state::<Bridge>();
        bridge.forget(&label).await;
        if let Some(conversation) = windows::popped_conversation(&label)
            && let Err(error) = windows::tell_popped(&app, &bridge, None, Some(&conversation)).await
        {
            tracing::warn!(%error, "the main window could not be told");
        }
    });
}

/// Minutes east of UTC at a time.
fn minutes_east(utc_ms: u64) -> i32 {
    let time = jiff::Timestamp::from_millisecond(utc_ms as i64).unwrap_or_default();
    jiff::tz::TimeZone::system().to_offset(time).seconds() / 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_may_call_what_is_declared_and_nothing_else() {
        let capability: serde_json::Value =
            serde_json::from_str(include_str!("capabilities/desk.json")).expect("a capability");
        let allowed: Vec<_> = capability["permissions"].as_array().expect("a list").iter().collect();
        macro_rules! names {
            ($($name:ident),+) => { [$(stringify!($name)),+] };
        }
        let declared: Vec<_> = with_commands!(names)
            .iter()
            .map(|name| serde_json::Value::from(format!("allow-{}", name.replace('_', "-"))))
            .collect();
        assert_eq!(allowed, declared.iter().collect::<Vec<_>>());
        assert_eq!(capability["windows"], serde_json::json!(["main", "chat-*"]));
    }

    #[test]
    fn the_page_loads_what_is_its_own_and_agents_pictures() {
        let configuration: serde_json::Value =
            serde_json::from_str(include_str!("../tauri.conf.json")).expect("a configuration");
        let policy = configuration["app"]["security"]["csp"].as_str().expect("a policy");
        let directives: std::collections::BTreeMap<_, _> = policy
            .split("; ")
            .map(|directive| directive.split_once(' ').expect("a directive"))
            .collect();
        let own = ["script-src", "style-src", "font-src", "media-src"].map(|name| (name, "'self'"));
        let nothing = ["default-src", "base-uri", "form-action", "frame-ancestors"].map(|name| (name, "'none'"));
        let others = [
            ("img-src", "'self' picture: http://picture.localhost"),
            ("connect-src", "ipc: http://ipc.localhost"),
        ];
        let wanted: std::collections::BTreeMap<_, _> = own.into_iter().chain(nothing).chain(others).collect();
        assert_eq!(directives, wanted);
    }

    #[test]
    fn each_data_folder_has_its_own_desk() {
        assert_ne!(instance_id(Path::new("/a")), instance_id(Path::new("/b")));
        let folder = tempfile::tempdir().expect("a folder");
        let first = only_desk_of(folder.path()).expect("the first");
        assert!(only_desk_of(folder.path()).is_err());
        drop(first);
        assert!(only_desk_of(folder.path()).is_ok());
    }
}
