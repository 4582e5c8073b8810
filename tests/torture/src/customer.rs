//! A customer as a process: the engine's machines over the engine's durable store, and somebody who writes without
//! pause.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::time::{Duration, Instant};

use prost::Message;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{mpsc, oneshot};
use zuoxi_engine::net::{Connecting, Connection, GatewayAddress, NetError, Proxies, Transport, WebSocketTransport};
use zuoxi_engine::store::{Done, Key, Priority, Store, StoreError, StoreOptions};
use zuoxi_protocol::change::{Loaded, OutboxState, Transaction};
use zuoxi_protocol::{
    Broken, Command, Config, Credential, Input, NewAct, Notice, Output, Role, Session, StoreFailure, Sync,
};
use zuoxi_wire::v1::{ActKind, BlockCodec, MessageContent, Presence, RecallContent, RefusalCode, message_content};
use zuoxi_wire::{Id, frame};

use crate::Outcome;
use crate::desk::{Client, mix, now_ms};
use crate::seen::{self, Fact, Seen};
use crate::status::{Order, Status, Teller};

/// First and longest pause before all is loaded anew, after a commit that failed: a disk may be full for a while.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// File of the cache's key.
pub const KEY: &str = "key";
/// File of the cache.
pub const CACHE: &str = "customer.db";

/// How long a store that failed is left alone: twice as long each time, until something was stored.
#[derive(Debug, Default)]
struct Rest(Option<Duration>);

impl Rest {
    fn next(&mut self) -> Duration {
        let pause = self.0.map_or(PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
        self.0 = Some(pause);
        pause
    }

    fn over(&mut self) {
        self.0 = None;
    }
}

enum Link {
    Down,
    Connecting(Connecting),
    Open(Connection),
}

enum Linked {
    Made(Result<Connection, NetError>),
    Frame(Result<bytes::Bytes, NetError>),
}

/// Lives until it is told to end, or killed.
///
/// # Errors
/// Its data can't be opened.
pub async fn live(client: Client) -> Outcome {
    let mut customer = Customer::open(client)?;
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    let mut report = tokio::time::interval(Duration::from_millis(50));
    let mut next_act = tokio::time::Instant::now();
    loop {
        customer.pump().await?;
        let wake = customer.wake_ms.map_or(Duration::from_hours(1), |at| {
            Duration::from_millis(at.saturating_sub(customer.now_ms()))
        });
        tokio::select! {
            Some(ends) = customer.ends.recv() => ends.into_iter().for_each(|end| customer.ended(end)),
            event = next(&mut customer.link) => customer.linked(event),
            () = tokio::time::sleep(wake) => {
                customer.wake_ms = None;
                customer.inputs.push_back(Input::Tick);
            }
            _ = report.tick() => {
                // A full disk: what was seen is written later.
                let _ = customer.seen.sync();
                customer.report();
            }
            () = tokio::time::sleep_until(next_act) => {
                next_act = tokio::time::Instant::now() + customer.pause();
                customer.talk();
            }
            line = orders.next_line() => match Order::read(line.ok().flatten().as_deref()) {
                Order::Quiet => customer.client.quiet = true,
                Order::Network => customer.inputs.push_back(Input::NetworkChanged),
                Order::End => return Ok(()),
            },
        }
    }
}

struct Customer {
    client: Client,
    gateway: GatewayAddress,
    transport: WebSocketTransport,
    began: (Instant, u64),
    store: Store,
    ends: mpsc::UnboundedReceiver<Vec<Done>>,
    session: Session,
    link: Link,
    inputs: VecDeque<Input>,
    wake_ms: Option<u64>,
    rest: Rest,
    seen: Seen,
    teller: Teller,
    sync: Sync,
    random: fastrand::Rng,
    /// Own acts that have no answer yet.
    waiting: BTreeSet<Id>,
    over: BTreeSet<Id>,
    said: Vec<Id>,
}

impl Customer {
    fn open(client: Client) -> Outcome<Self> {
        fs::create_dir_all(&client.data)?;
        let mut over = BTreeSet::new();
        let facts = seen::read(&client.seen)?;
        // Another start does other things.
        let random = fastrand::Rng::with_seed(client.seed ^ facts.len() as u64);
        for fact in facts {
            if let Fact::Tick { id, .. } | Fact::Parked { id, .. } | Fact::Back(id) | Fact::Lost(id) = fact {
                over.insert(id);
            }
        }
        let mut seen = Seen::open(&client.seen)?;
        seen.tell(&Fact::Start);
        let _ = seen.sync();
        let (tell, ends) = mpsc::unbounded_channel();
        // A customer that is gone needs no ends.
        let on_done = Box::new(move |done| drop(tell.send(done)));
        let options = StoreOptions::new(client.data.join(CACHE), key(&client)?);
        let (store, loaded) = Store::open(options, on_done)?;
        let began = (Instant::now(), now_ms());
        let waiting = loaded.outbox.iter().map(|act| act.id).collect();
        let mut customer = Self {
            gateway: GatewayAddress::parse(&client.gateway)?,
            transport: WebSocketTransport::new(Proxies::none()),
            began,
            store,
            ends,
            session: Session::load(config(&client), loaded.clone(), began.1),
            link: Link::Down,
            inputs: VecDeque::new(),
            wake_ms: Some(0),
            rest: Rest::default(),
            seen,
            teller: Teller::default(),
            sync: Sync::Offline {
                since_ms: 0,
                retry_at_ms: 0,
            },
            random,
            waiting,
            over,
            said: Vec::new(),
            client,
        };
        customer.begin(&loaded);
        Ok(customer)
    }

