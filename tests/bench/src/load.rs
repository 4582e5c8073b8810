//! The closed loop: customers who keep a number of messages in flight, agents who receive and confirm. An answer that is
//! missing or doubled, or a push out of order, fails the run.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use zuoxi_wire::Id;

use crate::Outcome;
use crate::dialect::{Dialect, Heard, LAST};

/// How long the loop runs before it is measured.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) customers: u32,
    /// Messages that each customer keeps in flight.
    pub(crate) window: usize,
    pub(crate) agents: u32,
    /// Measured time.
    pub(crate) time: Duration,
    pub(crate) texts: Arc<[String]>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Messages acknowledged in all, the warm-up included.
    pub(crate) messages: u64,
    /// Messages of customers that agents received in all.
    pub(crate) received: u64,
    /// Microseconds from sending to ACK, of those in the measured time.
    pub(crate) ack_us: Vec<u64>,
}

/// Runs the loop; `sample` is called at both ends of the measured time.
pub(crate) async fn run<D: Dialect, S>(
    plan: Plan,
    server: SocketAddr,
    sample: impl Fn() -> Outcome<S>,
) -> Outcome<(Tally, S, S)> {
    let mut tasks = JoinSet::new();
    let (count, last_messages) = tokio::sync::watch::channel(0_u32);
    let count = Arc::new(count);
    let mut agents = Vec::new();
    for number in 0..plan.agents {
        agents.push(D::agent(server, number).await?);
    }
    let mut customers = Vec::new();
    for number in 0..plan.customers {
        customers.push(D::customer(server, number).await?);
    }
    let start = Instant::now() + WARM_UP;
    let end = start + plan.time;
    for (dialect, link) in agents {
        let (count, all) = (count.clone(), last_messages.clone());
        tasks.spawn(receive(dialect, link, plan.customers, count, all));
    }
    for (number, (dialect, link)) in (0..).zip(customers) {
        tasks.spawn(send(dialect, link, number, plan.clone(), start, end));
    }
    sleep_until(start).await;
    let before = sample()?;
    sleep_until(end).await;
    let after = sample()?;
    let mut all = Tally::default();
    while let Ok(Some(task)) = timeout_at(end + PATIENCE, tasks.join_next()).await {
        let one = task??;
        all.messages += one.messages;
        all.received += one.received;
        all.ack_us.extend(one.ack_us);
    }
    if !tasks.is_empty() {
        return Err(format!("{} customers and agents miss something", tasks.len()).into());
    }
    if all.received != all.messages {
        return Err(format!("{} acknowledged, {} received", all.messages, all.received).into());
    }
    Ok((all, before, after))
}

async fn send<D: Dialect>(
    mut dialect: D,
    mut link: crate::link::Link,
    number: u32,
    plan: Plan,
    start: Instant,
    end: Instant,
) -> Outcome<Tally> {
    let mut tally = Tally::default();
    let mut random = fastrand::Rng::with_seed(number.into());
    let mut in_flight: VecDeque<(Id, Instant)> = VecDeque::new();
    let mut heard = Vec::new();
    let mut ended = false;
    loop {
        let now = Instant::now();
        let mut said = Vec::with_capacity(plan.window);
        while in_flight.len() < plan.window && !ended {
            ended = now >= end;
            let text = if ended {
                LAST
            } else {
                plan.texts
                    .get(random.usize(..plan.texts.len()))
                    .map_or(LAST, |text| text)
            };
            let id = new_id(&mut random);
            said.push((id, text));
            in_flight.push_back((id, now));
        }
        dialect.send(&said, &mut link);
        if in_flight.is_empty() {
            return Ok(tally);
        }
        link.flush().await?;
        link.receive().await?;
        let now = Instant::now();
        while let Some(frame) = link.next()? {
            dialect.hear(frame, &mut heard)?;
        }
        for heard in heard.drain(..) {
            let Heard::Ack(id) = heard else { continue };
            match in_flight.pop_front() {
                Some((sent, at)) if sent == id => {
                    tally.messages += 1;
                    if (start..end).contains(&now) {
                        tally.ack_us.push((now - at).as_micros() as u64);
                    }
                }
                _ => return Err("an ACK that was not due".into()),
            }
        }
        if let Some(confirm) = dialect.confirm() {
            link.queue(&confirm);
        }
    }
}

async fn receive<D: Dialect>(
    mut dialect: D,
    mut link: crate::link::Link,
    customers: u32,
    count: Arc<tokio::sync::watch::Sender<u32>>,
    mut all: tokio::sync::watch::Receiver<u32>,
) -> Outcome<Tally> {
    let mut tally = Tally::default();
    let mut heads: HashMap<Id, u64> = HashMap::new();
    let mut heard = Vec::new();
    loop {
        tokio::select! {
            received = link.receive() => received?,
            ended = all.wait_for(|count| *count == customers) => {
                ended?;
                return Ok(tally);
            }
        }
        while let Some(frame) = link.next()? {
            dialect.hear(frame, &mut heard)?;
        }
        for heard in heard.drain(..) {
            let Heard::Push {
                conversation,
                seq,
                message,
                last,
            } = heard
            else {
                continue;
            };
            let head = heads.entry(conversation).or_insert(seq - 1);
            if seq != *head + 1 {
                return Err(format!("Seq {seq} after {head}").into());
            }
            *head = seq;
            tally.received += u64::from(message);
            if last {
                count.send_modify(|count| *count += 1);
            }
        }
        if let Some(confirm) = dialect.confirm() {
            link.queue(&confirm);
            link.flush().await?;
        }
    }
}

fn new_id(random: &mut fastrand::Rng) -> Id {
    let unix_ms = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    let mut rest = [0; 10];
    random.fill(&mut rest);
    Id::v7(unix_ms, rest)
}
