//! A shop with named people over a gateway in memory: what happens is told in their words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    unreachable_pub
)]

mod reading;

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use zuoxi_rules::bus::Hub;
use zuoxi_rules::conformance::{sample_agent, sample_brand, sample_team};
use zuoxi_rules::record::{Agent, Entry, Membership, Team};
use zuoxi_rules::{Claims, Config, ConnectionId, Door, Event, Gateway, MemoryStore, Output, Store as _};
use zuoxi_wire::Id;
use zuoxi_wire::v1::read_entries::What;
use zuoxi_wire::v1::{
    self, Accepted, Ack, Act, ActKind, Acts, Answer, ClientFrame, EntriesPage, GatewayFrame, Heartbeat, LogIn,
    LoggedIn, NoteContent, Problem, Push, RecallContent, Refused, TransferContent, answer, client_frame, gateway_frame,
    log_in, transfer_content,
};

pub use reading::*;

pub const SHOP: Id = Id([20; 16]);
pub const CELLAR: Id = Id([21; 16]);
pub const BRAND: Id = Id([1; 16]);
pub const AMY: Id = Id([101; 16]);
pub const BEN: Id = Id([102; 16]);
pub const LEA: Id = Id([103; 16]);
pub const ZOE: Id = Id([104; 16]);
pub const START: u64 = 1_700_000_000_000;

/// A device with a connection, of somebody with a name.
pub type Device = ConnectionId;

pub struct Story {
    pub gateway: Gateway,
    pub store: MemoryStore,
    pub now: u64,
    pub config: Config,
    inbox: BTreeMap<Device, Vec<GatewayFrame>>,
    pub closed: Vec<Device>,
    lanes: BTreeMap<(Device, Id), (u32, u32)>,
    connections: u64,
    ids: u64,
    requests: u32,
    pub claims: Option<Claims>,
    /// Checks of passwords end when the test says so.
    pub checks_slowly: bool,
    pub checked: Vec<Event>,
    pub nonces: BTreeMap<Device, [u8; 16]>,
    pub wake: u64,
}

fn agent(id: Id, login: &str, name: &str, team: Id, lead: bool) -> Agent {
    Agent {
        id,
        login: login.into(),
        name: name.into(),
        capacity: 3,
        password_hash: format!("hash of {login}"),
        ..sample_agent(9, vec![Membership { team, lead }])
    }
}

impl Story {
    pub fn new() -> Self {
        Self::with(Config {
            customer_acts_burst: 10_000,
            agent_acts_burst: 10_000,
            connects_burst: 20_000,
            ..Config::default()
        })
    }

    pub fn with(config: Config) -> Self {
        let mut store = MemoryStore::new(7);
        store.begin().unwrap();
        store
            .put_team(&Team {
                id: SHOP,
                name: "shop".into(),
                ..sample_team(9)
            })
            .unwrap();
        store
            .put_team(&Team {
                id: CELLAR,
                name: "cellar".into(),
                ..sample_team(9)
            })
            .unwrap();
        store.put_brand(&sample_brand(1, SHOP)).unwrap();
        store.put_agent(&agent(AMY, "amy", "Amy", SHOP, false)).unwrap();
        store.put_agent(&agent(BEN, "ben", "Ben", SHOP, false)).unwrap();
        store.put_agent(&agent(LEA, "lea", "Lea", SHOP, true)).unwrap();
        store.put_agent(&agent(ZOE, "zoe", "Zoe", CELLAR, false)).unwrap();
        store.commit().unwrap();
        Self::over(store, config, &Hub::default(), 0)
    }

    /// One of several gateways ("nodes") over one store; `node` tells them apart.
    pub fn over(mut store: MemoryStore, config: Config, hub: &Hub, node: u8) -> Self {
        let bus = Box::new(hub.node(|| {}));
        let gateway = Gateway::on(bus, config.clone(), &mut store, [3 + node; 32], START).unwrap();
        Self {
            gateway,
            store,
            now: START,
            config,
            inbox: BTreeMap::new(),
            closed: Vec::new(),
            lanes: BTreeMap::new(),
            connections: 0,
            ids: u64::from(node) << 32,
            requests: 0,
            claims: None,
            checks_slowly: false,
            checked: Vec::new(),
            nonces: BTreeMap::new(),
            wake: 0,
        }
    }

