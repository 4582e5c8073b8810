//! A customer made by hand from the wire's frames alone, so that what a desk did is seen from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use zuoxi_engine::net::{Connection, GatewayAddress, Proxies, Transport, WebSocketTransport};
use zuoxi_wire::v1::{
    Ack, Act, ActKind, Acts, ClientFrame, Entry, EntryKind, GatewayFrame, LogIn, MessageContent, MovePosition,
    ReadEntries, Visit, Visitor, answer, client_frame, gateway_frame, log_in, message_content, read_entries,
};
use zuoxi_wire::{Id, block, frame};

pub(crate) struct Customer {
    address: GatewayAddress,
    connection: Option<Connection>,
    session: Bytes,
    /// On this connection: nothing but the log-in may go before.
    logged_in: bool,
    pub(crate) conversation: Bytes,
    /// What came in, by Seq of the customer's own log.
    pub(crate) entries: BTreeMap<u64, Entry>,
    number: u32,
    request: u32,
    pub(crate) typing: bool,
}

impl Customer {
    pub(crate) async fn new(address: &str) -> Self {
        let mut customer = Self {
            address: GatewayAddress::parse(address).unwrap(),
            connection: None,
            session: Bytes::new(),
            logged_in: false,
            conversation: Bytes::new(),
            entries: BTreeMap::new(),
            number: 0,
            request: 0,
            typing: false,
        };
        customer.connect().await;
        customer
    }

    /// Comes (again), and reads all that there is.
    pub(crate) async fn connect(&mut self) {
        let transport = WebSocketTransport::new(Proxies::none());
        let mut tries = 0;
        let connection = loop {
            match transport.connect(&self.address).await {
                Ok(connection) => break connection,
                Err(error) if tries > 200 => panic!("no gateway: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
            tries += 1;
        };
        self.connection = Some(connection);
        self.number = 0;
        self.logged_in = false;
        let credential = if self.session.is_empty() {
            log_in::Credential::Visitor(Visitor {
                brand: zuoxi_tests::gateway::BRAND.into(),
            })
        } else {
            log_in::Credential::Session(self.session.clone())
        };
        let visit = Visit {
            page_url: "https://shop.example/lamp".into(),
            ..Visit::default()
        };
        let log_in = LogIn {
            version: zuoxi_wire::VERSION,
            device: vec![9; 16].into(),
            software: "customer by hand".into(),
            language: "zh-CN".into(),
            credential: Some(credential),
            visit: Some(visit),
            ..LogIn::default()
        };
        self.send(client_frame::Kind::LogIn(log_in)).await;
        self.until(|customer| customer.logged_in.then_some(())).await;
    }

    async fn send(&mut self, kind: client_frame::Kind) -> u32 {
        self.request += 1;
        let frame = ClientFrame {
            request: self.request,
            ack: None,
            kind: Some(kind),
        };
        if let Some(connection) = &self.connection {
            let _ = connection.out.send(frame::encode_client(&frame)).await;
        }
        self.request
    }

    /// Writes, and waits until it is stored. Gives the Seq.
    pub(crate) async fn write(&mut self, text: &str) -> u64 {
        self.number += 1;
        let number = self.number;
        let id = Id::v7(1_700_000_000_000 + u64::from(self.request), rand());
        let content = MessageContent {
            body: Some(message_content::Body::Text(text.into())),
            language: String::new(),
        };
        let act = Act {
            id: id.to_bytes(),
            conversation: self.conversation.clone(),
            lane: 1,
            number,
            base: self.entries.keys().last().copied().unwrap_or_default(),
            age_ms: 0,
            kind: ActKind::Message as i32,
            content: content.encode_to_vec().into(),
        };
        self.send(client_frame::Kind::Acts(Acts { acts: vec![act] })).await;
        loop {
            let frame = self.frame().await.expect("the gateway went away");
            if let Some(gateway_frame::Kind::Answers(answers)) = &frame.kind {
                let answered = answers.answers.iter().find(|answer| answer.id == id.to_bytes());
                if let Some(answered) = answered {
                    match answered.result.clone() {
                        Some(answer::Result::Accepted(accepted)) => {
                            self.conversation = answered.conversation.clone();
                            return accepted.seq;
                        }
                        other => panic!("not accepted: {other:?}"),
                    }
                }
            }
        }
    }

    /// Has read up to here.
    pub(crate) async fn read(&mut self, seq: u64) {
        let conversation = self.conversation.clone();
        self.send(client_frame::Kind::MovePosition(MovePosition {
            conversation,
            read: seq,
        }))
        .await;
    }

    /// All that the gateway has, as texts in the order of Seqs.
    pub(crate) async fn texts_at_gateway(&mut self) -> Vec<String> {
        let conversation = self.conversation.clone();
        let what = Some(read_entries::What::Newest(500));
        let request = self
            .send(client_frame::Kind::ReadEntries(ReadEntries { conversation, what }))
            .await;
        loop {
            let frame = self.frame().await.expect("the gateway went away");
            if let (Some(gateway_frame::Kind::EntriesPage(page)), true) = (&frame.kind, frame.request == request) {
                self.entries.clear();
                for sealed in &page.blocks {
                    for (entry, _) in block::decode(sealed).unwrap() {
                        assert!(self.entries.insert(entry.seq, entry).is_none(), "a Seq twice");
                    }
                }
                return self.texts();
            }
        }
    }

    /// Messages with words that came in, in the order of Seqs.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.entries.values().filter_map(text).collect()
    }

    pub(crate) async fn until<T>(&mut self, mut found: impl FnMut(&Self) -> Option<T>) -> T {
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(self.frame().await.is_some(), "the gateway went away");
        }
    }

