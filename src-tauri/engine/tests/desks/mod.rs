//! Headless desks for tests: the engine as the shell has it, with a window that listens.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use zuoxi_engine::net::Transport;
use zuoxi_engine::store::Keyring;
use zuoxi_engine::view::{DeskEvent, InboxView, TimelineView};
use zuoxi_engine::{Engine, EngineConfig, Surroundings, WindowId, timeline};

use crate::scripted::patiently;

pub fn open(data: &Path, transport: Arc<dyn Transport>, keyring: Arc<dyn Keyring>) -> Engine {
    let mut surroundings = Surroundings::system(Arc::new(|_| 480));
    surroundings.transport = transport;
    let config = EngineConfig {
        data_dir: data.to_owned(),
        software: "Zuoxi test".into(),
        language: "zh-CN".into(),
        keyring,
        surroundings,
    };
    Engine::open(config).unwrap()
}

/// A window as a user interface keeps it: views, and what was told once.
pub struct Window {
    pub id: WindowId,
    pub engine: Engine,
    pub timeline: Option<TimelineView>,
    pub inbox: Option<InboxView>,
    pub events: Vec<DeskEvent>,
    incoming: mpsc::Receiver<Vec<DeskEvent>>,
}

impl Window {
    pub async fn open(engine: &Engine, name: &str) -> Self {
        let id = WindowId(name.into());
        let incoming = engine.attach(id.clone()).await.unwrap();
        Self {
            id,
            engine: engine.clone(),
            timeline: None,
            inbox: None,
            events: Vec::new(),
            incoming,
        }
    }

    async fn batch(&mut self) {
        let batch = patiently(self.incoming.recv()).await.expect("the engine is gone");
        for event in batch {
            match event {
                DeskEvent::Timeline { deltas, .. } => {
                    for delta in deltas {
                        let mut view = self.timeline.take().unwrap_or_else(empty);
                        timeline::replay(&mut view, &delta);
                        self.timeline = Some(view);
                    }
                }
                DeskEvent::Inbox { delta } => {
                    let view = delta.onto(self.inbox.as_ref()).expect("a row that the window has");
                    self.inbox = Some(view);
                }
                event => self.events.push(event),
            }
        }
    }

    /// Takes events until something is so.
    pub async fn until<T>(&mut self, mut found: impl FnMut(&Self) -> Option<T>) -> T {
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            self.batch().await;
        }
    }

    /// Takes events until one is among them of which `pick` makes something.
    pub async fn event<T>(&mut self, mut pick: impl FnMut(&DeskEvent) -> Option<T>) -> T {
        self.until(|window| window.events.iter().find_map(&mut pick)).await
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
