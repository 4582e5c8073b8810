//! One device's session with one gateway: all machines behind one door.

mod answering;
mod asking;
mod commands;
mod marking;
mod opening;
mod reading;
mod recovering;
mod sending;
mod watching;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{BlockCodec, Heartbeat, LoggedIn, Member, Presence, Status, Summary, Visit};

use crate::ack::Acknowledging;
use crate::change::{Change, FeedKey, Loaded, LogState, OutboxAct};
use crate::connection::Connection;
use crate::feeds::Feeds;
use crate::input::{Credential, Input, Output, StoreFailure};
use crate::log::Log;
use crate::notice::{Notice, Sync, Who};
use crate::outbox::{LaneKey, Outbox};
use crate::planted::{self, Fault};
use crate::random::Random;
use crate::turn::{Fails, Pending, Turn};
use asking::{Asked, Want};
use recovering::Comparing;
use watching::Watch;

/// Whom a session plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An agent's desk: feeds, many conversations.
    Agent,
    /// A customer: one conversation, no feed.
    Customer,
}

/// What a session is made with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whom it plays.
    pub role: Role,
    /// Random id, made once for this installation.
    pub device: Id,
    /// Software and version, for people. At most 100 scalar values.
    pub software: String,
    /// BCP 47, e.g. zh-CN. At most 35 bytes.
    pub language: String,
    /// Block codecs to ask for, besides plain.
    pub codecs: Vec<BlockCodec>,
    /// A customer's surroundings.
    pub visit: Option<Visit>,
    /// The presence that an agent wants at log-in; `Unspecified` keeps the last one.
    pub presence: Presence,
    /// For jitter. Random in the app, chosen in a simulation.
    pub seed: u64,
}

/// What is known of a kept conversation's log.
#[derive(Debug, Clone, Copy)]
pub struct LogView<'a> {
    /// As it is in memory, ahead of the store by what is being committed.
    pub state: &'a LogState,
    /// Everything from the floor up to here came in.
    pub watermark: u64,
}

/// How much of a session waits for somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Acts that aren't settled.
    pub acts: usize,
    /// Transactions that the store hasn't answered.
    pub commits: usize,
    /// Questions that the gateway hasn't answered.
    pub questions: usize,
    /// Ranges that windows want and nobody was asked for yet.
    pub wants: usize,
}

/// Value of the account that holds the session's token.
pub(crate) const SESSION: &str = "session";
/// Value that holds what the last log-in told, without the token.
pub(crate) const LOGGED_IN: &str = "logged_in";
/// Value that holds a customer's conversation.
pub(crate) const CONVERSATION: &str = "conversation";

/// One device's session with one gateway. Needs nothing but calls: time is `now_ms`, milliseconds UTC of a clock that
/// never goes back while the process lives (the wall clock at start, moved on by a monotonic one).
#[derive(Debug)]
pub struct Session {
    config: Config,
    random: Random,
    connection: Connection,
    credential: Option<Credential>,
    remember: bool,
    logged_in: Option<LoggedIn>,
    me: Option<Id>,
    epoch: u64,
    feeds: Feeds,
    rows: BTreeMap<(FeedKey, Id), (Summary, u64)>,
    /// Heads told beside rows of teams; they prove nothing.
    heads: BTreeMap<Id, u64>,
    logs: BTreeMap<Id, Log>,
    /// Logs begun in this session.
    begun: u32,
    /// Logs with a gap, or to be compared.
    unsettled: BTreeSet<Id>,
    comparing: BTreeMap<Id, Comparing>,
    watching: BTreeMap<Id, Watch>,
    own: Option<Id>,
    outbox: Outbox,
    lanes_due: BTreeSet<LaneKey>,
    acks: Acknowledging,
    asked: BTreeMap<u32, Asked>,
    wants: VecDeque<Want>,
    reads: BTreeSet<Id>,
    reads_at: u64,
    typed: BTreeMap<Option<Id>, u64>,
    presence: Presence,
    heartbeat: Option<Heartbeat>,
    heartbeat_at: u64,
    asked_heartbeat_at: Option<u64>,
    sync: Sync,
    sync_told_at: u64,
    fetched: u64,
    commits: VecDeque<Pending>,
    next_token: u64,
    next_ticket: u64,
    wake: Option<u64>,
    over: bool,
}

impl Session {
    /// A device that never stored anything.
    pub fn new(config: Config, now_ms: u64) -> Self {
        Self::load(config, Loaded::default(), now_ms)
    }

