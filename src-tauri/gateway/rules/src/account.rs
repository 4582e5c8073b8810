//! Passwords and sessions of those who are known: checking, changing, ending; and what the administrator changed.

use std::collections::BTreeSet;

use zuoxi_wire::v1::{ChangePassword, Done, Problem, ProblemCode, gateway_frame, going_away};
use zuoxi_wire::{Id, limits};

use crate::bus::{Notice, Subject};
use crate::connection::{Pending, Session, Stage};
use crate::event::{ConnectionId, Output};
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::{Effect, Group, Leaving};
use crate::people::People;
use crate::record::Who;
use crate::signals::want_presence;
use crate::timer::Timer;
use crate::wording::problem;

impl Gateway {
    pub(crate) fn logged_out(&mut self, group: &mut Group<'_>, connection: ConnectionId) {
        let Some(session) = self.session(connection) else {
            return;
        };
        self.end(group, connection);
        let token_hash = session.token_hash;
        self.end_session(group, token_hash);
        self.bus.publish(Subject::Nodes, &Notice::LoggedOut { token_hash });
    }

    /// All connections of one session are ended.
    pub(crate) fn end_session(&mut self, group: &mut Group<'_>, token_hash: [u8; 32]) {
        let same = |id: &ConnectionId| self.session(*id).is_some_and(|other| other.token_hash == token_hash);
        let all: BTreeSet<ConnectionId> = self.connections.keys().copied().filter(same).collect();
        for connection in all {
            self.send_away(group, connection, going_away::Reason::SessionEnded, 0);
        }
    }

    pub(crate) fn change_password(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        request: u32,
        session: Session,
        change: ChangePassword,
    ) {
        let bytes = change.new.len() as u64;
        let agent = match session.who {
            Who::Agent(agent) => self.people.agents.get(&agent),
            Who::Customer(_) => None,
        };
        let busy = self
            .connections
            .get(&connection)
            .is_some_and(|known| known.pending.is_some());
        let refused = match agent {
            None => Some(problem(ProblemCode::NotFound, 0)),
            Some(_) if busy => Some(problem(ProblemCode::Rate, RETRY_MS)),
            Some(_) if !(limits::PASSWORD_MIN_BYTES..=limits::PASSWORD_BYTES).contains(&bytes) => {
                Some(problem(ProblemCode::Password, 0))
            }
            Some(_) => None,
        };
        let named = agent.map(|agent| (agent.login.clone(), agent.password_hash.clone()));
        let refused = match (refused, named) {
            (None, Some((name, hash))) => match self.count_attempt(connection, &name) {
                None => {
                    let output = Output::CheckPassword {
                        connection,
                        hash: Some(hash),
                        password: change.old,
                    };
                    group.mail.work(output);
                    if let Some(known) = self.connections.get_mut(&connection) {
                        known.pending = Some(Pending::OldPassword {
                            request,
                            new: change.new,
                        });
                    }
                    return;
                }
                locked => locked,
            },
            (refused, _) => refused,
        };
        if let Some(said) = refused {
            group.mail.say(connection, request, gateway_frame::Kind::Problem(said));
        }
    }

