//! What the user wants.

use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    ChangePassword, FindTime, Presence, ReadColleagues, ReadCustomer, SetPresence, Signal, Visit, client_frame, signal,
};

use super::Session;
use super::asking::{Asked, WANTS, Want};
use crate::change::{Change, OutboxAct, OutboxState, Range};
use crate::connection::Phase;
use crate::input::{Ask, Command, NewAct, StoreFailure};
use crate::log::LAST;
use crate::notice::Notice;
use crate::outbox::MOST;
use crate::turn::{Fails, Turn};

/// Typing is told again at most so often, milliseconds.
const TYPING_EVERY_MS: u64 = 3_000;
/// Entries of one want.
const WANT_ENTRIES: u64 = zuoxi_wire::limits::PAGE_ENTRIES;

impl Session {
    pub(super) fn command(&mut self, command: Command, turn: &mut Turn<'_>) {
        match command {
            Command::LogIn { credential, remember } => self.log_in(credential, remember, turn),
            Command::LogOut => self.log_out(turn),
            Command::ChangePassword { ask, old, new } => {
                let change = ChangePassword { old, new };
                self.question(
                    ask,
                    Asked::Plain { ask },
                    client_frame::Kind::ChangePassword(change),
                    turn,
                );
            }
            Command::Act(act) => self.act(act, turn),
            Command::Resend { id, new_id } => self.resend(id, new_id, turn),
            Command::Discard { id } => {
                let key = self.outbox.get(id).map(|act| self.lane_key(act.conversation));
                self.outbox.discard(id, turn);
                self.lanes_due.extend(key);
            }
            Command::SendAgain { id } => self.outbox.send_again(id, turn.now, turn),
            Command::ParkClosing { conversation, after } => {
                self.outbox.park_closing(self.lane_key(conversation), after, turn);
            }
            Command::MarkRead { conversation, seq } => self.mark_read(conversation, seq, turn),
            Command::Typing { conversation, typing } => self.typing(conversation, typing, turn),
            Command::SetPresence(presence) => self.set_presence(presence, turn),
            Command::PageViewed(visit) => self.page_viewed(visit, turn),
            Command::Watch { conversation } => self.watch(conversation),
            Command::Unwatch { conversation } => self.unwatch(conversation, turn),
            Command::Want {
                ask,
                conversation,
                range,
                background,
            } => {
                self.want(
                    Want {
                        ask,
                        conversation,
                        range,
                        background,
                    },
                    turn,
                );
            }
            Command::FindTime {
                ask,
                conversation,
                time_ms,
            } => {
                let find = FindTime {
                    conversation: conversation.to_bytes(),
                    time_ms,
                };
                self.question(ask, Asked::FindTime { ask }, client_frame::Kind::FindTime(find), turn);
            }
            Command::ReadCustomer { ask, conversation } => {
                let read = ReadCustomer {
                    conversation: conversation.to_bytes(),
                };
                self.question(
                    ask,
                    Asked::Customer { ask },
                    client_frame::Kind::ReadCustomer(read),
                    turn,
                );
            }
            Command::ReadColleagues { ask } => {
                let read = client_frame::Kind::ReadColleagues(ReadColleagues {});
                self.question(ask, Asked::Colleagues { ask }, read, turn);
            }
            Command::CheckNow => match self.connection.phase {
                Phase::Waiting { .. } => self.connection.network_changed(turn.now),
                _ => self.heartbeat_now(turn),
            },
            Command::SaveDraft { conversation, draft } => {
                turn.fails = Fails::Tell;
                turn.change(Change::Draft(conversation, draft));
            }
        }
    }

    fn question(&mut self, ask: Ask, asked: Asked, kind: client_frame::Kind, turn: &mut Turn<'_>) {
        if self.connection.is_live() {
            self.ask(asked, kind, turn);
        } else {
            turn.tell(Notice::Failed { ask, problem: None });
        }
    }

    /// What an act's sender has seen of the log.
    fn base(&self, conversation: Option<Id>) -> u64 {
        let Some(conversation) = conversation.or(self.own) else {
            return 0;
        };
        let watched = self.watching.get(&conversation).and_then(|watch| watch.log.as_ref());
        match self.logs.get(&conversation).or(watched) {
            Some(log) => log.base(),
            None => self.heads.get(&conversation).copied().unwrap_or(0),
        }
    }

