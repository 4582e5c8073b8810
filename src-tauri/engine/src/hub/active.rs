//! The account that is logged in: its session, store, connection and views, and the pump between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc;
use zuoxi_protocol::change::{Answer, Change, Draft, Loaded, OutboxAct, Question, Transaction};
use zuoxi_protocol::{Broken, Config, Input, Output, Role, Session, StoreFailure};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{BlockCodec, Presence, Team};

use super::Outside;
use super::asking::Asks;
use super::attention::Attention;
use super::link::{Link, LinkEvent};
use super::log_in::Software;
use super::opening::Opened;
use super::pictures::Pictures;
use super::reading::{self, ReadDone};
use super::reloading::{Reloading, Unstored};
use super::showing::Showing;
use super::trace::Trace;
use super::unread::Unread;
use super::waits::Waits;
use crate::desk::{KnownAccount, Unsent, WindowId};
use crate::inbox::Inbox;
use crate::net::NetError;
use crate::store::{Done, Priority, Store, StoreError};
use crate::timeline;
use crate::view::{CallError, CustomerPanel};

/// Something for the active account.
pub(crate) enum Happened {
    StoreEnds(Vec<Done>),
    Read(ReadDone),
    Link(LinkEvent),
}

/// What windows aren't told yet.
pub(super) struct Changed {
    /// The mark, or the numbers beside it.
    pub(super) sync: bool,
    /// Who is logged in, or their presence.
    pub(super) me: bool,
}

pub(crate) struct Active {
    pub(super) known: KnownAccount,
    pub(super) software: Software,
    pub(super) store: Arc<Store>,
    ends: mpsc::UnboundedReceiver<Vec<Done>>,
    /// Bounded by the questions that the store takes.
    reads: mpsc::UnboundedReceiver<ReadDone>,
    pub(super) tell_read: mpsc::UnboundedSender<ReadDone>,
    pub(super) session: Session,
    pub(super) inputs: VecDeque<Input>,
    pub(super) link: Link,
    pub(super) wake_at: Option<u64>,
    pub(super) uncommitted: BTreeSet<u64>,
    pub(super) last_token: u64,
    /// Questions of the session that wait for the commits before them.
    pub(super) held: VecDeque<(u64, u64, Question)>,
    pub(super) reloading: Reloading,
    pub(super) inbox: Inbox<WindowId>,
    /// Of whom the inbox is.
    pub(super) inbox_of: Id,
    pub(super) unread: Unread,
    /// Acts that aren't settled, by id: the session forgets one as it settles.
    pub(super) acts: BTreeMap<Id, OutboxAct>,
    pub(super) showing: Showing,
    pub(super) asks: Asks,
    pub(super) attention: Attention,
    pub(super) drafts: BTreeMap<Id, Draft>,
    /// Drafts on their way to the store, by token.
    saving: BTreeMap<u64, Id>,
    /// Whose drafts the store didn't take.
    pub(super) unsaved: BTreeSet<Id>,
    pub(super) panels: BTreeMap<Id, CustomerPanel>,
    pub(super) pictures: Pictures,
    pub(super) teams: Vec<Team>,
    pub(super) presence: Presence,
    /// Acts whose commit isn't told yet.
    pub(super) unwritten: BTreeSet<Id>,
    /// Parked acts by the new ones that take their place.
    pub(super) resends: BTreeMap<Id, Id>,
    /// Why the store failed last.
    pub(super) store_failed: StoreFailure,
    pub(super) waits: Waits,
    pub(super) trace: Trace,
    /// Own messages whose discard came too late, by conversation: their rows offer to recall them.
    pub(super) too_late: BTreeMap<Id, BTreeSet<Id>>,
    /// The hub's time, as of the last thing that happened.
    pub(super) now_ms: u64,
    /// Gateway's time minus this device's, milliseconds.
    pub(super) shift_ms: i64,
    /// A connection stands.
    pub(super) online: bool,
    /// Why there is no connection: a code of [`crate::view::SyncView::Offline`].
    pub(super) offline_reason: &'static str,
    pub(super) round_trip_ms: Option<u64>,
    pub(super) changed: Changed,
    /// The gateway ended the session, with this code: a password is needed.
    pub(super) ended: Option<&'static str>,
    /// The store can't be used any more.
    pub(super) broken: Option<CallError>,
    /// The user logs out: nobody needs to be told.
    pub(super) leaving: bool,
    pub(super) log_in_reply: Option<super::Reply<()>>,
}

