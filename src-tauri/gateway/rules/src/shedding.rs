//! What is shed under load, and how it is made good when it is calm again.

use zuoxi_wire::Id;
use zuoxi_wire::v1::{AskHeartbeat, client_frame, going_away};

use crate::bus::To;
use crate::event::ConnectionId;
use crate::gateway::Gateway;
use crate::group::Group;
use crate::load::{Level, Sample, Shed};
use crate::record::Who;
use crate::signals::presence_move;
use crate::timer::Timer;

/// A connection whose pushes became heads is told them so often, milliseconds.
const HEADS_MS: u64 = 2_000;
/// Of those whose presence wasn't told, so many are told at once, and the next so many milliseconds later.
const UNSAID_AT_ONCE: usize = 200;
const UNSAID_MS: u64 = 200;
/// Whoever is told to come back is given a place of their own: so many a second.
pub(crate) const COME_BACK_PER_SECOND: u32 = 200;
/// When acts that were refused for the load may be sent again, at least and at most, milliseconds.
const ACTS_LATER_MS: (u64, u64) = (1_000, 30_000);

impl Gateway {
    /// What is shed now.
    pub fn level(&self) -> Level {
        self.load.level()
    }

    /// What was shed since the start.
    pub fn shed(&self) -> Shed {
        self.shed
    }

    pub(crate) fn sheds(&self, what: Level) -> bool {
        self.load.level() >= what
    }

    pub(crate) fn loaded(&mut self, group: &mut Group<'_>, sample: Sample) {
        let before = self.load.level();
        let level = self.load.observe(self.now_ms, sample);
        if level == before {
            return;
        }
        tracing::warn!(?level, ?before, wait_ms = self.load.wait_ms(), "load");
        if !self.sheds(Level::Signals) {
            self.tell_unsaid(group);
        }
    }

    /// Presence moved, and isn't told now.
    pub(crate) fn leave_unsaid(&mut self, who: Who, own: Option<Id>) {
        self.shed.signals += 1;
        // Nobody serves a customer who has no conversation.
        if matches!(who, Who::Agent(_)) || own.is_some() {
            self.unsaid.insert(who, own);
        }
    }

    /// Who moved meanwhile, as they are now: some at once, so that calm isn't disturbed by the telling.
    pub(crate) fn tell_unsaid(&mut self, group: &mut Group<'_>) {
        if self.sheds(Level::Signals) {
            return;
        }
        for _ in 0..UNSAID_AT_ONCE {
            match self.unsaid.pop_first() {
                Some((Who::Agent(agent), _)) => self.tell_agent(group, agent),
                Some((Who::Customer(customer), own)) => self.customer_moved(group, customer, own),
                None => return,
            }
        }
        if !self.unsaid.is_empty() {
            self.timers.set(self.now_ms + UNSAID_MS, Timer::Unsaid);
        }
    }

    /// A push that isn't sent: the head is told soon, and the device pulls what is new.
    pub(crate) fn head_instead(&mut self, connection: ConnectionId) {
        self.shed.pushes += 1;
        self.owe_head(connection);
    }

    /// There may be something that a connection wasn't told: a heartbeat tells it soon.
    pub(crate) fn owe_head(&mut self, connection: ConnectionId) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.window.leave_out();
        }
        if self.heads.is_empty() {
            self.timers.set(self.now_ms + HEADS_MS, Timer::Heads);
        }
        self.heads.insert(connection);
    }

    pub(crate) fn tell_heads(&mut self, group: &mut Group<'_>) {
        for connection in std::mem::take(&mut self.heads) {
            if self.session(connection).is_some() {
                let ask = client_frame::Kind::AskHeartbeat(AskHeartbeat {});
                group.asks.push((connection, 0, ask));
            }
        }
    }

    /// Who comes now is told when to come back, each a moment of their own.
    pub(crate) fn turn_away(&mut self, group: &mut Group<'_>, connection: ConnectionId) {
        self.shed.log_ins += 1;
        let wait_ms = u32::try_from(self.load.wait_ms()).unwrap_or(u32::MAX);
        let place_ms = self.come_back.take(self.now_ms, COME_BACK_PER_SECOND);
        let come_back_ms = wait_ms.saturating_add(place_ms).min(600_000);
        self.send_away(group, connection, going_away::Reason::Crowded, come_back_ms);
    }

    /// When acts that are refused now may be sent again, milliseconds.
    pub(crate) fn acts_later(&mut self) -> u32 {
        self.shed.acts += 1;
        self.load.wait_ms().clamp(ACTS_LATER_MS.0, ACTS_LATER_MS.1) as u32
    }

    /// Colleagues see an agent's presence.
    pub(crate) fn tell_agent(&mut self, group: &mut Group<'_>, agent: Id) {
        if self.sheds(Level::Signals) {
            return self.leave_unsaid(Who::Agent(agent), None);
        }
        let said = presence_move(agent, self.presence_of(agent));
        // Each node tells its own.
        self.say_here(group, To::Agents, &said);
    }
}
