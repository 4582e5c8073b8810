//! WebSocket over TLS, or plain to loopback; and by HTTP what isn't worth a frame.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use zuoxi_wire::{Id, limits};

use super::route::Routes;
use super::{
    Connecting, Connection, Fetched, Fetching, GatewayAddress, NetError, Proxies, QUEUE_FRAMES, SystemProxies,
    Transport, pictures,
};

/// From the first packet to the open WebSocket: three slow round trips and a slow gateway.
const CONNECT: Duration = Duration::from_secs(15);
/// For a picture, which nobody waits for.
const PICTURE: Duration = Duration::from_secs(10);
/// For a goodbye that nobody may be listening to.
const GOODBYE: Duration = Duration::from_secs(2);

/// The real network.
#[derive(Debug, Clone)]
pub struct WebSocketTransport {
    routes: Routes,
    tls: Arc<OnceLock<Result<Arc<rustls::ClientConfig>, NetError>>>,
}

impl WebSocketTransport {
    /// Through these proxies.
    pub fn new(proxies: Proxies) -> Self {
        let routes = Routes {
            environment: proxies,
            system: None,
        };
        Self {
            routes,
            tls: Arc::default(),
        }
    }

    /// The system's settings go before these proxies.
    #[must_use]
    pub fn asking(mut self, system: Arc<dyn SystemProxies>) -> Self {
        self.routes.system = Some(system);
        self
    }
}

impl Transport for WebSocketTransport {
    fn connect(&self, gateway: &GatewayAddress) -> Connecting {
        let (this, gateway) = (self.clone(), gateway.clone());
        Box::pin(async move {
            tokio::time::timeout(CONNECT, this.open(&gateway))
                .await
                .unwrap_or_else(|_| Err(NetError::Network("no answer in time".to_owned())))
        })
    }

    fn picture(&self, gateway: &GatewayAddress, agent: Id, known: &str) -> Fetching {
        let (this, gateway, known) = (self.clone(), gateway.clone(), known.to_owned());
        Box::pin(async move { this.picture_within(&gateway, agent, &known, PICTURE).await })
    }
}

/// Anything that carries bytes both ways.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

type Socket = WebSocketStream<Box<dyn Stream>>;

impl WebSocketTransport {
    /// Encrypted, or plain to loopback.
    async fn stream(&self, gateway: &GatewayAddress) -> Result<Box<dyn Stream>, NetError> {
        let tcp = self.routes.connect(gateway).await?;
        // A frame that a person waits for must not wait for the next one.
        tcp.set_nodelay(true)
            .map_err(|error| NetError::Network(error.to_string()))?;
        Ok(if gateway.tls() {
            Box::new(self.encrypt(gateway, tcp).await?)
        } else {
            Box::new(tcp)
        })
    }

    async fn open(&self, gateway: &GatewayAddress) -> Result<Connection, NetError> {
        let stream = self.stream(gateway).await?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(limits::FRAME_BYTES as usize))
            .max_frame_size(Some(limits::FRAME_BYTES as usize))
            .read_buffer_size(16 * 1024);
        let (socket, _) = tokio_tungstenite::client_async_with_config(gateway.socket_url(), stream, Some(config))
            .await
            .map_err(|error| handshake_error(&error))?;
        Ok(carry(socket))
    }

    async fn picture_within(
        &self,
        gateway: &GatewayAddress,
        agent: Id,
        known: &str,
        patience: Duration,
    ) -> Result<Fetched, NetError> {
        let fetched = async {
            let stream = self.stream(gateway).await?;
            pictures::fetch(stream, gateway, agent, known).await
        };
        tokio::time::timeout(patience, fetched)
            .await
            .unwrap_or_else(|_| Err(NetError::Network("no answer in time".to_owned())))
    }

    async fn encrypt(
        &self,
        gateway: &GatewayAddress,
        tcp: TcpStream,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, NetError> {
        let config = self.tls.get_or_init(tls_config).clone()?;
        let name = ServerName::try_from(gateway.host().to_owned()).map_err(|error| NetError::Tls(error.to_string()))?;
        TlsConnector::from(config)
            .connect(name, tcp)
            .await
            .map_err(|error| tls_error(&error))
    }
}

