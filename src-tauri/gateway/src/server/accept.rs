//! Takes sockets: counted, through TLS where it is on, with a few seconds to say what they want.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use zuoxi_wire::limits;

use super::peer::{Crowd, Guarded, Peer};
use super::tls::Tls;
use crate::metrics::Metrics;

/// Until TLS is agreed on, until a request's head is there, and between requests.
const PATIENCE: Duration = Duration::from_millis(limits::FIRST_FRAME_MS);
/// After a failed accept (too many open files): give those that close a moment.
const BREATH: Duration = Duration::from_millis(50);
/// Bytes of a request's head.
const HEAD: usize = 16 * 1024;

pub(super) struct Accepting {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) crowd: Arc<Crowd>,
    pub(super) router: Router,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Accepting {
    pub(super) async fn run(mut self) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = self.stop.wait_for(|stop| *stop) => return,
            };
            match accepted {
                Ok((stream, from)) => match self.crowd.enter(from.ip()) {
                    Some(peer) => self.take(stream, peer),
                    None => {
                        self.metrics.crowded.inc();
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "a socket could not be taken");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: Peer) {
        self.metrics.accepted_sockets.inc();
        let _ = stream.set_nodelay(true);
        let (router, stop) = (self.router.clone(), self.stop.clone());
        let acceptor = self.tls.as_ref().map(|tls| tls.acceptor());
        tokio::spawn(async move {
            match acceptor {
                None => serve(Guarded::new(stream, peer.clone()), peer, router, stop).await,
                Some(acceptor) => {
                    if let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await {
                        serve(Guarded::new(stream, peer.clone()), peer, router, stop).await;
                    }
                }
            }
        });
    }
}

async fn serve<S>(stream: S, peer: Peer, router: Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = tower_service(router, peer);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A request that breaks off is the other end's affair.
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(PATIENCE, connection).await;
}

/// The router, with each request knowing where it came from.
fn tower_service(
    router: Router,
    peer: Peer,
) -> impl hyper::service::Service<
    Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    let inner = TowerToHyperService::new(router);
    hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        hyper::service::Service::call(&inner, request)
    })
}
