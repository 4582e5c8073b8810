//! `serve`

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::sync::watch;
use zuoxi_gateway::core::Core;
use zuoxi_gateway::log_file;
use zuoxi_gateway::metrics::Metrics;
use zuoxi_gateway::server::Server;
use zuoxi_gateway::settings::Settings;
use zuoxi_rules::bus::{Bus, Hub};

use super::{Failure, Place};

/// Pages have 4 KiB.
const PAGES_PER_MIB: u32 = 256;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port; port 0: any that is free
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<std::net::SocketAddr>,
}

impl Serve {
    pub(crate) fn flags(&self) -> Vec<(String, String)> {
        self.listen
            .map(|listen| ("listen".to_owned(), listen.to_string()))
            .into_iter()
            .collect()
    }
}

pub(crate) fn run(place: &Place, serve: &Serve) -> Result<(), Failure> {
    let settings = place.settings(serve.flags())?;
    let _lock = place.folder.lock()?;
    let logs = if settings.log.folder.as_os_str().is_empty() {
        place.folder.path().join("logs")
    } else {
        settings.log.folder.clone()
    };
    let _written =
        log_file::begin(&logs, &settings.log.level).map_err(|error| format!("{}: {error}", logs.display()))?;
    open_many_files(&settings);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(listen_and_serve(place, &settings));
    // Nothing of value is left to do: what is durable was made so by the core's end.
    runtime.shutdown_background();
    served
}

async fn listen_and_serve(place: &Place, settings: &Settings) -> Result<(), Failure> {
    let metrics = Arc::new(Metrics::default());
    let store = place.folder.store()?;
    if settings.limits.database_mib > 0 {
        store.limit_pages(settings.limits.database_mib.saturating_mul(PAGES_PER_MIB))?;
    }
    let server = Server::bind(settings).await?;
    // The embedded store has one process, whose node is alone.
    let alone = |wake| -> Box<dyn Bus> { Box::new(Hub::default().node(wake)) };
    let core = Core::start(store, alone, settings.rules(), Arc::clone(&metrics))?;
    let brands = core.pulse.brands();
    let url = server.url();
    let pages: Vec<String> = brands
        .iter()
        .map(|brand| format!("{url}/chat/?brand={}", brand.key))
        .collect();
    let mut line = format!("Zuoxi gateway at {url}");
    for page in &pages {
        line.push_str("\nWeb chat: ");
        line.push_str(page);
    }
    let told = json!({"listening": server.address().to_string(), "url": url, "chat": pages});
    // Who started us may have closed our output: that is no reason not to serve.
    let _ = place.output.tell(&line, &told);
    tracing::info!(address = %server.address(), version = env!("CARGO_PKG_VERSION"), "serving");
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        asked_to_stop().await;
        stop.send_replace(true);
    });
    server.serve(core, metrics, stopped).await;
    tracing::info!("stopped");
    Ok(())
}

/// Ends with SIGINT or SIGTERM.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Each connection is an open file, and most systems start with 1,024.
fn open_many_files(settings: &Settings) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let wanted = u64::from(settings.limits.connections) + 256;
        if limit.current.is_some_and(|current| current < wanted) {
            let current = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
            let raised = Rlimit {
                current: Some(current),
                maximum: limit.maximum,
            };
            if let Err(error) = setrlimit(Resource::Nofile, raised) {
                tracing::warn!(%error, "the limit of open files can't be raised");
            }
        }
    }
    #[cfg(not(unix))]
    let _ = settings;
}