    fn act(&mut self, new: NewAct, turn: &mut Turn<'_>) {
        if self.outbox.get(new.id).is_some() {
            return;
        }
        let state = self.outbox.beginning(self.lane_key(new.conversation), new.kind);
        let act = OutboxAct {
            place: self.outbox.next_place(),
            id: new.id,
            conversation: new.conversation,
            kind: new.kind,
            content: new.content,
            base: self.base(new.conversation),
            done_ms: turn.now,
            left: true,
            state,
        };
        turn.tell(Notice::ActTaken(act.clone()));
        if self.outbox.len() >= MOST {
            turn.tell(Notice::ActNotStored {
                act,
                why: StoreFailure::Full,
            });
            return;
        }
        turn.fails = Fails::Act(act.id);
        if let (Some(conversation), Some(draft)) = (new.conversation.or(self.own), new.draft) {
            turn.change(Change::Draft(conversation, draft));
        }
        self.outbox.enqueue(act, turn);
    }

    fn resend(&mut self, id: Id, new_id: Id, turn: &mut Turn<'_>) {
        let parked = |act: &&OutboxAct| matches!(act.state, OutboxState::Parked { .. });
        let Some(act) = self.outbox.get(id).filter(parked).cloned() else {
            return;
        };
        self.outbox.remove(id);
        turn.change(Change::Settle(id));
        turn.after(Notice::ActGone { id });
        let act = OutboxAct {
            place: self.outbox.next_place(),
            id: new_id,
            base: self.base(act.conversation),
            done_ms: turn.now,
            left: true,
            state: self.outbox.beginning(self.lane_key(act.conversation), act.kind),
            ..act
        };
        turn.tell(Notice::ActTaken(act.clone()));
        self.outbox.enqueue(act, turn);
    }

    /// What isn't here yet can't have been seen.
    fn mark_read(&mut self, conversation: Id, seq: u64, turn: &mut Turn<'_>) {
        let Some(log) = self.logs.get_mut(&conversation).filter(|log| !log.state.to_compare) else {
            return;
        };
        let covered = log.state.covered.iter().rev().find(|range| range.first <= seq);
        let seen = covered.map_or(0, |range| range.last.min(seq));
        if seen > log.state.read {
            log.state.read = seen;
            turn.touch(conversation);
            self.reads.insert(conversation);
        }
    }

    fn typing(&mut self, conversation: Option<Id>, typing: bool, turn: &mut Turn<'_>) {
        let told = self.typed.get(&conversation).copied();
        let news = if typing {
            told.is_none_or(|at| at + TYPING_EVERY_MS <= turn.now)
        } else {
            told.is_some()
        };
        let Some(to) = conversation.or(self.own).filter(|_| news && self.connection.is_live()) else {
            return;
        };
        if typing {
            self.typed.insert(conversation, turn.now);
        } else {
            self.typed.remove(&conversation);
        }
        self.signal_to(to, signal::Kind::Typing(typing), turn);
    }

    fn signal_to(&mut self, conversation: Id, kind: signal::Kind, turn: &mut Turn<'_>) {
        let signal = Signal {
            conversation: conversation.to_bytes(),
            kind: Some(kind),
            ..Signal::default()
        };
        self.send(0, Some(client_frame::Kind::Signal(signal)), turn);
    }

    fn page_viewed(&mut self, visit: Visit, turn: &mut Turn<'_>) {
        if let Some(own) = self.own.filter(|_| self.connection.is_live()) {
            self.signal_to(own, signal::Kind::PageUrl(visit.page_url.clone()), turn);
        }
        self.config.visit = Some(visit);
    }

    fn set_presence(&mut self, presence: Presence, turn: &mut Turn<'_>) {
        self.presence = presence;
        if self.connection.is_live() {
            let set = SetPresence {
                presence: presence.into(),
            };
            self.ask(Asked::Nothing, client_frame::Kind::SetPresence(set), turn);
        }
    }

    fn want(&mut self, mut want: Want, turn: &mut Turn<'_>) {
        let known = self.logs.contains_key(&want.conversation) || self.watching.contains_key(&want.conversation);
        if !known || !self.connection.is_live() || self.wants.len() >= WANTS {
            turn.tell(Notice::Failed {
                ask: want.ask,
                problem: None,
            });
            return;
        }
        let first = want.range.first.clamp(1, LAST);
        want.range = Range {
            first,
            last: want
                .range
                .last
                .clamp(first, first.saturating_add(WANT_ENTRIES - 1).min(LAST)),
        };
        self.wants.push_back(want);
    }
}
