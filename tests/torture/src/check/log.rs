//! The gateway's database, read as a file.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use zuoxi_wire::Id;

use super::Findings;
use crate::Outcome;

/// An entry as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) conversation: Id,
    pub(super) seq: u64,
    /// Its Seq in the customer's log; of an entry for agents alone, that of the public one before it.
    pub(super) public: u64,
    pub(super) for_agents: bool,
    pub(super) kind: i32,
    pub(super) id: Id,
    pub(super) role: i32,
    pub(super) author: Option<Id>,
    pub(super) author_name: String,
    pub(super) time_ms: u64,
    pub(super) content: Vec<u8>,
    pub(super) erased: bool,
}

/// Everything of it that matters here.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// By conversation, in order of Seq.
    pub(super) entries: BTreeMap<Id, Vec<Entry>>,
    ids: BTreeMap<Id, Vec<(Id, usize)>>,
    /// Head, public head and customer by conversation.
    pub(super) heads: BTreeMap<Id, (u64, u64, Id)>,
    /// Agents' ids by log-in name.
    pub(super) agents: BTreeMap<String, Id>,
    /// Conversations that stand in an agent's own feed.
    pub(super) kept: BTreeMap<Id, Vec<Id>>,
    /// Acceptances remembered: id, conversation, Seq.
    known: Vec<(Id, Id, u64)>,
}

/// Reads it.
pub(super) fn read(path: &Path) -> Outcome<Log> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut log = Log::default();
    let mut statement = db.prepare(
        "SELECT conversation, seq, public, audience, kind, id, role, author, author_name, time_ms, content, erased
         FROM entries ORDER BY conversation, seq",
    )?;
    let entries = statement.query_map([], |row| {
        Ok(Entry {
            conversation: Id(row.get(0)?),
            seq: row.get::<_, i64>(1)? as u64,
            public: row.get::<_, i64>(2)? as u64,
            for_agents: row.get(3)?,
            kind: row.get(4)?,
            id: Id(row.get(5)?),
            role: row.get(6)?,
            author: row.get::<_, Option<[u8; 16]>>(7)?.map(Id),
            author_name: row.get(8)?,
            time_ms: row.get::<_, i64>(9)? as u64,
            content: row.get(10)?,
            erased: row.get(11)?,
        })
    })?;
    for entry in entries {
        let entry = entry?;
        let of = log.entries.entry(entry.conversation).or_default();
        log.ids
            .entry(entry.id)
            .or_default()
            .push((entry.conversation, of.len()));
        of.push(entry);
    }
    let mut statement = db.prepare("SELECT id, head, public_head, customer FROM conversations")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let heads = (
            row.get::<_, i64>(1)? as u64,
            row.get::<_, i64>(2)? as u64,
            Id(row.get(3)?),
        );
        log.heads.insert(Id(row.get(0)?), heads);
    }
    let mut statement = db.prepare("SELECT login, id FROM agents")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        log.agents.insert(row.get(0)?, Id(row.get(1)?));
    }
    // 1 is FEED_KIND_AGENT.
    let mut statement = db.prepare("SELECT owner, conversation FROM feed_rows WHERE kind = 1 AND stands = 1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        log.kept.entry(Id(row.get(0)?)).or_default().push(Id(row.get(1)?));
    }
    let mut statement = db.prepare("SELECT id, conversation, seq FROM known")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let known = (Id(row.get(0)?), Id(row.get(1)?), row.get::<_, i64>(2)? as u64);
        log.known.push(known);
    }
    Ok(log)
}

impl Log {
    /// All entries of an id.
    pub(super) fn by_id(&self, id: Id) -> Vec<&Entry> {
        let places = self.ids.get(&id).into_iter().flatten();
        places
            .filter_map(|(conversation, at)| self.entries.get(conversation)?.get(*at))
            .collect()
    }

    /// Both logs of every conversation count from 1 to their heads, times never go back, no id stands twice.
    pub(super) fn check(&self, findings: &mut Findings) {
        for (conversation, (head, public_head, _)) in &self.heads {
            let entries = self.entries.get(conversation).map_or(&[][..], Vec::as_slice);
            let (mut seq, mut public, mut time_ms) = (0, 0, 0);
            for entry in entries {
                seq += 1;
                public += u64::from(!entry.for_agents);
                if entry.seq != seq || entry.public != public || entry.time_ms < time_ms {
                    findings.misordered.push(format!(
                        "gateway: {conversation}: {} / {} after {seq} / {public}",
                        entry.seq, entry.public
                    ));
                    break;
                }
                time_ms = entry.time_ms;
            }
            if (seq, public) != (*head, *public_head) {
                findings.misordered.push(format!(
                    "gateway: {conversation}: heads {head} / {public_head}, entries up to {seq} / {public}"
                ));
            }
        }
        for conversation in self.entries.keys().filter(|id| !self.heads.contains_key(*id)) {
            findings
                .lost
                .push(format!("gateway: conversation {conversation} of its entries"));
        }
        for (id, places) in self.ids.iter().filter(|(_, places)| places.len() > 1) {
            findings.doubled.push(format!("gateway: {id} at {places:?}"));
        }
        for (id, conversation, seq) in &self.known {
            let there = self.by_id(*id);
            if !there
                .iter()
                .any(|entry| entry.conversation == *conversation && entry.seq == *seq)
            {
                findings
                    .lost
                    .push(format!("gateway: {id} is remembered at {seq}, and isn't there"));
            }
        }
    }
}
