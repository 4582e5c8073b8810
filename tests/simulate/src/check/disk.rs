//! What a device's store is given and holds: entries of the log, by its rules.

use prost::Message as _;
use zuoxi_protocol::change::{Change, Transaction};
use zuoxi_protocol::session::Backlog;
use zuoxi_wire::v1::{Block, Entry};
use zuoxi_wire::{Id, block};

use super::Checker;
use crate::world::disk::Content;

impl Checker {
    /// The session gave its store a transaction.
    pub fn gave(&mut self, n: usize, transaction: &Transaction, disk: &Content) {
        let user = &mut self.users[n];
        user.given.insert(transaction.token);
        user.last_token = transaction.token;
        for change in &transaction.changes {
            if let Change::RowLeft { feed, conversation } = change
                && feed.is_own()
                && let Err(what) = self.lets_go(n, *conversation, disk)
            {
                let name = &self.users[n].name;
                self.fail(format!("{name} {what}"));
            }
        }
    }

    /// What waits in memory stays within bounds, however long the store, the network or the gateway takes.
    pub fn waits(&mut self, n: usize, backlog: Backlog) {
        let most = |kind: &str, waits: usize, most: usize| (waits > most).then(|| format!("{waits} {kind}"));
        // Pushes of a window are a transaction each at worst; what is asked for stops long before that.
        let window = zuoxi_wire::limits::WINDOW_PUSHES as usize;
        let too_many = most("acts", backlog.acts, 10_000)
            .or_else(|| most("transactions", backlog.commits, 2 * window))
            .or_else(|| most("questions", backlog.questions, 64))
            .or_else(|| most("wanted ranges", backlog.wants, 300));
        if let Some(what) = too_many {
            let name = &self.users[n].name;
            self.fail(format!("{name} keeps {what} waiting in memory"));
        }
    }

    /// It could not be stored.
    pub fn not_stored(&mut self, n: usize, token: u64) {
        self.users[n].given.remove(&token);
    }

    /// It is committed.
    pub fn stored(&mut self, n: usize, transaction: &Transaction, disk: &Content) {
        self.users[n].given.remove(&transaction.token);
        for change in &transaction.changes {
            let done = match change {
                Change::Entries(conversation, entries) if disk.epoch == self.truth.epoch => entries
                    .iter()
                    .try_for_each(|entry| self.held(n, *conversation, entry.seq, disk)),
                Change::Block(conversation, stored) if disk.epoch == self.truth.epoch => {
                    (stored.first..=stored.last).try_for_each(|seq| self.held(n, *conversation, seq, disk))
                }
                Change::Log(conversation, state) if disk.epoch == self.truth.epoch && !state.to_compare => {
                    self.log_state(n, *conversation, disk)
                }
                Change::RowLeft { feed, conversation } if feed.is_own() => {
                    self.users[n].missing.retain(|(of, _)| of != conversation);
                    Ok(())
                }
                Change::Settle(id) => self.settles(n, *id),
                _ => Ok(()),
            };
            let done = done.and_then(|()| self.generations(n, change));
            if let Err(what) = done {
                let name = &self.users[n].name;
                self.fail(format!("{name} {what}"));
            }
        }
    }

    /// Within an epoch no block comes in of a lower generation than one that is held.
    fn generations(&mut self, n: usize, change: &Change) -> Result<(), String> {
        let all = &mut self.users[n].generations;
        match change {
            Change::Epoch(_) => all.clear(),
            Change::ForgetFeed(feed) if feed.is_own() => all.clear(),
            Change::RowLeft { feed, conversation } if feed.is_own() => drop(all.remove(conversation)),
            Change::Log(conversation, state) if state.to_compare => drop(all.remove(conversation)),
            Change::Drop(conversation, range) => {
                let kept = |start: u64| block::range_of(start).1 < range.first || start > range.last;
                let held = all.entry(*conversation).or_default();
                held.retain(|start, _| kept(*start));
            }
            Change::Block(conversation, stored) => {
                let generation = Block::decode(stored.bytes.clone()).map_or(0, |block| block.generation);
                let held = all.entry(*conversation).or_default().entry(stored.start).or_default();
                if generation < *held {
                    return Err(format!(
                        "takes generation {generation} of the block at {} of {conversation}, and holds {held}",
                        stored.start
                    ));
                }
                *held = generation;
            }
            _ => {}
        }
        Ok(())
    }

    /// An entry that is held is the log's.
    pub(super) fn held(&self, n: usize, conversation: Id, seq: u64, disk: &Content) -> Result<(), String> {
        let customer = self.users[n].is_customer();
        let Some(here) = disk.entries.get(&conversation).and_then(|log| log.get(&seq)) else {
            return Ok(());
        };
        let Some(kept) = self.truth.logs.get(&conversation).and_then(|log| log.at(seq, customer)) else {
            return Err(format!("holds Seq {seq} of {conversation}, where nothing stands"));
        };
        let entry = Entry::decode(here.bytes.clone()).map_err(|error| format!("holds what is no entry: {error}"))?;
        let same = kept.entry.id == here.id
            && kept.entry.author == here.author
            && entry.seq == seq
            && entry.kind == i32::from(kept.entry.kind)
            && (entry.erased || kept.entry.erased || entry.content == kept.entry.content || self.collides(here.id));
        if !same {
            return Err(format!(
                "holds another entry at Seq {seq} of {conversation} than the log"
            ));
        }
        if entry.erased && !kept.entry.erased {
            return Err(format!("has erased Seq {seq} of {conversation}, which nobody recalled"));
        }
        Ok(())
    }

    /// What it says that it covers is there, and within the log.
    pub(super) fn log_state(&self, n: usize, conversation: Id, disk: &Content) -> Result<(), String> {
        let (Some(state), Some(log)) = (disk.logs.get(&conversation), self.truth.logs.get(&conversation)) else {
            return Ok(());
        };
        let length = log.len(self.users[n].is_customer());
        if state.head > length {
            return Err(format!(
                "knows a head of {} of {conversation}, which has {length}",
                state.head
            ));
        }
        let entries = disk.entries.get(&conversation);
        for range in &state.covered {
            let have = entries.map_or(0, |entries| entries.range(range.first..=range.last).count());
            if have as u64 != range.last - range.first + 1 {
                return Err(format!("covers {range:?} of {conversation}, and holds {have} of them"));
            }
        }
        Ok(())
    }

    /// A conversation is let go because it left, not because a list was taken for whole.
    fn lets_go(&mut self, n: usize, conversation: Id, disk: &Content) -> Result<(), String> {
        const A_WHILE_MS: u64 = 3_000;
        let told = self.users[n].left.remove(&conversation);
        let log = self.truth.logs.get(&conversation);
        let theirs = log.is_some_and(|log| {
            self.users[n].agent.is_some_and(|agent| log.holder() == Some(agent))
                && self.users[n].list_ms > log.held_ms.max(self.restored_at) + A_WHILE_MS
        });
        if theirs && !told && disk.epoch == self.truth.epoch {
            Err(format!("lets go of {conversation}, which is theirs"))
        } else {
            Ok(())
        }
    }
}
