//! What the shell itself tells and takes, beside the engine's `view`. Exported to TypeScript (`ui/src/gen/shell.ts`).

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use zuoxi_engine::view::MeView;

/// Arguments of a log-in.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct LogInArgs {
    /// `host`, `host:port`, or `https://…`; plain `http://` on loopback alone.
    pub gateway: String,
    /// Log-in name.
    pub name: String,
    /// Password; never logged, never stored.
    pub password: String,
    /// Keep the session over restarts (the key in the system's keyring).
    pub remember: bool,
}

/// Settings of this computer's user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Settings {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// `system`, `zh-CN` or `en`.
    pub language: String,
    /// Notify of a new assignment or an unseen customer.
    pub notify: bool,
    /// With a sound.
    pub sound: bool,
    /// Draw without the GPU; takes effect at the next start.
    pub safe_graphics: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: "system".into(),
            language: "system".into(),
            notify: true,
            sound: true,
            safe_graphics: false,
        }
    }
}

/// How a window is laid out; kept over restarts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct WindowLayout {
    /// 1, 2, 4 or 6.
    pub tiles: u32,
    /// Conversation in each tile; `null`: empty.
    pub open: Vec<Option<String>>,
    /// Index of the focused tile.
    pub focused: u32,
    /// The customer panel is shown; `null`: as the width says.
    pub panel: Option<bool>,
    /// The list that is shown.
    pub tab: String,
}

/// An account's database that could not be opened or went on failing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TroubleView {
    /// Gateway's address of the account.
    pub gateway: String,
    /// Its log-in name.
    pub name: String,
    /// A code of `CallError`: damaged and newer_database can be set aside.
    pub code: String,
}

/// What a window starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StartState {
    /// `null`: show the log-in.
    pub me: Option<MeView>,
    /// Last gateway and name, for the log-in form; or what the command line gave.
    pub gateway: String,
    /// Log-in name to begin with.
    pub name: String,
    /// Password to begin with: only from `cargo xtask run`'s demo.
    pub password: String,
    /// The store is encrypted by a passphrase that must be typed: `no`, `new` (choose one) or `known`.
    pub passphrase: String,
    /// A keyring is there, so "remember me" can be offered.
    pub keyring: bool,
    /// An account whose database could not be opened; `null`: all is well.
    pub trouble: Option<TroubleView>,
    /// Settings.
    pub settings: Settings,
    /// This window's layout.
    pub layout: WindowLayout,
    /// In a window of its own: that conversation.
    pub popped_out: Option<String>,
    /// Conversations that stand in windows of their own.
    pub popped: Vec<String>,
    /// Version of the app.
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ts_rs::Config;

    fn declaration<T: TS>() -> String {
        format!(
            "{}export {}\n",
            T::docs().unwrap_or_default(),
            T::decl(&Config::default())
        )
    }

    #[test]
    fn typescript_of_the_shells_views_is_up_to_date() {
        let text = format!(
            "// Generated from src-tauri/shell_view.rs by `cargo xtask generate`. Don't edit.\n\n\
             import type {{ MeView }} from \"./view\";\n\n{}",
            [
                declaration::<LogInArgs>(),
                declaration::<Settings>(),
                declaration::<WindowLayout>(),
                declaration::<TroubleView>(),
                declaration::<StartState>()
            ]
            .join("\n")
        );
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/gen/shell.ts");
        if std::env::var_os("ZUOXI_GENERATE").is_some() {
            std::fs::write(path, &text).expect("ui/src/gen can be written");
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            there == text,
            "ui/src/gen/shell.ts is out of date: run `cargo xtask generate`"
        );
    }
}
