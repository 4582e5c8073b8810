//! The attached windows: what each observes, and what it hasn't been told yet. A window that is slow to take events
//! holds up nobody: what describes a state replaces what was to be told of it before, and when even that grows too
//! much, all of it is dropped and the window is told everything it observes anew.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use zuoxi_wire::Id;

use crate::desk::WindowId;
use crate::view::{DeskEvent, InboxTab, RowBody, TimelineDelta, TimelineRow};

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
    pending: Vec<DeskEvent>,
    pending_bytes: usize,
    behind: bool,
    told_ms: Option<u64>,
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
            behind: false,
            told_ms: None,
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
            window.inbox = Some(observed);
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
            window.add(event);
        }
    }

    pub(crate) fn tell_all(&mut self, event: &DeskEvent) {
        for window in self.open.values_mut() {
            window.add(event.clone());
        }
    }

    /// Tells all who observe a conversation.
    pub(crate) fn tell_observers(&mut self, conversation: Id, event: &DeskEvent) {
        for window in self
            .open
            .values_mut()
            .filter(|window| window.timelines.contains(&conversation))
        {
            window.add(event.clone());
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
    fn add(&mut self, event: DeskEvent) {
        if self.behind {
            return;
        }
        let key = state_key(&event);
        if key.is_some()
            && let Some(at) = self.pending.iter().rposition(|other| state_key(other) == key)
        {
            let old = self.pending.remove(at);
            self.pending_bytes = self.pending_bytes.saturating_sub(weight(&old));
        }
        self.pending_bytes += weight(&event);
        match (self.pending.last_mut(), event) {
            (
                Some(DeskEvent::Timeline { conversation, deltas }),
                DeskEvent::Timeline {
                    conversation: also,
                    deltas: more,
                },
            ) if *conversation == also => deltas.extend(more),
            (_, event) => self.pending.push(event),
        }
        if self.pending_bytes > PENDING_BYTES {
            tracing::info!(
                bytes = self.pending_bytes,
                "a window doesn't keep up: it is told all anew"
            );
            self.behind = true;
            // What tells a moment and not a state can't be told anew.
            self.pending
                .retain(|event| state_key(event).is_none() && !matches!(event, DeskEvent::Timeline { .. }));
            self.pending_bytes = self.pending.iter().map(weight).sum();
        }
    }

    fn forget(&mut self, conversation: Id) {
        let name = conversation.to_string();
        self.pending
            .retain(|event| !matches!(event, DeskEvent::Timeline { conversation, .. } if *conversation == name));
        self.pending_bytes = self.pending.iter().map(weight).sum();
    }

    fn flush(&mut self, now_ms: u64, urgent: bool) -> Option<u64> {
        if self.pending.is_empty() {
            return self.behind.then_some(now_ms + FRAME_MS);
        }
        if let Some(told_ms) = self.told_ms
            && !urgent
            && now_ms < told_ms + FRAME_MS
        {
            return Some(told_ms + FRAME_MS);
        }
        let mut waiting = std::mem::take(&mut self.pending).into_iter().peekable();
        self.pending_bytes = 0;
        while waiting.peek().is_some() {
            let Ok(place) = self.events.try_reserve() else { break };
            let mut bytes = 0;
            let mut batch = Vec::new();
            while let Some(event) = waiting.next_if(|event| batch_takes(bytes, event)) {
                bytes += weight(&event);
                batch.push(event);
            }
            place.send(batch);
        }
        self.pending = waiting.collect();
        self.pending_bytes = self.pending.iter().map(weight).sum();
        self.told_ms = Some(now_ms);
        (self.behind || !self.pending.is_empty()).then_some(now_ms + FRAME_MS)
    }
}

fn batch_takes(bytes: usize, event: &DeskEvent) -> bool {
    bytes == 0 || bytes + weight(event) <= BATCH_BYTES
}

/// Events of the same key describe the same state: the newer one replaces the older.
#[derive(Debug, PartialEq, Eq)]
enum StateKey<'a> {
    Me,
    Sync,
    Counts,
    Inbox,
    Row(&'a str),
    Typing(&'a str),
    Customer(&'a str),
    Draft(&'a str),
}

fn state_key(event: &DeskEvent) -> Option<StateKey<'_>> {
    match event {
        DeskEvent::Me { .. } => Some(StateKey::Me),
        DeskEvent::Sync { .. } => Some(StateKey::Sync),
        DeskEvent::Counts { .. } => Some(StateKey::Counts),
        DeskEvent::Inbox { .. } => Some(StateKey::Inbox),
        DeskEvent::Conversation { row } => Some(StateKey::Row(&row.conversation)),
        DeskEvent::Typing { conversation, .. } => Some(StateKey::Typing(conversation)),
        DeskEvent::Customer { panel } => Some(StateKey::Customer(&panel.conversation)),
        DeskEvent::Draft { conversation, .. } => Some(StateKey::Draft(conversation)),
        DeskEvent::Timeline { .. }
        | DeskEvent::Attention { .. }
        | DeskEvent::PutBack { .. }
        | DeskEvent::SessionEnded { .. }
        | DeskEvent::ServerLost { .. }
        | DeskEvent::QuitAsked { .. }
        | DeskEvent::Popped { .. }
        | DeskEvent::Show { .. }
        | DeskEvent::TooLate { .. } => None,
    }
}

/// Bytes of an event as JSON, about: names and punctuation by a constant, texts as they are.
fn weight(event: &DeskEvent) -> usize {
    match event {
        DeskEvent::Inbox { view } => 100 + view.rows.iter().map(|row| 450 + row.preview.len()).sum::<usize>(),
        DeskEvent::Conversation { row } => 450 + row.preview.len(),
        DeskEvent::Timeline { deltas, .. } => 80 + deltas.iter().map(delta_weight).sum::<usize>(),
        DeskEvent::Customer { panel } => {
            800 + panel
                .visits
                .iter()
                .map(|visit| 100 + visit.first_words.len())
                .sum::<usize>()
        }
        DeskEvent::PutBack { text, .. } => 150 + text.len(),
        DeskEvent::Draft { draft, .. } => 150 + draft.text.len() + draft.note.len(),
        _ => 200,
    }
}

fn delta_weight(delta: &TimelineDelta) -> usize {
    match delta {
        TimelineDelta::Reset { view } => 200 + view.rows.iter().map(row_weight).sum::<usize>(),
        TimelineDelta::Insert { rows, .. } => 40 + rows.iter().map(row_weight).sum::<usize>(),
        TimelineDelta::Update { row, .. } | TimelineDelta::Move { row, .. } => 60 + row_weight(row),
        TimelineDelta::Remove { .. } | TimelineDelta::Bounds { .. } => 80,
    }
}

fn row_weight(row: &TimelineRow) -> usize {
    let text = match &row.body {
        RowBody::Message { text, .. } | RowBody::Note { text } => text.len(),
        RowBody::Reason(reason)
        | RowBody::Assignment {
            reason: Some(reason), ..
        } => 40 + reason.text.len(),
        RowBody::Recalled { edit_again, .. } => edit_again.len(),
        _ => 40,
    };
    let message = row.message.as_ref().map_or(0, |id| 13 + id.len());
    300 + message + text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::InboxCounts;

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
