//! What a data folder remembers beside its databases: the log-ins in their order, whether the last session goes on by
//! itself, and this device's id. No secret is in it: the session's token lies in the account's encrypted database.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use zuoxi_wire::Id;

use crate::desk::KnownAccount;
use crate::surroundings::Randomness;

/// Log-ins kept for the form: more than anybody has.
const KNOWN: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Words {
    device: String,
    logged_in: bool,
    accounts: Vec<Typed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Typed {
    gateway: String,
    name: String,
}

/// `desk.json` of a data folder.
pub(crate) struct Remembered {
    path: PathBuf,
    device: Id,
    words: Words,
}

impl Remembered {
    /// Reads it; makes it with a new device id if it isn't there or can't be understood (it holds nothing that can't be
    /// typed again).
    pub(crate) fn open(path: PathBuf, now_ms: u64, randomness: &dyn Randomness) -> io::Result<Self> {
        let words: Words = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Words::default(),
            Err(error) => return Err(error),
        };
        if let Ok(device) = words.device.parse() {
            return Ok(Self { path, device, words });
        }
        let mut random = [0; 10];
        randomness.fill(&mut random);
        let device = Id::v7(now_ms, random);
        let this = Self {
            path,
            device,
            words: Words {
                device: device.to_string(),
                ..words
            },
        };
        this.write()?;
        Ok(this)
    }

    /// This device.
    pub(crate) fn device(&self) -> Id {
        self.device
    }

    /// The account whose session goes on by itself.
    pub(crate) fn resumes(&self) -> Option<KnownAccount> {
        self.accounts().into_iter().next().filter(|_| self.words.logged_in)
    }

    /// Log-ins, the last used first.
    pub(crate) fn accounts(&self) -> Vec<KnownAccount> {
        let known = |typed: &Typed| KnownAccount {
            gateway: typed.gateway.clone(),
            name: typed.name.clone(),
        };
        self.words.accounts.iter().map(known).collect()
    }

    /// This account is the active one; `remember`: also after a restart.
    pub(crate) fn logged_in(&mut self, account: &KnownAccount, remember: bool) -> io::Result<()> {
        let typed = Typed {
            gateway: account.gateway.clone(),
            name: account.name.clone(),
        };
        self.words.accounts.retain(|known| *known != typed);
        self.words.accounts.insert(0, typed);
        self.words.accounts.truncate(KNOWN);
        self.words.logged_in = remember;
        self.write()
    }

    /// Nobody goes on by itself.
    pub(crate) fn logged_out(&mut self) -> io::Result<()> {
        self.words.logged_in = false;
        self.write()
    }

    /// Beside and renamed: a crash leaves the old one or the new one.
    fn write(&self) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        fs::write(&beside, serde_json::to_vec_pretty(&self.words)?)?;
        fs::rename(&beside, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counted;
    impl Randomness for Counted {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn account(name: &str) -> KnownAccount {
        KnownAccount {
            gateway: "chat.example.com".into(),
            name: name.into(),
        }
    }

    #[test]
    fn the_last_log_in_comes_first_and_the_device_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.json");
        let mut first = Remembered::open(path.clone(), 1, &Counted).unwrap();
        first.logged_in(&account("lin"), true).unwrap();
        first.logged_in(&account("wang"), false).unwrap();
        let mut second = Remembered::open(path.clone(), 2, &Counted).unwrap();
        assert_eq!(second.device(), first.device());
        assert_eq!(second.resumes(), None);
        second.logged_in(&account("lin"), true).unwrap();
        assert_eq!(second.accounts(), [account("lin"), account("wang")]);
        assert_eq!(
            Remembered::open(path, 3, &Counted).unwrap().resumes(),
            Some(account("lin"))
        );
    }

    #[test]
    fn a_file_of_garbage_costs_no_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.json");
        fs::write(&path, b"\0garbage").unwrap();
        assert!(Remembered::open(path, 1, &Counted).unwrap().accounts().is_empty());
    }
}
