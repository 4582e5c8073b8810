//! From the engine to the windows: each window has one channel, and gets what it observes in batches of a frame.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tauri::AppHandle;
use tauri::ipc::Channel;
use zuoxi_engine::view::{CallError, DeskEvent};
use zuoxi_engine::{Engine, WindowId};

use crate::attention;
use crate::windows::MAIN;

/// The engine, and the channels of the windows that listen.
pub(crate) struct Bridge {
    engine: Engine,
    channels: Mutex<BTreeMap<String, Channel<Vec<DeskEvent>>>>,
}

/// The engine's name for a window.
pub(crate) fn window_id(label: &str) -> WindowId {
    WindowId(label.to_owned())
}

impl Bridge {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            channels: Mutex::default(),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Begins to tell a window what it observes. A window that was loaded again listens anew; what went to its old page
    /// ends with the old channel.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn listen(
        &self,
        app: &AppHandle,
        label: &str,
        channel: Channel<Vec<DeskEvent>>,
    ) -> Result<(), CallError> {
        let mut events = self.engine.attach(window_id(label)).await?;
        self.channels().insert(label.to_owned(), channel.clone());
        let app = app.clone();
        let label = label.to_owned();
        tauri::async_runtime::spawn(async move {
            while let Some(batch) = events.recv().await {
                // Every window hears of it; one notifies.
                if label == MAIN {
                    attention::notify(&app, &batch);
                }
                if let Err(error) = channel.send(batch) {
                    tracing::warn!(%error, label, "a window no longer listens");
                    break;
                }
            }
        });
        Ok(())
    }

    /// The window is gone.
    pub(crate) async fn forget(&self, label: &str) {
        self.channels().remove(label);
        self.engine.detach(window_id(label)).await;
    }

    /// The shell's own events to one window, if it listens.
    pub(crate) fn tell(&self, label: &str, events: Vec<DeskEvent>) {
        let channel = self.channels().get(label).cloned();
        if let Some(channel) = channel
            && let Err(error) = channel.send(events)
        {
            tracing::warn!(%error, label, "a window no longer listens");
        }
    }

    fn channels(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Channel<Vec<DeskEvent>>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
