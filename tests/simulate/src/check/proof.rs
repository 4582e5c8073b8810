//! "Up to date": what was committed before is here.

use prost::Message as _;
use zuoxi_protocol::change::{FeedKey, OutboxState};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Entry, FeedKind};

use super::Checker;
use super::truth::{Kept, Log};
use super::user::Beat;
use crate::world::disk::Content;

impl Checker {
    /// "Up to date as of t": what was committed before that heartbeat is here, committed.
    pub(super) fn proven(&self, n: usize, as_of_ms: u64, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        let beat = user.beats.iter().rev().find(|beat| beat.time_ms == as_of_ms);
        let Some(beat) = beat else {
            return Err(format!("shows up to date as of {as_of_ms}, which no heartbeat told"));
        };
        if beat.epoch != self.truth.epoch {
            return Ok(()); // of a log that is no more
        }
        if disk.epoch != beat.epoch {
            return Err("shows up to date with a log of another epoch".into());
        }
        let waits = |state: &OutboxState| matches!(state, OutboxState::Waiting | OutboxState::Voided);
        if let Some(act) = disk.outbox.values().find(|act| waits(&act.state)) {
            return Err(format!("shows up to date while act {} waits", act.id));
        }
        for (conversation, log) in &self.truth.logs {
            let Some(row) = &log.row else { continue };
            let mine = if user.is_customer() {
                Some(row.customer) == user.me
            } else {
                row.holder == user.agent
            };
            if !user.is_customer() && log.held_since > beat.commit {
                continue;
            }
            if mine {
                self.is_whole(n, *conversation, log, beat, disk)?;
            } else if disk.logs.contains_key(conversation) && !user.is_customer() {
                return Err(format!("shows up to date and keeps {conversation}, which left before"));
            }
            if !user.is_customer() && log.listed_since <= beat.commit {
                self.is_listed(*conversation, log, beat, disk)?;
            }
        }
        Ok(())
    }

    pub(super) fn is_whole(
        &self,
        n: usize,
        conversation: Id,
        log: &Log,
        beat: &Beat,
        disk: &Content,
    ) -> Result<(), String> {
        let customer = self.users[n].is_customer();
        let first = log.entries.first().map_or(u64::MAX, |kept| kept.at);
        let Some(state) = disk.logs.get(&conversation) else {
            return if first <= beat.commit {
                Err(format!("shows up to date without {conversation}"))
            } else {
                Ok(())
            };
        };
        let here = disk.entries.get(&conversation);
        let floor = self.floor(n, conversation);
        if log.cut_at <= beat.commit
            && let Some(seq) = here.and_then(|here| here.keys().find(|seq| **seq < floor))
        {
            return Err(format!(
                "shows up to date and keeps Seq {seq} of {conversation}, where history begins at {floor}"
            ));
        }
        for seq in state.floor..=log.len(customer) {
            let Some(kept) = log.at(seq, customer).filter(|kept| kept.at <= beat.commit) else {
                break;
            };
            let held = here.and_then(|here| here.get(&seq));
            if held.is_none_or(|held| held.id != kept.entry.id) {
                return Err(format!("shows up to date without Seq {seq} of {conversation}"));
            }
            self.is_erased(conversation, seq, kept, beat.commit, disk)?;
        }
        Ok(())
    }

    /// What was recalled has no content.
    fn is_erased(&self, conversation: Id, seq: u64, kept: &Kept, commit: u64, disk: &Content) -> Result<(), String> {
        if kept.erased_at == 0 || kept.erased_at > commit {
            return Ok(());
        }
        let held = disk.entries.get(&conversation).and_then(|here| here.get(&seq));
        let entry = held.and_then(|held| Entry::decode(held.bytes.clone()).ok());
        if entry.is_some_and(|entry| !entry.erased || !entry.content.is_empty()) {
            return Err(format!(
                "keeps the content of Seq {seq} of {conversation}, which was recalled"
            ));
        }
        Ok(())
    }

    /// The team's list shows it as it is.
    pub(super) fn is_listed(&self, conversation: Id, log: &Log, beat: &Beat, disk: &Content) -> Result<(), String> {
        let Some(row) = &log.row else { return Ok(()) };
        let closed = row.status == zuoxi_wire::v1::Status::Closed;
        for team in &beat.teams {
            let key = FeedKey {
                kind: FeedKind::Team.into(),
                id: *team,
            };
            let shown = disk.rows.get(&(key, conversation)).map(|(summary, _)| summary);
            let right = match shown {
                None => closed || row.team != *team,
                Some(shown) => {
                    !closed
                        && row.team == *team
                        && shown.status() == row.status
                        && shown.assignee == row.assignee().map(Id::to_bytes).unwrap_or_default()
                        && shown.preview == row.preview
                }
            };
            if !right {
                return Err(format!(
                    "shows up to date, and {conversation} otherwise than it is: {shown:?}, and not {row:?}"
                ));
            }
        }
        Ok(())
    }
}
