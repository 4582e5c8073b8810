//! The timelines that windows show: opened from the store, or watched; what a window needs and memory lacks is read
//! from the store, and what the store lacks is pulled. What no window shows is let go.

use std::collections::BTreeMap;

use zuoxi_protocol::change::{OutboxAct, Range};
use zuoxi_protocol::{Command, Input};
use zuoxi_wire::v1::{ActKind, AuthorRole, Entry, EntryKind};
use zuoxi_wire::v1::{MemberRole, Position};
use zuoxi_wire::{Id, limits};

use super::Outside;
use super::active::Active;
use super::asking::Waiting;
use super::ranges::{missing, pieces, without};
use super::reading::{Asked, ReadDone};
use crate::desk::WindowId;
use crate::store::{Query, StoreError, StoredEntry};
use crate::timeline::{From, Timeline};
use crate::view::{DeskEvent, TimelineDelta, TimelineView};

/// Rows around a window that are held ready.
const MARGIN: u64 = 60;
/// Rows around each window that stay in memory, and how many beyond that make it worth looking.
const KEPT: u64 = 300;
const HELD: usize = 3_000;
/// Newest entries read when a timeline is opened: two screens.
const NEWEST: u32 = 120;

/// A timeline that some window shows.
pub(super) struct Shown {
    pub(super) timeline: Timeline<WindowId>,
    /// What each window observes.
    observers: BTreeMap<WindowId, (From, u64)>,
    /// Windows that are told their first rows once `first_pages` is 0.
    opening: Vec<WindowId>,
    first_pages: u32,
    /// Asked of the store.
    reading: Vec<Range>,
    /// Asked of the gateway.
    pulling: BTreeMap<u64, Range>,
    /// Neither had it: not asked again until the connection or the log changes.
    lacking: Vec<Range>,
    /// Not kept: read along.
    pub(super) watched: bool,
}

/// All of them.
#[derive(Default)]
pub(super) struct Showing {
    pub(super) shown: BTreeMap<Id, Shown>,
}

impl Active {
    pub(super) fn observe(
        &mut self,
        conversation: Id,
        window: &WindowId,
        from: i64,
        count: u32,
        outside: &mut Outside,
    ) {
        let from = u64::try_from(from).map_or(From::Unread, From::Row);
        let count = u64::from(count).clamp(1, limits::PAGE_ENTRIES);
        outside.windows.observe_timeline(window, conversation);
        if !self.showing.shown.contains_key(&conversation) {
            self.begin(conversation, outside);
        }
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        shown.observers.insert(window.clone(), (from, count));
        if shown.first_pages == 0 {
            shown.open(window, outside);
        } else if !shown.opening.contains(window) {
            shown.opening.push(window.clone());
        }
        self.fetch(conversation);
        self.tell_head(conversation, window, outside);
    }

    pub(super) fn unobserve(&mut self, conversation: Id, window: &WindowId, outside: &mut Outside) {
        outside.windows.unobserve_timeline(window, conversation);
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        shown.timeline.unobserve(window);
        shown.opening.retain(|other| other != window);
        shown.observers.remove(window);
        if shown.observers.is_empty() {
            let watched = shown.watched;
            self.showing.shown.remove(&conversation);
            if watched {
                self.later(Input::User(Command::Unwatch { conversation }));
            }
        }
    }

