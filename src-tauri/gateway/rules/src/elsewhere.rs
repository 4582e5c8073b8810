//! Who is connected to which other node: routing counts them, and nobody is away who is there.

use std::collections::BTreeSet;

use crate::bus::{NodeId, Notice, Subject};
use crate::gateway::Gateway;
use crate::group::Group;
use crate::record::Who;
use crate::timer::Timer;

impl Gateway {
    /// Whether somebody has a device connected, to whichever node.
    pub(crate) fn is_connected(&self, who: Who) -> bool {
        let here = match who {
            Who::Agent(id) => self.agents.contains_key(&id),
            Who::Customer(id) => self.customers.contains_key(&id),
        };
        here || self.elsewhere.contains_key(&who)
    }

    /// Somebody's first device connected here, or their last one left.
    pub(crate) fn tell_connected(&mut self, member: Who, connected: bool) {
        let subject = who_subject(member);
        if connected {
            self.bus.follow(subject);
        } else {
            self.bus.unfollow(subject);
        }
        if self.bus.has_others() {
            self.bus
                .publish(Subject::Nodes, &Notice::Connected { member, connected });
        }
    }

    pub(crate) fn say_who_is_here(&mut self) {
        let agents = self.agents.keys().copied().map(Who::Agent);
        let members = agents
            .chain(self.customers.keys().copied().map(Who::Customer))
            .collect();
        self.bus.publish(Subject::Nodes, &Notice::There { members });
    }

    /// All who are connected to a node.
    pub(crate) fn there(&mut self, group: &mut Group<'_>, node: NodeId, members: &[Who]) {
        let members: BTreeSet<Who> = members.iter().copied().collect();
        let known = self.elsewhere.iter().filter(|(_, nodes)| nodes.contains(&node));
        let left: Vec<Who> = known
            .map(|(member, _)| *member)
            .filter(|member| !members.contains(member))
            .collect();
        for member in left {
            self.connected_elsewhere(group, node, member, false);
        }
        for member in members {
            self.connected_elsewhere(group, node, member, true);
        }
    }

    /// Somebody connected to a node, or left it. Whom it concerns here is told here.
    pub(crate) fn connected_elsewhere(&mut self, group: &mut Group<'_>, node: NodeId, member: Who, connected: bool) {
        let before = self.is_connected(member);
        let nodes = self.elsewhere.entry(member).or_default();
        if connected {
            nodes.insert(node);
        } else {
            nodes.remove(&node);
        }
        if nodes.is_empty() {
            self.elsewhere.remove(&member);
        }
        let after = self.is_connected(member);
        match member {
            Who::Agent(agent) => {
                if after {
                    self.away.remove(&agent);
                } else if before {
                    self.went_away(agent);
                }
                if after != before {
                    self.agent_moved(group, agent);
                }
            }
            // Whose they are is looked up a few at a time.
            Who::Customer(_) if after != before => {
                self.unsaid.insert(member, None);
                self.timers.set(self.now_ms, Timer::Unsaid);
            }
            Who::Customer(_) => {}
        }
    }
}

fn who_subject(who: Who) -> Subject {
    match who {
        Who::Agent(id) => Subject::Agent(id),
        Who::Customer(id) => Subject::Customer(id),
    }
}