    /// What the store holds is durable: it is seen as such. A visitor who never logged in does it now.
    fn begin(&mut self, loaded: &Loaded) {
        for act in &loaded.outbox {
            match &act.state {
                OutboxState::Waiting | OutboxState::Voided => self.seen.tell(&Fact::Clock(act.id)),
                OutboxState::Parked { code, .. } => self.parked(act.id, *code),
                OutboxState::Lost => self.seen.tell(&Fact::Lost(act.id)),
            }
        }
        if loaded.values.contains_key("session") {
            self.inputs.push_back(Input::Tick);
        } else {
            let credential = Credential::Visitor {
                brand: self.client.name.clone(),
            };
            let remember = true;
            self.inputs
                .push_back(Input::User(Command::LogIn { credential, remember }));
        }
    }

    fn now_ms(&self) -> u64 {
        self.began.1 + self.began.0.elapsed().as_millis() as u64
    }

    fn pause(&mut self) -> Duration {
        let mean = self.client.pace_ms.max(1);
        Duration::from_millis(self.random.u64(mean / 2..=mean + mean / 2))
    }

    fn report(&mut self) {
        let proof = self.session.proof();
        self.teller.tell(Status {
            online: !matches!(self.sync, Sync::Offline { .. }),
            up_to_date: matches!(self.sync, Sync::UpToDate { .. }),
            waiting: proof.waiting,
            parked: proof.parked,
        });
    }

    fn talk(&mut self) {
        // An act before the first log-in has no brand to go to.
        let Some(me) = self.session.me().and_then(|me| Id::try_from(&me.id).ok()) else {
            return;
        };
        if self.client.quiet || self.waiting.len() >= self.client.window {
            return;
        }
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        let id = Id::v7(now_ms(), mix(bytes, now_ms()));
        let (kind, content) = match self.random.u32(..1_000) {
            0..20 if !self.said.is_empty() => {
                let at = self.random.usize(..self.said.len());
                let target = self.said.swap_remove(at);
                let content = RecallContent {
                    author: me.to_bytes(),
                    id: target.to_bytes(),
                };
                (ActKind::Recall, content.encode_to_vec())
            }
            20..23 => (ActKind::Close, Vec::new()),
            _ => {
                let content = MessageContent {
                    body: Some(message_content::Body::Text(format!("请问什么时候发货？ {id}"))),
                    language: "zh-CN".into(),
                };
                (ActKind::Message, content.encode_to_vec())
            }
        };
        self.seen.tell(&Fact::Do { id, conversation: None });
        if self.seen.sync().is_err() {
            return;
        }
        self.waiting.insert(id);
        self.inputs.push_back(Input::User(Command::Act(NewAct {
            id,
            conversation: None,
            kind,
            content: content.into(),
            draft: None,
        })));
    }

    fn linked(&mut self, event: Linked) {
        match event {
            Linked::Made(Ok(connection)) => {
                self.link = Link::Open(connection);
                self.inputs.push_back(Input::Connected);
            }
            Linked::Made(Err(error)) | Linked::Frame(Err(error)) => {
                self.link = Link::Down;
                self.inputs.push_back(Input::Disconnected(match error {
                    NetError::Network(_) => Broken::Network,
                    NetError::Tls(_) => Broken::Tls,
                    NetError::NotAGateway(_) => Broken::NotAGateway,
                }));
            }
            Linked::Frame(Ok(bytes)) => {
                if let Ok(frame) = frame::decode_gateway(bytes) {
                    self.inputs.push_back(Input::Frame(frame));
                } else {
                    self.link = Link::Down;
                    self.inputs.push_back(Input::Disconnected(Broken::NotAGateway));
                }
            }
        }
    }

    fn ended(&mut self, end: Done) {
        if end.result.is_ok() {
            self.rest.over();
        }
        self.inputs.push_back(match end.result {
            Ok(()) => Input::Committed { token: end.token },
            Err(error) => Input::CommitFailed {
                token: end.token,
                why: if error == StoreError::DiskFull {
                    StoreFailure::Full
                } else {
                    StoreFailure::Broken
                },
            },
        });
    }

