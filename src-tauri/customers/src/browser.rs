//! One customer at work: a session of the protocol, its connection, and the shopper in front of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use tokio::time::Instant;
use zuoxi_engine::net::{Connecting, Connection, GatewayAddress, NetError, Transport};
use zuoxi_protocol::change::StoredEntry;
use zuoxi_protocol::{Broken, Command, Config, Credential, Input, NewAct, Notice, Output, Role, Session};
use zuoxi_wire::v1::customer_state::Stage;
use zuoxi_wire::v1::{
    ActKind, AuthorRole, BlockCodec, Entry, EntryKind, MessageContent, Presence, RatingContent, Visit, message_content,
};
use zuoxi_wire::{Id, frame};

use crate::memory::Memory;
use crate::report::{Report, Told};
use crate::shopper::{Doing, Shopper};

/// Milliseconds after which a log-in that failed is tried again.
const LOG_IN_AGAIN_MS: u64 = 3_000;

/// The clock of all customers: the wall's at the start, moved on by a monotonic one.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
    wall_ms: u64,
}

impl Clock {
    /// From now on.
    pub fn start() -> Self {
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            began: Instant::now(),
            wall_ms: wall.as_millis() as u64,
        }
    }

    /// Milliseconds UTC.
    pub fn now_ms(&self) -> u64 {
        self.wall_ms + self.began.elapsed().as_millis() as u64
    }

    fn at(&self, ms: u64) -> Instant {
        self.began + Duration::from_millis(ms.saturating_sub(self.wall_ms))
    }
}

/// What all customers share.
#[derive(Clone)]
pub struct Surroundings {
    /// Where to.
    pub gateway: GatewayAddress,
    /// By what.
    pub transport: Arc<dyn Transport>,
    /// The brand's public key.
    pub brand: String,
    /// What was acknowledged.
    pub report: Arc<Report>,
    /// The clock.
    pub clock: Clock,
}

enum Link {
    Down,
    Connecting(Connecting),
    Open(Connection),
}

/// One customer's browser.
pub struct Browser {
    around: Surroundings,
    number: u32,
    rng: fastrand::Rng,
    shopper: Shopper,
    memory: Memory,
    session: Session,
    /// The page is open; a closed one has no session to speak of.
    open: bool,
    link: Link,
    wake_ms: Option<u64>,
    log_in_ms: Option<u64>,
    /// When each unsettled act was done.
    sent_ms: BTreeMap<Id, u64>,
    newest: Option<(Id, u64)>,
    inputs: VecDeque<Input>,
    outputs: Vec<Output>,
}

