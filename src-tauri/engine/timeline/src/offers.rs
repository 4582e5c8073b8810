//! What a row says beside its content: the replies that overtook it, and that it was sent before it could be discarded.

use zuoxi_wire::Id;

use super::Timeline;
use super::act::Act;
use super::steps::Seq;
use crate::view::{RowBody, SaidView};

impl<W: Ord + Clone> Timeline<W> {
    /// An own message was discarded too late: it was sent, and recalling it is offered at its row until it is recalled
    /// or [`Timeline::recall_not_offered`].
    pub fn offer_recall(&mut self, id: Id) {
        if self.too_late.insert(id) {
            self.tell_own(id);
        }
    }

    /// It is being recalled, or is to stay.
    pub fn recall_not_offered(&mut self, id: Id) {
        if self.too_late.remove(&id) {
            self.tell_own(id);
        }
    }

    fn tell_own(&mut self, id: Id) {
        let seqs: Vec<u64> = self.items(id, Some(self.me.id)).map(|(seq, _)| seq).collect();
        for seq in seqs {
            self.told_update(seq - self.floor);
        }
    }

    /// What stands at a Seq, if it is in memory and has words.
    fn said_at(&self, seq: u64) -> Option<SaidView> {
        let item = self.settled.get(&Seq(seq))?;
        let RowBody::Message { text, .. } = &item.body else {
            return None;
        };
        Some(SaidView {
            seq,
            author_name: item.author_name.clone(),
            text: text.clone(),
        })
    }

    /// A refused reply stands beside what was said meanwhile, as far as that is in memory.
    pub(super) fn with_what_was_said(&self, mut act: Act) -> Act {
        if let Some(refusal) = &mut act.refusal {
            refusal.said = act.overtaken_by.iter().filter_map(|seq| self.said_at(*seq)).collect();
        }
        act
    }

    /// The entry at this Seq came, or lost its content: replies that it overtook say so.
    pub(super) fn tell_overtaken(&mut self, seq: u64) {
        if self.overtaken == 0 {
            return;
        }
        let said = self.said_at(seq);
        let first = self.settled_rows();
        let mut changed = Vec::new();
        for (index, act) in (first..).zip(&mut self.acts) {
            let Some(refusal) = act.refusal.as_mut().filter(|_| act.overtaken_by.contains(&seq)) else {
                continue;
            };
            refusal.said.retain(|other| other.seq != seq);
            refusal.said.extend(said.clone());
            refusal.said.sort_by_key(|other| other.seq);
            changed.push(index);
        }
        for index in changed {
            self.told_update(index);
        }
    }
}
