//! How long acts have waited for the gateway: when their marks turn, and when the user is warned in words.

use std::collections::BTreeSet;

use zuoxi_protocol::change::{OutboxAct, OutboxState};
use zuoxi_wire::Id;

use super::active::Active;
use crate::timeline::Progress;

/// An answer that takes longer isn't on its way any more, as far as a user is concerned, milliseconds.
const SLOW_MS: u64 = 2_000;
/// Longer than this nobody should wait unwarned, milliseconds.
const OVERDUE_MS: u64 = 10_000;

/// When the next mark turns.
#[derive(Debug, Default)]
pub(super) struct Waits {
    due: BTreeSet<(u64, Id)>,
}

impl Waits {
    /// This act's mark turns when its time comes.
    fn watch(&mut self, act: &OutboxAct, now_ms: u64) {
        let turns = [SLOW_MS, OVERDUE_MS].map(|after| act.done_ms + after);
        if let Some(at) = turns.into_iter().find(|at| *at > now_ms) {
            self.due.insert((at, act.id));
        }
    }

    /// When to look again.
    pub(super) fn next(&self) -> Option<u64> {
        self.due.first().map(|(at, _)| *at)
    }

    fn take_due(&mut self, now_ms: u64) -> Vec<Id> {
        let later = self.due.split_off(&(now_ms + 1, Id::default()));
        let due = std::mem::replace(&mut self.due, later);
        due.into_iter().map(|(_, id)| id).collect()
    }
}

fn by_age(act: &OutboxAct, now_ms: u64) -> Progress {
    match now_ms.saturating_sub(act.done_ms) {
        age if age < SLOW_MS => Progress::Sending,
        age if age < OVERDUE_MS => Progress::Waiting,
        _ => Progress::Overdue,
    }
}

impl Active {
    /// How far an act that waits has come.
    pub(super) fn progress(&self, act: &OutboxAct) -> Progress {
        if self.unwritten.contains(&act.id) {
            Progress::Writing
        } else {
            by_age(act, self.now_ms)
        }
    }

    pub(super) fn watch_wait(&mut self, id: Id) {
        if let Some(act) = self.acts.get(&id).filter(|act| act.state == OutboxState::Waiting) {
            self.waits.watch(act, self.now_ms);
        }
    }

    pub(super) fn watch_waits(&mut self) {
        self.waits = Waits::default();
        for act in self.acts.values().filter(|act| act.state == OutboxState::Waiting) {
            self.waits.watch(act, self.now_ms);
        }
    }

    /// Marks whose time has come turn.
    pub(super) fn turn_marks(&mut self) {
        let mut turned = BTreeSet::new();
        for id in self.waits.take_due(self.now_ms) {
            self.put_act(id);
            self.watch_wait(id);
            turned.extend(self.acts.get(&id).and_then(|act| act.conversation));
        }
        for conversation in turned {
            self.conversation_acts_changed(Some(conversation));
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use zuoxi_wire::v1::ActKind;

    use super::*;

    fn act(number: u8, done_ms: u64) -> OutboxAct {
        OutboxAct {
            place: u64::from(number),
            id: Id([number; 16]),
            conversation: None,
            kind: ActKind::Message,
            content: Bytes::new(),
            base: 0,
            done_ms,
            left: true,
            state: OutboxState::Waiting,
        }
    }

    #[test]
    fn a_wait_turns_after_two_seconds_and_warns_after_ten() {
        let mut waits = Waits::default();
        let (first, second) = (act(1, 1_000), act(2, 2_500));
        waits.watch(&first, 1_000);
        waits.watch(&second, 2_500);
        assert_eq!(waits.next(), Some(3_000));
        assert_eq!(waits.take_due(2_999), []);
        assert_eq!(waits.take_due(3_000), [first.id]);
        assert_eq!(by_age(&first, 2_999), Progress::Sending);
        assert_eq!(by_age(&first, 3_000), Progress::Waiting);
        waits.watch(&first, 3_000);
        assert_eq!(waits.take_due(12_500), [second.id, first.id]);
        assert_eq!(by_age(&first, 11_000), Progress::Overdue);
        // A clock that was set back between two starts neither warns nor overflows.
        assert_eq!(by_age(&first, 500), Progress::Sending);
        waits.watch(&first, 11_000);
        assert_eq!(waits.next(), None);
    }
}
