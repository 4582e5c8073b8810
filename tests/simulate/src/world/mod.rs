//! A world in one thread: the gateway's rules over a store, sessions over disks, and a network, all on one clock; what
//! happens next depends on the story alone.

mod cache;
mod deeds;
pub mod device;
pub mod disk;
mod gateway;
pub mod link;
mod network;
pub mod people;
pub mod screen;
pub mod store;
#[cfg(test)]
mod tests;
mod trace;
mod twin;
pub mod words;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use zuoxi_protocol::input::Output;
use zuoxi_protocol::{Command, Input, Notice, Session, StoreFailure};
use zuoxi_wire::Id;

use crate::check::Checker;
use crate::dice::Dice;
use crate::rare::Rare;
use crate::story::{CUSTOMERS, Story};
use device::Device;
use disk::{Done, Job};
use gateway::Node;
use link::Link;
pub use trace::Trace;

/// The true time at the beginning, milliseconds UTC.
pub const START: u64 = 1_700_000_000_000;
/// After the last deed: so long at most until all have converged.
const HEAL_MS: u64 = 150_000;
/// How often it is looked whether they have.
const JUDGE_MS: u64 = 2_000;
/// Fewest steps of a run.
pub const STEPS: u64 = 2_000;
/// The log's epoch at the beginning.
const FIRST_EPOCH: u64 = 7;
/// More than this, and something turns in circles.
const MOST_STEPS: u64 = 400_000;

/// Something that happens at its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    Deed(usize),
    /// A connection opens, or the attempt fails.
    Opens(usize),
    Fails(usize),
    /// The next frame of a connection arrives at the gateway, or at the client.
    Up(usize),
    Down(usize),
    /// An end learns that the other is gone.
    GatewaySees(usize),
    ClientSees(usize),
    /// A device's disk has done its next job.
    Disk(usize, u32),
    Wake(usize, u32, u64),
    Types(usize),
    Starts(usize, u32),
    /// The gateway takes what has gathered; what it says leaves; it looks by itself.
    Runs(u32),
    Leaves(u32),
    GatewayWakes(u32, u64),
    GatewayStarts(u32),
    /// A page of entries that was held up sets out on this connection.
    PageLeaves(usize),
    StoreMends(u32),
    /// No more faults from here on.
    Heals,
    Judge,
}

#[derive(PartialEq, Eq)]
struct Planned {
    at: u64,
    order: u64,
    what: Happening,
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// How a run ended.
pub struct Outcome {
    pub steps: u64,
    /// Simulated milliseconds.
    pub ms: u64,
    pub trace: u64,
    pub rare: Rare,
    /// Acts whose clock a user saw, and entries of caches that were compared in the end.
    pub clocks: u64,
    pub compared: u64,
    pub failure: Option<Failure>,
}

/// What must not happen, and did.
#[derive(Debug, Clone)]
pub struct Failure {
    pub step: u64,
    pub at_ms: u64,
    pub what: String,
}

/// Everything there is in a run.
pub struct World {
    pub now: u64,
    /// By which all clocks were moved on at once.
    shift: u64,
    queue: BinaryHeap<Reverse<Planned>>,
    order: u64,
    steps: u64,
    story: Story,
    devices: Vec<Device>,
    links: Vec<Link>,
    node: Node,
    twin: Option<twin::Twin>,
    passwords: Vec<String>,
    fixed: Option<Id>,
    backup: Option<(zuoxi_rules::MemoryStore, crate::check::Truth)>,
    /// Ben is in the second team.
    in_depot: bool,
    faults: bool,
    connections: u64,
    checker: Checker,
    rare: Rare,
    trace: Trace,
    over: bool,
}

/// Plays a story; with `print`, every step is told.
pub fn play(story: &Story, print: bool) -> Outcome {
    let mut world = World::new(story.clone(), print);
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
    if let Err(panic) = ran {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        world.checker.fail(format!("a panic: {}", said.unwrap_or_default()));
    }
    world.outcome()
}

impl World {
    fn new(story: Story, print: bool) -> Self {
        let passwords: Vec<String> = people::LOGINS.iter().map(|login| (*login).to_owned()).collect();
        let seed = story.seed;
        let store = people::store(FIRST_EPOCH, &passwords, story.weather.history);
        let twin = story.weather.twin.then(|| twin::Twin::new(store.backup()));
        let mut world = Self {
            twin,
            now: 0,
            shift: 0,
            queue: BinaryHeap::new(),
            order: 0,
            steps: 0,
            devices: Vec::new(),
            links: Vec::new(),
            node: Node::new(store, Dice::new(seed, 2)),
            passwords,
            fixed: None,
            backup: None,
            in_depot: true,
            faults: true,
            connections: 0,
            checker: Checker::default(),
            rare: Rare::default(),
            trace: Trace::new(print),
            over: false,
            story,
        };
        world.checker.begins(FIRST_EPOCH);
        if world.story.weather.history {
            world.checker.know(&world.node.store.backup());
        }
        world.plan(0, Happening::GatewayStarts(0));
        for (name, agent) in [("Amy 1", 0), ("Amy 2", 0), ("Ben", 1)] {
            world.add(name.into(), Some(agent));
        }
        for n in 1..=CUSTOMERS {
            world.add(format!("customer {n}"), None);
        }
        if world.story.weather.lead {
            world.add("Lea".into(), Some(2));
        }
        let deeds: Vec<u64> = world.story.deeds.iter().map(|(at, _)| *at).collect();
        for (n, at) in deeds.iter().enumerate() {
            world.plan(*at, Happening::Deed(n));
        }
        let end = deeds.last().copied().unwrap_or(0) + 1_000;
        world.plan(end, Happening::Heals);
        world
    }

