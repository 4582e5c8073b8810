//! The desk's command line.

use std::path::PathBuf;

use clap::Parser;

/// Zuoxi, the customer-service workstation.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Folder for databases, settings and logs; one running desk for each.
    #[arg(long, value_name = "DIR", env = "ZUOXI_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Server that the log-in form begins with.
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    pub(crate) gateway: String,
    /// Name that the log-in form begins with.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) name: String,
    /// Password that the log-in form begins with: for demos, and only by the environment.
    #[arg(skip = std::env::var("ZUOXI_LOGIN_PASSWORD").unwrap_or_default())]
    pub(crate) password: String,
    /// Draw without the graphics card.
    #[arg(long)]
    pub(crate) safe_graphics: bool,
}

impl Arguments {
    /// The data folder: as given, else the user's own.
    pub(crate) fn data_folder(&self) -> PathBuf {
        if let Some(folder) = &self.data {
            return std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        }
        let from = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let base = if cfg!(target_os = "windows") {
            from("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            from("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            from("XDG_DATA_HOME").or_else(|| from("HOME").map(|home| home.join(".local/share")))
        };
        base.unwrap_or_else(std::env::temp_dir).join("zuoxi")
    }
}
