//! A device's session, fed with whatever a gateway, a disk and a user may do in whatever order.

use std::collections::VecDeque;

use bytes::Bytes;
use prost::Message;
use zuoxi_protocol::change::{Draft, Question, Range, Transaction};
use zuoxi_protocol::{
    Broken, Command, Config, Credential, Input, MemoryDevice, NewAct, Output, Role, Session, StoreFailure,
};
use zuoxi_wire::v1::gateway_frame::Kind;
use zuoxi_wire::v1::{
    self, Accepted, ActKind, AgentPassword, Answer, Answers, BlockCodec, Compared, CustomerState, EntriesPage, Entry,
    FeedId, FeedPage, FeedPoint, FeedRow, FoundTime, GatewayFrame, GoingAway, Heartbeat, Hello, LogPoint, LoggedIn,
    Member, MessageContent, PositionMoves, Problem, Push, Pushes, RangeHash, Refused, SeqRange, Signal, Summary,
    WatchPage, answer, message_content,
};
use zuoxi_wire::{Id, block, frame, limits};

use crate::source::Source;

const START_MS: u64 = 1_700_000_000_000;
const ME: Id = Id([1; 16]);
/// Requests whose answers a made-up gateway still remembers.
const REMEMBERED: usize = 8;

/// Any events in any order: nothing panics, and what leaves is within its limits.
pub(crate) fn session(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let role = if source.yes() { Role::Agent } else { Role::Customer };
    let mut device = Device::new(role);
    device.user(Command::LogIn {
        credential: if role == Role::Agent {
            Credential::Password(AgentPassword::default())
        } else {
            Credential::Visitor { brand: "brand".into() }
        },
        remember: true,
    });
    while let Some(step) = source.byte() {
        device.step(step, &mut source);
    }
}

struct Device {
    config: Config,
    session: Session,
    disk: MemoryDevice,
    now: u64,
    commits: VecDeque<Transaction>,
    reads: VecDeque<(u64, Question)>,
    asked: VecDeque<u32>,
    acts: u64,
    token: u64,
}

impl Device {
    fn new(role: Role) -> Self {
        let config = Config {
            role,
            device: Id([9; 16]),
            software: "fuzz".into(),
            language: "en".into(),
            codecs: vec![BlockCodec::Zstd],
            visit: None,
            presence: v1::Presence::Unspecified,
            seed: 1,
        };
        Self {
            session: Session::new(config.clone(), START_MS),
            config,
            disk: MemoryDevice::default(),
            now: START_MS,
            commits: VecDeque::new(),
            reads: VecDeque::new(),
            asked: VecDeque::new(),
            acts: 0,
            token: 0,
        }
    }

    fn step(&mut self, step: u8, source: &mut Source<'_>) {
        match step % 20 {
            0 => self.tell(Input::Connected),
            1 => self.tell(Input::Disconnected(
                [Broken::Network, Broken::Tls, Broken::NotAGateway]
                    .get(source.of(3))
                    .copied()
                    .unwrap_or(Broken::Network),
            )),
            2 => self.enters(source),
            3 => {
                if let Ok(frame) = frame::decode_gateway(source.many_bytes()) {
                    self.tell(Input::Frame(frame));
                }
            }
            4..=10 => {
                let request = self.request(source);
                let kind = Some(made_up(source));
                self.tell(Input::Frame(GatewayFrame { request, kind }));
            }
            11 => self.commits_one(),
            12 => {
                if let Some(lost) = self.commits.pop_front() {
                    let why = if source.yes() {
                        StoreFailure::Full
                    } else {
                        StoreFailure::Broken
                    };
                    self.tell(Input::CommitFailed { token: lost.token, why });
                }
            }
            13 => {
                if let Some((ticket, question)) = self.reads.pop_front() {
                    let answer = source.yes().then(|| self.disk.answer(&question));
                    self.tell(Input::Read { ticket, answer });
                }
            }
            14 => {
                self.now += source.number().min(1_000_000) * 50;
                self.tell(Input::Tick);
            }
            15 => self.tell(Input::NetworkChanged),
            16 => self.starts_again(),
            17 => {
                while !self.commits.is_empty() {
                    self.commits_one();
                }
            }
            _ => {
                let command = self.command(source);
                self.user(command);
            }
        }
    }

    fn user(&mut self, command: Command) {
        self.tell(Input::User(command));
    }

