//! What is asked of the store, by the session and for the screen.

use zuoxi_protocol::change::{Answer, Loaded, Question, Range};
use zuoxi_protocol::hash;
use zuoxi_wire::{Id, limits};

use crate::store::{Query, Store, StoreError, StoredEntry};

/// The store's answer, on its way to the hub.
pub(crate) enum ReadDone {
    /// To a question of the session.
    Session { ticket: u64, answer: Option<Answer> },
    /// Entries for a timeline.
    Page {
        conversation: Id,
        asked: Asked,
        result: Result<Vec<StoredEntry>, StoreError>,
    },
    /// The first entry at or after a time.
    At {
        ask: u64,
        result: Result<Vec<StoredEntry>, StoreError>,
    },
    /// What lies above the own read position `read`.
    Unread {
        conversation: Id,
        read: u64,
        result: Result<Vec<StoredEntry>, StoreError>,
    },
    /// Everything but the entries, again.
    Loaded(Result<Box<Loaded>, StoreError>),
}

/// What was asked of the store for a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The newest ones, or those around the first unread one: before a window opens.
    First(Option<Range>),
    /// What a window shows.
    Rows(Range),
}

/// Answers a question of the session; `None` if the store can't be read.
pub(crate) async fn answer(store: &Store, question: Question) -> Option<Answer> {
    match question {
        Question::Hashes { conversation, ranges } => {
            let mut hashes = Vec::with_capacity(ranges.len());
            for range in ranges {
                let entries = all(store, conversation, range).await?;
                let whole = entries.len() as u64 == range.last - range.first + 1;
                hashes.push(whole.then(|| hash::of(entries.iter().map(|entry| (entry.seq, entry.id, entry.author)))));
            }
            Some(Answer::Hashes(hashes))
        }
        Question::ByAuthor {
            conversation,
            range,
            author,
        } => {
            let mut entries = all(store, conversation, range).await?;
            entries.retain(|entry| entry.author == Some(author) && !is_erased(entry));
            Some(Answer::Entries(entries))
        }
        Question::Erased { conversation, range } => {
            let mut entries = all(store, conversation, range).await?;
            entries.retain(is_erased);
            Some(Answer::Erased(entries.iter().map(|entry| entry.seq).collect()))
        }
    }
}

fn is_erased(entry: &StoredEntry) -> bool {
    <zuoxi_wire::v1::Entry as prost::Message>::decode(entry.bytes.clone()).is_ok_and(|entry| entry.erased)
}

async fn all(store: &Store, conversation: Id, range: Range) -> Option<Vec<StoredEntry>> {
    let mut entries = Vec::new();
    for piece in super::ranges::pieces(range, limits::PAGE_ENTRIES) {
        let limit = limits::PAGE_ENTRIES as u32;
        match store
            .entries(Query::Range {
                conversation,
                range: piece,
                limit,
            })
            .await
        {
            Ok(page) => entries.extend(page),
            Err(error) => {
                tracing::error!(%error, "the store can't be read");
                return None;
            }
        }
    }
    Some(entries)
}
