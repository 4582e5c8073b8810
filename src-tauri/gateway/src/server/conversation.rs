//! One WebSocket: frames in to the core, what a commit has for it out in one write.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use zuoxi_rules::{ConnectionId, Door, Event};
use zuoxi_wire::frame::{FrameError, decode_client, encode_gateway};
use zuoxi_wire::limits;

use super::peer::Peer;
use crate::core::Inbound;
use crate::line::{LineEnd, Outbound, line};
use crate::metrics::Metrics;
use crate::trace;

/// How long one write may take until the connection counts as dead.
const WRITE: Duration = Duration::from_secs(20);
/// Silence after which the other end is asked whether it still lives, and again that long until it is dropped.
const SILENCE: Duration = Duration::from_secs(30);
/// How long the other end has to answer a close.
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection that came in.
pub(super) struct Arrival {
    pub(super) connection: ConnectionId,
    pub(super) address: String,
    pub(super) door: Door,
    pub(super) peer: Peer,
    pub(super) core: mpsc::Sender<Inbound>,
    pub(super) metrics: Arc<Metrics>,
}

/// Why a connection ends.
enum End {
    /// The other end is gone, or writes into nothing.
    Gone,
    /// The core is done with it.
    Done,
}

/// Carries one connection from its opening to its end.
pub(super) async fn carry(mut socket: WebSocket, arrival: Arrival) {
    let mut nonce = [0; 16];
    if getrandom::fill(&mut nonce).is_err() {
        return;
    }
    let (line, end) = line();
    let opened = Inbound::Opened {
        connection: arrival.connection,
        nonce,
        address: arrival.address.clone(),
        door: arrival.door,
        line,
    };
    if arrival.core.send(opened).await.is_err() {
        return;
    }
    let connection = arrival.connection;
    let core = arrival.core.clone();
    let mut carried = Carried {
        arrival,
        end,
        reading: true,
        heard: Instant::now(),
        asked: false,
    };
    if let End::Done = carried.run(&mut socket).await {
        carried.part(&mut socket).await;
    }
    let _ = core.send(Inbound::Event(Event::Closed { connection })).await;
}

struct Carried {
    arrival: Arrival,
    end: LineEnd,
    /// False once something unreadable came: then only what the core still has to say goes out.
    reading: bool,
    heard: Instant,
    asked: bool,
}

impl Carried {
    async fn run(&mut self, socket: &mut WebSocket) -> End {
        // One timer for the whole connection, set anew only when it fires: most of the time something was heard by then.
        let mut silence = std::pin::pin!(tokio::time::sleep(SILENCE));
        loop {
            let step = tokio::select! {
                outbound = self.end.outbound.recv() => match outbound {
                    Some(outbound) => self.write(socket, outbound).await,
                    None => Some(End::Done),
                },
                message = socket.recv(), if self.reading => self.read(message).await,
                () = &mut silence => {
                    let step = if self.silent_until() <= Instant::now() { self.ask(socket).await } else { None };
                    silence.as_mut().reset(self.silent_until());
                    step
                }
            };
            if let Some(end) = step {
                return end;
            }
        }
    }

    /// When the other end counts as silent, or as gone once it was asked.
    fn silent_until(&self) -> Instant {
        self.heard + SILENCE * if self.asked { 2 } else { 1 }
    }

    async fn read(&mut self, message: Option<Result<Message, axum::Error>>) -> Option<End> {
        self.heard = Instant::now();
        self.asked = false;
        let connection = self.arrival.connection;
        let event = match message {
            Some(Ok(Message::Binary(bytes))) => self.frame(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return None,
            Some(Ok(Message::Text(_))) => self.bad(None),
            Some(Ok(Message::Close(_))) | None => return Some(End::Gone),
            Some(Err(error)) => {
                self.reading = false;
                match self.limit_passed(&error) {
                    Some(limit) => self.bad(Some(limit)),
                    None => return Some(End::Gone),
                }
            }
        };
        tracing::trace!(connection = connection.0, "frame");
        match self.arrival.core.send(Inbound::Event(event)).await {
            Ok(()) => None,
            Err(_) => Some(End::Done),
        }
    }

    fn frame(&mut self, bytes: Bytes) -> Event {
        let known = self.end.is_known();
        if known {
            self.arrival.peer.trust();
        }
        match decode_client(bytes, known) {
            Ok(frame) => {
                self.arrival.metrics.frames.inc();
                trace::came_in(self.arrival.connection, &frame);
                Event::Frame {
                    connection: self.arrival.connection,
                    frame,
                }
            }
            Err(FrameError::TooLarge { limit, .. }) => self.bad(Some(limit)),
            Err(FrameError::Malformed(_)) => self.bad(None),
        }
    }

    fn bad(&self, too_large: Option<u64>) -> Event {
        self.arrival.metrics.bad_frames.inc();
        Event::BadFrame {
            connection: self.arrival.connection,
            too_large,
        }
    }

    /// The limit that an error of reading speaks of, if it does.
    fn limit_passed(&self, error: &axum::Error) -> Option<u64> {
        if self.arrival.peer.sent_too_much() {
            return Some(limits::FIRST_FRAME_BYTES);
        }
        // axum hides tungstenite's type; its text is all there is.
        let text = error.to_string();
        (text.contains("too large") || text.contains("too long") || text.contains("too big"))
            .then_some(limits::FRAME_BYTES)
    }

    async fn write(&mut self, socket: &mut WebSocket, first: Outbound) -> Option<End> {
        let mut close = false;
        let mut next = Some(first);
        let writing = async {
            while let Some(outbound) = next.take() {
                for frame in &outbound.frames {
                    trace::goes_out(self.arrival.connection, frame);
                    socket.feed(Message::Binary(encode_gateway(frame))).await?;
                }
                close |= outbound.close;
                next = self.end.outbound.try_recv().ok();
            }
            socket.flush().await
        };
        match timeout(WRITE, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Some(End::Gone),
            Err(_) => {
                self.arrival.metrics.slow.inc();
                return Some(End::Gone);
            }
        }
        if self.end.is_known() {
            self.arrival.peer.trust();
        }
        close.then_some(End::Done)
    }

    async fn ask(&mut self, socket: &mut WebSocket) -> Option<End> {
        if self.asked || !self.reading {
            return Some(End::Gone);
        }
        self.asked = true;
        match timeout(WRITE, socket.send(Message::Ping(Bytes::new()))).await {
            Ok(Ok(())) => None,
            _ => Some(End::Gone),
        }
    }

    /// Closes in good order: what was sent has to arrive before the socket is torn down.
    async fn part(&mut self, socket: &mut WebSocket) {
        let close = CloseFrame {
            code: axum::extract::ws::close_code::NORMAL,
            reason: "".into(),
        };
        let farewell = async {
            if socket.send(Message::Close(Some(close))).await.is_ok() && self.reading {
                while let Some(Ok(_)) = socket.recv().await {}
            }
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
}
