//! What must be true, judged from outside: by what the store committed, what frames said, what disks hold and what users
//! saw. It shares no rule with what it checks: only the types in which both speak (the wire's, the store's
//! records, a device's changes) and the reader of blocks.

mod acts;
mod disk;
mod end;
mod frames;
mod proof;
mod screen;
pub mod truth;
mod user;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use zuoxi_rules::record::{Entry, Feed};
use zuoxi_rules::{MemoryStore, Store as _};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, EntryKind};

use crate::rare::Rare;
use crate::world::store::Written;
pub use screen::Shown;
pub use truth::Truth;
use user::{Seen, User};
use wire::Wire;

/// The judge.
#[derive(Default)]
pub struct Checker {
    pub failure: Option<String>,
    pub rare: Rare,
    pub now: u64,
    /// When faults stopped.
    pub heals_at: u64,
    /// Acts whose clock a user saw.
    pub clocks: u64,
    /// Entries of caches that were compared in the end.
    pub compared: u64,
    /// Several groups committed at once: what the first of them said was true before the second.
    pub several: bool,
    /// Everybody was asked to say something once more.
    pub last_words: bool,
    truth: Truth,
    /// Counts commits, across restores.
    commit: u64,
    users: Vec<User>,
    wires: BTreeMap<usize, Wire>,
    /// Which devices did an act.
    doers: BTreeMap<Id, Vec<usize>>,
    /// Acts that were answered `void`.
    voided: BTreeSet<Id>,
    /// Entries that ever stood in a log, by author and id.
    ever: BTreeSet<(Id, Id)>,
    /// When a log was restored last.
    restored_at: u64,
    /// Ben is in the second team, and when that changed.
    in_depot: bool,
    depot_at: u64,
}

impl Checker {
    /// The first failure stands.
    pub fn fail(&mut self, what: String) {
        self.failure.get_or_insert(what);
    }

    /// A device joins.
    pub fn add(&mut self, name: String, agent: Option<Id>) {
        self.in_depot = true;
        self.users.push(User {
            name,
            agent,
            ..User::default()
        });
    }

    /// The log's epoch at the beginning.
    pub fn begins(&mut self, epoch: u64) {
        self.truth.epoch = epoch;
    }

    /// What the store holds at the beginning.
    pub fn know(&mut self, store: &MemoryStore) {
        let mut store = store.backup();
        let conversation = crate::world::people::old_conversation();
        let mut written: Vec<Written> = store.log(conversation).into_iter().map(Written::Entry).collect();
        if let Ok(Some(row)) = store.conversation(conversation) {
            written.push(Written::Conversation(Box::new(row)));
        }
        self.wrote(written);
        self.doers.clear();
    }

    /// All conversations that have a row.
    pub fn conversations(&self) -> Vec<Id> {
        self.truth.logs.keys().copied().collect()
    }

    /// Whether this entry is words that still stand.
    pub fn is_said(&self, conversation: Id, id: Id) -> bool {
        let log = self.truth.logs.get(&conversation);
        let found = log.into_iter().flat_map(|log| log.entries.iter().rev().take(60));
        found
            .into_iter()
            .any(|kept| kept.entry.id == id && !kept.entry.erased && truth::is_said(kept.entry.kind))
    }

    /// Where this Seq of the agents' log would be, had nobody written notes.
    pub fn without_notes(&self, conversation: Id, seq: u64) -> u64 {
        let entries = self.truth.logs.get(&conversation).map_or(&[][..], |log| &log.entries);
        let upto = entries.iter().take(seq as usize);
        let noted = |entry: &Entry| {
            let hidden = entry.audience == zuoxi_rules::record::Audience::Agents;
            entry.kind == EntryKind::Note || (entry.kind == EntryKind::Recall && hidden)
        };
        seq - upto.filter(|kept| noted(&kept.entry)).count() as u64
    }

    /// Who this device's user is.
    pub fn me(&self, n: usize) -> Option<Id> {
        self.users[n].me
    }