impl Default for WebSocketTransport {
    fn default() -> Self {
        Self::new(Proxies::from_environment())
    }
}

/// Trusts what the operating system trusts (and `SSL_CERT_FILE`).
fn tls_config() -> Result<Arc<rustls::ClientConfig>, NetError> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a root certificate can't be read");
    }
    roots.add_parsable_certificates(found.certs);
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| NetError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn tls_error(error: &io::Error) -> NetError {
    let by_tls = matches!(error.get_ref(), Some(inner) if inner.is::<rustls::Error>());
    if by_tls || error.kind() == io::ErrorKind::UnexpectedEof {
        NetError::Tls(error.to_string())
    } else {
        NetError::Network(error.to_string())
    }
}

fn handshake_error(error: &tungstenite::Error) -> NetError {
    match error {
        tungstenite::Error::Http(response) if response.status().is_server_error() || response.status() == 429 => {
            NetError::Network(response.status().to_string())
        }
        tungstenite::Error::Http(response) => NetError::NotAGateway(response.status().to_string()),
        tungstenite::Error::Io(error) => NetError::Network(error.to_string()),
        other => NetError::NotAGateway(other.to_string()),
    }
}

/// Two tasks carry frames, so that a full queue one way never holds up the other.
fn carry(socket: Socket) -> Connection {
    let (sink, stream) = socket.split();
    let (out, to_send) = mpsc::channel(QUEUE_FRAMES);
    let (arrived, incoming) = mpsc::channel(QUEUE_FRAMES);
    tokio::spawn(send(sink, to_send));
    tokio::spawn(receive(stream, arrived));
    Connection { out, incoming }
}

async fn send(mut sink: SplitSink<Socket, Message>, mut frames: mpsc::Receiver<Bytes>) {
    while let Some(first) = frames.recv().await {
        let mut next = Some(first);
        // All that waits goes in one write.
        while let Some(frame) = next {
            if sink.feed(Message::Binary(frame)).await.is_err() {
                return;
            }
            next = frames.try_recv().ok();
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
    // Nobody reads the answer to a goodbye, and a dead network must not hold the task.
    let _ = tokio::time::timeout(GOODBYE, sink.close()).await;
}

async fn receive(mut stream: SplitStream<Socket>, arrived: mpsc::Sender<Result<Bytes, NetError>>) {
    loop {
        let item = tokio::select! {
            item = stream.next() => item,
            () = arrived.closed() => return,
        };
        let ended = match item {
            Some(Ok(Message::Binary(frame))) => {
                if arrived.send(Ok(frame)).await.is_err() {
                    return;
                }
                continue;
            }
            // Control frames are answered below us.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Text(_))) => NetError::NotAGateway("a text frame".to_owned()),
            Some(Ok(Message::Close(_))) | None => NetError::Network("closed".to_owned()),
            Some(Err(tungstenite::Error::Capacity(error))) => NetError::NotAGateway(error.to_string()),
            Some(Err(tungstenite::Error::Protocol(error))) => NetError::Network(error.to_string()),
            Some(Err(error)) => NetError::Network(error.to_string()),
        };
        // Nobody waits for it if the other end is gone.
        let _ = arrived.send(Err(ended)).await;
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gateway_that_never_ends_its_picture_is_given_up() {
        use tokio::io::AsyncWriteExt;
        for told in [b"".as_slice(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let gateway = GatewayAddress::parse(&listener.local_addr().unwrap().to_string()).unwrap();
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(told).await.unwrap();
                std::future::pending::<()>().await;
            });
            let transport = WebSocketTransport::new(Proxies::none());
            let fetched = transport.picture_within(&gateway, Id([1; 16]), "", Duration::from_millis(200));
            let patiently = tokio::time::timeout(Duration::from_secs(20), fetched);
            assert!(matches!(patiently.await.unwrap(), Err(NetError::Network(_))));
            server.abort();
        }
    }
}
