//! The server: sockets, TLS, HTTP, WebSockets, and a stop in good order.

mod accept;
mod avatars;
mod conversation;
mod origin;
mod pages;
mod peer;
pub mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Extension, RawQuery, State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use zuoxi_rules::{ConnectionId, Event};
use zuoxi_wire::limits;

pub use origin::is_origin;

use crate::core::{Core, Inbound, Pulse};
use crate::metrics::Metrics;
use crate::settings::Settings;
use peer::Peer;

/// The core turns at least once a second; silent for so long, it hangs.
const HANGS_MS: u64 = 30_000;
/// What tungstenite gathers before it writes by itself: a commit's frames leave in one write below it.
const WRITE_BUFFER: usize = 64 * 1024;

/// What every request sees.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

pub(crate) struct Inner {
    core: mpsc::WeakSender<Inbound>,
    pulse: Arc<Pulse>,
    metrics: Arc<Metrics>,
    next: AtomicU64,
    stopping: AtomicBool,
    public: Option<String>,
    behind_proxy: bool,
}

impl std::ops::Deref for Shared {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Why the server can't run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken or isn't this machine's.
    #[error("can't listen on {address}: {source}: choose another with --listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// Passwords would travel readable.
    #[error(
        "{0} can be reached from other machines: set tls.certificate and tls.key, or behind_proxy = true if a proxy ends TLS"
    )]
    Readable(SocketAddr),
}

/// A server that listens, and isn't serving yet.
pub struct Server {
    listener: TcpListener,
    tls: Option<Arc<tls::Tls>>,
    settings: Settings,
}

impl Server {
    /// Listens as the settings say.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub async fn bind(settings: &Settings) -> Result<Self, ServerError> {
        let address = settings.listen;
        let tls = match settings.tls.files() {
            Some((certificate, key)) => Some(tls::Tls::new(certificate, key)?),
            None => None,
        };
        if tls.is_none() && !address.ip().is_loopback() && !settings.behind_proxy {
            return Err(ServerError::Readable(address));
        }
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ServerError::Listen { address, source })?;
        Ok(Self {
            listener,
            tls,
            settings: settings.clone(),
        })
    }

    /// Where it listens: the port is the system's where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.settings.listen)
    }

    /// `http://…` or `https://…`, without a slash at the end.
    pub fn url(&self) -> String {
        if !self.settings.public_url.is_empty() {
            return self.settings.public_url.trim_end_matches('/').to_owned();
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address())
    }

    /// Serves until `stop` becomes true, then tells every connection to come back, drains, and ends the core.
    pub async fn serve(self, core: Core, metrics: Arc<Metrics>, mut stop: watch::Receiver<bool>) {
        let public = (!self.settings.public_url.is_empty()).then(|| self.url());
        let shared = Shared(Arc::new(Inner {
            core: core.inbound.downgrade(),
            pulse: Arc::clone(&core.pulse),
            metrics: Arc::clone(&metrics),
            next: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
            public,
            behind_proxy: self.settings.behind_proxy,
        }));
        let fresh = self.tls.clone().map(|tls| tokio::spawn(tls.keep_fresh()));
        let accepting = accept::Accepting {
            listener: self.listener,
            tls: self.tls,
            crowd: peer::Crowd::new(
                self.settings.limits.connections,
                self.settings.limits.connections_per_address,
            ),
            router: router(shared.clone()),
            metrics,
            stop: stop.clone(),
        };
        let accepting = tokio::spawn(accepting.run());
        let _ = stop.wait_for(|stop| *stop).await;
        shared.stopping.store(true, Ordering::Release);
        let _ = accepting.await;
        drain(&core, &self.settings).await;
        if let Some(fresh) = fresh {
            fresh.abort();
        }
        let _ = tokio::task::spawn_blocking(move || core.join()).await;
    }
}

/// Tells everybody to come back, and waits until they are gone.
async fn drain(core: &Core, settings: &Settings) {
    let stop = Event::Stop {
        come_back_ms: settings.stop.come_back_ms,
    };
    let mut open = core.pulse.open();
    let gone = async {
        let _ = core.inbound.send(Inbound::Event(stop)).await;
        let _ = open.wait_for(|open| *open == 0).await;
    };
    if tokio::time::timeout(Duration::from_millis(settings.stop.drain_ms), gone)
        .await
        .is_err()
    {
        tracing::warn!("not every connection left in time");
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/v1/ws", any(upgrade))
        .route("/v1/avatars/{agent}", get(avatars::avatar))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .route("/chat", get(to_page))
        .route("/chat/", get(pages::index))
        .route("/chat/brand.json", get(pages::brand))
        .route("/chat/{*path}", get(pages::asset))
        .route("/embed.js", get(pages::loader))
        .with_state(shared)
}

async fn upgrade(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(core) = shared
        .core
        .upgrade()
        .filter(|_| !shared.stopping.load(Ordering::Acquire))
    else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let arrival = conversation::Arrival {
        connection: ConnectionId(shared.next.fetch_add(1, Ordering::Relaxed)),
        address: address(&shared, &peer, &headers),
        door: origin::door(&headers, shared.public.as_deref()),
        peer,
        core,
        metrics: Arc::clone(&shared.metrics),
    };
    upgrade
        .read_buffer_size(limits::READ_BUFFER_BYTES as usize)
        .write_buffer_size(WRITE_BUFFER)
        .max_frame_size(limits::FRAME_BYTES as usize)
        .max_message_size(limits::FRAME_BYTES as usize)
        .on_upgrade(move |socket| {
            arrival.peer.guard();
            conversation::carry(socket, arrival)
        })
}

/// The other end's address: the socket's, or what the proxy in front says last.
fn address(shared: &Inner, peer: &Peer, headers: &HeaderMap) -> String {
    let told = if shared.behind_proxy {
        origin::forwarded(headers)
    } else {
        None
    };
    told.unwrap_or_else(|| peer.address()).to_string()
}

/// The page's own files are named relative to `/chat/`.
async fn to_page(RawQuery(query): RawQuery) -> Redirect {
    Redirect::permanent(&format!("/chat/?{}", query.unwrap_or_default()))
}

async fn alive(State(shared): State<Shared>) -> Response {
    state(shared.pulse.silent_ms() < HANGS_MS, "alive", "the core hangs")
}

async fn ready(State(shared): State<Shared>) -> Response {
    let ready = shared.pulse.silent_ms() < HANGS_MS && !shared.stopping.load(Ordering::Acquire);
    state(ready, "ready", "stopping, or the core hangs")
}

fn state(good: bool, yes: &'static str, no: &'static str) -> Response {
    let (status, text) = if good {
        (StatusCode::OK, yes)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, no)
    };
    (status, Json(text)).into_response()
}

/// Figures are for this machine alone: who asks through a proxy is told that there is no such page.
async fn figures(State(shared): State<Shared>, Extension(peer): Extension<Peer>, headers: HeaderMap) -> Response {
    if !peer.address().is_loopback() || headers.contains_key("x-forwarded-for") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.text()).into_response()
}
