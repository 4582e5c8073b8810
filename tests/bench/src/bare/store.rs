//! The bare server's log: one thread commits all that is queued, and answers after the fsync.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::Receiver;

use bytes::Bytes;
use rusqlite::{Connection, TransactionBehavior, params};
use tokio::sync::mpsc::UnboundedSender;

use super::Said;
use crate::Outcome;

/// Jobs in one transaction at most.
const GROUP: usize = 4_096;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -16384;
    PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE message (
        conversation INTEGER NOT NULL, seq INTEGER NOT NULL, id BLOB NOT NULL, text BLOB NOT NULL,
        PRIMARY KEY (conversation, seq)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX message_id ON message (id);";

pub(super) type Outbox = UnboundedSender<Said>;

/// What connections ask of the writer.
pub(super) enum Job {
    Attach(u32, Outbox),
    Store(Message),
}

pub(super) struct Message {
    pub(super) id: [u8; 16],
    pub(super) conversation: u32,
    pub(super) text: Bytes,
    pub(super) answer: Outbox,
}

/// Works until nobody can ask any more. Agents share the conversations evenly.
pub(super) fn run(path: &Path, agents: u32, jobs: &Receiver<Job>) -> Outcome {
    let mut database = Connection::open(path)?;
    database.execute_batch(SCHEMA)?;
    let mut heads: HashMap<u32, i64> = HashMap::new();
    let mut outboxes: HashMap<u32, Outbox> = HashMap::new();
    let mut batch = Vec::new();
    while let Ok(first) = jobs.recv() {
        for job in std::iter::once(first).chain(jobs.try_iter()).take(GROUP) {
            match job {
                Job::Attach(agent, outbox) => {
                    outboxes.insert(agent, outbox);
                }
                Job::Store(message) => batch.push(message),
            }
        }
        let stored = commit(&mut database, &mut heads, &batch)?;
        for (message, (seq, new)) in batch.drain(..).zip(stored) {
            let Message {
                id,
                conversation,
                text,
                answer,
            } = message;
            // A connection that is gone misses it; the message stays stored.
            let _ = answer.send(Said::Ack(id));
            if let (true, Some(agent)) = (new, outboxes.get(&(conversation % agents))) {
                let _ = agent.send(Said::Push {
                    conversation,
                    seq,
                    id,
                    text,
                });
            }
        }
    }
    Ok(())
}

/// The Seq of each, and whether it is new.
fn commit(database: &mut Connection, heads: &mut HashMap<u32, i64>, batch: &[Message]) -> Outcome<Vec<(i64, bool)>> {
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut stored = Vec::with_capacity(batch.len());
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO message (conversation, seq, id, text) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )?;
        for message in batch {
            let head = heads.entry(message.conversation).or_default();
            let row = params![message.conversation, *head + 1, message.id, message.text.as_ref()];
            let new = insert.execute(row)? == 1;
            *head += i64::from(new);
            stored.push((*head, new));
        }
    }
    transaction.commit()?;
    Ok(stored)
}
