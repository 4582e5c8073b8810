//! One run: everybody talks while processes are killed and halted, lines break and disks fill; then calm, until all
//! have caught up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::Outcome;
use crate::cast::{Client, Gateway, Role};
use crate::check::{Witness, check};
use crate::disk::{SmallDisk, wal_bytes};
use crate::proxy::Weather;
use crate::status::Order;
use crate::tally::Tally;

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Plan {
    /// `zuoxi-torture`: desks and customers are processes of it.
    pub program: PathBuf,
    /// `zuoxi-gateway`.
    pub gateway: PathBuf,
    /// Folder of all data.
    pub folder: PathBuf,
    /// The same seed gives the same faults in the same order, not at the same instants.
    pub seed: u64,
    /// How long the storm lasts.
    pub storm: Duration,
    /// Mean time between two kills.
    pub kill_every: Duration,
    /// The gateway's data lies on a small file system that is filled; else its files are limited.
    pub small_disk: bool,
}

/// Log-in names; the first agent has two desks.
const DESKS: [&str; 4] = ["lin", "lin", "wang", "zhao"];
const CUSTOMERS: usize = 6;
/// Mean milliseconds between two acts of one client, and how many may wait for their answer.
const DESK_PACE: (u64, usize) = (50, 24);
const CUSTOMER_PACE: (u64, usize) = (90, 12);
/// How long a kill waits for an act in flight at whom it aims at; then it aims at another, a few times.
const AIM: Duration = Duration::from_millis(1_500);
const AIMS: usize = 4;
/// How long after the storm all may take to catch up: two pauses of 30 s between attempts, and room.
const CALM: Duration = Duration::from_mins(2);
/// The loop looks around so often.
const LOOK: Duration = Duration::from_millis(4);

/// Who is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Gateway,
    Client(usize),
}

/// What is due later.
#[derive(Debug, Clone, Copy)]
enum Due {
    Start(Target),
    GoOn(Target),
    Fair(usize),
    Room(Target),
}

struct Storm {
    plan: Plan,
    random: fastrand::Rng,
    gateway: Gateway,
    gateway_up: bool,
    clients: Vec<Client>,
    disk: Option<SmallDisk>,
    due: Vec<(Instant, Due)>,
    tally: Tally,
}

/// Runs a storm, waits for calm, ends everything and checks it.
///
/// # Errors
/// Something could not be started or read; what is wrong with messages stands in the tally.
pub async fn run(plan: Plan) -> Outcome<Tally> {
    let begun = Instant::now();
    let mut storm = Storm::begin(plan).await?;
    storm.rage().await?;
    storm.calm().await?;
    storm.end().await;
    let mut tally = storm.judge().await?;
    tally.seconds = begun.elapsed().as_secs_f64();
    Ok(tally)
}

impl Storm {
    async fn begin(plan: Plan) -> Outcome<Self> {
        let mut random = fastrand::Rng::with_seed(plan.seed);
        let place = plan.folder.join("gateway");
        let disk = plan.small_disk.then(|| SmallDisk::mount(&place)).transpose();
        let disk = disk.unwrap_or_else(|error| {
            println!("a small file system can't be mounted here ({error}): the gateway's files are limited instead");
            None
        });
        let agents: Vec<String> = DESKS.iter().skip(1).map(|&login| login.to_owned()).collect();
        let logs = plan.folder.join("logs");
        let mut gateway = Gateway::found(&plan.gateway, &place, &logs, &agents).await?;
        if !gateway.serve().await? {
            return Err("the gateway doesn't start".into());
        }
        let mut clients = Vec::new();
        let desks = DESKS.iter().map(|login| (Role::Desk, *login, DESK_PACE));
        let customers = (0..CUSTOMERS).map(|_| (Role::Customer, "", CUSTOMER_PACE));
        for (number, (role, login, pace)) in desks.chain(customers).enumerate() {
            let folder = plan.folder.join(format!("client-{number}"));
            let address = gateway.address();
            let seed = random.u64(..);
            let mut client = Client::new(&plan.program, role, login, &folder, address, pace, seed).await?;
            client.start()?;
            clients.push(client);
        }
        Ok(Self {
            plan,
            random,
            gateway,
            gateway_up: true,
            clients,
            disk,
            due: Vec::new(),
            tally: Tally::default(),
        })
    }

    /// Milliseconds around a mean.
    fn around(&mut self, mean: Duration) -> Duration {
        Duration::from_millis(self.random.u64(1..=2 * mean.as_millis().max(1) as u64))
    }

    fn later(&mut self, after: Duration, due: Due) {
        self.due.push((Instant::now() + after, due));
    }

