//! The core: one thread that owns the store and the rules' machine. Whatever is queued becomes one group commit, and
//! all that a commit has for one connection leaves in one write. It never waits for a connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use zuoxi_rules::bus::Bus;
use zuoxi_rules::load::{Level, Sample};
use zuoxi_rules::record::Brand;
use zuoxi_rules::store::{Store, StoreError};
use zuoxi_rules::{Config, ConnectionId, Door, Event, Gateway, Output};
use zuoxi_wire::Id;
use zuoxi_wire::v1::answer::Result as Outcome;
use zuoxi_wire::v1::gateway_frame::Kind;
use zuoxi_wire::v1::{Advice, GatewayFrame, Problem, ProblemCode};

use crate::avatar::{self, Picture, Pictures};
use crate::clock::{Clock, system_ms};
use crate::jobs::Jobs;
use crate::line::{Line, Outbound};
use crate::metrics::Metrics;
use crate::store::SqliteStore;

/// Events that may wait for the core; whoever brings more waits themselves.
const QUEUE: usize = 8_192;
/// Events of one group commit: what a disk takes in one go, without making the first wait for the last.
const BATCH: usize = 1_024;
/// Turns are at most so far apart, so that what the command line changed is seen.
const LOOK: Duration = Duration::from_secs(1);
/// Milliseconds after which who was turned away for lack of workers shall come back.
const CROWDED_RETRY_MS: u32 = 5_000;

/// What comes to the core.
// Nearly all are frames: boxing them would cost an allocation each to make the rare one smaller.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Inbound {
    /// A WebSocket is open.
    Opened {
        /// Its number, never used twice.
        connection: ConnectionId,
        /// For its hello.
        nonce: [u8; 16],
        /// Of the other end, without port.
        address: String,
        /// How it came in.
        door: Door,
        /// How to reach it.
        line: Line,
    },
    /// Anything else.
    Event(Event),
}

/// What others may know of the core.
#[derive(Debug)]
pub struct Pulse {
    turned_ms: AtomicU64,
    open: watch::Sender<usize>,
    brands: watch::Sender<Arc<Vec<Brand>>>,
    pictures: watch::Sender<Arc<Pictures>>,
}

impl Pulse {
    /// Milliseconds since the core last turned; it does at least once a second.
    pub fn silent_ms(&self) -> u64 {
        system_ms().saturating_sub(self.turned_ms.load(Ordering::Acquire))
    }

    /// How many connections are open.
    pub fn open(&self) -> watch::Receiver<usize> {
        self.open.subscribe()
    }

    /// The brands, as the administrator last set them.
    pub fn brands(&self) -> Arc<Vec<Brand>> {
        self.brands.borrow().clone()
    }

    /// An agent's picture, as the administrator last set it.
    pub fn picture(&self, agent: Id) -> Option<Arc<Picture>> {
        self.pictures.borrow().get(&agent).cloned()
    }
}

/// Wakes the core up; it may be called from any thread.
pub type Wake = Box<dyn Fn() + Send>;

/// One waking is enough until the core turns, however much waits.
fn wake(core: &mpsc::Sender<Inbound>, woken: &Arc<AtomicBool>) -> Wake {
    let (core, woken) = (core.downgrade(), Arc::clone(woken));
    Box::new(move || {
        // A core whose queue is full is awake.
        if !woken.swap(true, Ordering::AcqRel)
            && let Some(core) = core.upgrade()
        {
            let _ = core.try_send(Inbound::Event(Event::Tick));
        }
    })
}

/// The running core, as the server holds it. It ends when this and all clones of its sender are gone.
#[derive(Debug)]
pub struct Core {
    /// Where events go.
    pub inbound: mpsc::Sender<Inbound>,
    /// What it tells of itself.
    pub pulse: Arc<Pulse>,
    thread: JoinHandle<()>,
}

