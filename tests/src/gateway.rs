//! A real gateway as a process, with a team, agents and a brand.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::desk::Told;
use crate::process::{Process, free_port, program, until_listening};

/// Password of every agent in stories.
pub const PASSWORD: &str = "correct horse battery";
/// Key of the brand in stories.
pub const BRAND: &str = "qinghe";

/// A gateway on its data folder.
#[derive(Debug)]
pub struct Gateway {
    process: Option<Process>,
    data: PathBuf,
    port: u16,
}

impl Gateway {
    /// Makes a data folder with one team, these agents (log-in name, public name) and one brand, and starts.
    ///
    /// # Errors
    /// The gateway's.
    pub fn start(data: &Path, agents: &[(&str, &str)]) -> Told<Self> {
        Self::with_room(data, agents, 8)
    }

    /// The same, with agents who take so many customers at once.
    ///
    /// # Errors
    /// The gateway's.
    pub fn with_room(data: &Path, agents: &[(&str, &str)], room: u32) -> Told<Self> {
        std::fs::create_dir_all(data)?;
        let room = room.to_string();
        let mut gateway = Self {
            process: None,
            data: data.to_owned(),
            port: free_port()?,
        };
        gateway.command(&["team", "add", "售前"])?;
        for (login, name) in agents {
            let agent = [
                "agent",
                "add",
                login,
                "--name",
                name,
                "--team",
                "售前",
                "--capacity",
                &room,
            ];
            gateway.command(&agent)?;
        }
        gateway.command(&["brand", "add", BRAND, "--name", "青禾家居", "--team", "售前"])?;
        gateway.serve()?;
        Ok(gateway)
    }

    /// Starts it (again) on the same port.
    ///
    /// # Errors
    /// It doesn't listen.
    pub fn serve(&mut self) -> Told {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut serve = self.program()?;
        // All customers of a story come from one address.
        serve
            .args(["serve", "--listen", &listen])
            .env("ZUOXI_LIMITS_VISITORS_PER_MINUTE", "10000");
        self.process = Some(Process::start(&mut serve)?);
        until_listening(self.port)?;
        Ok(())
    }

    /// Runs a command of its command line.
    ///
    /// # Errors
    /// It failed.
    pub fn command(&self, words: &[&str]) -> Told {
        let status = self
            .program()?
            .args(words)
            .env("ZUOXI_AGENT_PASSWORD", PASSWORD)
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("zuoxi-gateway {words:?}: {status}").into())
        }
    }

    fn program(&self) -> Told<Command> {
        let mut command = Command::new(program("zuoxi-gateway")?);
        command.arg("--data").arg(&self.data);
        Ok(command)
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// `127.0.0.1:port`, as an agent types it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The customer's page.
    pub fn chat_page(&self) -> String {
        format!("http://{}/chat/?brand={BRAND}&lang=zh-CN", self.address())
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }
}
