//! Log-in by password, by token and as a visitor; log-out; a new password; what the administrator changed.

use std::collections::BTreeSet;

use bytes::Bytes;
use zuoxi_wire::v1::{
    self, ChangePassword, Done, LogIn, LoggedIn, Member, MemberRole, Problem, ProblemCode, Visit, gateway_frame,
    going_away, log_in::Credential,
};
use zuoxi_wire::{Id, limits};

use crate::beats::HEARTBEAT_MS;
use crate::connection::{Pending, Session, Stage, cut};
use crate::entropy::token_hash;
use crate::event::{ConnectionId, Door, Output};
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::{Effect, Entering, Group, Leaving};
use crate::people::People;
use crate::positions::positions_for;
use crate::rate::Bucket;
use crate::record::{self, Brand, Customer, Who};
use crate::store::Stored;
use crate::timer::Timer;
use crate::wording::{self, Reader, problem};

const SOFTWARE_SCALARS: usize = 100;
const LANGUAGE_BYTES: usize = 35;
/// Letters of a visitor's name: none that look alike.
const NAME_LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const MINUTE_MS: u64 = 60_000;
/// Identities that were taken over are followed so far.
const MERGES: usize = 8;

impl Gateway {
    pub(crate) fn log_in(&mut self, group: &mut Group<'_>, connection: ConnectionId, request: u32, log_in: LogIn) {
        if log_in.version != zuoxi_wire::VERSION {
            let (version_min, version_max) = (zuoxi_wire::VERSION, zuoxi_wire::VERSION);
            let said = Problem {
                version_min,
                version_max,
                ..problem(ProblemCode::Version, 0)
            };
            return self.end_with(group, connection, request, said);
        }
        let fits = log_in.device.len() == 16
            && log_in.software.chars().count() <= SOFTWARE_SCALARS
            && log_in.language.len() <= LANGUAGE_BYTES;
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        known.meet(&log_in);
        let done = match (&log_in.credential, fits) {
            (Some(Credential::Session(token)), true) => self.resume(group, connection, request, &log_in, token),
            (Some(Credential::Agent(_)), true) => match self.ask_password(group, connection, request, log_in) {
                None => Ok(()),
                Some(said) => Err(said.into()),
            },
            (Some(Credential::Visitor(visitor)), true) => {
                self.visit(group, connection, request, &log_in, &visitor.brand)
            }
            _ => Err(problem(ProblemCode::BadFrame, 0).into()),
        };
        if let Err(refusal) = done {
            self.end_with(group, connection, request, *refusal);
        }
    }

    fn resume(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        request: u32,
        log_in: &LogIn,
        token: &Bytes,
    ) -> Result<(), Box<Problem>> {
        let store = |_| Box::new(problem(ProblemCode::Store, RETRY_MS));
        let unknown = || Box::new(problem(ProblemCode::Session, 0));
        group.usable().map_err(store)?;
        let hash = token_hash(token);
        let found = group.store.session(&hash).map_err(store)?;
        let Some(mut session) = found.filter(|session| session.expires_ms > self.now_ms) else {
            return Err(unknown());
        };
        let own = match session.who {
            Who::Agent(agent) => {
                let agent = self.people.agents.get(&agent).ok_or_else(unknown)?;
                if agent.disabled {
                    return Err(problem(ProblemCode::Disabled, 0).into());
                }
                if self.door(connection) == Door::Chat {
                    return Err(problem(ProblemCode::Origin, 0).into());
                }
                session.expires_ms = self.now_ms + self.config.agent_session_ms;
                self.want_presence(group, agent.id, log_in.presence()).map_err(store)?;
                None
            }
            Who::Customer(customer) => {
                let mut customer = follow(group, customer).map_err(store)?.ok_or_else(unknown)?;
                note_visit(&mut customer, log_in);
                group.store.put_customer(&customer).map_err(store)?;
                session.who = Who::Customer(customer.id);
                session.expires_ms = self.now_ms + self.config.customer_session_ms;
                Some(customer.conversation)
            }
        };
        self.enter(
            group,
            Entering {
                connection,
                request,
                session,
                token: None,
                own,
            },
        )
        .map_err(store)
    }

    fn door(&self, connection: ConnectionId) -> Door {
        self.connections
            .get(&connection)
            .map_or(Door::Foreign, |known| known.door)
    }