impl Core {
    /// Starts the core over a store. `join` gives it its end of the nodes' bus, with what wakes the core up when
    /// something waits there. Must be called inside a tokio runtime, which does the jobs.
    ///
    /// # Errors
    /// The store can't be read, or the system gives no thread or no randomness.
    pub fn start(
        mut store: SqliteStore,
        join: impl FnOnce(Wake) -> Box<dyn Bus>,
        config: Config,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let broken = |error: &dyn std::fmt::Display| StoreError::Broken(error.to_string());
        store.checkpoint_beside()?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| broken(&error))?;
        let mut clock = Clock::default();
        let (inbound, queue) = mpsc::channel(QUEUE);
        let woken = Arc::new(AtomicBool::new(false));
        let bus = join(wake(&inbound, &woken));
        let gateway = Gateway::on(bus, config, &mut store, seed, clock.now_ms())?;
        let pulse = Arc::new(Pulse {
            turned_ms: AtomicU64::new(system_ms()),
            open: watch::Sender::new(0),
            brands: watch::Sender::new(Arc::new(store.facts()?.brands)),
            pictures: watch::Sender::new(Arc::new(avatar::pictures(&mut store, &Pictures::new())?)),
        });
        let turning = Turning {
            seen: store.data_version()?,
            store,
            gateway,
            clock,
            jobs: Jobs::new(tokio::runtime::Handle::current(), &inbound),
            lines: HashMap::new(),
            touched: Vec::new(),
            woken,
            wake_ms: 0,
            turn_us: 0,
            waited: false,
            metrics,
            pulse: Arc::clone(&pulse),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| broken(&error))?;
        let thread = std::thread::Builder::new()
            .name("core".into())
            .spawn(move || runtime.block_on(turning.run(queue)))
            .map_err(|error| broken(&error))?;
        Ok(Self { inbound, pulse, thread })
    }

    /// Waits until everything is stored and the core has ended; all senders must be gone.
    pub fn join(self) {
        let Self { inbound, thread, .. } = self;
        drop(inbound);
        let _ = thread.join();
    }
}

/// A connection as the core sees it.
struct Slot {
    line: Line,
    /// What this commit has for it.
    frames: Vec<GatewayFrame>,
    close: bool,
}

struct Turning {
    store: SqliteStore,
    gateway: Gateway,
    clock: Clock,
    jobs: Jobs,
    lines: HashMap<ConnectionId, Slot>,
    /// Connections for which this commit has something.
    touched: Vec<ConnectionId>,
    /// Another node woke the core up since it turned.
    woken: Arc<AtomicBool>,
    wake_ms: u64,
    /// How long the last turn took.
    turn_us: u64,
    /// Something waited when the last sample was taken: one more tells that nothing does any longer.
    waited: bool,
    seen: i64,
    metrics: Arc<Metrics>,
    pulse: Arc<Pulse>,
}

impl Turning {
    async fn run(mut self, mut queue: mpsc::Receiver<Inbound>) {
        let mut arrived = Vec::with_capacity(BATCH);
        let mut outputs = Vec::new();
        // A first turn tells when to wake up.
        self.turn(vec![Event::Tick], &mut outputs);
        loop {
            let taken = tokio::time::timeout(self.patience(), queue.recv_many(&mut arrived, BATCH)).await;
            if taken == Ok(0) {
                break;
            }
            self.metrics.waiting.set(queue.len() as i64);
            let mut events = self.look();
            events.extend(self.load(queue.len()));
            events.extend(arrived.drain(..).map(|inbound| self.take(inbound)));
            if events.is_empty() || self.clock.now_ms() >= self.wake_ms {
                events.push(Event::Tick);
            }
            self.turn(events, &mut outputs);
        }
        if let Err(error) = self.store.checkpoint() {
            tracing::warn!(%error, "the database could not be tidied at the stop");
        }
    }

    /// How loaded the core is, where that is worth a word.
    fn load(&mut self, waiting: usize) -> Option<Event> {
        let waited = std::mem::replace(&mut self.waited, waiting > 0);
        let worth = waiting > 0 || waited || self.gateway.level() > Level::Calm;
        worth.then(|| {
            Event::Load(Sample {
                waiting: waiting as u32,
                room: QUEUE as u32,
                turn_events: BATCH as u32,
                turn_us: self.turn_us,
            })
        })
    }

    /// How long to wait for the next event at most.
    fn patience(&mut self) -> Duration {
        let now_ms = self.clock.now_ms();
        Duration::from_millis(self.wake_ms.saturating_sub(now_ms)).min(LOOK)
    }

    fn take(&mut self, inbound: Inbound) -> Event {
        match inbound {
            Inbound::Opened {
                connection,
                nonce,
                address,
                door,
                line,
            } => {
                let slot = Slot {
                    line,
                    frames: Vec::new(),
                    close: false,
                };
                self.lines.insert(connection, slot);
                Event::Connected {
                    connection,
                    nonce,
                    address,
                    door,
                }
            }
            Inbound::Event(event) => {
                if let Event::Closed { connection } = &event {
                    self.lines.remove(connection);
                }
                event
            }
        }
    }