    async fn frame(&mut self) -> Option<GatewayFrame> {
        let connection = self.connection.as_mut()?;
        let bytes = crate::patiently(connection.incoming.recv()).await?.ok()?;
        let frame = frame::decode_gateway(bytes).unwrap();
        match &frame.kind {
            Some(gateway_frame::Kind::LoggedIn(logged_in)) => {
                self.logged_in = true;
                if !logged_in.session.is_empty() {
                    self.session = logged_in.session.clone();
                }
                if let Some(state) = &logged_in.state {
                    self.conversation = state.conversation.clone();
                }
            }
            Some(gateway_frame::Kind::Pushes(pushes)) => {
                let mut last = 0;
                for push in &pushes.pushes {
                    last = push.number;
                    if let Some(entry) = &push.entry {
                        self.entries.insert(entry.seq, entry.clone());
                    }
                }
                let ack = Ack {
                    push: last,
                    watermarks: Vec::new(),
                };
                let frame = ClientFrame {
                    request: 0,
                    ack: Some(ack),
                    kind: None,
                };
                let _ = connection.out.send(frame::encode_client(&frame)).await;
            }
            Some(gateway_frame::Kind::Signal(signal)) => {
                if let Some(zuoxi_wire::v1::signal::Kind::Typing(typing)) = signal.kind {
                    self.typing = typing;
                }
            }
            Some(gateway_frame::Kind::Problem(problem)) => panic!("refused: {problem:?}"),
            _ => {}
        }
        Some(frame)
    }
}

pub(crate) fn text(entry: &Entry) -> Option<String> {
    if entry.kind != EntryKind::Message as i32 || entry.erased {
        return None;
    }
    let content = MessageContent::decode(entry.content.clone()).unwrap();
    let message_content::Body::Text(text) = content.body?;
    Some(text)
}

pub(crate) fn rand() -> [u8; 10] {
    use std::hash::{BuildHasher, Hasher};
    let mut bytes = [0; 10];
    let random = std::hash::RandomState::new().build_hasher().finish().to_be_bytes();
    bytes[2..].copy_from_slice(&random);
    bytes
}
