//! What is queued and open, in memory: it moves with each change and is read from the store at start.

use std::collections::{BTreeMap, BTreeSet};

use zuoxi_wire::v1::Status;
use zuoxi_wire::{Id, limits};

use crate::record::{Conversation, Stand};

/// Conversations that aren't closed, sorted as routing needs them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Board {
    /// By team, in order of arrival.
    queues: BTreeMap<Id, BTreeSet<(u64, Id)>>,
    /// By agent.
    open: BTreeMap<Id, BTreeSet<Id>>,
    /// Open ones by team and time of the last public entry.
    idle: BTreeMap<Id, BTreeSet<(u64, Id)>>,
    /// Of each, so that what it is moved from needn't be known.
    stands: BTreeMap<Id, Stand>,
}

fn take<K: Ord, V: Ord>(map: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(set) = map.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            map.remove(key);
        }
    }
}

impl Board {
    pub(crate) fn new(active: &[Conversation]) -> Self {
        let mut board = Self::default();
        for conversation in active {
            board.set(conversation.id, Some(conversation.stand()));
        }
        board
    }

    /// Where a conversation stands, as far as the board has it; a closed one it doesn't.
    pub(crate) fn stand(&self, id: Id) -> Option<Stand> {
        self.stands.get(&id).copied()
    }

    /// A conversation stands here now; none, or closed: nowhere.
    pub(crate) fn set(&mut self, id: Id, stand: Option<Stand>) {
        let after = stand.filter(|stand| stand.status != Status::Closed);
        let before = match after {
            Some(after) => self.stands.insert(id, after),
            None => self.stands.remove(&id),
        };
        if let (Some(before), Some(after)) = (before, after)
            && before.is_same_place(&after)
        {
            return self.spoke(id, before, after);
        }
        if let Some(before) = before {
            self.drop(id, before);
        }
        if let Some(after) = after {
            self.add(id, after);
        }
    }

    /// It stands where it stood, and only the time of its last public entry may be another.
    fn spoke(&mut self, id: Id, before: Stand, after: Stand) {
        if after.status == Status::Open
            && before.public_ms != after.public_ms
            && let Some(idle) = self.idle.get_mut(&after.team)
        {
            idle.remove(&(before.public_ms, id));
            idle.insert((after.public_ms, id));
        }
    }

    fn add(&mut self, id: Id, stand: Stand) {
        match (stand.status, stand.holder) {
            (Status::Queued, _) => {
                self.queues.entry(stand.team).or_default().insert((stand.queued_ms, id));
            }
            (Status::Open, Some(agent)) => {
                self.open.entry(agent).or_default().insert(id);
                self.idle.entry(stand.team).or_default().insert((stand.public_ms, id));
            }
            _ => {}
        }
    }

    fn drop(&mut self, id: Id, stand: Stand) {
        match (stand.status, stand.holder) {
            (Status::Queued, _) => take(&mut self.queues, &stand.team, &(stand.queued_ms, id)),
            (Status::Open, Some(agent)) => {
                take(&mut self.open, &agent, &id);
                take(&mut self.idle, &stand.team, &(stand.public_ms, id));
            }
            _ => {}
        }
    }

    /// Who waits in a team, first come first.
    pub(crate) fn queue(&self, team: Id) -> impl Iterator<Item = Id> + '_ {
        self.queues.get(&team).into_iter().flatten().map(|(_, id)| *id)
    }

    pub(crate) fn first(&self, team: Id) -> Option<Id> {
        self.queue(team).next()
    }

    pub(crate) fn queued(&self, team: Id) -> u32 {
        self.queues.get(&team).map_or(0, |queue| queue.len() as u32)
    }

    /// How many wait before this one, as far as they are counted ([`limits::QUEUE_AHEAD`]).
    pub(crate) fn ahead(&self, c: &Conversation) -> u32 {
        self.queues.get(&c.team).map_or(0, |queue| {
            let before = queue.range(..(c.queued_ms, c.id));
            before.take(limits::QUEUE_AHEAD as usize).count() as u32
        })
    }

    pub(crate) fn open(&self, agent: Id) -> impl Iterator<Item = Id> + '_ {
        self.open.get(&agent).into_iter().flatten().copied()
    }

    pub(crate) fn load(&self, agent: Id) -> u32 {
        self.open.get(&agent).map_or(0, |open| open.len() as u32)
    }

    /// Agents who have open conversations.
    pub(crate) fn serving(&self) -> impl Iterator<Item = Id> + '_ {
        self.open.keys().copied()
    }

    /// The open conversation of a team in which nobody wrote for longest, and since when.
    pub(crate) fn idlest(&self, team: Id) -> Option<(u64, Id)> {
        self.idle.get(&team)?.first().copied()
    }
}
