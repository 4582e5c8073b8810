//! What the desktop's portal says for an address: GNOME's and KDE's settings, automatic configuration included.

use std::time::Duration;

use zbus::Connection;
use zuoxi_engine::net::{LookedUp, SystemProxies};

const PORTAL: &str = "org.freedesktop.portal.Desktop";
/// A portal that doesn't answer must not hold up a connection for long.
const PATIENCE: Duration = Duration::from_secs(3);

/// `org.freedesktop.portal.ProxyResolver` on the session bus.
pub(crate) struct Portal;

impl SystemProxies for Portal {
    fn look_up(&self, url: String) -> LookedUp {
        Box::pin(async move {
            let asked = async {
                let bus = Connection::session().await?;
                ask(&bus, &url).await
            };
            match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok(proxies)) => Some(proxies),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "no portal says which proxy to take");
                    None
                }
                Err(_) => {
                    tracing::warn!("the portal doesn't say which proxy to take");
                    None
                }
            }
        })
    }
}

async fn ask(bus: &Connection, url: &str) -> zbus::Result<Vec<String>> {
    let answer = bus
        .call_method(
            Some(PORTAL),
            "/org/freedesktop/portal/desktop",
            Some("org.freedesktop.portal.ProxyResolver"),
            "Lookup",
            &url,
        )
        .await?;
    answer.body().deserialize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_bus::TestBus;

    struct Desktop;

    #[zbus::interface(name = "org.freedesktop.portal.ProxyResolver")]
    impl Desktop {
        #[allow(clippy::unused_self, reason = "an object of the bus answers")]
        fn lookup(&self, url: &str) -> Vec<String> {
            if url == "https://chat.example.com:443/" {
                vec!["http://proxy.example.com:8080".into(), "direct://".into()]
            } else {
                vec!["direct://".into()]
            }
        }
    }

    /// A bus may drop a call to an object that is only being made: the portal is asked again, as at the next connection.
    async fn told(client: &Connection, url: &str) -> Vec<String> {
        for _ in 0..20 {
            if let Ok(answer) = tokio::time::timeout(PATIENCE, ask(client, url)).await {
                return answer.expect("an answer");
            }
        }
        panic!("the portal never answered");
    }

    #[tokio::test]
    async fn the_portal_is_asked_for_the_gateways_address() {
        let bus = TestBus::start();
        let client = bus.connect().await;
        assert!(ask(&client, "https://a/").await.is_err(), "nobody is there to be asked");
        let desktop = bus.connect().await;
        let objects = desktop.object_server();
        objects
            .at("/org/freedesktop/portal/desktop", Desktop)
            .await
            .expect("an object");
        desktop.request_name(PORTAL).await.expect("a free name");
        let asked = told(&client, "https://chat.example.com:443/").await;
        assert_eq!(asked, ["http://proxy.example.com:8080", "direct://"]);
        assert_eq!(told(&client, "https://a/").await, ["direct://"]);
    }
}
