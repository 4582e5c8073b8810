//! A group's end: memory moves and all leaves, or nothing did.

use zuoxi_wire::limits;
use zuoxi_wire::v1::{Answer, ProblemCode, Push, RefusalCode, Refused, answer, gateway_frame};

use crate::bus::{Notice, Subject};
use crate::event::{ConnectionId, Output};
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::{Group, Leaving};
use crate::load::Level;
use crate::planted::{self, Fault};
use crate::record::Conversation;
use crate::timer::Timer;
use crate::wording::problem;

impl Gateway {
    /// Commits a group; then memory moves, questions are answered, and all leaves.
    pub(crate) fn finish(&mut self, mut group: Group<'_>, out: &mut Vec<Output>) {
        let done = group.commit();
        match &done {
            Ok(()) => {
                self.committed(&mut group);
                self.stir_moved(&mut group);
            }
            Err(error) => {
                tracing::warn!(%error, "a group commit failed; its acts are refused for now");
                self.rests_until_ms = self.now_ms + u64::from(RETRY_MS);
                self.not_committed(&mut group);
            }
        }
        for (connection, request, kind) in std::mem::take(&mut group.asks) {
            self.answer_from_store(&mut group, connection, request, kind);
        }
        self.tell_customers(&mut group);
        group.mail.empty_into(out);
    }

    fn committed(&mut self, group: &mut Group<'_>) {
        self.move_lanes(group);
        self.publish_moves(group);
        for waited in std::mem::take(&mut group.waited) {
            self.replies.measured(waited);
        }
        for leaving in std::mem::take(&mut group.leaving) {
            match leaving {
                Leaving::Answer(connection, answer) => group.mail.answer(connection, *answer),
                Leaving::Push {
                    to,
                    push,
                    hidden,
                    except,
                } => {
                    self.publish_push(to, &push, hidden);
                    self.push_here(group, to, *push, hidden, except);
                }
                Leaving::Reply(connection, request, kind) => group.mail.say(connection, request, *kind),
                Leaving::Say(to, said) => self.say_to(group, to, &said),
            }
        }
        for effect in std::mem::take(&mut group.effects) {
            self.take_effect(group, effect);
        }
        self.sealing.done(&group.sealed);
    }

    fn move_lanes(&mut self, group: &mut Group<'_>) {
        for ((connection, conversation), lane) in std::mem::take(&mut group.lanes) {
            if let Some(known) = self.connections.get_mut(&connection) {
                known.lanes.insert(conversation, lane);
            }
        }
    }

    /// Nothing in memory moves, and whoever asked is told to come again: it may have been stored all the same.
    fn not_committed(&mut self, group: &mut Group<'_>) {
        if planted::has(Fault::LaneBeforeCommit) {
            self.move_lanes(group);
        }
        group.lanes.clear();
        if group.in_doubt {
            self.board_doubted = true;
            self.bus.publish(Subject::Nodes, &Notice::Doubted);
        }
        for (before, after) in std::mem::take(&mut group.moves).iter().rev() {
            self.board.set(after.id, before.as_deref().map(Conversation::stand));
        }
        for (conversation, gathered) in std::mem::take(&mut group.positions) {
            self.keep_positions(conversation, gathered);
        }
        for leaving in std::mem::take(&mut group.leaving) {
            match leaving {
                Leaving::Answer(connection, answer) if is_told_early(&answer) => {
                    group.mail.answer(connection, *answer);
                }
                Leaving::Push {
                    to,
                    push,
                    hidden,
                    except,
                } if planted::has(Fault::HeadBeforeCommit) => {
                    self.push_here(group, to, *push, hidden, except);
                }
                Leaving::Answer(connection, answer) => {
                    let refused = Refused {
                        code: RefusalCode::Store.into(),
                        for_now: true,
                        retry_ms: RETRY_MS,
                        ..Refused::default()
                    };
                    let result = Some(answer::Result::Refused(refused));
                    group.mail.answer(connection, Answer { result, ..*answer });
                }
                Leaving::Reply(connection, request, _) => {
                    let said = gateway_frame::Kind::Problem(problem(ProblemCode::Store, RETRY_MS));
                    group.mail.say(connection, request, said);
                }
                Leaving::Push { .. } | Leaving::Say(..) => {}
            }
        }
        for effect in std::mem::take(&mut group.effects) {
            self.no_effect(group, effect);
        }
        group.forget();
    }

    /// A push leaves if the connection's window has room; else feeds and heads tell it.
    pub(crate) fn push(&mut self, group: &mut Group<'_>, connection: ConnectionId, mut push: Push, hidden: bool) {
        if self.sheds(Level::Pushes) {
            return self.head_instead(connection);
        }
        let Some(known) = self
            .connections
            .get_mut(&connection)
            .filter(|known| known.session().is_some())
        else {
            return;
        };
        if let Some(bytes) = known.window.admit(&mut push, hidden, self.now_ms) {
            group.mail.push(connection, push, bytes as usize);
            if !std::mem::replace(&mut known.ack_timer, true) {
                self.timers.set(self.now_ms + limits::ACK_MS, Timer::Ack(connection));
            }
        }
    }
}

/// A planted fault.
fn is_told_early(told: &Answer) -> bool {
    match &told.result {
        Some(answer::Result::Accepted(_)) => planted::has(Fault::AcceptedBeforeCommit),
        Some(answer::Result::Refused(refused)) => !refused.for_now && planted::has(Fault::RefusedBeforeCommit),
        None => false,
    }
}