    /// The gateway is killed and started again over the same store.
    pub fn restart(&mut self) {
        // Each start has randomness of its own.
        self.connections += 1;
        let seed = [100 + self.connections as u8; 32];
        self.gateway = Gateway::new(self.config.clone(), &mut self.store, seed, self.now).unwrap();
        self.lanes.clear();
    }

    pub fn run(&mut self, batch: Vec<Event>) {
        let mut batch = batch;
        while !batch.is_empty() {
            let mut out = Vec::new();
            self.gateway
                .handle(&mut self.store, self.now, std::mem::take(&mut batch), &mut out);
            for output in out {
                match output {
                    Output::Send { connection, frame } => self.inbox.entry(connection).or_default().push(frame),
                    Output::Close { connection } => {
                        self.closed.push(connection);
                        batch.push(Event::Closed { connection });
                    }
                    Output::CheckPassword {
                        connection,
                        hash,
                        password,
                    } => {
                        let ok = hash == Some(format!("hash of {password}"));
                        let checked = Event::PasswordChecked { connection, ok };
                        if self.checks_slowly {
                            self.checked.push(checked);
                        } else {
                            batch.push(checked);
                        }
                    }
                    Output::HashPassword { connection, password } => {
                        batch.push(Event::PasswordHashed {
                            connection,
                            hash: Some(format!("hash of {password}")),
                        });
                    }
                    Output::VerifyIdentity { connection, .. } => {
                        batch.push(Event::IdentityVerified {
                            connection,
                            claims: self.claims.take(),
                        });
                    }
                    Output::WakeAt { ms } => self.wake = ms,
                }
            }
        }
    }

    /// Time goes by, and the gateway is woken whenever it asked to be.
    pub fn wait(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.wake <= end {
            self.now = self.now.max(self.wake);
            self.run(vec![Event::Tick]);
        }
        self.now = end;
        self.run(vec![Event::Tick]);
    }

    pub fn connect_by(&mut self, door: Door, address: &str) -> Device {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        let nonce = [self.connections as u8; 16];
        self.nonces.insert(connection, nonce);
        self.run(vec![Event::Connected {
            connection,
            nonce,
            address: address.into(),
            door,
        }]);
        connection
    }

    pub fn connect(&mut self) -> Device {
        self.connect_by(Door::Native, "10.0.0.1")
    }

    pub fn hang_up(&mut self, device: Device) {
        self.run(vec![Event::Closed { connection: device }]);
    }

    pub fn frame(&mut self, device: Device, kind: client_frame::Kind) -> u32 {
        self.requests += 1;
        let frame = ClientFrame {
            request: self.requests,
            ack: None,
            kind: Some(kind),
        };
        self.run(vec![Event::Frame {
            connection: device,
            frame,
        }]);
        self.requests
    }

    /// Asks and gives the one answer; what else came stays in the inbox.
    pub fn ask(&mut self, device: Device, kind: client_frame::Kind) -> gateway_frame::Kind {
        let request = self.frame(device, kind);
        let inbox = self.inbox.entry(device).or_default();
        let at = inbox
            .iter()
            .position(|frame| frame.request == request)
            .expect("an answer");
        inbox.remove(at).kind.unwrap()
    }

    pub fn log_in_frame(credential: log_in::Credential) -> LogIn {
        LogIn {
            version: 1,
            device: Bytes::from_static(&[9; 16]),
            credential: Some(credential),
            ..LogIn::default()
        }
    }

    pub fn try_log_in(&mut self, device: Device, log_in: LogIn) -> Result<LoggedIn, Problem> {
        match self.ask(device, client_frame::Kind::LogIn(log_in)) {
            gateway_frame::Kind::LoggedIn(welcome) => Ok(welcome),
            gateway_frame::Kind::Problem(problem) => Err(problem),
            other => panic!("{other:?}"),
        }
    }

    pub fn password(name: &str, password: &str) -> LogIn {
        let typed = v1::AgentPassword {
            name: name.into(),
            password: password.into(),
        };
        Self::log_in_frame(log_in::Credential::Agent(typed))
    }

    pub fn resume(&mut self, session: &Bytes) -> (Device, Result<LoggedIn, Problem>) {
        let device = self.connect();
        let log_in = Self::log_in_frame(log_in::Credential::Session(session.clone()));
        let welcome = self.try_log_in(device, log_in);
        (device, welcome)
    }

