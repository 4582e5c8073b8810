//! The loop at the engine's heart: one task owns the protocol's session and all views, and nothing else touches them.

mod command;
mod log_in;
mod opening;
mod problem;
mod remembered;
mod windows;

pub(crate) use command::{Command, LogInWith, Reply};

use tokio::sync::mpsc;

use crate::desk::EngineConfig;
use crate::view::CallError;

pub(crate) struct Hub {
    config: EngineConfig,
    commands: mpsc::Receiver<Command>,
}

impl Hub {
    pub(crate) fn open(config: EngineConfig, commands: mpsc::Receiver<Command>) -> Result<Self, CallError> {
        std::fs::create_dir_all(&config.data_dir).map_err(|_| CallError::store())?;
        Ok(Self { config, commands })
    }

    pub(crate) async fn run(mut self) {
        while let Some(command) = self.commands.recv().await {
            let _ = (&self.config, command);
        }
    }
}
