//! Full disks: a small file system of the gateway's own where mounting is allowed, else a limit on the size of its
//! files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

/// Bytes of the small file system: what a run of some minutes writes fits many times.
const BYTES: u64 = 128 * 1024 * 1024;

/// A file system in memory that can be filled; gone when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one at this folder.
    ///
    /// # Errors
    /// Mounting isn't allowed here.
    pub fn mount(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let size = format!("size={BYTES}");
        let options = std::ffi::CString::new(size).map_err(io::Error::other)?;
        mount(
            "zuoxi-torture",
            folder,
            "tmpfs",
            MountFlags::empty(),
            Some(options.as_c_str()),
        )?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let Ok(mut file) = File::create(self.ballast()) else {
            return;
        };
        let block = vec![0; 64 * 1024];
        // Until nothing fits any more, then by single bytes into the last page.
        while file.write_all(&block).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
    }

    /// Makes room again.
    pub fn clear(&self) {
        // It may not have been filled.
        let _ = fs::remove_file(self.ballast());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Also while a file in it is still open somewhere.
        let _ = unmount(&self.folder, UnmountFlags::DETACH);
    }
}

/// Bytes of the largest WAL under a folder; 0: none.
pub fn wal_bytes(folder: &Path) -> u64 {
    let mut largest = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            largest = largest.max(wal_bytes(&path));
        } else if path.to_string_lossy().ends_with("-wal") {
            largest = largest.max(entry.metadata().map_or(0, |data| data.len()));
        }
    }
    largest
}