impl Browser {
    /// A new visitor's.
    pub fn new(around: Surroundings, number: u32, seed: u64, shopper: Shopper) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let memory = Memory::default();
        let session = Session::new(config(&around, &mut rng, &shopper), around.clock.now_ms());
        let mut browser = Self {
            around,
            number,
            rng,
            shopper,
            memory,
            session,
            open: true,
            link: Link::Down,
            wake_ms: None,
            log_in_ms: None,
            sent_ms: BTreeMap::new(),
            newest: None,
            inputs: VecDeque::new(),
            outputs: Vec::new(),
        };
        browser.log_in();
        browser
    }

    /// Lives until `end_ms` (by the clock), then waits at most `drain_ms` for what is unsettled.
    pub async fn live(mut self, end_ms: u64, drain_ms: u64) {
        loop {
            self.pump().await;
            let now = self.around.clock.now_ms();
            let ending = now >= end_ms;
            if ending && (self.memory.unsettled() == 0 || now >= end_ms + drain_ms) {
                break;
            }
            if ending && !self.open {
                self.come_back();
                continue;
            }
            let limit = if ending {
                end_ms + drain_ms
            } else {
                self.shopper.due_ms().min(end_ms)
            };
            let wakes = [self.wake_ms, self.log_in_ms]
                .into_iter()
                .flatten()
                .filter(|_| self.open);
            let wake = wakes.fold(limit, u64::min);
            tokio::select! {
                event = next(&mut self.link) => self.linked(event),
                () = tokio::time::sleep_until(self.around.clock.at(wake)) => {
                    let now = self.around.clock.now_ms();
                    if self.wake_ms.is_some_and(|wake| wake <= now) {
                        self.wake_ms = None;
                        self.inputs.push_back(Input::Tick);
                    }
                    if self.log_in_ms.is_some_and(|again| again <= now) {
                        self.log_in_ms = None;
                        self.log_in();
                    }
                    if now < end_ms && self.shopper.due_ms() <= now {
                        self.act(now);
                    }
                }
            }
        }
        self.around.report.leave(self.memory.unsettled());
    }

    fn log_in(&mut self) {
        let credential = Credential::Visitor {
            brand: self.around.brand.clone(),
        };
        self.inputs.push_back(Input::User(Command::LogIn {
            credential,
            remember: true,
        }));
    }

    /// The page is opened again: what was kept goes on.
    fn come_back(&mut self) {
        let config = config(&self.around, &mut self.rng, &self.shopper);
        let loaded = self.memory.loaded();
        let known = loaded.values.contains_key("session");
        self.session = Session::load(config, loaded, self.around.clock.now_ms());
        self.open = true;
        self.wake_ms = None;
        self.log_in_ms = None;
        self.inputs.clear();
        if known {
            self.inputs.push_back(Input::Tick);
        } else {
            self.log_in();
        }
    }

    fn act(&mut self, now: u64) {
        for doing in self.shopper.step(now) {
            match doing {
                Doing::Type(typing) => self.tell(Command::Typing {
                    conversation: None,
                    typing,
                }),
                Doing::Write(text, language) => {
                    let content = MessageContent {
                        body: Some(message_content::Body::Text(text)),
                        language,
                    };
                    self.new_act(ActKind::Message, content.encode_to_vec(), now);
                }
                Doing::Rate(stars, text) => {
                    self.new_act(ActKind::Rating, RatingContent { stars, text }.encode_to_vec(), now);
                }
                Doing::Read => {
                    if let Some((conversation, seq)) = self.newest {
                        self.tell(Command::MarkRead { conversation, seq });
                    }
                }
                Doing::Leave => {
                    // As a closed tab: nothing more leaves, what is unsettled stays for the next visit.
                    self.open = false;
                    self.link = Link::Down;
                }
                Doing::Return(same) => {
                    if !same && self.memory.unsettled() == 0 {
                        self.memory = Memory::default();
                        self.newest = None;
                    }
                    self.come_back();
                }
            }
        }
    }

    fn tell(&mut self, command: Command) {
        self.inputs.push_back(Input::User(command));
    }

    fn new_act(&mut self, kind: ActKind, content: Vec<u8>, now: u64) {
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let id = Id::v7(now, random);
        self.sent_ms.insert(id, now);
        self.tell(Command::Act(NewAct {
            id,
            conversation: None,
            kind,
            content: content.into(),
            draft: None,
        }));
    }

    fn linked(&mut self, event: Linked) {
        match event {
            Linked::Made(Ok(connection)) => {
                self.link = Link::Open(connection);
                self.around.report.connect();
                self.inputs.push_back(Input::Connected);
            }
            Linked::Made(Err(error)) | Linked::Frame(Err(error)) => {
                self.link = Link::Down;
                tracing::debug!(customer = self.number, %error, "no connection");
                self.inputs.push_back(Input::Disconnected(match error {
                    NetError::Network(_) => Broken::Network,
                    NetError::Tls(_) => Broken::Tls,
                    NetError::NotAGateway(_) => Broken::NotAGateway,
                }));
            }
            Linked::Frame(Ok(bytes)) => match frame::decode_gateway(bytes) {
                Ok(frame) => self.inputs.push_back(Input::Frame(frame)),
                Err(error) => {
                    tracing::warn!(customer = self.number, %error, "a frame that is none");
                    self.link = Link::Down;
                    self.inputs.push_back(Input::Disconnected(Broken::NotAGateway));
                }
            },
        }
    }

    /// Gives the session what happened, and does what it wants, until nothing is left.
    async fn pump(&mut self) {
        while let Some(input) = self.inputs.pop_front() {
            if !self.open {
                continue;
            }
            self.session
                .handle(self.around.clock.now_ms(), input, &mut self.outputs);
            for output in std::mem::take(&mut self.outputs) {
                self.output(output).await;
            }
        }
    }

    async fn output(&mut self, output: Output) {
        match output {
            Output::Connect => self.link = Link::Connecting(self.around.transport.connect(&self.around.gateway)),
            Output::Close => self.link = Link::Down,
            Output::Send(frame) => {
                if let Link::Open(connection) = &self.link {
                    // A connection that is gone says so by itself.
                    let _ = connection.out.send(frame::encode_client(&frame)).await;
                }
            }
            Output::Commit(transaction) => {
                self.memory.commit(&transaction);
                self.inputs.push_back(Input::Committed {
                    token: transaction.token,
                });
            }
            Output::Read { ticket, question } => {
                let answer = Some(self.memory.answer(&question));
                self.inputs.push_back(Input::Read { ticket, answer });
            }
            Output::WakeAt(ms) => self.wake_ms = Some(ms),
            Output::Reload => self.come_back(),
            Output::Notice(notice) => self.notice(notice),
        }
    }

    fn notice(&mut self, notice: Notice) {
        let now = self.around.clock.now_ms();
        match notice {
            Notice::ActSettled {
                id,
                conversation,
                seq,
                time_ms,
                ..
            } => {
                let ack_ms = self.sent_ms.remove(&id).map(|sent| now.saturating_sub(sent));
                let told = Told {
                    customer: self.number,
                    conversation,
                    id,
                    seq,
                    time_ms,
                };
                self.around.report.acknowledge(&told, ack_ms);
            }
            Notice::ActParked(act) => {
                // A simulated customer doesn't insist.
                self.around.report.refuse(self.number, act.id);
                self.sent_ms.remove(&act.id);
                self.tell(Command::Discard { id: act.id });
            }
            Notice::ActLost(act) => self.tell(Command::SendAgain { id: act.id }),
            Notice::Entries { conversation, entries } => self.came(conversation, &entries, now),
            Notice::CustomerState(state) if state.stage() == Stage::Closed => self.shopper.see_closed(),
            Notice::LogInFailed(failure) => {
                tracing::warn!(customer = self.number, ?failure, "log-in failed");
                self.around.report.log_in_failed();
                self.log_in_ms = Some(now + LOG_IN_AGAIN_MS);
            }
            Notice::SessionEnded => {
                self.memory = Memory::default();
                self.come_back();
            }
            _ => {}
        }
    }

    fn came(&mut self, conversation: Id, entries: &[StoredEntry], now: u64) {
        for stored in entries {
            let Ok(entry) = Entry::decode(stored.bytes.clone()) else {
                continue;
            };
            let told = Told {
                customer: self.number,
                conversation: Some(conversation),
                id: stored.id,
                seq: stored.seq,
                time_ms: stored.time_ms,
            };
            self.around.report.receive(&told);
            if self
                .newest
                .is_none_or(|(of, seq)| of != conversation || seq < stored.seq)
            {
                self.newest = Some((conversation, stored.seq));
            }
            if entry.kind() == EntryKind::Message && entry.author_role() == AuthorRole::Agent {
                self.shopper.hear(now);
            }
        }
    }
}

