//! A second gateway that hears the same, but for what notes say: what it sends to customers must be the same, byte for
//! byte and at the same moment. (An empty note is refused, so that the twin draws as many random numbers.)

use std::collections::BTreeMap;

use bytes::Bytes;
use zuoxi_rules::{ConnectionId, Event, Gateway, MemoryStore, Output};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, ClientFrame, GatewayFrame, Push, client_frame, gateway_frame};

use super::World;

/// The gateway to which nobody writes a note.
pub struct Twin {
    pub gateway: Option<Gateway>,
    pub store: MemoryStore,
    /// What was pushed here and there, by connection.
    pushed: BTreeMap<ConnectionId, (Pushed, Pushed)>,
    /// Batches that both have heard.
    heard: u64,
    /// When it wants to be called.
    pub wake: u64,
}

/// What a push brought, and in which batch: the same here and there, whatever its number. (A feed's row comes again and
/// again, and with a note once more.)
type Brought = (Bytes, Bytes, u64, usize);

/// Pushes of one connection, from number 1 on.
#[derive(Default)]
struct Pushed {
    brought: Vec<Brought>,
    numbers: BTreeMap<Brought, u64>,
}

impl Pushed {
    fn add(&mut self, push: &Push, batch: u64) {
        let feed = push.feed.as_ref().map(|feed| feed.id.clone()).unwrap_or_default();
        let what = push.entry.as_ref().map_or(feed, |entry| entry.id.clone());
        let mut brought = (push.conversation.clone(), what, batch, 0);
        while self.numbers.contains_key(&brought) {
            brought.3 += 1;
        }
        self.numbers.insert(brought.clone(), push.number);
        self.brought.push(brought);
    }

    /// The push that brought this. A row that came once more with a note there has none of its own: the one before it.
    fn number_of(&self, brought: &Brought) -> Option<u64> {
        let (last, number) = self.numbers.range(..=brought).next_back()?;
        let same = (&last.0, &last.1, last.2) == (&brought.0, &brought.1, brought.2);
        same.then_some(*number)
    }
}

impl Twin {
    pub fn new(store: MemoryStore) -> Self {
        Self {
            gateway: None,
            store,
            pushed: BTreeMap::new(),
            heard: 0,
            wake: u64::MAX,
        }
    }
}

impl Twin {
    /// The last push there that brought what is acknowledged here.
    fn number_of(&self, connection: ConnectionId, acknowledged: u64) -> u64 {
        let Some((here, there)) = self.pushed.get(&connection) else {
            return 0;
        };
        let taken = here.brought.iter().take(acknowledged as usize);
        // Told with a note, some stand in another order there.
        let numbers = taken.filter_map(|brought| there.number_of(brought));
        numbers.max().unwrap_or(0)
    }
}

fn pushes(said: &[Output]) -> impl Iterator<Item = (ConnectionId, &Push)> {
    let frames = said.iter().filter_map(|output| match output {
        Output::Send { connection, frame } => match &frame.kind {
            Some(gateway_frame::Kind::Pushes(pushes)) => Some((*connection, &pushes.pushes)),
            _ => None,
        },
        _ => None,
    });
    frames.flat_map(|(connection, pushes)| pushes.iter().map(move |push| (connection, push)))
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
        twin.heard += 1;
        for (connection, push) in pushes(said) {
            twin.pushed.entry(connection).or_default().0.add(push, twin.heard);
        }
        for (connection, push) in pushes(&out) {
            twin.pushed.entry(connection).or_default().1.add(push, twin.heard);
        }
        let wakes = out.iter().filter_map(|output| match output {
            Output::WakeAt { ms } => Some(*ms),
            _ => None,
        });
        twin.wake = wakes.min().unwrap_or(u64::MAX);
        let (here, there) = (self.to_customers(said), self.to_customers(&out));
        if here != there {
            let differs = here.iter().zip(&there).find(|(here, there)| here != there);
            let more = here.get(there.len()).or(there.get(here.len()));
            self.checker.fail(match differs {
                Some((here, there)) => format!("a note shows to a customer: {here:?} instead of {there:?}"),
                None => format!(
                    "a note shows to a customer: {} frames, not {}: {more:?}",
                    here.len(),
                    there.len()
                ),
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
            self.agents_frame(&mut frame, connection, twin);
        }
        Event::Frame { connection, frame }
    }

    /// As the agent's device would have sent it, had there been no note.
    fn agents_frame(&self, frame: &mut ClientFrame, connection: ConnectionId, twin: &Twin) {
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
            ack.push = twin.number_of(connection, ack.push);
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
