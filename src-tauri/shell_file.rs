//! The shell's own memory between starts: settings and layouts, without a word of any conversation (ids alone).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::shell_view::{Settings, WindowLayout};

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ShellMemory {
    /// Settings of this computer's user.
    pub(crate) settings: Settings,
    /// Layout of the main window, by account (gateway and log-in name).
    pub(crate) layouts: BTreeMap<String, WindowLayout>,
    /// Conversations in windows of their own, by account.
    pub(crate) popped: BTreeMap<String, Vec<String>>,
    /// Position and size of windows by label, in physical pixels: x, y, width, height.
    pub(crate) places: BTreeMap<String, (i32, i32, u32, u32)>,
}

/// `shell.json` in the data folder.
#[derive(Debug)]
pub(crate) struct ShellFile {
    path: PathBuf,
    memory: Mutex<ShellMemory>,
}

impl ShellFile {
    /// Reads it; one that is missing or damaged counts as empty, since nothing in it is worth an error box.
    pub(crate) fn open(folder: &Path) -> Self {
        let path = folder.join("shell.json");
        let memory = fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self {
            path,
            memory: Mutex::new(memory),
        }
    }

    fn memory(&self) -> MutexGuard<'_, ShellMemory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of what is kept.
    pub(crate) fn read(&self) -> ShellMemory {
        self.memory().clone()
    }

    /// Changes it and writes it whole beside the old one, then in its place. Not for the UI thread.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn change(&self, change: impl FnOnce(&mut ShellMemory)) -> io::Result<()> {
        // Held while writing, so that two changes can't be written in the wrong order.
        let mut memory = self.memory();
        let before = memory.clone();
        change(&mut memory);
        if *memory == before {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&*memory).map_err(io::Error::other)?;
        let beside = self.path.with_extension("json.new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(&text)?;
        file.sync_data()?;
        fs::rename(beside, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_a_restart_and_damage_is_no_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ShellFile::open(folder.path());
        file.change(|memory| memory.settings.theme = "dark".into())
            .expect("written");
        assert_eq!(ShellFile::open(folder.path()).read().settings.theme, "dark");
        fs::write(folder.path().join("shell.json"), b"{").expect("damaged");
        assert_eq!(ShellFile::open(folder.path()).read(), ShellMemory::default());
    }
}
