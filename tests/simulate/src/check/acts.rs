//! What a user is told of their acts.

use zuoxi_protocol::change::OutboxState;
use zuoxi_protocol::{Notice, Sync};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, RefusalCode};

use super::Checker;
use super::truth::Kept;
use super::user::{Seen, User};
use crate::world::disk::Content;

impl Checker {
    /// An act leaves the outbox since the log has it, or since its user let it go.
    pub(super) fn settles(&self, n: usize, id: Id) -> Result<(), String> {
        let user = &self.users[n];
        let (Some(act), Some(me)) = (user.acts.get(&id), user.me) else {
            return Ok(());
        };
        if act.dropped || self.ever.contains(&(me, id)) {
            Ok(())
        } else {
            Err(format!("forgets act {id}, which nobody has"))
        }
    }

    /// A process starts from what is stored.
    pub fn started(&mut self, n: usize, disk: &Content) {
        let user = &mut self.users[n];
        user.given.clear();
        user.last_token = 0;
        let held = disk.logs.iter();
        user.generations = held.map(|(id, state)| (*id, state.generations.clone())).collect();
        let mut gone = Vec::new();
        let mut lost = None;
        for (id, act) in &mut user.acts {
            let there = disk.act(*id);
            match (act.seen, there.map(|act| &act.state)) {
                (Seen::Taken, None) => gone.push(*id),
                (Seen::Stored, None) if !self.ever.contains(&(user.me.unwrap_or_default(), *id)) && !act.dropped => {
                    lost = Some(*id);
                }
                (Seen::Stored, None) => act.seen = if act.dropped { Seen::Gone } else { Seen::Settled },
                (_, Some(OutboxState::Waiting)) if act.seen != Seen::Settled => act.seen = Seen::Stored,
                (_, Some(OutboxState::Voided)) => act.seen = Seen::Voiding,
                (_, Some(OutboxState::Parked { .. })) => act.seen = Seen::Parked,
                (_, Some(OutboxState::Lost)) => act.seen = Seen::Lost,
                _ => {}
            }
        }
        for id in gone {
            user.acts.remove(&id);
        }
        user.missing.retain(|(conversation, id)| {
            let held = disk.entries.get(conversation);
            disk.act(*id).is_some() || held.is_some_and(|log| log.values().any(|entry| entry.id == *id))
        });
        if let Some(id) = lost {
            let name = &self.users[n].name;
            self.fail(format!(
                "{name}: act {id} had its clock mark, and is nowhere after a restart"
            ));
        }
    }

    /// The user sees something.
    pub fn noticed(&mut self, n: usize, notice: &Notice, disk: &Content) {
        let user = &mut self.users[n];
        let set = |user: &mut User, id: &Id, seen: Seen| {
            if let Some(act) = user.acts.get_mut(id) {
                act.seen = seen;
            }
        };
        let done = match notice {
            Notice::LoggedIn(who) => {
                user.me = Id::try_from(&who.me.id).ok();
                Ok(())
            }
            Notice::ActTaken(act) => {
                user.took(act);
                let doers = self.doers.entry(act.id).or_default();
                if !doers.contains(&n) {
                    doers.push(n);
                }
                Ok(())
            }
            Notice::ActStored { id } => {
                set(user, id, Seen::Stored);
                self.clocks += 1;
                if disk.act(*id).is_some() {
                    Ok(())
                } else {
                    Err(format!("shows act {id} as stored, and it isn't"))
                }
            }
            Notice::ActNotStored { act, .. } => {
                user.acts.remove(&act.id);
                Ok(())
            }
            Notice::ActSettled {
                id,
                conversation,
                seq,
                too_late,
                ..
            } => {
                set(user, id, Seen::Settled);
                self.rare.add("void too late", u64::from(*too_late));
                self.accepted(n, *id, *conversation, *seq, disk)
            }
            Notice::ActParked(act) => {
                set(user, &act.id, Seen::Parked);
                let done = user.done;
                // Behind what a restored log lost: nobody refused it, and a copied disk may send it.
                let behind = matches!(act.state, OutboxState::Parked { behind: true, .. });
                let restored = self.restored_at > 0;
                let own = matches!(act.state, OutboxState::Parked { code, behind: false, .. } if stops(code));
                // It says that it can't be known whether it was sent.
                let unknown = i32::from(RefusalCode::Unknown);
                let unknown = matches!(act.state, OutboxState::Parked { code, .. } if code == unknown);
                if let Some(act) = user.acts.get_mut(&act.id) {
                    act.stop = own;
                    act.loose |= (behind && restored) || unknown;
                    if act.parked_after == 0 {
                        act.parked_after = done;
                    }
                }
                self.parked(n, act.id, disk)
            }
            Notice::ActLost(act) => {
                let known = user.acts.contains_key(&act.id);
                if !known {
                    user.took(act);
                    self.doers.entry(act.id).or_default().push(n);
                }
                if let Some(act) = user.acts.get_mut(&act.id) {
                    act.seen = Seen::Lost;
                    act.named = true;
                }
                Ok(())
            }
            Notice::ServerLost { .. } => {
                self.rare.add("server lost, and it was named", 1);
                Ok(())
            }
            Notice::ActGone { id } => {
                let voiding = disk.act(*id).is_some();
                // One that stood behind a stop goes with it: no gateway remembers that, and a copied disk may have it.
                let forgotten = !self.voided.contains(id);
                if let Some(act) = user.acts.get_mut(id) {
                    act.loose |= !voiding && act.seen == Seen::Voiding && forgotten;
                }
                set(user, id, if voiding { Seen::Voiding } else { Seen::Gone });
                Ok(())
            }
            Notice::WatchOpened { .. } => {
                self.rare.add("watch", 1);
                Ok(())
            }
            Notice::Sync(Sync::UpToDate { as_of_ms }) => self.proven(n, *as_of_ms, disk),
            _ => Ok(()),
        };
        if let Err(what) = done {
            let name = &self.users[n].name;
            self.fail(format!("{name} {what}"));
        }
    }

