//! What a user interface does with deltas, in Rust: the meaning that `TimelineDelta`s have.

use crate::view::{TimelineDelta, TimelineView};

/// Applies one delta to the last view.
///
/// An index stands inside of a view from `from` up to and with its end (for an insert), or up to before it (else).
/// An engine sends no insert, removal, update or move that lies outside; a view is left as it is by one that does, but
/// for its total.
pub fn replay(view: &mut TimelineView, delta: &TimelineDelta) {
    let from = view.from;
    let inside = |index: u64| usize::try_from(index.checked_sub(from)?).ok();
    match delta {
        TimelineDelta::Reset { view: anew } => view.clone_from(anew),
        TimelineDelta::Insert { index, rows } => {
            view.total += rows.len() as u64;
            if let Some(at) = inside(*index)
                && at <= view.rows.len()
            {
                view.rows.splice(at..at, rows.iter().cloned());
            }
        }
        TimelineDelta::Update { index, row } => {
            if let Some(there) = inside(*index).and_then(|at| view.rows.get_mut(at)) {
                there.clone_from(row);
            }
        }
        TimelineDelta::Move { from: old, to, row } => {
            if let (Some(old), Some(to)) = (inside(*old), inside(*to))
                && old < view.rows.len()
                && to < view.rows.len()
            {
                view.rows.remove(old);
                view.rows.insert(to, row.clone());
            }
        }
        TimelineDelta::Remove { index, count } => {
            view.total = view.total.saturating_sub(*count);
            if let (Some(at), Some(end)) = (inside(*index), inside(index + count))
                && end <= view.rows.len()
            {
                view.rows.drain(at..end);
            }
        }
        TimelineDelta::Bounds {
            total,
            floor,
            customer_read,
        } => {
            view.total = *total;
            view.floor = *floor;
            view.customer_read = *customer_read;
        }
    }
}
