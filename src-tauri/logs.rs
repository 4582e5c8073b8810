//! The desk's log: ids and states, never texts; files of at most 20 MB, five of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// Bytes of one file.
const FILE_BYTES: u64 = 20_000_000;
/// Files kept, the current one included.
const FILES: u32 = 5;

/// Begins to log to `logs/desk.log` in the data folder; what to log by `ZUOXI_LOG` (default info). The guard flushes
/// when it is dropped.
///
/// # Errors
/// The disk's.
pub(crate) fn begin(folder: &Path) -> io::Result<WorkerGuard> {
    let file = Rotating::open(&folder.join("logs"))?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let filter = EnvFilter::try_from_env("ZUOXI_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(writer)
        .finish();
    tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    Ok(guard)
}

/// A file that is put aside when it is full.
struct Rotating {
    folder: PathBuf,
    file: File,
    bytes: u64,
}

impl Rotating {
    fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let file = Self::current(folder)?;
        let bytes = file.metadata()?.len();
        Ok(Self {
            folder: folder.to_owned(),
            file,
            bytes,
        })
    }

    fn current(folder: &Path) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("desk.log"))
    }

    fn rotate(&self) -> io::Result<File> {
        let name = |number: u32| match number {
            0 => self.folder.join("desk.log"),
            number => self.folder.join(format!("desk.{number}.log")),
        };
        for number in (0..FILES - 1).rev() {
            if name(number).exists() {
                fs::rename(name(number), name(number + 1))?;
            }
        }
        Self::current(&self.folder)
    }
}

impl Write for Rotating {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes + bytes.len() as u64 > FILE_BYTES {
            self.file = self.rotate()?;
            self.bytes = 0;
        }
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
