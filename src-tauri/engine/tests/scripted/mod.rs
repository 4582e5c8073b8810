//! A gateway made by hand: a transport whose other end the test holds, frame by frame.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use zuoxi_engine::net::{Connecting, Connection, Fetched, Fetching, GatewayAddress, NetError, Transport};
use zuoxi_wire::v1::{ClientFrame, GatewayFrame, Hello, client_frame, gateway_frame};
use zuoxi_wire::{Id, frame};

/// Hands every connection to the test, or refuses it.
pub struct ScriptedTransport {
    peers: mpsc::UnboundedSender<Peer>,
    refuse: Mutex<Option<NetError>>,
    picture: Mutex<Result<Fetched, NetError>>,
    /// The agents whose pictures were asked for, with the tag that was known.
    asked: Mutex<Vec<(Id, String)>>,
}

/// The test's end of all connections.
pub struct ScriptedGateway {
    peers: mpsc::UnboundedReceiver<Peer>,
    transport: Arc<ScriptedTransport>,
}

/// The test's end of one connection.
pub struct Peer {
    to_client: mpsc::Sender<Result<Bytes, NetError>>,
    from_client: mpsc::Receiver<Bytes>,
}

pub fn scripted() -> (Arc<ScriptedTransport>, ScriptedGateway) {
    let (peers, accepted) = mpsc::unbounded_channel();
    let transport = Arc::new(ScriptedTransport {
        peers,
        refuse: Mutex::default(),
        picture: Mutex::new(Ok(Fetched::None)),
        asked: Mutex::default(),
    });
    (
        transport.clone(),
        ScriptedGateway {
            peers: accepted,
            transport,
        },
    )
}

impl Transport for ScriptedTransport {
    fn connect(&self, _: &GatewayAddress) -> Connecting {
        if let Some(error) = self.refuse.lock().unwrap().clone() {
            return Box::pin(async move { Err(error) });
        }
        let (to_client, incoming) = mpsc::channel(64);
        let (out, from_client) = mpsc::channel(64);
        let _ = self.peers.send(Peer { to_client, from_client });
        Box::pin(async move { Ok(Connection { out, incoming }) })
    }

    fn picture(&self, _: &GatewayAddress, agent: Id, known: &str) -> Fetching {
        self.asked.lock().unwrap().push((agent, known.to_owned()));
        let answer = self.picture.lock().unwrap().clone();
        Box::pin(async move { answer })
    }
}

impl ScriptedGateway {
    /// From now on connections fail like this; `None`: they succeed again.
    pub fn refuse(&self, error: Option<NetError>) {
        *self.transport.refuse.lock().unwrap() = error;
    }

    /// From now on this is said of every picture.
    pub fn pictures(&self, answer: Result<Fetched, NetError>) {
        *self.transport.picture.lock().unwrap() = answer;
    }

    /// Which pictures were asked for, with the tags that were known.
    pub fn pictures_asked(&self) -> Vec<(Id, String)> {
        self.transport.asked.lock().unwrap().clone()
    }

    /// The next connection.
    pub async fn accept(&mut self) -> Peer {
        patiently(self.peers.recv()).await.unwrap()
    }
}

impl Peer {
    pub async fn say(&self, request: u32, kind: gateway_frame::Kind) {
        let frame = GatewayFrame {
            request,
            kind: Some(kind),
        };
        let _ = self.to_client.send(Ok(frame::encode_gateway(&frame))).await;
    }

    pub async fn say_bytes(&self, bytes: &'static [u8]) {
        let _ = self.to_client.send(Ok(Bytes::from_static(bytes))).await;
    }

    pub async fn hello(&self, epoch: u64) {
        let hello = Hello {
            version_min: 1,
            version_max: 1,
            epoch,
            nonce: vec![7; 16].into(),
            ..Hello::default()
        };
        self.say(0, gateway_frame::Kind::Hello(hello)).await;
    }

    /// The next frame; `None`: the client closed.
    pub async fn next(&mut self) -> Option<ClientFrame> {
        let bytes = patiently(self.from_client.recv()).await?;
        Some(frame::decode_client(bytes, true).unwrap())
    }

    /// The next frame for which `pick` gives something; others are passed over.
    pub async fn find<T>(&mut self, mut pick: impl FnMut(u32, client_frame::Kind) -> Option<T>) -> T {
        loop {
            let frame = self.next().await.expect("the client closed");
            if let Some(kind) = frame.kind
                && let Some(found) = pick(frame.request, kind)
            {
                return found;
            }
        }
    }
}

/// Nothing here takes long; a hang must fail and not stall the tests.
pub async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("nothing came")
}