    /// A timeline without windows, on its way to its first rows.
    fn begin(&mut self, conversation: Id, outside: &Outside) {
        let Some(me) = self.me() else { return };
        let mut timeline = Timeline::new(conversation, me, outside.surroundings.time_zone.clone());
        timeline.set_online(self.link.is_open());
        for act in self
            .session
            .outbox()
            .filter(|act| act.conversation == Some(conversation))
        {
            timeline.put_act(act, self.progress(act));
        }
        for id in self.too_late.get(&conversation).into_iter().flatten() {
            timeline.offer_recall(*id);
        }
        let mut shown = Shown {
            timeline,
            observers: BTreeMap::new(),
            opening: Vec::new(),
            first_pages: 0,
            reading: Vec::new(),
            pulling: BTreeMap::new(),
            lacking: Vec::new(),
            watched: false,
        };
        if let Some(log) = self.session.log(conversation) {
            shown.timeline.set_floor(log.state.floor);
            shown.timeline.raise_head(log.state.head);
            shown.timeline.own_at(log.state.read);
            for (_, role, delivered, read) in &log.state.positions {
                if *role == MemberRole::Customer as i32 {
                    shown.timeline.customer_at(*delivered, *read);
                }
            }
            let (floor, head, read) = (log.state.floor.max(1), log.state.head, log.state.read);
            shown.first_pages = 1;
            let unread = Range {
                first: (read + 1).saturating_sub(MARGIN).max(floor),
                last: (read + 1 + MARGIN).min(head),
            };
            let far = read + 1 + u64::from(NEWEST) < head && unread.first <= unread.last;
            if far {
                shown.first_pages = 2;
            }
            self.showing.shown.insert(conversation, shown);
            self.read_page(conversation, Asked::First(None));
            if far {
                self.read_page(conversation, Asked::First(Some(unread)));
            }
        } else {
            shown.watched = true;
            shown.timeline.set_watched(true);
            // Until the watch opens there is nothing to show.
            shown.first_pages = 1;
            self.showing.shown.insert(conversation, shown);
            self.later(Input::User(Command::Watch { conversation }));
        }
    }

    /// Another footing (left, restored, watched before): the same windows, from the start.
    pub(super) fn begin_anew(&mut self, conversation: Id, outside: &mut Outside) {
        let Some(old) = self.showing.shown.remove(&conversation) else {
            return;
        };
        self.begin(conversation, outside);
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        shown.observers = old.observers;
        shown.opening = shown.observers.keys().cloned().collect();
    }

    /// Everything again for everybody (after a reload).
    pub(super) fn show_all_anew(&mut self, outside: &mut Outside) {
        let shown: Vec<Id> = self.showing.shown.keys().copied().collect();
        for conversation in shown {
            self.begin_anew(conversation, outside);
        }
        self.changed.sync = true;
        for window in outside.windows.ids() {
            self.tell_inbox(&window, outside);
        }
    }

    /// Everything that one window observes, anew.
    pub(super) fn resync(&mut self, window: &WindowId, outside: &mut Outside) {
        for conversation in outside.windows.timelines(window) {
            if let Some(shown) = self.showing.shown.get_mut(&conversation)
                && shown.first_pages == 0
            {
                shown.open(window, outside);
            }
            self.tell_head(conversation, window, outside);
        }
        self.tell_inbox(window, outside);
    }

    fn read_page(&mut self, conversation: Id, asked: Asked) {
        let limit = limits::PAGE_ENTRIES as u32;
        let query = match asked {
            Asked::First(None) => Query::Newest {
                conversation,
                count: NEWEST,
            },
            Asked::First(Some(range)) | Asked::Rows(range) => Query::Range {
                conversation,
                range,
                limit,
            },
        };
        let tell = self.tell_read.clone();
        let told = self.store.ask(query, move |result| {
            // A hub that is gone needs no rows.
            let _ = tell.send(ReadDone::Page {
                conversation,
                asked,
                result,
            });
        });
        if let Err(error) = told {
            // Sent through the queue all the same, so that nothing waits for ever.
            let _ = self.tell_read.send(ReadDone::Page {
                conversation,
                asked,
                result: Err(error),
            });
        }
    }

    pub(super) fn read_done(&mut self, done: ReadDone, outside: &mut Outside) {
        match done {
            ReadDone::Session { ticket, answer } => self.answered(ticket, answer),
            ReadDone::Loaded(Ok(loaded)) => self.reloaded(&loaded, outside),
            ReadDone::Loaded(Err(error)) => self.reloaded_not(&error),
            ReadDone::At { ask, result } => self.found_here(ask, result),
            ReadDone::Unread {
                conversation,
                read,
                result,
            } => self.unread_read(conversation, read, result),
            ReadDone::Page {
                conversation,
                asked,
                result,
            } => self.page(conversation, asked, result, outside),
        }
    }

