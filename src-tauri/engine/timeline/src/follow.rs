//! What a session tells of a conversation, brought to its timeline: the same for whoever drives one.

use zuoxi_protocol::change::{LogState, OutboxAct, StoredEntry};
use zuoxi_protocol::notice::ErasedWhat;
use zuoxi_wire::v1::{ActKind, AuthorRole, Entry, EntryKind, MemberRole, Position};

use super::Timeline;

impl<W: Ord + Clone> Timeline<W> {
    /// A kept log as it is when its timeline is opened.
    pub fn begin(&mut self, log: &LogState) {
        self.set_floor(log.floor);
        self.raise_head(log.head);
        self.own_at(log.read);
        for (_, role, delivered, read) in &log.positions {
            if *role == MemberRole::Customer as i32 {
                self.customer_at(*delivered, *read);
            }
        }
    }

    /// Floor, head or own position of the kept log moved.
    pub fn log_changed(&mut self, log: &LogState) {
        self.set_floor(log.floor);
        self.ends_at(log.head);
        self.own_at(log.read);
    }

    /// The log ends at this Seq, whatever was known before: a restored one may be shorter.
    fn ends_at(&mut self, head: u64) {
        if head < self.head() {
            self.cut_above(head);
            self.cap_positions(head);
        } else {
            self.raise_head(head);
        }
    }

    /// What is watched was opened: one snapshot. What was watched before may be of another log, or taken away since.
    pub fn watch_opened(&mut self, floor: u64, head: u64) {
        self.forget_entries();
        self.set_floor(floor);
        if head < self.head() {
            self.cut_above(head);
        }
        self.raise_head(head);
    }

    /// Positions that were told; the customer's show.
    pub fn positions_moved(&mut self, positions: &[Position]) {
        for position in positions {
            if position.role == MemberRole::Customer as i32 {
                self.customer_at(position.delivered, position.read);
            }
        }
    }

    /// Content was taken away.
    pub fn erased(&mut self, what: &ErasedWhat) {
        // A message that is named by author and id goes when the recall's own entry comes in, which it does first.
        if let ErasedWhat::Seqs(seqs) = what {
            self.erase(seqs);
        }
    }

    /// An act that the gateway has: its row becomes an entry even before the entry itself comes (a repeat's answer
    /// brings none).
    pub fn act_settled(&mut self, act: &OutboxAct, seq: u64, time_ms: u64) {
        let kind = match act.kind {
            ActKind::Message => EntryKind::Message,
            ActKind::Note => EntryKind::Note,
            _ => return self.remove_act(act.id),
        };
        let entry = Entry {
            seq,
            id: act.id.to_bytes(),
            kind: kind as i32,
            time_ms,
            author_role: AuthorRole::Agent as i32,
            author: self.me.id.to_bytes(),
            author_name: self.me.name.clone(),
            content: act.content.clone(),
            ..Entry::default()
        };
        let stored = StoredEntry {
            seq,
            id: act.id,
            author: Some(self.me.id),
            time_ms,
            bytes: prost::Message::encode_to_vec(&entry).into(),
        };
        self.insert(&[stored]);
        // Where its id stood in the log before, with other words, no entry takes its row.
        self.remove_act(act.id);
    }
}
