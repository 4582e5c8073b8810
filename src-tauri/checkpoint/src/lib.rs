//! Moves what a SQLite database's WAL holds into the database, beside its writer.
//!
//! A checkpoint of some thousand pages takes tens of milliseconds. Made in a commit, as SQLite does by itself, it holds up
//! all who wait for that commit; made by a second connection in a thread of its own, nobody. But SQLite begins the WAL
//! anew only once all of it is in the database, and while commits go on there is always a rest
//! (<https://sqlite.org/wal.html>, "Avoiding Excessively Large WAL Files"). So each time it is gone through several times,
//! each shorter than the one before; and a WAL that still grows is ended by the writer itself, for whom little is left.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Result};

/// How often the WAL is gone through each time: what came meanwhile, and what came meanwhile again.
const TIMES: usize = 3;
/// From so many times the first measure on the writer ends it itself.
const MOST: u32 = 4;

/// A thread that makes checkpoints, until this is dropped.
#[derive(Debug)]
pub struct Checkpointer {
    wish: Arc<Wish>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Wish {
    told: Mutex<Told>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Told {
    wanted: bool,
    ended: bool,
}

impl Wish {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn want(&self) {
        self.told().wanted = true;
        self.changed.notify_one();
    }

    fn end(&self) {
        self.told().ended = true;
        self.changed.notify_one();
    }

    /// Waits until there is something to do; false: nothing ever again.
    fn wait(&self) -> bool {
        let idle = |told: &mut Told| !told.wanted && !told.ended;
        let waited = self.changed.wait_while(self.told(), idle);
        let mut told = waited.unwrap_or_else(PoisonError::into_inner);
        told.wanted = false;
        !told.ended
    }
}

/// When a WAL of so many pages is looked at.
#[derive(Debug)]
struct Due {
    every: u32,
    next: u32,
    last: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    Beside,
    Writer,
}

impl Due {
    fn new(every: u32) -> Self {
        Self {
            every,
            next: every,
            last: 0,
        }
    }

    /// After a commit with so many pages in the WAL.
    fn committed(&mut self, pages: u32) -> Need {
        if pages < self.last {
            self.next = self.every;
        }
        self.last = pages;
        if pages >= self.every.saturating_mul(MOST) {
            return Need::Writer;
        }
        if pages < self.next {
            return Need::Nothing;
        }
        // If it isn't begun anew by then.
        self.next = pages.saturating_add(self.every);
        Need::Beside
    }
}

impl Checkpointer {
    /// Begins. `beside` is a connection of its own to the database of `writer`, whose hook for commits and own automatic
    /// checkpoints this replaces; `pages` of WAL are let to gather, 1 or more.
    ///
    /// # Errors
    /// The hook can't be set, or the system gives no thread.
    pub fn start(beside: Connection, writer: &mut Connection, pages: u32) -> Result<Self> {
        let wish = Arc::new(Wish::default());
        let (told, mut due) = (Arc::clone(&wish), Due::new(pages.max(1)));
        writer.wal_hook(Some(move |wal: &mut rusqlite::hooks::Wal, pages: i32| {
            match due.committed(pages.unsigned_abs()) {
                Need::Nothing => {}
                Need::Beside => told.want(),
                Need::Writer => {
                    // While the thread is at it this is refused, and the next commit tries again.
                    if let Err(error) = wal.checkpoint() {
                        tracing::debug!(%error, "the WAL is being moved into the database");
                    }
                }
            }
            Ok(())
        }))?;
        let waits = Arc::clone(&wish);
        let thread = thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || run(&beside, &waits))
            .map_err(|error| {
                let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOMEM);
                rusqlite::Error::SqliteFailure(code, Some(error.to_string()))
            })?;
        Ok(Self {
            wish,
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wish.end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(beside: &Connection, wish: &Wish) {
    while wish.wait() {
        for _ in 0..TIMES {
            if let Err(error) = beside.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                tracing::warn!(%error, "the WAL isn't moved into the database");
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::*;

    fn open(path: &Path) -> Connection {
        let db = Connection::open(path).unwrap();
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        db
    }

    fn fill(db: &Connection, rows: usize) {
        for _ in 0..rows {
            db.execute("INSERT INTO words VALUES (randomblob(3000))", []).unwrap();
        }
    }

    #[test]
    fn what_is_committed_comes_into_the_database_while_the_writer_does_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.db");
        let mut writer = open(&path);
        writer.execute("CREATE TABLE words (word BLOB)", []).unwrap();
        let _checkpointer = Checkpointer::start(open(&path), &mut writer, 50).unwrap();
        fill(&writer, 60);
        let until = Instant::now() + Duration::from_mins(1);
        while std::fs::metadata(&path).unwrap().len() < 50 * 3_000 {
            assert!(Instant::now() < until, "nothing is moved");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_wal_that_nobody_else_can_end_is_ended_by_the_writer() {
        let mut due = Due::new(100);
        assert_eq!(due.committed(99), Need::Nothing);
        assert_eq!(due.committed(100), Need::Beside);
        assert_eq!(due.committed(101), Need::Nothing, "it is being seen to");
        assert_eq!(due.committed(200), Need::Beside);
        assert_eq!(due.committed(400), Need::Writer);
        assert_eq!(due.committed(3), Need::Nothing, "begun anew");
        assert_eq!(due.committed(103), Need::Beside);
    }

    /// How often the WAL was begun anew, as its header says (<https://sqlite.org/fileformat2.html#walformat>).
    fn begun_anew(path: &Path) -> u32 {
        let wal = std::fs::read(path.with_extension("db-wal")).unwrap();
        u32::from_be_bytes(wal.get(12..16).unwrap().try_into().unwrap())
    }

    #[test]
    fn the_wal_is_begun_anew_while_the_writer_never_rests() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.db");
        let mut writer = open(&path);
        writer.pragma_update(None, "synchronous", "OFF").unwrap();
        writer.execute("CREATE TABLE words (word BLOB)", []).unwrap();
        let _checkpointer = Checkpointer::start(open(&path), &mut writer, 100).unwrap();
        let until = Instant::now() + Duration::from_mins(1);
        while begun_anew(&path) < 3 {
            fill(&writer, 100);
            assert!(Instant::now() < until, "it grows for ever");
        }
    }
}
