//! What the gateway knows of one connection, as long as it lives.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::v1::{BlockCodec, CustomerState, LogIn, Push};
use zuoxi_wire::{Id, limits};

use crate::config::Config;
use crate::event::Door;
use crate::lane::Lane;
use crate::planted::{self, Fault};
use crate::rate::Bucket;
use crate::record::Who;

/// How far a connection has come.
#[derive(Debug, Clone)]
pub(crate) enum Stage {
    /// Hello was sent; the log-in is awaited.
    Greeted,
    /// A log-in waits for its password's check.
    Checking {
        request: u32,
        log_in: Box<LogIn>,
        /// With the hash that is checked.
        agent: Option<(Id, String)>,
        name: String,
    },
    /// The log-in is stored with the group that runs.
    Entering,
    /// Logged in.
    In(Session),
    /// Closed by us; what still comes is dropped.
    Ended,
}

/// Who is logged in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    pub(crate) who: Who,
    pub(crate) token_hash: [u8; 32],
    /// A customer's conversation, whether it has a row yet or not.
    pub(crate) own: Option<Id>,
    /// When it is looked at in the store again: it is in use, so it doesn't expire.
    pub(crate) renew_ms: u64,
}

/// A request that waits for work off the core thread.
#[derive(Debug, Clone)]
pub(crate) enum Pending {
    /// The old password is checked.
    OldPassword { request: u32, new: String },
    /// The new one is hashed.
    NewPassword { request: u32 },
    /// A signature is checked.
    Identity { request: u32 },
}

#[derive(Debug)]
struct InFlight {
    number: u64,
    bytes: u64,
    sent_ms: u64,
    conversation: Option<Id>,
    hidden: bool,
}

/// Pushes of one connection that aren't acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Window {
    last: u64,
    flying: VecDeque<InFlight>,
    bytes: u64,
    left_out: bool,
    /// The conversation of the last one that was acknowledged, and its number.
    acknowledged: (u64, Option<Id>),
}

impl Window {
    /// Numbers a push and gives its size in bytes, if there is room; else it is left out. `hidden`: of an entry that no
    /// customer sees.
    pub(crate) fn admit(&mut self, push: &mut Push, hidden: bool, now_ms: u64) -> Option<u64> {
        let bytes = push.encoded_len() as u64 + 16;
        if self.flying.len() as u64 >= limits::WINDOW_PUSHES || self.bytes + bytes > limits::WINDOW_BYTES {
            self.left_out = true;
            return None;
        }
        self.last += 1;
        push.number = self.last;
        self.bytes += bytes;
        self.flying.push_back(InFlight {
            number: self.last,
            bytes,
            sent_ms: now_ms,
            conversation: id_of(&push.conversation),
            hidden,
        });
        Some(bytes)
    }

    /// A push is not sent: a heartbeat tells that there is something.
    pub(crate) fn leave_out(&mut self) {
        self.left_out = true;
    }

    /// Everything up to `push` is committed at the device. False: it was never sent.
    pub(crate) fn acknowledge(&mut self, push: u64) -> bool {
        if push > self.last {
            return false;
        }
        while let Some(first) = self.flying.pop_front_if(|first| first.number <= push) {
            self.bytes -= first.bytes;
            self.acknowledged = (first.number, first.conversation);
        }
        true
    }

    /// Of which conversation this push was; `None`: it isn't the last one that was acknowledged.
    pub(crate) fn conversation_of(&self, push: u64) -> Option<Id> {
        let (number, conversation) = self.acknowledged;
        conversation.filter(|_| number == push)
    }

    /// Something was left out and there is room again: tells it once.
    pub(crate) fn reopened(&mut self) -> bool {
        let open = (self.flying.len() as u64) < limits::WINDOW_PUSHES && self.bytes < limits::WINDOW_BYTES;
        open && std::mem::take(&mut self.left_out) && !planted::has(Fault::OverflowDropped)
    }

    /// When the connection is dropped if nothing is acknowledged until then. What is hidden isn't waited for: an agent
    /// who is gone sooner because of a note would show to customers that there is one.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        let awaited = |push: &&InFlight| !push.hidden || planted::has(Fault::NoteAwaited);
        let first = self.flying.iter().find(awaited)?;
        Some(first.sent_ms + limits::ACK_MS)
    }
}

pub(crate) struct Connection {
    pub(crate) door: Door,
    pub(crate) address: String,
    pub(crate) nonce: [u8; 16],
    pub(crate) stage: Stage,
    pub(crate) pending: Option<Pending>,
    pub(crate) codec: BlockCodec,
    pub(crate) device: Id,
    pub(crate) mobile: bool,
    pub(crate) page_url: Option<String>,
    pub(crate) lanes: BTreeMap<Id, Lane>,
    pub(crate) acts: Bucket,
    pub(crate) requests: Bucket,
    pub(crate) window: Window,
    pub(crate) ack_timer: bool,
    pub(crate) watches: BTreeSet<Id>,
    /// What a customer was told last of their conversation's state.
    pub(crate) told: Option<CustomerState>,
    pub(crate) asked_heartbeat_ms: u64,
}

impl Connection {
    pub(crate) fn new(config: &Config, door: Door, address: String, nonce: [u8; 16], now_ms: u64) -> Self {
        let requests = config.requests_per_second;
        Self {
            door,
            address,
            nonce,
            stage: Stage::Greeted,
            pending: None,
            codec: BlockCodec::Plain,
            device: Id::default(),
            mobile: false,
            page_url: None,
            lanes: BTreeMap::new(),
            acts: Bucket::new(1, 1, now_ms),
            requests: Bucket::new(requests, requests.saturating_mul(4), now_ms),
            window: Window::default(),
            ack_timer: false,
            watches: BTreeSet::new(),
            told: None,
            asked_heartbeat_ms: 0,
        }
    }

    pub(crate) fn session(&self) -> Option<Session> {
        match self.stage {
            Stage::In(session) => Some(session),
            _ => None,
        }
    }

    /// What the first frame tells of the device.
    pub(crate) fn meet(&mut self, log_in: &LogIn) {
        self.device = Id::try_from(&log_in.device).unwrap_or_default();
        if log_in.codecs.contains(&(BlockCodec::Zstd as u32)) {
            self.codec = BlockCodec::Zstd;
        }
        self.mobile = log_in.visit.as_ref().is_some_and(|visit| is_mobile(&visit.browser));
    }
}

/// Whether a User-Agent says that it runs on a phone.
fn is_mobile(browser: &str) -> bool {
    browser.contains("Mobi") || browser.contains("Android")
}

/// A text from a page, cut to `bytes` at a character's border.
pub(crate) fn cut(text: &str, bytes: u64) -> String {
    let mut end = text.len().min(bytes as usize);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// An id field, where it must be one.
pub(crate) fn id_of(bytes: &Bytes) -> Option<Id> {
    Id::try_from(bytes).ok()
}
