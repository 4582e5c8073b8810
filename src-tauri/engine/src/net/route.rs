//! Which way leads to a gateway: what the system's settings say for its address, else what the environment says.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::proxy::Proxy;
use super::{GatewayAddress, NetError, Proxies};

/// What the system's settings say: `http://host:port`, `socks5://host:port` or `direct://`, to be tried in this order.
/// `None`: it has no settings, or can't be asked.
pub type LookedUp = Pin<Box<dyn Future<Output = Option<Vec<String>>> + Send>>;

/// The system's own proxy settings. They are asked at each connection, since they change with the network.
pub trait SystemProxies: Send + Sync + 'static {
    /// What stands before this address (`https://host:port/`). Gives up by itself after a few seconds.
    fn look_up(&self, url: String) -> LookedUp;
}

/// Ways to gateways.
#[derive(Clone)]
pub(super) struct Routes {
    pub(super) environment: Proxies,
    pub(super) system: Option<Arc<dyn SystemProxies>>,
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Routes({:?}, system: {})", self.environment, self.system.is_some())
    }
}

/// For a way behind which there are others: one that swallows everything must leave them time.
const WAY: Duration = Duration::from_secs(4);

impl Routes {
    /// A TCP stream that ends at the gateway, by the first way that leads there.
    pub(super) async fn connect(&self, gateway: &GatewayAddress) -> Result<TcpStream, NetError> {
        self.connect_within(gateway, WAY).await
    }

    async fn connect_within(&self, gateway: &GatewayAddress, each: Duration) -> Result<TcpStream, NetError> {
        let mut failed = None;
        let mut ways = self.ways(gateway).await.into_iter().peekable();
        while let Some(way) = ways.next() {
            let going = go(way.as_ref(), gateway);
            let connected = if ways.peek().is_none() {
                going.await
            } else {
                let slow = |_| Err(NetError::Network("no answer in time".to_owned()));
                tokio::time::timeout(each, going).await.unwrap_or_else(slow)
            };
            match connected {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed.unwrap_or_else(|| NetError::Network("no way leads there".to_owned())))
    }

    /// `None` among them: straight there.
    async fn ways(&self, gateway: &GatewayAddress) -> Vec<Option<Proxy>> {
        if Proxies::never_before(gateway) {
            return vec![None];
        }
        let url = format!("https://{}/", gateway.authority());
        let told = match &self.system {
            Some(system) => system.look_up(url).await,
            None => None,
        };
        let told = ways(&told.unwrap_or_default());
        if told.iter().any(Option::is_some) {
            return told;
        }
        // No settings, or they name no proxy: what the environment names was set on purpose.
        vec![self.environment.for_gateway(gateway).cloned()]
    }
}

async fn go(way: Option<&Proxy>, gateway: &GatewayAddress) -> Result<TcpStream, NetError> {
    match way {
        Some(proxy) => proxy.connect(gateway).await,
        None => TcpStream::connect((gateway.host(), gateway.port()))
            .await
            .map_err(|error| NetError::Network(error.to_string())),
    }
}

/// What can't be used (SOCKS 4, a proxy with a password) is left out, and said in the log.
fn ways(told: &[String]) -> Vec<Option<Proxy>> {
    let way = |text: &String| {
        if text.starts_with("direct:") {
            return Some(None);
        }
        let proxy = Proxy::parse(text);
        if proxy.is_none() {
            tracing::warn!("the system's settings name a proxy that can't be used (http:// and socks5:// can)");
        }
        proxy.map(Some)
    };
    told.iter().filter_map(way).collect()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    struct Settings(Option<Vec<String>>);

    impl SystemProxies for Settings {
        fn look_up(&self, url: String) -> LookedUp {
            assert_eq!(url, "https://chat.example.com:443/");
            let told = self.0.clone();
            Box::pin(async move { told })
        }
    }

    async fn ways_to(
        address: &str,
        settings: Option<Vec<&'static str>>,
        environment: Option<&str>,
    ) -> Vec<Option<Proxy>> {
        let settings = settings.map(|ways| ways.into_iter().map(str::to_owned).collect());
        let routes = Routes {
            environment: Proxies::read(environment, None),
            system: Some(Arc::new(Settings(settings))),
        };
        routes.ways(&GatewayAddress::parse(address).unwrap()).await
    }

    #[tokio::test]
    async fn the_systems_settings_come_before_the_environment() {
        let gateway = "chat.example.com";
        let proxy = |text: &str| Some(Proxy::parse(text).unwrap());
        let (http, socks) = ("http://a.example.com:8080", "socks5://b.example.com:1080");
        assert_eq!(
            ways_to(gateway, Some(vec![http, socks, "direct://"]), Some("http://c:1")).await,
            [proxy(http), proxy(socks), None]
        );
        // GLib calls SOCKS of any version so.
        assert_eq!(
            ways_to(gateway, Some(vec!["socks4://a:1", "socks://b.example.com:1080"]), None).await,
            [proxy(socks)]
        );
        // Without settings, or with such as name none, the environment says.
        for settings in [None, Some(vec!["direct://"]), Some(vec![])] {
            assert_eq!(ways_to(gateway, settings.clone(), None).await, [None]);
            assert_eq!(ways_to(gateway, settings, Some(http)).await, [proxy(http)]);
        }
        // Nothing stands before this computer itself, and nobody is asked.
        assert_eq!(
            ways_to("http://127.0.0.1:7700", Some(vec![http]), Some(http)).await,
            [None]
        );
    }

    /// Through the first proxy, else through one that works.
    async fn reaches_past(first: u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap().port();
        let settings = Settings(Some(vec![
            format!("http://127.0.0.1:{first}"),
            format!("socks5://127.0.0.1:{open}"),
        ]));
        let routes = Routes {
            environment: Proxies::none(),
            system: Some(Arc::new(settings)),
        };
        let proxy = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 3 + 5 + 16 + 2];
            stream.read_exact(&mut asked[..3]).await.unwrap();
            stream.write_all(&[5, 0]).await.unwrap();
            stream.read_exact(&mut asked[3..]).await.unwrap();
            stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 1, 1]).await.unwrap();
            asked
        });
        let gateway = GatewayAddress::parse("chat.example.com").unwrap();
        let connected = routes.connect_within(&gateway, Duration::from_millis(200));
        let patiently = tokio::time::timeout(Duration::from_secs(20), connected).await;
        patiently.expect("it waits for the first").unwrap();
        assert_eq!(&proxy.await.unwrap()[8..24], b"chat.example.com");
    }

    #[tokio::test]
    async fn the_next_way_is_tried_where_one_is_closed_or_swallows_everything() {
        let closed = {
            let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap().port()
        };
        reaches_past(closed).await;
        // It takes connections, and never says a word.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        reaches_past(silent.local_addr().unwrap().port()).await;
    }
}
