//! How far members have received and read: gathered, stored, translated between the logs, and told.

use std::collections::BTreeMap;
use std::rc::Rc;

use zuoxi_wire::Id;
use zuoxi_wire::v1::{self, Ack, ConversationPositions, MovePosition, PositionMoves, client_frame, gateway_frame};

use crate::bus::To;
use crate::connection::{Session, id_of};
use crate::event::ConnectionId;
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::{Group, Leaving};
use crate::record::{Conversation, Position, Who};
use crate::rights;
use crate::store::Stored;
use crate::timer::Timer;
use crate::wording::{self, Reader};

/// At most 5 moves a second for each conversation are told to its customer.
const GATHER_MS: u64 = 200;

/// Delivered and read by member, each in the member's own Seqs.
pub(crate) type Gathered = BTreeMap<Who, (u64, u64)>;

/// Moves of one conversation that haven't been told.
#[derive(Debug, Default)]
pub(crate) struct Moving {
    /// Put off by what its customer was told alone: a move within notes must not show in when the next one comes.
    due_ms: u64,
    gathered: Gathered,
}

impl Gateway {
    /// An ACK of pushes, with what is delivered. False: it names what was never sent.
    pub(crate) fn acknowledged(&mut self, group: &mut Group<'_>, connection: ConnectionId, ack: &Ack) -> bool {
        let Some(known) = self.connections.get_mut(&connection) else {
            return true;
        };
        if !known.window.acknowledge(ack.push) {
            return false;
        }
        let Some(session) = known.session() else { return true };
        let of_push = known.window.conversation_of(ack.push);
        if known.window.reopened() {
            group
                .asks
                .push((connection, 0, client_frame::Kind::AskHeartbeat(v1::AskHeartbeat {})));
        }
        for mark in &ack.watermarks {
            let named = if mark.conversation.is_empty() {
                of_push
            } else {
                id_of(&mark.conversation)
            };
            if let Some(conversation) = session.own.or(named) {
                self.gather(conversation, session.who, mark.seq, 0);
            }
        }
        true
    }

    pub(crate) fn read_up_to(&mut self, session: Session, moved: &MovePosition) {
        if let Some(conversation) = session.own.or_else(|| id_of(&moved.conversation)) {
            self.gather(conversation, session.who, moved.read, moved.read);
        }
    }

    fn gather(&mut self, conversation: Id, who: Who, delivered: u64, read: u64) {
        let moving = self.positions.entry(conversation).or_default();
        moving.due_ms = moving.due_ms.max(self.now_ms);
        let known = moving.gathered.entry(who).or_default();
        *known = (known.0.max(delivered), known.1.max(read));
        self.timers.set(moving.due_ms, Timer::Positions);
    }

    /// The group that should have stored them failed.
    pub(crate) fn keep_positions(&mut self, conversation: Id, gathered: Gathered) {
        for (who, (delivered, read)) in gathered {
            let moving = self.positions.entry(conversation).or_default();
            moving.due_ms = self.now_ms + u64::from(RETRY_MS);
            let known = moving.gathered.entry(who).or_default();
            *known = (known.0.max(delivered), known.1.max(read));
            self.timers.set(moving.due_ms, Timer::Positions);
        }
    }

    /// Stores and tells what is due, or everything.
    pub(crate) fn flush_positions(&mut self, group: &mut Group<'_>, all: bool) {
        let now = self.now_ms;
        self.positions
            .retain(|_, moving| moving.due_ms > now || !moving.gathered.is_empty());
        let due = self
            .positions
            .iter_mut()
            .filter(|(_, moving)| !moving.gathered.is_empty() && (all || moving.due_ms <= now));
        let due: Vec<(Id, Gathered)> = due
            .map(|(id, moving)| (*id, std::mem::take(&mut moving.gathered)))
            .collect();
        for (id, gathered) in due {
            match self.move_positions(group, id, &gathered) {
                Ok(shown) => {
                    if let Some(moving) = self.positions.get_mut(&id).filter(|_| shown) {
                        moving.due_ms = now + GATHER_MS;
                    }
                    group.positions.push((id, gathered));
                }
                Err(error) => {
                    tracing::warn!(%error, conversation = %id, "positions wait");
                    self.keep_positions(id, gathered);
                }
            }
        }
    }

