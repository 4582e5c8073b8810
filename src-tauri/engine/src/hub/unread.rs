//! How many messages of the customer lie above the own read position: counted here from what comes in, so that reading
//! shows at once; until something is known here, the summary's number stands.

use std::collections::BTreeMap;

use zuoxi_protocol::change::{Range, StoredEntry};
use zuoxi_wire::v1::{AuthorRole, Entry, EntryKind};
use zuoxi_wire::{Id, limits};

use super::active::Active;
use super::reading::ReadDone;
use crate::store::{Query, StoreError};

/// What was counted in one conversation.
#[derive(Debug, Clone, Copy)]
struct Counted {
    /// Entries up to this Seq are in it.
    to: u64,
    /// Above this position.
    read: u64,
    count: u32,
}

#[derive(Default)]
pub(super) struct Unread {
    counted: BTreeMap<Id, Counted>,
}

impl Unread {
    pub(super) fn forget(&mut self, conversation: Id) {
        self.counted.remove(&conversation);
    }
}

impl Active {
    /// Counts what a log's state tells: everything is read, or what lies above the position has to be looked at.
    pub(super) fn unread_from_log(&mut self, conversation: Id) {
        let Some(log) = self.session.log(conversation) else {
            return;
        };
        let (read, head) = (log.state.read, log.state.head);
        if read >= head {
            self.set_unread(
                conversation,
                Counted {
                    to: head,
                    read,
                    count: 0,
                },
            );
            return;
        }
        if self
            .unread
            .counted
            .get(&conversation)
            .is_some_and(|counted| counted.read == read)
            || head - read > limits::PAGE_ENTRIES
        {
            return;
        }
        let range = Range {
            first: read + 1,
            last: head,
        };
        let tell = self.tell_read.clone();
        let query = Query::Range {
            conversation,
            range,
            limit: limits::PAGE_ENTRIES as u32,
        };
        // A crowded store leaves the summary's number.
        let _ = self.store.ask(query, move |result| {
            let _ = tell.send(ReadDone::Unread {
                conversation,
                read,
                result,
            });
        });
    }

    pub(super) fn unread_read(&mut self, conversation: Id, read: u64, result: Result<Vec<StoredEntry>, StoreError>) {
        let Ok(entries) = result else { return };
        let Some(log) = self.session.log(conversation) else {
            return;
        };
        let Some(last) = entries.last().map(|entry| entry.seq) else {
            return;
        };
        // Only what is here without a hole says how many; and nothing may have been read meanwhile.
        if log.state.read == read && log.watermark >= last {
            let count = entries.iter().filter(|entry| counts(entry)).count() as u32;
            self.set_unread(conversation, Counted { to: last, read, count });
        }
    }

    /// Entries came in: those above what was counted count.
    pub(super) fn unread_entries(&mut self, conversation: Id, entries: &[StoredEntry]) {
        let Some(mut counted) = self.unread.counted.get(&conversation).copied() else {
            return;
        };
        for entry in entries.iter().filter(|entry| entry.seq > counted.read) {
            if entry.seq > counted.to {
                counted.to = entry.seq;
                counted.count += u32::from(counts(entry));
            }
        }
        self.set_unread(conversation, counted);
    }

    fn set_unread(&mut self, conversation: Id, counted: Counted) {
        self.unread.counted.insert(conversation, counted);
        self.inbox.set_unread(conversation, Some(counted.count));
    }
}

fn counts(stored: &StoredEntry) -> bool {
    <Entry as prost::Message>::decode(stored.bytes.clone()).is_ok_and(|entry| {
        entry.author_role == AuthorRole::Customer as i32 && entry.kind == EntryKind::Message as i32 && !entry.erased
    })
}