    fn page(
        &mut self,
        conversation: Id,
        asked: Asked,
        result: Result<Vec<StoredEntry>, StoreError>,
        outside: &mut Outside,
    ) {
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        if shown.watched {
            return;
        }
        let entries = result.unwrap_or_else(|error| {
            tracing::warn!(%conversation, %error, "a page can't be read");
            Vec::new()
        });
        shown.timeline.insert(&entries);
        match asked {
            Asked::First(_) => {
                shown.first_pages = shown.first_pages.saturating_sub(1);
                if shown.first_pages == 0 {
                    for window in std::mem::take(&mut shown.opening) {
                        shown.open(&window, outside);
                    }
                }
            }
            Asked::Rows(range) => {
                shown.reading.retain(|other| *other != range);
                for gone in missing(range, entries.iter().map(|entry| entry.seq)) {
                    self.pull(conversation, gone);
                }
            }
        }
        self.fetch(conversation);
    }

    /// Sees to what windows need and memory lacks.
    pub(super) fn fetch(&mut self, conversation: Id) {
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        if shown.first_pages > 0 {
            return;
        }
        if shown.timeline.held() > HELD {
            shown.timeline.evict(KEPT);
        }
        let mut wanted = Vec::new();
        for range in shown.timeline.wanted(MARGIN) {
            let under_way = shown
                .reading
                .iter()
                .chain(shown.pulling.values())
                .chain(&shown.lacking)
                .copied();
            for part in without(range, under_way) {
                wanted.extend(pieces(part, limits::PAGE_ENTRIES));
            }
        }
        let watched = shown.watched;
        for range in wanted {
            if watched {
                self.pull(conversation, range);
            } else {
                if let Some(shown) = self.showing.shown.get_mut(&conversation) {
                    shown.reading.push(range);
                }
                self.read_page(conversation, Asked::Rows(range));
            }
        }
    }

    fn pull(&mut self, conversation: Id, range: Range) {
        let ask = self.asks.wait(Waiting::Entries { conversation });
        if let Some(shown) = self.showing.shown.get_mut(&conversation) {
            shown.pulling.insert(ask, range);
        }
        self.later(Input::User(Command::Want {
            ask,
            conversation,
            range,
            background: false,
        }));
    }

    /// The gateway has said all it had for this.
    pub(super) fn pulled(&mut self, conversation: Id, ask: u64) {
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        if let Some(range) = shown.pulling.remove(&ask) {
            shown.lacking.push(range);
        }
    }

    /// What was lacking may be had now.
    pub(super) fn try_again(&mut self) {
        let shown: Vec<Id> = self.showing.shown.keys().copied().collect();
        for conversation in shown {
            if let Some(shown) = self.showing.shown.get_mut(&conversation) {
                shown.lacking.clear();
            }
            self.fetch(conversation);
        }
    }

    pub(super) fn entries_came(&mut self, conversation: Id, entries: &[StoredEntry]) {
        if let Some(shown) = self.showing.shown.get_mut(&conversation) {
            shown.timeline.insert(entries);
            self.fetch(conversation);
        }
    }

    /// Floor, head or own position moved.
    pub(super) fn log_changed(&mut self, conversation: Id) {
        let Some(log) = self.session.log(conversation) else {
            return;
        };
        let (floor, head, read) = (log.state.floor, log.state.head, log.state.read);
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        if shown.watched {
            return;
        }
        shown.timeline.set_floor(floor);
        if head < shown.timeline.head() {
            shown.timeline.cut_above(head);
            shown.timeline.cap_positions(head);
        } else {
            shown.timeline.raise_head(head);
        }
        shown.timeline.own_at(read);
        shown.lacking.clear();
        self.fetch(conversation);
    }

