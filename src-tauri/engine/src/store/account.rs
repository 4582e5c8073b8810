//! The accounts of one data folder: gateway address and log-in name, each with a folder and a database of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::database;
use super::error::StoreError;
use super::key_file::hex;

/// One account on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    folder: PathBuf,
    name: String,
    words: AccountWords,
}

/// What `account.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AccountWords {
    gateway: String,
    login: String,
}

impl Account {
    /// The gateway's address, as it was normalised.
    pub fn gateway(&self) -> &str {
        &self.words.gateway
    }

    /// The agent's log-in name.
    pub fn login(&self) -> &str {
        &self.words.login
    }

    /// Name of its key in the keyring, and of its folder: 32 hexadecimal digits.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its database file (for [`super::StoreOptions`]).
    pub fn database(&self) -> PathBuf {
        self.folder.join("desk.db")
    }

    /// Where it says what guards the key.
    pub(super) fn key_file(&self) -> PathBuf {
        self.folder.join("key.json")
    }

    /// Moves a database that can't be used out of the way, so that a new one can be made; nothing is deleted, and its key
    /// stays where it is. `stamp` (the time in milliseconds) makes the names unique. Gives the folder where it went.
    ///
    /// # Errors
    /// [`StoreError::InUse`]: somebody has it open, and would write into files that are no longer theirs; the file
    /// system's.
    pub fn set_aside(&self, stamp: u64) -> Result<PathBuf, StoreError> {
        let _lock = database::lock(&self.database())?;
        let aside = self.folder.join(format!("set-aside-{stamp}"));
        fs::create_dir_all(&aside)?;
        for file in ["desk.db", "desk.db-wal", "desk.db-shm", "key.json"] {
            match fs::rename(self.folder.join(file), aside.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(aside)
    }
}

/// The accounts under one data folder.
#[derive(Debug, Clone)]
pub struct Accounts {
    folder: PathBuf,
}

impl Accounts {
    /// Of this data folder.
    pub fn new(data: &Path) -> Self {
        Self {
            folder: data.join("accounts"),
        }
    }

    /// An account, whose folder is made if it is new. Addresses that differ only in case, in white space around them
    /// or in a slash at the end are the same.
    ///
    /// # Errors
    /// The file system's.
    pub fn open(&self, gateway: &str, login: &str) -> io::Result<Account> {
        let words = AccountWords {
            gateway: gateway.trim().trim_end_matches('/').to_lowercase(),
            login: login.trim().to_owned(),
        };
        let digest = Sha256::digest(format!("{}\n{}", words.gateway, words.login));
        let name = hex(digest.get(..16).unwrap_or_default());
        let folder = self.folder.join(&name);
        if !folder.join("account.json").exists() {
            make_private(&folder)?;
            fs::write(folder.join("account.json"), serde_json::to_vec_pretty(&words)?)?;
        }
        Ok(Account { folder, name, words })
    }

    /// All of them, by gateway and log-in name.
    ///
    /// # Errors
    /// The file system's; a folder that isn't an account is passed over.
    pub fn list(&self) -> io::Result<Vec<Account>> {
        let folders = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut accounts = Vec::new();
        for entry in folders {
            let folder = entry?.path();
            let Ok(bytes) = fs::read(folder.join("account.json")) else {
                continue;
            };
            let Ok(words) = serde_json::from_slice::<AccountWords>(&bytes) else {
                continue;
            };
            let name = folder
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            accounts.push(Account { folder, name, words });
        }
        accounts.sort_by(|a, b| (&a.words.gateway, &a.words.login).cmp(&(&b.words.gateway, &b.words.login)));
        Ok(accounts)
    }
}

/// Makes a folder that other users of this computer can't look into.
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_lie_one_beside_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::new(folder.path());
        assert_eq!(accounts.list().unwrap(), []);
        let lin = accounts.open("https://Chat.example.com/", "lin").unwrap();
        let zhou = accounts.open("https://chat.example.com", "zhou").unwrap();
        let elsewhere = accounts.open("https://other.example.com", "lin").unwrap();
        assert_eq!(accounts.open(" https://chat.example.com", "lin").unwrap(), lin);
        assert_ne!(lin.database(), zhou.database());
        assert_eq!(accounts.list().unwrap(), [lin, zhou, elsewhere]);
    }
}
