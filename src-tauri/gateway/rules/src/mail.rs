//! What leaves, gathered: one frame for what one commit has for a connection, in order.

use std::collections::BTreeMap;

use prost::Message;
use zuoxi_wire::limits;
use zuoxi_wire::v1::{Answer, Answers, GatewayFrame, Push, Pushes, gateway_frame::Kind};

use crate::event::{ConnectionId, Output};

/// Bytes of pushes or answers after which another frame begins: half of what a frame may have.
const FRAME_FILL: usize = limits::FRAME_BYTES as usize / 2;

#[derive(Debug)]
enum Part {
    Answers(Vec<Answer>, usize),
    Pushes(Vec<Push>, usize),
    Frame(Box<GatewayFrame>),
    Close,
}

#[derive(Debug, Default)]
pub(crate) struct Mail {
    parts: BTreeMap<ConnectionId, Vec<Part>>,
    /// Work for other threads.
    work: Vec<Output>,
}

impl Mail {
    pub(crate) fn answer(&mut self, to: ConnectionId, answer: Answer) {
        let bytes = answer.encoded_len() + 8;
        let parts = self.parts.entry(to).or_default();
        match parts.last_mut() {
            Some(Part::Answers(answers, filled)) if *filled + bytes <= FRAME_FILL => {
                answers.push(answer);
                *filled += bytes;
            }
            _ => parts.push(Part::Answers(vec![answer], bytes)),
        }
    }

    /// `bytes` is at least the push's size in a frame.
    pub(crate) fn push(&mut self, to: ConnectionId, push: Push, bytes: usize) {
        let parts = self.parts.entry(to).or_default();
        match parts.last_mut() {
            Some(Part::Pushes(pushes, filled)) if *filled + bytes <= FRAME_FILL => {
                pushes.push(push);
                *filled += bytes;
            }
            _ => parts.push(Part::Pushes(vec![push], bytes)),
        }
    }

    pub(crate) fn say(&mut self, to: ConnectionId, request: u32, kind: Kind) {
        let frame = GatewayFrame {
            request,
            kind: Some(kind),
        };
        self.parts.entry(to).or_default().push(Part::Frame(Box::new(frame)));
    }

    pub(crate) fn close(&mut self, connection: ConnectionId) {
        self.parts.entry(connection).or_default().push(Part::Close);
    }

    pub(crate) fn work(&mut self, output: Output) {
        self.work.push(output);
    }

    pub(crate) fn empty_into(&mut self, out: &mut Vec<Output>) {
        for (connection, parts) in std::mem::take(&mut self.parts) {
            for part in parts {
                let frame = match part {
                    Part::Answers(answers, _) => GatewayFrame {
                        request: 0,
                        kind: Some(Kind::Answers(Answers { answers })),
                    },
                    Part::Pushes(pushes, _) => GatewayFrame {
                        request: 0,
                        kind: Some(Kind::Pushes(Pushes { pushes })),
                    },
                    Part::Frame(frame) => *frame,
                    Part::Close => {
                        out.push(Output::Close { connection });
                        continue;
                    }
                };
                out.push(Output::Send { connection, frame });
            }
        }
        out.append(&mut self.work);
    }
}
