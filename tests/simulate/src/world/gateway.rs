//! The gateway's process: what gathers while a group commits is the next group, and nothing leaves before the commit.

use std::collections::{BTreeMap, BTreeSet};

use zuoxi_rules::{ConnectionId, Event, Gateway, MemoryStore, Output};
use zuoxi_wire::frame;
use zuoxi_wire::v1::gateway_frame;

use crate::dice::Dice;
use crate::story::Weather;

use super::people::hash_of;
use super::store::GatewayStore;
use super::{Happening, START, World};

/// The process and its disk.
pub struct Node {
    pub gateway: Option<Gateway>,
    pub store: GatewayStore,
    /// Counts processes.
    pub process: u32,
    batch: Vec<Event>,
    /// What leaves when the group's commit is done.
    leaving: Vec<Output>,
    busy: bool,
    due: bool,
    pub wake: u64,
    pub links: BTreeMap<ConnectionId, usize>,
    /// Connections of customers, those that are gone too.
    pub customers: BTreeSet<ConnectionId>,
    pub dice: Dice,
    pub skew: i64,
    pub mending: u32,
}

impl Node {
    pub fn new(store: MemoryStore, dice: Dice) -> Self {
        Self {
            gateway: None,
            store: GatewayStore::new(store),
            process: 0,
            batch: Vec::new(),
            leaving: Vec::new(),
            busy: false,
            due: false,
            wake: u64::MAX,
            links: BTreeMap::new(),
            customers: BTreeSet::new(),
            dice,
            skew: 0,
            mending: 0,
        }
    }
}

/// How long history is kept where it is cut: less than [`Deed::Month`](crate::story::Deed::Month).
const KEEP_MS: u64 = 20 * 24 * 3_600_000;
/// A page that is late leaves so much later at most, milliseconds.
const LATE_MS: u64 = 1_500;

fn rules(weather: Weather) -> zuoxi_rules::Config {
    zuoxi_rules::Config {
        keep_ms: if weather.keep { KEEP_MS } else { 0 },
        customer_acts_burst: 24,
        agent_acts_burst: 200,
        wrong_per_name: u32::MAX,
        wrong_per_address: u32::MAX,
        feed_page_rows: weather.feed_rows,
        ..zuoxi_rules::Config::default()
    }
}

impl World {
    fn gateway_clock(&self) -> u64 {
        (START + self.now + self.shift).saturating_add_signed(self.node.skew)
    }

    pub(super) fn gateway_starts(&mut self) {
        let clock = self.gateway_clock();
        let seed = self.node.dice.bytes32();
        self.node.store.reopen();
        let config = rules(self.story.weather);
        let Ok(gateway) = Gateway::new(config, &mut self.node.store, seed, clock) else {
            let process = self.node.process;
            return self.plan(self.now + 1_000, Happening::GatewayStarts(process));
        };
        let config = rules(self.story.weather);
        if let Some(twin) = &mut self.twin {
            twin.gateway = Gateway::new(config, &mut twin.store, seed, clock).ok();
        }
        self.node.gateway = Some(gateway);
        self.gateway_due();
    }

    pub(super) fn gateway_hears(&mut self, event: Event) {
        if self.node.gateway.is_none() {
            return;
        }
        self.node.batch.push(event);
        self.gateway_due();
    }

    pub(super) fn gateway_due(&mut self) {
        if self.node.gateway.is_none() {
            return;
        }
        self.node.due = true;
        if !self.node.busy {
            let process = self.node.process;
            self.node.busy = true;
            self.plan(self.now, Happening::Runs(process));
        }
    }

    pub(super) fn gateway_runs(&mut self) {
        let clock = self.gateway_clock();
        let Some(gateway) = self.node.gateway.as_mut() else {
            return;
        };
        self.node.due = false;
        let mut batch = std::mem::take(&mut self.node.batch);
        if batch.is_empty() {
            batch.push(Event::Tick);
        }
        let copied = self.twin.is_some().then(|| batch.clone());
        let untold = self.node.store.stored_untold;
        let mut out = Vec::new();
        gateway.handle(&mut self.node.store, clock, batch, &mut out);
        let written = std::mem::take(&mut self.node.store.committed);
        let groups = std::mem::take(&mut self.node.store.groups);
        self.checker.wrote(written);
        self.checker.several = groups > 1;
        if self.node.store.stored_untold != untold {
            self.checker.untold();
        }
        if let Some(batch) = copied {
            self.twin_runs(clock, batch, &out);
        }
        if self.node.store.dead {
            self.rare.add("gateway killed between two writes", 1);
            return self.kill_gateway(300);
        }
        // Each is called when the other wants to be, so that neither is late.
        let twins = self.twin.as_ref().map_or(u64::MAX, |twin| twin.wake);
        for output in &out {
            if let Output::WakeAt { ms } = output {
                let at = self.now + twins.min(*ms).saturating_sub(clock);
                self.node.wake = at;
                let process = self.node.process;
                self.plan(at, Happening::GatewayWakes(process, at));
            }
        }
        self.node.leaving = out;
        let done = self.now + self.node.dice.between(1, self.story.weather.commit);
        let process = self.node.process;
        self.plan(done, Happening::Leaves(process));
    }

