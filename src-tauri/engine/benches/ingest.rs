//! Entries a second from the bytes of a page to the store's commit, against bare rusqlite rows in the same run: pairs
//! alternate, and the ratio is the median of the pairs' ratios.
//!
//! `cargo bench -p zuoxi-engine --bench ingest [-- --texts FILE]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

#[path = "entries/mod.rs"]
mod entries;

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Instant;

use bytes::Bytes;
use entries::{CUSTOMER, id, texts, wire_entry};
use prost::Message;
use zuoxi_engine::store::{Key, Priority, Store, StoreOptions, StoredBlock, StoredEntry};
use zuoxi_protocol::change::{Change, Durability, LogState, Range, Transaction};
use zuoxi_wire::v1::{Block, BlockCodec, EntriesPage};
use zuoxi_wire::{Id, block, limits};

const PAIRS: usize = 5;
const ENTRIES: u64 = 200_000;
/// Entries of a page and whether they are sealed: history as a desk pulls it, the same unsealed (as it was before there
/// were blocks), and fresh entries as they come in a busy moment.
const PAGES: [(u64, bool); 3] = [(512, true), (512, false), (50, false)];
/// Conversations over which they are spread.
const CONVERSATIONS: u64 = 40;
/// REFERENCES.md: rows, plain, 50 and 1,000 a transaction.
const TABLE: [(u64, f64); 2] = [(512, 421_000.0), (50, 359_000.0)];

fn main() {
    let texts = texts();
    println!(
        "ingest: {ENTRIES} entries over {CONVERSATIONS} conversations, zstd blocks to commit; medians of {PAIRS} pairs"
    );
    for (page, sealed) in PAGES {
        let pages = pages(page, sealed, &texts);
        let bytes: usize = pages.iter().map(|(_, page)| page.len()).sum();
        let (mut ours, mut plain, mut ciphered, mut ratios) = (vec![], vec![], vec![], vec![]);
        let mut size = 0;
        for _ in 0..PAIRS {
            let folder = tempfile::tempdir().unwrap();
            let (rate, disk) = ingest(folder.path(), &pages);
            size = disk;
            let bare = bare(folder.path(), page, false, &texts);
            ciphered.push(self::bare(folder.path(), page, true, &texts));
            ratios.push(rate / bare);
            ours.push(rate);
            plain.push(bare);
        }
        let baseline = median(&mut plain);
        println!(
            "{page} a page, {} ({:.0} B an entry on the wire, {:.0} B stored):",
            if sealed { "sealed" } else { "as rows" },
            per_entry(bytes),
            per_entry(size)
        );
        println!(
            "  engine, page bytes to commit (SQLCipher): {:>9.0} entries/s",
            median(&mut ours)
        );
        println!("  bare rusqlite rows, plain:                {baseline:>9.0} entries/s");
        println!(
            "  bare rusqlite rows, SQLCipher:            {:>9.0} entries/s",
            median(&mut ciphered)
        );
        let expected = TABLE
            .iter()
            .find(|(rows, _)| *rows == page)
            .map_or(0.0, |(_, rate)| *rate);
        if baseline < 0.6 * expected {
            println!("  ratio: none, since the baseline is below 60 % of the table's {expected:.0}");
        } else {
            println!("  ratio to plain rows: {:.2}", median(&mut ratios));
        }
    }
}

