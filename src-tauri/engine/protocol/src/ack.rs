//! Telling the gateway what is committed: cumulative, after the commit, seldom.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use zuoxi_wire::v1::{Ack, Watermark};
use zuoxi_wire::{Id, limits};

/// What this connection has received, committed and told.
#[derive(Debug, Default)]
pub(crate) struct Acknowledging {
    received: u64,
    committed: u64,
    told: u64,
    /// Of which conversations the pushes above `told` were, in order.
    of: VecDeque<Option<Id>>,
    /// Of which the push `told` was.
    of_told: Option<Id>,
    /// The gateway knows it too: a watermark of that conversation needs no id.
    short: bool,
    watermarks: BTreeMap<Id, u64>,
    due: Option<u64>,
}

/// Watermarks of one ACK; more wait for the next.
const WATERMARKS: usize = 500;

impl Acknowledging {
    /// Of a new connection. `short`: its gateway has [`zuoxi_wire::capability::MARK_OF_PUSH`].
    pub(crate) fn new(short: bool) -> Self {
        Self {
            short,
            ..Self::default()
        }
    }

    /// A push of a conversation came; `false`: not the next one, which no gateway does.
    pub(crate) fn receive(&mut self, number: u64, conversation: Option<Id>) -> bool {
        let next = number == self.received + 1;
        if next {
            self.received = number;
            self.of.push_back(conversation);
        }
        next
    }

    /// Everything up to this push is committed.
    pub(crate) fn commit(&mut self, number: u64, now: u64) {
        self.committed = self.committed.max(number);
        self.schedule(now);
    }

    /// A watermark moved, committed.
    pub(crate) fn watermark(&mut self, conversation: Id, seq: u64, now: u64) {
        let known = self.watermarks.entry(conversation).or_default();
        *known = seq.max(*known);
        self.schedule(now);
    }

    /// A conversation left: nothing of it is told any more.
    pub(crate) fn forget(&mut self, conversation: Id) {
        self.watermarks.remove(&conversation);
    }

    fn schedule(&mut self, now: u64) {
        if self.committed == self.told && self.watermarks.is_empty() {
            return;
        }
        let due = if self.committed - self.told >= limits::ACK_EVERY_PUSHES {
            now
        } else {
            now + limits::ACK_EVERY_MS
        };
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    /// When an ACK must go by itself.
    pub(crate) fn due(&self) -> Option<u64> {
        self.due
    }

    /// The ACK for a frame that goes now, if there is anything to say.
    pub(crate) fn ride(&mut self) -> Option<Ack> {
        self.due.take()?;
        while self.told < self.committed {
            self.told += 1;
            self.of_told = self.of.pop_front().flatten();
        }
        let rest = self.watermarks.keys().nth(WATERMARKS).copied();
        let later = rest.map(|rest| self.watermarks.split_off(&rest)).unwrap_or_default();
        let known = self.of_told.filter(|_| self.short);
        let watermark = |(conversation, seq): (Id, u64)| Watermark {
            conversation: if known == Some(conversation) {
                Bytes::new()
            } else {
                conversation.to_bytes()
            },
            seq,
        };
        let watermarks = std::mem::replace(&mut self.watermarks, later)
            .into_iter()
            .map(watermark)
            .collect();
        if !self.watermarks.is_empty() {
            self.due = Some(0);
        }
        Some(Ack {
            push: self.told,
            watermarks,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn conversations(ack: &Ack) -> Vec<Bytes> {
        ack.watermarks.iter().map(|mark| mark.conversation.clone()).collect()
    }

    #[test]
    fn a_watermark_names_its_conversation_but_where_the_named_push_does() {
        let (talk, other) = (Id([1; 16]), Id([2; 16]));
        let mut acks = Acknowledging::new(true);
        assert!(acks.receive(1, Some(talk)) && acks.receive(2, Some(other)));
        acks.watermark(talk, 5, 0);
        assert_eq!(
            acks.ride().map(|ack| conversations(&ack)),
            Some(vec![talk.to_bytes()]),
            "no push is named yet"
        );
        acks.commit(2, 0);
        acks.watermark(talk, 6, 0);
        acks.watermark(other, 9, 0);
        assert_eq!(
            acks.ride().map(|ack| conversations(&ack)),
            Some(vec![talk.to_bytes(), Bytes::new()])
        );
        acks.watermark(other, 10, 0);
        assert_eq!(
            acks.ride().map(|ack| (ack.push, conversations(&ack))),
            Some((2, vec![Bytes::new()])),
            "the same push is named again"
        );
    }

    #[test]
    fn a_gateway_that_does_not_know_the_short_form_is_told_every_name() {
        let talk = Id([1; 16]);
        let mut acks = Acknowledging::new(false);
        assert!(acks.receive(1, Some(talk)));
        acks.commit(1, 0);
        acks.watermark(talk, 1, 0);
        assert_eq!(acks.ride().map(|ack| conversations(&ack)), Some(vec![talk.to_bytes()]));
    }

    proptest! {
        #[test]
        fn an_ack_never_names_what_is_not_committed_and_names_all_in_time(
            steps in prop::collection::vec((0u8..4, 0u64..100), 1..200)
        ) {
            let mut acks = Acknowledging::default();
            let (mut received, mut committed, mut told, mut now) = (0, 0, 0, 1_000);
            let mut waiting_since = None;
            for (step, by) in steps {
                now += by;
                match step {
                    0 => {
                        received += 1;
                        prop_assert!(acks.receive(received, None));
                        prop_assert!(!acks.receive(received + 5, None));
                    }
                    1 if received > committed => {
                        committed = received.min(committed + 1 + by / 10);
                        acks.commit(committed, now);
                        waiting_since.get_or_insert(now);
                    }
                    _ => {
                        if acks.due().is_some_and(|due| due <= now)
                            && let Some(ack) = acks.ride()
                        {
                            prop_assert!(ack.push <= committed && ack.push >= told);
                            told = ack.push;
                            waiting_since = None;
                        }
                        let late = waiting_since.is_some_and(|since| now > since + limits::ACK_EVERY_MS);
                        prop_assert!(!late || told == committed);
                    }
                }
            }
        }
    }
}
