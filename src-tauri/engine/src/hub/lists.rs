//! The inbox as windows observe it, the heads of conversations, the mark, and who is logged in.

use std::collections::BTreeSet;

use zuoxi_protocol::Sync;
use zuoxi_protocol::change::{FeedKey, Loaded, OutboxState};
use zuoxi_protocol::notice::Proof;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{MemberRole, Position, Summary};

use super::Outside;
use super::active::Active;
use super::notices::words;
use super::panel;
use crate::desk::WindowId;
use crate::inbox::{Inbox, LastDone};
use crate::timeline::Progress;
use crate::view::{CallError, DeskEvent, InboxTab, Mark, MeView, ProofFeed, ProofView, SyncView};

impl Active {
    /// The inbox from what is stored.
    pub(super) fn fill_inbox(&mut self, loaded: &Loaded, outside: &mut Outside) {
        let me = self.me().map(|me| me.id).unwrap_or_default();
        self.inbox = Inbox::new(me);
        self.inbox_of = me;
        self.inbox.set_teams(&self.teams);
        self.inbox_shift(outside);
        for ((feed, conversation), (summary, _)) in &loaded.rows {
            self.inbox.set_row(*feed, *conversation, Some(summary.clone()));
        }
        self.acts = self.session.outbox().map(|act| (act.id, act.clone())).collect();
        self.watch_waits();
        let with_acts: BTreeSet<Id> = self.acts.values().filter_map(|act| act.conversation).collect();
        for conversation in with_acts {
            self.conversation_acts_changed(Some(conversation));
        }
        let drafts: Vec<Id> = self.drafts.keys().copied().collect();
        for conversation in drafts {
            self.inbox_draft(conversation);
        }
        for (conversation, log) in &loaded.logs {
            for (_, role, delivered, read) in &log.positions {
                if *role == MemberRole::Customer as i32 {
                    self.inbox.set_customer_at(*conversation, *delivered, *read);
                }
            }
            self.unread_from_log(*conversation);
        }
        for window in outside.windows.ids() {
            if let Some(observed) = outside.windows.inbox(&window) {
                self.inbox.observe(window, observed.tab, observed.from, observed.count);
            }
        }
    }

    /// Who is logged in, and which teams, is told anew.
    pub(super) fn inbox_who(&mut self, outside: &mut Outside) {
        let me = self.me().map(|me| me.id).unwrap_or_default();
        if me == self.inbox_of {
            self.inbox.set_teams(&self.teams);
        } else {
            // The first log-in of this account: nothing is in it yet.
            self.fill_inbox(&Loaded::default(), outside);
        }
    }

    /// Waits are shown by the wall clock, whatever it says.
    pub(super) fn inbox_shift(&mut self, outside: &Outside) {
        self.inbox.set_clock_shift(self.to_wall(outside).saturating_neg());
    }

    /// What to add to the gateway's times to have them by this computer's wall clock.
    pub(super) fn to_wall(&self, outside: &Outside) -> i64 {
        outside.time.to_wall() - self.shift_ms
    }

    pub(super) fn observe_inbox(
        &mut self,
        window: &WindowId,
        tab: InboxTab,
        from: u32,
        count: u32,
        outside: &mut Outside,
    ) -> Result<(), CallError> {
        let observed = super::windows::ObservedInbox { tab, from, count };
        if !outside.windows.observe_inbox(window, observed) {
            return Err(CallError::invalid());
        }
        self.tell_inbox(window, outside);
        Ok(())
    }

    /// A window's list, as a whole.
    pub(super) fn tell_inbox(&mut self, window: &WindowId, outside: &mut Outside) {
        outside.windows.tell(
            window,
            DeskEvent::Counts {
                counts: self.inbox.counts(),
            },
        );
        if let Some(observed) = outside.windows.inbox(window) {
            let view = self
                .inbox
                .observe(window.clone(), observed.tab, observed.from, observed.count);
            outside.windows.tell_inbox(window, view);
        }
    }

    pub(super) fn row_changed(&mut self, feed: FeedKey, conversation: Id, summary: Summary) {
        self.inbox.set_row(feed, conversation, Some(summary));
    }

    pub(super) fn row_left(&mut self, feed: FeedKey, conversation: Id) {
        self.inbox.set_row(feed, conversation, None);
        if feed.is_own() {
            self.unread.forget(conversation);
        }
    }

    pub(super) fn inbox_positions(&mut self, conversation: Id, positions: &[Position]) {
        for position in positions
            .iter()
            .filter(|position| position.role == MemberRole::Customer as i32)
        {
            self.inbox
                .set_customer_at(conversation, position.delivered, position.read);
        }
    }

    pub(super) fn inbox_draft(&mut self, conversation: Id) {
        let draft = self.drafts.get(&conversation);
        let text = draft.map_or("", |draft| {
            if draft.text.trim().is_empty() {
                &draft.note
            } else {
                &draft.text
            }
        });
        self.inbox.set_draft(conversation, text);
    }

    pub(super) fn acts_changed(&mut self, id: Id) {
        self.changed.sync = true;
        let conversation = self.acts.get(&id).and_then(|act| act.conversation);
        self.conversation_acts_changed(conversation);
    }

