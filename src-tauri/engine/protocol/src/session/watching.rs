//! Another's conversation, read along: in memory only, ended by the first heartbeat that doesn't name it.

use zuoxi_wire::Id;
use zuoxi_wire::v1::{Heartbeat, Push, Unwatch, WatchPage, client_frame};

use super::Session;
use super::asking::Asked;
use crate::change::Range;
use crate::log::{Came, Log};
use crate::notice::{Notice, WatchEnd};
use crate::turn::Turn;

/// One watched conversation.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// `None`: not answered on this connection yet.
    pub(super) log: Option<Log>,
    pub(super) asked: bool,
    /// Time of the snapshot.
    time_ms: u64,
}

impl Watch {
    pub(super) fn is_due(&self) -> bool {
        self.log.is_none() && !self.asked
    }

    /// It lives no longer than its connection; begun anew on the next.
    pub(super) fn lose(&mut self) {
        *self = Self::default();
    }
}

impl Session {
    pub(super) fn watch(&mut self, conversation: Id) {
        if !self.logs.contains_key(&conversation) && !self.is_customer() {
            self.watching.entry(conversation).or_default();
        }
    }

    pub(super) fn unwatch(&mut self, conversation: Id, turn: &mut Turn<'_>) {
        if self.watching.remove(&conversation).is_some() && self.connection.is_live() {
            let unwatch = Unwatch {
                conversation: conversation.to_bytes(),
            };
            self.ask(Asked::Nothing, client_frame::Kind::Unwatch(unwatch), turn);
        }
    }

    /// The snapshot came.
    pub(super) fn watch_opened(&mut self, conversation: Id, page: WatchPage, turn: &mut Turn<'_>) {
        let Some(entries) = page.page.filter(|_| !self.logs.contains_key(&conversation)) else {
            return;
        };
        let Some(watch) = self.watching.get_mut(&conversation) else {
            return;
        };
        let first = entries
            .covers
            .as_ref()
            .map_or(entries.head.saturating_add(1), |covers| covers.first);
        // Older ones come when a window wants them.
        let mut log = Log::new(first.max(entries.floor));
        log.newest = false;
        log.tell_head(entries.head);
        watch.time_ms = page.time_ms;
        watch.log = Some(log);
        turn.after(Notice::WatchOpened {
            conversation,
            summary: page.summary.map(Box::new),
            floor: entries.floor.max(1),
            head: entries.head,
            positions: entries.positions.clone(),
        });
        self.watch_page(conversation, &entries, None, false, turn);
    }

    /// A page of what is watched.
    pub(super) fn watch_page(
        &mut self,
        conversation: Id,
        page: &zuoxi_wire::v1::EntriesPage,
        asked: Option<Range>,
        demand: bool,
        turn: &mut Turn<'_>,
    ) {
        let Some(log) = self
            .watching
            .get_mut(&conversation)
            .and_then(|watch| watch.log.as_mut())
        else {
            return;
        };
        log.asked = false;
        log.tell_head(page.head);
        log.set_floor(page.floor);
        let before = log.missing();
        let mut entries = Vec::new();
        for block in &page.blocks {
            for came in super::reading::opened(block, asked, page.head) {
                entries.extend(log.take(came, demand).map(|taken| taken.entry));
            }
        }
        if log.missing() == before && before > 0 {
            log.retry_at = turn.now + super::asking::RETRY_MS;
        }
        log.judge(turn.now, false);
        if !entries.is_empty() {
            turn.after(Notice::WatchEntries { conversation, entries });
        }
    }

    /// An entry of what is watched came by itself.
    pub(super) fn watch_push(&mut self, conversation: Id, push: Push, turn: &mut Turn<'_>) {
        let Some(log) = self
            .watching
            .get_mut(&conversation)
            .and_then(|watch| watch.log.as_mut())
        else {
            return;
        };
        log.tell_head(push.head);
        if let Some(taken) = push.entry.map(Came::pushed).and_then(|came| log.take(came, false)) {
            turn.after(Notice::WatchEntries {
                conversation,
                entries: vec![taken.entry],
            });
            if let Some((author, id)) = taken.recall {
                turn.after(Notice::Erased {
                    conversation,
                    what: crate::notice::ErasedWhat::Message { author, id },
                });
            }
        }
        log.judge(turn.now, true);
    }

    /// Heads of what is watched; what isn't named any more is over.
    pub(super) fn watch_heads(&mut self, beat: &Heartbeat, turn: &mut Turn<'_>) {
        let mut over = Vec::new();
        for (conversation, watch) in &mut self.watching {
            let Some(log) = &mut watch.log else { continue };
            match beat
                .watched
                .iter()
                .find(|point| Id::try_from(&point.conversation) == Ok(*conversation))
            {
                Some(point) => {
                    log.tell_head(point.head);
                    log.set_floor(point.floor);
                    log.judge(turn.now, true);
                }
                None if beat.time_ms > watch.time_ms => over.push(*conversation),
                None => {}
            }
        }
        for conversation in over {
            self.watching.remove(&conversation);
            turn.after(Notice::WatchEnded {
                conversation,
                why: WatchEnd::Gone,
            });
        }
    }
}
