//! The trace of a message on this desk, found by its message id: one span from the key press to the gateway's answer, and
//! what came by push. The gateway's spans carry the same field. Ids alone, never texts.

use std::collections::BTreeMap;

use tracing::{Level, Span, debug, debug_span, enabled, info, info_span};
use zuoxi_protocol::change::{OutboxAct, StoredEntry};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ClientFrame, client_frame};

/// Spans of own acts that aren't settled. Bounded by the outbox.
#[derive(Default)]
pub(super) struct Trace(BTreeMap<Id, Span>);

impl Trace {
    /// An act was done.
    pub(super) fn taken(&mut self, act: &OutboxAct) {
        let span = info_span!(target: "act", "act", message = %act.id);
        span.in_scope(|| {
            let conversation = act.conversation.map(|id| id.to_string());
            info!(target: "act", conversation, kind = ?act.kind, "taken");
        });
        if !span.is_disabled() {
            self.0.insert(act.id, span);
        }
    }

    /// Its transaction is committed.
    pub(super) fn stored(&self, id: Id) {
        self.step(id, || info!(target: "act", "stored"));
    }

    /// Acts of a frame leave.
    pub(super) fn leaves(&self, frame: &ClientFrame) {
        let Some(client_frame::Kind::Acts(acts)) = frame.kind.as_ref().filter(|_| !self.0.is_empty()) else {
            return;
        };
        for act in &acts.acts {
            if let Ok(id) = Id::try_from(&act.id) {
                self.step(
                    id,
                    || info!(target: "act", lane = act.lane, number = act.number, "sent"),
                );
            }
        }
    }

    /// The gateway has it.
    pub(super) fn settled(&mut self, id: Id, seq: u64) {
        self.step(id, || info!(target: "act", seq, "settled"));
        self.0.remove(&id);
    }

    /// It waits for the user, or is gone.
    pub(super) fn stopped(&mut self, id: Id) {
        self.step(id, || info!(target: "act", "stopped"));
        self.0.remove(&id);
    }

    fn step(&self, id: Id, say: impl FnOnce()) {
        if let Some(span) = self.0.get(&id) {
            span.in_scope(say);
        }
    }
}

/// Entries came and are stored: by push, in answers, or in pages of history.
pub(super) fn came(conversation: Id, entries: &[StoredEntry]) {
    if !enabled!(target: "act", Level::DEBUG) {
        return;
    }
    for entry in entries {
        debug_span!(target: "act", "act", message = %entry.id).in_scope(|| {
            debug!(target: "act", %conversation, seq = entry.seq, "came");
        });
    }
}