    pub(crate) fn password_checked(&mut self, group: &mut Group<'_>, connection: ConnectionId, ok: bool) {
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        if let Stage::Checking {
            request,
            log_in,
            agent,
            name,
        } = known.stage.clone()
        {
            let checked = agent.filter(|_| ok);
            // The password may be another by now.
            let agent = checked.and_then(|(agent, hash)| {
                self.people
                    .agents
                    .get(&agent)
                    .filter(|agent| agent.password_hash == hash)
            });
            let Some(agent) = agent else {
                return self.end_with(group, connection, request, problem(ProblemCode::Credentials, 0));
            };
            let (id, disabled) = (agent.id, agent.disabled);
            self.was_right(connection, &name);
            if disabled {
                return self.end_with(group, connection, request, problem(ProblemCode::Disabled, 0));
            }
            let entered = group
                .usable()
                .and_then(|()| want_presence(group, id, log_in.presence()))
                .and_then(|()| self.new_session(group, connection, request, Who::Agent(id), None));
            if entered.is_err() {
                self.end_with(group, connection, request, problem(ProblemCode::Store, RETRY_MS));
            }
        } else if let Some(Pending::OldPassword { request, new }) = known.pending.clone() {
            let Some(session) = known.session() else { return };
            if ok {
                known.pending = Some(Pending::NewPassword { request });
                group.mail.work(Output::HashPassword {
                    connection,
                    password: new,
                });
                let name = self
                    .people
                    .agents
                    .get(&session.who.id())
                    .map(|agent| agent.login.clone());
                self.was_right(connection, &name.unwrap_or_default());
            } else {
                known.pending = None;
                let said = problem(ProblemCode::Credentials, 0);
                group.mail.say(connection, request, gateway_frame::Kind::Problem(said));
            }
        }
    }

    pub(crate) fn password_hashed(&mut self, group: &mut Group<'_>, connection: ConnectionId, hash: Option<String>) {
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        let Some(Pending::NewPassword { request }) = known.pending.take() else {
            return;
        };
        let (Some(session), Some(hash)) = (known.session(), hash) else {
            let said = gateway_frame::Kind::Problem(problem(ProblemCode::Store, RETRY_MS));
            return group.mail.say(connection, request, said);
        };
        let agent = session.who.id();
        let done = group
            .usable()
            .and_then(|()| group.store.put_password(agent, &hash))
            .and_then(|()| group.store.remove_sessions(session.who, Some(&session.token_hash)));
        let said = match done {
            Ok(()) => {
                group.effects.push(Effect::Password(agent, hash));
                group.effects.push(Effect::EndSessions(session.who, Some(connection)));
                gateway_frame::Kind::Done(Done {})
            }
            Err(_) => gateway_frame::Kind::Problem(problem(ProblemCode::Store, RETRY_MS)),
        };
        group.leaving.push(Leaving::Reply(connection, request, Box::new(said)));
    }

    /// The administrator changed something: whoever it concerns comes again and is told anew.
    pub(crate) fn facts_changed(&mut self, group: &mut Group<'_>) {
        self.read_facts(group, true);
    }

    /// Another node says that facts changed. Where that ends sessions, they are removed by whoever changed them.
    pub(crate) fn facts_heard(&mut self, group: &mut Group<'_>) {
        self.read_facts(group, false);
    }

    fn read_facts(&mut self, group: &mut Group<'_>, removes: bool) {
        let people = match group.store.facts() {
            Ok(facts) => People::new(facts),
            Err(error) => {
                tracing::warn!(%error, "the administrator's changes can't be read: tried again soon");
                return self.facts_again();
            }
        };
        let connected: Vec<Id> = self.agents.keys().copied().collect();
        let old = std::mem::replace(&mut self.people, people);
        for id in connected {
            let (before, after) = (old.agents.get(&id), self.people.agents.get(&id));
            let disabled = after.is_none_or(|agent| agent.disabled);
            let rehashed = before.map(|agent| &agent.password_hash) != after.map(|agent| &agent.password_hash);
            if removes && (disabled || rehashed) {
                let removed = group
                    .usable()
                    .and_then(|()| group.store.remove_sessions(Who::Agent(id), None));
                if let Err(error) = removed {
                    tracing::warn!(%error, agent = %id, "sessions couldn't be removed");
                }
                self.end_sessions(group, Who::Agent(id), None);
            } else if before.map(|agent| &agent.teams) != after.map(|agent| &agent.teams) {
                for connection in self.devices(id) {
                    self.send_away(group, connection, going_away::Reason::Unspecified, 0);
                }
            } else {
                self.room_of(id);
            }
        }
        let moved = self.people.agents.values().filter(|agent| {
            let before = old.agents.get(&agent.id);
            before.is_some_and(|before| before.presence != agent.presence) && self.is_connected(Who::Agent(agent.id))
        });
        for agent in moved.map(|agent| agent.id).collect::<Vec<_>>() {
            self.agent_moved(group, agent);
        }
        self.end_removed_sessions(group);
    }

