//! Log-in by password, by token and as a visitor; log-out; a new password; what the administrator changed.

use bytes::Bytes;
use zuoxi_wire::v1::{LogIn, Problem, ProblemCode, Visit, log_in::Credential};
use zuoxi_wire::{Id, limits};

use crate::account::later;
use crate::connection::{Stage, cut};
use crate::entropy::token_hash;
use crate::event::{ConnectionId, Door, Output};
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::{Effect, Entering, Group};
use crate::record::{self, Customer, Who};
use crate::signals::want_presence;
use crate::store::Stored;
use crate::wording::problem;

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
                want_presence(group, agent.id, log_in.presence()).map_err(store)?;
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
        let agent = agent.map(|agent| (agent.id, agent.password_hash.clone()));
        group.mail.work(Output::CheckPassword {
            connection,
            hash: agent.as_ref().map(|(_, hash)| hash.clone()),
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
        let keep_ms = self.config.session_ms(who);
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
                group.feed(feed, &mut self.entropy)?;
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
