//! What makes a device's state durable: one encrypted SQLite database for each account, on threads of its own.
//!
//! [`Store::open`] gives a handle and the [`Loaded`] state; [`Store::commit`] queues a [`Transaction`] and returns at
//! once; its end is told to the callback given at opening. Rules that a caller can lean on:
//!
//! - Transactions given at [`Priority::Network`] are committed in the order given, many in one group.
//! - One given at [`Priority::User`] that touches the outbox, drafts and values alone goes before those, unless one of
//!   them touches the same act, draft or value, or the epoch. So ends are told by token, not in the order given.
//! - A failed group is tried again one by one. Once a `Network` transaction has failed, those given after it fail with
//!   [`StoreError::After`] until [`Store::load`] was called: they were made by somebody who took it for done. One that
//!   touches the outbox, drafts and values alone fails for itself, as `User` ones always do.
//! - Reads have a connection of their own and never wait for writes; a read that begins after a transaction's end was
//!   told sees it.
//! - What a conversation that left held is deleted in the background in slices, and is invisible at once.

mod account;
mod apply;
mod blocks;
mod database;
mod error;
mod key;
mod key_file;
mod keyring;
mod load;
mod peek;
mod pictures;
mod queue;
mod read;
mod record;
mod schema;
mod unlock;
mod writer;

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use zuoxi_protocol::change::{Loaded, Transaction};

pub use account::{Account, Accounts};
pub use error::StoreError;
pub use key::Key;
pub use key_file::Guard;
pub use keyring::{Keyring, KeyringError, MemoryKeyring, NoKeyring, SystemKeyring};
pub use pictures::StoredPicture;
pub use read::Query;
pub use unlock::{PASSPHRASE_MIN, UnlockError, guard, unlock};
pub use zuoxi_protocol::change::{StoredBlock, StoredEntry};

use queue::Queue;
use read::Question;

/// Questions that may wait for the reader: more than a screen full of tiles asks at once.
const QUESTIONS: usize = 256;

/// Whose work a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody waits for it at the keyboard.
    User,
    /// The network brought it. (Background work is the store's own and always comes last.)
    Network,
}

/// How one transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The transaction's.
    pub token: u64,
    /// Durable as asked, or not stored at all.
    pub result: Result<(), StoreError>,
}

/// Where a store lies and how it opens.
#[derive(Debug)]
pub struct StoreOptions {
    /// The database file; its folder must exist. SQLite's and the lock's files lie beside it.
    pub path: PathBuf,
    /// Opens it; makes it, if it is new.
    pub key: Key,
    /// The database never grows beyond so many bytes (then it fails as on a full disk); `None`: as the disk allows.
    pub limit_bytes: Option<u64>,
}

impl StoreOptions {
    /// A store at `path` under `key`, without a limit.
    pub fn new(path: PathBuf, key: Key) -> Self {
        Self {
            path,
            key,
            limit_bytes: None,
        }
    }
}

/// Told of ends, in groups, on the store's thread: it must not block.
pub type OnDone = Box<dyn FnMut(Vec<Done>) + Send>;

/// A handle to an open store. Dropping the last one (or [`Store::close`]) commits what is queued, then closes.
#[derive(Debug)]
pub struct Store {
    queue: Arc<Queue>,
    questions: mpsc::SyncSender<Question>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held as long as the store is open: one process sends an outbox.
    _lock: File,
}

impl Store {
    /// Opens or makes a database and reads everything but its entries. Blocks for some milliseconds (longer after a
    /// crash): not for a thread that must answer.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::Damaged`] (also for a wrong key),
    /// [`StoreError::DiskFull`] or [`StoreError::Io`].
    // By value, so that the key is wiped as soon as it was used.
    #[allow(clippy::needless_pass_by_value)]
    pub fn open(options: StoreOptions, on_done: OnDone) -> Result<(Self, Loaded), StoreError> {
        let lock = database::lock(&options.path)?;
        let mut writing = database::open(&options)?;
        schema::migrate(&mut writing)?;
        let loaded = load::load(&writing)?;
        let reading = database::open_to_read(&options)?;
        let beside = database::open_beside(&options)?;
        let queue = Arc::new(Queue::default());
        let (questions, asked) = mpsc::sync_channel(QUESTIONS);
        let threads = vec![
            writer::spawn(writing, beside, Arc::clone(&queue), on_done)
                .map_err(|error| StoreError::Io(error.to_string()))?,
            read::spawn(reading, asked).map_err(|error| StoreError::Io(error.to_string()))?,
        ];
        Ok((
            Self {
                queue,
                questions,
                threads: Mutex::new(threads),
                _lock: lock,
            },
            loaded,
        ))
    }

    /// Queues a transaction. Never blocks.
    ///
    /// # Errors
    /// [`StoreError::Crowded`]: too much waits (see [`Store::backlog`]); [`StoreError::Closed`]. The transaction is
    /// not queued then, and no end will be told.
    pub fn commit(&self, transaction: Transaction, priority: Priority) -> Result<(), StoreError> {
        self.queue.push(transaction, priority)
    }

    /// Transactions that wait. Who reads the network stops doing so above [`Store::BACKLOG`].
    pub fn backlog(&self) -> usize {
        self.queue.backlog()
    }

    /// The backlog above which nothing more should be taken from the network.
    pub const BACKLOG: usize = 1_024;

    /// Reads everything but the entries again, after what is queued, and lets `Network` transactions be tried again
    /// after one of them failed. `reply` runs on the store's thread.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub fn load(&self, reply: impl FnOnce(Result<Loaded, StoreError>) + Send + 'static) -> Result<(), StoreError> {
        self.queue.load(Box::new(reply))
    }

    /// Asks for entries; `reply` runs on the reader's thread with entries in ascending order of Seq.
    ///
    /// # Errors
    /// [`StoreError::Crowded`] if [`QUESTIONS`](self) wait already; [`StoreError::Closed`].
    pub fn ask(
        &self,
        query: Query,
        reply: impl FnOnce(Result<Vec<StoredEntry>, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        asked(self.questions.try_send(Question::Entries {
            query,
            reply: Box::new(reply),
        }))
    }

    /// As [`Store::ask`], for those who can await.
    ///
    /// # Errors
    /// As told by the reader, and those of [`Store::ask`].
    pub async fn entries(&self, query: Query) -> Result<Vec<StoredEntry>, StoreError> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.ask(query, move |result| {
            // Whoever asked may have gone.
            let _ = reply.send(result);
        })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Commits what is queued, closes both connections and waits for it.
    pub fn close(self) {
        drop(self);
    }
}

fn asked(sent: Result<(), mpsc::TrySendError<Question>>) -> Result<(), StoreError> {
    sent.map_err(|error| match error {
        mpsc::TrySendError::Full(_) => StoreError::Crowded,
        mpsc::TrySendError::Disconnected(_) => StoreError::Closed,
    })
}

impl Drop for Store {
    fn drop(&mut self) {
        self.queue.close();
        let (nobody, _) = mpsc::sync_channel(0);
        self.questions = nobody;
        let threads = self.threads.get_mut().map(std::mem::take).unwrap_or_default();
        for thread in threads {
            // A panicked thread has nothing more to commit.
            let _ = thread.join();
        }
    }
}
