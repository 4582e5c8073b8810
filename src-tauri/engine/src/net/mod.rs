//! The network: WebSocket connections to a gateway, behind a small trait so that tests bring their own.

use std::pin::Pin;

use bytes::Bytes;
use tokio::sync::mpsc;

/// Why there is no connection, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// Nothing answers there, or it went away. Try later.
    #[error("network: {0}")]
    Network(String),
    /// The certificate or handshake is not acceptable. Look at the gateway's certificate or this computer's clock.
    #[error("TLS: {0}")]
    Tls(String),
    /// Something answers, but it isn't a gateway. Look at the address.
    #[error("not a gateway: {0}")]
    NotAGateway(String),
}

/// A connection: frames in and out, both queues bounded.
pub struct Connection {
    /// Frames to send. Dropping it closes the connection in good order.
    pub out: mpsc::Sender<Bytes>,
    /// Frames that came; the last item says why it ended.
    pub incoming: mpsc::Receiver<Result<Bytes, NetError>>,
}

/// A connection being made.
pub type Connecting = Pin<Box<dyn Future<Output = Result<Connection, NetError>> + Send>>;

/// Makes connections.
pub trait Transport: Send + Sync + 'static {
    /// Connects to a gateway's WebSocket.
    fn connect(&self, gateway: &str) -> Connecting;
}

/// WebSocket over TLS, or plain to loopback.
#[derive(Debug, Default)]
pub struct WebSocketTransport {}

impl Transport for WebSocketTransport {
    fn connect(&self, _gateway: &str) -> Connecting {
        Box::pin(async { Err(NetError::Network("not yet".into())) })
    }
}
