//! A client's cache, opened with its key and compared with the log that its reader may see.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use prost::Message;
use rusqlite::Connection;
use zuoxi_wire::v1::{Block, Entry as WireEntry};
use zuoxi_wire::{Id, block};

use super::log::{Entry, Log};
use super::{Findings, Witness};
use crate::Outcome;
use crate::cast::Role;
use crate::customer;

/// Bits of a Seq in a cached entry's key.
const SEQ_BITS: u32 = 40;

/// What a cache says of one log; the column's first two fields.
#[derive(Clone, PartialEq, Message)]
struct LogColumn {
    #[prost(uint64, tag = "1")]
    floor: u64,
    /// First, last, first, last …
    #[prost(uint64, repeated, tag = "2")]
    covered: Vec<u64>,
}

/// Compares a witness's cache with the log, and gives the acts that its outbox holds parked.
pub(super) fn check(witness: &Witness, log: &Log, findings: &mut Findings) -> Outcome<BTreeSet<Id>> {
    let (database, key) = match witness.role {
        Role::Customer => (witness.data.join(customer::CACHE), witness.data.join(customer::KEY)),
        Role::Desk => desk_files(&witness.data)?,
    };
    let db = open(&database, &std::fs::read(key)?)?;
    let wanted: Vec<Id> = match witness.role {
        Role::Desk => {
            let agent = log.agents.get(&witness.login);
            agent.and_then(|agent| log.kept.get(agent)).cloned().unwrap_or_default()
        }
        Role::Customer => conversations(&db)?.into_keys().collect(),
    };
    let there = conversations(&db)?;
    let name = &witness.name;
    for conversation in &wanted {
        match there.get(conversation) {
            None => findings.unequal.push(format!("{name}: has nothing of {conversation}")),
            Some((number, state)) => {
                let expected: Vec<Entry> = seen_by(witness.role, log, *conversation);
                compare(name, *conversation, &expected, state, &entries(&db, *number)?, findings);
            }
        }
    }
    for stray in there.keys().filter(|id| !wanted.contains(id)) {
        findings
            .unequal
            .push(format!("{name}: keeps {stray}, which isn't for it"));
    }
    let mut parked = BTreeSet::new();
    // 3 is a parked act: it was refused for good, so it is nowhere else.
    let mut statement = db.prepare("SELECT id, state FROM outbox")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, state) = (Id(row.get(0)?), row.get::<_, i64>(1)?);
        if state != 3 {
            findings.lost.push(format!("{name}: {id} is still in the outbox"));
        } else if !log.by_id(id).is_empty() {
            findings.doubled.push(format!("{name}: {id} is parked, and is there"));
        }
        parked.insert(id);
    }
    Ok(parked)
}

/// The one account of a desk, and its key's file.
fn desk_files(data: &Path) -> Outcome<(PathBuf, PathBuf)> {
    let mut accounts = std::fs::read_dir(data.join("accounts"))?;
    let account = accounts.next().ok_or("a desk without an account")??;
    let name = account.file_name();
    Ok((account.path().join("desk.db"), data.join("keys").join(name)))
}

fn open(path: &Path, key: &[u8]) -> Outcome<Connection> {
    let db = Connection::open(path)?;
    let hex: String = key
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect();
    db.pragma_update(None, "key", format!("x'{hex}'"))?;
    db.pragma_update(None, "cipher_page_size", 16 * 1024)?;
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if sound == "ok" {
        Ok(db)
    } else {
        Err(format!("{}: {sound}", path.display()).into())
    }
}

/// Numbers and states by conversation.
fn conversations(db: &Connection) -> Outcome<BTreeMap<Id, (i64, LogColumn)>> {
    let mut statement = db.prepare("SELECT conversation, number, state FROM conversations")?;
    let mut rows = statement.query([])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let state: Option<Vec<u8>> = row.get(2)?;
        let state = LogColumn::decode(state.unwrap_or_default().as_slice())?;
        found.insert(Id(row.get(0)?), (row.get(1)?, state));
    }
    Ok(found)
}

/// Rows, and what blocks hold.
fn entries(db: &Connection, number: i64) -> Outcome<BTreeMap<u64, WireEntry>> {
    let mut statement = db.prepare("SELECT place, bytes FROM entries WHERE place BETWEEN ?1 AND ?2 ORDER BY place")?;
    let mut rows = statement.query([number << SEQ_BITS, (number + 1) << SEQ_BITS])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)? as u64 & ((1 << SEQ_BITS) - 1);
        found.insert(seq, WireEntry::decode(row.get::<_, Vec<u8>>(1)?.as_slice())?);
    }
    let mut statement = db.prepare("SELECT bytes FROM blocks WHERE place BETWEEN ?1 AND ?2")?;
    let mut rows = statement.query([number << SEQ_BITS, (number + 1) << SEQ_BITS])?;
    while let Some(row) = rows.next()? {
        let sealed = Block::decode(row.get::<_, Vec<u8>>(0)?.as_slice())?;
        for (entry, _) in block::decode(&sealed)? {
            let seq = entry.seq;
            if found.insert(seq, entry).is_some() {
                return Err(format!("{seq} stands in a block and beside it").into());
            }
        }
    }
    Ok(found)
}

/// A conversation's log as its reader may see it, with the Seqs that they are told.
fn seen_by(role: Role, log: &Log, conversation: Id) -> Vec<Entry> {
    let entries = log.entries.get(&conversation).into_iter().flatten().cloned();
    match role {
        Role::Desk => entries.collect(),
        Role::Customer => entries
            .filter(|entry| !entry.for_agents)
            .map(|entry| Entry {
                seq: entry.public,
                ..entry
            })
            .collect(),
    }
}

fn compare(
    name: &str,
    conversation: Id,
    expected: &[Entry],
    state: &LogColumn,
    cached: &BTreeMap<u64, WireEntry>,
    findings: &mut Findings,
) {
    let head = expected.last().map_or(0, |entry| entry.seq);
    let floor = state.floor.max(1);
    let whole = head < floor || state.covered == [floor, head];
    if !whole {
        findings.unequal.push(format!(
            "{name}: {conversation}: covers {:?} of {floor} to {head}",
            state.covered
        ));
    }
    findings.cached += cached.len() as u64;
    for entry in expected.iter().filter(|entry| entry.seq >= floor) {
        match cached.get(&entry.seq) {
            None => findings
                .unequal
                .push(format!("{name}: {conversation}: {} isn't there", entry.seq)),
            Some(found) if !same(entry, found) => findings.unequal.push(format!(
                "{name}: {conversation}: {} is {found:?}, not {entry:?}",
                entry.seq
            )),
            Some(_) => {}
        }
    }
    for stray in cached.keys().filter(|seq| **seq > head) {
        findings
            .unequal
            .push(format!("{name}: {conversation}: {stray} is above the head {head}"));
    }
}

fn same(entry: &Entry, cached: &WireEntry) -> bool {
    let author = entry.author.map(Id::to_bytes).unwrap_or_default();
    (cached.seq, cached.kind, cached.author_role, cached.time_ms) == (entry.seq, entry.kind, entry.role, entry.time_ms)
        && cached.id == entry.id.to_bytes()
        && cached.author == author
        && cached.author_name == entry.author_name
        && cached.erased == entry.erased
        && cached.content == entry.content
}
