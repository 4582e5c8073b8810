//! How a database's key is had: from the keyring, or, where there is none, from a passphrase. Never silently plain.
//!
//! `key.json` beside the database says which of the two, openly, with salt and cost of the passphrase. It holds no
//! secret: its check value costs a guesser as much as the database itself.

use std::fs;
use std::io::Write;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::account::Account;
use super::key::Key;
use super::key_file::{Guard, check_value, hex, unhex};
use super::keyring::{Keyring, KeyringError};

/// Argon2id of new passphrases: 64 MiB, 3 passes, 1 lane (RFC 9106's second choice, with 1 lane since it runs once).
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// Scalar values of a passphrase, at least.
pub const PASSPHRASE_MIN: usize = 8;

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnlockError {
    /// No keyring here: ask for a passphrase (a new one if `new`).
    #[error("no keyring here: a passphrase is needed")]
    PassphraseNeeded {
        /// It is to be chosen now; at least 8 characters.
        new: bool,
    },
    /// Not this one.
    #[error("the passphrase is wrong")]
    PassphraseWrong,
    /// A new one needs 8 characters.
    #[error("a passphrase needs {PASSPHRASE_MIN} characters")]
    PassphraseShort,
    /// The keyring that has the key is locked or not running now.
    #[error("{0}")]
    Keyring(#[from] KeyringError),
    /// The keyring no longer has the key: what is stored here can't be read by anybody. Set it aside and fetch anew.
    #[error("the keyring no longer has this database's key")]
    Lost,
    /// `key.json` can't be read or written.
    #[error("the key file can't be used: {0}")]
    File(String),
    /// No randomness, or no memory for Argon2id.
    #[error("the system can't make a key: {0}")]
    System(String),
}

impl UnlockError {
    /// The code of [`crate::view::CallError`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::PassphraseNeeded { .. } => "passphrase_needed",
            Self::PassphraseWrong => "passphrase_wrong",
            Self::PassphraseShort => "too_short",
            Self::Lost => "damaged",
            Self::Keyring(_) | Self::File(_) | Self::System(_) => "store",
        }
    }
}

/// What guards this account's key; `None`: nothing yet.
///
/// # Errors
/// [`UnlockError::File`].
pub fn guard(account: &Account) -> Result<Option<Guard>, UnlockError> {
    match fs::read(account.key_file()) {
        Ok(bytes) => Guard::read(&bytes).map(Some).map_err(UnlockError::File),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(UnlockError::File(error.to_string())),
    }
}

/// The account's key; makes one the first time. Blocks (keyring: a prompt may stand open; passphrase: about 0.1 s).
///
/// # Errors
/// See [`UnlockError`]; [`UnlockError::PassphraseNeeded`] is the way on where there is no keyring.
pub fn unlock(account: &Account, keyring: &dyn Keyring, passphrase: Option<&str>) -> Result<Key, UnlockError> {
    match guard(account)? {
        Some(Guard::Keyring) => keyring.read_key(account.name())?.ok_or(UnlockError::Lost),
        Some(passphrased) => {
            let passphrase = passphrase.ok_or(UnlockError::PassphraseNeeded { new: false })?;
            known_passphrase(&passphrased, passphrase)
        }
        None => match first_key(account, keyring) {
            Err(UnlockError::Keyring(_)) => {
                new_passphrase(account, passphrase.ok_or(UnlockError::PassphraseNeeded { new: true })?)
            }
            other => other,
        },
    }
}

/// A random key, in the keyring before anything is encrypted with it.
fn first_key(account: &Account, keyring: &dyn Keyring) -> Result<Key, UnlockError> {
    // One from a start that ended before the guard was written is as good.
    if let Some(key) = keyring.read_key(account.name())? {
        write_guard(account, &Guard::Keyring)?;
        return Ok(key);
    }
    let key = Key::random().map_err(|error| UnlockError::System(error.to_string()))?;
    keyring.write(account.name(), key.bytes())?;
    // Some services accept and forget.
    if keyring.read_key(account.name())?.as_ref() != Some(&key) {
        return Err(UnlockError::Keyring(KeyringError::Absent(
            "it doesn't keep what it is given".to_owned(),
        )));
    }
    write_guard(account, &Guard::Keyring)?;
    Ok(key)
}

