//! The gateway's core without sockets: rules and store in this process, group by group, as its thread runs them.

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use prost::Message;
use tempfile::TempDir;
use zuoxi_gateway::store::SqliteStore;
use zuoxi_rules::record::{Agent, Brand, Membership, Team};
use zuoxi_rules::{Config, ConnectionId, Door, Event, Gateway, Output, Store};
use zuoxi_wire::Id;
use zuoxi_wire::frame::encode_gateway;
use zuoxi_wire::v1::client_frame::Kind;
use zuoxi_wire::v1::log_in::Credential;
use zuoxi_wire::v1::message_content::Body;
use zuoxi_wire::v1::{
    Ack, Act, ActKind, Acts, AgentPassword, ClientFrame, LogIn, MessageContent, Presence, Visitor, gateway_frame,
};

use crate::Outcome;
use crate::real::{BRAND, agent_name};

const TEAM: Id = Id([1; 16]);

struct World {
    store: SqliteStore,
    gateway: Gateway,
    outputs: Vec<Output>,
    /// The last push of each connection.
    pushed: Vec<u64>,
    encoding_ns: u64,
}

impl World {
    fn new(folder: &Path, agents: u32, customers: u32) -> Outcome<Self> {
        let mut store = SqliteStore::open(&folder.join("core.db"))?;
        store.begin()?;
        store.put_team(&Team {
            id: TEAM,
            name: "bench".into(),
            first_response_ms: 0,
            next_response_ms: 0,
            idle_ms: 0,
            stale_ms: 0,
            grace_ms: 0,
        })?;
        store.put_brand(&Brand {
            id: Id([2; 16]),
            key: BRAND.into(),
            name: BRAND.into(),
            short_name: String::new(),
            greeting: String::new(),
            origins: Vec::new(),
            team: TEAM,
            identity_key: None,
        })?;
        for number in 0..agents {
            store.put_agent(&Agent {
                id: Id([10 + number as u8; 16]),
                login: agent_name(number),
                name: agent_name(number),
                capacity: customers,
                password_hash: String::new(),
                disabled: false,
                presence: Presence::Online,
                teams: vec![Membership {
                    team: TEAM,
                    lead: false,
                }],
            })?;
        }
        store.commit()?;
        let config = Config {
            visitors_per_minute: u32::MAX,
            customer_acts_per_second: 1_000_000,
            customer_acts_burst: 1_000_000,
            ..Config::default()
        };
        let gateway = Gateway::new(config, &mut store, [7; 32], now_ms())?;
        Ok(Self {
            store,
            gateway,
            outputs: Vec::new(),
            pushed: vec![0; (agents + customers) as usize],
            encoding_ns: 0,
        })
    }

    /// One group commit, and what leaves after it as bytes; how many acts were accepted.
    fn turn(&mut self, events: Vec<Event>) -> Outcome<usize> {
        self.gateway
            .handle(&mut self.store, now_ms(), events, &mut self.outputs);
        let before = cpu_ns()?;
        let mut accepted = 0;
        let mut checks = Vec::new();
        for output in self.outputs.drain(..) {
            match output {
                Output::Send { connection, frame } => {
                    match &frame.kind {
                        Some(gateway_frame::Kind::Answers(answers)) => accepted += answers.answers.len(),
                        Some(gateway_frame::Kind::Pushes(pushes)) => {
                            let last = pushes.pushes.last().map_or(0, |push| push.number);
                            if let Some(pushed) = self.pushed.get_mut(connection.0 as usize) {
                                *pushed = last;
                            }
                        }
                        _ => {}
                    }
                    std::hint::black_box(encode_gateway(&frame));
                }
                Output::CheckPassword { connection, .. } => {
                    checks.push(Event::PasswordChecked { connection, ok: true });
                }
                _ => {}
            }
        }
        self.encoding_ns += cpu_ns()? - before;
        if checks.is_empty() {
            Ok(accepted)
        } else {
            self.turn(checks)
        }
    }

