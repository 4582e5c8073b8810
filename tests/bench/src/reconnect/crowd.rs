//! Many customers on the engine's machines, with their storage in memory: they come back by the machines' own rules.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use prost::Message;
use tokio::sync::{mpsc, watch};
use zuoxi_engine::net::{Connecting, Connection, GatewayAddress, NetError, Proxies, Transport, WebSocketTransport};
use zuoxi_protocol::{
    Broken, Command, Config, Credential, Input, MemoryDevice, NewAct, Notice, Output, Role, Session, Sync,
};
use zuoxi_torture::cast::BRAND;
use zuoxi_wire::v1::message_content::Body;
use zuoxi_wire::v1::{ActKind, BlockCodec, MessageContent, Presence};
use zuoxi_wire::{Id, frame};

use super::patiently;
use crate::Outcome;

/// Customers that begin at once.
const AT_ONCE: usize = 50;

/// All of them; they go with it.
pub(crate) struct Crowd {
    write: Vec<mpsc::Sender<()>>,
    /// How many are up to date with nothing waiting, by writes that they were asked for.
    settled: watch::Receiver<(usize, u64)>,
}

impl Crowd {
    /// So many new visitors; all are here and up to date at the end.
    pub(crate) async fn come(gateway: SocketAddr, count: usize) -> Outcome<Self> {
        let (tell, settled) = watch::channel((0, 0));
        let mut crowd = Self {
            write: Vec::new(),
            settled,
        };
        for number in 0..count {
            let (write, orders) = mpsc::channel(16);
            crowd.write.push(write);
            tokio::spawn(Customer::new(gateway)?.live(orders, tell.clone()));
            if (number + 1) % AT_ONCE == 0 {
                crowd.until(number + 1).await?;
            }
        }
        crowd.until(count).await?;
        Ok(crowd)
    }

    /// Waits until so many are up to date.
    pub(crate) async fn until(&self, count: usize) -> Outcome {
        let mut settled = self.settled.clone();
        let waited = settled.wait_for(|(up_to_date, _)| *up_to_date == count);
        patiently("the crowd", waited).await??;
        Ok(())
    }

    /// Each writes one message; ends when all are answered.
    pub(crate) async fn all_write(&self) -> Outcome {
        let written = self.settled.borrow().1 + self.write.len() as u64;
        for customer in &self.write {
            customer.send(()).await?;
        }
        let mut settled = self.settled.clone();
        let waited = settled.wait_for(|(_, answered)| *answered >= written);
        patiently("answers", waited).await??;
        Ok(())
    }
}

enum Link {
    Down,
    Connecting(Connecting),
    Open(Connection),
}

struct Customer {
    gateway: GatewayAddress,
    began: Instant,
    session: Session,
    device: MemoryDevice,
    link: Link,
    inputs: VecDeque<Input>,
    wake_ms: Option<u64>,
    up_to_date: bool,
}

impl Customer {
    fn new(gateway: SocketAddr) -> Outcome<Self> {
        let mut device = [0; 16];
        fastrand::fill(&mut device);
        let config = Config {
            role: Role::Customer,
            device: Id(device),
            software: "zuoxi-bench".into(),
            language: "zh-CN".into(),
            codecs: vec![BlockCodec::Zstd],
            visit: None,
            presence: Presence::Unspecified,
            seed: fastrand::u64(..),
        };
        let credential = Credential::Visitor { brand: BRAND.into() };
        let log_in = Command::LogIn {
            credential,
            remember: true,
        };
        Ok(Self {
            gateway: GatewayAddress::parse(&gateway.to_string())?,
            began: Instant::now(),
            session: Session::new(config, 1),
            device: MemoryDevice::default(),
            link: Link::Down,
            inputs: VecDeque::from([Input::User(log_in)]),
            wake_ms: None,
            up_to_date: false,
        })
    }

    fn now_ms(&self) -> u64 {
        1 + self.began.elapsed().as_millis() as u64
    }