    /// Parked acts of a conversation, and the last words that the gateway doesn't have.
    pub(super) fn conversation_acts_changed(&mut self, conversation: Option<Id>) {
        let Some(conversation) = conversation else { return };
        let mut not_sent = 0;
        let mut last: Option<(u64, LastDone)> = None;
        for act in self.acts.values().filter(|act| act.conversation == Some(conversation)) {
            let mark = match &act.state {
                OutboxState::Parked { .. } => Mark::NotSent,
                OutboxState::Lost => Mark::Lost,
                OutboxState::Voided => continue,
                OutboxState::Waiting => match self.progress(act) {
                    Progress::Writing => Mark::Writing,
                    Progress::Overdue => Mark::Overdue,
                    Progress::Sending if self.online => Mark::Sending,
                    Progress::Sending | Progress::Waiting => Mark::WaitingForNetwork,
                },
            };
            not_sent += u32::from(matches!(mark, Mark::NotSent | Mark::Lost));
            if let Some((text, false)) = words(act.kind, &act.content)
                && last.as_ref().is_none_or(|(place, _)| *place < act.place)
            {
                last = Some((
                    act.place,
                    LastDone {
                        text,
                        time_ms: act.done_ms,
                        mark,
                    },
                ));
            }
        }
        self.inbox
            .set_outbox(conversation, not_sent, last.map(|(_, done)| done));
        self.inbox_draft(conversation);
    }

    pub(super) fn next_waiting(&self, except: &[Id]) -> Option<String> {
        self.inbox
            .next_waiting(except)
            .map(|conversation| conversation.to_string())
    }

    /// A conversation's head, to one window.
    pub(super) fn tell_head(&self, conversation: Id, window: &WindowId, outside: &mut Outside) {
        if let Some(row) = self.inbox.row(conversation) {
            outside.windows.tell(window, DeskEvent::Conversation { row });
        }
    }

    /// Tells what changed in the lists and in the heads of what is open; whether anything did.
    pub(super) fn tell_lists(&mut self, outside: &mut Outside) -> bool {
        let mut told = false;
        for (window, view) in self.inbox.take_views() {
            outside.windows.tell_inbox(&window, view);
            told = true;
        }
        if let Some(counts) = self.inbox.take_counts() {
            outside.windows.tell_all(&DeskEvent::Counts { counts });
            told = true;
        }
        for conversation in self.inbox.take_changed() {
            if outside.windows.is_observed(conversation)
                && let Some(row) = self.inbox.row(conversation)
            {
                outside
                    .windows
                    .tell_observers(conversation, &DeskEvent::Conversation { row });
                told = true;
            }
        }
        told
    }

    /// Tells who is logged in and how far they are.
    pub(super) fn tell_states(&mut self, outside: &mut Outside) {
        if std::mem::take(&mut self.changed.me) {
            outside.windows.tell_all(&DeskEvent::Me { me: self.me_view() });
        }
        if std::mem::take(&mut self.changed.sync) {
            outside.windows.tell_all(&self.sync_event(outside));
        }
    }

    pub(super) fn me_view(&self) -> Option<MeView> {
        let me = self.session.me()?;
        Some(MeView {
            id: Id::try_from(&me.id).ok()?.to_string(),
            name: me.name.clone(),
            login: self.known.name.clone(),
            gateway: self.known.gateway.clone(),
            presence: panel::presence_view(self.presence),
            lead: me.role() == MemberRole::Lead,
            pictures: self.pictures.name().to_owned(),
        })
    }

    pub(super) fn sync_event(&self, outside: &Outside) -> DeskEvent {
        let Proof {
            waiting,
            parked,
            round_trip_ms,
            ..
        } = self.session.proof();
        DeskEvent::Sync {
            sync: self.sync_view(outside),
            waiting,
            parked,
            round_trip_ms: round_trip_ms.or(self.round_trip_ms),
        }
    }

    pub(super) fn sync_view(&self, outside: &Outside) -> SyncView {
        let wall = |ms: u64| {
            if ms == 0 {
                0
            } else {
                ms.saturating_add_signed(outside.time.to_wall())
            }
        };
        if let Some(since) = self.reloading.since {
            return SyncView::Offline {
                since_ms: wall(since),
                retry_at_ms: wall(self.reloading.at.unwrap_or(0)),
                reason: "store".to_owned(),
            };
        }
        match self.session.sync() {
            Sync::UpToDate { as_of_ms } => SyncView::UpToDate { as_of_ms },
            Sync::CatchingUp {
                missing,
                fetched,
                conversations,
                ..
            } => SyncView::CatchingUp {
                missing,
                fetched,
                conversations,
            },
            Sync::Offline { since_ms, retry_at_ms } => SyncView::Offline {
                since_ms: wall(since_ms),
                retry_at_ms: wall(retry_at_ms),
                reason: self.offline_reason.to_owned(),
            },
        }
    }

    pub(super) fn proof_view(&self, outside: &Outside) -> ProofView {
        let proof = self.session.proof();
        let name = |feed: &FeedKey| {
            let team = self.teams.iter().find(|team| team.id.as_ref() == feed.id.0);
            team.map(|team| team.name.clone()).unwrap_or_default()
        };
        ProofView {
            sync: self.sync_view(outside),
            feeds: proof
                .feeds
                .iter()
                .map(|feed| ProofFeed {
                    name: if feed.feed.is_own() {
                        String::new()
                    } else {
                        name(&feed.feed)
                    },
                    here: feed.here,
                    there: feed.there,
                    agrees: feed.agrees,
                })
                .collect(),
            conversations: proof.conversations,
            gaps: proof.gaps,
            waiting: proof.waiting,
            parked: proof.parked,
            round_trip_ms: proof.round_trip_ms,
        }
    }
}

/// An act's state in a word, for diagnostics.
pub(super) fn state_name(state: &OutboxState) -> &'static str {
    match state {
        OutboxState::Waiting => "waiting",
        OutboxState::Voided => "voided",
        OutboxState::Parked { .. } => "parked",
        OutboxState::Lost => "lost",
    }
}
