//! One device: its session, its disk, its connections.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use zuoxi_protocol::change::{Question, Transaction};
use zuoxi_protocol::input::Output;
use zuoxi_protocol::{Broken, Config, Credential, Input, MemoryDevice, Notice, Session, StoreFailure, Sync};
use zuoxi_rules::ConnectionId;
use zuoxi_wire::{Id, frame};

use super::Dice;

/// A connection, or an attempt at one.
#[derive(Default)]
pub struct Link {
    id: Option<ConnectionId>,
    opens: u64,
    up: VecDeque<(u64, Bytes)>,
    down: VecDeque<(u64, Bytes)>,
    /// The client's end is gone: what is still on its way up arrives, then the gateway notices.
    closes: Option<u64>,
    /// The gateway hung up: what is on its way down arrives before.
    ends: Option<u64>,
    /// Broken: nothing arrives any more.
    dead: bool,
}

pub struct Device {
    pub config: Config,
    pub session: Session,
    pub credential: Credential,
    /// The user must type the password again.
    pub logged_out: bool,
    pub disk: MemoryDevice,
    links: Vec<Link>,
    commits: VecDeque<(u64, Transaction)>,
    reads: VecDeque<(u64, u64, Question)>,
    wake: Option<u64>,
    pub notices: Vec<Notice>,
    /// Times of "up to date" that wait to be checked.
    pub proofs: Vec<u64>,
    pub settled: BTreeMap<Id, (Option<Id>, u64)>,
    pub taken: Vec<(Id, Option<Id>)>,
    pub stored: BTreeSet<Id>,
    pub gone: BTreeSet<Id>,
    pub reloads: u32,
    pub restores: u32,
    /// The next commits fail.
    pub disk_full: bool,
}

impl Device {
    pub fn new(config: Config, credential: Credential, now: u64) -> Self {
        Self {
            session: Session::new(config.clone(), now),
            config,
            credential,
            logged_out: false,
            disk: MemoryDevice::default(),
            links: Vec::new(),
            commits: VecDeque::new(),
            reads: VecDeque::new(),
            wake: None,
            notices: Vec::new(),
            proofs: Vec::new(),
            settled: BTreeMap::new(),
            taken: Vec::new(),
            stored: BTreeSet::new(),
            gone: BTreeSet::new(),
            reloads: 0,
            restores: 0,
            disk_full: false,
        }
    }

    pub fn tell(&mut self, now: u64, input: Input, dice: &mut Dice, latency: u64, disk: u64, trace: Option<usize>) {
        if let Some(n) = trace {
            println!("{} [{n}] <- {input:?}", now % 1_000_000);
        }
        let mut out = Vec::new();
        self.session.handle(now, input, &mut out);
        for output in out {
            if let Some(n) = trace {
                println!("{} [{n}] -> {output:?}", now % 1_000_000);
            }
            match output {
                Output::Connect => {
                    self.links.push(Link {
                        opens: now + 1 + dice.roll(latency),
                        ..Link::default()
                    });
                }
                Output::Close => self.hang_up(now + dice.roll(latency) + 1),
                Output::Send(frame) => {
                    let delay = now + 1 + dice.roll(latency);
                    if let Some(link) = self.links.last_mut().filter(|link| link.closes.is_none()) {
                        let at = link.up.back().map_or(delay, |last| last.0.max(delay));
                        link.up.push_back((at, frame::encode_client(&frame)));
                    }
                }
                Output::Commit(transaction) if transaction.stands_apart() => {
                    let behind = self.commits.iter().position(|(_, other)| !other.stands_apart());
                    let behind = behind.unwrap_or(self.commits.len());
                    self.commits.insert(behind, (now + 1, transaction));
                }
                Output::Commit(transaction) => {
                    let at = now + 1 + dice.roll(disk);
                    let at = self.commits.back().map_or(at, |last| last.0.max(at));
                    self.commits.push_back((at, transaction));
                }
                Output::Read { ticket, question } => {
                    let at = self.commits.back().map_or(now + 1, |last| last.0 + 1);
                    self.reads.push_back((at, ticket, question));
                }
                Output::WakeAt(at) => self.wake = Some(at),
                Output::Reload => {
                    self.reloads += 1;
                    self.kill(now);
                    self.start(now, 1);
                    self.wake = Some(now + 1);
                    return;
                }
                Output::Notice(notice) => self.note(notice),
            }
        }
    }

    /// Transactions that the disk hasn't taken yet.
    pub fn uncommitted(&self) -> usize {
        self.commits.len()
    }

    fn note(&mut self, notice: Notice) {
        match &notice {
            Notice::ActTaken(act) => self.taken.push((act.id, act.conversation)),
            Notice::ActStored { id } => {
                self.stored.insert(*id);
            }
            Notice::ActNotStored { act, .. } => self.taken.retain(|taken| taken.0 != act.id),
            Notice::ActSettled {
                id, conversation, seq, ..
            } => {
                self.settled.insert(*id, (*conversation, *seq));
            }
            Notice::ActGone { id } => {
                self.gone.insert(*id);
            }
            Notice::LogInFailed(_) | Notice::SessionEnded => self.logged_out = true,
            Notice::Sync(Sync::UpToDate { as_of_ms }) => self.proofs.push(*as_of_ms),
            _ => {}
        }
        self.notices.push(notice);
    }

    fn hang_up(&mut self, at: u64) {
        if let Some(link) = self.links.last_mut().filter(|link| link.closes.is_none()) {
            let last = link.up.back().map_or(at, |last| last.0.max(at));
            link.closes = Some(last);
            link.down.clear();
        }
    }