    fn enter(&mut self, connection: ConnectionId, credential: Credential) -> Outcome {
        let opened = Event::Connected {
            connection,
            nonce: [0; 16],
            address: "127.0.0.1".into(),
            door: Door::Native,
        };
        let log_in = LogIn {
            version: zuoxi_wire::VERSION,
            device: Bytes::copy_from_slice(&[connection.0 as u8; 16]),
            credential: Some(credential),
            ..LogIn::default()
        };
        self.turn(vec![opened, says(connection, Kind::LogIn(log_in))])?;
        Ok(())
    }
}

fn says(connection: ConnectionId, kind: Kind) -> Event {
    let frame = ClientFrame {
        request: 1,
        ack: None,
        kind: Some(kind),
    };
    Event::Frame { connection, frame }
}

/// Prints what one message costs the core's thread.
// It talks to a terminal.
#[allow(clippy::print_stdout)]
pub(crate) fn measure(
    folder: &Path,
    customers: u32,
    agents: u32,
    messages: usize,
    each: usize,
    texts: &[String],
) -> Outcome {
    let folder = TempDir::new_in(folder)?;
    let mut world = World::new(folder.path(), agents, customers)?;
    for number in 0..agents {
        let credential = Credential::Agent(AgentPassword {
            name: agent_name(number),
            password: String::new(),
        });
        world.enter(ConnectionId(number.into()), credential)?;
    }
    let visitor = || Credential::Visitor(Visitor { brand: BRAND.into() });
    let visitors: Vec<ConnectionId> = (0..customers)
        .map(|number| ConnectionId(u64::from(agents + number)))
        .collect();
    for connection in &visitors {
        world.enter(*connection, visitor())?;
    }
    let mut random = fastrand::Rng::with_seed(7);
    let (mut number, mut done, mut cpu) = (0, 0, 0);
    world.encoding_ns = 0;
    let (begun, mut groups) = (Instant::now(), 0_u32);
    while done < messages {
        let mut events = Vec::new();
        for (nth, push) in world.pushed.iter_mut().enumerate().filter(|(_, push)| **push > 0) {
            let ack = Ack {
                push: std::mem::take(push),
                watermarks: Vec::new(),
            };
            let frame = ClientFrame {
                ack: Some(ack),
                ..ClientFrame::default()
            };
            let connection = ConnectionId(nth as u64);
            events.push(Event::Frame { connection, frame });
        }
        let base = if number == 0 { 0 } else { u64::from(number) + 1 };
        for connection in &visitors {
            let acts = (1..=each as u32)
                .map(|nth| act(&mut random, texts, number + nth, base))
                .collect();
            events.push(says(*connection, Kind::Acts(Acts { acts })));
        }
        number += each as u32;
        groups += 1;
        let before = cpu_ns()?;
        let answered = world.turn(events)?;
        cpu += cpu_ns()? - before;
        if answered == 0 {
            return Err("no act was answered".into());
        }
        done += answered;
    }
    let of_each = |ns: u64| ns as f64 / done as f64 / 1_000.0;
    println!(
        "core, {customers} × {each}: {done} messages in {groups} groups, {:.2} µs of processor each (and {:.2} µs for \
         encoding), {:.0} a second",
        of_each(cpu - world.encoding_ns),
        of_each(world.encoding_ns),
        done as f64 / begun.elapsed().as_secs_f64()
    );
    Ok(())
}

fn act(random: &mut fastrand::Rng, texts: &[String], number: u32, base: u64) -> Act {
    let text = texts.get(random.usize(..texts.len())).cloned().unwrap_or_default();
    let content = MessageContent {
        body: Some(Body::Text(text)),
        language: String::new(),
    };
    let mut rest = [0; 10];
    random.fill(&mut rest);
    Act {
        id: Id::v7(now_ms(), rest).to_bytes(),
        lane: 1,
        number,
        base,
        kind: ActKind::Message.into(),
        content: content.encode_to_vec().into(),
        ..Act::default()
    }
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

/// Processor time of this thread, nanoseconds.
fn cpu_ns() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(stat.split_whitespace().next().unwrap_or("0").parse()?)
}