fn new_passphrase(account: &Account, passphrase: &str) -> Result<Key, UnlockError> {
    if passphrase.chars().count() < PASSPHRASE_MIN {
        return Err(UnlockError::PassphraseShort);
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| UnlockError::System(error.to_string()))?;
    let key = derive(passphrase, &salt, MEMORY_KIB, PASSES, LANES)?;
    let guard = Guard::Passphrase {
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: hex(&salt),
        check: check_value(key.bytes()),
    };
    write_guard(account, &guard)?;
    Ok(key)
}

fn known_passphrase(guard: &Guard, passphrase: &str) -> Result<Key, UnlockError> {
    let Guard::Passphrase {
        memory_kib,
        passes,
        lanes,
        salt,
        check,
    } = guard
    else {
        return Err(UnlockError::Lost);
    };
    let salt = unhex(salt).ok_or_else(|| UnlockError::File("salt".to_owned()))?;
    let key = derive(passphrase, &salt, *memory_kib, *passes, *lanes)?;
    if check_value(key.bytes()) == *check {
        Ok(key)
    } else {
        Err(UnlockError::PassphraseWrong)
    }
}

fn derive(passphrase: &str, salt: &[u8], memory_kib: u32, passes: u32, lanes: u32) -> Result<Key, UnlockError> {
    let system = |error: argon2::Error| UnlockError::System(error.to_string());
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(system)?;
    let mut bytes = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, bytes.as_mut_slice())
        .map_err(system)?;
    Ok(Key::from_bytes(*bytes))
}

/// Written beside and renamed, so that a crash leaves the old one or the new one.
fn write_guard(account: &Account, guard: &Guard) -> Result<(), UnlockError> {
    let write = |path: &Path| -> std::io::Result<()> {
        let beside = path.with_extension("json.new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(guard)?)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write(&account.key_file()).map_err(|error| UnlockError::File(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::account::Accounts;
    use super::super::keyring::{MemoryKeyring, NoKeyring};
    use super::*;

    fn account() -> (tempfile::TempDir, Account) {
        let folder = tempfile::tempdir().unwrap();
        let account = Accounts::new(folder.path())
            .open("https://chat.example.com", "lin")
            .unwrap();
        (folder, account)
    }

    #[test]
    fn the_keyring_keeps_the_key_over_restarts() {
        let (_folder, account) = account();
        let keyring = MemoryKeyring::default();
        let first = unlock(&account, &keyring, None).unwrap();
        assert_eq!(unlock(&account, &keyring, None).unwrap(), first);
        assert_eq!(guard(&account).unwrap(), Some(Guard::Keyring));
    }

    #[test]
    fn without_a_keyring_a_passphrase_is_asked_for_and_a_wrong_one_is_told() {
        let (_folder, account) = account();
        assert_eq!(
            unlock(&account, &NoKeyring, None),
            Err(UnlockError::PassphraseNeeded { new: true })
        );
        assert_eq!(
            unlock(&account, &NoKeyring, Some("短的")),
            Err(UnlockError::PassphraseShort)
        );
        let key = unlock(&account, &NoKeyring, Some("一二三四五六七八")).unwrap();
        assert_eq!(
            unlock(&account, &NoKeyring, None),
            Err(UnlockError::PassphraseNeeded { new: false })
        );
        assert_eq!(
            unlock(&account, &NoKeyring, Some("一二三四五六七九")),
            Err(UnlockError::PassphraseWrong)
        );
        assert_eq!(unlock(&account, &NoKeyring, Some("一二三四五六七八")).unwrap(), key);
        // A keyring that comes later changes nothing: the database is under the passphrase's key.
        assert_eq!(
            unlock(&account, &MemoryKeyring::default(), None),
            Err(UnlockError::PassphraseNeeded { new: false })
        );
    }

    #[test]
    fn a_key_that_the_keyring_lost_is_told_and_never_replaced() {
        let (_folder, account) = account();
        let keyring = MemoryKeyring::default();
        unlock(&account, &keyring, None).unwrap();
        assert_eq!(
            unlock(&account, &MemoryKeyring::default(), Some("一二三四五六七八")),
            Err(UnlockError::Lost)
        );
        assert!(matches!(
            unlock(&account, &NoKeyring, None),
            Err(UnlockError::Keyring(_))
        ));
    }
}
