//! Log files of at most 20 MB, the oldest thrown away.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Bytes of one file.
const FILE_BYTES: u64 = 20 * 1000 * 1000;
/// Files that are kept, the current one included.
const FILES: u32 = 5;
const NAME: &str = "gateway.jsonl";

/// A file that begins anew when it is full; what it was becomes `gateway.jsonl.1`, and so on.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    most: u64,
}

impl RotatingFile {
    /// Goes on with the file in `folder`, which is made if it isn't there.
    ///
    /// # Errors
    /// Folder or file can't be made.
    pub fn open(folder: &Path, most: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(NAME);
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self {
            path,
            file,
            bytes,
            most,
        })
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.path.with_file_name(format!("{NAME}.{number}"))
    }

    fn turn(&mut self) -> io::Result<()> {
        for number in (1..FILES - 1).rev() {
            let _ = std::fs::rename(self.numbered(number), self.numbered(number + 1));
        }
        std::fs::rename(&self.path, self.numbered(1))?;
        self.file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        self.bytes = 0;
        Ok(())
    }
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.bytes + bytes.len() as u64 > self.most {
            self.turn()?;
        }
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Begins to write down what happens, as JSON lines, off the threads where it happens. What is returned writes the
/// rest when it is dropped.
///
/// # Errors
/// The folder can't be made, or the level isn't one.
pub fn begin(folder: &Path, level: &str) -> io::Result<tracing_appender::non_blocking::WorkerGuard> {
    let targets: Targets = level.parse().map_err(io::Error::other)?;
    let (writer, guard) = tracing_appender::non_blocking(RotatingFile::open(folder, FILE_BYTES)?);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_writer(writer);
    tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .try_init()
        .map_err(io::Error::other)?;
    Ok(guard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_never_grow_beyond_their_size_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(folder.path(), 100).unwrap();
        for n in 0..100 {
            writeln!(file, "{n:029}").unwrap();
        }
        let sizes: Vec<u64> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().metadata().unwrap().len())
            .collect();
        assert_eq!(sizes.len(), FILES as usize);
        assert!(sizes.iter().all(|size| *size <= 100), "{sizes:?}");
        let newest = std::fs::read_to_string(folder.path().join(NAME)).unwrap();
        assert!(newest.ends_with("099\n"));
    }
}
