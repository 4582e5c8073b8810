//! One WebSocket binary message is one frame.

use bytes::Bytes;
use prost::Message;

use crate::limits;
use crate::v1::{ClientFrame, GatewayFrame};

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// More than `limit` bytes.
    #[error("a frame of {bytes} bytes; at most {limit} are taken")]
    TooLarge {
        /// Size of what came, bytes.
        bytes: u64,
        /// The limit, bytes.
        limit: u64,
    },
    /// Not protobuf of a frame.
    #[error("bytes that are no frame: {0}")]
    Malformed(String),
}

fn decode<M: Message + Default>(bytes: Bytes, limit: u64) -> Result<M, FrameError> {
    if bytes.len() as u64 > limit {
        return Err(FrameError::TooLarge {
            bytes: bytes.len() as u64,
            limit,
        });
    }
    M::decode(bytes).map_err(|error| FrameError::Malformed(error.to_string()))
}

/// Reads a client's frame; `logged_in` decides which limit holds.
///
/// # Errors
/// Too large, or no frame. An unknown kind is a frame without a kind.
pub fn decode_client(bytes: Bytes, logged_in: bool) -> Result<ClientFrame, FrameError> {
    decode(
        bytes,
        if logged_in {
            limits::FRAME_BYTES
        } else {
            limits::FIRST_FRAME_BYTES
        },
    )
}

/// Reads a gateway's frame.
///
/// # Errors
/// Too large, or no frame. An unknown kind is a frame without a kind.
pub fn decode_gateway(bytes: Bytes) -> Result<GatewayFrame, FrameError> {
    decode(bytes, limits::FRAME_BYTES)
}

/// A client's frame as bytes.
pub fn encode_client(frame: &ClientFrame) -> Bytes {
    frame.encode_to_vec().into()
}

/// A gateway's frame as bytes.
pub fn encode_gateway(frame: &GatewayFrame) -> Bytes {
    frame.encode_to_vec().into()
}