    /// Whether the customer's log shows that something moved.
    fn move_positions(&mut self, group: &mut Group<'_>, id: Id, gathered: &Gathered) -> Stored<bool> {
        group.usable()?;
        let Some(mut conversation) = group.conversation(id)? else {
            return Ok(false);
        };
        let old = group.store.positions(id)?;
        let (mut for_agents, mut for_customer) = (Vec::new(), Vec::new());
        for (who, (delivered, read)) in gathered {
            if !rights::part(&self.people, *who, &conversation).takes_part() {
                continue;
            }
            let none = Position {
                conversation: id,
                who: *who,
                delivered: 0,
                read: 0,
            };
            let before = old
                .iter()
                .find(|position| position.who == *who)
                .copied()
                .unwrap_or(none);
            let read = inward(group, &conversation, *who, *read)?.max(before.read);
            let delivered = inward(group, &conversation, *who, *delivered)?
                .max(before.delivered)
                .max(read);
            let after = Position {
                delivered,
                read,
                ..before
            };
            if after == before {
                continue;
            }
            group.store.put_position(&after)?;
            if matches!(who, Who::Agent(agent) if conversation.holder == Some(*agent)) && after.read > before.read {
                // Where the entry is gone by retention, what counts as unread stays.
                if let Some(entry) = group.store.entry(id, after.read)? {
                    let unread = conversation.customer_messages.saturating_sub(entry.customer_messages);
                    Rc::make_mut(&mut conversation).unread = unread.try_into().unwrap_or(u32::MAX);
                    group.put_conversation(Rc::clone(&conversation));
                }
            }
            for_agents.push(outward(group, &conversation, Reader::Agent, &after)?);
            let shown = outward(group, &conversation, Reader::Customer, &after)?;
            if shown != outward(group, &conversation, Reader::Customer, &before)? {
                for_customer.push(shown);
            }
        }
        let told = !for_customer.is_empty();
        if let Some(holder) = conversation.holder {
            self.tell_positions(group, To::Agent(holder), id, for_agents.clone());
        }
        self.tell_positions(group, To::Watchers(id), id, for_agents);
        self.tell_positions(group, To::Customer(conversation.customer), id, for_customer);
        Ok(told)
    }

    fn tell_positions(&self, group: &mut Group<'_>, to: To, conversation: Id, positions: Vec<v1::Position>) {
        if positions.is_empty() || !self.is_anybody(to) {
            return;
        }
        let moved = ConversationPositions {
            conversation: conversation.to_bytes(),
            positions,
        };
        let moves = gateway_frame::Kind::PositionMoves(PositionMoves { moves: vec![moved] });
        group.leaving.push(Leaving::Say(to, Box::new(moves)));
    }
}

/// Positions of all members, in a reader's Seqs.
pub(crate) fn positions_for(
    group: &mut Group<'_>,
    conversation: &Conversation,
    reader: Reader,
) -> Stored<Vec<v1::Position>> {
    let all = group.store.positions(conversation.id)?;
    all.iter()
        .map(|position| outward(group, conversation, reader, position))
        .collect()
}

/// A member's own Seq in the agents' log.
fn inward(group: &mut Group<'_>, conversation: &Conversation, who: Who, seq: u64) -> Stored<u64> {
    match who {
        Who::Agent(_) => Ok(seq.min(conversation.head)),
        Who::Customer(_) => {
            let public = seq.min(conversation.public_head);
            Ok(group
                .store
                .public_entry(conversation.id, public)?
                .map_or(0, |entry| entry.seq))
        }
    }
}

/// A Seq of the agents' log as a reader counts: the last entry visible there.
fn seen_as(group: &mut Group<'_>, conversation: &Conversation, reader: Reader, seq: u64) -> Stored<u64> {
    match reader {
        Reader::Agent => Ok(seq),
        Reader::Customer if seq >= conversation.head => Ok(conversation.public_head),
        Reader::Customer => Ok(group.store.entry(conversation.id, seq)?.map_or(0, |entry| entry.public)),
    }
}

fn outward(
    group: &mut Group<'_>,
    conversation: &Conversation,
    reader: Reader,
    position: &Position,
) -> Stored<v1::Position> {
    Ok(v1::Position {
        member: position.who.id().to_bytes(),
        role: wording::role(position.who).into(),
        delivered: seen_as(group, conversation, reader, position.delivered)?,
        read: seen_as(group, conversation, reader, position.read)?,
    })
}
