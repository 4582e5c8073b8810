//! A disk that remembers what was written and what was synced, and what it may hold after a power loss.

mod recorder;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use recorder::Recorder;

/// Bytes that a disk writes whole or not at all (SQLite relies on no more).
const SECTOR: usize = 512;

/// What was asked of the disk, in order.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Write {
        file: PathBuf,
        at: u64,
        bytes: Vec<u8>,
    },
    Truncate {
        file: PathBuf,
        bytes: u64,
    },
    Sync {
        file: PathBuf,
    },
    Delete {
        file: PathBuf,
    },
    /// So many transactions had been told as durable.
    Told(u64),
    /// So many transactions had been begun.
    Begun(u64),
}

/// What becomes of what wasn't synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// All of it is there: a kill.
    Nothing,
    /// None of it is.
    All,
    /// The last write stands half, those before it whole.
    Torn,
    /// Any sectors of any writes stand, of later ones without earlier ones.
    Reordered,
}

pub(crate) const LOSSES: [Loss; 4] = [Loss::Nothing, Loss::All, Loss::Torn, Loss::Reordered];

/// One file: what is safe, and what isn't yet.
#[derive(Default)]
struct File {
    synced: Vec<u8>,
    rest: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { at: u64, bytes: Vec<u8> },
    Truncate(u64),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = *at as usize + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at as usize..end].copy_from_slice(bytes);
            }
            Self::Truncate(bytes) => content.resize(*bytes as usize, 0),
        }
    }

    /// As the sectors that it is written in.
    fn sectors(&self) -> Vec<Self> {
        match self {
            Self::Truncate(_) => vec![self.clone()],
            Self::Write { at, bytes } => {
                let mut sectors = Vec::new();
                let (mut at, mut rest) = (*at, bytes.as_slice());
                while !rest.is_empty() {
                    let whole = (SECTOR - at as usize % SECTOR).min(rest.len());
                    let (bytes, after) = rest.split_at(whole);
                    sectors.push(Self::Write {
                        at,
                        bytes: bytes.to_vec(),
                    });
                    at += whole as u64;
                    rest = after;
                }
                sectors
            }
        }
    }
}

/// What holds at a moment.
pub(crate) struct Moment {
    /// Transactions told as durable, and begun.
    pub(crate) told: u64,
    pub(crate) begun: u64,
}

/// Lays the files as they may be if the power fails after `steps`, into an empty folder. The shared memory of a WAL is
/// no file: it is gone. A name that was made is there, and one that was removed is gone.
pub(crate) fn lay(steps: &[Step], loss: Loss, random: &mut fastrand::Rng, folder: &Path) -> Moment {
    let mut files: BTreeMap<PathBuf, File> = BTreeMap::new();
    let mut moment = Moment { told: 0, begun: 0 };
    for step in steps {
        match step {
            Step::Write { file, at, bytes } => files.entry(file.clone()).or_default().rest.push(Change::Write {
                at: *at,
                bytes: bytes.clone(),
            }),
            Step::Truncate { file, bytes } => {
                files
                    .entry(file.clone())
                    .or_default()
                    .rest
                    .push(Change::Truncate(*bytes));
            }
            Step::Sync { file } => {
                let file = files.entry(file.clone()).or_default();
                for change in file.rest.drain(..) {
                    change.apply(&mut file.synced);
                }
            }
            Step::Delete { file } => drop(files.remove(file)),
            Step::Told(count) => moment.told = *count,
            Step::Begun(count) => moment.begun = *count,
        }
    }
    for (name, file) in files {
        let mut content = file.synced;
        for change in left(&file.rest, loss, random) {
            change.apply(&mut content);
        }
        fs::write(folder.join(name.file_name().unwrap()), content).unwrap();
    }
    moment
}

/// What of the unsynced changes stands, in the order in which it came to the disk.
fn left(rest: &[Change], loss: Loss, random: &mut fastrand::Rng) -> Vec<Change> {
    match loss {
        Loss::All => Vec::new(),
        Loss::Nothing => rest.to_vec(),
        Loss::Torn => {
            let mut sectors: Vec<Change> = Vec::new();
            if let Some((last, before)) = rest.split_last() {
                sectors.extend_from_slice(before);
                let torn = last.sectors();
                sectors.extend_from_slice(&torn[..random.usize(..torn.len())]);
            }
            sectors
        }
        Loss::Reordered => {
            let sectors = rest.iter().flat_map(Change::sectors);
            let mut kept: Vec<Change> = sectors.filter(|_| random.bool()).collect();
            random.shuffle(&mut kept);
            kept
        }
    }
}
