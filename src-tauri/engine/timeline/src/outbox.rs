//! Acts of the outbox, in the order of doing: they come, change and go.

use zuoxi_protocol::change::OutboxAct;
use zuoxi_wire::Id;

use super::Timeline;
use super::act::{self, Act, Progress, Stand};
use super::decode::Item;
use super::steps::count_step;
use crate::view::RowBody;

impl<W: Ord + Clone> Timeline<W> {
    /// A new act, or one whose state changed.
    pub fn put_act(&mut self, act: &OutboxAct, progress: Progress) {
        if self.places.get(&act.id).is_some_and(|place| *place != act.place) {
            // "Send again" took the last place.
            self.remove_act(act.id);
        }
        let shown = self.with_what_was_said(act::shown(act, progress, &self.me));
        let overtaken = usize::from(!shown.overtaken_by.is_empty());
        match self.acts.binary_search_by(|other| compared(other, act.place)) {
            Ok(position) => {
                let index = self.settled_rows() + position as u64;
                let before = self.flags_below(index + 1);
                let changed = self.acts.get_mut(position).is_some_and(|there| {
                    let changed = *there != shown;
                    self.overtaken -= usize::from(!there.overtaken_by.is_empty());
                    self.overtaken += overtaken;
                    *there = shown;
                    changed
                });
                if changed {
                    self.told_update(index);
                    self.tell_changed(before);
                }
            }
            // Its entry came first (from another connection): it is settled already.
            Err(_) if self.is_settled(&shown) => {}
            Err(position) => {
                if self.ids.any(act.id) {
                    self.doubled.insert(act.id);
                }
                let index = self.settled_rows() + position as u64;
                let before = self.flags_below(index);
                self.places.insert(act.id, act.place);
                self.acts.insert(position, shown);
                self.overtaken += overtaken;
                self.told_insert(index, 1);
                self.tell_changed(before);
            }
        }
    }

    /// Whether an entry is what this act did. One that was refused for good isn't in the log, whatever has its id.
    fn is_settled(&self, act: &Act) -> bool {
        let comparable = |item: &Item| matches!(item.body, RowBody::Message { .. } | RowBody::Note { .. });
        matches!(act.stand, Stand::Waits(_))
            && self
                .items(act.id, Some(self.me.id))
                .any(|(_, item)| act.words.is_empty() || !comparable(item) || item.body == act.body)
    }

    /// An act that is gone without an entry (discarded, voided and answered).
    pub fn remove_act(&mut self, id: Id) {
        let Some(place) = self.places.remove(&id) else { return };
        self.doubled.remove(&id);
        let Some(position) = self.position(place) else { return };
        let index = self.settled_rows() + position as u64;
        let before = self.flags_below(index + 1);
        self.take_act(position);
        self.told_remove(index, 1);
        self.tell_changed(before);
    }

    pub(super) fn take_act(&mut self, position: usize) {
        let act = self.acts.remove(position);
        self.overtaken -= usize::from(!act.overtaken_by.is_empty());
    }

    pub(super) fn position(&self, place: u64) -> Option<usize> {
        self.acts.binary_search_by(|act| compared(act, place)).ok()
    }

    pub(super) fn act_at(&self, id: Id) -> Option<&Act> {
        self.places
            .get(&id)
            .and_then(|place| self.position(*place))
            .and_then(|position| self.acts.get(position))
    }

    /// Whether a connection stands: the waiting acts' mark says so.
    pub fn set_online(&mut self, online: bool) {
        if self.online == online {
            return;
        }
        self.online = online;
        let first = self.settled_rows();
        self.told_updates(first, self.total(), |row| row.seq.is_none() && row.mark.is_some());
    }
}

/// By place, counted.
fn compared(act: &Act, place: u64) -> std::cmp::Ordering {
    count_step();
    act.place.cmp(&place)
}
