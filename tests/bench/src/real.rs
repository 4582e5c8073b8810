//! The load in Zuoxi's own wire: visitors and agents.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::Id;
use zuoxi_wire::frame::encode_client;
use zuoxi_wire::v1::client_frame::Kind as Says;
use zuoxi_wire::v1::log_in::Credential;
use zuoxi_wire::v1::message_content::Body;
use zuoxi_wire::v1::{
    Ack, Act, ActKind, Acts, AgentPassword, ClientFrame, EntryKind, LogIn, MessageContent, Visitor, Watermark,
};

use crate::Outcome;
use crate::dialect::{Dialect, Heard, LAST};
use crate::glance::{Frame, Push};
use crate::link::Link;

/// Key of the brand that the bench makes.
pub(crate) const BRAND: &str = "bench";
/// Password of its agents.
pub(crate) const PASSWORD: &str = "bench-password";

/// Log-in name of an agent.
pub(crate) fn agent_name(number: u32) -> String {
    format!("agent{number}")
}

/// One side of a conversation with the gateway.
#[derive(Default)]
pub(crate) struct Real {
    /// Acts numbered in this connection's one lane.
    number: u32,
    /// The log's watermark: what the next act is based on.
    watermark: u64,
    /// Last push, to be acknowledged.
    push: u64,
    watermarks: HashMap<Bytes, u64>,
}

impl Real {
    async fn log_in(server: SocketAddr, credential: Credential, number: u32) -> Outcome<(Self, Link)> {
        let mut link = Link::open(server, "/v1/ws").await?;
        let mut device = [0; 16];
        device[..4].copy_from_slice(&number.to_be_bytes());
        let log_in = LogIn {
            version: zuoxi_wire::VERSION,
            device: Bytes::copy_from_slice(&device),
            software: "zuoxi-bench".into(),
            language: "zh-CN".into(),
            credential: Some(credential),
            ..LogIn::default()
        };
        link.queue(&frame(Says::LogIn(log_in), None));
        link.flush().await?;
        let mut real = Self::default();
        loop {
            link.receive().await?;
            while let Some(bytes) = link.next()? {
                let frame = Frame::read(bytes)?;
                real.pushed(frame.pushes(), &mut Vec::new())?;
                if frame.logged_in() {
                    return Ok((real, link));
                }
            }
        }
    }

    fn pushed(&mut self, pushes: &[Push], heard: &mut Vec<Heard>) -> Outcome {
        for push in pushes {
            self.push = self.push.max(push.number);
            let Some(entry) = &push.entry else { continue };
            self.watermark = entry.seq;
            self.watermarks.insert(push.conversation.clone(), entry.seq);
            let message = entry.kind == EntryKind::Message as i32;
            // What is longer says something else: only a candidate is read.
            let last = message
                && entry.content.len() < LAST.len() + 8
                && MessageContent::decode(entry.content.clone())?.body == Some(Body::Text(LAST.to_owned()));
            heard.push(Heard::Push {
                conversation: Id::try_from(&push.conversation)?,
                seq: entry.seq,
                message,
                last,
            });
        }
        Ok(())
    }
}

fn frame(kind: Says, ack: Option<Ack>) -> Bytes {
    encode_client(&ClientFrame {
        request: 1,
        ack,
        kind: Some(kind),
    })
}

impl Dialect for Real {
    async fn customer(server: SocketAddr, number: u32) -> Outcome<(Self, Link)> {
        Self::log_in(server, Credential::Visitor(Visitor { brand: BRAND.into() }), number + 1).await
    }

    async fn agent(server: SocketAddr, number: u32) -> Outcome<(Self, Link)> {
        let password = AgentPassword {
            name: agent_name(number),
            password: PASSWORD.into(),
        };
        Self::log_in(server, Credential::Agent(password), number + 1_000_000).await
    }

    fn send(&mut self, messages: &[(Id, &str)], link: &mut Link) {
        if messages.is_empty() {
            return;
        }
        let mut acts = Acts::default();
        for (id, text) in messages {
            self.number += 1;
            let content = MessageContent {
                body: Some(Body::Text((*text).into())),
                language: String::new(),
            };
            acts.acts.push(Act {
                id: id.to_bytes(),
                lane: 1,
                number: self.number,
                base: self.watermark,
                kind: ActKind::Message.into(),
                content: content.encode_to_vec().into(),
                ..Act::default()
            });
        }
        link.queue(&frame(Says::Acts(acts), None));
    }

    fn hear(&mut self, bytes: Bytes, heard: &mut Vec<Heard>) -> Outcome {
        let frame = Frame::read(bytes)?;
        for answer in frame.answers() {
            let accepted = answer
                .accepted
                .as_ref()
                .ok_or_else(|| format!("a message was refused: {answer:?}"))?;
            // What others were told between the acts was pushed before.
            self.watermark = self.watermark.max(accepted.seq);
            heard.push(Heard::Ack(Id::try_from(&answer.id)?));
        }
        self.pushed(frame.pushes(), heard)
    }

    fn confirm(&mut self) -> Option<Bytes> {
        if self.watermarks.is_empty() && self.push == 0 {
            return None;
        }
        let watermarks = std::mem::take(&mut self.watermarks);
        let watermarks = watermarks
            .into_iter()
            .map(|(conversation, seq)| Watermark { conversation, seq })
            .collect::<Vec<_>>();
        if watermarks.is_empty() {
            return None;
        }
        let ack = Ack {
            push: self.push,
            watermarks,
        };
        Some(encode_client(&ClientFrame {
            request: 0,
            ack: Some(ack),
            kind: None,
        }))
    }
}
