//! A headless desk: the engine as the shell has it, and a window that keeps what it is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use zuoxi_engine::net::{Proxies, WebSocketTransport};
use zuoxi_engine::store::{Keyring, MemoryKeyring};
use zuoxi_engine::view::{
    DeskEvent, InboxRow, InboxTab, InboxView, Mark, RowBody, SyncView, TimelineRow, TimelineView,
};
use zuoxi_engine::{Engine, EngineConfig, Surroundings, WindowId, timeline};
use zuoxi_wire::Id;

use crate::customer::rand;

pub(crate) struct Desk {
    data: PathBuf,
    keyring: Arc<dyn Keyring>,
    pub(crate) engine: Engine,
    pub(crate) window: WindowId,
    incoming: mpsc::Receiver<Vec<DeskEvent>>,
    /// The list that it was told last.
    inbox: Option<InboxView>,
    pub(crate) inboxes: BTreeMap<InboxTab, InboxView>,
    pub(crate) timelines: BTreeMap<String, TimelineView>,
    pub(crate) heads: BTreeMap<String, InboxRow>,
    pub(crate) sync: Option<SyncView>,
    pub(crate) events: Vec<DeskEvent>,
}

impl Desk {
    pub(crate) async fn new(data: &Path) -> Self {
        let keyring: Arc<dyn Keyring> = Arc::new(MemoryKeyring::default());
        Self::open(data.to_owned(), keyring).await
    }

    async fn open(data: PathBuf, keyring: Arc<dyn Keyring>) -> Self {
        let mut surroundings = Surroundings::system(Arc::new(|_| 480));
        surroundings.transport = Arc::new(WebSocketTransport::new(Proxies::none()));
        let config = EngineConfig {
            data_dir: data.clone(),
            software: "headless".into(),
            language: "zh-CN".into(),
            keyring: keyring.clone(),
            surroundings,
        };
        let engine = Engine::open(config).unwrap();
        let window = WindowId("main".into());
        let incoming = engine.attach(window.clone()).await.unwrap();
        Self {
            data,
            keyring,
            engine,
            window,
            incoming,
            inbox: None,
            inboxes: BTreeMap::new(),
            timelines: BTreeMap::new(),
            heads: BTreeMap::new(),
            sync: None,
            events: Vec::new(),
        }
    }

    pub(crate) async fn logged_in(data: &Path, gateway: &str, name: &str) -> Self {
        let desk = Self::new(data).await;
        desk.engine
            .log_in(gateway, name, zuoxi_tests::gateway::PASSWORD, true)
            .await
            .unwrap();
        desk
    }

    /// The process ends without a goodbye, and starts again on the same folder.
    pub(crate) async fn restart(self) -> Self {
        let Self {
            data, keyring, engine, ..
        } = self;
        drop(engine);
        Self::open(data, keyring).await
    }

    pub(crate) async fn show(&self, tab: InboxTab) {
        self.engine.observe_inbox(&self.window, tab, 0, 50).await.unwrap();
    }

    pub(crate) async fn tile(&self, conversation: &str) {
        self.engine
            .observe_timeline(&self.window, conversation, -1, 200)
            .await
            .unwrap();
    }

    pub(crate) async fn send(&self, conversation: &str, text: &str) -> String {
        let id = Id::v7(1_700_000_000_000, rand()).to_string();
        self.engine.send_message(conversation, &id, text.into()).await.unwrap();
        id
    }

    async fn batch(&mut self) {
        for event in crate::patiently(self.incoming.recv())
            .await
            .expect("the engine is gone")
        {
            match event {
                DeskEvent::Timeline { conversation, deltas } => {
                    for delta in deltas {
                        let view = self.timelines.entry(conversation.clone()).or_insert_with(empty);
                        timeline::replay(view, &delta);
                    }
                }
                DeskEvent::Inbox { delta } => {
                    let view = delta.onto(self.inbox.as_ref()).expect("a row that the window has");
                    self.inboxes.insert(view.tab, view.clone());
                    self.inbox = Some(view);
                }
                DeskEvent::Conversation { row } => {
                    self.heads.insert(row.conversation.clone(), row);
                }
                DeskEvent::Sync { sync, .. } => self.sync = Some(sync),
                event => self.events.push(event),
            }
        }
    }

    pub(crate) async fn until<T>(&mut self, what: &str, mut found: impl FnMut(&Self) -> Option<T>) -> T {
        let waited = async {
            loop {
                if let Some(found) = found(self) {
                    return found;
                }
                self.batch().await;
            }
        };
        if let Ok(found) = tokio::time::timeout(std::time::Duration::from_secs(20), waited).await {
            return found;
        }
        let diagnostics = self.engine.diagnostics().await;
        panic!("waited in vain until {what}; {diagnostics:?} {:?}", self.timelines)
    }

    /// All that was told to the gateway before is known there: a heartbeat that was asked for afterwards has come.
    pub(crate) async fn is_heard(&mut self) {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
        let newer = |desk: &Self| match desk.sync {
            Some(SyncView::UpToDate { as_of_ms }) if as_of_ms >= now => Some(()),
            _ => None,
        };
        // Asked for once a second at most.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        self.engine.check_now().await.unwrap();
        self.until("the gateway heard it", newer).await;
    }

    pub(crate) fn rows(&self, conversation: &str) -> &[TimelineRow] {
        self.timelines.get(conversation).map_or(&[], |view| &view.rows)
    }

    pub(crate) fn texts(&self, conversation: &str) -> Vec<String> {
        self.rows(conversation).iter().filter_map(text).collect()
    }

    pub(crate) fn mark(&self, conversation: &str, id: &str) -> Option<Mark> {
        self.rows(conversation)
            .iter()
            .find(|row| row.key == id)
            .and_then(|row| row.mark)
    }
}

pub(crate) fn text(row: &TimelineRow) -> Option<String> {
    match &row.body {
        RowBody::Message { text, .. } => Some(text.clone()),
        _ => None,
    }
}

fn empty() -> TimelineView {
    TimelineView {
        conversation: String::new(),
        total: 0,
        floor: 1,
        from: 0,
        rows: Vec::new(),
        first_unread: None,
        customer_read: 0,
        watched: false,
    }
}
