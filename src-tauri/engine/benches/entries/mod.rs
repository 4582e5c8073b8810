//! Entries for benches: own short texts, or those of `--texts FILE`, one a line.
#![allow(dead_code, unreachable_pub, reason = "each bench takes what it needs")]

use bytes::Bytes;
use prost::Message;
use zuoxi_protocol::change::StoredEntry;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{AuthorRole, Entry, EntryKind, MessageContent, message_content};

pub const AGENT: Id = Id([1; 16]);
pub const CUSTOMER: Id = Id([2; 16]);

/// The value of `--NAME VALUE`.
pub fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.next().and_then(|_| arguments.next())
}

pub fn texts() -> Vec<String> {
    let own = [
        "在吗？",
        "这件外套什么时候能发货？",
        "好的，谢谢您",
        "尺码偏大吗？我平时穿 M 码",
        "Is this still in stock?",
    ];
    match argument("--texts") {
        Some(file) => std::fs::read_to_string(file)
            .expect("--texts FILE")
            .lines()
            .map(str::to_owned)
            .collect(),
        None => own.map(str::to_owned).to_vec(),
    }
}

pub fn message(texts: &[String], number: u64) -> Bytes {
    let text = texts[number as usize % texts.len()].clone();
    let content = MessageContent {
        body: Some(message_content::Body::Text(text)),
        language: "zh".into(),
    };
    content.encode_to_vec().into()
}

pub fn id(number: u64) -> Id {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    Id::v7(1_764_000_000_000 + number * 1_000, random)
}

pub fn wire_entry(seq: u64, author: Id, texts: &[String]) -> Entry {
    Entry {
        seq,
        id: id(seq).to_bytes(),
        kind: EntryKind::Message.into(),
        time_ms: 1_764_000_000_000 + seq * 1_000,
        author_role: if author == AGENT {
            AuthorRole::Agent
        } else {
            AuthorRole::Customer
        }
        .into(),
        author: author.to_bytes(),
        author_name: "访客 7K3F".into(),
        content: message(texts, seq),
        ..Entry::default()
    }
}

pub fn entry(seq: u64, author: Id, texts: &[String]) -> StoredEntry {
    let entry = wire_entry(seq, author, texts);
    let bytes = entry.encode_to_vec().into();
    StoredEntry {
        seq,
        id: id(seq),
        author: Some(author),
        time_ms: entry.time_ms,
        bytes,
    }
}
