//! Ids, versions and states as lines of text; never what people wrote.

use std::fmt::Write;

use super::Outside;
use super::active::Active;
use crate::view::SyncView;

impl Active {
    pub(super) fn diagnostics(&self, outside: &Outside) -> String {
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = self.write_diagnostics(&mut text, outside);
        text
    }

    fn write_diagnostics(&self, text: &mut String, outside: &Outside) -> std::fmt::Result {
        let proof = self.session.proof();
        writeln!(
            text,
            "software: {} (protocol {})",
            self.software.version,
            zuoxi_wire::VERSION
        )?;
        writeln!(text, "device: {}", self.software.device)?;
        writeln!(text, "gateway: {}", self.known.gateway)?;
        if let Some(me) = self.me() {
            writeln!(text, "agent: {}", me.id)?;
        }
        let sync = match self.sync_view(outside) {
            SyncView::UpToDate { as_of_ms } => format!("up to date as of {as_of_ms}"),
            SyncView::CatchingUp {
                missing,
                fetched,
                conversations,
            } => {
                format!("catching up: {missing} missing, {fetched} fetched, {conversations} conversations")
            }
            SyncView::Offline {
                since_ms,
                retry_at_ms,
                reason,
            } => {
                format!("offline since {since_ms}, next attempt {retry_at_ms}, {reason}")
            }
        };
        writeln!(text, "sync: {sync}")?;
        writeln!(
            text,
            "round trip: {:?} ms, clock shift: {} ms",
            proof.round_trip_ms, self.shift_ms
        )?;
        for feed in &proof.feeds {
            writeln!(
                text,
                "feed {} {}: here {}, there {}",
                feed.feed.kind, feed.feed.id, feed.here, feed.there
            )?;
        }
        writeln!(
            text,
            "conversations: {}, gaps: {}, waiting: {}, parked: {}, store backlog: {}",
            proof.conversations,
            proof.gaps,
            proof.waiting,
            proof.parked,
            self.store.backlog()
        )?;
        for act in self.session.outbox() {
            let conversation = act.conversation.map(|id| id.to_string()).unwrap_or_default();
            writeln!(
                text,
                "act {} in {conversation}: {:?}, left: {}, base {}, {}",
                act.id,
                act.kind,
                act.left,
                act.base,
                super::lists::state_name(&act.state)
            )?;
        }
        for (conversation, shown) in &self.showing.shown {
            let timeline = &shown.timeline;
            writeln!(
                text,
                "timeline {conversation}: {}..={}, {} in memory, watched: {}",
                timeline.floor(),
                timeline.head(),
                timeline.held(),
                shown.watched
            )?;
        }
        Ok(())
    }
}
