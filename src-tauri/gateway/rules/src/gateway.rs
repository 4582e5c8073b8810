//! The machine: one batch of events is one group commit.

use std::collections::{BTreeMap, BTreeSet};

use zuoxi_wire::v1::{Problem, ProblemCode, client_frame, gateway_frame, going_away};
use zuoxi_wire::{Id, limits};

use crate::account::log_out;
use crate::board::Board;
use crate::bus::{Bus, Hub, NodeId, Notice, Subject};
use crate::config::Config;
use crate::connection::{Connection, Session, Stage};
use crate::entropy::Entropy;
use crate::event::{ConnectionId, Event, Output};
use crate::group::Group;
use crate::load::{Level, Load, Shed};
use crate::people::People;
use crate::positions::Moving;
use crate::rate::{Buckets, Places, Tally};
use crate::record::Who;
use crate::replies::Replies;
use crate::rounds::Rounds;
use crate::sealing::Sealing;
use crate::signals::set_presence;
use crate::store::{Store, Stored};
use crate::timer::{Timer, Timers};
use crate::wording::problem;

/// How often queued customers are told that those before them are fewer, and housekeeping's pace, milliseconds.
const QUEUE_NEWS_MS: u64 = 1_000;
const HOUSEKEEPING_MS: u64 = 60_000;
/// After a store's failure it is tried again by itself so much later, milliseconds.
pub(crate) const RETRY_MS: u32 = 1_000;
/// A group's consequences (room for somebody who waits) are groups of their own, so many at most at once.
const FOLLOWING_GROUPS: usize = 4;
/// A batch of so few events leaves time for what can wait: sealing, and rounds.
const QUIET_BATCH: usize = 8;
/// So soon it is looked whether there is time, milliseconds.
const QUIET_SOON_MS: u64 = 50;

/// The rules of one gateway, with what it knows only as long as its connections live.
pub struct Gateway {
    pub(crate) config: Config,
    pub(crate) bus: Box<dyn Bus>,
    pub(crate) entropy: Entropy,
    pub(crate) now_ms: u64,
    pub(crate) epoch: u64,
    pub(crate) people: People,
    pub(crate) board: Board,
    /// Something may be stored that isn't on the board: it is read anew before anything is decided by it.
    pub(crate) board_doubted: bool,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    /// Who is logged in, by agent.
    pub(crate) agents: BTreeMap<Id, BTreeSet<ConnectionId>>,
    /// Who is logged in, by customer.
    pub(crate) customers: BTreeMap<Id, BTreeSet<ConnectionId>>,
    /// Customers who are logged in, by conversation.
    pub(crate) owners: BTreeMap<Id, Id>,
    /// Who is connected to other nodes, and to which.
    pub(crate) elsewhere: BTreeMap<Who, BTreeSet<NodeId>>,
    /// Who reads along, by conversation.
    pub(crate) watchers: BTreeMap<Id, BTreeSet<ConnectionId>>,
    pub(crate) addresses: BTreeMap<String, u32>,
    pub(crate) timers: Timers,
    pub(crate) positions: BTreeMap<Id, Moving>,
    /// Until when, by conversation and member.
    pub(crate) typing: BTreeMap<(Id, Who), u64>,
    /// Since when agents have been offline who may have open conversations.
    pub(crate) away: BTreeMap<Id, u64>,
    /// Teams in which somebody may have got room.
    pub(crate) free: BTreeSet<Id>,
    /// Teams whose queue moved since its customers were told.
    pub(crate) queues_moved: BTreeSet<Id>,
    pub(crate) replies: Replies,
    pub(crate) sealing: Sealing,
    pub(crate) rounds: Rounds,
    pub(crate) wrong_names: Tally,
    pub(crate) wrong_addresses: Tally,
    pub(crate) visitors: Tally,
    /// New connections, by address.
    pub(crate) connects: Buckets,
    /// Moments at which those come back who were turned away.
    pub(crate) come_back: Places,
    pub(crate) load: Load,
    pub(crate) shed: Shed,
    /// Whose presence moved while nobody was told, with a customer's conversation where it is known.
    pub(crate) unsaid: BTreeMap<Who, Option<Id>>,
    /// Conversations that other nodes moved: their customers here are told a few at a time.
    pub(crate) moved: BTreeSet<Id>,
    /// Facts may be others than known, by what was heard of other nodes.
    pub(crate) facts_due: bool,
    /// Connections to which a heartbeat is owed in place of pushes.
    pub(crate) heads: BTreeSet<ConnectionId>,
    pub(crate) stopping: bool,
    /// The last group failed: nothing is tried again by itself before this time.
    pub(crate) rests_until_ms: u64,
}