    /// The tick: the entry stands there, with what its user wrote.
    fn accepted(&self, n: usize, id: Id, conversation: Option<Id>, seq: u64, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        let Some(conversation) = conversation.filter(|_| disk.epoch == self.truth.epoch) else {
            return Ok(());
        };
        let stood = user.me.is_some_and(|me| self.ever.contains(&(me, id)));
        // Retention took the entry, and with it what the customer's Seq was.
        if seq == 0 && user.is_customer() && stood && self.floor(n, conversation) > 1 {
            return Ok(());
        }
        let kept = self
            .truth
            .logs
            .get(&conversation)
            .and_then(|log| log.at(seq, user.is_customer()));
        let Some(kept) = kept.filter(|kept| kept.entry.id == id && kept.entry.author == user.me) else {
            return Err(format!(
                "shows act {id} as accepted with Seq {seq}, where it doesn't stand"
            ));
        };
        let said = user
            .acts
            .get(&id)
            .filter(|act| act.seen == Seen::Settled && !act.dropped);
        let words = |kind: ActKind| matches!(kind, ActKind::Message | ActKind::Note | ActKind::Recall);
        if said.is_some_and(|act| words(act.kind) && act.content != kept.entry.content) && !kept.entry.erased {
            return Err(format!(
                "shows act {id} as accepted, and other words stand at Seq {seq}"
            ));
        }
        Ok(())
    }

    /// Refused for good, as its user is told: then it isn't stored.
    fn parked(&self, n: usize, id: Id, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        let (Some(act), Some(me)) = (user.acts.get(&id), user.me) else {
            return Ok(());
        };
        if act.loose || disk.epoch != self.truth.epoch || self.is_reused(n, id) {
            return Ok(());
        }
        let found = self
            .truth
            .logs
            .iter()
            .find_map(|(of, log)| Some((of, log.find(me, id)?)));
        // Of what retention removed nobody knows whether it was stored, whoever may not see the log any more.
        let is_there = |conversation: &Id, kept: &Kept| {
            let row = self.truth.logs.get(conversation).and_then(|log| log.row.as_ref());
            row.is_none_or(|row| kept.entry.seq >= row.floor)
        };
        if found.is_some_and(|(conversation, kept)| is_there(conversation, kept)) {
            Err(format!("is told that act {id} was refused, and it is stored"))
        } else {
            Ok(())
        }
    }

    /// A copied machine made the same id for something else.
    pub(super) fn is_reused(&self, n: usize, id: Id) -> bool {
        let mine = self.users[n].acts.get(&id).map(|act| (&act.content, act.kind));
        let doers = self.doers.get(&id).into_iter().flatten();
        doers
            .filter(|other| **other != n)
            .filter_map(|other| self.users[*other].acts.get(&id))
            .any(|act| mine.is_some_and(|mine| mine != (&act.content, act.kind)))
    }

    /// Copied machines made this id for several things, and a log was restored: by Seq, id and author they look alike.
    pub(super) fn collides(&self, id: Id) -> bool {
        let doers = self.doers.get(&id).into_iter().flatten();
        let mut acts = doers
            .filter_map(|n| self.users[*n].acts.get(&id))
            .map(|act| &act.content);
        let first = acts.next();
        self.restored_at > 0 && acts.any(|content| Some(content) != first)
    }
}

/// Refusals that speak of the conversation, and so end the lane.
fn stops(code: i32) -> bool {
    let codes = [
        RefusalCode::Taken,
        RefusalCode::Stale,
        RefusalCode::Closed,
        RefusalCode::Linked,
    ];
    codes.iter().any(|stop| i32::from(*stop) == code)
}
