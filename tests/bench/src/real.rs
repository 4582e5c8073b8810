//! The load in Zuoxi's own wire: visitors and agents.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::Id;
use zuoxi_wire::frame::{decode_gateway, encode_client};
use zuoxi_wire::v1::answer::Result as Answered;
use zuoxi_wire::v1::client_frame::Kind as Says;
use zuoxi_wire::v1::gateway_frame::Kind as Hears;
use zuoxi_wire::v1::log_in::Credential;
use zuoxi_wire::v1::message_content::Body;
use zuoxi_wire::v1::{
    Ack, Act, ActKind, Acts, AgentPassword, ClientFrame, EntryKind, LogIn, MessageContent, Push, Visitor, Watermark,
};

use crate::Outcome;
use crate::dialect::{Dialect, Heard, LAST};
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
    /// Last push, to be acknowledged.
    push: u64,
    watermarks: BTreeMap<Bytes, u64>,
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
                match decode_gateway(bytes)?.kind {
                    Some(Hears::LoggedIn(_)) => return Ok((real, link)),
                    Some(Hears::Problem(problem)) => return Err(format!("log-in refused: {problem:?}").into()),
                    Some(Hears::Pushes(pushes)) => real.pushed(&pushes.pushes, &mut Vec::new())?,
                    _ => {}
                }
            }
        }
    }

    fn pushed(&mut self, pushes: &[Push], heard: &mut Vec<Heard>) -> Outcome {
        for push in pushes {
            self.push = self.push.max(push.number);
            let Some(entry) = &push.entry else { continue };
            self.watermarks.insert(push.conversation.clone(), entry.seq);
            let message = entry.kind() == EntryKind::Message;
            let last =
                message && MessageContent::decode(entry.content.clone())?.body == Some(Body::Text(LAST.to_owned()));
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

    fn send(&mut self, id: Id, text: &str) -> Bytes {
        self.number += 1;
        let content = MessageContent {
            body: Some(Body::Text(text.into())),
            language: String::new(),
        };
        let act = Act {
            id: id.to_bytes(),
            lane: 1,
            number: self.number,
            kind: ActKind::Message.into(),
            content: content.encode_to_vec().into(),
            ..Act::default()
        };
        frame(Says::Acts(Acts { acts: vec![act] }), None)
    }

    fn hear(&mut self, bytes: Bytes, heard: &mut Vec<Heard>) -> Outcome {
        match decode_gateway(bytes)?.kind {
            Some(Hears::Answers(answers)) => {
                for answer in answers.answers {
                    match answer.result {
                        Some(Answered::Accepted(_)) => heard.push(Heard::Ack(Id::try_from(&answer.id)?)),
                        other => return Err(format!("a message was refused: {other:?}").into()),
                    }
                }
            }
            Some(Hears::Pushes(pushes)) => self.pushed(&pushes.pushes, heard)?,
            Some(Hears::Problem(problem)) => return Err(format!("a problem: {problem:?}").into()),
            Some(Hears::GoingAway(away)) => return Err(format!("the gateway went away: {away:?}").into()),
            _ => {}
        }
        Ok(())
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
