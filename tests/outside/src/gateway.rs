//! The gateway's rules, fed with whatever connections, workers and a store may do in whatever order.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use zuoxi_rules::conformance::{sample_agent, sample_brand, sample_team};
use zuoxi_rules::memory::CommitFault;
use zuoxi_rules::record::{Agent, Membership};
use zuoxi_rules::{Claims, Config, ConnectionId, Door, Event, Gateway, MemoryStore, Output, Store as _};
use zuoxi_wire::v1::client_frame::Kind;
use zuoxi_wire::v1::{
    self, Ack, Act, ActKind, Acts, AgentPassword, BlockCodec, ClientFrame, Compare, FeedId, FindTime, GatewayFrame,
    LogIn, MessageContent, MovePosition, NoteContent, ReadCustomer, ReadEntries, ReadFeed, RecallContent, SeqRange,
    SetPresence, Signal, TransferContent, Unwatch, Visitor, Watch, Watermark, answer, gateway_frame, log_in,
    message_content, read_entries, transfer_content,
};
use zuoxi_wire::{Id, frame, limits};

use crate::source::Source;

const START_MS: u64 = 1_700_000_000_000;
const SHOP: Id = Id([20; 16]);
/// Connections at once that are played with.
const CONNECTIONS: usize = 6;

/// Any events in any order: nothing panics, what leaves is within its limits, what was accepted stands where it was
/// said, and no log has a hole.
pub(crate) fn rules(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let Some(mut world) = World::new() else {
        panic!("an empty store in memory fails");
    };
    while let Some(step) = source.byte() {
        world.step(step, &mut source);
    }
    world.look();
}

struct World {
    gateway: Gateway,
    store: MemoryStore,
    now: u64,
    connections: Vec<ConnectionId>,
    opened: u64,
    /// Conversations that were told.
    talks: Vec<Id>,
    tokens: Vec<Bytes>,
    accepted: BTreeMap<(Id, u64), Bytes>,
    numbers: BTreeMap<(ConnectionId, Id), u32>,
    wake_ms: u64,
}

fn agent(n: u8, login: &str, lead: bool) -> Agent {
    Agent {
        id: Id([n; 16]),
        login: login.into(),
        ..sample_agent(n, vec![Membership { team: SHOP, lead }])
    }
}

impl World {
    fn new() -> Option<Self> {
        let mut store = MemoryStore::new(7);
        store.begin().ok()?;
        store.put_team(&sample_team(20)).ok()?;
        store.put_brand(&sample_brand(1, SHOP)).ok()?;
        store.put_agent(&agent(1, "amy", false)).ok()?;
        store.put_agent(&agent(2, "lea", true)).ok()?;
        store.commit().ok()?;
        let gateway = Gateway::new(Config::default(), &mut store, [3; 32], START_MS).ok()?;
        Some(Self {
            gateway,
            store,
            now: START_MS,
            connections: Vec::new(),
            opened: 0,
            talks: vec![Id([40; 16])],
            tokens: vec![Bytes::new()],
            accepted: BTreeMap::new(),
            numbers: BTreeMap::new(),
            wake_ms: START_MS,
        })
    }

    fn step(&mut self, step: u8, source: &mut Source<'_>) {
        match step % 20 {
            0 => {
                let event = self.opens(source);
                self.run(event);
            }
            1 | 2 => self.comes(source),
            3 => {
                let connection = self.connection(source);
                let bytes = source.many_bytes();
                let event = match frame::decode_client(bytes, self.gateway.is_logged_in(connection)) {
                    Ok(frame) => Event::Frame { connection, frame },
                    Err(_) => Event::BadFrame {
                        connection,
                        too_large: source.yes().then_some(limits::FRAME_BYTES),
                    },
                };
                self.run(event);
            }
            4 => {
                let connection = self.connection(source);
                self.connections.retain(|open| *open != connection);
                self.run(Event::Closed { connection });
            }
            5 => {
                let connection = self.connection(source);
                let ok = source.yes();
                self.run(Event::PasswordChecked { connection, ok });
            }
            6 => {
                let connection = self.connection(source);
                let hash = source.yes().then(|| "hash".to_owned());
                self.run(Event::PasswordHashed { connection, hash });
            }
            7 => {
                let connection = self.connection(source);
                let claims = source.yes().then(|| self.claims(source));
                self.run(Event::IdentityVerified { connection, claims });
            }
            8 => self.run(Event::FactsChanged),
            9 => {
                self.now += source.number().min(10_000_000) * 50;
                self.run(Event::Tick);
            }
            10 => {
                let fault = if source.yes() {
                    CommitFault::Lost
                } else {
                    CommitFault::Stored
                };
                self.store.fail_commit(fault);
            }
            11 => {
                let full = source.yes();
                self.store.set_full(full);
            }
            _ => {
                let connection = self.connection(source);
                let frame = self.frame(connection, source);
                self.run(Event::Frame { connection, frame });
            }
        }
    }