    /// A device that goes on from what it stored. If value `session` is there, it connects and resumes by itself at
    /// the first [`Input::Tick`].
    pub fn load(config: Config, loaded: Loaded, now_ms: u64) -> Self {
        let agent = config.role == Role::Agent;
        let value = |name: &str| loaded.values.get(name).cloned();
        let credential = value(SESSION).map(Credential::Session);
        let logged_in = value(LOGGED_IN).and_then(|bytes| LoggedIn::decode(bytes).ok());
        let me = logged_in
            .as_ref()
            .and_then(|told| Id::try_from(&told.me.as_ref()?.id).ok());
        let mut session = Self {
            random: Random::new(config.seed),
            connection: Connection::new(),
            remember: credential.is_some(),
            credential,
            logged_in,
            me,
            epoch: loaded.epoch,
            feeds: Feeds::load(&loaded.feeds),
            rows: loaded.rows,
            heads: BTreeMap::new(),
            logs: loaded
                .logs
                .into_iter()
                .map(|(id, state)| (id, Log::of(state)))
                .collect(),
            begun: 0,
            unsettled: BTreeSet::new(),
            comparing: BTreeMap::new(),
            watching: BTreeMap::new(),
            own: value(CONVERSATION).and_then(|bytes| Id::try_from(&bytes).ok()),
            outbox: Outbox::load(loaded.outbox, loaded.last_place, !agent),
            lanes_due: BTreeSet::new(),
            acks: Acknowledging::default(),
            asked: BTreeMap::new(),
            wants: VecDeque::new(),
            reads: BTreeSet::new(),
            reads_at: 0,
            typed: BTreeMap::new(),
            presence: config.presence,
            heartbeat: None,
            heartbeat_at: 0,
            asked_heartbeat_at: None,
            sync: Sync::Offline {
                since_ms: 0,
                retry_at_ms: 0,
            },
            sync_told_at: 0,
            fetched: 0,
            commits: VecDeque::new(),
            next_token: 1,
            next_ticket: 1,
            wake: None,
            over: false,
            config,
        };
        let closed = |summary: &Summary| summary.status() == Status::Closed;
        for ((feed, conversation), (summary, _)) in &session.rows {
            if let Some(log) = session.logs.get_mut(conversation).filter(|_| feed.is_own()) {
                log.closed = closed(summary);
            }
        }
        session.unsettled = session
            .logs
            .iter()
            .filter(|(_, log)| !log.is_settled())
            .map(|(id, _)| *id)
            .collect();
        if session.credential.is_some() {
            session.connection.try_at(now_ms);
        }
        session
    }

    /// Takes one event; what is to be done is added to `out`, in order.
    pub fn handle(&mut self, now_ms: u64, input: Input, out: &mut Vec<Output>) {
        if self.over {
            return;
        }
        let mut turn = Turn::new(now_ms, out);
        match input {
            Input::Connected => self.connected(&mut turn),
            Input::Disconnected(why) => self.disconnected(why, &mut turn),
            Input::Frame(frame) => self.frame(frame.request, frame.kind, &mut turn),
            Input::Committed { token } => {
                self.committed(token, &mut turn);
                self.outbox.park_durable(&mut turn);
            }
            Input::CommitFailed { token, why } => self.commit_failed(token, why, &mut turn),
            Input::Read { ticket, answer } => self.read(ticket, answer, &mut turn),
            Input::Tick => {}
            Input::NetworkChanged => self.connection.network_changed(now_ms),
            Input::User(command) => self.command(command, &mut turn),
        }
        if self.over {
            return;
        }
        self.advance(&mut turn);
        self.finish(turn);
    }

