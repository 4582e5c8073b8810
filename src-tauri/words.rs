//! The few words that the shell itself says: tray and notifications. Everything else is said by the page.

/// A language of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// 简体中文
    Chinese,
    /// English
    English,
}

impl Language {
    /// From the setting (`system`, `zh-CN`, `en`) and, for `system`, the environment.
    pub(crate) fn choose(setting: &str) -> Self {
        let tag = match setting {
            "zh-CN" | "en" => setting.to_owned(),
            _ => ["LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
                .unwrap_or_default(),
        };
        if tag.starts_with("en") {
            Self::English
        } else {
            Self::Chinese
        }
    }

    /// Tray: show the main window.
    pub(crate) fn open(self) -> &'static str {
        match self {
            Self::Chinese => "打开坐席",
            Self::English => "Open Zuoxi",
        }
    }

    /// Tray: end the app.
    pub(crate) fn quit(self) -> &'static str {
        match self {
            Self::Chinese => "退出",
            Self::English => "Quit",
        }
    }

    /// A notification's title and text.
    pub(crate) fn attention(self, customer: &str, assigned: bool, unread: u32) -> (String, String) {
        match (self, assigned) {
            (Self::Chinese, true) => ("新会话".into(), format!("{customer} 分给了你")),
            (Self::Chinese, false) => ("新消息".into(), format!("{customer} · {unread} 条未读")),
            (Self::English, true) => ("New conversation".into(), format!("{customer} was assigned to you")),
            (Self::English, false) => ("New message".into(), format!("{customer} · {unread} unread")),
        }
    }
}
