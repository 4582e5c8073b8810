//! Deeds done: each finds out for itself what it can be done to.

use zuoxi_protocol::change::{OutboxState, Range};
use zuoxi_protocol::{Command, Input, NewAct};
use zuoxi_rules::Event;
use zuoxi_rules::memory::CommitFault;
use zuoxi_rules::record::{Feed, FeedState};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, transfer_content};

use crate::story::{ANY, Deed, FIXED, LAST};

use super::people::{self, DEPOT, SHOP, agent_id};
use super::{Happening, World, words};

/// A text of the largest size that a message may have, in bytes.
const BIG: usize = 4_000;
/// A month and a day.
const MONTH_MS: u64 = 31 * 24 * 3_600_000;
/// At most one device is copied in a run.
const DEVICES: usize = 10;

impl World {
    fn who(&self, who: u8) -> usize {
        if who == LAST {
            return self.devices.len() - 1;
        }
        usize::from(who) % self.devices.len()
    }

    fn fault(&mut self, name: &'static str) -> bool {
        if self.faults {
            self.rare.fault(name);
        }
        self.faults
    }

    pub(super) fn deed(&mut self, deed: Deed) {
        match deed {
            Deed::Say { who, talk, count, big } => self.says(self.who(who), talk, count, big),
            Deed::Note { who, talk } => self.notes(self.who(who), talk),
            Deed::Recall { who, pick } => self.recalls(self.who(who), pick),
            Deed::Take { who, talk } => self.acts(self.who(who), talk, ActKind::Take, bytes::Bytes::new()),
            Deed::Transfer { who, talk, to } => {
                let to = match to {
                    0..=2 => transfer_content::To::Agent(agent_id(to).to_bytes()),
                    3 => transfer_content::To::Team(SHOP.to_bytes()),
                    _ => transfer_content::To::Team(DEPOT.to_bytes()),
                };
                self.acts(self.who(who), talk, ActKind::Transfer, words::hand_to(to));
            }
            Deed::Close { who, talk } => self.acts(self.who(who), talk, ActKind::Close, bytes::Bytes::new()),
            Deed::Discard { who, pick } => self.discards(self.who(who), pick),
            Deed::Resend { who, pick } => self.resends(self.who(who), pick),
            Deed::SendAgain { who, pick } => self.sends_again(self.who(who), pick),
            Deed::Read { who, talk } => self.reads(self.who(who), talk),
            Deed::Type { who, talk } => {
                let n = self.who(who);
                let conversation = self.talk(n, talk);
                if conversation.is_some() || self.devices[n].is_customer() {
                    let typing = true;
                    self.user(n, Command::Typing { conversation, typing });
                }
            }
            Deed::Watch { who, talk } => {
                let n = self.who(who);
                if let Some(conversation) = self.talk(n, talk) {
                    self.user(n, Command::Watch { conversation });
                }
            }
            Deed::Unwatch { who, talk } => {
                let n = self.who(who);
                if let Some(conversation) = self.talk(n, talk) {
                    self.user(n, Command::Unwatch { conversation });
                }
            }
            Deed::Want { who, talk, from } => self.wants(self.who(who), talk, from),
            Deed::Fix { who } => {
                let n = self.who(who);
                self.fixed = self.talk(n, 0);
            }
            other => self.breaks_something(other),
        }
    }