    pub fn backup(&self) -> Truth {
        self.truth.clone()
    }

    pub fn teams(&mut self, in_depot: bool) {
        self.in_depot = in_depot;
        self.depot_at = self.now;
    }

    /// The user discards an act, or does it again as another.
    pub fn discards(&mut self, n: usize, id: Id) {
        if let Some(act) = self.users[n].acts.get_mut(&id) {
            act.dropped = true;
            // Another desk of the same agent may send again what the server lost.
            act.loose |= act.seen == Seen::Lost;
        }
    }

    /// Whoever sat at this device begins anew: nothing of it is left.
    pub fn forgot(&mut self, n: usize) {
        let user = &mut self.users[n];
        *user = User {
            name: user.name.clone(),
            agent: user.agent,
            ..User::default()
        };
    }

    /// The device was copied, with all that its disk held.
    pub fn copied(&mut self, from: usize, to: usize, disk: &crate::world::disk::Content) {
        let mut user = self.users[from].clone();
        user.name = format!("copy of {}", user.name);
        user.given.clear();
        user.acts
            .retain(|id, act| disk.act(*id).is_some() || act.seen == Seen::Settled);
        for id in user.acts.keys() {
            self.doers.entry(*id).or_default().push(to);
        }
        self.users.push(user);
    }

    // ---- the gateway's store -----------------------------------------------------------------------------------

    /// Commits were made.
    pub fn wrote(&mut self, written: Vec<Written>) {
        if written.is_empty() {
            return;
        }
        self.commit += 1;
        self.truth.now = self.now;
        let mut new = Vec::new();
        let cuts = self.truth.cuts;
        if let Err(what) = self.truth.write(self.commit, written, &mut new) {
            self.fail(what);
        }
        self.rare.add("history cut", self.truth.cuts - cuts);
        for entry in new {
            if let Err(what) = self.in_order(&entry) {
                self.fail(what);
            }
        }
    }

    /// An entry stands where its author's order of doing wants it, and its author hadn't been told otherwise.
    fn in_order(&mut self, entry: &Entry) -> Result<(), String> {
        let (Some(author), id, conversation) = (entry.author, entry.id, entry.conversation) else {
            return Ok(());
        };
        self.ever.insert((author, id));
        let shared = self.doers.get(&id).is_some_and(|doers| doers.len() > 1);
        for n in self.doers.get(&id).into_iter().flatten() {
            let user = &mut self.users[*n];
            if user.me != Some(author) {
                continue;
            }
            let Some(act) = user.acts.get(&id).filter(|act| !act.loose && act.seen != Seen::Lost) else {
                continue;
            };
            // A copied machine made the same id for other words.
            if truth::is_said(entry.kind) && act.content != entry.content {
                continue;
            }
            let (order, name) = (act.order, &user.name);
            match act.seen {
                Seen::Parked => return Err(format!("{name}: act {id} was told refused, and is stored")),
                Seen::Gone => return Err(format!("{name}: act {id} was told discarded, and is stored")),
                Seen::Settled => return Err(format!("{name}: act {id} was told accepted before it was stored")),
                _ => {}
            }
            if let Some(other) = user.stop_before(act) {
                return Err(format!("{name}: act {id} went on past a stop at {other}"));
            }
            if matches!(act.kind, ActKind::Close | ActKind::Transfer)
                && let Some((other, _)) = user.open_before(act)
                && self.truth.logs[&conversation]
                    .find(author, *other)
                    .is_none_or(|kept| kept.entry.seq >= entry.seq)
            {
                return Err(format!("{name}: {:?} {id} overtook act {other}", act.kind));
            }
            // In a restored log what one copy of a disk still sends is behind what the other sent again.
            if shared && self.restored_at > 0 {
                continue;
            }
            let last = user.last.entry(conversation).or_default();
            if *last >= order {
                return Err(format!("{name}: act {id} is stored after what was done after it"));
            }
            *last = order;
        }
        Ok(())
    }