    async fn live(mut self, mut orders: mpsc::Receiver<()>, tell: watch::Sender<(usize, u64)>) {
        loop {
            self.pump(&tell).await;
            let wake = self.wake_ms.map_or(Duration::from_hours(1), |at| {
                Duration::from_millis(at.saturating_sub(self.now_ms()))
            });
            tokio::select! {
                event = next(&mut self.link) => self.linked(event),
                () = tokio::time::sleep(wake) => {
                    self.wake_ms = None;
                    self.inputs.push_back(Input::Tick);
                }
                order = orders.recv() => match order {
                    Some(()) => self.write(),
                    None => return,
                },
            }
        }
    }

    fn write(&mut self) {
        let content = MessageContent {
            body: Some(Body::Text("请问这个什么时候发货？".into())),
            language: "zh-CN".into(),
        };
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        self.inputs.push_back(Input::User(Command::Act(NewAct {
            id: Id::v7(self.now_ms(), random),
            conversation: None,
            kind: ActKind::Message,
            content: content.encode_to_vec().into(),
            draft: None,
        })));
    }

    fn linked(&mut self, event: Result<Linked, NetError>) {
        self.inputs.push_back(match event {
            Ok(Linked::Made(connection)) => {
                self.link = Link::Open(connection);
                Input::Connected
            }
            Ok(Linked::Frame(bytes)) => match frame::decode_gateway(bytes) {
                Ok(frame) => Input::Frame(frame),
                Err(_) => Input::Disconnected(Broken::NotAGateway),
            },
            Err(_) => {
                self.link = Link::Down;
                Input::Disconnected(Broken::Network)
            }
        });
    }

    async fn pump(&mut self, tell: &watch::Sender<(usize, u64)>) {
        let mut outputs = Vec::new();
        while let Some(input) = self.inputs.pop_front() {
            let now = self.now_ms();
            self.session.handle(now, input, &mut outputs);
            for output in outputs.drain(..) {
                match output {
                    Output::Connect => {
                        let transport = WebSocketTransport::new(Proxies::none());
                        self.link = Link::Connecting(transport.connect(&self.gateway));
                    }
                    Output::Close => self.link = Link::Down,
                    Output::Send(frame) => {
                        if let Link::Open(connection) = &self.link {
                            // A connection that is gone says so by itself.
                            let _ = connection.out.send(frame::encode_client(&frame)).await;
                        }
                    }
                    Output::Commit(transaction) => {
                        let token = transaction.token;
                        self.device.commit(transaction);
                        self.inputs.push_back(Input::Committed { token });
                    }
                    Output::Read { ticket, question } => {
                        let answer = Some(self.device.answer(&question));
                        self.inputs.push_back(Input::Read { ticket, answer });
                    }
                    Output::WakeAt(ms) => self.wake_ms = Some(ms),
                    Output::Notice(Notice::Sync(sync)) => {
                        let now = matches!(sync, Sync::UpToDate { .. });
                        let before = std::mem::replace(&mut self.up_to_date, now);
                        if now != before {
                            tell.send_modify(|(count, _)| {
                                *count = if now { *count + 1 } else { count.saturating_sub(1) };
                            });
                        }
                    }
                    Output::Notice(Notice::ActSettled { .. }) => tell.send_modify(|(_, answered)| *answered += 1),
                    // A reload follows a failed commit alone, and none fails in memory.
                    Output::Reload | Output::Notice(_) => {}
                }
            }
        }
    }
}

enum Linked {
    Made(Connection),
    Frame(bytes::Bytes),
}

/// What the connection says next; never, if there is none.
async fn next(link: &mut Link) -> Result<Linked, NetError> {
    match link {
        Link::Down => std::future::pending().await,
        Link::Connecting(connecting) => connecting.as_mut().await.map(Linked::Made),
        Link::Open(connection) => match connection.incoming.recv().await {
            Some(frame) => frame.map(Linked::Frame),
            None => Err(NetError::Network("closed".into())),
        },
    }
}
