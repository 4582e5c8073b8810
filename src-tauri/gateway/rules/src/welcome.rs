//! What memory does once a group is committed, and what somebody who logged in is told.

use bytes::Bytes;
use zuoxi_wire::v1::{self, LoggedIn, Member, MemberRole, Presence, ProblemCode, gateway_frame};
use zuoxi_wire::{Id, limits};

use crate::beats::HEARTBEAT_MS;
use crate::bus::{Notice, Subject};
use crate::connection::{Session, Stage};
use crate::event::ConnectionId;
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::{Effect, Entering, Group};
use crate::positions::positions_for;
use crate::rate::Bucket;
use crate::record::{Brand, Who};
use crate::store::Stored;
use crate::timer::Timer;
use crate::wording::{self, Reader, problem};

impl Gateway {
    pub(crate) fn take_effect(&mut self, group: &mut Group<'_>, effect: Effect) {
        match effect {
            Effect::Enter(entering) => self.entered(group, *entering),
            Effect::Presence(agent, presence) => {
                if self.takes_presence(group, agent, presence) {
                    self.bus.publish(Subject::Nodes, &Notice::Presence { agent, presence });
                }
            }
            Effect::Password(agent, hash) => {
                if let Some(known) = self.people.agents.get_mut(&agent) {
                    known.password_hash = hash;
                }
                self.bus.publish(Subject::Nodes, &Notice::Facts);
            }
            Effect::EndSessions(who, keep) => self.end_sessions(group, who, keep),
            Effect::LoggedOut(connection) => self.logged_out(group, connection),
            Effect::HandedOut(_) => {}
            Effect::Relieved(agent) => {
                self.away.remove(&agent);
            }
        }
    }

    /// What an agent wants to be seen as; whether it is another than before.
    pub(crate) fn takes_presence(&mut self, group: &mut Group<'_>, agent: Id, presence: Presence) -> bool {
        let known = self.people.agents.get_mut(&agent);
        let other = known.is_some_and(|known| std::mem::replace(&mut known.presence, presence) != presence);
        if other && self.is_connected(Who::Agent(agent)) {
            self.agent_moved(group, agent);
        }
        other
    }

    /// Nobody asks again for what the gateway decided by itself, so it does.
    pub(crate) fn no_effect(&mut self, group: &mut Group<'_>, effect: Effect) {
        match effect {
            Effect::Enter(entering) => {
                let said = problem(ProblemCode::Store, RETRY_MS);
                self.end_with(group, entering.connection, entering.request, said);
            }
            Effect::HandedOut(team) => {
                self.free.insert(team);
            }
            Effect::Relieved(_) => self.timers.set(self.now_ms + u64::from(RETRY_MS), Timer::Grace),
            // It may have been stored all the same.
            Effect::Password(..) => self.facts_again(),
            Effect::Presence(..) | Effect::EndSessions(..) | Effect::LoggedOut(_) => {}
        }
    }

    fn entered(&mut self, group: &mut Group<'_>, entering: Entering) {
        let Entering {
            connection,
            request,
            session,
            token,
            own,
        } = entering;
        let (config, now) = (&self.config, self.now_ms);
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        let before = match known.stage {
            Stage::Ended => return,
            Stage::In(before) => Some(before),
            _ => None,
        };
        let who = session.who;
        let entered = Session {
            who,
            token_hash: session.token_hash,
            own,
            renew_ms: now + session.expires_ms.saturating_sub(now) / 2,
        };
        known.stage = Stage::In(entered);
        known.acts = match who {
            Who::Agent(_) => Bucket::new(config.agent_acts_per_second, config.agent_acts_burst, now),
            Who::Customer(_) => Bucket::new(config.customer_acts_per_second, config.customer_acts_burst, now),
        };
        known.told = None;
        if let Some(before) = before {
            self.leave_identity(group, connection, before);
        } else {
            self.timers
                .set(now + limits::HEARTBEAT_MS, Timer::Heartbeat(connection));
        }
        let first = match who {
            Who::Agent(agent) => {
                self.away.remove(&agent);
                let devices = self.agents.entry(agent).or_default();
                devices.insert(connection) && devices.len() == 1
            }
            Who::Customer(customer) => {
                if let Some(own) = own {
                    self.owners.insert(own, customer);
                }
                let devices = self.customers.entry(customer).or_default();
                devices.insert(connection) && devices.len() == 1
            }
        };
        if first {
            self.tell_connected(who, true);
        }
        match self.welcome(group, connection, entered, token) {
            Ok(welcome) => group
                .mail
                .say(connection, request, gateway_frame::Kind::LoggedIn(welcome)),
            Err(_) => return self.end_with(group, connection, request, problem(ProblemCode::Store, RETRY_MS)),
        }
        match who {
            Who::Agent(agent) if first => self.agent_moved(group, agent),
            Who::Customer(customer) if first => self.customer_moved(group, customer, own),
            _ => {}
        }
    }