    /// Looks whether another process wrote to the store: what was set is in force with the next event.
    fn look(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        match self.store.data_version() {
            Ok(version) if version != self.seen => {
                self.seen = version;
                if let Ok(facts) = self.store.facts() {
                    self.pulse.brands.send_replace(Arc::new(facts.brands));
                    events.push(Event::FactsChanged);
                }
                let known = self.pulse.pictures.borrow().clone();
                match avatar::pictures(&mut self.store, &known) {
                    Ok(pictures) => drop(self.pulse.pictures.send_replace(Arc::new(pictures))),
                    Err(error) => tracing::warn!(%error, "agents' pictures can't be read; those before are served"),
                }
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the store can't be read"),
        }
        events
    }

    fn turn(&mut self, events: Vec<Event>, outputs: &mut Vec<Output>) {
        let begun = Instant::now();
        self.metrics.batch.observe(events.len() as f64);
        let now_ms = self.clock.now_ms();
        // Before it hears: what comes from here on wakes it up again.
        self.woken.store(false, Ordering::Release);
        self.gateway.handle(&mut self.store, now_ms, events, outputs);
        for output in outputs.drain(..) {
            self.apply(output);
        }
        self.hand_over();
        let took = begun.elapsed();
        self.turn_us = took.as_micros() as u64;
        self.metrics.turn.observe(took.as_secs_f64());
        self.metrics.set_load(self.gateway.level(), self.gateway.shed());
        self.pulse.turned_ms.store(system_ms(), Ordering::Release);
        let open = self.lines.len();
        self.pulse
            .open
            .send_if_modified(|told| std::mem::replace(told, open) != open);
        self.metrics.connections.set(open as i64);
    }

    fn apply(&mut self, output: Output) {
        match output {
            Output::Send { connection, frame } => {
                self.count(&frame);
                self.add(connection, frame);
            }
            Output::Close { connection } => self.close(connection),
            Output::WakeAt { ms } => self.wake_ms = ms,
            Output::CheckPassword { connection, .. }
            | Output::HashPassword { connection, .. }
            | Output::VerifyIdentity { connection, .. } => {
                if !self.jobs.start(output) {
                    self.add(connection, crowded());
                    self.close(connection);
                }
            }
        }
    }

    fn add(&mut self, connection: ConnectionId, frame: GatewayFrame) {
        let Some(slot) = self.lines.get_mut(&connection) else {
            return;
        };
        if matches!(frame.kind, Some(Kind::LoggedIn(_))) {
            slot.line.is_known_now();
        }
        if slot.frames.is_empty() && !slot.close {
            self.touched.push(connection);
        }
        slot.frames.push(frame);
    }

    fn close(&mut self, connection: ConnectionId) {
        if let Some(slot) = self.lines.get_mut(&connection) {
            if slot.frames.is_empty() && !slot.close {
                self.touched.push(connection);
            }
            slot.close = true;
        }
    }

    /// One write for each connection; who is too slow to take it is dropped, and resumes when it comes back.
    fn hand_over(&mut self) {
        for connection in self.touched.drain(..) {
            let Some(slot) = self.lines.get_mut(&connection) else {
                continue;
            };
            let frames = std::mem::take(&mut slot.frames);
            let close = slot.close;
            if !slot.line.send(Outbound { frames, close }) {
                self.metrics.slow.inc();
                tracing::info!(connection = connection.0, "dropped: it doesn't read what is sent to it");
                self.lines.remove(&connection);
            }
        }
    }

    fn count(&self, frame: &GatewayFrame) {
        if let Some(Kind::Answers(answers)) = &frame.kind {
            for answer in &answers.answers {
                match &answer.result {
                    Some(Outcome::Accepted(_)) => self.metrics.accepted.inc(),
                    Some(Outcome::Refused(refused)) if refused.for_now => self.metrics.postponed.inc(),
                    Some(Outcome::Refused(_)) => self.metrics.refused.inc(),
                    None => 0,
                };
            }
        }
    }
}

fn crowded() -> GatewayFrame {
    GatewayFrame {
        request: 0,
        kind: Some(Kind::Problem(Problem {
            code: ProblemCode::Crowded.into(),
            advice: Advice::Later.into(),
            retry_ms: CROWDED_RETRY_MS,
            ..Problem::default()
        })),
    }
}