    /// The call's changes become a transaction; what waits for it, or for one before it, is remembered.
    fn finish(&mut self, mut turn: Turn<'_>) {
        let now = turn.now;
        let mut watermarks = BTreeMap::new();
        for conversation in turn.touched() {
            let Some(log) = self.logs.get_mut(&conversation) else {
                continue;
            };
            turn.change(Change::Log(conversation, log.state.clone()));
            turn.after(Notice::LogChanged { conversation });
            if log.watermark() > log.told && !log.state.to_compare {
                log.told = log.watermark();
                watermarks.insert(conversation, log.told);
            }
        }
        let (transaction, mut pending, out) = turn.finish(self.next_token);
        pending.watermarks = watermarks;
        pending.connection = self.connection.serial;
        let rest = (transaction.is_none() || pending.apart).then(|| pending.split_off());
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            match self.last_in_order() {
                Some(last) => last.join(rest),
                None => self.release(rest, now, out),
            }
        }
        if let Some(mut transaction) = transaction {
            if planted::has(Fault::ParkingInTwo)
                && let Some(first) = transaction.split_at_parking()
            {
                out.push(Output::Commit(first));
                self.next_token += 1;
                pending.token = transaction.token;
            }
            self.next_token += 1;
            self.commits.push_back(pending);
            out.push(Output::Commit(transaction));
        }
        self.mark(now, out);
        let wake = self.next_wake(now);
        if wake != self.wake {
            self.wake = wake;
            out.extend(wake.map(Output::WakeAt));
        }
    }

    /// What waited for a commit happens.
    fn release(&mut self, pending: Pending, now: u64, out: &mut Vec<Output>) {
        for id in pending.acts {
            if self.outbox.stored(id) {
                let key = self.lane_key(self.outbox.get(id).and_then(|act| act.conversation));
                self.lanes_due.insert(key);
                out.push(Output::Notice(Notice::ActStored { id }));
            }
        }
        for key in pending.refusals {
            self.outbox.refusal_stored(key);
        }
        if pending.connection == self.connection.serial && self.connection.is_live() {
            if let Some(number) = pending.push {
                self.acks.commit(number, now);
            }
            for (conversation, seq) in pending.watermarks {
                self.acks.watermark(conversation, seq, now);
            }
        }
        out.extend(pending.after.into_iter().map(Output::Notice));
        if let Some(as_of_ms) = pending.proven_ms {
            self.prove(as_of_ms, now, out);
        }
    }

    /// The newest commit whose end is the end of all before it.
    fn last_in_order(&mut self) -> Option<&mut Pending> {
        self.commits.iter_mut().rev().find(|pending| !pending.apart)
    }

    fn committed(&mut self, token: u64, turn: &mut Turn<'_>) {
        let at = self.commits.iter().position(|pending| pending.token == token);
        if at
            .and_then(|at| self.commits.get(at))
            .is_some_and(|pending| pending.apart)
        {
            if let Some(pending) = at.and_then(|at| self.commits.remove(at)) {
                self.release(pending, turn.now, turn.out);
            }
            return;
        }
        while self.commits.front().is_some_and(|pending| pending.token <= token) {
            if let Some(pending) = self.commits.pop_front() {
                self.release(pending, turn.now, turn.out);
            }
        }
    }

    fn commit_failed(&mut self, token: u64, why: StoreFailure, turn: &mut Turn<'_>) {
        let Some(at) = self.commits.iter().position(|pending| pending.token == token) else {
            return;
        };
        let Some(mut pending) = self.commits.remove(at) else {
            return;
        };
        match pending.fails {
            Fails::Act(id) => {
                pending.acts.clear();
                pending.proven_ms = None;
                // It is gone, however it began.
                pending
                    .after
                    .retain(|notice| !matches!(notice, Notice::ActParked(act) if act.id == id));
                if let Some(act) = self.outbox.not_stored(id, turn) {
                    let key = self.lane_key(act.conversation);
                    self.lanes_due.insert(key);
                    turn.tell(Notice::ActNotStored { act, why });
                }
                self.release(pending, turn.now, turn.out);
            }
            Fails::Tell => turn.tell(Notice::StoreFailed(why)),
            Fails::Reload => {
                turn.tell(Notice::StoreFailed(why));
                if self.connection.is_open() {
                    turn.out.push(Output::Close);
                }
                turn.out.push(Output::Reload);
                self.over = true;
            }
        }
    }

    fn lane_key(&self, conversation: Option<Id>) -> LaneKey {
        if self.config.role == Role::Customer {
            None
        } else {
            conversation
        }
    }

    fn is_customer(&self) -> bool {
        self.config.role == Role::Customer
    }

    /// Who is logged in, or was when this was stored.
    pub fn me(&self) -> Option<&Member> {
        self.logged_in.as_ref()?.me.as_ref()
    }

    /// What the last log-in told, without the token.
    pub fn who(&self) -> Option<Who> {
        let told = self.logged_in.as_ref()?;
        Some(Who {
            me: told.me.clone()?,
            session: None,
            teams: told.teams.clone(),
            brand: told.brand.clone(),
            presence: told.presence(),
            stale_ms: told.stale_ms,
        })
    }

    /// A kept conversation's log; `None`: it isn't kept (any more).
    pub fn log(&self, conversation: Id) -> Option<LogView<'_>> {
        self.logs.get(&conversation).map(|log| LogView {
            state: &log.state,
            watermark: log.watermark(),
        })
    }

    /// Acts that aren't settled, in order of doing.
    pub fn outbox(&self) -> impl Iterator<Item = &OutboxAct> {
        self.outbox.acts()
    }

    /// How much waits, for whoever watches that memory stays within bounds.
    pub fn backlog(&self) -> Backlog {
        Backlog {
            acts: self.outbox.len(),
            commits: self.commits.len(),
            questions: self.asked.len(),
            wants: self.wants.len(),
        }
    }

    /// Rows of the feeds, with what their lists show.
    pub fn rows(&self) -> impl Iterator<Item = (FeedKey, Id, &Summary)> {
        self.rows
            .iter()
            .map(|((feed, conversation), (summary, _))| (*feed, *conversation, summary))
    }

    /// A customer's conversation, once it is made.
    pub fn own_conversation(&self) -> Option<Id> {
        self.own
    }

    /// There is a connection and the gateway knows who this is.
    pub fn is_live(&self) -> bool {
        self.connection.is_live()
    }

    /// The nonce of this connection's hello; empty: there is none. A customer's identity token must carry it.
    pub fn nonce(&self) -> &Bytes {
        &self.connection.nonce
    }

    /// The mark.
    pub fn sync(&self) -> Sync {
        self.sync
    }
}
