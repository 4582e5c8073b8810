//! One open conversation as an ordered list of rows: what is settled by Seq, then the outbox in the order of doing.
//! Pure: entries come in, deltas for each observing window come out; nothing is read or written here.
//!
//! Row index = Seq − floor while settled. A Seq that isn't in memory is a row too, `Loading`, with the key `seq:N`; a
//! row that was settled or done has its message id as key from then on, through ACK and history. Every operation costs
//! O(log n) and what it moves; no operation looks at more rows than a window shows.

mod act;
mod decode;
mod follow;
mod observing;
mod offers;
pub mod planted;
mod replay;
mod rows;
pub mod view;
mod window;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use zuoxi_protocol::change::{OutboxAct, StoredEntry};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Entry, EntryKind};

use view::RowBody;

use act::{Act, Stand};
use decode::Item;
use window::Window;

pub use act::Progress;
pub use replay::replay;

/// Whether faults can be planted in this build: never in what is released, which doesn't compile with them.
pub const PLANTED: bool = cfg!(feature = "planted");

/// Minutes east of UTC at a time given in milliseconds UTC: where a day begins.
pub type TimeZone = Arc<dyn Fn(u64) -> i32 + Send + Sync>;

/// Who looks: rows of theirs are `mine`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The agent's (or customer's) id.
    pub id: Id,
    /// Their public name.
    pub name: String,
    /// They are the customer.
    pub customer: bool,
}

/// Where a window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// This row.
    Row(u64),
    /// The first unread row with some rows above it; where everything is read, the end.
    Unread,
}

/// A key of the settled rows. Its comparisons are counted where tests show that costs are flat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seq(u64);

impl PartialOrd for Seq {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Seq {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        count_step();
        self.0.cmp(&other.0)
    }
}

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// One comparison or one look at a row.
fn count_step() {
    STEPS.set(STEPS.get().wrapping_add(1));
}

/// Comparisons and looks at rows on this thread so far: what an operation costs, without a clock.
pub fn steps() -> u64 {
    STEPS.get()
}

/// One conversation's rows, and the windows onto them, each named by a `W`.
#[derive(Debug)]
pub struct Timeline<W> {
    conversation: Id,
    me: Me,
    zone: Zone,
    watched: bool,
    /// Seq of row 0; 1 or more.
    floor: u64,
    /// Highest Seq known, told or seen; `floor - 1` or more.
    top: u64,
    settled: BTreeMap<Seq, Item>,
    by_id: HashMap<Id, u64>,
    /// By place.
    acts: Vec<Act>,
    places: HashMap<Id, u64>,
    /// Acts whose ids stand in the log with other words: they have keys of their own.
    doubled: HashSet<Id>,
    /// Acts among them that something overtook.
    overtaken: usize,
    /// Own messages that were discarded too late.
    too_late: HashSet<Id>,
    /// The customer's positions.
    delivered: u64,
    customer_read: u64,
    /// This member's.
    own_read: u64,
    online: bool,
    windows: BTreeMap<W, Window>,
}

/// The time zone, behind a name that can be printed.
struct Zone(TimeZone);

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Zone")
    }
}

impl<W: Ord + Clone> Timeline<W> {
    /// An empty one: floor 1, no head.
    pub fn new(conversation: Id, me: Me, zone: TimeZone) -> Self {
        Self {
            conversation,
            me,
            zone: Zone(zone),
            watched: false,
            floor: 1,
            top: 0,
            settled: BTreeMap::new(),
            by_id: HashMap::new(),
            acts: Vec::new(),
            places: HashMap::new(),
            doubled: HashSet::new(),
            overtaken: 0,
            too_late: HashSet::new(),
            delivered: 0,
            customer_read: 0,
            own_read: 0,
            online: false,
            windows: BTreeMap::new(),
        }
    }

    /// Seq of row 0.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// Highest Seq known.
    pub fn head(&self) -> u64 {
        self.top
    }

    /// Rows in all.
    pub fn total(&self) -> u64 {
        self.settled_rows() + self.acts.len() as u64
    }

    /// Settled rows that are in memory.
    pub fn held(&self) -> usize {
        self.settled.len()
    }

    /// Whether an entry with this id is in memory.
    pub fn has_entry(&self, id: Id) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Whether any window looks.
    pub fn is_observed(&self) -> bool {
        !self.windows.is_empty()
    }

    fn settled_rows(&self) -> u64 {
        (self.top + 1).saturating_sub(self.floor)
    }

