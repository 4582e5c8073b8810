//! Opening a connection, greeting, log-in; and what a lost connection takes with it.

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::v1::{
    Advice, ConversationPositions, FeedKind, GoingAway, Hello, LogIn, LoggedIn, Problem, ProblemCode, Visitor,
    client_frame, going_away, log_in,
};
use zuoxi_wire::{Id, VERSION, capability};

use super::asking::Asked;
use super::{LOGGED_IN, SESSION, Session};
use crate::ack::Acknowledging;
use crate::change::{Change, FeedKey};
use crate::connection::Phase;
use crate::input::{Broken, Credential, Output};
use crate::notice::{LogInFailure, Notice};
use crate::planted::{self, Fault};
use crate::turn::Turn;

/// A gateway of another version is looked at again after so long, milliseconds.
const OTHER_VERSION_MS: u64 = 60_000;
/// Longest pause that a gateway may ask for, milliseconds.
const LONGEST_ASKED_MS: u64 = 600_000;

impl Session {
    pub(super) fn log_in(&mut self, credential: Credential, remember: bool, turn: &mut Turn<'_>) {
        if self.connection.is_open() {
            self.close(None, turn);
        }
        self.credential = Some(credential);
        self.remember = remember;
        self.open(turn);
    }

    pub(super) fn open(&mut self, turn: &mut Turn<'_>) {
        if self.credential.is_none() {
            self.connection.stop(turn.now);
            return;
        }
        self.connection.open(turn.now);
        turn.out.push(Output::Connect);
    }

    pub(super) fn connected(&mut self, turn: &mut Turn<'_>) {
        if self.connection.phase == Phase::Opening {
            self.connection.opened(turn.now);
        } else if !self.connection.is_open() {
            turn.out.push(Output::Close);
        }
    }

    pub(super) fn disconnected(&mut self, why: Broken, turn: &mut Turn<'_>) {
        if !self.connection.is_open() {
            return;
        }
        let was = self.connection.phase;
        self.lose(None, turn);
        if was != Phase::Live && matches!(self.credential, Some(Credential::Password(_))) {
            self.give_up(LogInFailure::Unreachable(why), turn);
        }
    }

    /// Closes the connection; comes back after `after_ms`, or a drawn pause.
    pub(super) fn close(&mut self, after_ms: Option<u64>, turn: &mut Turn<'_>) {
        turn.out.push(Output::Close);
        self.lose(after_ms, turn);
    }

    /// Nothing answers in time.
    pub(super) fn dead(&mut self, turn: &mut Turn<'_>) {
        turn.out.push(Output::Close);
        self.disconnected(Broken::Network, turn);
    }

    /// Whatever lived no longer than the connection is gone.
    fn lose(&mut self, after_ms: Option<u64>, turn: &mut Turn<'_>) {
        self.connection.lost(turn.now, after_ms, &mut self.random);
        self.connection.nonce = Bytes::new();
        self.acks = Acknowledging::default();
        self.heartbeat = None;
        self.comparing.clear();
        self.outbox.renumber();
        self.lanes_due.clear();
        for log in self.logs.values_mut() {
            log.asked &= planted::has(Fault::TimerLostAtReconnect);
            log.told = 0;
        }
        for watch in self.watching.values_mut() {
            watch.lose();
        }
        for (_, asked) in std::mem::take(&mut self.asked) {
            self.unanswered(&asked, None, turn);
        }
        for want in std::mem::take(&mut self.wants) {
            turn.tell(Notice::Failed {
                ask: want.ask,
                problem: None,
            });
        }
    }

    /// No further attempt is made by itself.
    fn give_up(&mut self, failure: LogInFailure, turn: &mut Turn<'_>) {
        self.credential = None;
        self.connection.stop(turn.now);
        turn.tell(Notice::LogInFailed(failure));
    }

    pub(super) fn hello(&mut self, hello: Hello, turn: &mut Turn<'_>) {
        if self.connection.phase != Phase::Greeting {
            return;
        }
        if !(hello.version_min..=hello.version_max).contains(&VERSION) {
            let failure = LogInFailure::Version {
                min: hello.version_min,
                max: hello.version_max,
            };
            self.close(Some(OTHER_VERSION_MS), turn);
            if matches!(self.credential, Some(Credential::Session(_))) {
                turn.tell(Notice::LogInFailed(failure));
            } else {
                self.give_up(failure, turn);
            }
            return;
        }
        self.connection.greeted(turn.now);
        self.connection.nonce = hello.nonce;
        self.acks = Acknowledging::new(hello.capabilities.iter().any(|name| name == capability::MARK_OF_PUSH));
        let credential = self.credential.clone().map(|credential| match credential {
            Credential::Password(password) => log_in::Credential::Agent(password),
            Credential::Visitor { brand } => log_in::Credential::Visitor(Visitor { brand }),
            Credential::Session(token) => log_in::Credential::Session(token),
        });
        let log_in = LogIn {
            version: VERSION,
            capabilities: Vec::new(),
            device: self.config.device.to_bytes(),
            software: self.config.software.clone(),
            language: self.config.language.clone(),
            codecs: self.config.codecs.iter().map(|codec| *codec as u32).collect(),
            credential,
            visit: self.config.visit.clone(),
            presence: self.presence.into(),
        };
        self.ask(Asked::LogIn, client_frame::Kind::LogIn(log_in), turn);
    }