    fn add(&mut self, name: String, agent: Option<u8>) {
        let n = self.devices.len();
        let mut device = Device::new(n, name.clone(), agent, self.story.seed);
        if self.story.weather.history && n == usize::from(crate::story::CUSTOMER) {
            let token = bytes::Bytes::from_static(people::TOKEN);
            device.disk.now.values.insert("session".into(), token);
        }
        self.devices.push(device);
        self.checker.add(name, agent.map(people::agent_id));
        self.plan(1 + n as u64 * 20, Happening::Starts(n, 0));
    }

    fn plan(&mut self, at: u64, what: Happening) {
        self.order += 1;
        self.queue.push(Reverse(Planned {
            at: at.max(self.now),
            order: self.order,
            what,
        }));
    }

    fn run(&mut self) {
        while let Some(Reverse(planned)) = self.queue.pop() {
            if self.over || self.checker.failure.is_some() {
                return;
            }
            self.now = planned.at;
            self.steps += 1;
            self.checker.now = self.now;
            self.trace.step(self.now, planned.what);
            self.happen(planned.what);
            if self.steps > MOST_STEPS {
                self.checker.fail(format!("no end after {MOST_STEPS} steps"));
            }
        }
    }

    fn outcome(mut self) -> Outcome {
        let remembered = self.node.store.remembered;
        self.rare.add("repeat answered from the index", remembered.in_index);
        self.rare
            .add("repeat answered from above the base", remembered.above_base);
        self.rare
            .add("repeat answered from a remembered refusal", remembered.refused);
        self.rare
            .add("failed COMMIT that was stored", self.node.store.stored_untold);
        self.rare.take(&mut self.checker.rare);
        let (step, at_ms) = (self.steps, self.now);
        Outcome {
            steps: self.steps,
            ms: self.now,
            trace: self.trace.hash(),
            rare: self.rare,
            clocks: self.checker.clocks,
            compared: self.checker.compared,
            failure: self.checker.failure.map(|what| Failure { step, at_ms, what }),
        }
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Deed(n) => {
                let deed = self.story.deeds[n].1;
                self.deed(deed);
            }
            Happening::Opens(link) => self.opens(link),
            Happening::Up(link) => self.arrives_up(link),
            Happening::Down(link) => self.arrives_down(link),
            Happening::GatewaySees(link) => self.gateway_sees(link),
            Happening::Fails(link) | Happening::ClientSees(link) => self.client_loses(link),
            Happening::Disk(n, process) if self.runs(n, process, what) => self.disk_done(n),
            Happening::Wake(n, process, at) if self.devices[n].wake == at && self.runs(n, process, what) => {
                self.devices[n].wake = u64::MAX;
                self.tell(n, Input::Tick);
            }
            Happening::Types(n) => self.types(n),
            Happening::Starts(n, process) if self.devices[n].process == process => self.starts(n),
            Happening::Runs(process) if process == self.node.process => self.gateway_runs(),
            Happening::Leaves(process) if process == self.node.process => self.gateway_says(),
            Happening::GatewayWakes(process, at) if process == self.node.process && self.node.wake == at => {
                self.node.wake = u64::MAX;
                self.gateway_due();
            }
            Happening::GatewayStarts(process) if process == self.node.process => self.gateway_starts(),
            Happening::PageLeaves(link) => {
                if let Some(bytes) = self.links[link].late.pop_front() {
                    self.rare.add("page overtaken", 1);
                    self.goes_down(link, bytes);
                }
            }
            Happening::StoreMends(mending) if mending == self.node.mending => self.store_mends(),
            Happening::Heals => self.heals(),
            Happening::Judge => self.judge(),
            _ => {}
        }
    }

