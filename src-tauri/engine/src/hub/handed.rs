//! What a window has of its list, so that it is handed no row twice. It follows what goes out and not what was to go
//! out, so what is replaced or dropped on the way needs no care.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::pending::{Pending, list_weight};
use crate::view::{DeskEvent, InboxDelta, InboxRow, InboxSlot, InboxView};

/// The rows of the view that a window was handed last.
#[derive(Debug, Default)]
pub(super) struct Handed {
    rows: Vec<InboxRow>,
}

impl Handed {
    /// The window has nothing, or may have nothing: it is handed every row again.
    pub(super) fn forget(&mut self) {
        self.rows.clear();
    }

    /// Bytes as JSON, about, of what this window would be handed.
    pub(super) fn weight(&self, pending: &Pending) -> usize {
        match pending {
            Pending::Inbox(view) => {
                let kept = self.kept();
                list_weight(view.rows.iter().map(|row| kept(row).is_none().then_some(row)))
            }
            Pending::Event(_) => pending.weight(),
        }
    }

    /// What goes out, in order.
    pub(super) fn hand(&mut self, pending: Pending) -> DeskEvent {
        match pending {
            Pending::Inbox(view) => DeskEvent::Inbox {
                delta: self.hand_view(view),
            },
            Pending::Event(event) => {
                // At these a user interface lets go of all it has (`DeskFacts` in ui/desk/state).
                if matches!(event, DeskEvent::Me { me: None } | DeskEvent::SessionEnded { .. }) {
                    self.forget();
                }
                event
            }
        }
    }

    fn hand_view(&mut self, view: InboxView) -> InboxDelta {
        let rows = self.slots(&view.rows);
        self.rows = view.rows;
        InboxDelta {
            tab: view.tab,
            waiting_count: view.waiting_count,
            total: view.total,
            from: view.from,
            rows,
        }
    }

    fn slots(&self, rows: &[InboxRow]) -> Vec<InboxSlot> {
        let kept = self.kept();
        rows.iter()
            .map(|row| kept(row).map_or_else(|| InboxSlot::Row(row.clone()), InboxSlot::Kept))
            .collect()
    }

    /// Where the window has just this row, if it does.
    fn kept(&self) -> impl Fn(&InboxRow) -> Option<u32> {
        let places: BTreeMap<&str, (u32, &InboxRow)> = (0..)
            .zip(&self.rows)
            .map(|(index, row)| (row.conversation.as_str(), (index, row)))
            .collect();
        move |row| {
            let (index, had) = places.get(row.conversation.as_str())?;
            (*had == row).then_some(*index)
        }
    }
}
