//! What the session tells, brought to timelines, inbox and windows.

use std::collections::BTreeSet;

use bytes::Bytes;
use zuoxi_protocol::change::OutboxAct;
use zuoxi_protocol::notice::{ErasedWhat, LogInFailure, WatchEnd, Who};
use zuoxi_protocol::{Broken, Command, Input, Notice, StoreFailure, Sync};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    ActKind, GatewayFrame, MemberRole, MessageContent, NoteContent, Presence, Problem, gateway_frame, going_away,
    message_content,
};

use super::Outside;
use super::active::Active;
use super::asking::Waiting;
use super::panel;
use super::problem;
use super::trace;
use crate::view::{CallError, CustomerPanel, DeskEvent, DraftView};

/// Customer panels that are kept beyond those on screen.
const PANELS: usize = 64;

impl Active {
    pub(super) fn notice(&mut self, notice: Notice, outside: &mut Outside) {
        match notice {
            Notice::ActTaken(act) => self.act_taken(act, outside),
            Notice::ActStored { id } => {
                self.trace.stored(id);
                self.unwritten.remove(&id);
                self.put_act(id);
                self.acts_changed(id);
            }
            Notice::ActNotStored { act, why } => self.act_not_stored(&act, why, outside),
            Notice::ActSettled {
                id,
                kind: ActKind::Message | ActKind::Note,
                conversation: Some(conversation),
                too_late: true,
                ..
            } => self.sent_too_late(id, conversation, outside),
            // What another did all the same shows by its own entry, and can't be recalled.
            Notice::ActGone { id } | Notice::ActSettled { id, too_late: true, .. } => self.act_gone(id),
            Notice::ActSettled { id, seq, time_ms, .. } => self.act_settled(id, seq, time_ms, outside),
            Notice::ActParked(act) | Notice::ActLost(act) => {
                let id = act.id;
                self.trace.stopped(id);
                self.unwritten.remove(&id);
                self.acts.insert(id, act);
                self.put_act(id);
                self.acts_changed(id);
            }
            Notice::Entries { conversation, entries } => {
                trace::came(conversation, &entries);
                self.entries_came(conversation, &entries);
                self.unread_entries(conversation, &entries);
                self.attention_to_entries(conversation, &entries, outside);
            }
            Notice::WatchEntries { conversation, entries } => self.entries_came(conversation, &entries),
            Notice::Erased { conversation, what } => self.erased(conversation, &what),
            Notice::Dropped { conversation, .. } => self.begin_anew(conversation, outside),
            Notice::LogChanged { conversation } => {
                self.log_changed(conversation);
                self.unread_from_log(conversation);
            }
            Notice::Positions {
                conversation,
                positions,
            } => {
                self.positions(conversation, &positions);
                self.inbox_positions(conversation, &positions);
            }
            Notice::RowChanged {
                feed,
                conversation,
                summary,
            } => {
                self.attention_to_row(feed, conversation, &summary, outside);
                self.row_changed(feed, conversation, *summary);
            }
            Notice::RowLeft { feed, conversation } => {
                self.row_left(feed, conversation);
                if feed.is_own() {
                    self.begin_anew(conversation, outside);
                }
            }
            Notice::WatchOpened {
                conversation,
                floor,
                head,
                positions,
                ..
            } => {
                self.watch_opened(conversation, floor, head, outside);
                self.positions(conversation, &positions);
            }
            Notice::WatchEnded { conversation, why } => match why {
                WatchEnd::Mine => self.watch_became_mine(conversation),
                WatchEnd::Gone | WatchEnd::TooMany => self.watch_gone(conversation, outside),
            },
            Notice::Typing {
                conversation,
                role,
                typing,
                ..
            } => {
                if role == MemberRole::Customer {
                    let event = DeskEvent::Typing {
                        conversation: conversation.to_string(),
                        typing,
                    };
                    outside.windows.tell_observers(conversation, &event);
                }
            }
            Notice::Page { conversation, url } => {
                if let Some(panel) = self.panels.get_mut(&conversation) {
                    panel.page_url = url;
                    panel.page_title.clear();
                    outside
                        .windows
                        .tell_observers(conversation, &DeskEvent::Customer { panel: panel.clone() });
                }
            }
            Notice::Presence { member, presence } => self.presence_moved(member, presence),
            Notice::Customer { ask, customer } => {
                if let Some(panel) = panel::panel(&customer, self.to_wall(outside)) {
                    if let Ok(conversation) = Id::try_from(&customer.conversation) {
                        self.keep_panel(conversation, panel.clone(), outside);
                        outside
                            .windows
                            .tell_observers(conversation, &DeskEvent::Customer { panel: panel.clone() });
                    }
                    self.asks.answer_customer(ask, Ok(panel));
                } else {
                    self.asks.answer_customer(ask, Err(CallError::new("version")));
                }
            }
            Notice::Colleagues { ask, colleagues } => {
                self.asks.answer_targets(ask, Ok(panel::targets(&colleagues)));
            }
            Notice::FoundTime { ask, seq } => self.found_time(ask, seq),
            Notice::Done { ask } => self.asked(ask, Ok(())),
            Notice::Failed { ask, problem } => {
                let error = problem.as_ref().map_or_else(CallError::network, problem::call_error);
                self.asked(ask, Err(error));
            }
            Notice::Sync(sync) => {
                self.changed.sync = true;
                self.attention.synced(sync);
                if !matches!(sync, Sync::Offline { .. }) {
                    self.offline_reason = "network";
                }
                self.connection_changed();
            }
            Notice::RoundTrip { ms } => {
                self.round_trip_ms = Some(ms);
                self.changed.sync = true;
            }
            Notice::Clock { shift_ms } => {
                self.shift_ms = shift_ms;
                self.inbox_shift(outside);
            }
            Notice::LoggedIn(who) => self.logged_in(*who, outside),
            Notice::LogInFailed(failure) => self.log_in_failed(&failure, outside),
            Notice::SessionEnded => self.session_ended("session", outside),
            Notice::ServerLost { count } => outside.windows.tell_all(&DeskEvent::ServerLost { count }),
            Notice::StoreFailed(why) => tracing::error!(?why, "the store failed: all is read again"),
            // A customer's, which a desk is not.
            Notice::CustomerState(_) => {}
        }
    }

