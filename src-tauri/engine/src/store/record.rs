//! Small records that stand in one column each, as protobuf: fields can be added without a migration.

use std::collections::BTreeMap;

use prost::Message;
use zuoxi_protocol::change::{LogState, OutboxState, Range};
use zuoxi_wire::Id;

use super::error::StoreError;

/// [`LogState`].
#[derive(Clone, PartialEq, Message)]
pub(super) struct LogRecord {
    #[prost(uint64, tag = "1")]
    floor: u64,
    /// First, last, first, last …
    #[prost(uint64, repeated, tag = "2")]
    covered: Vec<u64>,
    #[prost(uint64, tag = "3")]
    head: u64,
    #[prost(uint64, repeated, tag = "4")]
    erased: Vec<u64>,
    #[prost(btree_map = "uint64, uint32", tag = "5")]
    generations: BTreeMap<u64, u32>,
    #[prost(bool, tag = "6")]
    to_compare: bool,
    #[prost(uint64, tag = "7")]
    read: u64,
    #[prost(uint64, tag = "8")]
    read_told: u64,
    #[prost(message, repeated, tag = "9")]
    positions: Vec<PositionRecord>,
}

/// One of [`LogState::positions`].
#[derive(Clone, PartialEq, Message)]
struct PositionRecord {
    #[prost(bytes = "vec", tag = "1")]
    member: Vec<u8>,
    #[prost(int32, tag = "2")]
    role: i32,
    #[prost(uint64, tag = "3")]
    delivered: u64,
    #[prost(uint64, tag = "4")]
    read: u64,
}

/// [`OutboxState::Parked`].
#[derive(Clone, PartialEq, Message)]
pub(super) struct ParkedRecord {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(bool, tag = "2")]
    behind: bool,
    #[prost(uint64, repeated, tag = "3")]
    stale_seqs: Vec<u64>,
    #[prost(string, tag = "4")]
    assignee_name: String,
}

/// A record or column that this schema never wrote.
pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("unreadable {what}"))
}

/// An id column.
pub(super) fn id(bytes: &[u8]) -> Result<Id, StoreError> {
    Id::try_from(bytes).map_err(|_| damaged("id"))
}

pub(super) fn encode_log(state: &LogState) -> Vec<u8> {
    LogRecord {
        floor: state.floor,
        covered: state
            .covered
            .iter()
            .flat_map(|range| [range.first, range.last])
            .collect(),
        head: state.head,
        erased: state.erased.clone(),
        generations: state.generations.clone(),
        to_compare: state.to_compare,
        read: state.read,
        read_told: state.read_told,
        positions: state
            .positions
            .iter()
            .map(|(member, role, delivered, read)| PositionRecord {
                member: member.0.to_vec(),
                role: *role,
                delivered: *delivered,
                read: *read,
            })
            .collect(),
    }
    .encode_to_vec()
}

pub(super) fn decode_log(bytes: &[u8]) -> Result<LogState, StoreError> {
    let record = LogRecord::decode(bytes).map_err(|_| damaged("log"))?;
    let (pairs, rest) = record.covered.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(damaged("log"));
    }
    Ok(LogState {
        floor: record.floor,
        covered: pairs
            .iter()
            .map(|[first, last]| Range {
                first: *first,
                last: *last,
            })
            .collect(),
        head: record.head,
        erased: record.erased,
        generations: record.generations,
        to_compare: record.to_compare,
        read: record.read,
        read_told: record.read_told,
        positions: record
            .positions
            .iter()
            .map(|position| Ok((id(&position.member)?, position.role, position.delivered, position.read)))
            .collect::<Result<_, StoreError>>()?,
    })
}

/// A state's number and, for a parked one, its record.
pub(super) fn encode_state(state: &OutboxState) -> (i64, Option<Vec<u8>>) {
    match state {
        OutboxState::Waiting => (1, None),
        OutboxState::Voided => (2, None),
        OutboxState::Parked {
            code,
            behind,
            stale_seqs,
            assignee_name,
        } => {
            let record = ParkedRecord {
                code: *code,
                behind: *behind,
                stale_seqs: stale_seqs.clone(),
                assignee_name: assignee_name.clone(),
            };
            (3, Some(record.encode_to_vec()))
        }
        OutboxState::Lost => (4, None),
    }
}

pub(super) fn decode_state(number: i64, parked: Option<&[u8]>) -> Result<OutboxState, StoreError> {
    match (number, parked) {
        (1, _) => Ok(OutboxState::Waiting),
        (2, _) => Ok(OutboxState::Voided),
        (3, Some(bytes)) => {
            let record = ParkedRecord::decode(bytes).map_err(|_| damaged("parked act"))?;
            Ok(OutboxState::Parked {
                code: record.code,
                behind: record.behind,
                stale_seqs: record.stale_seqs,
                assignee_name: record.assignee_name,
            })
        }
        (4, _) => Ok(OutboxState::Lost),
        _ => Err(damaged("act's state")),
    }
}