    /// Lets the password be checked off the core thread, unless the name or the address was wrong too often.
    fn ask_password(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        request: u32,
        log_in: LogIn,
    ) -> Option<Problem> {
        let Some(Credential::Agent(typed)) = &log_in.credential else {
            return None;
        };
        let (name, password) = (typed.name.clone(), typed.password.clone());
        if self.door(connection) == Door::Chat {
            return Some(problem(ProblemCode::Origin, 0));
        }
        if name.len() as u64 > limits::LOGIN_BYTES || password.len() as u64 > limits::PASSWORD_BYTES {
            return Some(problem(ProblemCode::Credentials, 0));
        }
        if let Some(locked) = self.count_attempt(connection, &name) {
            return Some(locked);
        }
        let agent = self.people.agent_by_login(&name);
        let hash = agent.map(|agent| agent.password_hash.clone());
        let agent = agent.map(|agent| agent.id);
        group.mail.work(Output::CheckPassword {
            connection,
            hash,
            password,
        });
        if let Some(known) = self.connections.get_mut(&connection) {
            known.stage = Stage::Checking {
                request,
                log_in: Box::new(log_in),
                agent,
                name,
            };
        }
        None
    }

    /// Counts an attempt before it is judged, so that many at once are no way around.
    fn count_attempt(&mut self, connection: ConnectionId, name: &str) -> Option<Problem> {
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
            let agent = agent.filter(|_| ok).and_then(|agent| self.people.agents.get(&agent));
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
                .and_then(|()| self.want_presence(group, id, log_in.presence()))
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

    fn visit(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        request: u32,
        log_in: &LogIn,
        key: &str,
    ) -> Result<(), Box<Problem>> {
        let brand = self
            .people
            .brand_by_key(key)
            .ok_or_else(|| Box::new(problem(ProblemCode::Brand, 0)))?
            .id;
        let address = self
            .connections
            .get(&connection)
            .map(|known| known.address.clone())
            .unwrap_or_default();
        let (count, left) = self.visitors.count(&address, self.now_ms);
        if count >= self.config.visitors_per_minute {
            return Err(problem(ProblemCode::Rate, later(left)).into());
        }
        self.visitors.add(&address, self.now_ms, MINUTE_MS);
        let id = self.entropy.id(self.now_ms);
        let mut customer = Customer {
            id,
            brand,
            conversation: self.entropy.id(self.now_ms),
            name: visitor_name(id),
            external: None,
            merged_into: None,
            browser: String::new(),
            language: String::new(),
            page_url: String::new(),
            page_title: String::new(),
            referrer: String::new(),
            first_visit_ms: self.now_ms,
        };
        note_visit(&mut customer, log_in);
        let own = Some(customer.conversation);
        let done = group
            .usable()
            .and_then(|()| group.store.put_customer(&customer))
            .and_then(|()| self.new_session(group, connection, request, Who::Customer(id), own));
        done.map_err(|_| Box::new(problem(ProblemCode::Store, RETRY_MS)))
    }

    pub(crate) fn new_session(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        request: u32,
        who: Who,
        own: Option<Id>,
    ) -> Stored<()> {
        let token = self.entropy.bytes32();
        let keep_ms = match who {
            Who::Agent(_) => self.config.agent_session_ms,
            Who::Customer(_) => self.config.customer_session_ms,
        };
        let session = record::Session {
            token_hash: token_hash(&token),
            who,
            device: self
                .connections
                .get(&connection)
                .map(|known| known.device)
                .unwrap_or_default(),
            created_ms: self.now_ms,
            expires_ms: self.now_ms + keep_ms,
        };
        let token = Some(Bytes::copy_from_slice(&token));
        self.enter(
            group,
            Entering {
                connection,
                request,
                session,
                token,
                own,
            },
        )
    }

    fn enter(&mut self, group: &mut Group<'_>, entering: Entering) -> Stored<()> {
        group.store.put_session(&entering.session)?;
        if let Who::Agent(agent) = entering.session.who {
            for feed in self.feeds_of(agent) {
                let fresh = self.entropy.epoch();
                group.feed(feed, fresh)?;
            }
        }
        if let Some(known) = self.connections.get_mut(&entering.connection)
            && known.session().is_none()
        {
            known.stage = Stage::Entering;
        }
        group.effects.push(Effect::Enter(Box::new(entering)));
        Ok(())
    }

    // ---- after the commit --------------------------------------------------------------------------------------

    pub(crate) fn take_effect(&mut self, group: &mut Group<'_>, effect: Effect) {
        match effect {
            Effect::Enter(entering) => self.entered(group, *entering),
            Effect::Presence(agent, presence) => {
                let known = self.people.agents.get_mut(&agent);
                if known.is_some_and(|known| std::mem::replace(&mut known.presence, presence) != presence)
                    && self.agents.contains_key(&agent)
                {
                    self.agent_moved(group, agent);
                }
            }
            Effect::Password(agent, hash) => {
                if let Some(known) = self.people.agents.get_mut(&agent) {
                    known.password_hash = hash;
                }
            }
            Effect::EndSessions(who, keep) => self.end_sessions(group, who, keep),
            Effect::LoggedOut(connection) => self.logged_out(group, connection),
        }
    }

    pub(crate) fn no_effect(&mut self, group: &mut Group<'_>, effect: Effect) {
        if let Effect::Enter(entering) = effect {
            let said = problem(ProblemCode::Store, RETRY_MS);
            self.end_with(group, entering.connection, entering.request, said);
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
        welcome.brand = self.people.brands.get(&customer.brand).map(brand_card);
        welcome.me = Some(Member {
            id: id.to_bytes(),
            role: MemberRole::Customer.into(),
            name: customer.name,
            ..Member::default()
        });
        let conversation = group.conversation(customer.conversation)?;
        let state = self.state_of(conversation.as_ref());
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

    // ---- leaving, and a new password ---------------------------------------------------------------------------

    fn logged_out(&mut self, group: &mut Group<'_>, connection: ConnectionId) {
        let Some(session) = self.session(connection) else {
            return;
        };
        self.end(group, connection);
        let same = |id: &ConnectionId| {
            self.session(*id)
                .is_some_and(|other| other.token_hash == session.token_hash)
        };
        let others: BTreeSet<ConnectionId> = self.connections.keys().copied().filter(same).collect();
        for other in others {
            self.send_away(group, other, going_away::Reason::SessionEnded, 0);
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
        let people = match group.store.facts() {
            Ok(facts) => People::new(facts),
            Err(error) => return tracing::warn!(%error, "the administrator's changes can't be read"),
        };
        let connected: Vec<Id> = self.agents.keys().copied().collect();
        let old = std::mem::replace(&mut self.people, people);
        for id in connected {
            let (before, after) = (old.agents.get(&id), self.people.agents.get(&id));
            let disabled = after.is_none_or(|agent| agent.disabled);
            let rehashed = before.map(|agent| &agent.password_hash) != after.map(|agent| &agent.password_hash);
            if disabled || rehashed {
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
    }
}

fn later(left_ms: u64) -> u32 {
    left_ms.clamp(1, 600_000) as u32
}

/// A customer, or who took their identity over.
fn follow(group: &mut Group<'_>, id: Id) -> Stored<Option<Customer>> {
    let mut found = group.store.customer(id)?;
    for _ in 0..MERGES {
        match found.as_ref().and_then(|customer| customer.merged_into) {
            Some(next) => found = group.store.customer(next)?,
            None => break,
        }
    }
    Ok(found)
}

/// What a page tells of itself; shown, never believed.
fn note_visit(customer: &mut Customer, log_in: &LogIn) {
    if let Some(Visit {
        page_url,
        page_title,
        referrer,
        browser,
    }) = &log_in.visit
    {
        customer.page_url = cut(page_url, limits::URL_BYTES);
        customer.page_title = cut(page_title, limits::URL_BYTES);
        customer.referrer = cut(referrer, limits::URL_BYTES);
        customer.browser = cut(browser, limits::BROWSER_BYTES);
    }
    customer.language.clone_from(&log_in.language);
}

/// 访客 7K3F: stable, since it comes from the id.
fn visitor_name(id: Id) -> String {
    let letters =
        id.0.iter()
            .rev()
            .take(4)
            .filter_map(|byte| NAME_LETTERS.get(usize::from(byte % 32)));
    format!("访客 {}", letters.map(|letter| char::from(*letter)).collect::<String>())
}

fn brand_card(brand: &Brand) -> v1::Brand {
    v1::Brand {
        id: brand.id.to_bytes(),
        name: brand.name.clone(),
        short_name: brand.short_name.clone(),
        greeting: brand.greeting.clone(),
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