    /// What is known of a customer shows at once when their conversation is opened again.
    fn keep_panel(&mut self, conversation: Id, panel: CustomerPanel, outside: &Outside) {
        if self.panels.len() >= PANELS {
            self.panels
                .retain(|conversation, _| outside.windows.is_observed(*conversation));
        }
        self.panels.insert(conversation, panel);
    }

    fn act_taken(&mut self, act: OutboxAct, outside: &mut Outside) {
        let (id, conversation) = (act.id, act.conversation);
        self.trace.taken(&act);
        self.unwritten.insert(id);
        self.acts.insert(id, act);
        self.watch_wait(id);
        self.put_act(id);
        self.acts_changed(id);
        if let Some(conversation) = conversation {
            self.fetch(conversation);
            // The bubble must not wait for the end of a frame that others have begun.
            outside.urgent = true;
        }
    }

    /// Shows an act as it stands.
    pub(super) fn put_act(&mut self, id: Id) {
        let Some(act) = self.acts.get(&id) else { return };
        let Some(conversation) = act.conversation else { return };
        let progress = self.progress(act);
        if let Some(shown) = self.showing.shown.get_mut(&conversation) {
            shown.timeline.put_act(act, progress);
        }
    }

    fn act_gone(&mut self, id: Id) {
        self.trace.stopped(id);
        self.unwritten.remove(&id);
        self.resends.retain(|_, old| *old != id);
        self.changed.sync = true;
        let Some(act) = self.acts.remove(&id) else { return };
        if let Some(conversation) = act.conversation
            && let Some(shown) = self.showing.shown.get_mut(&conversation)
        {
            shown.timeline.remove_act(id);
        }
        self.conversation_acts_changed(act.conversation);
    }

