//! To whom something goes: the connections here, and the bus to the other nodes; and what is heard from those.

use std::collections::BTreeSet;

use zuoxi_wire::Id;
use zuoxi_wire::v1::{Push, Status, gateway_frame};

use crate::bus::{Heard, NodeId, Notice, Subject, To};
use crate::event::ConnectionId;
use crate::gateway::Gateway;
use crate::group::Group;
use crate::record::Conversation;
use crate::timer::Timer;

/// Notices taken up in one group: what waits behind them comes with the next one.
const HEARD_AT_ONCE: usize = 1_024;
/// Conversations whose customers are told in one group that they moved elsewhere.
const STIRRED_AT_ONCE: usize = 256;

impl Gateway {
    /// Connections of this node to one agent, to one customer, or of who reads along in one conversation.
    fn of_one(&self, to: To) -> Option<&BTreeSet<ConnectionId>> {
        match to {
            To::Agent(id) => self.agents.get(&id),
            To::Customer(id) => self.customers.get(&id),
            To::Watchers(id) => self.watchers.get(&id),
            To::Team(_) | To::Agents => None,
        }
    }

    /// Connections of this node.
    fn here(&self, to: To) -> Vec<ConnectionId> {
        match to {
            To::Team(id) => {
                let members = self.people.members(id);
                members.flat_map(|agent| self.devices(agent.id)).collect()
            }
            To::Agents => self.agents.values().flatten().copied().collect(),
            _ => self.of_one(to).into_iter().flatten().copied().collect(),
        }
    }

    /// Whether there may be anybody, here or elsewhere: else nothing has to be worded.
    pub(crate) fn is_anybody(&self, to: To) -> bool {
        let here = match to {
            To::Team(id) => self.is_anybody_there(id),
            To::Agents => !self.agents.is_empty(),
            _ => self.of_one(to).is_some(),
        };
        here || self.bus.has_others()
    }

    /// Whether this connection is that one's: an act's own push is never a team's.
    pub(crate) fn is_of(&self, to: To, connection: ConnectionId) -> bool {
        self.of_one(to).is_some_and(|of| of.contains(&connection))
    }

    /// Whether the one connection of them that is known is the only one anywhere.
    pub(crate) fn is_nobody_else(&self, to: To) -> bool {
        self.of_one(to).is_some_and(|of| of.len() == 1) && !self.bus.has_others()
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
                epoch: self.epoch,
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
                let conversation = after.id;
                self.bus.publish(Subject::Nodes, &Notice::Moved { conversation });
            }
        }
    }

    /// Takes up what other nodes published.
    pub(crate) fn hear(&mut self, group: &mut Group<'_>) {
        for _ in 0..HEARD_AT_ONCE {
            let Some(heard) = self.bus.hear() else {
                return self.facts_if_due(group);
            };
            match heard {
                Heard::Missed => self.missed(),
                Heard::Left(node) => {
                    self.there(group, node, &[]);
                    // It may have stored something last, and told nobody.
                    self.doubt();
                }
                Heard::Notice(node, notice) => self.heard(group, node, notice),
            }
        }
        self.facts_if_due(group);
        self.timers.set(self.now_ms + 1, Timer::Hear);
    }

    fn heard(&mut self, group: &mut Group<'_>, node: NodeId, notice: Notice) {
        match notice {
            Notice::Push {
                to,
                push,
                hidden,
                epoch,
            } if epoch == self.epoch => self.push_here(group, to, push, hidden, None),
            Notice::Push { .. } => {}
            Notice::Say { to, said } => self.say_here(group, to, &said),
            Notice::Moved { conversation } => self.moved_elsewhere(group, conversation),
            Notice::Doubted => self.doubt(),
            Notice::Facts => self.facts_due = true,
            Notice::Presence { agent, presence } => {
                self.takes_presence(group, agent, presence);
            }
            Notice::LoggedOut { token_hash } => self.end_session(group, token_hash),
            Notice::WhoIsThere => self.say_who_is_here(),
            Notice::There { members } => self.there(group, node, &members),
            Notice::Connected { member, connected } => self.connected_elsewhere(group, node, member, connected),
        }
    }

    /// Once for all that was heard.
    fn facts_if_due(&mut self, group: &mut Group<'_>) {
        if std::mem::take(&mut self.facts_due) {
            self.facts_heard(group);
        }
    }

    fn moved_elsewhere(&mut self, group: &mut Group<'_>, id: Id) {
        self.moved.insert(id);
        let Ok(Some(conversation)) = group.conversation(id) else {
            // Who may read along can't be told either: they ask again.
            self.board_doubted = true;
            return self.nobody_watches(id, |_| true);
        };
        // What is stored may be later than what is heard, and moved by this node.
        let (before, after) = (self.board.stand(id), conversation.stand());
        self.board.set(id, Some(after));
        self.end_watches(&conversation);
        match before.map(|before| (before.status, before.team, before.holder)) {
            Some((Status::Queued, team, _)) => self.queue_moved(team),
            Some((_, _, Some(freed))) if conversation.assignee() != Some(freed) => self.room_of(freed),
            _ => {}
        }
        if after.status == Status::Queued {
            self.queue_moved(after.team);
            self.free.insert(after.team);
        }
    }

    /// Something may be stored that this node doesn't know of.
    fn doubt(&mut self) {
        self.board_doubted = true;
        self.facts_due = true;
        // Once the board is read: whoever waits there unknown may be handed out here.
        self.free.extend(self.people.teams.keys().copied());
        self.timers.set(self.now_ms + 1, Timer::Hear);
        self.moved.extend(self.owners.keys().copied());
        let watched: Vec<Id> = self.watchers.keys().copied().collect();
        for conversation in watched {
            // Whoever still reads along asks again.
            self.nobody_watches(conversation, |_| true);
        }
        let mut here: Vec<ConnectionId> = self.connections.keys().copied().collect();
        here.retain(|connection| self.session(*connection).is_some());
        for connection in here {
            self.owe_head(connection);
        }
    }

    /// Also who is connected where may be unknown, and others may wait to hear it of this node.
    fn missed(&mut self) {
        self.doubt();
        self.bus.publish(Subject::Nodes, &Notice::WhoIsThere);
        self.say_who_is_here();
    }

    /// Once a group is stored, customers of what other nodes moved are told, a few at a time.
    pub(crate) fn stir_moved(&mut self, group: &mut Group<'_>) {
        for _ in 0..STIRRED_AT_ONCE {
            let Some(id) = self.moved.pop_first() else { return };
            group.stirred.insert(id);
        }
        self.timers.set(self.now_ms + 1, Timer::Hear);
    }
}