impl Active {
    /// `left`: what memory had of it when its store failed before.
    pub(crate) fn new(opened: Opened, software: Software, left: Option<Unstored>, outside: &mut Outside) -> Self {
        let Opened {
            known,
            gateway,
            store,
            loaded,
            ends,
        } = opened;
        let (tell_read, reads) = mpsc::unbounded_channel();
        let left = left.unwrap_or_else(|| Unstored::nothing(&loaded));
        let session = session(&software, left.begin_with(&loaded), Presence::Unspecified, outside);
        let store = Arc::new(store);
        let transport = outside.surroundings.transport.clone();
        let pictures = Pictures::begin(
            outside.new_id().to_string(),
            &store,
            transport.clone(),
            gateway.clone(),
            outside.surroundings.clock.clone(),
        );
        let mut this = Self {
            software,
            store,
            ends,
            reads,
            tell_read,
            session,
            inputs: VecDeque::new(),
            link: Link::new(transport, gateway),
            wake_at: Some(0),
            uncommitted: BTreeSet::new(),
            last_token: 0,
            held: VecDeque::new(),
            reloading: Reloading::default(),
            inbox: Inbox::new(Id::default()),
            inbox_of: Id::default(),
            unread: Unread::default(),
            acts: BTreeMap::new(),
            showing: Showing::default(),
            asks: Asks::default(),
            attention: Attention::default(),
            drafts: left.drafts().clone(),
            saving: BTreeMap::new(),
            unsaved: BTreeSet::new(),
            panels: BTreeMap::new(),
            pictures,
            teams: Vec::new(),
            presence: Presence::Unspecified,
            unwritten: BTreeSet::new(),
            resends: BTreeMap::new(),
            store_failed: StoreFailure::Broken,
            waits: Waits::default(),
            trace: Trace::default(),
            too_late: BTreeMap::new(),
            now_ms: outside.time.now(),
            shift_ms: 0,
            online: false,
            offline_reason: "network",
            round_trip_ms: None,
            changed: Changed { sync: true, me: true },
            ended: None,
            broken: None,
            leaving: false,
            log_in_reply: None,
            known,
        };
        this.fill_inbox(&loaded, outside);
        this.bring_back(&left, &loaded, outside);
        this
    }

