//! The network: connections to a gateway, behind a small trait so that tests bring their own.

mod address;
mod pictures;
mod proxy;
mod route;
mod socket;

use std::pin::Pin;

use bytes::Bytes;
use tokio::sync::mpsc;
use zuoxi_wire::Id;

pub use address::{AddressError, GatewayAddress};
pub use pictures::Fetched;
pub use proxy::Proxies;
pub use route::{LookedUp, SystemProxies};
pub use socket::WebSocketTransport;

/// Why there is no connection, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// Nothing answers there, or it went away. Try later.
    #[error("network: {0}")]
    Network(String),
    /// The certificate or the handshake isn't acceptable. Look at the gateway's certificate and this computer's clock.
    #[error("TLS: {0}")]
    Tls(String),
    /// Something answers, but it is no gateway. Look at the address.
    #[error("not a gateway: {0}")]
    NotAGateway(String),
}

impl NetError {
    /// The code of [`crate::view::CallError`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Network(_) => "network",
            Self::Tls(_) => "tls",
            Self::NotAGateway(_) => "not_a_gateway",
        }
    }
}

/// A connection: frames in and out, both queues bounded.
pub struct Connection {
    /// Frames to send. Dropping it closes the connection in good order, after what was given is sent.
    pub out: mpsc::Sender<Bytes>,
    /// Frames that came; an error is the last item. Whoever doesn't take them makes the gateway wait.
    pub incoming: mpsc::Receiver<Result<Bytes, NetError>>,
}

/// Frames that wait in each direction between socket and hub.
pub const QUEUE_FRAMES: usize = 64;

/// A connection being made; dropping it gives up.
pub type Connecting = Pin<Box<dyn Future<Output = Result<Connection, NetError>> + Send>>;

/// A picture being fetched; dropping it gives up.
pub type Fetching = Pin<Box<dyn Future<Output = Result<Fetched, NetError>> + Send>>;

/// Makes connections.
pub trait Transport: Send + Sync + 'static {
    /// Connects to a gateway. Gives up by itself after a while.
    fn connect(&self, gateway: &GatewayAddress) -> Connecting;

    /// Asks for an agent's public picture. `known`: the entity tag of the one that is here; empty: none is. Gives up by
    /// itself after a while. A transport that carries frames alone knows none.
    fn picture(&self, gateway: &GatewayAddress, agent: Id, known: &str) -> Fetching {
        let _ = (gateway, agent, known);
        Box::pin(std::future::ready(Ok(Fetched::None)))
    }
}
