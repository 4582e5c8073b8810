//! The writing thread: groups of transactions, and what is done when nobody waits.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use zuoxi_checkpoint::Checkpointer;
use zuoxi_protocol::change::{Durability, Transaction};

use super::apply::{Numbers, apply, delete_doomed};
use super::error::StoreError;
use super::load::load;
use super::pictures;
use super::queue::{Queue, Work, is_apart};
use super::{Done, OnDone};

/// Quiet after which background work begins.
const QUIET: Duration = Duration::from_millis(50);
/// Entries deleted in one slice of background work: a few milliseconds.
const SLICE: i64 = 500;
/// Pages of WAL, of 16 KiB each, that are gathered while it is never quiet. Under a flood each small commit writes several.
const CHECKPOINT_PAGES: u32 = 1_000;

/// Starts the writing thread; it ends when the queue is closed and empty. `beside` is another connection.
pub(super) fn spawn(
    mut db: Connection,
    beside: Connection,
    queue: Arc<Queue>,
    on_done: OnDone,
) -> std::io::Result<JoinHandle<()>> {
    let checkpointer = Checkpointer::start(beside, &mut db, CHECKPOINT_PAGES).map_err(std::io::Error::other)?;
    let writer = Writer {
        db,
        numbers: Numbers::default(),
        durability: None,
        failed: false,
        idle: false,
    };
    thread::Builder::new()
        .name("zuoxi-store-write".to_owned())
        .spawn(move || writer.run(&queue, on_done, checkpointer))
}

struct Writer {
    db: Connection,
    numbers: Numbers,
    /// `synchronous` as it was set last.
    durability: Option<Durability>,
    /// An ordered transaction that others build on failed, and nobody has loaded since.
    failed: bool,
    /// Nothing is left to do in the background.
    idle: bool,
}

impl Writer {
    fn run(mut self, queue: &Queue, mut on_done: OnDone, checkpointer: Checkpointer) {
        loop {
            let patience = if self.idle { Duration::from_hours(1) } else { QUIET };
            match queue.next(patience) {
                Work::Group {
                    transactions,
                    durability,
                    ordered,
                } => {
                    self.idle = false;
                    let done = self.group(&transactions, durability, ordered);
                    on_done(done);
                }
                Work::Load(reply) => {
                    let loaded = load(&self.db);
                    self.failed = loaded.is_err();
                    reply(loaded);
                }
                Work::Picture(change) => {
                    self.idle = false;
                    if let Err(error) = pictures::write(&mut self.db, &change) {
                        tracing::warn!(agent = %change.agent, %error, "a picture isn't kept");
                    }
                }
                Work::Idle => self.background(),
                Work::End => break,
            }
        }
        drop(checkpointer);
        self.checkpoint("TRUNCATE");
        if let Err((_, error)) = self.db.close() {
            tracing::warn!(%error, "the store didn't close in good order");
        }
    }

    /// Commits all together; if that fails, each by itself, so that one fault costs one transaction.
    fn group(&mut self, transactions: &[Transaction], durability: Durability, ordered: bool) -> Vec<Done> {
        if ordered && self.failed {
            return transactions
                .iter()
                .map(|one| done(one, Err(StoreError::After)))
                .collect();
        }
        if self.commit(transactions, durability).is_ok() {
            return transactions.iter().map(|one| done(one, Ok(()))).collect();
        }
        let mut ends = Vec::with_capacity(transactions.len());
        for one in transactions {
            if ordered && self.failed {
                ends.push(done(one, Err(StoreError::After)));
                continue;
            }
            let result = self.commit(std::slice::from_ref(one), one.durability);
            if let Err(error) = &result {
                tracing::error!(token = one.token, %error, "a transaction failed");
                self.failed |= ordered && !is_apart(one);
            }
            ends.push(done(one, result));
        }
        ends
    }

    fn commit(&mut self, transactions: &[Transaction], durability: Durability) -> Result<(), StoreError> {
        let result = self.try_commit(transactions, durability);
        if result.is_err() {
            self.numbers.forget();
        }
        result
    }

    fn try_commit(&mut self, transactions: &[Transaction], durability: Durability) -> Result<(), StoreError> {
        if self.durability != Some(durability) {
            let mode = if durability == Durability::Full {
                "FULL"
            } else {
                "NORMAL"
            };
            self.db.pragma_update(None, "synchronous", mode)?;
            self.durability = Some(durability);
        }
        // Dropping it rolls back.
        let open = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for one in transactions {
            for change in &one.changes {
                apply(&open, &mut self.numbers, change)?;
            }
        }
        open.commit()?;
        Ok(())
    }

    /// One slice of what can wait: first what must not stay (deletion), then the WAL.
    fn background(&mut self) {
        match self.delete_slice() {
            Ok(true) => {}
            Ok(false) => {
                self.checkpoint("PASSIVE");
                self.idle = true;
            }
            Err(error) => {
                // Tried again at the next quiet moment after something was committed.
                tracing::warn!(%error, "deleting what left failed");
                self.idle = true;
            }
        }
    }

    fn delete_slice(&mut self) -> Result<bool, StoreError> {
        let number: Option<i64> = self
            .db
            .query_row("SELECT min(number) FROM doomed", [], |row| row.get(0))
            .optional()?
            .flatten();
        let Some(number) = number else { return Ok(false) };
        let open = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        delete_doomed(&open, number, SLICE)?;
        open.commit()?;
        Ok(true)
    }

    fn checkpoint(&mut self, mode: &str) {
        if let Err(error) = self
            .db
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
        {
            tracing::warn!(%error, "the WAL stays as it is");
        }
    }
}

fn done(transaction: &Transaction, result: Result<(), StoreError>) -> Done {
    Done {
        token: transaction.token,
        result,
    }
}