    fn act_settled(&mut self, id: Id, seq: u64, time_ms: u64, outside: &mut Outside) {
        self.trace.settled(id, seq);
        self.unwritten.remove(&id);
        let Some(act) = self.acts.remove(&id) else { return };
        if let Some(conversation) = act.conversation
            && let Some(shown) = self.showing.shown.get_mut(&conversation)
        {
            shown.timeline.act_settled(&act, seq, time_ms);
        }
        self.changed.sync = true;
        self.conversation_acts_changed(act.conversation);
        outside.urgent = true;
    }

    /// Discarded, and sent all the same: its content is in the entry, which comes, and can be recalled.
    fn sent_too_late(&mut self, id: Id, conversation: Id, outside: &mut Outside) {
        self.act_gone(id);
        tracing::info!(act = %id, "discarded too late");
        self.too_late.entry(conversation).or_default().insert(id);
        if let Some(shown) = self.showing.shown.get_mut(&conversation) {
            shown.timeline.offer_recall(id);
        }
        let row = self.inbox.row(conversation);
        outside.windows.tell_all(&DeskEvent::TooLate {
            conversation: conversation.to_string(),
            message: id.to_string(),
            customer: row.map(|row| row.customer.name).unwrap_or_default(),
        });
        outside.urgent = true;
    }

    /// The disk didn't take it: bubble away, words back.
    fn act_not_stored(&mut self, act: &OutboxAct, why: StoreFailure, outside: &mut Outside) {
        self.act_gone(act.id);
        self.words_back(act.conversation, act.kind, &act.content, why, outside);
    }

    /// Words that aren't stored go before what was typed since.
    pub(super) fn words_back(
        &mut self,
        conversation: Option<Id>,
        kind: ActKind,
        content: &Bytes,
        why: StoreFailure,
        outside: &mut Outside,
    ) {
        let Some(conversation) = conversation else { return };
        let Some((text, note)) = words(kind, content) else {
            return;
        };
        let reason = match why {
            StoreFailure::Full => "disk_full",
            StoreFailure::Broken => "store",
        };
        let draft = self.drafts.entry(conversation).or_default();
        let part = if note { &mut draft.note } else { &mut draft.text };
        *part = if part.is_empty() {
            text.clone()
        } else {
            format!("{text}\n{part}")
        };
        let draft = draft.clone();
        self.inbox_draft(conversation);
        // Whether a composer takes it or not: one that saves the same words later saves nothing new.
        self.later(Input::User(Command::SaveDraft { conversation, draft }));
        let event = DeskEvent::PutBack {
            conversation: conversation.to_string(),
            text,
            note,
            reason: reason.to_owned(),
        };
        outside.windows.tell_observers(conversation, &event);
        outside.urgent = true;
    }

    fn erased(&mut self, conversation: Id, what: &ErasedWhat) {
        if let Some(shown) = self.showing.shown.get_mut(&conversation) {
            shown.timeline.erased(what);
        }
    }

    fn presence_moved(&mut self, member: Id, presence: Presence) {
        if self.me().is_some_and(|me| me.id == member) {
            self.presence = presence;
            self.changed.me = true;
        }
    }

    /// What depends on whether there is a connection.
    fn connection_changed(&mut self) {
        let online = self.link.is_open();
        for shown in self.showing.shown.values_mut() {
            shown.timeline.set_online(online);
        }
        if std::mem::replace(&mut self.online, online) != online {
            let with_acts: BTreeSet<Id> = self.acts.values().filter_map(|act| act.conversation).collect();
            for conversation in with_acts {
                self.conversation_acts_changed(Some(conversation));
            }
        }
    }

    fn logged_in(&mut self, who: Who, outside: &mut Outside) {
        tracing::info!(agent = ?self.me().map(|me| me.id), "logged in");
        self.teams = who.teams;
        self.presence = who.presence;
        self.changed.me = true;
        self.changed.sync = true;
        self.inbox_who(outside);
        if let Some(reply) = self.log_in_reply.take() {
            // Who doesn't wait any more sees it by event.
            let _ = reply.send(Ok(()));
        }
        self.try_again();
    }