    fn tell(&mut self, input: Input) {
        let mut out = Vec::new();
        self.session.handle(self.now, input, &mut out);
        for output in out {
            match output {
                Output::Send(sent) => self.sent(&sent),
                Output::Commit(transaction) => {
                    assert!(transaction.token > self.token, "tokens only grow");
                    self.token = transaction.token;
                    self.commits.push_back(transaction);
                }
                Output::Read { ticket, question } => self.reads.push_back((ticket, question)),
                Output::Reload => return self.starts_again(),
                Output::Connect | Output::Close | Output::WakeAt(_) | Output::Notice(_) => {}
            }
        }
        self.look();
    }

    fn sent(&mut self, sent: &v1::ClientFrame) {
        assert!(
            sent.encoded_len() as u64 <= limits::FRAME_BYTES,
            "a frame within its limit"
        );
        if let Some(v1::client_frame::Kind::Acts(acts)) = &sent.kind {
            assert!(acts.acts.len() as u64 <= limits::ACTS_PER_FRAME);
        }
        if sent.request != 0 {
            self.asked.push_back(sent.request);
            if self.asked.len() > REMEMBERED {
                self.asked.pop_front();
            }
        }
    }

    /// What is covered is in order and apart, whatever was told.
    fn look(&self) {
        for n in 0..8 {
            let Some(log) = self.session.log(Id([n; 16])) else {
                continue;
            };
            let covered = &log.state.covered;
            assert!(covered.iter().all(|range| range.first <= range.last));
            assert!(
                covered
                    .windows(2)
                    .all(|two| matches!(two, [low, high] if low.last < high.first)),
                "ranges apart: {covered:?}"
            );
        }
    }

    fn commits_one(&mut self) {
        if let Some(transaction) = self.commits.pop_front() {
            let token = transaction.token;
            self.disk.commit(transaction);
            self.tell(Input::Committed { token });
        }
    }

    /// kill -9, and what was committed is there again.
    fn starts_again(&mut self) {
        self.commits.clear();
        self.reads.clear();
        self.asked.clear();
        self.token = 0;
        self.session = Session::load(self.config.clone(), self.disk.load(), self.now);
    }

    fn request(&self, source: &mut Source<'_>) -> u32 {
        match source.of(10) {
            0 => 0,
            1 => source.number() as u32,
            nth => self.asked.iter().rev().nth(nth - 2).copied().unwrap_or(0),
        }
    }

    /// The way in, as it should be: what is interesting lies behind it.
    fn enters(&mut self, source: &mut Source<'_>) {
        self.now += 60_000;
        self.tell(Input::Tick);
        self.tell(Input::Connected);
        let epoch = 1 + source.of(3) as u64;
        let hello = Hello {
            version_min: 1,
            version_max: 1,
            epoch,
            nonce: vec![7; 16].into(),
            time_ms: self.now,
            ..Hello::default()
        };
        self.frame(0, Kind::Hello(hello));
        let request = self.asked.back().copied().unwrap_or(0);
        let agent = self.config.role == Role::Agent;
        let feeds = [(v1::FeedKind::Agent, ME), (v1::FeedKind::Team, Id([3; 16]))];
        let logged_in = LoggedIn {
            session: vec![5; 32].into(),
            me: Some(Member {
                id: ME.to_bytes(),
                ..Member::default()
            }),
            epoch,
            time_ms: self.now,
            heartbeat_ms: 10_000,
            window_pushes: 512,
            window_bytes: 1 << 20,
            window_acts: 32,
            feeds: feeds
                .into_iter()
                .filter(|_| agent)
                .map(|(kind, id)| FeedId {
                    kind: kind.into(),
                    id: id.to_bytes(),
                })
                .collect(),
            state: (!agent).then(|| customer_state(source)),
            ..LoggedIn::default()
        };
        self.frame(request, Kind::LoggedIn(logged_in));
    }

    fn frame(&mut self, request: u32, kind: Kind) {
        let kind = Some(kind);
        self.tell(Input::Frame(GatewayFrame { request, kind }));
    }