fn per_entry(bytes: usize) -> f64 {
    bytes as f64 / ENTRIES as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Each conversation's pages, as they come in frames.
fn pages(page: u64, sealed: bool, texts: &[String]) -> Vec<(Id, Bytes)> {
    let each = ENTRIES / CONVERSATIONS;
    let mut pages = Vec::new();
    for first in (1..=each).step_by(page as usize) {
        for conversation in 0..CONVERSATIONS {
            let last = (first + page - 1).min(each);
            let size = if sealed { limits::BLOCK_SEQS } else { page };
            let packed = |first: u64| {
                let last = (first + size - 1).min(last);
                let entries = (first..=last).map(|seq| wire_entry(seq, CUSTOMER, texts).encode_to_vec().into());
                block::encode(BlockCodec::Zstd, first, last, u32::from(sealed), entries.collect()).unwrap()
            };
            let page = EntriesPage {
                conversation: id(conversation).to_bytes(),
                head: last,
                blocks: (first..=last).step_by(size as usize).map(packed).collect(),
                ..EntriesPage::default()
            };
            pages.push((id(conversation), Bytes::from(page.encode_to_vec())));
        }
    }
    pages
}

/// What a device stores of a block, once it is checked: all of it is opened for that.
fn kept(conversation: Id, packed: &Block) -> Change {
    let entries: Vec<StoredEntry> = block::decode(packed)
        .unwrap()
        .into_iter()
        .map(|(entry, bytes)| StoredEntry {
            seq: entry.seq,
            id: Id::try_from(&entry.id).unwrap(),
            author: Id::optional(&entry.author).unwrap(),
            time_ms: entry.time_ms,
            bytes,
        })
        .collect();
    if packed.generation == 0 {
        return Change::Entries(conversation, entries);
    }
    Change::Block(
        conversation,
        StoredBlock {
            start: block::range_of(packed.first).0,
            first: packed.first,
            last: packed.last,
            erased: 0,
            bytes: packed.encode_to_vec().into(),
        },
    )
}

fn ingest(folder: &Path, pages: &[(Id, Bytes)]) -> (f64, usize) {
    let path = folder.join("desk.db");
    let (tell, done) = channel();
    let options = StoreOptions::new(path.clone(), Key::random().unwrap());
    let (store, _) = Store::open(options, Box::new(move |ends| drop(tell.send(ends)))).unwrap();
    let began = Instant::now();
    let mut told = 0;
    let wait = |until: usize, told: &mut usize| {
        while *told < until {
            for end in done.recv().unwrap() {
                end.result.unwrap();
                *told += 1;
            }
        }
    };
    for (token, (conversation, bytes)) in pages.iter().enumerate() {
        let page = EntriesPage::decode(bytes.clone()).unwrap();
        let head = page.head;
        let log = LogState {
            floor: 1,
            covered: vec![Range { first: 1, last: head }],
            head,
            ..LogState::default()
        };
        let mut changes: Vec<Change> = page.blocks.iter().map(|block| kept(*conversation, block)).collect();
        changes.push(Change::Log(*conversation, log));
        let transaction = Transaction {
            token: token as u64,
            durability: Durability::Normal,
            changes,
        };
        store.commit(transaction, Priority::Network).unwrap();
        // A network that is ahead of the disk waits.
        wait(token.saturating_sub(64), &mut told);
    }
    wait(pages.len(), &mut told);
    let rate = ENTRIES as f64 / began.elapsed().as_secs_f64();
    drop(store);
    (rate, std::fs::metadata(path).unwrap().len() as usize)
}

/// What rusqlite alone does with the same rows, already decoded: one table, one transaction for as many entries as the
/// store groups at best.
fn bare(folder: &Path, page: u64, ciphered: bool, texts: &[String]) -> f64 {
    let path = folder.join(if ciphered { "cipher.db" } else { "plain.db" });
    let each = ENTRIES / CONVERSATIONS;
    let rows: Vec<(i64, Vec<u8>)> = (1..=each)
        .step_by(page as usize)
        .flat_map(|first| (0..CONVERSATIONS).map(move |conversation| (first, conversation)))
        .flat_map(|(first, conversation)| (first..=(first + page - 1).min(each)).map(move |seq| (conversation, seq)))
        .map(|(conversation, seq)| {
            (
                (conversation << 40 | seq) as i64,
                wire_entry(seq, CUSTOMER, texts).encode_to_vec(),
            )
        })
        .collect();
    let mut db = rusqlite::Connection::open(&path).unwrap();
    if ciphered {
        db.pragma_update(None, "key", format!("x'{}'", "07".repeat(32)))
            .unwrap();
        db.pragma_update(None, "cipher_page_size", 16384).unwrap();
    } else {
        db.pragma_update(None, "page_size", 16384).unwrap();
    }
    let _: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
    db.pragma_update(None, "synchronous", "NORMAL").unwrap();
    db.execute_batch("CREATE TABLE entries (place INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT")
        .unwrap();
    let began = Instant::now();
    for group in rows.chunks(1_000) {
        let open = db.transaction().unwrap();
        {
            let mut insert = open.prepare_cached("INSERT INTO entries VALUES (?1, ?2)").unwrap();
            for (place, bytes) in group {
                insert.execute(rusqlite::params![place, bytes]).unwrap();
            }
        }
        open.commit().unwrap();
    }
    let rate = rows.len() as f64 / began.elapsed().as_secs_f64();
    drop(db);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("{}{end}", if ciphered { "cipher.db" } else { "plain.db" })));
    }
    rate
}