impl Gateway {
    /// A gateway without connections over `store`, alone on its bus; `seed` is 32 random bytes, from which all ids, salts
    /// and tokens come.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn new<S: Store>(config: Config, store: &mut S, seed: [u8; 32], now_ms: u64) -> Stored<Self> {
        Self::on(Box::new(Hub::default().node(|| {})), config, store, seed, now_ms)
    }

    /// The same as one of the nodes that share the store, with its end of their bus.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn on<S: Store>(
        mut bus: Box<dyn Bus>,
        config: Config,
        store: &mut S,
        seed: [u8; 32],
        now_ms: u64,
    ) -> Stored<Self> {
        bus.follow(Subject::Nodes);
        bus.publish(Subject::Nodes, &Notice::WhoIsThere);
        let board = Board::new(&store.active_conversations()?);
        let mut timers = Timers::default();
        timers.set(now_ms + HOUSEKEEPING_MS, Timer::Housekeeping);
        let people = People::new(store.facts()?);
        let connects = Buckets::new(config.connects_per_second, config.connects_burst);
        let mut gateway = Self {
            config,
            bus,
            entropy: Entropy::new(seed),
            now_ms,
            epoch: store.epoch()?,
            people,
            board,
            board_doubted: false,
            connections: BTreeMap::new(),
            agents: BTreeMap::new(),
            customers: BTreeMap::new(),
            owners: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
            watchers: BTreeMap::new(),
            addresses: BTreeMap::new(),
            timers,
            positions: BTreeMap::new(),
            typing: BTreeMap::new(),
            away: BTreeMap::new(),
            free: BTreeSet::new(),
            queues_moved: BTreeSet::new(),
            replies: Replies::default(),
            sealing: Sealing::default(),
            rounds: Rounds::new(now_ms),
            wrong_names: Tally::default(),
            wrong_addresses: Tally::default(),
            visitors: Tally::default(),
            connects,
            come_back: Places::default(),
            load: Load::default(),
            shed: Shed::default(),
            unsaid: BTreeMap::new(),
            moved: BTreeSet::new(),
            facts_due: false,
            heads: BTreeSet::new(),
            stopping: false,
            rests_until_ms: 0,
        };
        gateway.everybody_is_away();
        Ok(gateway)
    }

    /// Runs a batch of events in order as one group commit; what leaves is added to `out`, in order.
    ///
    /// Never fails: where the store does, acts are refused for now and log-ins get a problem.
    pub fn handle<S: Store>(&mut self, store: &mut S, now_ms: u64, batch: Vec<Event>, out: &mut Vec<Output>) {
        self.now_ms = self.now_ms.max(now_ms);
        let quiet = batch.len() <= QUIET_BATCH;
        self.group(store, batch, out);
        for _ in 0..FOLLOWING_GROUPS {
            if self.free.is_empty() || self.rests_until_ms > self.now_ms {
                break;
            }
            self.group(store, Vec::new(), out);
        }
        if quiet && self.can_wait_ms() <= self.now_ms && self.rests_until_ms <= self.now_ms {
            self.do_what_can_wait(store, out);
        }
        out.push(Output::WakeAt { ms: self.wake_ms() });
    }

    /// Whether frames of this connection may be as large as those of somebody known.
    pub fn is_logged_in(&self, connection: ConnectionId) -> bool {
        self.session(connection).is_some()
    }

    /// How many connections there are, and how many of them are logged in: for metrics.
    pub fn connections(&self) -> (usize, usize) {
        let logged_in = self
            .agents
            .values()
            .chain(self.customers.values())
            .map(BTreeSet::len)
            .sum();
        (self.connections.len(), logged_in)
    }

    pub(crate) fn session(&self, connection: ConnectionId) -> Option<Session> {
        self.connections.get(&connection)?.session()
    }

    fn wake_ms(&self) -> u64 {
        let retry = if self.free.is_empty() {
            u64::MAX
        } else {
            self.now_ms + u64::from(RETRY_MS)
        };
        let idle = self.next_idle_ms().unwrap_or(u64::MAX);
        self.timers
            .next()
            .unwrap_or(u64::MAX)
            .min(retry)
            .min(idle)
            .min(self.can_wait_ms().max(self.now_ms + QUIET_SOON_MS))
            .max(self.now_ms + 1)
    }

    /// When something is due that waits for a quiet turn.
    fn can_wait_ms(&self) -> u64 {
        if self.sealing.is_due() {
            return self.now_ms;
        }
        self.rounds.next_ms(self.now_ms)
    }

    /// A group of its own, so that no act waits for it.
    fn do_what_can_wait(&mut self, store: &mut dyn Store, out: &mut Vec<Output>) {
        let mut group = Group::begin(store);
        if group.usable().is_ok() {
            self.seal_due(&mut group);
            self.step_round(&mut group);
        }
        self.finish(group, out);
    }

    fn group(&mut self, store: &mut dyn Store, batch: Vec<Event>, out: &mut Vec<Output>) {
        let mut group = Group::begin(store);
        if let Ok(epoch) = group.store.epoch()
            && epoch != self.epoch
        {
            self.another_epoch(&mut group, epoch);
        }
        self.read_board(&mut group);
        self.hear(&mut group);
        for event in batch {
            self.event(&mut group, event);
        }
        self.fire_timers(&mut group);
        self.close_idle(&mut group);
        self.hand_out(&mut group);
        self.finish(group, out);
    }

    /// What is queued and open, from the store, if what is known of it is doubted.
    fn read_board(&mut self, group: &mut Group<'_>) {
        if self.board_doubted
            && let Ok(active) = group.store.active_conversations()
        {
            self.board = Board::new(&active);
            self.board_doubted = false;
        }
    }

    fn event(&mut self, group: &mut Group<'_>, event: Event) {
        match event {
            Event::Connected {
                connection,
                nonce,
                address,
                door,
            } => {
                self.connected(group, connection, nonce, address, door);
            }
            Event::Frame { connection, frame } => {
                if let Some(ack) = &frame.ack
                    && !self.acknowledged(group, connection, ack)
                {
                    return self.end_with(group, connection, 0, problem(ProblemCode::BadFrame, 0));
                }
                if let Some(kind) = frame.kind {
                    self.frame(group, connection, frame.request, kind);
                }
            }
            Event::BadFrame { connection, too_large } => {
                let code = if too_large.is_some() {
                    ProblemCode::TooLarge
                } else {
                    ProblemCode::BadFrame
                };
                let said = Problem {
                    limit: too_large.unwrap_or(0),
                    ..problem(code, 0)
                };
                self.end_with(group, connection, 0, said);
            }
            Event::Closed { connection } => self.closed(group, connection),
            Event::PasswordChecked { connection, ok } => self.password_checked(group, connection, ok),
            Event::PasswordHashed { connection, hash } => self.password_hashed(group, connection, hash),
            Event::IdentityVerified { connection, claims } => self.identity_verified(group, connection, claims),
            Event::FactsChanged => self.facts_changed(group),
            Event::Load(sample) => self.loaded(group, sample),
            Event::Stop { come_back_ms } => self.stop(group, come_back_ms),
            Event::Tick => {}
        }
    }

    fn frame(&mut self, group: &mut Group<'_>, connection: ConnectionId, request: u32, kind: client_frame::Kind) {
        use client_frame::Kind;
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        let session = match (&known.stage, &kind) {
            (Stage::Ended, _) => return,
            (Stage::Greeted, Kind::LogIn(_)) => None,
            (Stage::In(session), _) if !matches!(kind, Kind::LogIn(_)) => Some(*session),
            _ => return self.end_with(group, connection, request, problem(ProblemCode::BadFrame, 0)),
        };
        if !matches!(kind, Kind::Acts(_) | Kind::LogIn(_))
            && let Err(retry) = known.requests.take(self.now_ms)
        {
            if request != 0 {
                let said = gateway_frame::Kind::Problem(problem(ProblemCode::Rate, retry));
                group.mail.say(connection, request, said);
            }
            return;
        }
        match (session, kind) {
            (_, Kind::LogIn(_)) if self.sheds(Level::LogIns) => self.turn_away(group, connection),
            (_, Kind::LogIn(log_in)) => self.log_in(group, connection, request, log_in),
            (Some(session), Kind::Acts(acts)) => self.acts(group, connection, session, acts),
            (Some(session), Kind::LogOut(_)) => log_out(group, connection, request, session),
            (Some(session), Kind::ChangePassword(change)) => {
                self.change_password(group, connection, request, session, change);
            }
            (Some(session), Kind::Identify(identify)) => self.identify(group, connection, request, session, identify),
            (Some(session), Kind::SetPresence(wanted)) => {
                set_presence(group, connection, request, session, wanted.presence());
            }
            (Some(session), Kind::MovePosition(moved)) => self.read_up_to(session, &moved),
            (Some(session), Kind::Signal(signal)) => self.signal(group, connection, session, signal),
            (Some(_), Kind::Unwatch(unwatch)) => {
                if let Ok(id) = Id::try_from(&unwatch.conversation) {
                    self.stop_watching(connection, id);
                }
                if request != 0 {
                    group
                        .mail
                        .say(connection, request, gateway_frame::Kind::Done(zuoxi_wire::v1::Done {}));
                }
            }
            (Some(_), Kind::Ping(ping)) => {
                let pong = zuoxi_wire::v1::Pong { token: ping.token };
                group.mail.say(connection, request, gateway_frame::Kind::Pong(pong));
            }
            (Some(_), kind) => group.asks.push((connection, request, kind)),
            (None, _) => {}
        }
    }

    fn fire_timers(&mut self, group: &mut Group<'_>) {
        while let Some(timer) = self.timers.due(self.now_ms) {
            match timer {
                Timer::FirstFrame(connection) => {
                    if self
                        .connections
                        .get(&connection)
                        .is_some_and(|known| matches!(known.stage, Stage::Greeted))
                    {
                        self.end_with(group, connection, 0, problem(ProblemCode::TooSlow, 0));
                    }
                }
                Timer::Heartbeat(connection) => {
                    self.renew_session(group, connection);
                    if self.session(connection).is_some() {
                        group.asks.push((
                            connection,
                            0,
                            client_frame::Kind::AskHeartbeat(zuoxi_wire::v1::AskHeartbeat {}),
                        ));
                        self.timers
                            .set(self.now_ms + limits::HEARTBEAT_MS, Timer::Heartbeat(connection));
                    }
                }
                Timer::Ack(connection) => self.ack_due(group, connection),
                Timer::Positions => self.flush_positions(group, false),
                Timer::Typing => self.end_typing(group),
                Timer::Grace => self.grace_ends(group),
                Timer::Heads => self.tell_heads(group),
                Timer::Unsaid => self.tell_unsaid(group),
                Timer::Queues => {
                    for team in std::mem::take(&mut self.queues_moved) {
                        group.stirred.extend(self.queue_news(team));
                    }
                }
                Timer::Facts => self.facts_changed(group),
                // Each group begins with it.
                Timer::Hear => {}
                Timer::Housekeeping => {
                    self.tidy(group);
                    self.timers.set(self.now_ms + HOUSEKEEPING_MS, Timer::Housekeeping);
                }
            }
        }
    }

    fn ack_due(&mut self, group: &mut Group<'_>, connection: ConnectionId) {
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        known.ack_timer = false;
        match known.window.deadline_ms() {
            Some(due) if due <= self.now_ms => self.send_away(group, connection, going_away::Reason::NoAck, 0),
            Some(due) => {
                known.ack_timer = true;
                self.timers.set(due, Timer::Ack(connection));
            }
            None => {}
        }
    }

    /// Queued customers of this team are told soon how many wait before them.
    pub(crate) fn queue_moved(&mut self, team: Id) {
        if self.queues_moved.is_empty() {
            self.timers.set(self.now_ms + QUEUE_NEWS_MS, Timer::Queues);
        }
        self.queues_moved.insert(team);
    }

    /// Forgets what nobody may ask for any more, a little at a time.
    fn tidy(&mut self, group: &mut Group<'_>) {
        const AT_ONCE: u32 = 5_000;
        let now = self.now_ms;
        self.connects.forget(now);
        let done = group
            .store
            .forget_known(now.saturating_sub(limits::ID_MEMORY_MS), AT_ONCE)
            .and_then(|()| group.store.forget_sessions(now, AT_ONCE))
            .and_then(|()| group.store.forget_token_ids(now, AT_ONCE));
        if let Err(error) = done {
            tracing::warn!(%error, "housekeeping");
        }
    }
}
