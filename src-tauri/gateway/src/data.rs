//! The data folder: its database, and the lock that says a gateway runs on it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::store::{self, OpenError, SqliteStore};

const LOCK: &str = "gateway.lock";

/// Why the folder can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A gateway runs on it.
    #[error("a gateway is running on {0}: stop it first, or choose another folder with --data")]
    Running(PathBuf),
    /// It can't be read or written.
    #[error("{path}: {source}: check that it exists and belongs to the gateway's user")]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// The folder with everything durable of one gateway.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

/// Held while a gateway runs, or while its database is replaced.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl DataFolder {
    /// The folder at `path`, made if it isn't there; readable by its owner alone.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(|source| FolderError::Unusable {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its database.
    pub fn database(&self) -> PathBuf {
        self.path.join(store::FILE)
    }

    /// Opens or makes its database.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn store(&self) -> Result<SqliteStore, OpenError> {
        SqliteStore::open(&self.database())
    }

    /// Takes the folder for one process; given back when the lock is dropped, also by a kill.
    ///
    /// # Errors
    /// Another process has it, or the file can't be made.
    pub fn lock(&self) -> Result<FolderLock, FolderError> {
        let path = self.path.join(LOCK);
        let unusable = |source| FolderError::Unusable {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Running(self.path.clone())),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}
