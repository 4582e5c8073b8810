//! A gateway's frame as far as the load looks at it: what isn't declared here is skipped, and costs the load nothing.
//! The numbers are those of `proto/zuoxi/v1`.

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::v1::{GoingAway, Problem};

use crate::Outcome;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Frame {
    #[prost(message, optional, tag = "11")]
    logged_in: Option<Nothing>,
    #[prost(message, optional, tag = "13")]
    problem: Option<Problem>,
    #[prost(message, optional, tag = "14")]
    answers: Option<Answers>,
    #[prost(message, optional, tag = "15")]
    pushes: Option<Pushes>,
    #[prost(message, optional, tag = "28")]
    going_away: Option<GoingAway>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Nothing {}

#[derive(Clone, PartialEq, Message)]
struct Answers {
    #[prost(message, repeated, tag = "1")]
    answers: Vec<Answer>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Answer {
    #[prost(bytes = "bytes", tag = "4")]
    pub(crate) id: Bytes,
    #[prost(message, optional, tag = "10")]
    pub(crate) accepted: Option<Accepted>,
    #[prost(message, optional, tag = "11")]
    refused: Option<zuoxi_wire::v1::Refused>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Accepted {
    #[prost(uint64, tag = "1")]
    pub(crate) seq: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Pushes {
    #[prost(message, repeated, tag = "1")]
    pushes: Vec<Push>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Push {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(bytes = "bytes", tag = "5")]
    pub(crate) conversation: Bytes,
    #[prost(message, optional, tag = "9")]
    pub(crate) entry: Option<Entry>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Entry {
    #[prost(uint64, tag = "1")]
    pub(crate) seq: u64,
    #[prost(int32, tag = "3")]
    pub(crate) kind: i32,
    #[prost(bytes = "bytes", tag = "8")]
    pub(crate) content: Bytes,
}

impl Frame {
    pub(crate) fn read(bytes: Bytes) -> Outcome<Self> {
        let frame = Self::decode(bytes)?;
        match (&frame.problem, &frame.going_away) {
            (Some(problem), _) => Err(format!("a problem: {problem:?}").into()),
            (_, Some(away)) => Err(format!("the gateway went away: {away:?}").into()),
            _ => Ok(frame),
        }
    }

    pub(crate) fn logged_in(&self) -> bool {
        self.logged_in.is_some()
    }

    pub(crate) fn answers(&self) -> &[Answer] {
        self.answers.as_ref().map_or(&[], |answers| &answers.answers)
    }

    pub(crate) fn pushes(&self) -> &[Push] {
        self.pushes.as_ref().map_or(&[], |pushes| &pushes.pushes)
    }
}
