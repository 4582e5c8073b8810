//! One device's session with one gateway: all machines behind one door.

use zuoxi_wire::Id;
use zuoxi_wire::v1::{BlockCodec, Member, Presence, Visit};

use crate::change::{Loaded, LogState, OutboxAct};
use crate::input::{Input, Output};
use crate::notice::{Proof, Sync};

/// Whom a session plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An agent's desk: feeds, many conversations.
    Agent,
    /// A customer: one conversation, no feed.
    Customer,
}

/// What a session is made with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whom it plays.
    pub role: Role,
    /// Random id, made once for this installation.
    pub device: Id,
    /// Software and version, for people. At most 100 scalar values.
    pub software: String,
    /// BCP 47, e.g. zh-CN. At most 35 bytes.
    pub language: String,
    /// Block codecs to ask for, besides plain.
    pub codecs: Vec<BlockCodec>,
    /// A customer's surroundings.
    pub visit: Option<Visit>,
    /// The presence that an agent wants at log-in; `Unspecified` keeps the last one.
    pub presence: Presence,
    /// For jitter. Random in the app, chosen in a simulation.
    pub seed: u64,
}

/// What is known of a kept conversation's log.
#[derive(Debug, Clone, Copy)]
pub struct LogView<'a> {
    /// As it is in memory, ahead of the store by what is being committed.
    pub state: &'a LogState,
    /// Everything from the floor up to here came in.
    pub watermark: u64,
}

/// One device's session with one gateway. Needs nothing but calls: time is `now_ms`, milliseconds UTC of a clock that
/// never goes back while the process lives (the wall clock at start, moved on by a monotonic one).
#[derive(Debug)]
pub struct Session {
    config: Config,
}

impl Session {
    /// A device that never stored anything.
    pub fn new(config: Config, now_ms: u64) -> Self {
        Self::load(config, Loaded::default(), now_ms)
    }

    /// A device that goes on from what it stored. If value `session` is there, it connects and resumes by itself at
    /// the first [`Input::Tick`].
    pub fn load(config: Config, loaded: Loaded, now_ms: u64) -> Self {
        let _ = (loaded, now_ms);
        Self { config }
    }

    /// Takes one event; what is to be done is added to `out`, in order.
    pub fn handle(&mut self, now_ms: u64, input: Input, out: &mut Vec<Output>) {
        let _ = (&self.config, now_ms, input, out);
    }

    /// Who is logged in, or was when this was stored.
    pub fn me(&self) -> Option<&Member> {
        None
    }

    /// A kept conversation's log; `None`: it isn't kept (any more).
    pub fn log(&self, conversation: Id) -> Option<LogView<'_>> {
        let _ = conversation;
        None
    }

    /// Acts that aren't settled, in order of doing.
    pub fn outbox(&self) -> impl Iterator<Item = &OutboxAct> {
        std::iter::empty()
    }

    /// A customer's conversation, once it is made.
    pub fn own_conversation(&self) -> Option<Id> {
        None
    }

    /// The mark.
    pub fn sync(&self) -> Sync {
        Sync::Offline {
            since_ms: 0,
            retry_at_ms: 0,
        }
    }

    /// What the mark rests on.
    pub fn proof(&self) -> Proof {
        Proof {
            sync: self.sync(),
            feeds: Vec::new(),
            conversations: 0,
            gaps: 0,
            waiting: 0,
            parked: 0,
            round_trip_ms: None,
        }
    }
}
