//! An agent's public picture, asked of a gateway by HTTP on a connection of its own.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::{ETAG, HOST, IF_NONE_MATCH};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use zuoxi_wire::{Id, limits};

use super::{GatewayAddress, NetError};

/// Bytes of an answer's head, at most.
const HEAD_BYTES: usize = 16 * 1024;
/// Bytes of an entity tag, at most. A longer one is taken for none.
const TAG_BYTES: usize = 128;

/// What a gateway says of an agent's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// It is this file; nobody has looked at what is in it.
    New {
        /// The entity tag to ask with the next time; empty: none.
        tag: String,
        /// At most [`limits::AVATAR_BYTES`].
        bytes: Bytes,
    },
    /// It is the one that is known.
    Unchanged,
    /// There is none.
    None,
}

/// `known`: the entity tag of the picture that is here; empty: none is.
pub(super) async fn fetch(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    gateway: &GatewayAddress,
    agent: Id,
    known: &str,
) -> Result<Fetched, NetError> {
    let (mut ask, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| no_gateway(&error))?;
    let answered = async move {
        let mut request = Request::get(format!("/v1/avatars/{agent}")).header(HOST, gateway.authority());
        if !known.is_empty() {
            request = request.header(IF_NONE_MATCH, known);
        }
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(|error| NetError::NotAGateway(error.to_string()))?;
        let response = ask.send_request(request).await.map_err(|error| no_gateway(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if !known.is_empty() => return Ok(Fetched::Unchanged),
            StatusCode::NOT_FOUND => return Ok(Fetched::None),
            // A redirection among them: the way to a gateway is what was typed.
            other => return Err(NetError::Network(other.to_string())),
        }
        let tag = response
            .headers()
            .get(ETAG)
            .and_then(|tag| tag.to_str().ok())
            .filter(|tag| tag.len() <= TAG_BYTES)
            .unwrap_or_default()
            .to_owned();
        let body = Limited::new(response.into_body(), limits::AVATAR_BYTES as usize);
        let bytes = body
            .collect()
            .await
            .map_err(|error| NetError::NotAGateway(error.to_string()))?
            .to_bytes();
        Ok(Fetched::New { tag, bytes })
    };
    // The connection is driven only as long as the answer is waited for.
    tokio::pin!(answered);
    tokio::select! {
        biased;
        fetched = &mut answered => fetched,
        // However it ended: what came before is there to be read.
        _ = connection => answered.await,
    }
}

fn no_gateway(error: &hyper::Error) -> NetError {
    if error.is_parse() {
        NetError::NotAGateway(error.to_string())
    } else {
        NetError::Network(error.to_string())
    }
}