    /// Whether that process of the device still runs; what is frozen comes later.
    fn runs(&mut self, n: usize, process: u32, what: Happening) -> bool {
        let device = &self.devices[n];
        if device.process != process || device.session.is_none() {
            return false;
        }
        if device.frozen_until > self.now {
            let at = device.frozen_until;
            self.plan(at, what);
            return false;
        }
        true
    }

    /// The device's clock.
    fn clock(&self, n: usize) -> u64 {
        (START + self.now + self.shift).saturating_add_signed(self.devices[n].skew)
    }

    fn tell(&mut self, n: usize, input: Input) {
        let clock = self.clock(n);
        self.trace.input(n, &input);
        let mut out = Vec::new();
        let Some(session) = self.devices[n].session.as_mut() else {
            return;
        };
        session.handle(clock, input, &mut out);
        self.checker.waits(n, session.backlog());
        let process = self.devices[n].process;
        for output in out {
            self.trace.output(n, &output);
            match output {
                Output::Connect => self.connect(n),
                Output::Close => self.client_closes(n),
                Output::Send(frame) => self.client_sends(n, &frame),
                Output::Commit(transaction) => {
                    self.checker.gave(n, &transaction, &self.devices[n].disk.now);
                    self.write(n, Job::Commit(transaction));
                }
                Output::Read { ticket, question } => self.write(n, Job::Read(ticket, question)),
                Output::WakeAt(at) => {
                    let due = self.now + at.saturating_sub(clock);
                    let process = self.devices[n].process;
                    self.devices[n].wake = due;
                    self.plan(due, Happening::Wake(n, process, due));
                }
                Output::Reload => return self.reload(n),
                Output::Notice(notice) => self.notice(n, &notice),
            }
        }
        if self.devices[n].process == process {
            self.looks(n);
        }
    }

    /// Whoever sits there sees what was told.
    fn looks(&mut self, n: usize) {
        let Device {
            session,
            eyes,
            disk,
            name,
            ..
        } = &mut self.devices[n];
        if let Some((session, eyes)) = session.as_ref().zip(eyes.as_mut())
            && let Err(what) = eyes.look(session, &disk.now, self.checker.was_restored(), &mut self.rare)
        {
            self.checker.fail(format!("{name} is shown {what}"));
        }
    }

    fn write(&mut self, n: usize, job: Job) {
        let slowest = self.story.weather.disk;
        let device = &mut self.devices[n];
        let idle = device.disk.waiting() == 0;
        device.disk.push(job);
        if idle {
            let at = self.now + device.dice.between(1, slowest);
            let process = device.process;
            self.plan(at, Happening::Disk(n, process));
        }
    }

    fn disk_done(&mut self, n: usize) {
        let Some(done) = self.devices[n].disk.work() else {
            return;
        };
        if self.devices[n].disk.waiting() > 0 {
            let slowest = self.story.weather.disk;
            let device = &mut self.devices[n];
            let (at, process) = (self.now + device.dice.between(1, slowest), device.process);
            self.plan(at, Happening::Disk(n, process));
        }
        match done {
            Done::Committed(transaction) => {
                self.checker.stored(n, &transaction, &self.devices[n].disk.now);
                self.tell(
                    n,
                    Input::Committed {
                        token: transaction.token,
                    },
                );
            }
            Done::Failed(token, last) => {
                self.rare.add("disk full at a device", u64::from(last));
                self.checker.not_stored(n, token);
                let why = StoreFailure::Full;
                self.tell(n, Input::CommitFailed { token, why });
            }
            Done::Read(ticket, answer) => {
                self.rare.add("read error at a device", u64::from(answer.is_none()));
                self.tell(n, Input::Read { ticket, answer });
            }
        }
    }

    /// The session gave up after a failed commit: it goes on from what is stored.
    fn reload(&mut self, n: usize) {
        // Each is judged by the disk as it is then: the next may bring the new epoch of a restored log.
        while let Some(transaction) = self.devices[n].disk.works_off() {
            self.checker.stored(n, &transaction, &self.devices[n].disk.now);
        }
        self.rare.add("session loaded anew", 1);
        self.client_closes(n);
        self.devices[n].process += 1;
        self.starts(n);
    }

