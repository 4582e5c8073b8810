//! A second gateway that hears the same, but for what notes say: what it sends to customers must be the same, byte for
//! byte and at the same moment. (An empty note is refused, so that the twin draws as many random numbers.)

use std::collections::BTreeMap;

use bytes::Bytes;
use zuoxi_rules::{ConnectionId, Event, Gateway, MemoryStore, Output};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, ClientFrame, GatewayFrame, client_frame, gateway_frame};

use super::World;

/// The gateway to which nobody writes a note.
pub struct Twin {
    pub gateway: Option<Gateway>,
    pub store: MemoryStore,
    /// Pushes sent, by connection.
    sent: BTreeMap<ConnectionId, u64>,
}

impl Twin {
    pub fn new(store: MemoryStore) -> Self {
        Self {
            gateway: None,
            store,
            sent: BTreeMap::new(),
        }
    }
}

impl World {
    /// The twin hears the batch too.
    pub(super) fn twin_runs(&mut self, clock: u64, batch: Vec<Event>, said: &[Output]) {
        let Some(mut twin) = self.twin.take() else { return };
        let batch = batch
            .into_iter()
            .map(|event| self.without_notes(event, &twin))
            .collect();
        let mut out = Vec::new();
        if let Some(gateway) = &mut twin.gateway {
            gateway.handle(&mut twin.store, clock, batch, &mut out);
        }
        for output in &out {
            if let Output::Send { connection, frame } = output
                && let Some(gateway_frame::Kind::Pushes(pushes)) = &frame.kind
            {
                let last = pushes.pushes.last().map_or(0, |push| push.number);
                twin.sent.insert(*connection, last);
            }
        }
        let (here, there) = (self.to_customers(said), self.to_customers(&out));
        if here != there {
            let differs = here.iter().zip(&there).find(|(here, there)| here != there);
            self.checker.fail(match differs {
                Some((here, there)) => format!("a note shows to a customer: {here:?} instead of {there:?}"),
                None => format!("a note shows to a customer: {} frames, not {}", here.len(), there.len()),
            });
        }
        self.twin = Some(twin);
    }

    fn is_customers(&self, connection: ConnectionId) -> bool {
        self.node.customers.contains(&connection)
    }

    fn to_customers(&self, said: &[Output]) -> Vec<(ConnectionId, Option<GatewayFrame>)> {
        let told = said.iter().filter_map(|output| match output {
            Output::Send { connection, frame } => Some((*connection, Some(frame.clone()))),
            Output::Close { connection } => Some((*connection, None)),
            _ => None,
        });
        told.filter(|(connection, _)| self.is_customers(*connection)).collect()
    }

    fn without_notes(&self, event: Event, twin: &Twin) -> Event {
        let Event::Frame { connection, mut frame } = event else {
            return event;
        };
        if !self.is_customers(connection) {
            let sent = twin.sent.get(&connection).copied().unwrap_or(0);
            self.agents_frame(&mut frame, connection, sent);
        }
        Event::Frame { connection, frame }
    }

    /// As the agent's device would have sent it, had there been no note.
    fn agents_frame(&self, frame: &mut ClientFrame, connection: ConnectionId, sent: u64) {
        if let Some(ack) = &mut frame.ack {
            // Other pushes have other numbers there, so each watermark names its conversation.
            let link = self
                .links
                .iter()
                .rposition(|link| link.there.is_some_and(|there| there.1 == connection));
            let named: Vec<_> = ack
                .watermarks
                .iter()
                .map(|mark| self.checker.marked(link?, ack, mark))
                .collect();
            for (mark, named) in ack.watermarks.iter_mut().zip(named) {
                mark.conversation = named.map(Id::to_bytes).unwrap_or_default();
                mark.seq = self.without(&mark.conversation, mark.seq);
            }
            ack.push = sent;
        }
        match &mut frame.kind {
            Some(client_frame::Kind::Acts(acts)) => {
                for act in &mut acts.acts {
                    act.base = self.without(&act.conversation, act.base);
                    if act.kind() == ActKind::Note {
                        act.content = Bytes::new();
                    }
                }
            }
            Some(client_frame::Kind::MovePosition(moved)) => {
                moved.read = self.without(&moved.conversation, moved.read);
            }
            _ => {}
        }
    }

    /// The same place in a log without notes.
    fn without(&self, conversation: &Bytes, seq: u64) -> u64 {
        Id::try_from(conversation).map_or(seq, |conversation| self.checker.without_notes(conversation, seq))
    }
}