    /// The living link, if the client knows of one.
    fn living(&mut self) -> Option<&mut Link> {
        self.links.last_mut().filter(|link| link.closes.is_none())
    }

    /// Attempts that succeed now.
    pub fn take_opened(&mut self, now: u64) -> Vec<usize> {
        let opens = |link: &Link| link.id.is_none() && link.opens <= now && link.closes.is_none() && !link.dead;
        self.links
            .iter()
            .enumerate()
            .filter(|(_, link)| opens(link))
            .map(|(n, _)| n)
            .collect()
    }

    pub fn opened(&mut self, link: usize, id: ConnectionId) {
        self.links[link].id = Some(id);
    }

    /// Frames that reach the gateway, and connections that it sees closing.
    pub fn arriving(&mut self, now: u64) -> (Vec<(ConnectionId, Bytes)>, Vec<ConnectionId>) {
        let (mut frames, mut closed) = (Vec::new(), Vec::new());
        for link in &mut self.links {
            let Some(id) = link.id else { continue };
            while !link.dead && link.up.front().is_some_and(|(at, _)| *at <= now) {
                frames.extend(link.up.pop_front().map(|(_, bytes)| (id, bytes)));
            }
            if link.closes.is_some_and(|at| at <= now) {
                closed.push(id);
            }
        }
        self.links.retain(|link| link.closes.is_none_or(|at| at > now));
        (frames, closed)
    }

    /// The gateway sent a frame.
    pub fn receive(&mut self, connection: ConnectionId, bytes: Bytes, at: u64) {
        let link = self.links.iter_mut().find(|link| link.id == Some(connection));
        if let Some(link) = link.filter(|link| link.closes.is_none() && !link.dead) {
            let at = link.down.back().map_or(at, |last| last.0.max(at));
            link.down.push_back((at, bytes));
        }
    }

    /// The gateway closed the connection.
    pub fn hung_up(&mut self, connection: ConnectionId, at: u64) {
        if let Some(link) = self.links.iter_mut().find(|link| link.id == Some(connection)) {
            link.ends = Some(link.down.back().map_or(at, |last| last.0.max(at)));
        }
    }

    /// What the session is told now.
    pub fn due(&mut self, now: u64) -> Vec<Input> {
        let mut inputs = Vec::new();
        while self.commits.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, transaction)) = self.commits.pop_front() else {
                break;
            };
            let token = transaction.token;
            if std::mem::take(&mut self.disk_full) {
                inputs.push(Input::CommitFailed {
                    token,
                    why: StoreFailure::Full,
                });
            } else {
                self.disk.commit(transaction);
                inputs.push(Input::Committed { token });
            }
        }
        while self.reads.front().is_some_and(|(at, _, _)| *at <= now) {
            let Some((_, ticket, question)) = self.reads.pop_front() else {
                break;
            };
            inputs.push(Input::Read {
                ticket,
                answer: Some(self.disk.answer(&question)),
            });
        }
        let mut over = false;
        if let Some(link) = self.living() {
            while link.down.front().is_some_and(|(at, _)| *at <= now) {
                let Some((_, bytes)) = link.down.pop_front() else { break };
                inputs.push(Input::Frame(frame::decode_gateway(bytes).unwrap()));
            }
            over = link.ends.is_some_and(|at| at <= now);
        }
        if over {
            let at = if self.links.last().is_some_and(|link| link.dead) {
                now + 10_000
            } else {
                now
            };
            self.hang_up(at);
            inputs.push(Input::Disconnected(Broken::Network));
        }
        if self.wake.is_some_and(|at| at <= now) {
            self.wake = None;
            inputs.push(Input::Tick);
        }
        inputs
    }

    pub fn break_link(&mut self, ours: u64, theirs: u64) {
        if let Some(link) = self.living() {
            if link.id.is_none() {
                link.opens = u64::MAX;
            }
            link.dead = true;
            link.up.clear();
            link.down.clear();
            link.ends = Some(ours);
        }
        // The gateway notices later, by itself.
        if let Some(link) = self
            .links
            .last_mut()
            .filter(|link| link.closes.is_none() && link.id.is_some())
        {
            let ghost = Link {
                id: link.id,
                dead: true,
                closes: Some(theirs),
                ..Link::default()
            };
            link.id = None;
            link.opens = u64::MAX;
            let at = self.links.len() - 1;
            self.links.insert(at, ghost);
        }
    }

    /// The gateway died: nothing of the old connections reaches the new one.
    pub fn cut(&mut self, ours: u64) {
        for link in &mut self.links {
            link.dead = true;
            link.id = None;
            link.opens = u64::MAX;
            link.up.clear();
            link.ends = Some(link.down.back().map_or(ours, |last| last.0.max(ours)));
        }
        self.links.retain(|link| link.closes.is_none());
    }

    /// What was said about Seqs before a restore binds nobody; sent again by hand, an act takes another place.
    pub fn restored(&mut self) {
        self.settled.clear();
        self.taken.clear();
        self.proofs.clear();
        self.restores += 1;
    }

    pub fn kill(&mut self, now: u64) {
        self.hang_up(now);
        for link in &mut self.links {
            link.closes.get_or_insert(now);
        }
        self.commits.clear();
        self.reads.clear();
        self.wake = None;
    }

    pub fn start(&mut self, now: u64, seed: u64) {
        let config = Config {
            seed,
            ..self.config.clone()
        };
        let loaded = self.disk.load();
        self.logged_out = !loaded.values.contains_key("session");
        self.session = Session::load(config, loaded, now);
    }
}
