//! What each connection carried: windows, and what an ACK may name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use zuoxi_wire::Id;
use zuoxi_wire::v1::{Ack, Watermark};

/// One connection, seen from outside.
#[derive(Debug, Default)]
pub struct Wire {
    /// Pushes that arrived, with the last transaction given when they had been handled.
    pub arrived: VecDeque<(u64, u64)>,
    /// The last transaction given before the frame that is handled, and the last one that a push led to.
    pub before: u64,
    pub covering: u64,
    /// Highest push of the frame that is being handled.
    pub handling: u64,
    /// Pushes sent and not acknowledged at the gateway, with their bytes.
    pub flying: VecDeque<(u64, u64)>,
    pub flying_bytes: u64,
    pub last_push: u64,
    /// Of which conversation each push was, from number 1 on.
    pub of: Vec<Id>,
    /// The last revision of the own feed that a push told.
    pub revision: Option<(u64, u64)>,
    /// The window was full.
    pub was_full: bool,
    /// A push tells that some were left out, and no ACK came since.
    pub left_out: bool,
    /// A heartbeat came since the last push of a row.
    pub beaten: bool,
    /// A heartbeat is owed by then; 0: none.
    pub owes: u64,
    /// When the pages of feeds that are on their way were said.
    pub lists: VecDeque<u64>,
    /// Acts under way: the lane of each conversation, and its numbers.
    pub lanes: BTreeMap<Vec<u8>, (u32, BTreeSet<u32>)>,
    pub over: bool,
}

impl Wire {
    /// The conversation of a watermark: where none is named, that of the push that its ACK names.
    pub fn marked(&self, ack: &Ack, mark: &Watermark) -> Option<Id> {
        if mark.conversation.is_empty() {
            let at = usize::try_from(ack.push.checked_sub(1)?).ok()?;
            self.of.get(at).copied()
        } else {
            Id::try_from(&mark.conversation).ok()
        }
    }
}
