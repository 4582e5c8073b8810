//! `key.json`: what guards an account's key, in words that hold no secret.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Costs beyond these come from no version of ours: a damaged or hostile file must not eat the machine.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;

/// What guards an account's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "guard", rename_all = "snake_case")]
pub enum Guard {
    /// The system's keyring.
    Keyring,
    /// A passphrase through Argon2id.
    Passphrase {
        /// KiB of memory, at most 1 GiB.
        memory_kib: u32,
        /// Passes, at most 16.
        passes: u32,
        /// Lanes, at most 16.
        lanes: u32,
        /// 16 random bytes, hexadecimal.
        salt: String,
        /// Tells a wrong passphrase from a damaged database, hexadecimal.
        check: String,
    },
}

impl Guard {
    /// Reads the file's bytes.
    ///
    /// # Errors
    /// What is wrong with them, in few words.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let guard = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if let Self::Passphrase {
            memory_kib,
            passes,
            lanes,
            salt,
            ..
        } = &guard
        {
            if *memory_kib > MEMORY_KIB_MAX || *passes > PASSES_MAX || *lanes > LANES_MAX {
                return Err("its cost comes from no version of this program".to_owned());
            }
            if unhex(salt).is_none() {
                return Err("its salt isn't hexadecimal".to_owned());
            }
        }
        Ok(guard)
    }
}

/// What `check` holds for a key.
pub(super) fn check_value(key: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"zuoxi check of a passphrase\n");
    hash.update(key);
    hex(hash.finalize().get(..16).unwrap_or_default())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|d| char::from_digit(u32::from(d), 16))
        .collect()
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).map(|d| d as u8))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
