//! Rounds: every conversation is looked at in turn, a few at a time and only while little happens. What rests is sealed;
//! what is older than an administrator keeps it goes.

use std::collections::BTreeSet;
use std::rc::Rc;

use zuoxi_wire::Id;
use zuoxi_wire::v1::Status;

use crate::change::Change;
use crate::gateway::Gateway;
use crate::group::Group;
use crate::record::Conversation;
use crate::sealing;
use crate::store::Stored;
use crate::wording::Reader;

/// Conversations looked at in one step, and milliseconds between steps: a thousandth of a core.
const STEP: u32 = 50;
const STEP_MS: u64 = 1_000;
/// Milliseconds between the end of a round and the next, and from the start to the first.
const PAUSE_MS: u64 = 3_600_000;
const FIRST_MS: u64 = 10_000;
/// Entries removed in one step.
const REMOVED: u32 = 200;

/// How far the round has come.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// Looked at last.
    at: Id,
    next_ms: u64,
    /// Conversations with something below their floor.
    removing: BTreeSet<Id>,
}

impl Rounds {
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            at: Id::default(),
            next_ms: now_ms + FIRST_MS,
            removing: BTreeSet::new(),
        }
    }

    /// When the next step is due.
    pub(crate) fn next_ms(&self, now_ms: u64) -> u64 {
        if self.removing.is_empty() { self.next_ms } else { now_ms }
    }
}

impl Gateway {
    /// One step, within the group.
    pub(crate) fn step_round(&mut self, group: &mut Group<'_>) {
        let done = self.remove_some(group).and_then(|()| {
            if self.rounds.next_ms > self.now_ms {
                return Ok(());
            }
            self.look_at_some(group)
        });
        if let Err(error) = done {
            tracing::warn!(%error, "a round rests");
            self.rounds.next_ms = self.now_ms + STEP_MS;
        }
    }

    fn look_at_some(&mut self, group: &mut Group<'_>) -> Stored<()> {
        let ids = group.store.conversation_ids(self.rounds.at, STEP)?;
        let last = ids.last().copied().filter(|_| ids.len() == STEP as usize);
        group.usable()?;
        for id in ids {
            let looked = group.conversation(id).and_then(|conversation| {
                conversation.map_or(Ok(()), |conversation| self.look_at(group, &conversation))
            });
            if let Err(error) = looked {
                tracing::warn!(%error, conversation = %id, "a round passes it over");
            }
        }
        self.rounds.at = last.unwrap_or_default();
        self.rounds.next_ms = self.now_ms + if last.is_some() { STEP_MS } else { PAUSE_MS };
        Ok(())
    }

    fn look_at(&mut self, group: &mut Group<'_>, conversation: &Rc<Conversation>) -> Stored<()> {
        self.move_floor(group, conversation)?;
        let Some(conversation) = group.conversation(conversation.id)? else {
            return Ok(());
        };
        let below = conversation.floor.saturating_sub(1);
        if below > 0 && group.store.entry(conversation.id, below)?.is_some() {
            self.rounds.removing.insert(conversation.id);
        }
        for reader in [Reader::Agent, Reader::Customer] {
            let sealed_to = group.store.sealed_to(conversation.id, reader.log())?;
            if sealing::next(&conversation, reader, sealed_to, self.now_ms).is_some() {
                self.sealing.add((conversation.id, reader));
            }
        }
        Ok(())
    }

    /// Retention: the floor moves above what is older than is kept. What is still going on stays whole until it closes.
    fn move_floor(&mut self, group: &mut Group<'_>, conversation: &Rc<Conversation>) -> Stored<()> {
        if self.config.keep_ms == 0 {
            return Ok(());
        }
        let since_ms = self.now_ms.saturating_sub(self.config.keep_ms);
        let id = conversation.id;
        let lowest = group.store.entry(id, conversation.floor)?;
        if lowest.is_none_or(|lowest| lowest.time_ms >= since_ms) {
            return Ok(());
        }
        let kept = group.store.entry_at_time(id, since_ms, false)?;
        let mut floor = kept.map_or(conversation.head + 1, |kept| kept.seq);
        if conversation.status != Status::Closed {
            floor = floor.min(conversation.visit);
        }
        if floor <= conversation.floor {
            return Ok(());
        }
        let Some(gone) = group.store.entry(id, floor - 1)? else {
            return Ok(());
        };
        let mut change = Change::of(conversation, self.now_ms);
        change.raise_floor(floor, gone.public + 1);
        tracing::info!(conversation = %id, floor, "history is older than it is kept");
        self.apply(group, change, None)
    }

    /// Takes what lies below a floor off the disk, a little at a time.
    fn remove_some(&mut self, group: &mut Group<'_>) -> Stored<()> {
        let Some(id) = self.rounds.removing.first().copied() else {
            return Ok(());
        };
        let more = group.conversation(id).and_then(|conversation| match conversation {
            Some(conversation) => group.store.remove_below(&conversation, REMOVED),
            None => Ok(false),
        });
        // One that can't be removed would be in the way of all others; the next round finds it.
        if more != Ok(true) {
            self.rounds.removing.remove(&id);
        }
        more.map(|_| ())
    }
}
