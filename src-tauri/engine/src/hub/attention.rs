//! When the shell should notify: a conversation was given to this agent, or a customer wrote and nobody looked. Nothing
//! of what was there when the desk started counts.

use std::collections::BTreeMap;

use zuoxi_protocol::Sync;
use zuoxi_protocol::change::{FeedKey, StoredEntry};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{AuthorRole, Entry, EntryKind, Status, Summary};

use super::Outside;
use super::active::Active;
use crate::view::DeskEvent;

/// Milliseconds in which a focused tile marks as read what it shows.
const LOOK_MS: u64 = 1_000;

#[derive(Default)]
pub(super) struct Attention {
    /// Was up to date once: from then on what comes is new.
    live: bool,
    /// Customers' messages that may have been seen: up to which Seq, and when to look.
    unseen: BTreeMap<Id, (u64, u64)>,
}

impl Attention {
    pub(super) fn synced(&mut self, sync: Sync) {
        self.live |= matches!(sync, Sync::UpToDate { .. });
    }

    /// When to look next, by the hub's time.
    pub(super) fn due(&self) -> Option<u64> {
        self.unseen.values().map(|(_, at)| *at).min()
    }
}

impl Active {
    /// A row of the own feed: is it newly this agent's? Called before the inbox has it.
    pub(super) fn attention_to_row(
        &mut self,
        feed: FeedKey,
        conversation: Id,
        summary: &Summary,
        outside: &mut Outside,
    ) {
        if !self.attention.live || !feed.is_own() || summary.status() != Status::Open {
            return;
        }
        let Some(me) = self.me() else { return };
        let mine = summary.assignee.as_ref() == me.id.0;
        if !mine
            || self
                .inbox
                .row(conversation)
                .is_some_and(|row| row.mine && row.status == crate::view::StatusView::Open)
        {
            return;
        }
        let customer = summary
            .customer
            .as_ref()
            .map(|customer| customer.name.clone())
            .unwrap_or_default();
        outside.windows.tell_all(&DeskEvent::Attention {
            conversation: conversation.to_string(),
            customer,
            assigned: true,
            unread: summary.unread,
        });
    }

    /// Did a customer write? Whether somebody saw it shows in a moment.
    pub(super) fn attention_to_entries(&mut self, conversation: Id, entries: &[StoredEntry], outside: &Outside) {
        if !self.attention.live {
            return;
        }
        let newest = entries.iter().rev().find(|stored| {
            <Entry as prost::Message>::decode(stored.bytes.clone()).is_ok_and(|entry| {
                entry.author_role == AuthorRole::Customer as i32 && entry.kind == EntryKind::Message as i32
            })
        });
        let Some(newest) = newest.map(|stored| stored.seq) else {
            return;
        };
        if self
            .session
            .log(conversation)
            .is_none_or(|log| log.state.read >= newest)
        {
            return;
        }
        let at = outside.time.now() + LOOK_MS;
        let unseen = self.attention.unseen.entry(conversation).or_insert((newest, at));
        unseen.0 = unseen.0.max(newest);
    }

    /// Tells what wasn't looked at in time.
    pub(super) fn tell_unseen(&mut self, outside: &mut Outside) {
        let now = outside.time.now();
        let due: Vec<(Id, u64)> = self
            .attention
            .unseen
            .iter()
            .filter(|(_, (_, at))| *at <= now)
            .map(|(conversation, (seq, _))| (*conversation, *seq))
            .collect();
        for (conversation, seq) in due {
            self.attention.unseen.remove(&conversation);
            let unseen = self.session.log(conversation).is_some_and(|log| log.state.read < seq);
            if let Some(row) = self.inbox.row(conversation).filter(|row| unseen && row.mine) {
                outside.windows.tell_all(&DeskEvent::Attention {
                    conversation: row.conversation,
                    customer: row.customer.name,
                    assigned: false,
                    unread: row.unread,
                });
            }
        }
    }
}
