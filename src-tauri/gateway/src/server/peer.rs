//! Who is at the other end of a socket: counted for each address, and held to a few bytes until somebody is known.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use zuoxi_wire::limits;

/// Counts sockets, in all and by address.
#[derive(Debug)]
pub(crate) struct Crowd {
    counts: Mutex<Counts>,
    most: u32,
    most_by_address: u32,
}

#[derive(Debug, Default)]
struct Counts {
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// Sockets beyond the rules' limit of connections, so that pages still load and the rules can say why.
const SPARE: u32 = 64;

impl Crowd {
    pub(crate) fn new(most: u32, most_by_address: u32) -> Arc<Self> {
        Arc::new(Self {
            counts: Mutex::default(),
            most: most.saturating_add(SPARE),
            most_by_address: most_by_address.saturating_add(SPARE),
        })
    }

    /// A place for a socket from this address; none: too many.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Peer> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let here = counts.by_address.get(&address).copied().unwrap_or(0);
        if counts.all >= self.most || here >= self.most_by_address {
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, here + 1);
        drop(counts);
        Some(Peer(Arc::new(Place {
            address,
            crowd: Arc::clone(self),
            allowance: AtomicI64::new(UNGUARDED),
            tripped: AtomicU64::new(0),
        })))
    }

    fn leave(&self, address: IpAddr) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Entry::Occupied(mut count) = counts.by_address.entry(address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// A socket's place; it is given back when the last clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct Peer(Arc<Place>);

#[derive(Debug)]
struct Place {
    address: IpAddr,
    crowd: Arc<Crowd>,
    /// Bytes that may still be read.
    allowance: AtomicI64,
    tripped: AtomicU64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.leave(self.address);
    }
}

/// No bound on what is read.
const UNGUARDED: i64 = i64::MAX;
/// The first frame and its WebSocket header, a ping or two, and what TLS adds.
const BEFORE_LOG_IN: i64 = 2 * limits::FIRST_FRAME_BYTES as i64;

impl Peer {
    pub(crate) fn address(&self) -> IpAddr {
        self.0.address
    }

    /// From now on only as much is read as somebody unknown may send: a WebSocket is open.
    pub(crate) fn guard(&self) {
        self.0.allowance.store(BEFORE_LOG_IN, Ordering::Release);
    }

    /// Somebody is logged in: frames are bounded by their own limit.
    pub(crate) fn trust(&self) {
        self.0.allowance.store(UNGUARDED, Ordering::Release);
    }

    /// More came than somebody unknown may send.
    pub(crate) fn sent_too_much(&self) -> bool {
        self.0.tripped.load(Ordering::Acquire) > 0
    }

    fn read(&self, bytes: usize) -> bool {
        if self.0.allowance.load(Ordering::Acquire) == UNGUARDED {
            return true;
        }
        let left = self.0.allowance.fetch_sub(bytes as i64, Ordering::AcqRel) - bytes as i64;
        if left < 0 {
            self.0.tripped.fetch_add(1, Ordering::AcqRel);
        }
        left >= 0
    }
}

/// A stream that stops reading where its peer must not send more.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    stream: S,
    peer: Peer,
}

impl<S> Guarded<S> {
    pub(crate) fn new(stream: S, peer: Peer) -> Self {
        Self { stream, peer }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if matches!(polled, Poll::Ready(Ok(()))) && !self.peer.read(buffer.filled().len() - before) {
            return Poll::Ready(Err(io::Error::other("more than somebody unknown may send")));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
