//! The least that a gateway must do, as a yardstick in the same run: WebSocket, dedup by id, Seq, one transaction for all
//! that is queued, fsync, ACK, push, and all frames of a commit in one write.

mod server;
mod store;

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use zuoxi_wire::Id;

use crate::Outcome;
use crate::dialect::{Dialect, Heard, LAST};
use crate::link::Link;

pub(crate) use server::serve;

const SEND: u8 = 1;
const ACK: u8 = 2;
const PUSH: u8 = 3;
const CONFIRM: u8 = 4;

/// What the bare server says.
enum Said {
    Ack([u8; 16]),
    Push {
        conversation: u32,
        seq: i64,
        id: [u8; 16],
        text: Bytes,
    },
}

impl Said {
    fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(128);
        match self {
            Self::Ack(id) => {
                out.put_u8(ACK);
                out.put_slice(id);
            }
            Self::Push {
                conversation,
                seq,
                id,
                text,
            } => {
                out.put_u8(PUSH);
                out.put_u32(*conversation);
                out.put_i64(*seq);
                out.put_slice(id);
                out.put_slice(text);
            }
        }
        out.freeze()
    }
}

/// One side of a conversation with the bare server: frames of a kind, fixed fields, and a text as the rest.
pub(crate) struct Bare {
    number: u32,
    /// What arrived since the last confirmation: the last Seq of each conversation.
    heads: HashMap<u32, u64>,
}

impl Dialect for Bare {
    async fn customer(server: SocketAddr, number: u32) -> Outcome<(Self, Link)> {
        let link = Link::open(server, &format!("/customer/{number}")).await?;
        Ok((
            Self {
                number,
                heads: HashMap::new(),
            },
            link,
        ))
    }

    async fn agent(server: SocketAddr, number: u32) -> Outcome<(Self, Link)> {
        let link = Link::open(server, &format!("/agent/{number}")).await?;
        Ok((
            Self {
                number,
                heads: HashMap::new(),
            },
            link,
        ))
    }

    fn send(&mut self, messages: &[(Id, &str)], link: &mut Link) {
        for (id, text) in messages {
            let mut out = BytesMut::with_capacity(128);
            out.put_u8(SEND);
            out.put_slice(&id.0);
            out.put_u32(self.number);
            out.put_slice(text.as_bytes());
            link.queue(&out);
        }
    }

    fn hear(&mut self, mut frame: Bytes, heard: &mut Vec<Heard>) -> Outcome {
        match frame.try_get_u8()? {
            ACK => {
                let mut id = [0; 16];
                frame.try_copy_to_slice(&mut id)?;
                heard.push(Heard::Ack(Id(id)));
            }
            PUSH => {
                let (conversation, seq) = (frame.try_get_u32()?, frame.try_get_u64()?);
                self.heads.insert(conversation, seq);
                let mut id = [0; 16];
                id[..4].copy_from_slice(&conversation.to_be_bytes());
                // The id comes before the text.
                let last = frame.get(16..) == Some(LAST.as_bytes());
                heard.push(Heard::Push {
                    conversation: Id(id),
                    seq,
                    message: true,
                    last,
                });
            }
            kind => return Err(format!("no frame is of kind {kind}").into()),
        }
        Ok(())
    }

    fn confirm(&mut self) -> Option<Bytes> {
        if self.heads.is_empty() {
            return None;
        }
        let mut out = BytesMut::with_capacity(1 + 12 * self.heads.len());
        out.put_u8(CONFIRM);
        for (conversation, seq) in self.heads.drain() {
            out.put_u32(conversation);
            out.put_u64(seq);
        }
        Some(out.freeze())
    }
}
