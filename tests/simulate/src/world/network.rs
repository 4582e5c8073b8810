//! Connections between devices and the gateway: delay, loss, half-open, partition, slow readers, frames that come late.

use zuoxi_protocol::{Broken, Input};
use zuoxi_rules::{ConnectionId, Door, Event};
use zuoxi_wire::frame;
use zuoxi_wire::v1::ClientFrame;

use super::link::Link;
use super::{Happening, World};

/// The operating system tells the gateway that nothing answers any more.
const SILENCE_MS: u64 = 45_000;
/// A slow reader takes a frame so often.
const SLOW_MS: u64 = 1_500;

impl World {
    pub(super) fn connect(&mut self, n: usize) {
        let link = self.links.len();
        let device = &mut self.devices[n];
        device.link = Some(link);
        self.links.push(Link {
            device: n,
            process: device.process,
            ..Link::default()
        });
        let delay = device.dice.between(1, self.story.weather.latency);
        if device.partition_until > self.now {
            // Refused, or nothing comes back at all.
            if device.dice.often(600) {
                let at = self.now + device.dice.between(100, 2_000);
                self.plan(at, Happening::Fails(link));
            }
        } else {
            self.plan(self.now + delay, Happening::Opens(link));
        }
    }

    pub(super) fn opens(&mut self, link: usize) {
        let n = self.links[link].device;
        if self.devices[n].frozen_until > self.now {
            let at = self.devices[n].frozen_until;
            return self.plan(at, Happening::Opens(link));
        }
        if self.links[link].client_over || self.devices[n].link != Some(link) {
            return;
        }
        if self.node.gateway.is_none() || self.devices[n].partition_until > self.now {
            return self.client_loses(link);
        }
        self.connections += 1;
        let id = ConnectionId(self.connections);
        self.links[link].there = Some((self.node.process, id));
        self.node.links.insert(id, link);
        if self.devices[n].is_customer() {
            self.node.customers.insert(id);
        }
        self.gateway_hears(Event::Connected {
            connection: id,
            nonce: [7; 16],
            address: "10.0.0.1".into(),
            door: Door::Native,
        });
        self.tell(n, Input::Connected);
    }

    pub(super) fn client_sends(&mut self, n: usize, said: &ClientFrame) {
        let Some(link) = self.devices[n].link.filter(|link| !self.links[*link].client_over) else {
            return;
        };
        self.checker.asked(n, link, said, &self.devices[n].disk.now);
        if let Some(zuoxi_wire::v1::client_frame::Kind::ReadEntries(ask)) = &said.kind
            && matches!(ask.what, Some(zuoxi_wire::v1::read_entries::What::Range(_)))
        {
            self.rare.add("gap pulled by range", 1);
        }
        let bytes = frame::encode_client(said);
        self.trace.bytes(&bytes);
        let latency = self.story.weather.latency;
        let device = &mut self.devices[n];
        let mut at = self.now + device.dice.between(1, latency);
        if device.partition_until > self.now {
            at += device.partition_until - self.now;
        }
        let wire = &mut self.links[link];
        if wire.up_lost {
            return;
        }
        wire.up_at = wire.up_at.max(at);
        let at = wire.up_at;
        wire.up.push_back(bytes);
        self.plan(at, Happening::Up(link));
    }

    pub(super) fn arrives_up(&mut self, link: usize) {
        let wire = &mut self.links[link];
        let Some(bytes) = wire.up.pop_front() else { return };
        let Some((process, connection)) = wire.there.filter(|_| !wire.gateway_over) else {
            return;
        };
        if process != self.node.process {
            return;
        }
        let late = self.devices[wire.device].link != Some(link);
        self.rare
            .add("frame of an old connection after a new one", u64::from(late));
        let event = match frame::decode_client(bytes, true) {
            Ok(frame) => {
                if let Some(ack) = &frame.ack {
                    self.checker.acknowledged(link, ack);
                }
                Event::Frame { connection, frame }
            }
            Err(_) => Event::BadFrame {
                connection,
                too_large: None,
            },
        };
        self.gateway_hears(event);
    }

