//! What the operating system says about network and sleep, told to the engine, which then looks at its connection at
//! once. On Linux that is NetworkManager and logind on the system bus; elsewhere the connection's own heartbeat must do.

use zuoxi_engine::Engine;

/// Tells the engine for as long as the app runs. Without a system bus nothing is told.
#[cfg(target_os = "linux")]
pub(crate) fn listen(engine: Engine) {
    tauri::async_runtime::spawn(async move {
        // Their order doesn't matter: each makes the engine look for itself.
        let tell = |event| {
            let engine = engine.clone();
            tauri::async_runtime::spawn(async move { engine.system_event(event).await });
        };
        let told = match zbus::Connection::system().await {
            Ok(bus) => match linux::listen(&bus).await {
                Ok(heard) => linux::tell(heard, tell).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::info!(%error, "the system's network and sleep aren't heard of");
        }
    });
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn listen(_engine: Engine) {}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;

    use futures_util::StreamExt;
    use zbus::zvariant::Value;
    use zbus::{Connection, Message, MessageStream};
    use zuoxi_engine::SystemEvent;

    const NETWORK: &str = "org.freedesktop.NetworkManager";
    const LOG_IN: &str = "org.freedesktop.login1";
    const RULES: [&str; 3] = [
        "type='signal',sender='org.freedesktop.NetworkManager',member='StateChanged'",
        "type='signal',sender='org.freedesktop.NetworkManager',path='/org/freedesktop/NetworkManager',\
         member='PropertiesChanged'",
        "type='signal',sender='org.freedesktop.login1',member='PrepareForSleep'",
    ];

    /// Hears the signals that say something.
    pub(super) async fn listen(bus: &Connection) -> zbus::Result<MessageStream> {
        let heard = MessageStream::from(bus);
        let rules = zbus::fdo::DBusProxy::new(bus).await?;
        for rule in RULES {
            rules.add_match_rule(rule.try_into()?).await?;
        }
        Ok(heard)
    }

    /// Hands on each event until the bus is gone.
    pub(super) async fn tell(mut heard: MessageStream, mut tell: impl FnMut(SystemEvent)) -> zbus::Result<()> {
        while let Some(message) = heard.next().await {
            if let Some(event) = event(&message?) {
                tracing::info!(?event, "the system says");
                tell(event);
            }
        }
        Ok(())
    }

    /// What a signal says.
    fn event(signal: &Message) -> Option<SystemEvent> {
        let header = signal.header();
        let (interface, member) = (header.interface()?.as_str(), header.member()?.as_str());
        match member {
            "StateChanged" if interface == NETWORK => Some(SystemEvent::NetworkChanged),
            // From one network to another without a moment between them.
            "PropertiesChanged" if header.path()?.as_str() == "/org/freedesktop/NetworkManager" => {
                let body = signal.body();
                let (_, changed, _): (&str, HashMap<&str, Value<'_>>, Vec<&str>) = body.deserialize().ok()?;
                ["PrimaryConnection", "Connectivity"]
                    .iter()
                    .any(|name| changed.contains_key(name))
                    .then_some(SystemEvent::NetworkChanged)
            }
            // It is said twice: before (true), and after.
            "PrepareForSleep" if interface.starts_with(LOG_IN) => {
                let sleeps: bool = signal.body().deserialize().ok()?;
                (!sleeps).then_some(SystemEvent::WokeUp)
            }
            _ => None,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::test_bus::TestBus;

        #[tokio::test]
        async fn the_engine_hears_of_network_and_waking_up_and_of_nothing_else() {
            let bus = TestBus::start();
            let heard = listen(&bus.connect().await).await.expect("a bus that is heard");
            let system = bus.connect().await;
            for name in [NETWORK, LOG_IN] {
                system.request_name(name).await.expect("a free name");
            }
            let emit = async |path: &str, interface: &str, member: &str, body: Value<'_>| {
                let body = zbus::zvariant::StructureBuilder::new()
                    .append_field(body)
                    .build()
                    .expect("a body");
                system
                    .emit_signal(None::<&str>, path, interface, member, &body)
                    .await
                    .expect("said");
            };
            let network = "/org/freedesktop/NetworkManager";
            emit(network, NETWORK, "StateChanged", Value::from(70_u32)).await;
            emit(network, NETWORK, "DeviceAdded", Value::from(70_u32)).await;
            for changed in ["Connectivity", "ActivatingConnection"] {
                let body = (
                    NETWORK,
                    HashMap::from([(changed, Value::from(4_u32))]),
                    Vec::<&str>::new(),
                );
                let properties = "org.freedesktop.DBus.Properties";
                system
                    .emit_signal(None::<&str>, network, properties, "PropertiesChanged", &body)
                    .await
                    .expect("said");
            }
            for sleeps in [true, false] {
                let manager = "org.freedesktop.login1.Manager";
                emit(
                    "/org/freedesktop/login1",
                    manager,
                    "PrepareForSleep",
                    Value::from(sleeps),
                )
                .await;
            }
            emit(network, NETWORK, "StateChanged", Value::from(20_u32)).await;
            bus.end(&system).await;
            let mut events = Vec::new();
            // How a bus ends doesn't matter here.
            let _ = tell(heard, |event| events.push(event)).await;
            let network = SystemEvent::NetworkChanged;
            assert_eq!(events, [network, network, SystemEvent::WokeUp, network]);
        }
    }
}
