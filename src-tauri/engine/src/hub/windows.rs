//! The attached windows: what each observes, and what it hasn't been told yet. A window that is slow to take events
//! holds up nobody: what describes a state replaces what was to be told of it before, and when even that grows too
//! much, all of it is dropped and the window is told everything it observes anew.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use zuoxi_wire::Id;

use super::handed::Handed;
use super::pending::{Pending, weight};
use crate::desk::WindowId;
use crate::view::{DeskEvent, InboxTab, InboxView};

/// Batches that may wait for a window.
const BATCHES: usize = 32;
/// Milliseconds of a frame: a window gets no second batch within it.
pub(crate) const FRAME_MS: u64 = 16;
/// Bytes of a batch as JSON, about: what the webview's fast way takes.
const BATCH_BYTES: usize = 8 * 1024;
/// Bytes that may wait for a window that takes nothing.
const PENDING_BYTES: usize = 1024 * 1024;

/// Rows that a window observes of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ObservedInbox {
    pub(crate) tab: InboxTab,
    pub(crate) from: u32,
    pub(crate) count: u32,
}

/// One window.
struct Window {
    events: mpsc::Sender<Vec<DeskEvent>>,
    inbox: Option<ObservedInbox>,
    timelines: Vec<Id>,
    pending: Vec<Pending>,
    pending_bytes: usize,
    handed: Handed,
    behind: bool,
    told_ms: Option<u64>,
    /// When it was told rows of a timeline last.
    rows_ms: Option<u64>,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Windows {
    open: BTreeMap<WindowId, Window>,
}

impl Windows {
    /// A new window, or the same after its web process died: it observes nothing yet.
    pub(crate) fn attach(&mut self, id: WindowId) -> mpsc::Receiver<Vec<DeskEvent>> {
        let (events, receiver) = mpsc::channel(BATCHES);
        let window = Window {
            events,
            inbox: None,
            timelines: Vec::new(),
            pending: Vec::new(),
            pending_bytes: 0,
            handed: Handed::default(),
            behind: false,
            told_ms: None,
            rows_ms: None,
        };
        self.open.insert(id, window);
        receiver
    }

    pub(crate) fn detach(&mut self, id: &WindowId) {
        self.open.remove(id);
    }