    fn run(&mut self, event: Event) {
        let mut batch = vec![event];
        while !batch.is_empty() {
            let mut out = Vec::new();
            self.gateway
                .handle(&mut self.store, self.now, std::mem::take(&mut batch), &mut out);
            for output in out {
                match output {
                    Output::Send { frame, .. } => self.sent(&frame),
                    Output::Close { connection } => {
                        self.connections.retain(|open| *open != connection);
                        batch.push(Event::Closed { connection });
                    }
                    Output::CheckPassword {
                        connection, password, ..
                    } => {
                        let ok = password == "right";
                        batch.push(Event::PasswordChecked { connection, ok });
                    }
                    Output::HashPassword { .. } | Output::VerifyIdentity { .. } => {}
                    Output::WakeAt { ms } => self.wake_ms = ms,
                }
            }
        }
        assert!(self.wake_ms > self.now, "it never asks to be woken at once, for ever");
    }

    fn sent(&mut self, sent: &GatewayFrame) {
        assert!(
            sent.encoded_len() as u64 <= limits::FRAME_BYTES,
            "a frame within its limit"
        );
        match &sent.kind {
            Some(gateway_frame::Kind::Answers(answers)) => {
                for said in &answers.answers {
                    let conversation = Id::try_from(&said.conversation).unwrap_or_default();
                    if let Some(answer::Result::Accepted(accepted)) = &said.result {
                        // A customer's Seqs are another log's: the agents' own push tells which it is.
                        if accepted.push.as_ref().is_some_and(|push| push.summary.is_some()) {
                            self.accepted.insert((conversation, accepted.seq), said.id.clone());
                        }
                    }
                    self.learn(conversation);
                }
            }
            Some(gateway_frame::Kind::LoggedIn(told)) if !told.session.is_empty() => {
                self.tokens.push(told.session.clone());
            }
            Some(gateway_frame::Kind::CustomerState(state)) => {
                self.learn(Id::try_from(&state.conversation).unwrap_or_default());
            }
            _ => {}
        }
    }

    fn learn(&mut self, conversation: Id) {
        if !self.talks.contains(&conversation) && self.talks.len() < 64 {
            self.talks.push(conversation);
        }
    }

    /// What was accepted is there, and every log is without holes.
    fn look(&mut self) {
        for id in self.talks.clone() {
            let log = self.store.log(id);
            assert!(
                log.iter().zip(1..).all(|(entry, seq)| entry.seq == seq),
                "Seqs without a hole"
            );
            for ((_, seq), act) in self.accepted.range((id, 0)..=(id, u64::MAX)) {
                let entry = log.get(*seq as usize - 1);
                assert!(
                    entry.is_some_and(|entry| entry.id.to_bytes() == act),
                    "accepted, and not there"
                );
            }
        }
    }

    fn opens(&mut self, source: &mut Source<'_>) -> Event {
        self.opened += 1;
        let connection = ConnectionId(self.opened);
        if self.connections.len() >= CONNECTIONS {
            self.connections.remove(0);
        }
        self.connections.push(connection);
        Event::Connected {
            connection,
            nonce: [7; 16],
            address: format!("10.0.0.{}", source.of(3)),
            door: [Door::Native, Door::Chat, Door::Foreign]
                .get(source.of(3))
                .copied()
                .unwrap_or(Door::Native),
        }
    }

    /// The way in, as it should be: what is interesting lies behind it.
    fn comes(&mut self, source: &mut Source<'_>) {
        self.opened += 1;
        let connection = ConnectionId(self.opened);
        self.run(Event::Connected {
            connection,
            nonce: [7; 16],
            address: "10.0.0.1".into(),
            door: Door::Native,
        });
        if self.connections.len() >= CONNECTIONS {
            let gone = self.connections.remove(0);
            self.run(Event::Closed { connection: gone });
        }
        self.connections.push(connection);
        let credential = match source.of(4) {
            0 => log_in::Credential::Session(self.token(source)),
            1 => log_in::Credential::Visitor(Visitor {
                brand: "brand-1".into(),
            }),
            n => log_in::Credential::Agent(AgentPassword {
                name: if n == 2 { "amy" } else { "lea" }.into(),
                password: "right".into(),
            }),
        };
        let log_in = LogIn {
            version: zuoxi_wire::VERSION,
            device: Bytes::copy_from_slice(&[source.of(4) as u8; 16]),
            codecs: vec![BlockCodec::Zstd as u32],
            credential: Some(credential),
            ..LogIn::default()
        };
        let frame = ClientFrame {
            request: 1,
            ack: None,
            kind: Some(Kind::LogIn(log_in)),
        };
        self.run(Event::Frame { connection, frame });
    }

    fn connection(&self, source: &mut Source<'_>) -> ConnectionId {
        let nth = source.of(self.connections.len() + 1);
        self.connections
            .get(nth)
            .copied()
            .unwrap_or(ConnectionId(source.number()))
    }

    fn token(&self, source: &mut Source<'_>) -> Bytes {
        self.tokens
            .get(source.of(self.tokens.len()))
            .cloned()
            .unwrap_or_default()
    }

    fn talk(&self, source: &mut Source<'_>) -> Bytes {
        match source.of(8) {
            0 => source.id(),
            1 => Bytes::new(),
            _ => self
                .talks
                .get(source.of(self.talks.len()))
                .copied()
                .unwrap_or_default()
                .to_bytes(),
        }
    }

