//! Entries of the log: they come in any order, an act's own takes that act's row, and a recall takes its target's content.

use zuoxi_protocol::change::StoredEntry;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Entry, EntryKind};

use super::Timeline;
use super::decode::{self, Item};
use super::steps::Seq;

impl<W: Ord + Clone> Timeline<W> {
    /// Takes entries in any order, again and again. Those below the floor are passed over; an act of the outbox with
    /// the same id (and this member as author, and the same words) becomes this entry; a recall takes its target's content.
    pub fn insert(&mut self, entries: &[StoredEntry]) {
        for stored in entries {
            if let Ok(entry) = <Entry as prost::Message>::decode(stored.bytes.clone()) {
                self.insert_one(stored, &entry);
            }
        }
    }

    fn insert_one(&mut self, stored: &StoredEntry, entry: &Entry) {
        if stored.seq < self.floor {
            return;
        }
        if self.settled.contains_key(&Seq(stored.seq)) {
            // The log never changes, but for content that was taken away.
            if entry.erased {
                self.erase(&[stored.seq]);
            }
            return;
        }
        let mut item = decode::item(stored, entry, &self.me);
        let act = self.act_at(stored.id);
        let settles = stored.author == Some(self.me.id)
            && !self.doubled.contains(&stored.id)
            && act.is_some_and(|act| act.is_entered_by(entry));
        if settles {
            if let Some(act) = act
                && entry.content_as_sent
                && entry.content.is_empty()
            {
                item.body = act.body.clone();
            }
            self.settle(stored.seq, item);
        } else {
            if act.is_some() {
                self.double(stored.id);
            }
            self.raise_head(stored.seq - 1);
            let first = stored.seq - self.floor;
            let appended = stored.seq > self.top;
            let before = self.flags_around(first + u64::from(!appended));
            self.top = self.top.max(stored.seq);
            self.keep(stored.seq, item);
            if appended {
                self.told_insert(first, 1);
            } else {
                self.told_update(first);
            }
            self.tell_line(stored.seq);
            self.tell_changed(before);
        }
        self.tell_overtaken(stored.seq);
        if entry.kind == EntryKind::Recall as i32 {
            self.recall(entry);
        }
    }

    fn keep(&mut self, seq: u64, item: Item) {
        self.ids.put(item.id, seq);
        self.settled.insert(Seq(seq), item);
    }

    /// An entry comes that has an act's id and isn't the act: from now on the act's row has a key of its own.
    fn double(&mut self, id: Id) {
        let Some(position) = self.places.get(&id).and_then(|place| self.position(*place)) else {
            return;
        };
        if self.doubled.insert(id) {
            let index = self.settled_rows() + position as u64;
            let act = self.acts.remove(position);
            self.told_remove(index, 1);
            self.acts.insert(position, act);
            self.told_insert(index, 1);
        }
    }

    /// An act's own entry has come: one row moves to its place in the log.
    fn settle(&mut self, seq: u64, item: Item) {
        self.raise_head(seq - 1);
        let to = seq - self.floor;
        let waits_there = seq <= self.top;
        let Some(position) = self.places.get(&item.id).and_then(|place| self.position(*place)) else {
            return;
        };
        let mut from = self.settled_rows() + position as u64;
        let mut before = self.flags_below(from + 1);
        before.extend(self.flags_around(to + u64::from(waits_there)));
        before.dedup_by_key(|(spot, _)| *spot);
        if waits_there {
            // Its placeholder goes first: no two rows ever have one key.
            self.top -= 1;
            self.told_remove(to, 1);
            self.top += 1;
            from -= 1;
        } else {
            self.top = seq;
        }
        self.take_act(position);
        self.places.remove(&item.id);
        self.keep(seq, item);
        self.told_move(from, to);
        self.tell_line(seq);
        self.tell_changed(before);
    }

    /// Content of a message that its author took away.
    fn recall(&mut self, entry: &Entry) {
        let Ok(content) = <zuoxi_wire::v1::RecallContent as prost::Message>::decode(entry.content.clone()) else {
            return;
        };
        let (Ok(id), Ok(author)) = (Id::try_from(&content.id), Id::optional(&content.author)) else {
            return;
        };
        let seqs: Vec<u64> = self.items(id, author).map(|(seq, _)| seq).collect();
        self.erase(&seqs);
    }

    /// Content of these is gone. What is not in memory comes erased from the store.
    pub fn erase(&mut self, seqs: &[u64]) {
        for seq in seqs {
            let Some(item) = self.settled.get(&Seq(*seq)) else {
                continue;
            };
            let Some(body) = decode::recalled(item) else { continue };
            let index = *seq - self.floor;
            let before = self.flags_below(index + 1);
            if let Some(item) = self.settled.get_mut(&Seq(*seq)) {
                item.body = body;
            }
            self.told_update(index);
            self.tell_changed(before);
            self.tell_overtaken(*seq);
        }
    }
}