    /// An agent's session that the administrator removed ends wherever it is connected. Customers' only their owners
    /// remove.
    fn end_removed_sessions(&mut self, group: &mut Group<'_>) {
        let connected = self.agents.values().flatten();
        let connected: Vec<(ConnectionId, [u8; 32])> = connected
            .filter_map(|id| Some((*id, self.session(*id)?.token_hash)))
            .collect();
        for (connection, token_hash) in connected {
            match group.store.session(&token_hash) {
                Ok(None) => self.send_away(group, connection, going_away::Reason::SessionEnded, 0),
                Ok(Some(_)) => {}
                Err(error) => {
                    tracing::warn!(%error, "sessions can't be read: tried again soon");
                    return self.facts_again();
                }
            }
        }
    }

    /// What is stored may be another than what is known here, and nobody will say so again.
    pub(crate) fn facts_again(&mut self) {
        self.timers.set(self.now_ms + u64::from(RETRY_MS), Timer::Facts);
    }

    /// A session that is in use doesn't expire: it is renewed long before.
    pub(crate) fn renew_session(&mut self, group: &mut Group<'_>, connection: ConnectionId) {
        let now = self.now_ms;
        let Some(Stage::In(session)) = self.connections.get_mut(&connection).map(|known| &mut known.stage) else {
            return;
        };
        if session.renew_ms > now {
            return;
        }
        let keep_ms = self.config.session_ms(session.who);
        // Several times before it expires, if this is not stored.
        session.renew_ms = now + keep_ms / 8;
        let token_hash = session.token_hash;
        let found = group.usable().and_then(|()| group.store.session(&token_hash));
        let renewed = match found {
            Ok(Some(mut stored)) => {
                stored.expires_ms = now + keep_ms;
                group.store.put_session(&stored)
            }
            Ok(None) => return self.send_away(group, connection, going_away::Reason::SessionEnded, 0),
            Err(error) => Err(error),
        };
        if let Err(error) = renewed {
            tracing::warn!(%error, "a session isn't renewed");
        }
    }

    /// Counts an attempt before it is judged, so that many at once are no way around.
    pub(crate) fn count_attempt(&mut self, connection: ConnectionId, name: &str) -> Option<Problem> {
        let address = self
            .connections
            .get(&connection)
            .map(|known| known.address.clone())
            .unwrap_or_default();
        let (wrong, left) = self.wrong_names.count(name, self.now_ms);
        if wrong >= self.config.wrong_per_name {
            return Some(problem(ProblemCode::Locked, later(left)));
        }
        let (wrong, left) = self.wrong_addresses.count(&address, self.now_ms);
        if wrong >= self.config.wrong_per_address {
            return Some(problem(ProblemCode::Rate, later(left)));
        }
        self.wrong_names.add(name, self.now_ms, self.config.lock_ms);
        self.wrong_addresses.add(&address, self.now_ms, self.config.lock_ms);
        None
    }

    fn was_right(&mut self, connection: ConnectionId, name: &str) {
        self.wrong_names.forget(name);
        if let Some(known) = self.connections.get(&connection) {
            self.wrong_addresses.take_back(&known.address);
        }
    }
}

/// Ends a session by its owner's wish.
pub(crate) fn log_out(group: &mut Group<'_>, connection: ConnectionId, request: u32, session: Session) {
    let done = group
        .usable()
        .and_then(|()| group.store.remove_session(&session.token_hash));
    let said = match done {
        Ok(()) => {
            group.effects.push(Effect::LoggedOut(connection));
            gateway_frame::Kind::Done(Done {})
        }
        Err(_) => gateway_frame::Kind::Problem(problem(ProblemCode::Store, RETRY_MS)),
    };
    group.leaving.push(Leaving::Reply(connection, request, Box::new(said)));
}

pub(crate) fn later(left_ms: u64) -> u32 {
    left_ms.clamp(1, 600_000) as u32
}
