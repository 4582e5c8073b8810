//! What one node tells the others.
//!
//! Several gateways ("nodes") may share a store: a customer is connected to one, their agent to another. A node tells
//! its own connections first and by itself; the bus carries the same to those nodes that follow the subject. The store is
//! the truth and the bus only wakes: whoever lost a notice reads there what they need. So a bus may lose, if it says so
//! ([`Heard::Missed`]); it may neither double nor turn round what one node published.
//!
//! [`Hub`] is the embedded one, [`crate::bus_conformance`] what every one must do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zuoxi_wire::Id;
use zuoxi_wire::v1::{Presence, Push, gateway_frame};

use crate::record::Who;

/// Notices that may wait for one node. A node that is further behind asks the store instead.
pub const WAITING: usize = 4_096;

/// What a node follows while it has somebody whom it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An agent, by id.
    Agent(Id),
    /// A customer, by id.
    Customer(Id),
    /// A conversation, by id: of those who read along.
    Conversation(Id),
    /// What every node has to know.
    Nodes,
}

/// Whose connections something goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum To {
    /// Devices of an agent.
    Agent(Id),
    /// Devices of a team's agents.
    Team(Id),
    /// Devices of all agents.
    Agents,
    /// Pages of a customer.
    Customer(Id),
    /// Devices that read along in a conversation.
    Watchers(Id),
}

impl To {
    /// Under which subject the other nodes are told.
    pub fn subject(self) -> Subject {
        match self {
            Self::Agent(id) => Subject::Agent(id),
            Self::Customer(id) => Subject::Customer(id),
            Self::Watchers(id) => Subject::Conversation(id),
            Self::Team(_) | Self::Agents => Subject::Nodes,
        }
    }
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq)]
// Nearly all of them are the large one.
#[allow(clippy::large_enum_variant)]
pub enum Notice {
    /// A push that is stored, without a number: each connection counts its own.
    Push {
        /// Whose.
        to: To,
        /// What.
        push: Push,
        /// Of an entry that no customer sees.
        hidden: bool,
        /// Of the log that it is in: nothing of a log before a restore is told after it.
        epoch: u64,
    },
    /// A frame for all of these.
    Say {
        /// Whose.
        to: To,
        /// What.
        said: gateway_frame::Kind,
    },
    /// A conversation stands elsewhere, or is new: where is stored; [`Subject::Nodes`].
    Moved {
        /// Which.
        conversation: Id,
    },
    /// Something may be stored that nobody published; [`Subject::Nodes`].
    Doubted,
    /// What agents are and may do is another: it is read again; [`Subject::Nodes`].
    Facts,
    /// An agent wants to be seen as this; [`Subject::Nodes`].
    Presence {
        /// Who.
        agent: Id,
        /// Never offline.
        presence: Presence,
    },
    /// A session was ended by its owner; [`Subject::Nodes`].
    LoggedOut {
        /// SHA-256 of its token.
        token_hash: [u8; 32],
    },
    /// This node is new, or lost something: who is connected to the others? [`Subject::Nodes`].
    WhoIsThere,
    /// All who are connected to this node; [`Subject::Nodes`].
    There {
        /// Agents and customers.
        members: Vec<Who>,
    },
    /// Somebody's first device connected to this node, or their last one left it; [`Subject::Nodes`].
    Connected {
        /// Who.
        member: Who,
        /// They are connected here now.
        connected: bool,
    },
}

/// A node, as the others know it; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// What a node hears.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)]
pub enum Heard {
    /// Another node published it.
    Notice(NodeId, Notice),
    /// This node is gone, and whoever was connected to it. The last that is heard of it.
    Left(NodeId),
    /// Something that it follows was lost here. What comes afterwards is whole again.
    Missed,
}

/// One node's end of the bus. No call waits for another node. Dropped, it leaves.
pub trait Bus: Send {
    /// From now on what is published under this subject is heard. Following it twice changes nothing.
    fn follow(&mut self, subject: Subject);
    /// It isn't heard any longer, but for what was published before.
    fn unfollow(&mut self, subject: Subject);
    /// Whether there may be other nodes: where there are none, nothing has to be published.
    fn has_others(&self) -> bool;
    /// Tells the other nodes that follow this subject, once each, in the order of publishing. What speaks of stored things
    /// is published after their COMMIT.
    fn publish(&mut self, subject: Subject, notice: &Notice);
    /// The next that came from others.
    fn hear(&mut self) -> Option<Heard>;
}

/// The embedded bus: nodes of one process.
#[derive(Debug, Clone, Default)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    ends: Mutex<Ends>,
    /// How many nodes there are, for whoever asks before each word.
    count: AtomicUsize,
}

impl Shared {
    /// Nothing is ever left half done under the lock.
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Ends {
    last: u64,
    nodes: BTreeMap<NodeId, End>,
}

struct End {
    follows: BTreeSet<Subject>,
    waiting: VecDeque<Heard>,
    wake: Box<dyn Fn() + Send>,
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("End")
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}

impl End {
    fn give(&mut self, heard: impl FnOnce() -> Heard) {
        if self.waiting.len() >= WAITING {
            // The node reads and asks for all of it anyhow. Who left isn't told again.
            self.waiting.retain(|heard| matches!(heard, Heard::Left(_)));
            self.waiting.push_back(Heard::Missed);
        }
        self.waiting.push_back(heard());
        (self.wake)();
    }
}

impl Hub {
    /// A node of its own. `wake` is called when something waits to be heard, in the thread of whoever published it; it
    /// must neither wait nor use the bus.
    pub fn node(&self, wake: impl Fn() + Send + 'static) -> Node {
        let mut ends = self.shared.ends();
        ends.last += 1;
        let number = NodeId(ends.last);
        let end = End {
            follows: BTreeSet::new(),
            waiting: VecDeque::new(),
            wake: Box::new(wake),
        };
        ends.nodes.insert(number, end);
        self.shared.count.store(ends.nodes.len(), Ordering::Release);
        Node {
            number,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// A node of a [`Hub`].
#[derive(Debug)]
pub struct Node {
    number: NodeId,
    shared: Arc<Shared>,
}

impl Node {
    fn own<T>(&self, ask: impl FnOnce(&mut End) -> T) -> Option<T> {
        self.shared.ends().nodes.get_mut(&self.number).map(ask)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut ends = self.shared.ends();
        ends.nodes.remove(&self.number);
        self.shared.count.store(ends.nodes.len(), Ordering::Release);
        for end in ends.nodes.values_mut() {
            end.give(|| Heard::Left(self.number));
        }
    }
}

impl Bus for Node {
    fn follow(&mut self, subject: Subject) {
        self.own(|end| end.follows.insert(subject));
    }

    fn unfollow(&mut self, subject: Subject) {
        self.own(|end| end.follows.remove(&subject));
    }

    fn has_others(&self) -> bool {
        self.shared.count.load(Ordering::Acquire) > 1
    }

    fn publish(&mut self, subject: Subject, notice: &Notice) {
        let mut ends = self.shared.ends();
        let others = ends.nodes.iter_mut().filter(|(number, _)| **number != self.number);
        for (_, end) in others.filter(|(_, end)| end.follows.contains(&subject)) {
            end.give(|| Heard::Notice(self.number, notice.clone()));
        }
    }

    fn hear(&mut self) -> Option<Heard> {
        self.own(|end| end.waiting.pop_front()).flatten()
    }
}
