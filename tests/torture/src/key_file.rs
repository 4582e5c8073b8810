//! A keyring in files, so that a process that was killed finds its key again, and the checker can open its cache.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;
use zuoxi_engine::store::{Keyring, KeyringError};

/// One file for each secret. For torture alone: nothing protects them.
#[derive(Debug)]
pub struct KeyFiles {
    folder: PathBuf,
}

impl KeyFiles {
    /// In this folder, which is made.
    ///
    /// # Errors
    /// The file system's.
    pub fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    fn file(&self, name: &str) -> PathBuf {
        // Names hold what must not stand in a path.
        self.folder
            .join(name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn locked(error: io::Error) -> KeyringError {
    KeyringError::Locked(error.to_string())
}

impl Keyring for KeyFiles {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        match fs::read(self.file(name)) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(locked(error)),
        }
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError> {
        let file = self.file(name);
        let beside = file.with_extension("new");
        let written = fs::write(&beside, secret).and_then(|()| fs::File::open(&beside)?.sync_all());
        written.and_then(|()| fs::rename(&beside, file)).map_err(locked)
    }

    fn remove(&self, name: &str) -> Result<(), KeyringError> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(locked(error)),
            _ => Ok(()),
        }
    }
}
