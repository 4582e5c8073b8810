//! A server as a process of its own, so that its processor time and memory can be told from the load's.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Outcome;
use crate::load::Plan;
use crate::real::{BRAND, PASSWORD, agent_name};

/// Killed, and its data removed, when dropped.
pub(crate) struct Server {
    child: Child,
    _data: TempDir,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// This program in its `bare` mode.
    pub(crate) fn bare(folder: &Path, plan: &Plan) -> Outcome<Self> {
        let data = TempDir::new_in(folder)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("bare")
            .arg(data.path().join("bare.db"))
            .arg(plan.agents.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self {
            child,
            _data: data,
            address: line.trim().parse()?,
        })
    }

    /// The real gateway, with agents who have room for all customers.
    pub(crate) fn gateway(program: &Path, folder: &Path, customers: u32, agents: u32) -> Outcome<Self> {
        let data = TempDir::new_in(folder)?;
        let command = |words: &[&str]| -> Outcome {
            let status = Command::new(program)
                .arg("--data")
                .arg(data.path())
                .args(words)
                .env("ZUOXI_AGENT_PASSWORD", PASSWORD)
                .stdout(Stdio::null())
                .status()?;
            if status.success() {
                Ok(())
            } else {
                Err(format!("zuoxi-gateway {words:?}: {status}").into())
            }
        };
        let capacity = customers.div_ceil(agents).to_string();
        command(&["team", "add", "bench"])?;
        for number in 0..agents {
            let name = agent_name(number);
            command(&[
                "agent",
                "add",
                &name,
                "--name",
                &name,
                "--team",
                "bench",
                "--capacity",
                &capacity,
            ])?;
        }
        command(&["brand", "add", BRAND, "--name", "Bench", "--team", "bench"])?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(program)
            .arg("--data")
            .arg(data.path())
            .args(["serve", "--listen", &address.to_string()])
            // All customers of a bench come from one address, and faster than people.
            .envs([
                ("ZUOXI_LIMITS_VISITORS_PER_MINUTE", "100000"),
                ("ZUOXI_LIMITS_CONNECTIONS", "60000"),
                ("ZUOXI_LIMITS_CONNECTIONS_PER_ADDRESS", "60000"),
                ("ZUOXI_LIMITS_CUSTOMER_ACTS_PER_SECOND", "1000000"),
                ("ZUOXI_LIMITS_CUSTOMER_ACTS_BURST", "1000000"),
                ("ZUOXI_LOG_LEVEL", "warn"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let server = Self {
            child,
            _data: data,
            address,
        };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                return Err("the gateway doesn't listen".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
