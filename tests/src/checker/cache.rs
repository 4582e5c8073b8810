//! What a desk's encrypted cache holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::gateway::Stored;
use super::protobuf::{Value, fields};
use super::{Id, id_of};
use crate::desk::Told;

/// How a cache's key is had: by the name of its account.
pub type Secret<'a> = &'a dyn Fn(&str) -> Told<Vec<u8>>;

/// A conversation as it is kept.
#[derive(Debug, Default)]
pub struct Kept {
    /// Below it nothing is wanted.
    pub floor: u64,
    /// In the order of Seqs.
    pub entries: Vec<Cached>,
}

/// One cached entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    seq: u64,
    id: Id,
    kind: u64,
    time_ms: u64,
    content: Vec<u8>,
}

impl Cached {
    #[cfg(test)]
    pub(super) fn like(stored: &Stored) -> Self {
        Self {
            seq: stored.seq,
            id: stored.id.clone(),
            kind: stored.kind,
            time_ms: stored.time_ms,
            content: stored.content.clone(),
        }
    }

    /// Whether this is that.
    pub fn same_as(&self, stored: &Stored) -> bool {
        (self.seq, &self.id, self.kind, self.time_ms) == (stored.seq, &stored.id, stored.kind, stored.time_ms)
            && self.content == stored.content
    }
}

/// All of it.
#[derive(Debug, Default)]
pub struct Cache {
    /// By conversation.
    pub conversations: BTreeMap<Id, Kept>,
    /// Acts that wait for the gateway.
    pub unsent: u64,
}

impl Cache {
    /// Reads the one account in a desk's data folder.
    ///
    /// # Errors
    /// No account, no key, or the database's.
    pub fn read(data: &Path, secret: Secret<'_>) -> Told<Self> {
        let account = only_folder(&data.join("accounts"))?;
        let name = account.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let database = open(&account.join("desk.db"), &secret(&name)?)?;
        let mut cache = Self::default();
        cache.read_entries(&database)?;
        cache.unsent = database.query_row("SELECT count(*) FROM outbox WHERE state <> 3", [], |row| {
            row.get::<_, i64>(0).map(|count| count as u64)
        })?;
        Ok(cache)
    }

    fn read_entries(&mut self, database: &Connection) -> Told {
        let sealed = database
            .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'blocks'")?
            .exists([])?;
        let mut query = database.prepare("SELECT number, conversation, state FROM conversations")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let state: Option<Vec<u8>> = row.get(2)?;
            let mut kept = Kept {
                floor: number_in(state.as_deref().unwrap_or_default(), 1)?,
                entries: Vec::new(),
            };
            // A place is the conversation's number with the Seq in its lower 40 bits.
            let mut entries = database.prepare_cached("SELECT place, bytes FROM entries WHERE place >> 40 = ?1")?;
            let mut found = entries.query([number])?;
            while let Some(row) = found.next()? {
                let entry = cached(&row.get::<_, Vec<u8>>(1)?)?;
                let place = row.get::<_, i64>(0)? as u64 & ((1 << 40) - 1);
                if entry.seq != place {
                    return Err(format!("Seq {} is kept in the place of {place}", entry.seq).into());
                }
                kept.entries.push(entry);
            }
            if sealed {
                let mut blocks = database.prepare_cached("SELECT bytes FROM blocks WHERE place >> 40 = ?1")?;
                let mut found = blocks.query([number])?;
                while let Some(row) = found.next()? {
                    kept.entries.extend(unsealed(&row.get::<_, Vec<u8>>(0)?)?);
                }
            }
            // What stands in a block and beside it stands twice here, and is found.
            kept.entries.sort_by_key(|entry| entry.seq);
            // A row without entries may be of one that was only looked at.
            if !kept.entries.is_empty() {
                self.conversations.insert(id_of(&row.get::<_, Vec<u8>>(1)?), kept);
            }
        }
        Ok(())
    }

    /// Entries in all.
    pub fn entries(&self) -> usize {
        self.conversations.values().map(|kept| kept.entries.len()).sum()
    }
}

fn only_folder(folder: &Path) -> Told<PathBuf> {
    let mut folders = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    match (folders.next(), folders.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(format!("{} doesn't hold one account", folder.display()).into()),
    }
}

/// SQLCipher with a raw key, in pages of 16 KiB.
fn open(file: &Path, key: &[u8]) -> Told<Connection> {
    let database = Connection::open(file)?;
    database.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let literal = format!("x'{}'", id_of(key));
    database.key(None::<&str>, literal.as_bytes(), false)?;
    database.execute_batch("PRAGMA cipher_page_size = 16384")?;
    Ok(database)
}

fn number_in(record: &[u8], field: u64) -> Told<u64> {
    let fields = fields(record).ok_or("a record that is none")?;
    Ok(fields
        .into_iter()
        .find_map(|(number, value)| match value {
            Value::Number(value) if number == field => Some(value),
            _ => None,
        })
        .unwrap_or_default())
}

/// Bytes that a block may have once decoded, at most.
const BLOCK_BYTES: usize = 1024 * 1024;

/// The entries of the wire's Block: 2 codec (1 plain, 2 zstd), 7 data, of which each field 1 is an entry.
fn unsealed(block: &[u8]) -> Told<Vec<Cached>> {
    let (mut codec, mut data) = (0, &[][..]);
    for (number, value) in fields(block).ok_or("a block that is none")? {
        match (number, value) {
            (2, Value::Number(told)) => codec = told,
            (7, Value::Bytes(told)) => data = told,
            _ => {}
        }
    }
    let content = match codec {
        1 => data.to_vec(),
        2 => zstd::bulk::decompress(data, BLOCK_BYTES)?,
        _ => return Err(format!("a block of codec {codec}").into()),
    };
    let entries = fields(&content).ok_or("a block's content that is none")?.into_iter();
    entries
        .filter_map(|(number, value)| match value {
            Value::Bytes(entry) if number == 1 => Some(cached(entry)),
            _ => None,
        })
        .collect()
}

/// The wire's Entry: 1 Seq, 2 id, 3 kind, 4 time, 8 content.
fn cached(bytes: &[u8]) -> Told<Cached> {
    let mut cached = Cached {
        seq: 0,
        id: Id::new(),
        kind: 0,
        time_ms: 0,
        content: Vec::new(),
    };
    for (number, value) in fields(bytes).ok_or("an entry that is none")? {
        match (number, value) {
            (1, Value::Number(seq)) => cached.seq = seq,
            (2, Value::Bytes(id)) => cached.id = id_of(id),
            (3, Value::Number(kind)) => cached.kind = kind,
            (4, Value::Number(time_ms)) => cached.time_ms = time_ms,
            (8, Value::Bytes(content)) => cached.content = content.to_vec(),
            _ => {}
        }
    }
    Ok(cached)
}