    async fn rage(&mut self) -> Outcome {
        // All log in before the first fault: a first log-in is no session that goes on.
        let begun = Instant::now();
        while self.clients.iter().any(|client| !client.status().online) && begun.elapsed() < CALM {
            sleep(LOOK).await;
        }
        let end = Instant::now() + self.plan.storm;
        let mut kill_at = Instant::now() + self.around(self.plan.kill_every);
        let mut weather_at = Instant::now() + self.around(Duration::from_millis(700));
        let mut halt_at = Instant::now() + self.around(Duration::from_secs(4));
        let mut disk_at = Instant::now() + self.around(Duration::from_secs(10));
        while Instant::now() < end {
            self.do_due().await?;
            self.revive();
            let now = Instant::now();
            if now >= kill_at {
                self.kill().await;
                kill_at = Instant::now() + self.around(self.plan.kill_every);
            }
            if now >= weather_at {
                self.change_weather();
                weather_at = now + self.around(Duration::from_millis(700));
            }
            if now >= halt_at {
                self.halt();
                halt_at = now + self.around(Duration::from_secs(4));
            }
            if now >= disk_at {
                self.fill_disk();
                disk_at = now + self.around(Duration::from_secs(10));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    async fn do_due(&mut self) -> Outcome {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.due.drain(..).partition(|(at, _)| *at <= now);
        self.due = later;
        for (_, due) in due {
            match due {
                Due::Start(Target::Gateway) => {
                    self.gateway_up = self.gateway.serve().await?;
                    if self.gateway_up {
                        self.tell_network().await;
                    } else {
                        // Its disk is full: it is tried again, as a service manager would.
                        self.tally.refused_to_start += 1;
                        self.later(Duration::from_millis(300), due);
                    }
                }
                Due::Start(Target::Client(at)) => {
                    if let Some(client) = self.clients.get_mut(at) {
                        client.start()?;
                    }
                }
                Due::GoOn(Target::Gateway) => self.gateway.go_on(),
                Due::GoOn(Target::Client(at)) => self.clients.get(at).into_iter().for_each(Client::go_on),
                Due::Fair(at) => {
                    if let Some(client) = self.clients.get_mut(at) {
                        client.line.set(Weather::Fair);
                        client.order(Order::Network).await;
                    }
                }
                Due::Room(Target::Gateway) => match &self.disk {
                    Some(disk) => disk.clear(),
                    None => self.gateway.limit_files(None),
                },
                Due::Room(Target::Client(at)) => {
                    self.clients
                        .get(at)
                        .into_iter()
                        .for_each(|client| client.limit_files(None));
                }
            }
        }
        Ok(())
    }

    /// Most computers learn that the network is back; the others wait for their next attempt.
    async fn tell_network(&mut self) {
        for client in &mut self.clients {
            if self.random.u32(..5) > 0 {
                client.order(Order::Network).await;
            }
        }
    }

    /// Who ended by itself (its disk was full at the start) is started again.
    fn revive(&mut self) {
        for at in 0..self.clients.len() {
            let waits = |(_, due): &(Instant, Due)| matches!(due, Due::Start(Target::Client(other)) if *other == at);
            if self.due.iter().any(waits) {
                continue;
            }
            if let Some(client) = self.clients.get_mut(at)
                && client.ended()
            {
                self.tally.ended += 1;
                self.later(Duration::from_millis(300), Due::Start(Target::Client(at)));
            }
        }
    }

    fn in_flight(&mut self, target: Target) -> bool {
        match target {
            Target::Gateway => self.gateway_up && self.clients.iter_mut().any(|client| client.in_flight() > 0),
            Target::Client(at) => {
                !self.is_down(target) && self.clients.get_mut(at).is_some_and(|client| client.in_flight() > 0)
            }
        }
    }

    /// kill -9 of somebody, with an act in flight where there is one within the patience.
    async fn kill(&mut self) {
        let mut target = self.victim();
        for _ in 0..AIMS {
            let aimed = Instant::now();
            while !self.is_down(target) && !self.in_flight(target) && aimed.elapsed() < AIM {
                sleep(Duration::from_millis(1)).await;
            }
            if self.in_flight(target) {
                break;
            }
            target = self.victim();
        }
        if self.is_down(target) {
            return;
        }
        sleep(Duration::from_micros(self.random.u64(..8_000))).await;
        self.tally.kills += 1;
        self.tally.in_flight += u64::from(self.in_flight(target));
        let pause = self.around(Duration::from_millis(120));
        let desks = DESKS.len();
        match target {
            Target::Gateway => {
                self.gateway.kill().await;
                self.gateway_up = false;
                self.tally.gateways += 1;
            }
            Target::Client(at) => {
                if let Some(client) = self.clients.get_mut(at) {
                    client.kill().await;
                }
                self.tally.desks += u64::from(at < desks);
            }
        }
        self.later(pause, Due::Start(target));
    }

    fn victim(&mut self) -> Target {
        let desks = DESKS.len();
        match self.random.u32(..100) {
            0..36 => Target::Gateway,
            36..76 => Target::Client(self.random.usize(..desks)),
            _ => Target::Client(self.random.usize(desks..self.clients.len())),
        }
    }

    fn is_down(&self, target: Target) -> bool {
        let starts = |(_, due): &(Instant, Due)| matches!(due, Due::Start(other) if *other == target);
        self.due.iter().any(starts)
    }

    fn change_weather(&mut self) {
        let at = self.random.usize(..self.clients.len());
        let weather = match self.random.u32(..100) {
            0..40 => Weather::Cut(if self.random.bool() {
                0
            } else {
                self.random.usize(1..3_000)
            }),
            40..65 => Weather::Slow(self.random.u64(5..150)),
            65..80 => Weather::Narrow(self.random.u32(2_000..60_000)),
            _ => {
                let draw = self.random.u32(1..4);
                Weather::HalfOpen {
                    up: draw & 1 > 0,
                    down: draw & 2 > 0,
                }
            }
        };
        let lasts = match weather {
            Weather::Cut(_) => self.around(Duration::from_millis(300)),
            // A few outlast the heartbeat that finds them dead.
            Weather::HalfOpen { .. } if self.random.u32(..8) == 0 => Duration::from_secs(45),
            _ => self.around(Duration::from_secs(2)),
        };
        let Some(client) = self.clients.get(at) else { return };
        if client.line.weather() != Weather::Fair {
            return;
        }
        client.line.set(weather);
        *match weather {
            Weather::Cut(_) => &mut self.tally.cuts,
            Weather::HalfOpen { .. } => &mut self.tally.half_open,
            _ => &mut self.tally.slow,
        } += 1;
        self.later(lasts, Due::Fair(at));
    }

    fn somebody(&mut self) -> Target {
        match self.random.usize(..=self.clients.len()) {
            0 => Target::Gateway,
            at => Target::Client(at - 1),
        }
    }

    fn halt(&mut self) {
        let target = self.somebody();
        if self.is_down(target) {
            return;
        }
        match target {
            Target::Gateway => self.gateway.halt(),
            Target::Client(at) => self.clients.get(at).into_iter().for_each(Client::halt),
        }
        self.tally.halts += 1;
        let lasts = self.around(Duration::from_millis(700));
        self.later(lasts, Due::GoOn(target));
    }

    fn fill_disk(&mut self) {
        let target = if self.random.u32(..3) == 0 {
            Target::Gateway
        } else {
            Target::Client(self.random.usize(..self.clients.len()))
        };
        if self.is_down(target) {
            return;
        }
        let share = self.random.f64();
        let limit = |folder: &Path| Some((wal_bytes(folder) as f64 * share) as u64);
        match (target, &self.disk) {
            (Target::Gateway, Some(disk)) => disk.fill(),
            (Target::Gateway, None) => self.gateway.limit_files(limit(self.gateway.data())),
            (Target::Client(at), _) => {
                if let Some(client) = self.clients.get(at) {
                    client.limit_files(limit(&client.data()));
                }
            }
        }
        self.tally.full_disks += 1;
        let lasts = self.around(Duration::from_millis(800));
        self.later(lasts, Due::Room(target));
    }

    /// All faults end, nobody says anything new; until everybody says that nothing is missing.
    async fn calm(&mut self) -> Outcome {
        for (at, _) in &mut self.due {
            *at = Instant::now();
        }
        while !self.due.is_empty() {
            self.do_due().await?;
            sleep(LOOK).await;
        }
        for client in &mut self.clients {
            client.line.set(Weather::Fair);
            client.go_on();
            client.order(Order::Quiet).await;
            client.order(Order::Network).await;
        }
        let begun = Instant::now();
        while begun.elapsed() < CALM {
            self.revive();
            self.do_due().await?;
            if self.all_caught_up() {
                self.tally.caught_up_ms = begun.elapsed().as_millis() as u64;
                // And still so a while later: what was under way has come.
                sleep(Duration::from_millis(500)).await;
                if self.all_caught_up() {
                    return Ok(());
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
        for client in &self.clients {
            let status = client.status();
            if !status.up_to_date || status.waiting > 0 {
                let who = client.seen();
                self.tally
                    .findings
                    .lost
                    .push(format!("{}: didn't catch up: {status}", who.display()));
            }
        }
        Ok(())
    }

    fn all_caught_up(&self) -> bool {
        self.clients.iter().all(|client| {
            let status = client.status();
            status.up_to_date && status.waiting == 0
        })
    }

    async fn end(&mut self) {
        for client in &mut self.clients {
            client.order(Order::End).await;
        }
        sleep(Duration::from_millis(300)).await;
        for client in &mut self.clients {
            client.kill().await;
        }
        self.gateway.kill().await;
    }

    async fn judge(mut self) -> Outcome<Tally> {
        if let Err(error) = self.gateway.run(&["check"]).await {
            self.tally.findings.misordered.push(error.to_string());
        }
        let witnesses: Vec<Witness> = self
            .clients
            .iter()
            .enumerate()
            .map(|(number, client)| Witness {
                name: format!("client {number} {}", client.login),
                role: client.role,
                login: client.login.clone(),
                seen: client.seen(),
                data: client.data(),
            })
            .collect();
        let found = check(&self.gateway.data().join("gateway.db"), &witnesses)?;
        self.tally.findings.add(found);
        if self.disk.is_some() && !self.tally.findings.clean() {
            // The small file system goes with the run.
            let _ = std::fs::copy(
                self.gateway.data().join("gateway.db"),
                self.plan.folder.join("gateway.db"),
            );
        }
        Ok(self.tally)
    }
}
