//! To whom something goes: the connections here, and the bus to the other nodes; and what is heard from those.

use zuoxi_wire::Id;
use zuoxi_wire::v1::{Push, Status, gateway_frame};

use crate::bus::{Heard, NodeId, Notice, Stand, Subject, To};
use crate::event::ConnectionId;
use crate::gateway::Gateway;
use crate::group::Group;
use crate::record::Conversation;
use crate::timer::Timer;

/// Notices taken up in one group: what waits behind them comes with the next one.
const HEARD_AT_ONCE: usize = 1_024;

impl Gateway {
    /// Connections of this node.
    fn here(&self, to: To) -> Vec<ConnectionId> {
        match to {
            To::Agent(id) => self.devices(id),
            To::Team(id) => {
                let members = self.people.members(id);
                members.flat_map(|agent| self.devices(agent.id)).collect()
            }
            To::Agents => self.agents.values().flatten().copied().collect(),
            To::Customer(id) => self.customers.get(&id).into_iter().flatten().copied().collect(),
            To::Watchers(id) => self.watchers.get(&id).into_iter().flatten().copied().collect(),
        }
    }

    /// Whether there may be anybody, here or elsewhere: else nothing has to be worded.
    pub(crate) fn is_anybody(&self, to: To) -> bool {
        let here = match to {
            To::Agent(id) => self.agents.contains_key(&id),
            To::Team(id) => self.is_anybody_there(id),
            To::Agents => !self.agents.is_empty(),
            To::Customer(id) => self.customers.contains_key(&id),
            To::Watchers(id) => self.watchers.contains_key(&id),
        };
        here || self.bus.has_others()
    }

    /// Whether this connection is one of those.
    pub(crate) fn is_of(&self, to: To, connection: ConnectionId) -> bool {
        let of = match to {
            To::Agent(id) => self.agents.get(&id),
            To::Customer(id) => self.customers.get(&id),
            To::Watchers(id) => self.watchers.get(&id),
            To::Team(_) | To::Agents => None,
        };
        of.is_some_and(|of| of.contains(&connection))
    }

    /// Whether the one of them that is known is the only one anywhere.
    pub(crate) fn is_nobody_else(&self, to: To) -> bool {
        !self.bus.has_others() && self.here(to).len() == 1
    }

    /// A push that is stored, to those of this node.
    pub(crate) fn push_here(
        &mut self,
        group: &mut Group<'_>,
        to: To,
        push: Push,
        hidden: bool,
        except: Option<ConnectionId>,
    ) {
        let mut here = self.here(to);
        here.retain(|connection| Some(*connection) != except);
        // Nearly always there is one device.
        let Some(last) = here.pop() else { return };
        for connection in here {
            self.push(group, connection, push.clone(), hidden);
        }
        self.push(group, last, push, hidden);
    }

    /// Says something to those of this node.
    pub(crate) fn say_here(&self, group: &mut Group<'_>, to: To, said: &gateway_frame::Kind) {
        for connection in self.here(to) {
            group.mail.say(connection, 0, said.clone());
        }
    }

    /// Says something to all of these, here and elsewhere.
    pub(crate) fn say_to(&mut self, group: &mut Group<'_>, to: To, said: &gateway_frame::Kind) {
        self.say_here(group, to, said);
        if self.bus.has_others() {
            let notice = Notice::Say { to, said: said.clone() };
            self.bus.publish(to.subject(), &notice);
        }
    }

    pub(crate) fn publish_push(&mut self, to: To, push: &Push, hidden: bool) {
        if self.bus.has_others() {
            let notice = Notice::Push {
                to,
                push: push.clone(),
                hidden,
            };
            self.bus.publish(to.subject(), &notice);
        }
    }

    /// Tells the other nodes which conversations stand elsewhere, before they hear what was said in them.
    pub(crate) fn publish_moves(&mut self, group: &Group<'_>) {
        if !self.bus.has_others() {
            return;
        }
        for (before, after) in &group.moves {
            let (before, now) = (before.as_deref().map(Conversation::stand), after.stand());
            if !before.is_some_and(|before| before.is_same_place(&now)) {
                let notice = Notice::Moved {
                    conversation: after.id,
                    before,
                    after: now,
                };
                self.bus.publish(Subject::Nodes, &notice);
            }
        }
    }

    /// Takes up what other nodes published.
    pub(crate) fn hear(&mut self, group: &mut Group<'_>) {
        for _ in 0..HEARD_AT_ONCE {
            match self.bus.hear() {
                None => return,
                Some(Heard::Missed) => self.missed(group),
                Some(Heard::Left(node)) => self.there(group, node, &[]),
                Some(Heard::Notice(node, notice)) => self.heard(group, node, notice),
            }
        }
        self.timers.set(self.now_ms, Timer::Hear);
    }

    fn heard(&mut self, group: &mut Group<'_>, node: NodeId, notice: Notice) {
        match notice {
            Notice::Push { to, push, hidden } => self.push_here(group, to, push, hidden, None),
            Notice::Say { to, said } => self.say_here(group, to, &said),
            Notice::Moved {
                conversation,
                before,
                after,
            } => self.moved_elsewhere(group, conversation, before, after),
            Notice::Facts => self.facts_changed(group),
            Notice::WhoIsThere => self.say_who_is_here(),
            Notice::There { members } => self.there(group, node, &members),
            Notice::Moving { member, connected } => self.moving(group, node, member, connected),
        }
    }

    fn moved_elsewhere(&mut self, group: &mut Group<'_>, id: Id, before: Option<Stand>, after: Stand) {
        let Ok(Some(conversation)) = group.conversation(id) else {
            self.board_doubted = true;
            return;
        };
        // What is stored may be later than what is heard, and moved by this node.
        for stood in [before, Some(after)] {
            self.board.moved(id, stood, None);
        }
        self.board.moved(id, None, Some(conversation.stand()));
        self.end_watches(before, &conversation);
        group.stirred.insert(id);
        if let Some(before) = before.filter(|before| before.status == Status::Queued) {
            self.queue_moved(before.team);
        }
        if let Some(freed) = before
            .filter(|before| before.status == Status::Open)
            .and_then(|before| before.holder)
        {
            self.room_of(freed);
        }
        if conversation.status == Status::Queued {
            self.free.insert(conversation.team);
        }
    }

    /// All that may have been told is read from the store: what is queued and who may what by this node, the rest by each
    /// device, which learns from a heartbeat that there is something.
    fn missed(&mut self, group: &mut Group<'_>) {
        self.board_doubted = true;
        self.facts_changed(group);
        let mut here: Vec<ConnectionId> = self.connections.keys().copied().collect();
        here.retain(|connection| self.session(*connection).is_some());
        for connection in here {
            self.head_instead(connection);
        }
        group.stirred.extend(self.owners.keys().copied());
        self.bus.publish(Subject::Nodes, &Notice::WhoIsThere);
    }
}
