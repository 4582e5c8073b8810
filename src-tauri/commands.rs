//! What a window may call: arguments are checked by the engine, nothing here decides anything. All run off the UI thread.

use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State, WebviewWindow};
use tauri_plugin_clipboard_manager::ClipboardExt;
use zuoxi_engine::view::{
    CallError, CustomerPanel, DeskEvent, DraftView, InboxTab, PresenceView, ProofView, TransferTargets, TransferTo,
};

use crate::arguments::Arguments;
use crate::bridge::{Bridge, window_id};
use crate::closing;
use crate::links;
use crate::shell_file::ShellFile;
use crate::shell_view::{LogInArgs, Settings, StartState, TroubleView, WindowLayout};
use crate::windows::{self, MAIN};

type Called<T = ()> = Result<T, CallError>;

fn failed(code: &str) -> CallError {
    CallError {
        code: code.into(),
        retry_ms: 0,
    }
}

/// Changes the shell's own file off the async threads.
async fn remember(
    app: &AppHandle,
    change: impl FnOnce(&mut crate::shell_file::ShellMemory) + Send + 'static,
) -> Called {
    let app = app.clone();
    let done = tauri::async_runtime::spawn_blocking(move || app.state::<ShellFile>().change(change)).await;
    match done {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "shell.json could not be written");
            Err(failed("store"))
        }
        Err(_) => Err(failed("store")),
    }
}

/// The account by which layouts are kept.
fn account(gateway: &str, login: &str) -> String {
    format!("{login}@{gateway}")
}

/// The account that is logged in.
pub(crate) async fn current_account(bridge: &Bridge) -> Called<Option<String>> {
    Ok(bridge
        .engine()
        .start()
        .await?
        .me
        .map(|me| account(&me.gateway, &me.login)))
}

#[tauri::command]
pub(crate) async fn start(
    window: WebviewWindow,
    bridge: State<'_, Bridge>,
    file: State<'_, ShellFile>,
    arguments: State<'_, Arguments>,
) -> Called<StartState> {
    let known = bridge.engine().start().await?;
    let memory = file.read();
    let key = known.me.as_ref().map(|me| account(&me.gateway, &me.login));
    let from = |given: &str, kept: String| if given.is_empty() { kept } else { given.to_owned() };
    Ok(StartState {
        gateway: from(&arguments.gateway, known.gateway),
        name: from(&arguments.name, known.name),
        password: arguments.password.clone(),
        passphrase: known.passphrase.code().into(),
        keyring: known.keyring,
        trouble: known.trouble.map(|trouble| TroubleView {
            gateway: trouble.account.gateway,
            name: trouble.account.name,
            code: trouble.error.code,
        }),
        settings: memory.settings,
        layout: key
            .as_ref()
            .and_then(|key| memory.layouts.get(key).cloned())
            .unwrap_or_default(),
        popped_out: windows::popped_conversation(window.label()),
        // As kept, since at a start their windows come a moment after this one.
        popped: key.and_then(|key| memory.popped.get(&key).cloned()).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").into(),
        me: known.me,
    })
}

#[tauri::command]
pub(crate) async fn listen(
    app: AppHandle,
    window: WebviewWindow,
    bridge: State<'_, Bridge>,
    channel: Channel<Vec<DeskEvent>>,
) -> Called {
    bridge.listen(&app, window.label(), channel).await
}

#[tauri::command]
pub(crate) async fn reach(bridge: State<'_, Bridge>, gateway: String) -> Called<u32> {
    bridge.engine().reach(&gateway).await
}

#[tauri::command]
pub(crate) async fn log_in(app: AppHandle, bridge: State<'_, Bridge>, args: LogInArgs) -> Called {
    bridge
        .engine()
        .log_in(&args.gateway, &args.name, &args.password, args.remember)
        .await?;
    windows::open_kept(&app, current_account(&bridge).await?);
    Ok(())
}

#[tauri::command]
pub(crate) async fn log_out(app: AppHandle, bridge: State<'_, Bridge>, force: bool) -> Called {
    bridge.engine().log_out(force).await?;
    windows::close_popped(&app);
    Ok(())
}

#[tauri::command]
pub(crate) async fn change_password(bridge: State<'_, Bridge>, old_password: String, new_password: String) -> Called {
    bridge.engine().change_password(&old_password, &new_password).await
}

