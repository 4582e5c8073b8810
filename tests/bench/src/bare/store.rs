//! The bare server's log: one thread commits all that is queued, and answers after the fsync.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::Receiver;

use bytes::{BufMut, Bytes, BytesMut};
use rusqlite::{Connection, TransactionBehavior, params};
use tokio::sync::mpsc::UnboundedSender;

use super::{ACK, PUSH};
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

pub(super) type Outbox = UnboundedSender<Bytes>;

/// What connections ask of the writer.
pub(super) enum Job {
    Attach(u32, Outbox),
    Store {
        id: [u8; 16],
        conversation: u32,
        text: Bytes,
        answer: Outbox,
    },
}

/// Works until nobody can ask any more. Agents share the conversations evenly.
pub(super) fn run(path: &Path, agents: u32, jobs: &Receiver<Job>) -> Outcome {
    let mut database = Connection::open(path)?;
    database.execute_batch(SCHEMA)?;
    let mut heads: HashMap<u32, i64> = HashMap::new();
    let mut outboxes: HashMap<u32, Outbox> = HashMap::new();
    let mut answers: Vec<(Outbox, Bytes)> = Vec::new();
    while let Ok(first) = jobs.recv() {
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO message (conversation, seq, id, text) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            )?;
            for job in std::iter::once(first).chain(jobs.try_iter()).take(GROUP) {
                match job {
                    Job::Attach(agent, outbox) => {
                        outboxes.insert(agent, outbox);
                    }
                    Job::Store {
                        id,
                        conversation,
                        text,
                        answer,
                    } => {
                        let head = heads.entry(conversation).or_default();
                        let new = insert.execute(params![conversation, *head + 1, id, text.as_ref()])? == 1;
                        *head += i64::from(new);
                        let mut ack = BytesMut::with_capacity(25);
                        ack.put_u8(ACK);
                        ack.put_slice(&id);
                        answers.push((answer, ack.freeze()));
                        if let (true, Some(agent)) = (new, outboxes.get(&(conversation % agents))) {
                            let mut push = BytesMut::with_capacity(32 + text.len());
                            push.put_u8(PUSH);
                            push.put_u32(conversation);
                            push.put_i64(*head);
                            push.put_slice(&id);
                            push.put_slice(&text);
                            answers.push((agent.clone(), push.freeze()));
                        }
                    }
                }
            }
        }
        transaction.commit()?;
        for (outbox, frame) in answers.drain(..) {
            // A connection that is gone misses it; the message stays stored.
            let _ = outbox.send(frame);
        }
    }
    Ok(())
}
