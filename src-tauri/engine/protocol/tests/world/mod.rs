//! A small world: the gateway's real rules over a store in memory, and devices whose sessions, disks and networks are
//! slow, and break. One thread, one clock, one seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    dead_code,
    unreachable_pub
)]

mod check;
mod device;

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use zuoxi_protocol::{Command, Config, Credential, Input, NewAct, Role, Session};
use zuoxi_rules::conformance::{sample_agent, sample_brand, sample_team};
use zuoxi_rules::memory::CommitFault;
use zuoxi_rules::record::{Agent, Membership, Team};
use zuoxi_rules::{ConnectionId, Door, Event, Gateway, MemoryStore, Output, Store as _};
use zuoxi_wire::v1::{
    ActKind, AgentPassword, BlockCodec, MessageContent, NoteContent, Presence, RecallContent, TransferContent,
    message_content, transfer_content,
};
use zuoxi_wire::{Id, frame};

pub use device::Device;

pub const SHOP: Id = Id([20; 16]);
pub const START: u64 = 1_700_000_000_000;

/// Randomness of a story.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)
    }
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
    pub fn of<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() {
            None
        } else {
            Some(from[self.roll(from.len() as u64) as usize])
        }
    }
}

pub struct World {
    pub now: u64,
    pub dice: Dice,
    pub store: MemoryStore,
    pub rules: zuoxi_rules::Config,
    pub gateway: Gateway,
    pub devices: Vec<Device>,
    /// Slowest frame and slowest commit, milliseconds.
    pub latency: u64,
    pub disk: u64,
    connections: u64,
    gateway_wake: u64,
    ids: u64,
    batch: Vec<Event>,
    /// Commits of the gateway fail, one in so many; 0: never.
    pub failing: u64,
    pub trace: bool,
}

fn agent(n: u8, login: &str, lead: bool) -> Agent {
    Agent {
        id: Id([n; 16]),
        login: login.into(),
        name: login.to_uppercase(),
        capacity: 3,
        password_hash: format!("hash of {login}"),
        ..sample_agent(n, vec![Membership { team: SHOP, lead }])
    }
}

pub fn rules() -> zuoxi_rules::Config {
    zuoxi_rules::Config {
        customer_acts_burst: 40,
        agent_acts_burst: 60,
        ..zuoxi_rules::Config::default()
    }
}

impl World {
    /// An agent, a customer and their conversation, everything else being quiet.
    pub fn served(seed: u64) -> (Self, usize, usize, Id) {
        let mut world = Self::new(seed);
        let amy = world.add_agent("amy");
        let customer = world.add_customer();
        world.run(2_000);
        world.say(customer, None, "在吗");
        world.run(5_000);
        let talk = world.conversation(customer).expect("a conversation");
        (world, amy, customer, talk)
    }

    /// A session alone, without network and disk: what comes out of one input.
    pub fn handle(&mut self, device: usize, input: Input) -> Vec<zuoxi_protocol::Output> {
        let mut out = Vec::new();
        self.devices[device].session.handle(self.now, input, &mut out);
        out
    }

    pub fn new(seed: u64) -> Self {
        Self::with(seed, rules())
    }

    pub fn with(seed: u64, rules: zuoxi_rules::Config) -> Self {
        let mut store = MemoryStore::new(7);
        store.begin().unwrap();
        let team = Team {
            id: SHOP,
            name: "shop".into(),
            idle_ms: 0,
            ..sample_team(20)
        };
        store.put_team(&team).unwrap();
        store.put_brand(&sample_brand(1, SHOP)).unwrap();
        for (n, login, lead) in [(101, "amy", false), (102, "ben", false), (103, "lea", true)] {
            store.put_agent(&agent(n, login, lead)).unwrap();
        }
        store.commit().unwrap();
        let gateway = Gateway::new(rules.clone(), &mut store, [seed as u8; 32], START).unwrap();
        Self {
            rules,
            now: START,
            dice: Dice::new(seed),
            store,
            gateway,
            devices: Vec::new(),
            latency: 30,
            disk: 10,
            connections: 0,
            gateway_wake: START,
            ids: 0,
            batch: Vec::new(),
            failing: 0,
            trace: std::env::var("ZUOXI_TRACE").is_ok(),
        }
    }