    fn breaks_something(&mut self, deed: Deed) {
        match deed {
            Deed::Break { who, late } if self.fault("connection broken") => self.breaks(self.who(who), late),
            Deed::HalfOpen { who, up } if self.fault("half-open") => {
                if let Some(link) = self.devices[self.who(who)].link {
                    let wire = &mut self.links[link];
                    if up {
                        wire.up_lost = true;
                        wire.up.clear();
                    } else {
                        wire.down_lost = true;
                        wire.down.clear();
                    }
                }
            }
            Deed::Cut { who } if self.fault("cut in mid-frame") => {
                let n = self.who(who);
                if let Some(link) = self.devices[n].link {
                    // A message that didn't come whole is none.
                    self.links[link].up.pop_back();
                    self.breaks(n, true);
                }
            }
            Deed::Partition { who, ms } if self.fault("partition") => {
                let n = self.who(who);
                self.devices[n].partition_until = self.now + u64::from(ms);
            }
            Deed::Slow { who, ms } if self.fault("slow reader") => {
                let n = self.who(who);
                self.devices[n].slow_until = self.now + u64::from(ms);
            }
            Deed::Older { who, ms } if self.fault("older blocks") => {
                let n = self.who(who);
                self.devices[n].older_until = self.now + u64::from(ms);
            }
            Deed::Network { who } => self.tell(self.who(who), Input::NetworkChanged),
            Deed::Kill { who, ms } if self.fault("device killed") => {
                let n = self.who(who);
                self.stop_process(n);
                self.starts_later(n, ms);
            }
            Deed::PowerLoss { who, ms, kept } if self.fault("power lost") => {
                let n = self.who(who);
                self.client_closes(n);
                let lost = self.devices[n].disk.lose_power(usize::from(kept));
                self.rare.add("torn write", u64::from(lost > 0));
                self.stop_process(n);
                self.starts_later(n, ms);
            }
            Deed::DiskFull { who, count } if self.fault("disk full") => {
                let n = self.who(who);
                self.devices[n].disk.full = u32::from(count);
            }
            Deed::Unreadable { who } if self.fault("read error") => {
                let n = self.who(who);
                self.devices[n].disk.unreadable += 1;
            }
            Deed::Sleep { who, ms } if self.fault("device asleep") => {
                let n = self.who(who);
                self.devices[n].frozen_until = self.now + u64::from(ms);
            }
            Deed::Clock { who, ms } if self.fault("clock jump") => {
                let n = self.who(who);
                self.stop_process(n);
                self.devices[n].skew += i64::from(ms);
                self.starts_later(n, 100);
            }
            Deed::Copy { who } if self.devices.len() < DEVICES && self.fault("copied device") => {
                self.copies(self.who(who));
            }
            Deed::KillGateway { after, ms, clock } if self.fault("gateway killed") => {
                self.node.skew += i64::from(clock);
                if after < 255 && self.node.gateway.is_some() {
                    self.node.store.dies_after = Some(u32::from(after));
                } else {
                    self.kill_gateway(u64::from(ms));
                }
            }
            Deed::CommitLost if self.fault("COMMIT failed") => self.node.store.commit_fault = Some(CommitFault::Lost),
            Deed::LoseRefusal if self.fault("COMMIT failed") => self.node.store.lose_refusal = true,
            Deed::CommitStored if self.fault("COMMIT failed") => {
                self.node.store.commit_fault = Some(CommitFault::Stored);
            }
            Deed::Full { ms } if self.fault("gateway's disk full") => {
                self.node.store.set_full(true);
                self.mends_later(ms);
            }
            Deed::BadReads { ms } if self.fault("gateway's read error") => {
                self.node.store.bad_reads = 5 + self.node.dice.below(20);
                self.mends_later(ms);
            }
            other => self.administers(other),
        }
    }