    fn welcome(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        session: Session,
        token: Option<Bytes>,
    ) -> Stored<LoggedIn> {
        let mut welcome = LoggedIn {
            session: token.unwrap_or_default(),
            epoch: self.epoch,
            time_ms: self.now_ms,
            heartbeat_ms: HEARTBEAT_MS,
            window_pushes: limits::WINDOW_PUSHES as u32,
            window_bytes: limits::WINDOW_BYTES as u32,
            window_acts: limits::WINDOW_ACTS as u32,
            ..LoggedIn::default()
        };
        match session.who {
            Who::Agent(agent) => self.welcome_agent(group, agent, &mut welcome)?,
            Who::Customer(customer) => self.welcome_customer(group, connection, customer, &mut welcome)?,
        }
        Ok(welcome)
    }

    fn welcome_agent(&self, group: &mut Group<'_>, id: Id, welcome: &mut LoggedIn) -> Stored<()> {
        welcome.feeds = self.feeds_of(id).into_iter().map(wording::feed_id).collect();
        welcome.presence = self.presence_of(id).into();
        if let Some(agent) = self.people.agents.get(&id) {
            let leads = agent.teams.iter().any(|membership| membership.lead);
            let role = if leads { MemberRole::Lead } else { MemberRole::Agent };
            welcome.me = Some(Member {
                id: id.to_bytes(),
                role: role.into(),
                name: agent.name.clone(),
                login: agent.login.clone(),
                capacity: agent.capacity,
            });
            let teams = agent
                .teams
                .iter()
                .filter_map(|m| Some((m, self.people.teams.get(&m.team)?)));
            welcome.stale_ms = teams
                .clone()
                .map(|(_, team)| team.stale_ms)
                .filter(|ms| *ms > 0)
                .min()
                .unwrap_or(0);
            welcome.teams = teams
                .map(|(membership, team)| v1::Team {
                    id: team.id.to_bytes(),
                    name: team.name.clone(),
                    lead: membership.lead,
                    first_response_ms: team.first_response_ms,
                    next_response_ms: team.next_response_ms,
                })
                .collect();
        }
        for open in self.board.open(id).collect::<Vec<_>>() {
            if let Some(conversation) = group.conversation(open)? {
                let positions = positions_for(group, &conversation, Reader::Agent)?;
                welcome.positions.push(v1::ConversationPositions {
                    conversation: open.to_bytes(),
                    positions,
                });
            }
        }
        Ok(())
    }

    fn welcome_customer(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        id: Id,
        welcome: &mut LoggedIn,
    ) -> Stored<()> {
        let Some(customer) = group.store.customer(id)? else {
            return Ok(());
        };
        let brand = self.people.brands.get(&customer.brand);
        welcome.brand = brand.map(brand_card);
        let team = brand.map(|brand| brand.team).unwrap_or_default();
        welcome.me = Some(Member {
            id: id.to_bytes(),
            role: MemberRole::Customer.into(),
            name: customer.name,
            ..Member::default()
        });
        let conversation = group.conversation(customer.conversation)?;
        let state = match conversation.as_deref() {
            Some(conversation) => self.state_of(conversation),
            None => self.state_of_new(team),
        };
        if let Some(conversation) = conversation {
            let positions = positions_for(group, &conversation, Reader::Customer)?;
            let conversation = conversation.id.to_bytes();
            welcome.positions.push(v1::ConversationPositions {
                conversation,
                positions,
            });
        }
        if let Some(known) = self.connections.get_mut(&connection) {
            known.told = Some(state.clone());
        }
        welcome.state = Some(state);
        Ok(())
    }
}

fn brand_card(brand: &Brand) -> v1::Brand {
    v1::Brand {
        id: brand.id.to_bytes(),
        name: brand.name.clone(),
        short_name: brand.short_name.clone(),
        greeting: brand.greeting.clone(),
    }
}
