//! A client's end of a WebSocket for binary messages, with as little work as RFC 6455 allows: the load generator must
//! leave the processor to the server that it measures.

use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const CLOSE: u8 = 0x88;
const MASKED: u8 = 0x80;
/// One key for all, and one that changes nothing: masking protects proxies from browsers, and here is neither. The server
/// unmasks all the same.
const MASK: [u8; 4] = [0; 4];
/// Bytes that one read may bring at least.
const READ: usize = 8 * 1024;

/// One connection.
pub(crate) struct Link {
    stream: TcpStream,
    incoming: BytesMut,
    outgoing: BytesMut,
}

impl Link {
    /// Connects and upgrades.
    pub(crate) async fn open(server: SocketAddr, path: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let mut link = Self {
            stream,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
        };
        // The key is RFC 6455's own example; nobody checks the answer to it here.
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        link.outgoing.put_slice(request.as_bytes());
        link.flush().await?;
        loop {
            link.receive().await?;
            if let Some(end) = link.incoming.windows(4).position(|four| four == b"\r\n\r\n") {
                let answer = link.incoming.split_to(end + 4);
                return if answer.starts_with(b"HTTP/1.1 101") {
                    Ok(link)
                } else {
                    Err("the server refused the upgrade".into())
                };
            }
        }
    }

    /// Puts a message behind those that the next flush sends.
    pub(crate) fn queue(&mut self, payload: &[u8]) {
        self.outgoing.put_u8(BINARY);
        match payload.len() {
            length @ ..=125 => self.outgoing.put_u8(MASKED | length as u8),
            length @ ..=0xffff => {
                self.outgoing.put_u8(MASKED | 0x7e);
                self.outgoing.put_u16(length as u16);
            }
            length => {
                self.outgoing.put_u8(MASKED | 0x7f);
                self.outgoing.put_u64(length as u64);
            }
        }
        self.outgoing.put_slice(&MASK);
        self.outgoing.put_slice(payload);
    }

    /// Sends what was queued.
    pub(crate) async fn flush(&mut self) -> Outcome {
        Ok(self.stream.write_all_buf(&mut self.outgoing).await?)
    }

    /// Waits for bytes.
    pub(crate) async fn receive(&mut self) -> Outcome {
        self.incoming.reserve(READ);
        match self.stream.read_buf(&mut self.incoming).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }

    /// The next binary message that has arrived whole.
    pub(crate) fn next(&mut self) -> Outcome<Option<Bytes>> {
        loop {
            let mut rest = self.incoming.as_ref();
            let (Ok(kind), Ok(length)) = (rest.try_get_u8(), rest.try_get_u8()) else {
                return Ok(None);
            };
            let length = match length {
                126 => rest.try_get_u16().map(usize::from),
                127 => rest.try_get_u64().map(|length| length as usize),
                length => Ok(usize::from(length)),
            };
            let Some(length) = length.ok().filter(|length| *length <= rest.len()) else {
                return Ok(None);
            };
            self.incoming.advance(self.incoming.len() - rest.len());
            let payload = self.incoming.split_to(length).freeze();
            match kind {
                BINARY => return Ok(Some(payload)),
                PING => {}
                CLOSE => return Err("the server said goodbye".into()),
                kind => return Err(format!("a WebSocket frame that begins with {kind:#x}").into()),
            }
        }
    }
}