    fn administers(&mut self, deed: Deed) {
        match deed {
            Deed::Backup => self.backup = Some((self.node.store.backup(), self.checker.backup())),
            Deed::Restore { ms } if self.backup.is_some() && self.fault("log restored") => {
                self.restore(u64::from(ms));
            }
            Deed::Teams if self.fault("rights changed") => {
                let agent = people::agent(1, &self.passwords[1], !self.in_depot);
                if self.administer(|store| store.put_agent(&agent)) {
                    self.in_depot = !self.in_depot;
                    self.checker.teams(self.in_depot);
                    self.gateway_hears(Event::FactsChanged);
                }
            }
            Deed::Password { who } if self.fault("password changed") => {
                if let Some(agent) = self.devices[self.who(who)].agent {
                    let password = format!("{}{}", people::LOGINS[usize::from(agent)], self.order);
                    let row = people::agent(agent, &password, self.in_depot);
                    if self.administer(|store| store.put_agent(&row)) {
                        self.passwords[usize::from(agent)] = password;
                        self.gateway_hears(Event::FactsChanged);
                    }
                }
            }
            Deed::Shorten { who } if self.fault("feed shortened") => {
                let Some(agent) = self.devices[self.who(who)].agent else {
                    return;
                };
                let feed = Feed::Agent(agent_id(agent));
                let epoch = self.node.dice.next() | 1;
                self.kill_gateway(100);
                self.node.store.reopen();
                let done = self.administer(|store| {
                    let Some(state) = store.feed(feed)? else { return Ok(()) };
                    store.remove_left_rows(feed)?;
                    store.put_feed(feed, FeedState { epoch, ..state })
                });
                self.rare.add("feed epoch", u64::from(done));
            }
            Deed::Month if self.fault("a month") => {
                self.shift += MONTH_MS;
                for n in 0..self.devices.len() {
                    let process = self.devices[n].process;
                    let at = self.now + 1;
                    self.devices[n].wake = at;
                    self.plan(at, Happening::Wake(n, process, at));
                }
                self.node.wake = self.now + 1;
                let process = self.node.process;
                self.plan(self.now + 1, Happening::GatewayWakes(process, self.now + 1));
            }
            _ => {}
        }
    }

    fn mends_later(&mut self, ms: u32) {
        self.node.mending += 1;
        self.plan(self.now + u64::from(ms), Happening::StoreMends(self.node.mending));
    }

    fn starts_later(&mut self, n: usize, ms: u32) {
        let process = self.devices[n].process;
        self.plan(self.now + u64::from(ms), Happening::Starts(n, process));
    }

    /// The conversation that is meant.
    fn talk(&self, n: usize, talk: u8) -> Option<Id> {
        let device = &self.devices[n];
        let session = device.session.as_ref()?;
        if device.is_customer() {
            return session.own_conversation();
        }
        if talk == FIXED {
            return self.fixed;
        }
        let own: Vec<Id> = session
            .rows()
            .filter(|(feed, _, _)| feed.is_own())
            .map(|(_, conversation, _)| conversation)
            .collect();
        let all: Vec<Id> = self.checker.conversations();
        let from = if talk < ANY && !own.is_empty() { own } else { all };
        let at = usize::from(talk).checked_rem(from.len())?;
        from.get(at).copied()
    }

    fn acts(&mut self, n: usize, talk: u8, kind: ActKind, content: bytes::Bytes) {
        let conversation = if self.devices[n].is_customer() {
            if !matches!(kind, ActKind::Message | ActKind::Recall | ActKind::Close) {
                return;
            }
            None
        } else {
            let Some(conversation) = self.talk(n, talk) else { return };
            Some(conversation)
        };
        if self.devices[n]
            .session
            .as_ref()
            .is_none_or(|session| session.me().is_none())
        {
            return;
        }
        let clock = self.clock(n);
        let id = self.devices[n].new_id(clock);
        self.user(
            n,
            Command::Act(NewAct {
                id,
                conversation,
                kind,
                content,
                draft: None,
            }),
        );
    }

    pub(super) fn says(&mut self, n: usize, talk: u8, count: u8, big: bool) {
        for nth in 0..count {
            let text = if big {
                "大".repeat(BIG)
            } else {
                format!("{} {} {nth}", self.devices[n].name, self.order)
            };
            self.acts(n, talk, ActKind::Message, words::message(&text));
        }
    }

    fn notes(&mut self, n: usize, talk: u8) {
        let text = format!("note {}", self.order);
        self.acts(n, talk, ActKind::Note, words::note(&text));
    }