#[tauri::command]
pub(crate) async fn unlock(app: AppHandle, bridge: State<'_, Bridge>, passphrase: String) -> Called {
    bridge.engine().unlock(&passphrase).await?;
    windows::open_kept(&app, current_account(&bridge).await?);
    Ok(())
}

#[tauri::command]
pub(crate) async fn set_aside(bridge: State<'_, Bridge>, gateway: String, name: String) -> Called {
    bridge.engine().set_aside(&gateway, &name).await
}

#[tauri::command]
pub(crate) async fn set_presence(bridge: State<'_, Bridge>, presence: PresenceView) -> Called {
    bridge.engine().set_presence(presence).await
}

#[tauri::command]
pub(crate) async fn observe_inbox(
    window: WebviewWindow,
    bridge: State<'_, Bridge>,
    tab: InboxTab,
    from: u32,
    count: u32,
) -> Called {
    bridge
        .engine()
        .observe_inbox(&window_id(window.label()), tab, from, count)
        .await
}

#[tauri::command]
pub(crate) async fn observe_timeline(
    window: WebviewWindow,
    bridge: State<'_, Bridge>,
    conversation: String,
    from: i64,
    count: u32,
) -> Called {
    bridge
        .engine()
        .observe_timeline(&window_id(window.label()), &conversation, from, count)
        .await
}

#[tauri::command]
pub(crate) async fn unobserve_timeline(
    window: WebviewWindow,
    bridge: State<'_, Bridge>,
    conversation: String,
) -> Called {
    bridge
        .engine()
        .unobserve_timeline(&window_id(window.label()), &conversation)
        .await
}

#[tauri::command]
pub(crate) async fn find_time(bridge: State<'_, Bridge>, conversation: String, time_ms: u64) -> Called<u64> {
    bridge.engine().find_time(&conversation, time_ms).await
}

#[tauri::command]
pub(crate) async fn next_waiting(bridge: State<'_, Bridge>, except: Vec<String>) -> Called<Option<String>> {
    bridge.engine().next_waiting(&except).await
}

#[tauri::command]
pub(crate) async fn send_message(bridge: State<'_, Bridge>, conversation: String, id: String, text: String) -> Called {
    bridge.engine().send_message(&conversation, &id, text).await
}

#[tauri::command]
pub(crate) async fn write_note(bridge: State<'_, Bridge>, conversation: String, id: String, text: String) -> Called {
    bridge.engine().write_note(&conversation, &id, text).await
}

#[tauri::command]
pub(crate) async fn recall(bridge: State<'_, Bridge>, conversation: String, message_id: String) -> Called {
    bridge.engine().recall(&conversation, &message_id).await
}

#[tauri::command]
pub(crate) async fn resend(bridge: State<'_, Bridge>, conversation: String, message_id: String) -> Called {
    bridge.engine().resend(&conversation, &message_id).await
}

#[tauri::command]
pub(crate) async fn discard(bridge: State<'_, Bridge>, conversation: String, message_id: String) -> Called {
    bridge.engine().discard(&conversation, &message_id).await
}

#[tauri::command]
pub(crate) async fn keep(bridge: State<'_, Bridge>, conversation: String, message_id: String) -> Called {
    bridge.engine().keep(&conversation, &message_id).await
}

#[tauri::command]
pub(crate) async fn take(bridge: State<'_, Bridge>, conversation: String) -> Called {
    bridge.engine().take(&conversation).await
}

#[tauri::command]
pub(crate) async fn transfer(
    bridge: State<'_, Bridge>,
    conversation: String,
    to: TransferTo,
    reason: String,
) -> Called {
    bridge.engine().transfer(&conversation, to, reason).await
}

#[tauri::command]
pub(crate) async fn close(bridge: State<'_, Bridge>, conversation: String) -> Called {
    bridge.engine().close(&conversation).await
}

#[tauri::command]
pub(crate) async fn set_tags(bridge: State<'_, Bridge>, conversation: String, tags: Vec<String>) -> Called {
    bridge.engine().set_tags(&conversation, tags).await
}

#[tauri::command]
pub(crate) async fn mark_read(bridge: State<'_, Bridge>, conversation: String, seq: u64) -> Called {
    bridge.engine().mark_read(&conversation, seq).await
}

#[tauri::command]
pub(crate) async fn typing(bridge: State<'_, Bridge>, conversation: String, typing: bool) -> Called {
    bridge.engine().typing(&conversation, typing).await
}

