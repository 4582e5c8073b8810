//! One open conversation as an ordered list of rows: what is settled by Seq, then the outbox in the order of doing.
//! Pure: entries come in, deltas for each observing window come out; nothing is read or written here.
//!
//! Row index = Seq − floor while settled. A Seq that isn't in memory is a row too, `Loading`, with the key `seq:N`; a
//! row that was settled or done has its message id as key from then on, through ACK and history. Every operation costs
//! O(log n) and what it moves; no operation looks at more rows than a window shows.

mod act;
mod decode;
mod ends;
mod entries;
mod follow;
mod ids;
mod observing;
mod offers;
mod outbox;
pub mod planted;
mod positions;
mod replay;
mod rows;
mod steps;
pub mod view;
mod window;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use zuoxi_wire::Id;

use act::Act;
use decode::Item;
use ids::Ids;
use steps::Seq;
use window::Window;

pub use act::Progress;
pub use replay::replay;
pub use steps::steps;

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
    ids: Ids,
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
            ids: Ids::default(),
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

    /// Whether this member's entry with this id is in memory.
    pub fn has_own_entry(&self, id: Id) -> bool {
        self.items(id, Some(self.me.id)).next().is_some()
    }

    /// What stands under an id and its author.
    fn items(&self, id: Id, author: Option<Id>) -> impl Iterator<Item = (u64, &Item)> {
        self.ids
            .of(id)
            .filter_map(|seq| self.settled.get(&Seq(seq)).map(|item| (seq, item)))
            .filter(move |(_, item)| item.author == author)
    }

    /// Whether any window looks.
    pub fn is_observed(&self) -> bool {
        !self.windows.is_empty()
    }

    fn settled_rows(&self) -> u64 {
        (self.top + 1).saturating_sub(self.floor)
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
}
