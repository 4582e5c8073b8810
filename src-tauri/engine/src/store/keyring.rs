//! Where keys are kept between runs: the system's keyring.

use std::collections::HashMap;
use std::sync::Mutex;

use zeroize::Zeroizing;

use super::key::Key;

/// Name under which the system's keyring lists our keys.
const SERVICE: &str = "zuoxi";

/// Why a keyring can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// None runs here (kiosk, WSL, headless machine): a passphrase takes its place.
    #[error("no keyring runs on this system: {0}")]
    Absent(String),
    /// It is there and refuses, or is locked: unlock it, then try again.
    #[error("the keyring can't be read: {0}")]
    Locked(String),
    /// What it holds under our name is no key of ours.
    #[error("the keyring holds something else under this name")]
    Foreign,
}

/// A place for secrets. Injected, so that tests and headless engines bring their own.
pub trait Keyring: Send + Sync {
    /// The secret of that name, `None` if there is none.
    ///
    /// # Errors
    /// See [`KeyringError`].
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError>;
    /// Keeps a secret, in place of what stood there.
    ///
    /// # Errors
    /// See [`KeyringError`].
    fn write(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError>;
    /// Forgets one; one that isn't there is forgotten already.
    ///
    /// # Errors
    /// See [`KeyringError`].
    fn remove(&self, name: &str) -> Result<(), KeyringError>;

    /// A database key of that name.
    ///
    /// # Errors
    /// See [`KeyringError`].
    fn read_key(&self, name: &str) -> Result<Option<Key>, KeyringError> {
        let Some(secret) = self.read(name)? else {
            return Ok(None);
        };
        let bytes: [u8; 32] = secret.as_slice().try_into().map_err(|_| KeyringError::Foreign)?;
        Ok(Some(Key::from_bytes(bytes)))
    }
}

/// The keyring of this user's session (Secret Service, Keychain, Credential Manager).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemKeyring;

/// Runs a keyring call on a thread of its own: the Secret Service's client blocks on D-Bus, which must not happen on a
/// thread of an async runtime.
fn apart<T: Send>(call: impl FnOnce() -> Result<T, keyring::Error> + Send) -> Result<T, keyring::Error> {
    std::thread::scope(|scope| match scope.spawn(call).join() {
        Ok(result) => result,
        Err(_) => Err(keyring::Error::NoDefaultStore),
    })
}

fn failed(error: &keyring::Error) -> KeyringError {
    match error {
        keyring::Error::NoDefaultStore => KeyringError::Absent(
            keyring::Entry::store_status()
                .as_ref()
                .err()
                .map_or_else(String::new, ToString::to_string),
        ),
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..) | keyring::Error::Ambiguous(_) => {
            KeyringError::Foreign
        }
        // The words of these carry no secret.
        other => KeyringError::Locked(other.to_string()),
    }
}

impl Keyring for SystemKeyring {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        match apart(|| keyring::Entry::new(SERVICE, name)?.get_secret()) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError> {
        apart(|| keyring::Entry::new(SERVICE, name)?.set_secret(secret)).map_err(|error| failed(&error))
    }

    fn remove(&self, name: &str) -> Result<(), KeyringError> {
        match apart(|| keyring::Entry::new(SERVICE, name)?.delete_credential()) {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// Lives as long as the process: for tests and headless engines.
#[derive(Debug, Default)]
pub struct MemoryKeyring(Mutex<HashMap<String, Zeroizing<Vec<u8>>>>);

impl Keyring for MemoryKeyring {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        Ok(self.0.lock().ok().and_then(|secrets| secrets.get(name).cloned()))
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError> {
        if let Ok(mut secrets) = self.0.lock() {
            secrets.insert(name.to_owned(), Zeroizing::new(secret.to_vec()));
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), KeyringError> {
        if let Ok(mut secrets) = self.0.lock() {
            secrets.remove(name);
        }
        Ok(())
    }
}

/// A system without a keyring.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeyring;

impl Keyring for NoKeyring {
    fn read(&self, _: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        Err(KeyringError::Absent(String::new()))
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), KeyringError> {
        Err(KeyringError::Absent(String::new()))
    }

    fn remove(&self, _: &str) -> Result<(), KeyringError> {
        Err(KeyringError::Absent(String::new()))
    }
}
