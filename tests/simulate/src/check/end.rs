//! When faults have stopped: what of a device has converged, and that all of it is right.

use zuoxi_protocol::Sync;
use zuoxi_protocol::change::OutboxState;
use zuoxi_wire::Id;

use super::Checker;
use super::user::{Beat, Seen};
use crate::world::device::Device;
use crate::world::disk::Content;

impl Checker {
    /// What of a device hasn't converged yet.
    pub fn unsettled(&self, n: usize, device: &Device) -> Option<String> {
        let name = &self.users[n].name;
        let Some(session) = &device.session else {
            return Some(format!("{name} doesn't run"));
        };
        let open = |state: &OutboxState| matches!(state, OutboxState::Waiting | OutboxState::Voided);
        if let Some(act) = session.outbox().find(|act| open(&act.state)) {
            return Some(format!("{name} waits with act {} ({:?})", act.id, act.state));
        }
        if !matches!(session.sync(), Sync::UpToDate { .. }) || device.disk.waiting() > 0 {
            return Some(format!("{name} stays {:?}", session.proof()));
        }
        // Nothing may have happened since.
        let beat = self.users[n].beats.last().cloned()?;
        let beat = Beat {
            commit: self.commit,
            ..beat
        };
        self.everything(n, &beat, &device.disk.now)
            .err()
            .map(|what| format!("{name} {what}"))
    }

    fn everything(&self, n: usize, beat: &Beat, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        for (conversation, log) in &self.truth.logs {
            let Some(row) = &log.row else { continue };
            let mine = if user.is_customer() {
                Some(row.customer) == user.me
            } else {
                row.holder == user.agent
            };
            if mine {
                self.is_whole(n, *conversation, log, beat, disk)?;
            }
            if mine != disk.logs.contains_key(conversation) {
                return Err(format!("keeps {conversation}: {}, theirs: {mine}", !mine));
            }
            if !user.is_customer() {
                self.is_listed(*conversation, log, beat, disk)?;
            }
        }
        Ok(())
    }

    /// All have converged: every cache is what the log is, and every act's end is known.
    pub fn end(&mut self, n: usize, device: &Device) {
        let held = device.disk.now.entries.values();
        self.compared += held.map(|log| log.len() as u64).sum::<u64>();
        let ended = self.ends(n, &device.disk.now).and_then(|()| self.shows(device));
        if let Err(what) = ended {
            let name = &self.users[n].name;
            self.fail(format!("in the end {name} {what}"));
        }
    }

    /// Below it history is gone on purpose, in the reader's own Seqs.
    pub(super) fn floor(&self, n: usize, conversation: Id) -> u64 {
        let row = self.truth.logs.get(&conversation).and_then(|log| log.row.as_ref());
        let floor = |row: &zuoxi_rules::record::Conversation| {
            if self.users[n].is_customer() {
                row.public_floor
            } else {
                row.floor
            }
        };
        row.map_or(1, floor)
    }

    /// An open window shows the log as it is.
    fn shows(&self, device: &Device) -> Result<(), String> {
        let Some(screen) = device.eyes.as_ref().and_then(|eyes| eyes.screen.as_ref()) else {
            return Ok(());
        };
        let (conversation, disk) = (screen.conversation, &device.disk.now);
        let (Some(log), Some(state)) = (self.truth.logs.get(&conversation), disk.logs.get(&conversation)) else {
            return Ok(());
        };
        for (seq, key) in screen.shown.settled() {
            let id = log.at(seq, false).map(|kept| kept.entry.id.to_string());
            if id.as_deref() != Some(key) && key != format!("seq:{seq}") {
                return Err(format!(
                    "shows {key} at Seq {seq} of {conversation}, where {id:?} stands"
                ));
            }
        }
        let acts = disk
            .outbox
            .values()
            .filter(|act| act.conversation == Some(conversation));
        let settled = log.len(false) + 1 - state.floor;
        let right = settled..=settled + acts.count() as u64;
        if right.contains(&screen.shown.total) {
            Ok(())
        } else {
            Err(format!(
                "shows {} rows of {conversation} instead of {right:?}",
                screen.shown.total
            ))
        }
    }

    fn ends(&self, n: usize, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        for (conversation, state) in &disk.logs {
            let length = self
                .truth
                .logs
                .get(conversation)
                .map_or(0, |log| log.len(user.is_customer()));
            if state.head != length || state.to_compare {
                return Err(format!("knows {state:?} of {conversation}, which has {length}"));
            }
            self.log_state(n, *conversation, disk)?;
            for seq in disk
                .entries
                .get(conversation)
                .into_iter()
                .flat_map(std::collections::BTreeMap::keys)
            {
                self.held(n, *conversation, *seq, disk)?;
            }
        }
        for (conversation, id) in &user.missing {
            let again = self
                .truth
                .logs
                .values()
                .any(|log| log.find(user.me.unwrap_or_default(), *id).is_some());
            // Where a power loss undid that it was settled, it waits again, or was refused, or discarded.
            let named = user.acts.get(id).is_some_and(|act| act.named || act.dropped) || disk.act(*id).is_some();
            // What is older than is kept was dropped before it could be compared.
            let cut = self.floor(n, *conversation) > 1;
            if !again && !named && !cut && disk.logs.contains_key(conversation) {
                return Err(format!("wasn't told that the server lost act {id}"));
            }
        }
        for (id, act) in &user.acts {
            let there = disk.act(*id).is_some();
            let stands = self.ever.contains(&(user.me.unwrap_or_default(), *id));
            let right = match act.seen {
                Seen::Parked => there || act.dropped,
                // Where a power loss undid that it was told, it may have been sent again from elsewhere.
                Seen::Lost => there || act.dropped || stands,
                Seen::Settled => stands,
                Seen::Gone => !there,
                Seen::Taken | Seen::Stored | Seen::Voiding => act.dropped,
            };
            if !right {
                return Err(format!("has act {id} as {:?}", act.seen));
            }
        }
        Ok(())
    }
}
