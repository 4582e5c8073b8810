//! One connection: bytes on their way, in order, until an end is gone.

use std::collections::VecDeque;

use bytes::Bytes;
use zuoxi_rules::ConnectionId;

/// A connection, or an attempt at one. Its two ends learn of its end each in their own time.
#[derive(Debug, Default)]
pub struct Link {
    pub device: usize,
    /// The client process that opened it.
    pub process: u32,
    /// The gateway process that has it, and its number there; none: not (or no longer) there.
    pub there: Option<(u32, ConnectionId)>,
    pub up: VecDeque<Bytes>,
    pub down: VecDeque<Bytes>,
    /// Pages that what was said later overtakes.
    pub late: VecDeque<Bytes>,
    /// When the last frame of a direction arrives: the next doesn't before.
    pub up_at: u64,
    pub down_at: u64,
    /// The client's end is gone.
    pub client_over: bool,
    /// The gateway's end is gone.
    pub gateway_over: bool,
    /// What is sent in this direction goes nowhere.
    pub up_lost: bool,
    pub down_lost: bool,
}