    pub fn add(&mut self, role: Role, credential: Credential) -> usize {
        let n = self.devices.len();
        let config = Config {
            role,
            device: Id([n as u8 + 1; 16]),
            software: "test".into(),
            language: "zh-CN".into(),
            codecs: vec![BlockCodec::Zstd],
            visit: None,
            presence: Presence::Unspecified,
            seed: self.dice.roll(u64::MAX),
        };
        self.devices.push(Device::new(config, credential, self.now));
        self.log_in(n);
        n
    }

    fn log_in(&mut self, device: usize) {
        let credential = self.devices[device].credential.clone();
        self.tell(
            device,
            Input::User(Command::LogIn {
                credential,
                remember: true,
            }),
        );
    }

    pub fn add_agent(&mut self, login: &str) -> usize {
        let password = AgentPassword {
            name: login.into(),
            password: login.into(),
        };
        self.add(Role::Agent, Credential::Password(password))
    }

    pub fn add_customer(&mut self) -> usize {
        self.add(
            Role::Customer,
            Credential::Visitor {
                brand: "brand-1".into(),
            },
        )
    }

    pub fn new_id(&mut self) -> Id {
        self.ids += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.ids.to_be_bytes());
        Id::v7(self.now, random)
    }

    pub fn tell(&mut self, device: usize, input: Input) {
        let (latency, disk) = (self.latency, self.disk);
        self.devices[device].tell(
            self.now,
            input,
            &mut self.dice,
            latency,
            disk,
            self.trace.then_some(device),
        );
        self.check_proofs(device);
    }

    pub fn user(&mut self, device: usize, command: Command) {
        self.tell(device, Input::User(command));
    }

    pub fn act(&mut self, device: usize, conversation: Option<Id>, kind: ActKind, content: Bytes) -> Id {
        let id = self.new_id();
        self.user(
            device,
            Command::Act(NewAct {
                id,
                conversation,
                kind,
                content,
                draft: None,
            }),
        );
        id
    }

    pub fn say(&mut self, device: usize, conversation: Option<Id>, text: &str) -> Id {
        self.act(device, conversation, ActKind::Message, words(text))
    }

    /// Time goes on, a few milliseconds at a time.
    pub fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.now < end {
            self.now += 1 + self.dice.roll(4);
            self.step();
        }
    }

    /// Nothing happens for long: nobody is awake, and what was due is late.
    pub fn leap(&mut self, ms: u64) {
        self.now += ms;
        self.step();
        self.run(60_000);
    }

    /// A conversation as the gateway has it.
    pub fn row(&mut self, conversation: Id) -> zuoxi_rules::record::Conversation {
        self.store.conversation(conversation).unwrap().unwrap()
    }

    fn step(&mut self) {
        for n in 0..self.devices.len() {
            for connection in self.devices[n].take_opened(self.now) {
                self.connections += 1;
                let id = ConnectionId(self.connections);
                self.devices[n].opened(connection, id);
                let nonce = [7; 16];
                self.batch.push(Event::Connected {
                    connection: id,
                    nonce,
                    address: "10.0.0.1".into(),
                    door: Door::Native,
                });
                self.tell(n, Input::Connected);
            }
            let (frames, closed) = self.devices[n].arriving(self.now);
            for (connection, bytes) in frames {
                let frame = frame::decode_client(bytes, true).unwrap();
                self.batch.push(Event::Frame { connection, frame });
            }
            self.batch
                .extend(closed.into_iter().map(|connection| Event::Closed { connection }));
        }
        if !self.batch.is_empty() || self.gateway_wake <= self.now {
            self.gateway_runs();
        }
        for n in 0..self.devices.len() {
            for input in self.devices[n].due(self.now) {
                self.tell(n, input);
            }
            if std::mem::take(&mut self.devices[n].logged_out) {
                self.log_in(n);
            }
        }
    }

    fn gateway_runs(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        self.gateway_wake = u64::MAX;
        if batch.is_empty() {
            batch.push(Event::Tick);
        }
        while !batch.is_empty() {
            if self.failing > 0 && self.dice.roll(self.failing) == 0 {
                let fault = if self.dice.roll(2) == 0 {
                    CommitFault::Lost
                } else {
                    CommitFault::Stored
                };
                self.store.fail_commit(fault);
            }
            let mut out = Vec::new();
            self.gateway
                .handle(&mut self.store, self.now, std::mem::take(&mut batch), &mut out);
            for output in out {
                match output {
                    Output::Send { connection, frame } => {
                        let bytes = frame::encode_gateway(&frame);
                        let delay = 1 + self.dice.roll(self.latency);
                        for device in &mut self.devices {
                            device.receive(connection, bytes.clone(), self.now + delay);
                        }
                    }
                    Output::Close { connection } => {
                        batch.push(Event::Closed { connection });
                        for device in &mut self.devices {
                            device.hung_up(connection, self.now + self.latency);
                        }
                    }
                    Output::CheckPassword {
                        connection,
                        hash,
                        password,
                    } => {
                        let ok = hash == Some(format!("hash of {password}"));
                        batch.push(Event::PasswordChecked { connection, ok });
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
                            claims: None,
                        });
                    }
                    Output::WakeAt { ms } => self.gateway_wake = ms,
                }
            }
        }
    }

    /// The connection breaks: what is on its way is lost, and each end notices in its own time.
    pub fn break_connection(&mut self, device: usize) {
        let (ours, theirs) = (1 + self.dice.roll(200), 1 + self.dice.roll(200));
        self.devices[device].break_link(self.now + ours, self.now + theirs);
    }

    /// kill -9 of a device: what its disk hasn't committed is gone.
    pub fn kill(&mut self, device: usize) {
        self.devices[device].kill(self.now);
        let seed = self.dice.roll(u64::MAX);
        self.devices[device].start(self.now, seed);
        self.tell(device, Input::Tick);
    }

    /// kill -9 of the gateway, started again over the same store.
    pub fn restart_gateway(&mut self) {
        self.batch.clear();
        for device in 0..self.devices.len() {
            let ours = 1 + self.dice.roll(200);
            self.devices[device].cut(self.now + ours);
        }
        let seed = [self.dice.roll(250) as u8; 32];
        self.gateway = Gateway::new(self.rules.clone(), &mut self.store, seed, self.now).unwrap();
        self.gateway_wake = self.now;
    }

    /// The gateway's data as they are, to go back to.
    pub fn backup(&self) -> MemoryStore {
        self.store.backup()
    }

    /// The gateway starts again over an older backup: its log has another epoch.
    pub fn restore(&mut self, backup: &MemoryStore) {
        self.store = backup.backup();
        let epoch = 1 + self.dice.roll(u64::MAX / 2);
        self.store.begin().unwrap();
        self.store.renew_epoch(epoch).unwrap();
        self.store.commit().unwrap();
        for device in &mut self.devices {
            device.restored();
        }
        self.restart_gateway();
    }

    pub fn session(&self, device: usize) -> &Session {
        &self.devices[device].session
    }

    /// The one conversation of a customer.
    pub fn conversation(&self, customer: usize) -> Option<Id> {
        self.devices[customer].session.own_conversation()
    }

    /// Conversations by holder, from outside.
    pub fn holders(&mut self) -> BTreeMap<Id, Option<Id>> {
        let own: Vec<Id> = (0..self.devices.len()).filter_map(|n| self.conversation(n)).collect();
        own.into_iter()
            .filter_map(|id| Some((id, self.store.conversation(id).ok()??.holder)))
            .collect()
    }
}

pub fn words(text: &str) -> Bytes {
    MessageContent {
        language: String::new(),
        body: Some(message_content::Body::Text(text.into())),
    }
    .encode_to_vec()
    .into()
}

pub fn note(text: &str) -> Bytes {
    NoteContent { text: text.into() }.encode_to_vec().into()
}

pub fn recall(author: Id, id: Id) -> Bytes {
    RecallContent {
        author: author.to_bytes(),
        id: id.to_bytes(),
    }
    .encode_to_vec()
    .into()
}

pub fn hand_to(agent: Id) -> Bytes {
    let to = Some(transfer_content::To::Agent(agent.to_bytes()));
    TransferContent {
        to,
        reason: String::new(),
    }
    .encode_to_vec()
    .into()
}