    /// A frame of the gateway sets out.
    pub(super) fn goes_down(&mut self, link: usize, bytes: bytes::Bytes) {
        let wire = &mut self.links[link];
        if wire.down_lost || wire.gateway_over {
            return;
        }
        let device = &mut self.devices[wire.device];
        let mut at = self.now + device.dice.between(1, self.story.weather.latency);
        if device.partition_until > self.now {
            at += device.partition_until - self.now;
        }
        if device.slow_until > self.now {
            at = at.max((wire.down_at + SLOW_MS).min(device.slow_until));
        }
        wire.down_at = wire.down_at.max(at);
        let at = wire.down_at;
        wire.down.push_back(bytes);
        self.plan(at, Happening::Down(link));
    }

    pub(super) fn arrives_down(&mut self, link: usize) {
        let n = self.links[link].device;
        if self.devices[n].frozen_until > self.now {
            let at = self.devices[n].frozen_until;
            return self.plan(at, Happening::Down(link));
        }
        let Some(bytes) = self.links[link].down.pop_front() else {
            return;
        };
        if self.links[link].client_over || self.devices[n].link != Some(link) {
            return;
        }
        self.trace.bytes(&bytes);
        match frame::decode_gateway(bytes) {
            Ok(said) => {
                self.checker.comes(n, link, &said);
                self.tell(n, Input::Frame(said));
                self.checker.took(n, link);
            }
            Err(error) => self.checker.fail(format!("the gateway sent {error}")),
        }
    }

    /// The client closes: what it sent before still leaves.
    pub(super) fn client_closes(&mut self, n: usize) {
        let Some(link) = self.devices[n].link.take() else {
            return;
        };
        let latency = self.story.weather.latency;
        let sees = self.now + self.devices[n].dice.between(1, latency);
        let wire = &mut self.links[link];
        wire.client_over = true;
        wire.down.clear();
        let at = if wire.up_lost {
            self.now + SILENCE_MS
        } else {
            wire.up_at.max(sees)
        };
        self.plan(at, Happening::GatewaySees(link));
    }

    pub(super) fn gateway_sees(&mut self, link: usize) {
        let wire = &mut self.links[link];
        let Some((process, connection)) = wire.there.filter(|_| !wire.gateway_over) else {
            return;
        };
        wire.gateway_over = true;
        wire.up.clear();
        self.checker.closed(link);
        if process == self.node.process {
            self.node.links.remove(&connection);
            self.gateway_hears(Event::Closed { connection });
        }
    }

    /// The client learns that its connection is gone, or can't be made.
    pub(super) fn client_loses(&mut self, link: usize) {
        let n = self.links[link].device;
        if self.devices[n].frozen_until > self.now {
            let at = self.devices[n].frozen_until;
            return self.plan(at, Happening::ClientSees(link));
        }
        if self.links[link].client_over || self.devices[n].link != Some(link) {
            return;
        }
        self.links[link].client_over = true;
        self.devices[n].link = None;
        self.tell(n, Input::Disconnected(Broken::Network));
    }

    /// The gateway's end closes: what it sent before still arrives.
    pub(super) fn gateway_closes(&mut self, link: usize, process_gone: bool) {
        let wire = &mut self.links[link];
        if wire.gateway_over {
            return;
        }
        wire.gateway_over = true;
        wire.up.clear();
        self.checker.closed(link);
        if process_gone {
            wire.down.clear();
        }
        if wire.down_lost {
            return; // the client finds out by itself
        }
        let slowest = if process_gone {
            1_500
        } else {
            self.story.weather.latency
        };
        let sees = self.now + self.devices[wire.device].dice.between(1, slowest);
        let at = wire.down_at.max(sees);
        self.plan(at, Happening::ClientSees(link));
    }

    /// The connection breaks for both ends, each in its time. `late`: what is on its way up still arrives.
    pub(super) fn breaks(&mut self, n: usize, late: bool) {
        let Some(link) = self.devices[n].link else { return };
        let dice = &mut self.devices[n].dice;
        let (here, there) = (dice.between(1, 150), dice.between(1, 1_500));
        let wire = &mut self.links[link];
        wire.down.clear();
        wire.down_lost = true;
        if late {
            // Whatever set out may take its time.
            wire.up_at += there;
        } else {
            wire.up.clear();
        }
        wire.up_lost = true;
        let at = wire.up_at.max(self.now + there);
        self.plan(self.now + here, Happening::ClientSees(link));
        self.plan(at, Happening::GatewaySees(link));
    }
}