    fn command(&mut self, source: &mut Source<'_>) -> Command {
        let conversation = conversation(source);
        let ask = source.number();
        let range = Range {
            first: source.number(),
            last: source.number(),
        };
        match source.of(20) {
            0..=4 => {
                self.acts += 1;
                Command::Act(NewAct {
                    id: act(self.acts),
                    conversation: (self.config.role == Role::Agent).then_some(conversation),
                    kind: ActKind::try_from(1 + source.of(8) as i32).unwrap_or(ActKind::Message),
                    content: words(source.text()),
                    draft: source.yes().then(Draft::default),
                })
            }
            5 => Command::Resend {
                id: self.known_act(source),
                new_id: act(1_000 + self.acts),
            },
            6 => Command::Discard {
                id: self.known_act(source),
            },
            7 => Command::SendAgain {
                id: self.known_act(source),
            },
            8 => Command::MarkRead {
                conversation,
                seq: range.first,
            },
            9 => Command::Typing {
                conversation: source.yes().then_some(conversation),
                typing: source.yes(),
            },
            10 => Command::SetPresence(v1::Presence::try_from(source.of(5) as i32).unwrap_or_default()),
            11 => Command::Watch { conversation },
            12 => Command::Unwatch { conversation },
            13 => Command::Want {
                ask,
                conversation,
                range,
                background: source.yes(),
            },
            14 => Command::FindTime {
                ask,
                conversation,
                time_ms: range.first,
            },
            15 => Command::CheckNow,
            16 => Command::ReadCustomer { ask, conversation },
            17 => Command::ReadColleagues { ask },
            18 => Command::LogOut,
            _ => Command::LogIn {
                credential: Credential::Session(vec![5; 32].into()),
                remember: source.yes(),
            },
        }
    }

    fn known_act(&self, source: &mut Source<'_>) -> Id {
        act(source.of(self.acts as usize + 1) as u64)
    }
}

/// The id of the nth act.
fn act(nth: u64) -> Id {
    let mut random = [0; 10];
    random
        .iter_mut()
        .zip(nth.to_be_bytes())
        .for_each(|(to, from)| *to = from);
    Id::v7(START_MS, random)
}

fn conversation(source: &mut Source<'_>) -> Id {
    Id([source.of(8) as u8; 16])
}

fn words(text: String) -> Bytes {
    let body = Some(message_content::Body::Text(text));
    MessageContent {
        body,
        ..MessageContent::default()
    }
    .encode_to_vec()
    .into()
}

fn made_up(source: &mut Source<'_>) -> Kind {
    match source.of(20) {
        0 => Kind::Done(v1::Done {}),
        1 => Kind::Problem(Problem {
            code: source.of(20) as i32,
            advice: source.of(6) as i32,
            retry_ms: source.number() as u32,
            ..Problem::default()
        }),
        2 | 3 => Kind::Answers(Answers {
            answers: (0..source.of(4)).map(|_| answered(source)).collect(),
        }),
        4..=6 => Kind::Pushes(Pushes {
            pushes: (0..source.of(4)).map(|_| push(source)).collect(),
        }),
        7 => Kind::FeedPage(FeedPage {
            feed: Some(feed(source)),
            feed_epoch: source.number(),
            rows: (0..source.of(4)).map(|_| row(source)).collect(),
            revision: source.number(),
            more: source.yes(),
        }),
        8 | 9 => Kind::EntriesPage(page(source)),
        10 => Kind::FoundTime(FoundTime {
            conversation: source.id(),
            seq: source.number(),
            head: source.number(),
            floor: source.number(),
        }),
        11 => Kind::Compared(Compared {
            conversation: source.id(),
            head: source.number(),
            floor: source.number(),
            hashes: (0..source.of(4))
                .map(|_| RangeHash {
                    range: Some(range(source)),
                    sha256: source.bytes(),
                    erased: (0..source.of(3)).map(|_| source.number()).collect(),
                })
                .collect(),
        }),
        12 => Kind::WatchPage(WatchPage {
            conversation: source.id(),
            time_ms: START_MS.saturating_add(source.number()),
            summary: Some(summary(source)),
            page: source.yes().then(|| page(source)),
        }),
        13 => Kind::PositionMoves(PositionMoves {
            moves: vec![v1::ConversationPositions {
                conversation: source.id(),
                positions: vec![position(source)],
            }],
        }),
        14 => Kind::Signal(Signal {
            conversation: source.id(),
            member: source.id(),
            role: source.of(4) as i32,
            kind: Some(v1::signal::Kind::Typing(source.yes())),
        }),
        15 => Kind::Pong(v1::Pong { token: source.number() }),
        16 | 17 => Kind::Heartbeat(heartbeat(source)),
        18 => Kind::CustomerState(customer_state(source)),
        _ => Kind::GoingAway(GoingAway {
            come_back_ms: source.number() as u32,
            reason: source.of(7) as i32,
        }),
    }
}

