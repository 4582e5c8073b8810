//! A transport that counts what passes: frames, bytes, and which of them acknowledge.

use std::sync::{Arc, Mutex, PoisonError};

use prost::Message;
use tokio::sync::mpsc;
use zuoxi_engine::net::{Connecting, Connection, GatewayAddress, Proxies, QUEUE_FRAMES, Transport, WebSocketTransport};
use zuoxi_wire::v1::ClientFrame;

/// Bytes that a WebSocket adds to a short frame: header, and the mask on the way up.
const HEADER_UP: u64 = 6;
const HEADER_DOWN: u64 = 2;
/// Bytes of an `Ack` field beside its content.
const FIELD: u64 = 2;

/// What passed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) up_frames: u64,
    pub(crate) up_bytes: u64,
    pub(crate) down_frames: u64,
    pub(crate) down_bytes: u64,
    /// Of those up: acknowledgements, with the header where one is a frame of its own.
    pub(crate) ack_bytes: u64,
}

/// Counts while it is asked to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic(Arc<Mutex<Option<Count>>>);

impl Traffic {
    /// From now on.
    pub(crate) fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Count::default());
    }

    /// What passed since.
    pub(crate) fn end(&self) -> Count {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.take().unwrap_or_default()
    }

    fn count(&self, add: impl FnOnce(&mut Count)) {
        if let Some(count) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            add(count);
        }
    }

    fn up(&self, bytes: &[u8]) {
        let ack = ClientFrame::decode(bytes).ok().and_then(|frame| {
            let ack = frame.ack?.encoded_len() as u64 + FIELD;
            Some(ack + if frame.kind.is_none() { HEADER_UP } else { 0 })
        });
        self.count(|count| {
            count.up_frames += 1;
            count.up_bytes += bytes.len() as u64 + HEADER_UP;
            count.ack_bytes += ack.unwrap_or(0);
        });
    }

    fn down(&self, bytes: &[u8]) {
        self.count(|count| {
            count.down_frames += 1;
            count.down_bytes += bytes.len() as u64 + HEADER_DOWN;
        });
    }
}

/// The real transport with a counter beside it.
pub(crate) struct Tapped {
    pub(crate) traffic: Traffic,
}

impl Transport for Tapped {
    fn connect(&self, gateway: &GatewayAddress) -> Connecting {
        let connecting = WebSocketTransport::new(Proxies::none()).connect(gateway);
        let traffic = self.traffic.clone();
        Box::pin(async move {
            let mut real = connecting.await?;
            let (out, mut going) = mpsc::channel::<bytes::Bytes>(QUEUE_FRAMES);
            let (arrived, incoming) = mpsc::channel(QUEUE_FRAMES);
            tokio::spawn(async move {
                loop {
                    tokio::select! {
                        frame = going.recv() => {
                            let Some(frame) = frame else { return };
                            traffic.up(&frame);
                            if real.out.send(frame).await.is_err() {
                                return;
                            }
                        }
                        frame = real.incoming.recv() => {
                            let Some(frame) = frame else { return };
                            if let Ok(bytes) = &frame {
                                traffic.down(bytes);
                            }
                            if arrived.send(frame).await.is_err() {
                                return;
                            }
                        }
                    }
                }
            });
            Ok(Connection { out, incoming })
        })
    }
}