    /// Windows whose receiver is gone.
    pub(crate) fn gone(&self) -> Vec<WindowId> {
        self.open
            .iter()
            .filter(|(_, window)| window.events.is_closed())
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub(crate) fn ids(&self) -> Vec<WindowId> {
        self.open.keys().cloned().collect()
    }

    pub(crate) fn observe_inbox(&mut self, id: &WindowId, observed: ObservedInbox) -> bool {
        self.open.get_mut(id).is_some_and(|window| {
            if window.inbox.replace(observed) == Some(observed) {
                // Nobody asks for what they have.
                tracing::info!(window = id.0, "a window asks for its list once more");
                window.handed.forget();
            }
            true
        })
    }

    pub(crate) fn inbox(&self, id: &WindowId) -> Option<ObservedInbox> {
        self.open.get(id).and_then(|window| window.inbox)
    }

    pub(crate) fn observe_timeline(&mut self, id: &WindowId, conversation: Id) -> bool {
        self.open.get_mut(id).is_some_and(|window| {
            if !window.timelines.contains(&conversation) {
                window.timelines.push(conversation);
            }
            true
        })
    }

    pub(crate) fn unobserve_timeline(&mut self, id: &WindowId, conversation: Id) {
        if let Some(window) = self.open.get_mut(id) {
            window.timelines.retain(|observed| *observed != conversation);
            window.forget(conversation);
        }
    }

    /// Nothing is observed by anybody any more (another account).
    pub(crate) fn clear(&mut self) {
        for window in self.open.values_mut() {
            window.inbox = None;
            window.timelines.clear();
            window.pending.clear();
            window.pending_bytes = 0;
            window.handed.forget();
        }
    }

    pub(crate) fn timelines(&self, id: &WindowId) -> Vec<Id> {
        self.open
            .get(id)
            .map(|window| window.timelines.clone())
            .unwrap_or_default()
    }

    /// Windows that observe this conversation.
    pub(crate) fn observers(&self, conversation: Id) -> Vec<WindowId> {
        let observe = |window: &Window| window.timelines.contains(&conversation);
        self.open
            .iter()
            .filter(|(_, window)| observe(window))
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub(crate) fn is_observed(&self, conversation: Id) -> bool {
        self.open
            .values()
            .any(|window| window.timelines.contains(&conversation))
    }

    pub(crate) fn tell(&mut self, id: &WindowId, event: DeskEvent) {
        if let Some(window) = self.open.get_mut(id) {
            window.add(Pending::Event(event));
        }
    }

    /// Tells a window its list: it is handed what changed.
    pub(crate) fn tell_inbox(&mut self, id: &WindowId, view: InboxView) {
        if let Some(window) = self.open.get_mut(id) {
            window.add(Pending::Inbox(view));
        }
    }

    pub(crate) fn tell_all(&mut self, event: &DeskEvent) {
        for window in self.open.values_mut() {
            window.add(Pending::Event(event.clone()));
        }
    }

    /// Tells all who observe a conversation.
    pub(crate) fn tell_observers(&mut self, conversation: Id, event: &DeskEvent) {
        for window in self
            .open
            .values_mut()
            .filter(|window| window.timelines.contains(&conversation))
        {
            window.add(Pending::Event(event.clone()));
        }
    }

    /// Windows that missed something and can take everything anew now.
    pub(crate) fn take_behind(&mut self) -> Vec<WindowId> {
        let mut ready = Vec::new();
        for (id, window) in &mut self.open {
            if window.behind && window.events.capacity() > BATCHES / 2 {
                window.behind = false;
                ready.push(id.clone());
            }
        }
        ready
    }

    /// Whether any window has to be told rows of a timeline.
    pub(crate) fn has_rows(&self) -> bool {
        self.open.values().any(Window::has_rows)
    }

    /// Hands out what waits. Answers when to come again: `None` if nothing waits any more.
    /// `urgent`: also those who were told within this frame.
    pub(crate) fn flush(&mut self, now_ms: u64, urgent: bool) -> Option<u64> {
        self.open
            .values_mut()
            .filter_map(|window| window.flush(now_ms, urgent))
            .min()
    }
}

impl Window {
    fn add(&mut self, more: Pending) {
        if self.behind {
            return;
        }
        let key = more.state_key();
        if key.is_some()
            && let Some(at) = self.pending.iter().rposition(|other| other.state_key() == key)
        {
            let old = self.pending.remove(at);
            self.pending_bytes = self.pending_bytes.saturating_sub(old.weight());
        }
        self.pending_bytes += more.weight();
        match (self.pending.last_mut(), more) {
            (
                Some(Pending::Event(DeskEvent::Timeline { conversation, deltas })),
                Pending::Event(DeskEvent::Timeline {
                    conversation: also,
                    deltas: more,
                }),
            ) if *conversation == also => deltas.extend(more),
            (_, more) => self.pending.push(more),
        }
        if self.pending_bytes > PENDING_BYTES {
            tracing::info!(
                bytes = self.pending_bytes,
                "a window doesn't keep up: it is told all anew"
            );
            self.behind = true;
            self.pending.retain(Pending::is_of_a_moment);
            self.pending_bytes = self.pending.iter().map(Pending::weight).sum();
        }
    }

    fn forget(&mut self, conversation: Id) {
        let name = conversation.to_string();
        self.pending.retain(
            |waits| !matches!(waits, Pending::Event(DeskEvent::Timeline { conversation, .. }) if *conversation == name),
        );
        self.pending_bytes = self.pending.iter().map(Pending::weight).sum();
    }

    fn has_rows(&self) -> bool {
        let is_rows = |waits: &Pending| matches!(waits, Pending::Event(DeskEvent::Timeline { .. }));
        self.pending.iter().any(is_rows)
    }

    fn flush(&mut self, now_ms: u64, urgent: bool) -> Option<u64> {
        if self.pending.is_empty() {
            return self.behind.then_some(now_ms + FRAME_MS);
        }
        // Messages don't wait because something else was told.
        let rows = self.has_rows();
        let last = if rows { self.rows_ms } else { self.told_ms };
        if let Some(last) = last
            && !urgent
            && now_ms < last + FRAME_MS
        {
            return Some(last + FRAME_MS);
        }
        let mut waiting = std::mem::take(&mut self.pending).into_iter().peekable();
        self.pending_bytes = 0;
        while waiting.peek().is_some() {
            let Ok(place) = self.events.try_reserve() else { break };
            let mut bytes = 0;
            let mut batch = Vec::new();
            while let Some(next) = waiting.next_if(|next| bytes == 0 || bytes + self.handed.weight(next) <= BATCH_BYTES)
            {
                let event = self.handed.hand(next);
                bytes += weight(&event);
                batch.push(event);
            }
            place.send(batch);
        }
        self.pending = waiting.collect();
        self.pending_bytes = self.pending.iter().map(Pending::weight).sum();
        self.told_ms = Some(now_ms);
        if rows {
            self.rows_ms = Some(now_ms);
        }
        (self.behind || !self.pending.is_empty()).then_some(now_ms + FRAME_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{InboxCounts, TimelineDelta};

    fn counts(mine: u32) -> DeskEvent {
        DeskEvent::Counts {
            counts: InboxCounts {
                mine,
                ..InboxCounts::default()
            },
        }
    }

    fn bounds(conversation: Id, total: u64) -> DeskEvent {
        DeskEvent::Timeline {
            conversation: conversation.to_string(),
            deltas: vec![TimelineDelta::Bounds {
                total,
                floor: 1,
                customer_read: 0,
            }],
        }
    }

    fn put_back(text: String) -> DeskEvent {
        DeskEvent::PutBack {
            conversation: String::new(),
            text,
            note: false,
            reason: "store".into(),
        }
    }

    #[test]
    fn a_quiet_window_is_told_at_once_and_a_busy_one_once_a_frame_the_last_state_only() {
        let mut windows = Windows::default();
        let main = WindowId("main".into());
        let mut events = windows.attach(main.clone());
        windows.tell(&main, counts(1));
        assert_eq!(windows.flush(1_000, false), None);
        assert_eq!(events.try_recv().unwrap(), [counts(1)]);
        windows.tell(&main, counts(2));
        windows.tell(&main, counts(3));
        assert_eq!(windows.flush(1_003, false), Some(1_016));
        assert!(events.try_recv().is_err());
        assert_eq!(windows.flush(1_016, false), None);
        assert_eq!(events.try_recv().unwrap(), [counts(3)]);
    }

    #[test]
    fn deltas_keep_their_order() {
        let mut windows = Windows::default();
        let main = WindowId("main".into());
        let mut events = windows.attach(main.clone());
        let (one, two) = (Id([1; 16]), Id([2; 16]));
        for (conversation, total) in [(one, 1), (one, 2), (two, 1), (one, 3)] {
            windows.tell(&main, bounds(conversation, total));
        }
        windows.flush(0, false);
        let batch = events.try_recv().unwrap();
        assert_eq!(batch.len(), 3);
        assert!(matches!(&batch[0], DeskEvent::Timeline { deltas, .. } if deltas.len() == 2));
        assert_eq!(batch[2], bounds(one, 3));
    }

    #[test]
    fn a_window_that_takes_nothing_is_told_all_anew_and_loses_no_put_back() {
        let mut windows = Windows::default();
        let main = WindowId("main".into());
        let mut events = windows.attach(main.clone());
        let conversation = Id([1; 16]);
        windows.tell(&main, put_back("kept".into()));
        for at in 0..20_000 {
            windows.tell(&main, bounds(conversation, at));
        }
        assert_eq!(windows.take_behind(), std::slice::from_ref(&main));
        windows.flush(0, false);
        assert_eq!(events.try_recv().unwrap(), [put_back("kept".into())]);
        // It can be told again.
        windows.tell(&main, bounds(conversation, 7));
        windows.flush(100, false);
        assert_eq!(events.try_recv().unwrap(), [bounds(conversation, 7)]);
    }

    #[test]
    fn messages_do_not_wait_because_something_else_was_told() {
        let mut windows = Windows::default();
        let main = WindowId("main".into());
        let mut events = windows.attach(main.clone());
        let conversation = Id([7; 16]);
        windows.tell(&main, counts(1));
        assert_eq!(windows.flush(0, false), None);
        windows.tell(&main, counts(2));
        assert_eq!(windows.flush(1, false), Some(FRAME_MS));
        windows.tell(&main, bounds(conversation, 1));
        assert_eq!(windows.flush(2, false), None);
        windows.tell(&main, bounds(conversation, 2));
        assert_eq!(windows.flush(3, false), Some(2 + FRAME_MS));
        let told: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).flatten().collect();
        assert_eq!(told, [counts(1), counts(2), bounds(conversation, 1)]);
    }

    #[test]
    fn batches_are_small_and_a_full_channel_drops_nothing() {
        let mut windows = Windows::default();
        let main = WindowId("main".into());
        let mut events = windows.attach(main.clone());
        for at in 0..50 {
            windows.tell(&main, put_back(format!("{at:05000}")));
        }
        assert_eq!(windows.flush(0, false), Some(FRAME_MS));
        let mut heard = 0;
        let mut now = 0;
        while heard < 50 {
            while let Ok(batch) = events.try_recv() {
                heard += batch.len();
                assert!(batch.iter().map(weight).sum::<usize>() <= BATCH_BYTES);
            }
            now += FRAME_MS;
            windows.flush(now, false);
        }
    }
}