#[tauri::command]
pub(crate) async fn save_draft(
    window: WebviewWindow,
    bridge: State<'_, Bridge>,
    conversation: String,
    draft: DraftView,
) -> Called {
    bridge
        .engine()
        .save_draft(&window_id(window.label()), &conversation, draft)
        .await
}

#[tauri::command]
pub(crate) async fn read_draft(bridge: State<'_, Bridge>, conversation: String) -> Called<DraftView> {
    bridge.engine().read_draft(&conversation).await
}

#[tauri::command]
pub(crate) async fn read_customer(bridge: State<'_, Bridge>, conversation: String) -> Called<CustomerPanel> {
    bridge.engine().read_customer(&conversation).await
}

#[tauri::command]
pub(crate) async fn transfer_targets(bridge: State<'_, Bridge>) -> Called<TransferTargets> {
    bridge.engine().transfer_targets().await
}

#[tauri::command]
pub(crate) async fn proof(bridge: State<'_, Bridge>) -> Called<ProofView> {
    bridge.engine().proof().await
}

#[tauri::command]
pub(crate) async fn check_now(bridge: State<'_, Bridge>) -> Called {
    bridge.engine().check_now().await
}

#[tauri::command]
pub(crate) async fn reconnect_now(bridge: State<'_, Bridge>) -> Called {
    bridge.engine().reconnect_now().await
}

#[tauri::command]
pub(crate) async fn settings(file: State<'_, ShellFile>) -> Called<Settings> {
    Ok(file.read().settings)
}

#[tauri::command]
pub(crate) async fn save_settings(app: AppHandle, settings: Settings) -> Called {
    remember(&app, |memory| memory.settings = settings).await
}

#[tauri::command]
pub(crate) async fn save_layout(
    app: AppHandle,
    window: WebviewWindow,
    bridge: State<'_, Bridge>,
    layout: WindowLayout,
) -> Called {
    let Some(account) = current_account(&bridge).await?.filter(|_| window.label() == MAIN) else {
        return Ok(());
    };
    remember(&app, move |memory| {
        memory.layouts.insert(account, layout);
    })
    .await
}

#[tauri::command]
pub(crate) async fn pop_out(app: AppHandle, bridge: State<'_, Bridge>, conversation: String) -> Called {
    let label = windows::popped_label(&conversation).ok_or_else(|| failed("invalid"))?;
    windows::open_popped(&app, &label).map_err(|error| {
        tracing::error!(%error, "a window could not be opened");
        failed("busy")
    })?;
    windows::tell_popped(&app, &bridge, Some(&conversation), None).await
}

#[tauri::command]
pub(crate) async fn pop_in(app: AppHandle, bridge: State<'_, Bridge>, conversation: String) -> Called {
    let label = windows::popped_label(&conversation).ok_or_else(|| failed("invalid"))?;
    if let Some(window) = app.get_webview_window(&label) {
        windows::remember_place(&window.as_ref().window());
        window.destroy().map_err(|_| failed("busy"))?;
    }
    windows::open_main(&app).map_err(|_| failed("busy"))?;
    windows::tell_popped(&app, &bridge, None, Some(&conversation)).await?;
    bridge.tell(MAIN, vec![DeskEvent::Show { conversation }]);
    Ok(())
}

#[tauri::command]
pub(crate) async fn open_link(url: String) -> Called {
    let url = links::outside(&url).ok_or_else(|| failed("invalid"))?;
    tauri::async_runtime::spawn_blocking(move || opener::open_browser(url))
        .await
        .map_err(|_| failed("busy"))?
        .map_err(|_| failed("busy"))
}

#[tauri::command]
pub(crate) async fn copy_text(app: AppHandle, text: String) -> Called {
    app.clipboard().write_text(text).map_err(|_| failed("busy"))
}

#[tauri::command]
pub(crate) async fn copy_diagnostics(app: AppHandle, bridge: State<'_, Bridge>) -> Called {
    let text = bridge.engine().diagnostics().await?;
    app.clipboard().write_text(text).map_err(|_| failed("busy"))
}

#[tauri::command]
pub(crate) async fn quit(app: AppHandle, bridge: State<'_, Bridge>, force: bool) -> Called {
    let unsent = bridge.engine().unsent().await?;
    if !force && unsent.waiting + unsent.parked > 0 {
        return Err(failed("busy"));
    }
    closing::quit(&app).await;
    Ok(())
}
