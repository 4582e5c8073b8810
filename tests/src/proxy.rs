//! A network that can be pulled: a proxy between a desk and its gateway, of which a test decides what gets through.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::desk::Told;

/// What gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Everything.
    Whole,
    /// Connections stand and nothing arrives, as behind a dead access point.
    Stalled,
    /// Connections break, and new ones are refused.
    Cut,
}

/// Stands between a desk and its gateway.
pub struct Proxy {
    network: watch::Sender<Network>,
    address: SocketAddr,
    working: JoinHandle<()>,
}

impl Proxy {
    /// Before a gateway's address.
    ///
    /// # Errors
    /// The system's.
    pub async fn before(gateway: &str) -> Told<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (network, changes) = watch::channel(Network::Whole);
        let working = tokio::spawn(accept(listener, gateway.to_owned(), changes));
        Ok(Self {
            network,
            address,
            working,
        })
    }

    /// `127.0.0.1:port`, as an agent types it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on.
    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.working.abort();
    }
}

async fn accept(listener: TcpListener, gateway: String, network: watch::Receiver<Network>) {
    let mut open = JoinSet::new();
    while let Ok((desk, _)) = listener.accept().await {
        let now = *network.borrow();
        if now == Network::Cut {
            continue;
        }
        let Ok(there) = TcpStream::connect(&gateway).await else {
            continue;
        };
        open.spawn(carry(desk, there, network.clone()));
    }
}

/// Carries both ways until one side ends or the network is cut.
async fn carry(desk: TcpStream, gateway: TcpStream, mut network: watch::Receiver<Network>) {
    let (from_desk, to_desk) = desk.into_split();
    let (from_gateway, to_gateway) = gateway.into_split();
    tokio::select! {
        () = one_way(from_desk, to_gateway, network.clone()) => {}
        () = one_way(from_gateway, to_desk, network.clone()) => {}
        _ = network.wait_for(|network| *network == Network::Cut) => {}
    }
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut network: watch::Receiver<Network>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        if network.wait_for(|network| *network != Network::Stalled).await.is_err() {
            return;
        }
        if to.write_all(bytes.get(..count).unwrap_or_default()).await.is_err() {
            return;
        }
    }
}
