//! The active account's connection: being made, open or down. Frames that don't fit into its queue wait here.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use zuoxi_wire::frame;
use zuoxi_wire::v1::{ClientFrame, GatewayFrame};

use crate::net::{Connection, GatewayAddress, NetError, Transport};

/// Frames that wait for a slow network; beyond it the connection is given up, and all is sent again on the next.
const WAITING_FRAMES: usize = 4_096;

/// What became of the connection.
pub(crate) enum LinkEvent {
    Opened,
    Broken(NetError),
    Frame(Box<GatewayFrame>),
}

enum State {
    Down,
    Connecting(oneshot::Receiver<Result<Connection, NetError>>),
    Open(Connection),
}

pub(crate) struct Link {
    transport: Arc<dyn Transport>,
    gateway: GatewayAddress,
    state: State,
    waiting: VecDeque<Bytes>,
}

impl Link {
    pub(crate) fn new(transport: Arc<dyn Transport>, gateway: GatewayAddress) -> Self {
        Self {
            transport,
            gateway,
            state: State::Down,
            waiting: VecDeque::new(),
        }
    }

    /// Begins a new connection; an old one is closed.
    pub(crate) fn connect(&mut self) {
        self.close();
        let (mut tell, result) = oneshot::channel();
        let connecting = self.transport.connect(&self.gateway);
        tokio::spawn(async move {
            tokio::select! {
                made = connecting => {
                    // Given up meanwhile: dropping it closes it.
                    let _ = tell.send(made);
                }
                () = tell.closed() => {}
            }
        });
        self.state = State::Connecting(result);
    }

    /// Sends a frame; false: the connection is down, or takes nothing any more.
    pub(crate) fn send(&mut self, frame: &ClientFrame) -> bool {
        if !matches!(self.state, State::Open(_)) {
            return false;
        }
        self.waiting.push_back(frame::encode_client(frame));
        self.push();
        self.waiting.len() <= WAITING_FRAMES
    }

    /// Closes it, after what waits has left.
    pub(crate) fn close(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if let State::Open(connection) = std::mem::replace(&mut self.state, State::Down)
            && !waiting.is_empty()
        {
            tokio::spawn(async move {
                for frame in waiting {
                    if connection.out.send(frame).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    fn push(&mut self) {
        if let State::Open(connection) = &self.state {
            while !self.waiting.is_empty() {
                let Ok(place) = connection.out.try_reserve() else {
                    return;
                };
                if let Some(frame) = self.waiting.pop_front() {
                    place.send(frame);
                }
            }
        }
    }

    /// The next event; without `take_frames` those are left to wait, which makes the gateway wait. May be dropped and
    /// called again.
    pub(crate) async fn next(&mut self, take_frames: bool) -> LinkEvent {
        loop {
            let broken = match &mut self.state {
                State::Down => return std::future::pending().await,
                State::Connecting(result) => match result.await {
                    Ok(Ok(connection)) => {
                        self.state = State::Open(connection);
                        return LinkEvent::Opened;
                    }
                    Ok(Err(error)) => error,
                    Err(_) => NetError::Network("given up".to_owned()),
                },
                State::Open(connection) => {
                    let arrived = tokio::select! {
                        biased;
                        place = connection.out.reserve(), if !self.waiting.is_empty() => {
                            if let (Ok(place), Some(frame)) = (place, self.waiting.pop_front()) {
                                place.send(frame);
                                continue;
                            }
                            Some(Err(NetError::Network("closed".to_owned())))
                        }
                        arrived = connection.incoming.recv(), if take_frames => arrived,
                    };
                    match arrived {
                        Some(Ok(bytes)) => match frame::decode_gateway(bytes) {
                            Ok(frame) => return LinkEvent::Frame(Box::new(frame)),
                            Err(error) => NetError::NotAGateway(error.to_string()),
                        },
                        Some(Err(error)) => error,
                        None => NetError::Network("closed".to_owned()),
                    }
                }
            };
            self.state = State::Down;
            self.waiting.clear();
            return LinkEvent::Broken(broken);
        }
    }
}