    /// Gives the session what happened, and does what it wants, until nothing is left.
    async fn pump(&mut self) -> Outcome {
        let mut outputs = Vec::new();
        while let Some(input) = self.inputs.pop_front() {
            let now = self.now_ms();
            self.session.handle(now, input, &mut outputs);
            for output in outputs.drain(..) {
                if self.perform(output).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether all was loaded anew: nothing that came before counts.
    async fn perform(&mut self, output: Output) -> Outcome<bool> {
        match output {
            Output::Connect => self.link = Link::Connecting(self.transport.connect(&self.gateway)),
            Output::Close => self.link = Link::Down,
            Output::Send(frame) => {
                if let Link::Open(connection) = &self.link {
                    // A connection that is gone says so by itself.
                    let _ = connection.out.send(frame::encode_client(&frame)).await;
                }
            }
            Output::Commit(transaction) => self.commit(transaction),
            // Asked after a restored log alone, which never happens here.
            Output::Read { ticket, .. } => self.inputs.push_back(Input::Read { ticket, answer: None }),
            Output::WakeAt(ms) => self.wake_ms = Some(ms),
            Output::Reload => {
                self.reload().await?;
                return Ok(true);
            }
            Output::Notice(notice) => self.notice(notice),
        }
        Ok(false)
    }

    fn commit(&mut self, transaction: Transaction) {
        let token = transaction.token;
        if let Err(error) = self.store.commit(transaction, Priority::Network) {
            self.ended(Done {
                token,
                result: Err(error),
            });
        }
    }

    async fn reload(&mut self) -> Outcome {
        self.link = Link::Down;
        tokio::time::sleep(self.rest.next()).await;
        loop {
            let (tell, told) = oneshot::channel();
            // Who waits is this function.
            self.store.load(move |loaded| drop(tell.send(loaded)))?;
            let Ok(loaded) = told.await? else {
                tokio::time::sleep(self.rest.next()).await;
                continue;
            };
            while self.ends.try_recv().is_ok() {}
            self.inputs.retain(|input| matches!(input, Input::User(_)));
            self.waiting = loaded.outbox.iter().map(|act| act.id).collect();
            self.session = Session::load(config(&self.client), loaded.clone(), self.now_ms());
            self.wake_ms = Some(0);
            self.begin(&loaded);
            return Ok(());
        }
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::ActStored { id } => self.seen.tell(&Fact::Clock(id)),
            Notice::ActNotStored { act, .. } => {
                self.settle(act.id);
                self.seen.tell(&Fact::Back(act.id));
            }
            Notice::ActSettled { id, seq, .. } => {
                self.settle(id);
                self.said.push(id);
                self.seen.tell(&Fact::Tick { id, seq });
            }
            Notice::ActParked(act) => {
                if let OutboxState::Parked { code, .. } = act.state {
                    self.parked(act.id, code);
                }
            }
            Notice::ActLost(act) => self.seen.tell(&Fact::Lost(act.id)),
            Notice::ActGone { id } => self.settle(id),
            Notice::Sync(sync) => self.sync = sync,
            Notice::LogInFailed(failure) => {
                eprintln!("log-in failed: {failure:?}");
                std::process::exit(3);
            }
            Notice::SessionEnded => {
                eprintln!("the session ended");
                std::process::exit(3);
            }
            _ => {}
        }
    }

    fn settle(&mut self, id: Id) {
        self.waiting.remove(&id);
        self.over.insert(id);
    }

    /// A refused one is let go, once that it was refused stands on disk.
    fn parked(&mut self, id: Id, code: i32) {
        self.settle(id);
        let code = RefusalCode::try_from(code).map_or("unknown", |code| code.as_str_name());
        self.seen.tell(&Fact::Parked {
            id,
            code: code.to_owned(),
        });
        if self.seen.sync().is_ok() {
            self.inputs.push_back(Input::User(Command::Discard { id }));
        }
    }
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

/// Random, made once, on disk before anything is encrypted with it.
fn key(client: &Client) -> Outcome<Key> {
    let file = client.data.join(KEY);
    if let Ok(bytes) = fs::read(&file)
        && let Ok(bytes) = <[u8; 32]>::try_from(bytes.as_slice())
    {
        return Ok(Key::from_bytes(bytes));
    }
    let key = Key::random()?;
    let beside = client.data.join("key.new");
    fs::write(&beside, key.bytes())?;
    fs::File::open(&beside)?.sync_all()?;
    fs::rename(beside, file)?;
    Ok(key)
}

fn config(client: &Client) -> Config {
    let mut device = [0; 16];
    fastrand::Rng::with_seed(client.seed).fill(&mut device);
    Config {
        role: Role::Customer,
        device: Id(device),
        software: "torture".to_owned(),
        language: "zh-CN".to_owned(),
        codecs: vec![BlockCodec::Zstd, BlockCodec::Plain],
        visit: None,
        presence: Presence::Unspecified,
        seed: client.seed ^ now_ms(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_fails_is_left_alone_longer_each_time_until_something_is_stored() {
        let mut rest = Rest::default();
        let pauses: Vec<u128> = (0..7).map(|_| rest.next().as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1_000, 1_000]);
        rest.over();
        assert_eq!(rest.next(), PAUSE);
    }
}
