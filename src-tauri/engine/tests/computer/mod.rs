//! One computer with its data folder and keyring, and a gateway by hand that lets its agent in.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;
use zuoxi_engine::Engine;
use zuoxi_engine::net::NetError;
use zuoxi_engine::store::{Account, Accounts, Keyring};
use zuoxi_wire::v1::{
    EntriesPage, FeedId, FeedKind, LoggedIn, Member, MemberRole, WatchPage, client_frame, gateway_frame, log_in,
};

use crate::desks;
use crate::scripted::{Peer, ScriptedGateway, ScriptedTransport, patiently, scripted};

/// The agent's id.
pub const ME: [u8; 16] = [5; 16];
pub const GATEWAY: &str = "chat.example.com";

/// Answers a log-in; gives the token that resumed, or nothing for a password.
pub async fn welcome(peer: &mut Peer) -> Option<Bytes> {
    welcome_at(peer, now_ms()).await
}

/// This computer's clock, milliseconds UTC.
pub fn now_ms() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
}

/// The same by a gateway whose clock says this; the agent's own feed stands where the tests leave it.
pub async fn welcome_at(peer: &mut Peer, time_ms: u64) -> Option<Bytes> {
    peer.hello(1).await;
    let (request, credential) = peer
        .find(|request, kind| match kind {
            client_frame::Kind::LogIn(log_in) => Some((request, log_in.credential)),
            _ => None,
        })
        .await;
    let resumed = match credential {
        Some(log_in::Credential::Session(token)) => Some(token),
        _ => None,
    };
    let me = Member {
        id: ME.to_vec().into(),
        role: MemberRole::Agent as i32,
        name: "小林".into(),
        login: "lin".into(),
        capacity: 5,
    };
    let logged_in = LoggedIn {
        session: if resumed.is_some() {
            Bytes::new()
        } else {
            vec![6; 32].into()
        },
        me: Some(me),
        epoch: 1,
        time_ms,
        feeds: vec![FeedId {
            kind: FeedKind::Agent as i32,
            id: ME.to_vec().into(),
        }],
        heartbeat_ms: 10_000,
        window_pushes: 512,
        window_bytes: 1 << 20,
        window_acts: 32,
        ..LoggedIn::default()
    };
    peer.say(request, gateway_frame::Kind::LoggedIn(logged_in)).await;
    resumed
}

/// Answers the next watch: an empty conversation.
pub async fn watch_opens(peer: &mut Peer) {
    let (request, conversation) = peer
        .find(|request, kind| match kind {
            client_frame::Kind::Watch(watch) => Some((request, watch.conversation)),
            _ => None,
        })
        .await;
    let page = WatchPage {
        conversation,
        time_ms: 1,
        summary: None,
        page: Some(EntriesPage {
            floor: 1,
            ..EntriesPage::default()
        }),
    };
    peer.say(request, gateway_frame::Kind::WatchPage(page)).await;
}

/// One computer: its data folder and keyring outlive the engine.
pub struct Computer {
    pub data: TempDir,
    pub keyring: Arc<dyn Keyring>,
    pub transport: Arc<ScriptedTransport>,
    pub gateway: ScriptedGateway,
}

impl Computer {
    /// The account's database as another process would open it.
    pub fn open_database(&self) -> rusqlite::Connection {
        let key = self.keyring.read_key(self.account().name()).unwrap().unwrap();
        let bytes = key.bytes().iter();
        let hex = bytes.fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let database = rusqlite::Connection::open(self.database()).unwrap();
        let opening =
            format!("PRAGMA key = \"x'{hex}'\"; PRAGMA cipher_page_size = 16384; PRAGMA busy_timeout = 5000;");
        database.execute_batch(&opening).unwrap();
        database
    }

    pub fn new(keyring: Arc<dyn Keyring>) -> Self {
        let (transport, gateway) = scripted();
        Self {
            data: tempfile::tempdir().unwrap(),
            keyring,
            transport,
            gateway,
        }
    }

    pub fn start(&self) -> Engine {
        desks::open(self.data.path(), self.transport.clone(), self.keyring.clone())
    }

    /// Buys a session with the password, then resumes with it.
    pub async fn log_in(&mut self, engine: &Engine, remember: bool) -> Peer {
        let answering = async {
            assert_eq!(welcome(&mut self.gateway.accept().await).await, None);
            let mut peer = self.gateway.accept().await;
            assert_eq!(welcome(&mut peer).await, Some(vec![6; 32].into()));
            peer
        };
        let (result, peer) =
            patiently(async { tokio::join!(engine.log_in(GATEWAY, "lin", "pw", remember), answering) }).await;
        result.unwrap();
        peer
    }

    /// Logs in to an account whose database remembers a session: it goes on by itself at once, and is cut short.
    pub async fn log_in_again(&mut self, engine: &Engine) {
        let answering = async {
            loop {
                let mut peer = self.gateway.accept().await;
                tokio::spawn(async move {
                    welcome(&mut peer).await;
                    while peer.next().await.is_some() {}
                });
            }
        };
        tokio::select! {
            result = engine.log_in(GATEWAY, "lin", "pw", true) => result.unwrap(),
            () = answering => {}
        }
    }

    pub fn no_network(&self) {
        self.gateway.refuse(Some(NetError::Network("no route".into())));
    }

    pub fn account(&self) -> Account {
        Accounts::new(self.data.path()).list().unwrap().remove(0)
    }

    pub fn database(&self) -> std::path::PathBuf {
        self.account().database()
    }
}