    /// Where row 0 is from now on (1 or more). What lies below is dropped. Windows are told anew.
    pub fn set_floor(&mut self, floor: u64) {
        let floor = floor.max(1);
        if floor == self.floor {
            return;
        }
        let old = self.floor;
        self.floor = floor;
        self.top = self.top.max(floor - 1);
        while let Some((seq, _)) = self.settled.first_key_value() {
            if seq.0 >= floor {
                break;
            }
            self.forget_first();
        }
        for window in self.windows.values_mut() {
            window.shift(old, floor);
        }
    }

    fn forget_first(&mut self) {
        if let Some((seq, item)) = self.settled.pop_first()
            && self.by_id.get(&item.id) == Some(&seq.0)
        {
            self.by_id.remove(&item.id);
        }
    }

    /// The log reaches up to this Seq; what isn't here yet is `Loading`. A lower one than known changes nothing.
    pub fn raise_head(&mut self, head: u64) {
        if head > self.top {
            let first = self.settled_rows();
            let added = head - self.top.max(self.floor - 1);
            let before = self.flags_below(first);
            self.top = head;
            self.told_insert(first, added);
            self.tell_changed(before);
        }
    }

    /// The log ends at this Seq after all (a restored gateway). What lies above is dropped.
    pub fn cut_above(&mut self, head: u64) {
        let head = head.max(self.floor - 1);
        if head >= self.top {
            return;
        }
        let first = head + 1 - self.floor;
        let count = self.settled_rows() - first;
        let before = self.flags_below(first + count);
        while let Some((seq, _)) = self.settled.last_key_value() {
            if seq.0 <= head {
                break;
            }
            if let Some((seq, item)) = self.settled.pop_last()
                && self.by_id.get(&item.id) == Some(&seq.0)
            {
                self.by_id.remove(&item.id);
            }
        }
        self.top = head;
        self.told_remove(first, count);
        // Its reason may be gone.
        if let Some(last) = first.checked_sub(1) {
            self.told_updates(last, first, |row| matches!(row.body, RowBody::Assignment { .. }));
        }
        self.tell_changed(before);
    }

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
        self.by_id.entry(item.id).or_insert(seq);
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
        let target = self.by_id.get(&id).copied();
        if let Some(seq) = target
            && self.settled.get(&Seq(seq)).is_some_and(|item| item.author == author)
        {
            self.erase(&[seq]);
        }
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
                if self.by_id.contains_key(&act.id) {
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
        let entry = self.by_id.get(&act.id).and_then(|seq| self.settled.get(&Seq(*seq)));
        let own = entry.filter(|item| item.author == Some(self.me.id));
        let comparable = |item: &Item| matches!(item.body, RowBody::Message { .. } | RowBody::Note { .. });
        matches!(act.stand, Stand::Waits(_))
            && own.is_some_and(|item| act.words.is_empty() || !comparable(item) || item.body == act.body)
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

    fn take_act(&mut self, position: usize) {
        let act = self.acts.remove(position);
        self.overtaken -= usize::from(!act.overtaken_by.is_empty());
    }

    fn position(&self, place: u64) -> Option<usize> {
        self.acts.binary_search_by(|act| compared(act, place)).ok()
    }

    fn act_at(&self, id: Id) -> Option<&Act> {
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

    /// Entries are kept in memory alone.
    pub fn set_watched(&mut self, watched: bool) {
        if self.watched != watched {
            self.watched = watched;
            for window in self.windows.values_mut() {
                window.reset();
            }
        }
    }

    /// How far the customer's page has received and read. Positions only move forward, but for a restored log
    /// (see [`Timeline::cap_positions`]).
    pub fn customer_at(&mut self, delivered: u64, read: u64) {
        let (old_delivered, old_read) = (self.delivered, self.customer_read);
        self.customer_read = self.customer_read.max(read);
        self.delivered = self.delivered.max(delivered).max(self.customer_read);
        if (self.delivered, self.customer_read) == (old_delivered, old_read) {
            return;
        }
        self.told_marks(old_delivered.min(old_read), self.delivered.max(self.customer_read));
        if self.customer_read != old_read {
            self.told_bounds();
        }
    }

    /// Positions of another log's epoch are capped.
    pub fn cap_positions(&mut self, seq: u64) {
        let (delivered, read) = (self.delivered, self.customer_read);
        self.delivered = delivered.min(seq);
        self.customer_read = read.min(seq);
        self.own_read = self.own_read.min(seq);
        self.told_marks(self.delivered.min(self.customer_read), delivered);
        if self.customer_read != read {
            self.told_bounds();
        }
    }

    /// The own read position: decides what is unread for windows that are opened later.
    pub fn own_at(&mut self, read: u64) {
        self.own_read = self.own_read.max(read);
    }
}

/// By place, counted.
fn compared(act: &Act, place: u64) -> std::cmp::Ordering {
    count_step();
    act.place.cmp(&place)
}
