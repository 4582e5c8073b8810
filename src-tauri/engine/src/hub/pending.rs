//! What waits to be told to a window: what replaces what, and how much of a batch it takes.

use crate::view::{DeskEvent, InboxRow, InboxSlot, InboxView, RowBody, TimelineDelta, TimelineRow};

/// Something that a window hasn't been told yet.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are events")]
pub(super) enum Pending {
    /// Goes out as it is.
    Event(DeskEvent),
    /// The list as it is now: what goes out of it depends on what the window has by then.
    Inbox(InboxView),
}

impl Pending {
    pub(super) fn state_key(&self) -> Option<StateKey<'_>> {
        match self {
            Self::Event(event) => state_key(event),
            Self::Inbox(_) => Some(StateKey::Inbox),
        }
    }

    /// It tells a moment and not a state, so it can't be told anew.
    pub(super) fn is_of_a_moment(&self) -> bool {
        self.state_key().is_none() && !matches!(self, Self::Event(DeskEvent::Timeline { .. }))
    }

    /// Bytes as JSON, about, to a window that has nothing.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Event(event) => weight(event),
            Self::Inbox(view) => list_weight(view.rows.iter().map(Some)),
        }
    }
}

/// Events of the same key describe the same state: the newer one replaces the older.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StateKey<'a> {
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
pub(super) fn weight(event: &DeskEvent) -> usize {
    match event {
        DeskEvent::Inbox { delta } => list_weight(delta.rows.iter().map(|slot| match slot {
            InboxSlot::Kept(_) => None,
            InboxSlot::Row(row) => Some(row),
        })),
        DeskEvent::Conversation { row } => inbox_row_weight(row),
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

/// Of a list, by its rows; `None`: one that the window keeps.
pub(super) fn list_weight<'a>(rows: impl Iterator<Item = Option<&'a InboxRow>>) -> usize {
    100 + rows.map(|row| row.map_or(4, inbox_row_weight)).sum::<usize>()
}

fn inbox_row_weight(row: &InboxRow) -> usize {
    450 + row.preview.len()
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