    pub(super) fn positions(&mut self, conversation: Id, positions: &[Position]) {
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        for position in positions
            .iter()
            .filter(|position| position.role == MemberRole::Customer as i32)
        {
            shown.timeline.customer_at(position.delivered, position.read);
        }
    }

    pub(super) fn watch_opened(&mut self, conversation: Id, floor: u64, head: u64, outside: &mut Outside) {
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        if !shown.watched {
            return;
        }
        shown.timeline.set_floor(floor);
        if head < shown.timeline.head() {
            shown.timeline.cut_above(head);
        }
        shown.timeline.raise_head(head);
        shown.lacking.clear();
        shown.first_pages = 0;
        for window in std::mem::take(&mut shown.opening) {
            shown.open(&window, outside);
        }
    }

    /// It became one's own: what was watched goes on being shown, what follows is kept.
    pub(super) fn watch_became_mine(&mut self, conversation: Id) {
        if let Some(shown) = self.showing.shown.get_mut(&conversation) {
            shown.watched = false;
            shown.timeline.set_watched(false);
        }
        self.log_changed(conversation);
    }

    /// Nothing of it may be shown any more.
    pub(super) fn watch_gone(&mut self, conversation: Id, outside: &mut Outside) {
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        shown.timeline.cut_above(0);
        shown.first_pages = 0;
        for window in std::mem::take(&mut shown.opening) {
            shown.open(&window, outside);
        }
    }

    /// An act that the gateway has: its row becomes an entry even before the entry itself comes (a repeat's answer
    /// brings none).
    pub(super) fn settle_row(&mut self, act: &OutboxAct, seq: u64, time_ms: u64) {
        let Some(conversation) = act.conversation else { return };
        let Some(me) = self.me() else { return };
        let Some(shown) = self.showing.shown.get_mut(&conversation) else {
            return;
        };
        let kind = match act.kind {
            ActKind::Message => EntryKind::Message,
            ActKind::Note => EntryKind::Note,
            _ => {
                shown.timeline.remove_act(act.id);
                return;
            }
        };
        let entry = Entry {
            seq,
            id: act.id.to_bytes(),
            kind: kind as i32,
            time_ms,
            author_role: AuthorRole::Agent as i32,
            author: me.id.to_bytes(),
            author_name: me.name,
            content: act.content.clone(),
            ..Entry::default()
        };
        let bytes = prost::Message::encode_to_vec(&entry).into();
        let stored = StoredEntry {
            seq,
            id: act.id,
            author: Some(me.id),
            time_ms,
            bytes,
        };
        shown.timeline.insert(&[stored]);
        // Where its id stood in the log before, with other words, no entry takes its row.
        shown.timeline.remove_act(act.id);
    }

    /// Hands the windows what changed in their timelines.
    pub(super) fn tell_timelines(&mut self, outside: &mut Outside) {
        for (conversation, shown) in &mut self.showing.shown {
            for (window, deltas) in shown.timeline.take_deltas() {
                let event = DeskEvent::Timeline {
                    conversation: conversation.to_string(),
                    deltas,
                };
                outside.windows.tell(&window, event);
            }
        }
    }
}

impl Shown {
    /// Tells a window its rows as a whole.
    fn open(&mut self, window: &WindowId, outside: &mut Outside) {
        let Some((from, count)) = self.observers.get(window).copied() else {
            return;
        };
        let view = self.timeline.observe(window.clone(), from, count);
        // Opened anew later, it stands where it stood.
        self.observers.insert(window.clone(), (From::Row(view.from), count));
        outside.windows.tell(window, reset(view));
    }
}

fn reset(view: TimelineView) -> DeskEvent {
    DeskEvent::Timeline {
        conversation: view.conversation.clone(),
        deltas: vec![TimelineDelta::Reset { view }],
    }
}
