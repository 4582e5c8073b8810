//! Acts on their way: what leaves, and what the answers do.

use zuoxi_wire::v1::{
    Accepted, Act, ActKind, Acts, Answer, AuthorRole, Entry, EntryKind, MemberRole, Push, Refused, answer, client_frame,
};
use zuoxi_wire::{Id, limits};

use super::Session;
use crate::change::{OutboxAct, OutboxState};
use crate::lane::Sending;
use crate::turn::Turn;

/// Acts' bytes of one frame: half of what a frame may have.
const BYTES: usize = limits::FRAME_BYTES as usize / 2;

impl Session {
    pub(super) fn send_acts(&mut self, turn: &mut Turn<'_>) {
        if self.outbox.wake().is_some_and(|wake| wake <= turn.now) {
            self.lanes_due.extend(self.outbox.keys());
        }
        let window = self
            .logged_in
            .as_ref()
            .map_or(1, |told| (told.window_acts as usize).max(1));
        for key in std::mem::take(&mut self.lanes_due) {
            let log = key.or(self.own).and_then(|conversation| self.logs.get(&conversation));
            if log.is_some_and(|log| log.state.to_compare) {
                continue; // bases may have to be lowered first; the end of comparing brings the lane back
            }
            let leaving = self.outbox.leaving(key, window, turn.now);
            let mut acts: Vec<Act> = Vec::new();
            let mut bytes = 0;
            for sending in leaving {
                bytes += sending.act.content.len() + 100;
                if !acts.is_empty() && (bytes > BYTES || acts.len() as u64 >= limits::ACTS_PER_FRAME) {
                    let acts = std::mem::take(&mut acts);
                    bytes = sending.act.content.len() + 100;
                    self.send(0, Some(client_frame::Kind::Acts(Acts { acts })), turn);
                }
                acts.push(on_the_wire(sending, turn.now));
            }
            if !acts.is_empty() {
                self.send(0, Some(client_frame::Kind::Acts(Acts { acts })), turn);
            }
        }
    }

    pub(super) fn answered(&mut self, answer: Answer, turn: &mut Turn<'_>) {
        let (Ok(id), Ok(conversation)) = (Id::try_from(&answer.id), Id::optional(&answer.conversation)) else {
            return;
        };
        let key = self.lane_key(conversation);
        let Some(act) = self.outbox.awaited(key, answer.lane, answer.number, id) else {
            return;
        };
        match answer.result {
            Some(answer::Result::Accepted(accepted)) => {
                self.outbox.accepted(key, answer.number);
                self.accepted(&act, conversation.or(act.conversation), accepted, turn);
            }
            Some(answer::Result::Refused(refused)) if refused.for_now => {
                self.outbox
                    .later(key, answer.number, refused.retry_ms, turn.now, &mut self.random);
            }
            Some(answer::Result::Refused(refused)) => self.refused_for_good(&act, answer.number, &refused, turn),
            None => return,
        }
        self.lanes_due.insert(key);
    }

    fn refused_for_good(&mut self, act: &OutboxAct, number: u32, refused: &Refused, turn: &mut Turn<'_>) {
        tracing::info!(act = %act.id, code = refused.code, stop = refused.ends_lane, "an act was refused");
        self.outbox.refused(act, number, refused, turn);
    }

    fn accepted(&mut self, act: &OutboxAct, conversation: Option<Id>, accepted: Accepted, turn: &mut Turn<'_>) {
        tracing::debug!(act = %act.id, seq = accepted.seq, "an act has its Seq");
        if let Some(conversation) = conversation {
            self.owns(conversation, turn);
        }
        let (seq, time_ms) = (accepted.seq, accepted.time_ms);
        self.outbox.settle(act.id, conversation, seq, time_ms, turn);
        match accepted.push {
            Some(mut push) => {
                if act.state == OutboxState::Voided {
                    // Too late: what was sent isn't here any more, so the gap that its Seq leaves is pulled.
                    push.entry = push.entry.filter(|entry| !entry.content_as_sent);
                    push.head = push.head.max(seq);
                } else if let Some(entry) = push.entry.as_mut().filter(|entry| entry.content_as_sent) {
                    entry.content = act.content.clone();
                    entry.content_as_sent = false;
                }
                self.push(push, true, turn);
            }
            None => {
                if let Some(conversation) = conversation {
                    self.repeated(act, conversation, seq, time_ms, turn);
                }
            }
        }
    }

    /// A repeat's answer tells Seq and time alone. Where the entry comes next, it is known already; else the gap that
    /// the Seq leaves is pulled.
    fn repeated(&mut self, act: &OutboxAct, conversation: Id, seq: u64, time_ms: u64, turn: &mut Turn<'_>) {
        let kind = match act.kind {
            ActKind::Message => EntryKind::Message,
            ActKind::Note => EntryKind::Note,
            _ => EntryKind::Unspecified,
        };
        let Some(log) = self.logs.get_mut(&conversation) else {
            return;
        };
        let next = !log.state.covered.is_empty() && log.watermark() + 1 == seq && log.state.head < seq;
        let entry = (next && kind != EntryKind::Unspecified && act.state == OutboxState::Waiting)
            .then(|| self.logged_in.as_ref()?.me.as_ref())
            .flatten()
            .map(|me| Entry {
                seq,
                id: act.id.to_bytes(),
                kind: kind.into(),
                time_ms,
                author_role: match me.role() {
                    MemberRole::Customer => AuthorRole::Customer.into(),
                    _ => AuthorRole::Agent.into(),
                },
                author: me.id.clone(),
                author_name: me.name.clone(),
                content: act.content.clone(),
                erased: false,
                content_as_sent: false,
            });
        if let Some(entry) = entry {
            let push = Push {
                conversation: conversation.to_bytes(),
                entry: Some(entry),
                ..Push::default()
            };
            return self.push(push, true, turn);
        }
        if log.tell_head(seq) {
            turn.touch(conversation);
        }
        self.judge(conversation, false, turn.now);
    }
}

fn on_the_wire(sending: Sending, now: u64) -> Act {
    let Sending { lane, number, act } = sending;
    let void = act.state == OutboxState::Voided;
    Act {
        id: act.id.to_bytes(),
        conversation: act.conversation.map(Id::to_bytes).unwrap_or_default(),
        lane,
        number,
        base: act.base,
        age_ms: now.saturating_sub(act.done_ms),
        kind: if void { ActKind::Void } else { act.kind }.into(),
        content: if void { bytes::Bytes::new() } else { act.content },
    }
}
