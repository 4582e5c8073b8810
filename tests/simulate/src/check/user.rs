//! What each user saw of their acts: from the first mark on, none is lost, doubled or out of order.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use zuoxi_protocol::change::{OutboxAct, OutboxState};
use zuoxi_wire::Id;
use zuoxi_wire::v1::ActKind;

/// How far an act has come in its user's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A bubble without a mark.
    Taken,
    /// The clock.
    Stored,
    /// The tick.
    Settled,
    Parked,
    Lost,
    /// Discarded, and it may have left.
    Voiding,
    /// Discarded for good.
    Gone,
}

/// An act as its user knows it.
#[derive(Debug, Clone)]
pub struct Act {
    pub conversation: Option<Id>,
    pub kind: ActKind,
    pub content: Bytes,
    /// In the order of doing.
    pub order: u64,
    pub seen: Seen,
    /// Acts done when it was parked.
    pub parked_after: u64,
    /// Its refusal spoke of the conversation: nothing done before that was told goes on.
    pub stop: bool,
    /// The user discarded it, or did it again as another.
    pub dropped: bool,
    /// A log was restored since: what was said of it then binds nobody.
    pub loose: bool,
    /// It was told that the server lost it.
    pub named: bool,
}

/// One device's user.
#[derive(Debug, Clone, Default)]
pub struct User {
    pub name: String,
    pub agent: Option<Id>,
    pub me: Option<Id>,
    pub acts: BTreeMap<Id, Act>,
    pub done: u64,
    /// The last one stored, by conversation, in the order of doing.
    pub last: BTreeMap<Id, u64>,
    /// What an older log no longer has, held here when it was restored.
    pub missing: BTreeSet<(Id, Id)>,
    /// Conversations of which this device was told that they left, and which it hasn't let go since.
    pub left: BTreeSet<Id>,
    /// Generations of the blocks that its disk took in this epoch, by conversation and first Seq of the range.
    pub generations: BTreeMap<Id, BTreeMap<u64, u32>>,
    /// Transactions given and not ended.
    pub given: BTreeSet<u64>,
    pub last_token: u64,
    /// When the gateway said the page of a feed that came last.
    pub list_ms: u64,
    /// Heartbeats of late: what time they told, after which commit, for which teams.
    pub beats: Vec<Beat>,
}

/// A heartbeat that was sent.
#[derive(Debug, Clone)]
pub struct Beat {
    pub time_ms: u64,
    pub commit: u64,
    pub epoch: u64,
    pub teams: Vec<Id>,
}

impl User {
    pub fn is_customer(&self) -> bool {
        self.agent.is_none()
    }

    /// The user did something, or does it again: it has the last place.
    pub fn took(&mut self, act: &OutboxAct) {
        self.done += 1;
        let order = self.done;
        let known = self.acts.get(&act.id);
        let seen = if known.is_some_and(|known| known.seen == Seen::Lost) {
            Seen::Lost
        } else {
            Seen::Taken
        };
        let named = known.is_some_and(|known| known.named);
        self.acts.insert(
            act.id,
            Act {
                conversation: act.conversation,
                kind: act.kind,
                content: act.content.clone(),
                order,
                seen,
                // One that begins behind a refusal is shown so at once.
                parked_after: if act.state == OutboxState::Waiting { 0 } else { order },
                stop: false,
                dropped: false,
                loose: false,
                named,
            },
        );
    }

    /// An act done before this one that was refused with all behind it, while its user didn't know yet when doing this.
    pub fn stop_before(&self, act: &Act) -> Option<&Id> {
        let stops = |other: &Act| {
            other.stop
                && other.seen == Seen::Parked
                && !other.loose
                && other.order < act.order
                && other.parked_after >= act.order
                && (self.is_customer() || other.conversation == act.conversation)
        };
        self.acts.iter().find(|(_, other)| stops(other)).map(|(id, _)| id)
    }

    /// Acts done before this one in its conversation, of which the user hasn't heard the end.
    pub fn open_before(&self, act: &Act) -> Option<(&Id, &Act)> {
        self.acts.iter().find(|(_, other)| {
            other.order < act.order
                && (self.is_customer() || other.conversation == act.conversation)
                && !other.loose
                && !other.dropped
                && match other.seen {
                    Seen::Taken | Seen::Stored => true,
                    Seen::Parked => other.parked_after >= act.order,
                    _ => false,
                }
        })
    }
}