    /// An older log is the log from now on.
    pub fn restored(&mut self, truth: Truth, epoch: u64, devices: &[crate::world::device::Device]) {
        let old = std::mem::replace(&mut self.truth, truth);
        self.truth.epoch = epoch;
        self.restored_at = self.now;
        for (user, device) in self.users.iter_mut().zip(devices) {
            user.last.clear();
            let held = &device.disk.now.entries;
            let Some(me) = user.me else { continue };
            for (id, act) in &mut user.acts {
                let bound = matches!(act.seen, Seen::Taken | Seen::Stored | Seen::Lost) && !act.dropped;
                // What stood and is gone may come again by a copied disk, after what was done after it.
                let stood = |truth: &Truth| truth.logs.values().any(|log| log.find(me, *id).is_some());
                act.loose |= !bound || (stood(&old) && !stood(&self.truth));
                if act.seen != Seen::Settled || act.dropped || !matches!(act.kind, ActKind::Message | ActKind::Note) {
                    continue;
                }
                for (conversation, log) in &old.logs {
                    // What is older than is kept goes from devices too, and nobody misses it.
                    let kept = log.find(me, *id).filter(|kept| kept.entry.seq >= log.floor());
                    let had = kept.is_some_and(|kept| !kept.entry.erased);
                    let has = self
                        .truth
                        .logs
                        .get(conversation)
                        .is_some_and(|log| log.find(me, *id).is_some());
                    let here = held
                        .get(conversation)
                        .is_some_and(|log| log.values().any(|entry| entry.id == *id));
                    if had && !has && here {
                        user.missing.insert((*conversation, *id));
                    }
                }
            }
        }
        for wire in self.wires.values_mut() {
            wire.over = true;
        }
    }

    /// Whether a log was restored.
    pub fn was_restored(&self) -> bool {
        self.restored_at > 0
    }

    /// A group's frames have left.
    pub fn said(&mut self, excused: bool) {
        let mut silent = None;
        for (link, wire) in &mut self.wires {
            if wire.owes > 0 && self.now > wire.owes {
                wire.owes = 0;
                if !wire.over && !excused {
                    silent = Some(*link);
                }
            }
        }
        if let Some(link) = silent {
            self.fail(format!(
                "connection {link}: pushes were left out, its window opened, and no heartbeat followed"
            ));
        }
    }

    /// Something was stored of which nobody was told: revisions were taken that no push names.
    pub fn untold(&mut self) {
        for wire in self.wires.values_mut() {
            wire.revision = None;
        }
    }

    /// A connection is gone for the gateway.
    pub fn closed(&mut self, link: usize) {
        if let Some(wire) = self.wires.get_mut(&link) {
            wire.over = true;
        }
    }

    /// Agents who may see this conversation.
    fn may_see(&self, agent: Id, conversation: Id) -> bool {
        let log = self.truth.logs.get(&conversation);
        let Some((log, row)) = log.and_then(|log| Some((log, log.row.as_ref()?))) else {
            return true;
        };
        let ben = crate::world::people::agent_id(1);
        let member = |team: Id| {
            team == crate::world::people::SHOP || (agent == ben && (self.in_depot || self.now < self.depot_at + 2_000))
        };
        // Within one group it may have been theirs and gone on.
        let just_now = log.moved_at == self.commit && (log.before.0 == Some(agent) || member(log.before.1));
        row.holder == Some(agent) || member(row.team) || just_now
    }

    fn feed_owner(feed: &zuoxi_wire::v1::FeedId) -> Option<Feed> {
        let id = Id::try_from(&feed.id).ok()?;
        match feed.kind {
            1 => Some(Feed::Agent(id)),
            2 => Some(Feed::Team(id)),
            _ => None,
        }
    }
}

/// Kinds that a customer never gets.
fn is_hidden(kind: EntryKind) -> bool {
    matches!(
        kind,
        EntryKind::Note | EntryKind::Reason | EntryKind::Tag | EntryKind::Linked | EntryKind::Unspecified
    )
}
