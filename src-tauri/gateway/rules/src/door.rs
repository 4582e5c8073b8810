//! Connections come and go: the hello, and every way to end one.

use zuoxi_wire::limits;
use zuoxi_wire::v1::{GoingAway, Hello, Problem, ProblemCode, gateway_frame, going_away};

use crate::board::Board;
use crate::connection::{Connection, Stage};
use crate::event::{ConnectionId, Door};
use crate::gateway::Gateway;
use crate::group::Group;
use crate::load::Level;
use crate::people::People;
use crate::timer::Timer;
use crate::wording::problem;

/// When devices come back that found no room, milliseconds.
const CROWDED_MS: u32 = 5_000;

impl Gateway {
    pub(crate) fn connected(
        &mut self,
        group: &mut Group<'_>,
        id: ConnectionId,
        nonce: [u8; 16],
        address: String,
        door: Door,
    ) {
        let here = self.addresses.get(&address).copied().unwrap_or(0);
        let crowded =
            self.connections.len() >= self.config.connections as usize || here >= self.config.connections_per_address;
        self.addresses.insert(address.clone(), here + 1);
        let may_connect = self.connects.take(&address, self.now_ms);
        self.connections
            .insert(id, Connection::new(&self.config, door, address, nonce, self.now_ms));
        if crowded || self.stopping {
            let reason = if self.stopping {
                going_away::Reason::Stopping
            } else {
                going_away::Reason::Crowded
            };
            return self.send_away(group, id, reason, CROWDED_MS);
        }
        if self.sheds(Level::LogIns) {
            return self.turn_away(group, id);
        }
        if let Err(come_back_ms) = may_connect {
            self.shed.floods += 1;
            return self.send_away(group, id, going_away::Reason::Crowded, come_back_ms);
        }
        if door == Door::Foreign {
            return self.end_with(group, id, 0, problem(ProblemCode::Origin, 0));
        }
        let hello = Hello {
            version_min: zuoxi_wire::VERSION,
            version_max: zuoxi_wire::VERSION,
            capabilities: vec![zuoxi_wire::capability::MARK_OF_PUSH.to_owned()],
            epoch: self.epoch,
            nonce: nonce.to_vec().into(),
            time_ms: self.now_ms,
            software: self.config.software.clone(),
        };
        group.mail.say(id, 0, gateway_frame::Kind::Hello(hello));
        self.timers
            .set(self.now_ms + limits::FIRST_FRAME_MS, Timer::FirstFrame(id));
    }

    /// Says why, and closes.
    pub(crate) fn end_with(&mut self, group: &mut Group<'_>, connection: ConnectionId, request: u32, said: Problem) {
        if self
            .connections
            .get(&connection)
            .is_some_and(|known| !matches!(known.stage, Stage::Ended))
        {
            group.mail.say(connection, request, gateway_frame::Kind::Problem(said));
            self.end(group, connection);
        }
    }

    /// Closes in good order.
    pub(crate) fn send_away(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        reason: going_away::Reason,
        come_back_ms: u32,
    ) {
        if self
            .connections
            .get(&connection)
            .is_some_and(|known| !matches!(known.stage, Stage::Ended))
        {
            let said = GoingAway {
                come_back_ms,
                reason: reason.into(),
            };
            group.mail.say(connection, 0, gateway_frame::Kind::GoingAway(said));
            self.end(group, connection);
        }
    }

    pub(crate) fn end(&mut self, group: &mut Group<'_>, connection: ConnectionId) {
        self.leave(group, connection);
        if let Some(known) = self.connections.get_mut(&connection) {
            known.stage = Stage::Ended;
            group.mail.close(connection);
        }
    }

    pub(crate) fn closed(&mut self, group: &mut Group<'_>, connection: ConnectionId) {
        self.leave(group, connection);
        let Some(known) = self.connections.remove(&connection) else {
            return;
        };
        if let Some(count) = self.addresses.get_mut(&known.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.addresses.remove(&known.address);
            }
        }
    }

    /// The log was restored under us: everybody reconnects, and nothing known of it holds.
    pub(crate) fn another_epoch(&mut self, group: &mut Group<'_>, epoch: u64) {
        self.epoch = epoch;
        let all: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for connection in all {
            self.send_away(group, connection, going_away::Reason::Epoch, 0);
        }
        self.positions.clear();
        if let Ok(active) = group.store.active_conversations() {
            self.board = Board::new(&active);
        }
        if let Ok(facts) = group.store.facts() {
            self.people = People::new(facts);
        }
        self.everybody_is_away();
    }

    pub(crate) fn stop(&mut self, group: &mut Group<'_>, come_back_ms: u32) {
        self.stopping = true;
        self.flush_positions(group, true);
        let all: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for connection in all {
            let spread = u32::from_be_bytes(self.entropy.bytes());
            let later = come_back_ms + u32::try_from((u64::from(spread) * u64::from(come_back_ms)) >> 32).unwrap_or(0);
            self.send_away(group, connection, going_away::Reason::Stopping, later);
        }
    }
}