enum Linked {
    Made(Result<Connection, NetError>),
    Frame(Result<bytes::Bytes, NetError>),
}

/// What the connection says next; never, if there is none.
async fn next(link: &mut Link) -> Linked {
    match link {
        Link::Down => std::future::pending().await,
        Link::Connecting(connecting) => Linked::Made(connecting.as_mut().await),
        Link::Open(connection) => Linked::Frame(
            connection
                .incoming
                .recv()
                .await
                .unwrap_or_else(|| Err(NetError::Network("closed".to_owned()))),
        ),
    }
}

fn config(around: &Surroundings, rng: &mut fastrand::Rng, shopper: &Shopper) -> Config {
    const PAGES: [(&str, &str); 4] = [
        ("https://shop.example/p/4471", "雾蓝色羊毛外套"),
        ("https://shop.example/p/0926", "双层玻璃杯 四只装"),
        ("https://shop.example/orders", "我的订单"),
        ("https://shop.example/en/p/1180", "Wireless headphones"),
    ];
    let mut device = [0; 16];
    rng.fill(&mut device);
    let (url, title) = rng.choice(PAGES).unwrap_or(("https://shop.example/", ""));
    let phone = rng.bool();
    let browser = if phone {
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
    } else {
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"
    };
    Config {
        role: Role::Customer,
        device: Id(device),
        software: concat!("zuoxi-customers ", env!("CARGO_PKG_VERSION")).to_owned(),
        language: shopper.language().to_owned(),
        codecs: vec![BlockCodec::Zstd, BlockCodec::Plain],
        visit: Some(Visit {
            page_url: url.to_owned(),
            page_title: title.to_owned(),
            referrer: "https://search.example/".to_owned(),
            browser: browser.to_owned(),
        }),
        presence: Presence::Unspecified,
        seed: around.clock.now_ms() ^ rng.u64(..),
    }
}