    fn claims(&self, source: &mut Source<'_>) -> Claims {
        Claims {
            subject: source.text(),
            name: source.text(),
            audience: vec![if source.yes() { "brand-1".into() } else { source.text() }],
            expires_ms: self.now.saturating_add(source.number().saturating_mul(1_000)),
            nonce: if source.yes() { "07".repeat(16) } else { source.text() },
            token_id: source.text(),
        }
    }

    fn frame(&mut self, connection: ConnectionId, source: &mut Source<'_>) -> ClientFrame {
        let ack = (source.of(4) == 0).then(|| Ack {
            push: source.number(),
            watermarks: vec![Watermark {
                conversation: self.talk(source),
                seq: source.number(),
            }],
        });
        let conversation = self.talk(source);
        let range = |source: &mut Source<'_>| SeqRange {
            first: source.number(),
            last: source.number(),
        };
        let kind = match source.of(20) {
            0..=8 => {
                let acts = (0..=source.of(3)).map(|_| self.act(connection, source)).collect();
                Kind::Acts(Acts { acts })
            }
            9 => Kind::ReadFeed(ReadFeed {
                feed: Some(FeedId {
                    kind: source.of(4) as i32,
                    id: if source.yes() { SHOP.to_bytes() } else { source.id() },
                }),
                feed_epoch: source.number(),
                above: source.number(),
                limit: source.number() as u32,
            }),
            10 => Kind::ReadEntries(ReadEntries {
                conversation,
                what: Some(if source.yes() {
                    read_entries::What::Newest(source.number() as u32)
                } else {
                    read_entries::What::Range(range(source))
                }),
            }),
            11 => Kind::FindTime(FindTime {
                conversation,
                time_ms: START_MS.saturating_add(source.number()),
            }),
            12 => Kind::Compare(Compare {
                conversation,
                ranges: (0..source.of(3)).map(|_| range(source)).collect(),
            }),
            13 => Kind::Watch(Watch { conversation }),
            14 => Kind::Unwatch(Unwatch { conversation }),
            15 => Kind::MovePosition(MovePosition {
                conversation,
                read: source.number(),
            }),
            16 => Kind::Signal(Signal {
                conversation,
                kind: Some(if source.yes() {
                    v1::signal::Kind::Typing(source.yes())
                } else {
                    v1::signal::Kind::PageUrl(source.text())
                }),
                ..Signal::default()
            }),
            17 => Kind::SetPresence(SetPresence {
                presence: source.of(6) as i32,
            }),
            18 => Kind::ReadCustomer(ReadCustomer { conversation }),
            _ => match source.of(6) {
                0 => Kind::LogOut(v1::LogOut {}),
                1 => Kind::ChangePassword(v1::ChangePassword {
                    old: "right".into(),
                    new: source.text(),
                }),
                2 => Kind::Identify(v1::Identify { jwt: source.text() }),
                3 => Kind::ReadColleagues(v1::ReadColleagues {}),
                4 => Kind::AskHeartbeat(v1::AskHeartbeat {}),
                _ => Kind::Ping(v1::Ping { token: source.number() }),
            },
        };
        ClientFrame {
            request: source.number() as u32,
            ack,
            kind: Some(kind),
        }
    }

    fn act(&mut self, connection: ConnectionId, source: &mut Source<'_>) -> Act {
        let conversation = self.talk(source);
        let key = (connection, Id::try_from(&conversation).unwrap_or_default());
        let next = self.numbers.entry(key).or_default();
        let number = if source.of(8) == 0 {
            source.number() as u32
        } else {
            *next += 1;
            *next
        };
        let kind = source.of(11) as i32;
        let content = match ActKind::try_from(kind).unwrap_or_default() {
            _ if source.of(8) == 0 => source.bytes(),
            ActKind::Note => NoteContent { text: source.text() }.encode_to_vec().into(),
            ActKind::Recall => RecallContent {
                author: source.id(),
                id: source.id(),
            }
            .encode_to_vec()
            .into(),
            ActKind::Transfer => TransferContent {
                to: Some(if source.yes() {
                    transfer_content::To::Team(SHOP.to_bytes())
                } else {
                    transfer_content::To::Agent(source.id())
                }),
                reason: source.text(),
            }
            .encode_to_vec()
            .into(),
            _ => MessageContent {
                body: Some(message_content::Body::Text(source.text())),
                ..MessageContent::default()
            }
            .encode_to_vec()
            .into(),
        };
        let mut id = [source.of(64) as u8; 16];
        id.iter_mut()
            .skip(8)
            .zip(number.to_be_bytes())
            .for_each(|(to, from)| *to = from);
        Act {
            id: Bytes::copy_from_slice(&id),
            conversation,
            lane: if source.of(8) == 0 { source.number() as u32 } else { 1 },
            number,
            base: if source.of(4) == 0 { source.number() } else { 0 },
            age_ms: if source.of(4) == 0 { source.number() } else { 0 },
            kind,
            content,
        }
    }
}