    /// Something of one's own that stands in a log is recalled.
    fn recalls(&mut self, n: usize, pick: u8) {
        let Some(me) = self.checker.me(n) else { return };
        let device = &self.devices[n];
        let mut own: Vec<(Id, Id)> = Vec::new();
        for (conversation, log) in &device.disk.now.entries {
            let last = log.values().rev().take(30);
            let mine = last.filter(|entry| entry.author == Some(me) && self.checker.is_said(*conversation, entry.id));
            own.extend(mine.map(|entry| (*conversation, entry.id)));
        }
        let Some((conversation, id)) = usize::from(pick).checked_rem(own.len()).map(|at| own[at]) else {
            return;
        };
        self.fixed_act(n, conversation, ActKind::Recall, words::recall(me, id));
    }

    fn fixed_act(&mut self, n: usize, conversation: Id, kind: ActKind, content: bytes::Bytes) {
        let before = self.fixed.replace(conversation);
        self.acts(n, FIXED, kind, content);
        self.fixed = before;
    }

    /// Ids of the outbox in these states.
    fn outbox(&self, n: usize, which: impl Fn(&OutboxState) -> bool) -> Vec<Id> {
        let acts = self.devices[n].session.iter().flat_map(zuoxi_protocol::Session::outbox);
        acts.filter(|act| which(&act.state)).map(|act| act.id).collect()
    }

    fn discards(&mut self, n: usize, pick: u8) {
        let acts = self.outbox(n, |state| *state != OutboxState::Voided);
        let at = if pick == 255 {
            acts.len().checked_sub(1)
        } else {
            usize::from(pick).checked_rem(acts.len())
        };
        if let Some(id) = at.map(|at| acts[at]) {
            self.checker.discards(n, id);
            self.user(n, Command::Discard { id });
        }
    }

    fn resends(&mut self, n: usize, pick: u8) {
        let acts = self.outbox(n, |state| matches!(state, OutboxState::Parked { .. }));
        if let Some(at) = usize::from(pick).checked_rem(acts.len()) {
            let clock = self.clock(n);
            let new_id = self.devices[n].new_id(clock);
            self.checker.discards(n, acts[at]);
            self.user(n, Command::Resend { id: acts[at], new_id });
        }
    }

    fn sends_again(&mut self, n: usize, pick: u8) {
        let acts = self.outbox(n, |state| *state == OutboxState::Lost);
        if let Some(at) = usize::from(pick).checked_rem(acts.len()) {
            self.user(n, Command::SendAgain { id: acts[at] });
        }
    }

    fn reads(&mut self, n: usize, talk: u8) {
        let Some(conversation) = self.talk(n, talk) else { return };
        let session = self.devices[n].session.as_ref();
        let seq = session
            .and_then(|session| session.log(conversation))
            .map_or(0, |log| log.state.head);
        self.user(n, Command::MarkRead { conversation, seq });
    }

    fn wants(&mut self, n: usize, talk: u8, from: u8) {
        let Some(conversation) = self.talk(n, talk) else { return };
        self.devices[n].asks += 1;
        let ask = self.devices[n].asks;
        let first = 1 + u64::from(from);
        let range = Range {
            first,
            last: first + 39,
        };
        self.user(
            n,
            Command::Want {
                ask,
                conversation,
                range,
                background: from.is_multiple_of(2),
            },
        );
    }

    /// Somebody copies the computer as it stands, and both go on.
    fn copies(&mut self, n: usize) {
        if self.devices[n].session.is_none() {
            return;
        }
        let copy = self.devices.len();
        let mut device = super::device::Device::new(copy, String::new(), self.devices[n].agent, self.story.seed);
        let from = &self.devices[n];
        device.name = format!("copy of {}", from.name);
        device.disk = from.disk.clone();
        device.disk.kill();
        device.ids = from.ids.clone();
        device.skew = from.skew;
        device.partition_until = from.partition_until;
        device.copy = true;
        device.config.device = from.config.device;
        self.devices.push(device);
        self.checker.copied(n, copy, &self.devices[copy].disk.now);
        self.rare.add("copied disk", 1);
        self.starts_later(copy, 50);
    }
}
