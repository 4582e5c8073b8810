//! What the gateway's database holds.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{Id, id_of};
use crate::desk::Told;

/// One stored entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// In the agents' log.
    pub seq: u64,
    /// In the customer's log; for what agents alone see: the last one before it.
    pub public: u64,
    /// Whether the customer sees it.
    pub everybody: bool,
    /// The message's id.
    pub id: Id,
    /// The wire's number of its kind.
    pub kind: u64,
    /// Milliseconds UTC.
    pub time_ms: u64,
    /// As its sender encoded it; empty where erased.
    pub content: Vec<u8>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct GatewayLog {
    /// Each conversation's entries in the order of Seqs.
    pub conversations: BTreeMap<Id, Vec<Stored>>,
    /// Each conversation's heads: the agents' and the customer's.
    pub heads: BTreeMap<Id, (u64, u64)>,
    /// Where each message stands: conversation and Seq.
    pub places: BTreeMap<Id, Vec<(Id, u64)>>,
    pub(super) feeds: BTreeMap<String, Vec<Id>>,
}

impl GatewayLog {
    /// Reads the database in a gateway's data folder.
    ///
    /// # Errors
    /// The database's.
    pub fn read(data: &Path) -> Told<Self> {
        let mut log = Self::default();
        let file = std::fs::read_dir(data)?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "db"))
            .ok_or("no database in the gateway's folder")?;
        let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        log.read_heads(&database)?;
        log.read_entries(&database)?;
        log.read_feeds(&database)?;
        Ok(log)
    }

    fn read_heads(&mut self, database: &Connection) -> Told {
        let mut query = database.prepare("SELECT id, head, public_head FROM conversations WHERE head > 0")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let id: Vec<u8> = row.get(0)?;
            self.heads
                .insert(id_of(&id), (row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)? as u64));
        }
        Ok(())
    }

    fn read_entries(&mut self, database: &Connection) -> Told {
        let mut query = database.prepare(
            "SELECT conversation, seq, public, audience, id, kind, time_ms, content FROM entries ORDER BY conversation, seq",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let number = |at: usize| row.get::<_, i64>(at).map(|number| number as u64);
            let conversation = id_of(&row.get::<_, Vec<u8>>(0)?);
            let stored = Stored {
                seq: number(1)?,
                public: number(2)?,
                everybody: number(3)? == 0,
                id: id_of(&row.get::<_, Vec<u8>>(4)?),
                kind: number(5)?,
                time_ms: number(6)?,
                content: row.get(7)?,
            };
            self.places
                .entry(stored.id.clone())
                .or_default()
                .push((conversation.clone(), stored.seq));
            self.conversations.entry(conversation).or_default().push(stored);
        }
        Ok(())
    }

    fn read_feeds(&mut self, database: &Connection) -> Told {
        // 1: an agent's own feed.
        let mut query = database.prepare(
            "SELECT agents.login, feed_rows.conversation FROM feed_rows JOIN agents ON agents.id = feed_rows.owner
             WHERE feed_rows.kind = 1 AND feed_rows.stands = 1",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let conversation: Vec<u8> = row.get(1)?;
            self.feeds.entry(row.get(0)?).or_default().push(id_of(&conversation));
        }
        Ok(())
    }

    /// An entry.
    pub fn entry(&self, conversation: &str, seq: u64) -> Option<&Stored> {
        let entries = self.conversations.get(conversation)?;
        entries.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    /// Conversations in an agent's own feed.
    pub fn kept_by(&self, login: &str) -> Vec<Id> {
        self.feeds.get(login).cloned().unwrap_or_default()
    }

    /// Entries in all.
    pub fn entries(&self) -> usize {
        self.conversations.values().map(Vec::len).sum()
    }
}
