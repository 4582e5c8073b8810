//! A headless desk: the engine, and what it tells one window.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use zuoxi_engine::store::MemoryKeyring;
use zuoxi_engine::view::{DeskEvent, InboxTab, InboxView, SyncView};
use zuoxi_engine::{Engine, EngineConfig, Surroundings, SystemEvent, WindowId};
use zuoxi_torture::cast::PASSWORD;
use zuoxi_wire::Id;

use super::patiently;
use super::tap::{Tapped, Traffic};
use crate::Outcome;

/// The one agent's desk.
pub(crate) struct Desk {
    engine: Engine,
    incoming: mpsc::Receiver<Vec<DeskEvent>>,
    mine: Option<InboxView>,
    sync: Option<SyncView>,
    waiting: u32,
    written: u64,
}

impl Desk {
    pub(crate) async fn log_in(folder: &Path, gateway: SocketAddr, traffic: Traffic) -> Outcome<Self> {
        let mut surroundings = Surroundings::system(Arc::new(|_| 480));
        surroundings.transport = Arc::new(Tapped { traffic });
        let engine = Engine::open(EngineConfig {
            data_dir: folder.to_owned(),
            software: "zuoxi-bench".into(),
            language: "zh-CN".into(),
            keyring: Arc::new(MemoryKeyring::default()),
            surroundings,
        })?;
        let window = WindowId("main".into());
        let incoming = engine.attach(window.clone()).await?;
        engine.log_in(&gateway.to_string(), "lin", PASSWORD, true).await?;
        engine.observe_inbox(&window, InboxTab::Mine, 0, 500).await?;
        Ok(Self {
            engine,
            incoming,
            mine: None,
            sync: None,
            waiting: 0,
            written: 0,
        })
    }

    /// Hears what it is told until this holds.
    pub(crate) async fn until(&mut self, holds: impl Fn(&Self) -> bool) -> Outcome {
        let waited = async {
            while !holds(self) {
                for event in self.incoming.recv().await.unwrap_or_default() {
                    match event {
                        DeskEvent::Inbox { delta } => self.mine = delta.onto(self.mine.as_ref()),
                        DeskEvent::Sync { sync, waiting, .. } => {
                            self.sync = Some(sync);
                            self.waiting = waiting;
                        }
                        _ => {}
                    }
                }
            }
        };
        patiently("the desk", waited).await
    }

    pub(crate) fn conversations(&self) -> usize {
        self.mine.as_ref().map_or(0, |view| view.total as usize)
    }

    pub(crate) fn online(&self) -> bool {
        matches!(self.sync, Some(SyncView::CatchingUp { .. } | SyncView::UpToDate { .. }))
    }

    pub(crate) fn up_to_date(&self) -> bool {
        matches!(self.sync, Some(SyncView::UpToDate { .. }))
    }

    pub(crate) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// The conversation whose last words are the youngest.
    pub(crate) fn newest(&self) -> Option<String> {
        let rows = self.mine.as_ref()?.rows.iter();
        rows.max_by_key(|row| row.last_ms).map(|row| row.conversation.clone())
    }

    /// One message each in so many conversations; waits until all wait for the gateway.
    pub(crate) async fn write_somewhere(&mut self, count: usize) -> Outcome {
        let rows = self.mine.iter().flat_map(|view| view.rows.iter());
        let conversations: Vec<String> = rows.take(count).map(|row| row.conversation.clone()).collect();
        for conversation in &conversations {
            self.write(conversation).await?;
        }
        self.until(|desk| desk.waiting as usize >= count).await
    }

    pub(crate) async fn write_to_newest(&mut self) -> Outcome {
        let conversation = self.newest().ok_or("nothing to write to")?;
        self.write(&conversation).await
    }

    async fn write(&mut self, conversation: &str) -> Outcome {
        self.written += 1;
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        let id = Id::v7(self.written, random).to_string();
        Ok(self
            .engine
            .send_message(conversation, &id, "好的，马上帮您看一下。".into())
            .await?)
    }

    /// As the system would tell it.
    pub(crate) async fn network_is_back(&self) {
        self.engine.system_event(SystemEvent::NetworkChanged).await;
    }
}