fn feed(source: &mut Source<'_>) -> FeedId {
    FeedId {
        kind: source.of(4) as i32,
        id: source.id(),
    }
}

fn range(source: &mut Source<'_>) -> SeqRange {
    SeqRange {
        first: source.number(),
        last: source.number(),
    }
}

fn position(source: &mut Source<'_>) -> v1::Position {
    v1::Position {
        member: source.id(),
        role: source.of(4) as i32,
        delivered: source.number(),
        read: source.number(),
    }
}

fn summary(source: &mut Source<'_>) -> Summary {
    Summary {
        status: source.of(5) as i32,
        team: source.id(),
        assignee: source.id(),
        unread: source.number() as u32,
        ..Summary::default()
    }
}

fn entry(source: &mut Source<'_>, seq: u64) -> Entry {
    Entry {
        seq,
        id: source.id(),
        kind: source.of(12) as i32,
        time_ms: START_MS.saturating_add(source.number()),
        author_role: source.of(4) as i32,
        author: source.id(),
        content: source.bytes(),
        erased: source.yes(),
        content_as_sent: source.yes(),
        ..Entry::default()
    }
}

fn answered(source: &mut Source<'_>) -> Answer {
    let accepted = source.yes();
    Answer {
        conversation: source.id(),
        lane: source.number() as u32,
        number: source.number() as u32,
        id: source.id(),
        result: Some(if accepted {
            answer::Result::Accepted(Accepted {
                seq: source.number(),
                time_ms: START_MS,
                push: source.yes().then(|| push(source)),
            })
        } else {
            answer::Result::Refused(Refused {
                code: source.of(21) as i32,
                ends_lane: source.yes(),
                for_now: source.yes(),
                retry_ms: source.number() as u32,
                stale_seqs: vec![source.number()],
                ..Refused::default()
            })
        }),
    }
}

fn push(source: &mut Source<'_>) -> Push {
    let seq = source.number();
    Push {
        number: source.number(),
        feed: source.yes().then(|| feed(source)),
        feed_epoch: source.number(),
        revision: source.number(),
        conversation: source.id(),
        standing: source.of(4) as i32,
        head: source.number(),
        floor: source.number(),
        entry: source.yes().then(|| entry(source, seq)),
        summary: source.yes().then(|| summary(source)),
    }
}

fn row(source: &mut Source<'_>) -> FeedRow {
    FeedRow {
        revision: source.number(),
        conversation: source.id(),
        standing: source.of(4) as i32,
        summary: source.yes().then(|| summary(source)),
        head: source.number(),
        floor: source.number(),
    }
}

fn page(source: &mut Source<'_>) -> EntriesPage {
    let (first, many) = (source.number(), source.of(5) as u64);
    let entries: Vec<Bytes> = (0..many)
        .map(|n| entry(source, first.wrapping_add(n)).encode_to_vec().into())
        .collect();
    let last = first.wrapping_add(many).wrapping_sub(1);
    let block = block::encode(BlockCodec::Zstd, first, last, source.number() as u32, entries);
    EntriesPage {
        conversation: source.id(),
        head: source.number(),
        floor: source.number(),
        blocks: block.into_iter().collect(),
        positions: vec![position(source)],
        covers: source.yes().then(|| range(source)),
    }
}

fn heartbeat(source: &mut Source<'_>) -> Heartbeat {
    let point = |source: &mut Source<'_>| LogPoint {
        conversation: source.id(),
        head: source.number(),
        floor: source.number(),
    };
    Heartbeat {
        epoch: source.number(),
        time_ms: START_MS.saturating_add(source.number()),
        feeds: (0..source.of(3))
            .map(|_| FeedPoint {
                feed: Some(feed(source)),
                feed_epoch: source.number(),
                revision: source.number(),
            })
            .collect(),
        watched: (0..source.of(3)).map(|_| point(source)).collect(),
        own: source.yes().then(|| point(source)),
    }
}

fn customer_state(source: &mut Source<'_>) -> CustomerState {
    CustomerState {
        conversation: source.id(),
        stage: source.of(8) as i32,
        head: source.number(),
        floor: source.number(),
        ..CustomerState::default()
    }
}
