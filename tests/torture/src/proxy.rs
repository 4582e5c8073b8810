//! The network between a client and the gateway, with faults: cuts (in mid-frame too), delay, narrow lines, half-open
//! connections. One [`Line`] for each client.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// All passes.
    Fair,
    /// Each byte takes so many milliseconds more, one way.
    Slow(u64),
    /// So many bytes a second pass, one way.
    Narrow(u32),
    /// Connections stay open and nothing passes towards the gateway (`up`), the client (`down`) or both. What was
    /// swallowed breaks them when the weather changes.
    HalfOpen {
        /// Client to gateway.
        up: bool,
        /// Gateway to client.
        down: bool,
    },
    /// Connections are cut, each after so many more bytes, and new ones refused.
    Cut(usize),
}

/// Reads of one direction that may be on the way: more makes the sender wait, as a network does.
const ON_THE_WAY: usize = 64;
/// Bytes of one read, and so of what a cut tears at most.
const READ: usize = 4 * 1024;

/// One client's line to the gateway.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
}

impl Line {
    /// Listens on a port of its own, and passes on to the gateway.
    ///
    /// # Errors
    /// The system's.
    pub async fn open(gateway: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::Fair);
        tokio::spawn(listen(listener, gateway, seen));
        Ok(Self { address, weather })
    }

    /// Where the client connects.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes it.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// As it is.
    pub fn weather(&self) -> Weather {
        *self.weather.borrow()
    }
}

/// Ends with its [`Line`].
async fn listen(listener: TcpListener, gateway: SocketAddr, mut weather: watch::Receiver<Weather>) {
    loop {
        let client = tokio::select! {
            accepted = listener.accept() => accepted,
            () = gone(&mut weather) => return,
        };
        let Ok((client, _)) = client else { continue };
        if matches!(*weather.borrow(), Weather::Cut(_)) {
            continue;
        }
        tokio::spawn(carry(client, gateway, weather.clone()));
    }
}

async fn gone(weather: &mut watch::Receiver<Weather>) {
    while weather.changed().await.is_ok() {}
}

async fn carry(client: TcpStream, gateway: SocketAddr, weather: watch::Receiver<Weather>) {
    let Ok(server) = TcpStream::connect(gateway).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Whichever direction ends first ends both: dropping a half-read socket resets it.
    tokio::select! {
        () = pass(from_client, to_server, weather.clone(), true) => {}
        () = pass(from_server, to_client, weather, false) => {}
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    weather: watch::Receiver<Weather>,
    up: bool,
) {
    let (on_the_way, mut arriving) = mpsc::channel::<(Instant, Bytes)>(ON_THE_WAY);
    let reading = read(&mut from, on_the_way, weather.clone(), up);
    let writing = async {
        while let Some((at, bytes)) = arriving.recv().await {
            tokio::time::sleep_until(at).await;
            if write(&mut to, &bytes, &weather).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}

async fn read(
    from: &mut tokio::net::tcp::OwnedReadHalf,
    on_the_way: mpsc::Sender<(Instant, Bytes)>,
    mut weather: watch::Receiver<Weather>,
    up: bool,
) {
    let mut swallowed = false;
    loop {
        let mut buffer = BytesMut::with_capacity(READ);
        let count = tokio::select! {
            count = from.read_buf(&mut buffer) => count.unwrap_or(0),
            changed = weather.changed() => {
                let cut = changed.is_err() || matches!(*weather.borrow(), Weather::Cut(0));
                if cut || swallowed {
                    return;
                }
                continue;
            }
        };
        if count == 0 {
            return;
        }
        let now = *weather.borrow_and_update();
        let bytes = buffer.freeze();
        match now {
            Weather::HalfOpen { up: true, .. } if up => swallowed = true,
            Weather::HalfOpen { down: true, .. } if !up => swallowed = true,
            Weather::Cut(after) => {
                let torn = bytes.slice(..after.min(bytes.len()));
                let _ = on_the_way.send((Instant::now(), torn)).await;
                return;
            }
            Weather::Slow(ms) => {
                if on_the_way
                    .send((Instant::now() + Duration::from_millis(ms), bytes))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Weather::Fair | Weather::Narrow(_) | Weather::HalfOpen { .. } => {
                if swallowed || on_the_way.send((Instant::now(), bytes)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// In small pieces while the line is narrow.
async fn write(
    to: &mut tokio::net::tcp::OwnedWriteHalf,
    bytes: &[u8],
    weather: &watch::Receiver<Weather>,
) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let narrow = match *weather.borrow() {
            Weather::Narrow(bytes_per_second) => Some(bytes_per_second.max(1)),
            _ => None,
        };
        let Some(rate) = narrow else {
            return to.write_all(rest).await;
        };
        let (piece, after) = rest.split_at((rate as usize / 50).clamp(1, rest.len()));
        to.write_all(piece).await?;
        tokio::time::sleep(Duration::from_secs_f64(piece.len() as f64 / f64::from(rate))).await;
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        address
    }

    async fn said(stream: &mut TcpStream, words: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(words).await?;
        let mut back = vec![0; words.len()];
        stream.read_exact(&mut back).await?;
        Ok(back)
    }

    #[tokio::test]
    async fn fair_passes_and_cut_ends_and_refuses_until_it_is_fair_again() {
        let line = Line::open(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(line.address()).await.unwrap();
        assert_eq!(said(&mut stream, b"here").await.unwrap(), b"here");
        line.set(Weather::Cut(0));
        assert!(said(&mut stream, b"there").await.is_err());
        let mut stream = TcpStream::connect(line.address()).await.unwrap();
        assert!(said(&mut stream, b"there").await.is_err());
        line.set(Weather::Fair);
        let mut stream = TcpStream::connect(line.address()).await.unwrap();
        assert_eq!(said(&mut stream, b"again").await.unwrap(), b"again");
    }

    #[tokio::test]
    async fn a_cut_tears_in_the_middle() {
        let line = Line::open(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(line.address()).await.unwrap();
        assert_eq!(said(&mut stream, b"here").await.unwrap(), b"here");
        line.set(Weather::Cut(3));
        stream.write_all(b"torn words").await.unwrap();
        let mut back = Vec::new();
        let _ = stream.read_to_end(&mut back).await;
        assert!(back.len() <= 3);
    }

    #[tokio::test]
    async fn half_open_swallows_and_breaks_when_it_is_over() {
        let line = Line::open(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(line.address()).await.unwrap();
        assert_eq!(said(&mut stream, b"here").await.unwrap(), b"here");
        line.set(Weather::HalfOpen { up: true, down: false });
        stream.write_all(b"lost").await.unwrap();
        let mut back = [0; 4];
        let nothing = tokio::time::timeout(Duration::from_millis(200), stream.read_exact(&mut back)).await;
        assert!(nothing.is_err());
        line.set(Weather::Fair);
        assert!(stream.read_exact(&mut back).await.is_err());
    }

    #[tokio::test]
    async fn slow_and_narrow_bring_everything_in_order() {
        let line = Line::open(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(line.address()).await.unwrap();
        line.set(Weather::Slow(20));
        assert_eq!(said(&mut stream, b"a slow line").await.unwrap(), b"a slow line");
        line.set(Weather::Narrow(5_000));
        let words = vec![7; 500];
        assert_eq!(said(&mut stream, &words).await.unwrap(), words);
    }
}
