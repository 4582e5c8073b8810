//! A team, its agents and its customers on a gateway of their own: what `cargo xtask run` shows.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::stage::{hear, see};

/// What the demo is made of.
pub(crate) struct Demo {
    /// Folder of the built programs.
    pub(crate) programs: PathBuf,
    /// Folder of all its data.
    pub(crate) data: PathBuf,
    /// Agents of the team; the first is the one whose desk opens.
    pub(crate) agents: u32,
    /// Simulated customers.
    pub(crate) customers: u32,
    /// Messages a second of all customers together.
    pub(crate) rate: f64,
}

/// A running gateway.
pub(crate) struct Gateway {
    /// Its process.
    pub(crate) process: Child,
    /// `127.0.0.1:port`, as an agent types it.
    pub(crate) address: String,
    /// The customer's page.
    pub(crate) chat_page: String,
}

const TEAM: &str = "售前";
const BRAND: &str = "demo";
/// Log-in and public names, so that the desk has colleagues to hand over to.
const NAMES: [(&str, &str); 20] = [
    ("shen", "沈佳宁"),
    ("wang", "王珊"),
    ("li", "李哲"),
    ("amy", "Amy Reed"),
    ("qian", "钱敏"),
    ("zhao", "赵一鸣"),
    ("sun", "孙悦"),
    ("zhou", "周子墨"),
    ("wu", "吴桐"),
    ("zheng", "郑晓彤"),
    ("ben", "Ben Ortiz"),
    ("feng", "冯立"),
    ("chen", "陈一诺"),
    ("chu", "褚然"),
    ("wei", "魏宁"),
    ("jiang", "蒋雨"),
    ("kim", "Kim Lane"),
    ("han", "韩磊"),
    ("yang", "杨帆"),
    ("zhu", "朱颜"),
];
/// Where the web chat is served, if that port is free.
const PORT: u16 = 8420;
/// How long the gateway may take to listen: it may have a log to check.
const PATIENCE: Duration = Duration::from_secs(30);

impl Demo {
    /// Log-in name of the desk's agent.
    pub(crate) const AGENT: &str = "shen";
    /// Password of every demo agent.
    pub(crate) const PASSWORD: &str = "demo-desk-2026";

    fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(if cfg!(windows) {
            format!("{name}.exe")
        } else {
            name.into()
        }))
    }

    fn gateway(&self) -> Command {
        let mut command = self.program("zuoxi-gateway");
        command
            .arg("--data")
            .arg(self.data.join("gateway"))
            .env("ZUOXI_AGENT_PASSWORD", Self::PASSWORD);
        command
    }

    /// Makes team, agents and brand where they aren't there yet, and starts the gateway on loopback.
    ///
    /// # Errors
    /// The gateway's.
    pub(crate) fn start_gateway(&self) -> Outcome<Gateway> {
        fs::create_dir_all(self.data.join("gateway")).map_err(|error| format!("{}: {error}", self.data.display()))?;
        let there = hear(self.gateway().args(["agent", "list"]))?;
        if !there.contains(Self::AGENT) {
            see(self.gateway().args(["team", "add", TEAM]))?;
            see(self
                .gateway()
                .args(["brand", "add", BRAND, "--name", "青禾家居", "--team", TEAM]))?;
        }
        for (login, name) in NAMES.iter().take(self.agents as usize) {
            if !there.contains(login) {
                see(self
                    .gateway()
                    .args(["agent", "add", login, "--name", name, "--team", TEAM]))?;
            }
        }
        let port = TcpListener::bind(("127.0.0.1", PORT))
            .or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
            .and_then(|listener| listener.local_addr())
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let address = format!("127.0.0.1:{port}");
        let mut process = self
            .gateway()
            .args(["serve", "--listen", &address])
            // All demo customers come from one address.
            .env("ZUOXI_LIMITS_VISITORS_PER_MINUTE", "10000")
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("the gateway could not be started: {error}"))?;
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            if let Ok(Some(status)) = process.try_wait() {
                return Err(format!("the gateway ended with {status}; try: zuoxi-gateway doctor"));
            }
            if begun.elapsed() > PATIENCE {
                let _ = process.kill();
                return Err("the gateway doesn't listen; try: zuoxi-gateway doctor".into());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Gateway {
            process,
            chat_page: format!("http://{address}/chat/?brand={BRAND}"),
            address,
        })
    }

    /// Starts customers who write, read, wait and leave until they are ended.
    ///
    /// # Errors
    /// The program couldn't be started.
    pub(crate) fn start_customers(&self, gateway: &str) -> Outcome<Child> {
        let mut customers = self
            .program("zuoxi-customers")
            .args(["--gateway", gateway, "--brand", BRAND])
            .args([
                "--customers",
                &self.customers.to_string(),
                "--rate",
                &self.rate.to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the customers could not be started: {error}"))?;
        if let Some(said) = customers.stdout.take() {
            // What each sent is for checkers, not for this terminal; read, so that the pipe never fills.
            thread::spawn(move || BufReader::new(said).lines().for_each(drop));
        }
        Ok(customers)
    }

    /// Opens the desk with the demo agent's log-in filled in.
    ///
    /// # Errors
    /// The program couldn't be started.
    pub(crate) fn start_desk(&self, gateway: &str) -> Outcome<Child> {
        self.program("zuoxi")
            .arg("--data")
            .arg(self.data.join("desk"))
            .args(["--gateway", gateway, "--name", Self::AGENT])
            .env("ZUOXI_LOGIN_PASSWORD", Self::PASSWORD)
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("the desk could not be started: {error}"))
    }
}