    /// An agent logs in; their password is their name.
    pub fn agent(&mut self, name: &str) -> Device {
        let device = self.connect();
        self.try_log_in(device, Self::password(name, name)).unwrap();
        self.drain(device);
        device
    }

    pub fn customer_welcome(&mut self) -> (Device, LoggedIn) {
        let device = self.connect_by(Door::Chat, "10.0.0.2");
        let visitor = v1::Visitor {
            brand: "brand-1".into(),
        };
        let welcome = self
            .try_log_in(device, Self::log_in_frame(log_in::Credential::Visitor(visitor)))
            .unwrap();
        self.drain(device);
        (device, welcome)
    }

    pub fn customer(&mut self) -> Device {
        self.customer_welcome().0
    }

    pub fn fresh_id(&mut self) -> Id {
        self.ids += 1;
        let mut random = [7; 10];
        random[..8].copy_from_slice(&self.ids.to_be_bytes());
        Id::v7(self.now, random)
    }

    /// An act in the device's lane, in its turn.
    pub fn act(&mut self, device: Device, conversation: Option<Id>, kind: ActKind, content: Bytes) -> Act {
        let (lane, number) = self
            .lanes
            .get(&(device, conversation.unwrap_or_default()))
            .copied()
            .unwrap_or((1, 1));
        Act {
            id: self.fresh_id().to_bytes(),
            conversation: conversation.map(Id::to_bytes).unwrap_or_default(),
            lane,
            number,
            base: 0,
            age_ms: 0,
            kind: kind.into(),
            content,
        }
    }

    /// Sends acts as they are, in one frame, and gives their answers.
    pub fn send_all(&mut self, device: Device, acts: Vec<Act>) -> Vec<Answer> {
        let count = acts.len();
        let kept: Vec<(Option<Id>, u32, u32)> = acts
            .iter()
            .map(|act| (Id::optional(&act.conversation).unwrap(), act.lane, act.number))
            .collect();
        let before = self.inbox.entry(device).or_default().len();
        self.frame(device, client_frame::Kind::Acts(Acts { acts }));
        let answers: Vec<Answer> = self.inbox[&device][before..]
            .iter()
            .filter_map(|frame| match &frame.kind {
                Some(gateway_frame::Kind::Answers(answers)) => Some(answers.answers.clone()),
                _ => None,
            })
            .flatten()
            .collect();
        assert_eq!(answers.len(), count, "each act is answered");
        for (answer, (conversation, lane, number)) in answers.iter().zip(kept) {
            let key = (device, conversation.unwrap_or_default());
            match answer.result.as_ref().unwrap() {
                answer::Result::Refused(refused) if refused.for_now => {}
                answer::Result::Refused(refused) if refused.ends_lane => {
                    let opened = self.lanes.get(&key).map_or(0, |(lane, _)| *lane);
                    self.lanes.insert(key, (opened.max(lane + 1), 1));
                }
                _ => {
                    self.lanes.insert(key, (lane, number + 1));
                }
            }
        }
        answers
    }

    pub fn send(&mut self, device: Device, act: Act) -> Result<Accepted, Refused> {
        result(&self.send_all(device, vec![act])[0])
    }

    pub fn does(
        &mut self,
        device: Device,
        conversation: Option<Id>,
        kind: ActKind,
        content: Bytes,
    ) -> Result<Accepted, Refused> {
        let act = self.act(device, conversation, kind, content);
        self.send(device, act)
    }

    /// A customer writes in their own conversation.
    pub fn writes(&mut self, customer: Device, text: &str) -> Accepted {
        self.does(customer, None, ActKind::Message, words(text)).unwrap()
    }

    /// An agent writes.
    pub fn answers(&mut self, agent: Device, conversation: Id, text: &str) -> Result<Accepted, Refused> {
        self.does(agent, Some(conversation), ActKind::Message, words(text))
    }

    pub fn notes(&mut self, agent: Device, conversation: Id, text: &str) -> Result<Accepted, Refused> {
        let content = NoteContent { text: text.into() }.encode_to_vec().into();
        self.does(agent, Some(conversation), ActKind::Note, content)
    }