    fn notice(&mut self, n: usize, notice: &Notice) {
        self.checker.noticed(n, notice, &self.devices[n].disk.now);
        let Device {
            session, eyes, disk, ..
        } = &mut self.devices[n];
        if let Some((session, eyes)) = session.as_ref().zip(eyes.as_mut()) {
            eyes.hear(notice, session, &disk.now);
        }
        match notice {
            Notice::LogInFailed(_) | Notice::SessionEnded if !self.devices[n].typing => {
                self.devices[n].typing = true;
                let at = self.now + self.devices[n].dice.between(500, 3_000);
                self.plan(at, Happening::Types(n));
            }
            _ => {}
        }
    }

    /// Whoever is logged out logs in again. A customer whose session is gone begins anew, with an empty cache.
    fn types(&mut self, n: usize) {
        self.devices[n].typing = false;
        if self.devices[n].session.is_none() {
            return;
        }
        if self.devices[n].is_customer() && self.devices[n].disk.now.values.contains_key("logged_in") {
            self.stop_process(n);
            self.devices[n].disk = disk::Disk::default();
            self.checker.forgot(n);
            self.starts(n);
            return;
        }
        let credential = self.devices[n].credential(&self.passwords);
        self.user(
            n,
            Command::LogIn {
                credential,
                remember: true,
            },
        );
    }

    fn user(&mut self, n: usize, command: Command) {
        self.tell(n, Input::User(command));
    }

    fn starts(&mut self, n: usize) {
        let clock = self.clock(n);
        let device = &mut self.devices[n];
        device.link = None;
        device.wake = u64::MAX;
        device.config.seed = device.dice.next();
        let loaded = device.disk.now.load();
        let known = loaded.values.contains_key("session");
        let session = Session::load(device.config.clone(), loaded, clock);
        if let Some(eyes) = &mut device.eyes {
            eyes.begin(&session);
        }
        device.session = Some(session);
        self.checker.started(n, &self.devices[n].disk.now);
        if known {
            self.tell(n, Input::Tick);
        } else {
            self.types(n);
        }
    }

    /// The process is gone, and its connection breaks.
    fn stop_process(&mut self, n: usize) {
        self.client_closes(n);
        let device = &mut self.devices[n];
        device.session = None;
        device.process += 1;
        device.frozen_until = 0;
        device.typing = false;
        device.disk.kill();
    }

    fn heals(&mut self) {
        self.faults = false;
        self.store_mends();
        if self.node.gateway.is_none() {
            self.gateway_starts();
        }
        self.node.store.dies_after = None;
        self.node.store.commit_fault = None;
        self.node.store.lose_refusal = false;
        for n in 0..self.devices.len() {
            let device = &mut self.devices[n];
            device.disk.full = 0;
            device.disk.unreadable = 0;
            device.partition_until = 0;
            device.slow_until = 0;
            device.frozen_until = 0;
            if device.session.is_none() {
                device.process += 1;
                self.starts(n);
            }
        }
        self.checker.heals_at = self.now;
        self.plan(self.now + JUDGE_MS, Happening::Judge);
    }

    /// Have all converged?
    fn judge(&mut self) {
        let late = self.now > self.checker.heals_at + HEAL_MS;
        let mut waits = None;
        for (n, device) in self.devices.iter().enumerate() {
            let said = self.checker.unsettled(n, device);
            if said.is_some() {
                waits = said;
                break;
            }
        }
        match waits {
            Some(said) if late => self.checker.fail(format!("it doesn't converge: {said}")),
            Some(_) => self.plan(self.now + JUDGE_MS, Happening::Judge),
            None if !self.checker.last_words => {
                // Everybody can still be heard.
                self.checker.last_words = true;
                for n in 0..self.devices.len() {
                    self.says(n, crate::story::ANY, 1, false);
                }
                self.plan(self.now + JUDGE_MS, Happening::Judge);
            }
            None if self.steps < STEPS => {
                for n in 0..self.devices.len() {
                    self.says(n, 0, 2, false);
                }
                self.plan(self.now + JUDGE_MS, Happening::Judge);
            }
            None => {
                for (n, device) in self.devices.iter().enumerate() {
                    self.checker.end(n, device);
                }
                self.over = true;
            }
        }
    }
}