    pub(super) fn gateway_says(&mut self) {
        self.node.busy = false;
        for output in std::mem::take(&mut self.node.leaving) {
            match output {
                Output::Send { connection, frame } => {
                    if let Some(link) = self.node.links.get(&connection).copied() {
                        let n = self.links[link].device;
                        self.checker.told(n, link, &frame);
                        let frame = self.through_cache(n, frame);
                        self.trace.say(|| format!("gateway -> [{n}] {frame:?}"));
                        let bytes = frame::encode_gateway(&frame);
                        let page = matches!(frame.kind, Some(gateway_frame::Kind::EntriesPage(_)));
                        if page && self.story.weather.late_pages && self.node.dice.often(400) {
                            let at = self.now + self.node.dice.between(1, LATE_MS);
                            self.links[link].late.push_back(bytes);
                            self.plan(at, Happening::PageLeaves(link));
                        } else {
                            self.goes_down(link, bytes);
                        }
                    }
                }
                Output::Close { connection } => {
                    self.node.batch.push(Event::Closed { connection });
                    self.node.due = true;
                    if let Some(link) = self.node.links.remove(&connection) {
                        self.gateway_closes(link, false);
                    }
                }
                Output::CheckPassword {
                    connection,
                    hash,
                    password,
                } => {
                    let ok = hash == Some(hash_of(&password));
                    self.node.batch.push(Event::PasswordChecked { connection, ok });
                    self.node.due = true;
                }
                Output::HashPassword { connection, password } => {
                    let hash = Some(hash_of(&password));
                    self.node.batch.push(Event::PasswordHashed { connection, hash });
                    self.node.due = true;
                }
                Output::VerifyIdentity { connection, .. } => {
                    self.node.batch.push(Event::IdentityVerified {
                        connection,
                        claims: None,
                    });
                    self.node.due = true;
                }
                Output::WakeAt { .. } => {}
            }
        }
        self.checker.said(self.node.store.bad_reads > 0);
        if self.node.due {
            self.gateway_due();
        }
    }

    /// kill -9: nothing of its connections reaches the next process.
    pub(super) fn kill_gateway(&mut self, ms: u64) {
        self.node.gateway = None;
        self.node.process += 1;
        self.node.batch.clear();
        self.node.leaving.clear();
        self.node.busy = false;
        self.node.wake = u64::MAX;
        for link in std::mem::take(&mut self.node.links).into_values() {
            self.gateway_closes(link, true);
        }
        let process = self.node.process;
        self.plan(self.now + ms, Happening::GatewayStarts(process));
    }

    pub(super) fn store_mends(&mut self) {
        self.node.store.set_full(false);
        self.node.store.bad_reads = 0;
    }

    /// The administrator changes something, and the gateway is told.
    pub(super) fn administer(
        &mut self,
        change: impl Fn(&mut dyn zuoxi_rules::Store) -> zuoxi_rules::store::Stored<()>,
    ) -> bool {
        let all = |store: &mut dyn zuoxi_rules::Store| {
            let done = store.begin().and_then(|()| change(store)).and_then(|()| store.commit());
            if done.is_err() {
                store.rollback();
            }
            done
        };
        let store = &mut self.node.store;
        let faults = (store.commit_fault.take(), store.dies_after.take());
        let done = all(store);
        (store.commit_fault, store.dies_after) = faults;
        if let Some(twin) = self.twin.as_mut().filter(|_| done.is_ok()) {
            // It has no faults.
            all(&mut twin.store).expect("a store in memory takes it");
        }
        let written = std::mem::take(&mut store.committed);
        self.checker.wrote(written);
        done.is_ok()
    }

    /// The store goes back to the backup; its log has another epoch.
    pub(super) fn restore(&mut self, ms: u64) {
        let Some((backup, truth)) = self
            .backup
            .as_ref()
            .map(|(store, truth)| (store.backup(), truth.clone()))
        else {
            return;
        };
        self.kill_gateway(ms);
        let remembered = (self.node.store.remembered, self.node.store.stored_untold);
        self.node.store = GatewayStore::new(backup);
        (self.node.store.remembered, self.node.store.stored_untold) = remembered;
        let epoch = self.node.dice.next() | 1;
        let passwords = self.passwords.clone();
        let in_depot = self.in_depot;
        self.administer(|store| {
            store.renew_epoch(epoch)?;
            // The administrator sets again what the backup doesn't know.
            for (n, password) in (0..).zip(&passwords) {
                store.put_agent(&super::people::agent(n, password, in_depot))?;
            }
            Ok(())
        });
        self.checker.restored(truth, epoch, &self.devices);
        self.rare.add("log epoch", 1);
    }
}