    pub fn recalls(
        &mut self,
        device: Device,
        conversation: Option<Id>,
        author: Id,
        id: Id,
    ) -> Result<Accepted, Refused> {
        let content = RecallContent {
            author: author.to_bytes(),
            id: id.to_bytes(),
        }
        .encode_to_vec()
        .into();
        self.does(device, conversation, ActKind::Recall, content)
    }

    pub fn hands_to(&mut self, agent: Device, conversation: Id, to: transfer_content::To) -> Result<Accepted, Refused> {
        let content = TransferContent {
            to: Some(to),
            reason: "please".into(),
        }
        .encode_to_vec()
        .into();
        self.does(agent, Some(conversation), ActKind::Transfer, content)
    }

    pub fn closes(&mut self, device: Device, conversation: Option<Id>) -> Result<Accepted, Refused> {
        self.does(device, conversation, ActKind::Close, Bytes::new())
    }

    /// A customer with a first message; gives their device and conversation.
    pub fn customer_who_writes(&mut self, text: &str) -> (Device, Id) {
        let (device, _) = self.customer_welcome();
        let answer = self.send_first(device, text);
        (device, Id::try_from(&answer.conversation).unwrap())
    }

    fn send_first(&mut self, device: Device, text: &str) -> Answer {
        let act = self.act(device, None, ActKind::Message, words(text));
        let answer = self.send_all(device, vec![act]).remove(0);
        result(&answer).unwrap();
        answer
    }

    pub fn drain(&mut self, device: Device) -> Vec<gateway_frame::Kind> {
        let frames = self.inbox.remove(&device).unwrap_or_default();
        frames.into_iter().filter_map(|frame| frame.kind).collect()
    }

    pub fn pushes(&mut self, device: Device) -> Vec<Push> {
        let kinds = self.drain(device).into_iter();
        kinds
            .filter_map(|kind| match kind {
                gateway_frame::Kind::Pushes(pushes) => Some(pushes.pushes),
                _ => None,
            })
            .flatten()
            .collect()
    }

    pub fn acknowledge(&mut self, device: Device, push: u64, marks: &[(Id, u64)]) {
        let watermarks = marks
            .iter()
            .map(|(id, seq)| v1::Watermark {
                conversation: id.to_bytes(),
                seq: *seq,
            })
            .collect();
        self.acks(device, push, watermarks);
    }

    /// The same of the push's own conversation, which isn't named.
    pub fn acknowledge_in_short(&mut self, device: Device, push: u64, seq: u64) {
        let conversation = Bytes::new();
        self.acks(device, push, vec![v1::Watermark { conversation, seq }]);
    }

    fn acks(&mut self, device: Device, push: u64, watermarks: Vec<v1::Watermark>) {
        let frame = ClientFrame {
            request: 0,
            ack: Some(Ack { push, watermarks }),
            kind: None,
        };
        self.run(vec![Event::Frame {
            connection: device,
            frame,
        }]);
    }

    pub fn log(&self, conversation: Id) -> Vec<Entry> {
        self.store.log(conversation)
    }

    pub fn row(&mut self, conversation: Id) -> zuoxi_rules::record::Conversation {
        self.store.conversation(conversation).unwrap().unwrap()
    }

    pub fn admin(&mut self, change: impl FnOnce(&mut MemoryStore)) {
        self.store.begin().unwrap();
        change(&mut self.store);
        self.store.commit().unwrap();
        self.run(vec![Event::FactsChanged]);
    }
}

impl Story {
    pub fn heartbeat(&mut self, device: Device) -> Heartbeat {
        self.now += 1_001;
        match self.ask(device, client_frame::Kind::AskHeartbeat(v1::AskHeartbeat {})) {
            gateway_frame::Kind::Heartbeat(beat) => beat,
            other => panic!("{other:?}"),
        }
    }

    pub fn page(&mut self, device: Device, conversation: Option<Id>, what: What) -> EntriesPage {
        let ask = v1::ReadEntries {
            conversation: conversation.map(Id::to_bytes).unwrap_or_default(),
            what: Some(what),
        };
        match self.ask(device, client_frame::Kind::ReadEntries(ask)) {
            gateway_frame::Kind::EntriesPage(page) => page,
            other => panic!("{other:?}"),
        }
    }

    /// The log gets another epoch under a running gateway.
    pub fn store_epoch(&mut self, epoch: u64) {
        self.store.begin().unwrap();
        self.store.renew_epoch(epoch).unwrap();
        self.store.commit().unwrap();
    }
}
