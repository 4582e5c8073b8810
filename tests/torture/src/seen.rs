//! What a client saw, in an append-only file that outlives its kills: the checker's only witness of what was accepted.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use zuoxi_wire::Id;

/// Ends each line, so that a torn one is never taken for a whole one.
const END: &str = " .";

/// One thing that a client did or was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The process started (again).
    Start,
    /// It is about to ask for an act; on disk before the engine hears of it.
    Do {
        /// The act.
        id: Id,
        /// Where; `None`: a customer's own.
        conversation: Option<Id>,
    },
    /// The clock: stored here.
    Clock(Id),
    /// The tick: the gateway has it under this Seq of this client's log.
    Tick {
        /// The act.
        id: Id,
        /// Its Seq.
        seq: u64,
    },
    /// Refused for good, with the reason.
    Parked {
        /// The act.
        id: Id,
        /// Code of the refusal.
        code: String,
    },
    /// It could not be stored here, and the text was put back.
    Back(Id),
    /// The client said that the server lost it.
    Lost(Id),
}

impl Fact {
    fn line(&self) -> String {
        match self {
            Self::Start => "start".to_owned(),
            Self::Do { id, conversation } => {
                format!(
                    "do {id} {}",
                    conversation.map_or_else(|| "-".to_owned(), |id| id.to_string())
                )
            }
            Self::Clock(id) => format!("clock {id}"),
            Self::Tick { id, seq } => format!("tick {id} {seq}"),
            Self::Parked { id, code } => format!("parked {id} {code}"),
            Self::Back(id) => format!("back {id}"),
            Self::Lost(id) => format!("lost {id}"),
        }
    }

    /// `None`: a torn line.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.strip_suffix(END)?.split(' ');
        let kind = words.next()?;
        if kind == "start" {
            return Some(Self::Start);
        }
        let id = words.next()?.parse().ok()?;
        let rest = words.next();
        Some(match kind {
            "do" => Self::Do {
                id,
                conversation: match rest? {
                    "-" => None,
                    conversation => Some(conversation.parse().ok()?),
                },
            },
            "clock" => Self::Clock(id),
            "tick" => Self::Tick {
                id,
                seq: rest?.parse().ok()?,
            },
            "parked" => Self::Parked {
                id,
                code: rest?.to_owned(),
            },
            "back" => Self::Back(id),
            "lost" => Self::Lost(id),
            _ => return None,
        })
    }
}

/// All facts of a file, in the order of writing.
///
/// # Errors
/// The file system's; a file that isn't there holds none.
pub fn read(path: &Path) -> io::Result<Vec<Fact>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(Fact::read).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The file, for its client.
#[derive(Debug)]
pub struct Seen {
    file: File,
    unwritten: String,
}

impl Seen {
    /// Opens or makes it.
    ///
    /// # Errors
    /// The file system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        // What a kill tore ends here.
        let unwritten = "\n".to_owned();
        Ok(Self { file, unwritten })
    }

    /// Notes a fact, to be written by the next [`Seen::sync`].
    pub fn tell(&mut self, fact: &Fact) {
        self.unwritten.push_str(&fact.line());
        self.unwritten.push_str(END);
        self.unwritten.push('\n');
    }

    /// Makes everything told durable. After an error (a full disk) it is kept and written by the next call.
    ///
    /// # Errors
    /// The file system's.
    pub fn sync(&mut self) -> io::Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(self.unwritten.as_bytes()) {
            // Part of it may stand there: all is written again after it. Facts may stand twice.
            self.unwritten.insert(0, '\n');
            return Err(error);
        }
        self.unwritten.clear();
        self.file.sync_data()
    }
}

/// Follows a client's file from outside, to know what is in flight.
#[derive(Debug, Default)]
pub struct Tail {
    read_to: u64,
    rest: String,
    in_flight: std::collections::BTreeSet<Id>,
    settled: std::collections::BTreeSet<Id>,
}

impl Tail {
    /// Acts that were done and have no answer, as the file stands now. Those that a kill kept from being stored don't
    /// count once their client runs again.
    pub fn in_flight(&mut self, path: &Path) -> usize {
        // A file that can't be read now has told nothing new.
        let _ = self.follow(path);
        self.in_flight.len()
    }

    fn follow(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.read_to))?;
        let mut bytes = Vec::new();
        self.read_to += file.read_to_end(&mut bytes)? as u64;
        self.rest.push_str(&String::from_utf8_lossy(&bytes));
        while let Some((line, rest)) = self.rest.split_once('\n') {
            let fact = Fact::read(line);
            self.rest = rest.to_owned();
            match fact {
                Some(Fact::Start) => self.in_flight.clear(),
                Some(Fact::Do { id, .. } | Fact::Clock(id)) if !self.settled.contains(&id) => {
                    self.in_flight.insert(id);
                }
                Some(Fact::Tick { id, .. } | Fact::Parked { id, .. } | Fact::Back(id) | Fact::Lost(id)) => {
                    self.in_flight.remove(&id);
                    self.settled.insert(id);
                }
                Some(Fact::Do { .. } | Fact::Clock(_)) | None => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_read_back_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen");
        let id = Id([7; 16]);
        let facts = [
            Fact::Start,
            Fact::Do {
                id,
                conversation: Some(Id([1; 16])),
            },
            Fact::Do {
                id: Id([8; 16]),
                conversation: None,
            },
            Fact::Clock(id),
            Fact::Tick { id, seq: 123 },
            Fact::Parked {
                id,
                code: "closed".into(),
            },
            Fact::Back(id),
            Fact::Lost(id),
        ];
        let mut seen = Seen::open(&path).unwrap();
        for fact in &facts {
            seen.tell(fact);
        }
        seen.sync().unwrap();
        assert_eq!(read(&path).unwrap(), facts);
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(format!("tick {id} 12").as_bytes())
            .unwrap();
        let mut seen = Seen::open(&path).unwrap();
        seen.tell(&Fact::Start);
        seen.sync().unwrap();
        assert_eq!(read(&path).unwrap().len(), facts.len() + 1);
        assert_eq!(Tail::default().in_flight(&path), 0);
    }
}