    pub(super) fn logged_in(&mut self, mut told: LoggedIn, turn: &mut Turn<'_>) {
        let me = told.me.as_ref().and_then(|me| Id::try_from(&me.id).ok());
        if self.connection.phase != Phase::LoggingIn || me.is_none() {
            return;
        }
        if self.me.is_some() && self.me != me {
            self.close(None, turn);
            self.give_up(LogInFailure::AnotherAccount, turn);
            return;
        }
        self.me = me;
        self.connection.logged_in(turn.now);
        let token = Some(std::mem::take(&mut told.session)).filter(|token| !token.is_empty());
        if let Some(token) = &token {
            self.credential = Some(Credential::Session(token.clone()));
        }
        // Also one that was bought elsewhere and brought to the log-in.
        if let Some(Credential::Session(token)) = &self.credential {
            turn.change(Change::Value(SESSION, self.remember.then(|| token.clone())));
        }
        let (positions, state) = (std::mem::take(&mut told.positions), told.state.take());
        turn.change(Change::Value(LOGGED_IN, Some(told.encode_to_vec().into())));
        Self::clock(told.time_ms, turn);
        self.new_epoch(told.epoch, turn);
        let feeds = std::mem::take(&mut told.feeds);
        let keys = feeds.iter().filter_map(|feed| {
            Some(FeedKey {
                kind: feed.kind,
                id: Id::try_from(&feed.id).ok()?,
            })
        });
        self.set_feeds(&keys.collect::<Vec<_>>(), turn);
        for feed in self.feeds.0.values_mut() {
            feed.connected(turn.now);
        }
        self.logged_in = Some(told);
        if let Some(mut who) = self.who() {
            who.session = token;
            turn.after(Notice::LoggedIn(Box::new(who)));
        }
        if let Some(state) = state {
            self.customer_state(state, turn);
        }
        self.told_positions(&positions, turn);
        for log in self.logs.values_mut() {
            log.retry_at = 0;
        }
        self.reads = self
            .logs
            .iter()
            .filter(|(_, log)| log.state.read > log.state.read_told)
            .map(|(id, _)| *id)
            .collect();
        self.lanes_due = self.outbox.keys();
    }

    /// Exactly these feeds are this agent's.
    pub(super) fn set_feeds(&mut self, keys: &[FeedKey], turn: &mut Turn<'_>) {
        if self.is_customer() {
            return;
        }
        let known = |kind: i32| kind == FeedKind::Agent as i32 || kind == FeedKind::Team as i32;
        let gone: Vec<FeedKey> = self.feeds.0.keys().filter(|key| !keys.contains(key)).copied().collect();
        for key in gone {
            self.feeds.0.remove(&key);
            let rows: Vec<Id> = self
                .rows
                .keys()
                .filter(|(feed, _)| *feed == key)
                .map(|(_, id)| *id)
                .collect();
            for conversation in rows {
                self.row_left(key, conversation, turn);
            }
            turn.change(Change::ForgetFeed(key));
        }
        for key in keys.iter().filter(|key| known(key.kind)) {
            if !self.feeds.0.contains_key(key) {
                self.feeds.add(*key).connected(turn.now);
            }
        }
    }

    pub(super) fn told_positions(&mut self, told: &[ConversationPositions], turn: &mut Turn<'_>) {
        for positions in told {
            if let Ok(conversation) = Id::try_from(&positions.conversation) {
                self.positions(conversation, &positions.positions, turn);
            }
        }
    }

    pub(super) fn clock(gateway_ms: u64, turn: &mut Turn<'_>) {
        turn.tell(Notice::Clock {
            shift_ms: (gateway_ms as i64).saturating_sub(turn.now as i64),
        });
    }

    /// A log-in was refused, or the gateway says why it closes the connection.
    pub(super) fn refused(&mut self, problem: Problem, turn: &mut Turn<'_>) {
        let retry = u64::from(problem.retry_ms).clamp(1_000, LONGEST_ASKED_MS);
        let later = problem.advice() == Advice::Later;
        let resuming = matches!(self.credential, Some(Credential::Session(_)));
        let was_live = self.connection.is_live();
        self.close(later.then_some(retry), turn);
        match problem.code() {
            ProblemCode::Session if resuming => self.session_ended(turn),
            _ if was_live || (later && (resuming || self.is_customer())) => {}
            ProblemCode::BadFrame | ProblemCode::TooSlow | ProblemCode::Store | ProblemCode::Epoch if resuming => {}
            _ => self.give_up(LogInFailure::Problem(problem), turn),
        }
    }

    /// The token is worth nothing any more. Data stays.
    fn session_ended(&mut self, turn: &mut Turn<'_>) {
        self.credential = None;
        self.connection.stop(turn.now);
        turn.change(Change::Value(SESSION, None));
        turn.tell(Notice::SessionEnded);
    }

    pub(super) fn going_away(&mut self, away: GoingAway, turn: &mut Turn<'_>) {
        match away.reason() {
            going_away::Reason::SessionEnded => {
                self.close(None, turn);
                self.session_ended(turn);
            }
            going_away::Reason::Epoch | going_away::Reason::NoAck => self.close(None, turn),
            _ => self.close(Some(u64::from(away.come_back_ms).min(LONGEST_ASKED_MS)), turn),
        }
    }

    pub(super) fn log_out(&mut self, turn: &mut Turn<'_>) {
        if self.connection.is_live() {
            self.ask(
                Asked::Nothing,
                client_frame::Kind::LogOut(zuoxi_wire::v1::LogOut {}),
                turn,
            );
        }
        if self.connection.is_open() {
            self.close(None, turn);
        }
        self.credential = None;
        self.connection.stop(turn.now);
        turn.change(Change::Value(SESSION, None));
    }
}