    fn log_in_failed(&mut self, failure: &LogInFailure, outside: &mut Outside) {
        let error = match failure {
            LogInFailure::Problem(problem) => problem::call_error(problem),
            LogInFailure::Unreachable(Broken::Network) => CallError::network(),
            LogInFailure::Unreachable(Broken::Tls) => CallError::new("tls"),
            LogInFailure::Unreachable(Broken::NotAGateway) => CallError::new("not_a_gateway"),
            LogInFailure::Version { .. } => CallError::new("version"),
            LogInFailure::AnotherAccount => CallError::new("invalid"),
        };
        tracing::warn!(code = error.code, "log-in failed");
        if let Some(reply) = self.log_in_reply.take() {
            let _ = reply.send(Err(error));
            return;
        }
        match failure {
            LogInFailure::Version { .. } => self.offline_reason = "version",
            LogInFailure::Problem(Problem { .. }) => {
                let reason = if error.code == "disabled" {
                    "disabled"
                } else {
                    "session"
                };
                self.session_ended(reason, outside);
            }
            LogInFailure::AnotherAccount => self.session_ended("session", outside),
            LogInFailure::Unreachable(_) => {}
        }
        self.changed.sync = true;
    }

    fn session_ended(&mut self, reason: &'static str, outside: &mut Outside) {
        self.offline_reason = reason;
        self.changed.sync = true;
        self.ended = Some(reason);
        if !self.leaving {
            outside.windows.tell_all(&DeskEvent::SessionEnded {
                reason: reason.to_owned(),
            });
        }
    }

    /// Why the gateway will close, for the words beside "offline".
    pub(super) fn overhear(&mut self, frame: &GatewayFrame) {
        if let Some(gateway_frame::Kind::GoingAway(away)) = &frame.kind {
            self.offline_reason = match away.reason() {
                going_away::Reason::Stopping => "stopping",
                going_away::Reason::Crowded => "crowded",
                going_away::Reason::SessionEnded => "session",
                _ => "network",
            };
        }
    }

    /// A question of the user, or of the screen, is over.
    fn asked(&mut self, ask: u64, result: Result<(), CallError>) {
        match self.asks.take(ask) {
            Some(Waiting::Entries { conversation }) => {
                self.pulled(conversation, ask);
                self.fetch(conversation);
            }
            Some(Waiting::Done(reply)) => {
                let _ = reply.send(result);
            }
            Some(Waiting::FindTime {
                conversation,
                time_ms,
                reply,
            }) => match result {
                Ok(()) => {
                    let _ = reply.send(Err(CallError::new("not_found")));
                }
                Err(error) if error.code == "network" => self.find_here(conversation, time_ms, reply),
                Err(error) => {
                    let _ = reply.send(Err(error));
                }
            },
            Some(Waiting::FindHere { .. }) | None => {}
            Some(Waiting::Customer(reply)) => {
                let _ = reply.send(result.and(Err(CallError::new("not_found"))));
            }
            Some(Waiting::Targets(reply)) => {
                let _ = reply.send(result.and(Err(CallError::new("not_found"))));
            }
        }
    }

    /// Another window's composer shows what is stored now.
    pub(super) fn tell_draft(&self, conversation: Id, except: &crate::desk::WindowId, outside: &mut Outside) {
        let draft = self.draft(conversation);
        for window in outside
            .windows
            .observers(conversation)
            .into_iter()
            .filter(|window| window != except)
        {
            outside.windows.tell(
                &window,
                DeskEvent::Draft {
                    conversation: conversation.to_string(),
                    draft: draft.clone(),
                },
            );
        }
    }

    pub(super) fn draft(&self, conversation: Id) -> DraftView {
        self.drafts
            .get(&conversation)
            .map_or_else(DraftView::default, |draft| DraftView {
                text: draft.text.clone(),
                note: draft.note.clone(),
                on_note: draft.on_note,
            })
    }
}

/// Text of an act that has one, and whether it is a note.
pub(super) fn words(kind: ActKind, content: &Bytes) -> Option<(String, bool)> {
    match kind {
        ActKind::Message => {
            let content = <MessageContent as prost::Message>::decode(content.clone()).ok()?;
            let message_content::Body::Text(text) = content.body?;
            Some((text, false))
        }
        ActKind::Note => Some((
            <NoteContent as prost::Message>::decode(content.clone()).ok()?.text,
            true,
        )),
        _ => None,
    }
}