    /// Waits for the next thing; store before network. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Happened {
        // Half of what the store takes is kept for the user.
        let take_frames = self.store.backlog() <= Store::BACKLOG / 2;
        tokio::select! {
            biased;
            Some(ends) = self.ends.recv() => Happened::StoreEnds(ends),
            Some(read) = self.reads.recv() => Happened::Read(read),
            event = self.link.next(take_frames) => Happened::Link(event),
        }
    }

    pub(crate) fn happened(&mut self, happened: Happened, outside: &mut Outside) {
        match happened {
            Happened::StoreEnds(ends) => {
                for end in ends {
                    self.ended_commit(end);
                }
                self.ask_held();
            }
            Happened::Read(read) => self.read_done(read, outside),
            Happened::Link(LinkEvent::Opened) => self.inputs.push_back(Input::Connected),
            Happened::Link(LinkEvent::Frame(frame)) => {
                self.overhear(&frame);
                self.inputs.push_back(Input::Frame(*frame));
            }
            Happened::Link(LinkEvent::Broken(error)) => self.broken(&error),
        }
        self.pump(outside);
    }

    /// Gives the session one event, and does what it wants done.
    pub(crate) fn input(&mut self, input: Input, outside: &mut Outside) {
        self.inputs.push_back(input);
        self.pump(outside);
    }

    /// For events that come out of what is being done: they wait for their turn.
    pub(super) fn later(&mut self, input: Input) {
        self.inputs.push_back(input);
    }

    /// Calls the session if its time has come.
    pub(crate) fn tick(&mut self, outside: &mut Outside) {
        let now = outside.time.now();
        self.now_ms = now;
        self.turn_marks();
        self.reload_if_due();
        if self.wake_at.is_some_and(|at| at <= now) {
            self.wake_at = None;
            self.input(Input::Tick, outside);
        }
    }

    pub(super) fn me(&self) -> Option<timeline::Me> {
        let me = self.session.me()?;
        Some(timeline::Me {
            id: Id::try_from(&me.id).ok()?,
            name: me.name.clone(),
            customer: false,
        })
    }

    /// Gives the session what waits, and does what it wants done.
    pub(super) fn pump(&mut self, outside: &mut Outside) {
        let mut outputs = Vec::new();
        // While all is read again, what a user asks waits for the next session.
        while self.reloading.since.is_none()
            && let Some(input) = self.inputs.pop_front()
        {
            self.now_ms = outside.time.now();
            self.session.handle(self.now_ms, input, &mut outputs);
            for output in outputs.drain(..) {
                self.perform(output, outside);
            }
        }
    }

    fn perform(&mut self, output: Output, outside: &mut Outside) {
        match output {
            Output::Connect => self.link.connect(),
            Output::Close => self.link.close(),
            Output::Send(frame) => {
                self.trace.leaves(&frame);
                if self.link.is_open() && !self.link.send(&frame) {
                    tracing::warn!("the network takes nothing: connection given up");
                    self.broken(&NetError::Network("it takes nothing".to_owned()));
                }
            }
            Output::Commit(transaction) => self.commit(transaction),
            Output::Read { ticket, question } => {
                self.held.push_back((self.last_token, ticket, question));
                self.ask_held();
            }
            Output::WakeAt(at) => self.wake_at = Some(at),
            Output::Reload => self.reload(outside),
            Output::Notice(notice) => self.notice(notice, outside),
        }
    }

    fn commit(&mut self, transaction: Transaction) {
        let token = transaction.token;
        self.last_token = self.last_token.max(token);
        self.uncommitted.insert(token);
        let draft = |change: &Change| match change {
            Change::Draft(conversation, _) => Some((token, *conversation)),
            _ => None,
        };
        self.saving.extend(transaction.changes.iter().find_map(draft));
        // What the user does goes before what the network brought, however much of that waits.
        let priority = if transaction.stands_apart() {
            Priority::User
        } else {
            Priority::Network
        };
        if let Err(error) = self.store.commit(transaction, priority) {
            self.ended_commit(Done {
                token,
                result: Err(error),
            });
        }
    }

    fn ended_commit(&mut self, end: Done) {
        self.uncommitted.remove(&end.token);
        if let Some(conversation) = self.saving.remove(&end.token) {
            if end.result.is_ok() {
                self.unsaved.remove(&conversation);
            } else {
                self.unsaved.insert(conversation);
            }
        }
        self.inputs.push_back(match end.result {
            Ok(()) => Input::Committed { token: end.token },
            Err(error) => {
                tracing::error!(token = end.token, %error, "not stored");
                let why = if error == StoreError::DiskFull {
                    StoreFailure::Full
                } else {
                    StoreFailure::Broken
                };
                self.store_failed = why;
                Input::CommitFailed { token: end.token, why }
            }
        });
    }

    /// Asks the store what the session wants to know, once all that it gave before is stored.
    fn ask_held(&mut self) {
        while let Some((token, _, _)) = self.held.front() {
            if self.uncommitted.first().is_some_and(|first| first <= token) {
                return;
            }
            let Some((_, ticket, question)) = self.held.pop_front() else {
                return;
            };
            let (store, tell) = (self.store.clone(), self.tell_read.clone());
            tokio::spawn(async move {
                let answer = reading::answer(&store, question).await;
                // A hub that is gone needs no answer.
                let _ = tell.send(ReadDone::Session { ticket, answer });
            });
        }
    }

    pub(super) fn answered(&mut self, ticket: u64, answer: Option<Answer>) {
        self.inputs.push_back(Input::Read { ticket, answer });
    }

    fn broken(&mut self, error: &NetError) {
        tracing::info!(%error, "no connection");
        self.link.close();
        self.offline_reason = if error.code() == "not_a_gateway" {
            "network"
        } else {
            error.code()
        };
        self.inputs.push_back(Input::Disconnected(match error {
            NetError::Network(_) => Broken::Network,
            NetError::Tls(_) => Broken::Tls,
            NetError::NotAGateway(_) => Broken::NotAGateway,
        }));
    }

    pub(super) fn unsent(&self) -> Unsent {
        let proof = self.session.proof();
        Unsent {
            waiting: proof.waiting,
            parked: proof.parked,
        }
    }

    /// The gateway ended the session: a password is needed.
    pub(super) fn session_over(&self) -> bool {
        self.ended.is_some()
    }
}

pub(super) fn session(software: &Software, loaded: Loaded, presence: Presence, outside: &Outside) -> Session {
    let config = Config {
        role: Role::Agent,
        device: software.device,
        software: software.version.clone(),
        language: software.language.clone(),
        codecs: vec![BlockCodec::Zstd],
        visit: None,
        presence,
        seed: outside.surroundings.randomness.number(),
    };
    Session::load(config, loaded, outside.time.now())
}
