//! The processes: one gateway, desks and customers, each with its line; started, killed, halted and let run again.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::Outcome;
use crate::proxy::Line;
use crate::seen::Tail;
use crate::status::{Order, Status};

/// Password of every agent.
pub const PASSWORD: &str = "torture-password";
/// Key of the brand.
pub const BRAND: &str = "torture";
const TEAM: &str = "售前";
/// How long a gateway may take to listen, after a kill and on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is written down of a traced process: who writes, syncs and sends what, without a text.
const TRACED: &str = "trace=write,writev,pwrite64,fsync,fdatasync,sendto,sendmsg";

/// A program with its words, started so that a file that grows beyond its limit is an error and not a signal; under
/// strace, as the same process, if there is a file for its trace.
fn program(path: &Path, trace: Option<&Path>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    if let Some(trace) = trace {
        command
            .args(["strace", "-D", "-f", "-yy", "-s", "8", "-e", TRACED, "-o"])
            .arg(trace);
    }
    command.arg(path).stdin(Stdio::piped()).kill_on_drop(true);
    command
}

/// A running child, by the means that faults need.
#[derive(Debug)]
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Running {
    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.child.id()? as i32)
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // One that is gone needs no signal.
            let _ = kill_process(pid, signal);
        }
    }

    /// No file of it may grow beyond so many bytes; `None`: as before.
    fn limit_files(&self, bytes: Option<u64>) {
        if let Some(pid) = self.pid() {
            let limit = Rlimit {
                current: bytes,
                maximum: None,
            };
            // One that is gone writes nothing.
            let _ = prlimit(Some(pid), Resource::Fsize, limit);
        }
    }

    async fn kill(&mut self) {
        // Also where it is halted; waited for, so that its locks are free.
        let _ = self.child.kill().await;
    }

    fn ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
    }
}

/// The gateway.
#[derive(Debug)]
pub struct Gateway {
    program: PathBuf,
    data: PathBuf,
    logs: PathBuf,
    address: SocketAddr,
    /// File of the trace of what serves from its next start on.
    pub trace: Option<PathBuf>,
    running: Option<Running>,
}

impl Gateway {
    /// Makes team, agents and brand on an empty folder. Doesn't serve yet.
    ///
    /// # Errors
    /// The program's.
    pub async fn found(program: &Path, data: &Path, logs: &Path, agents: &[String]) -> Outcome<Self> {
        std::fs::create_dir_all(data)?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let gateway = Self {
            program: program.to_owned(),
            data: data.to_owned(),
            logs: logs.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            trace: None,
            running: None,
        };
        gateway.run(&["team", "add", TEAM, "--idle", "0"]).await?;
        for login in agents {
            gateway
                .run(&["agent", "add", login, "--team", TEAM, "--capacity", "10000"])
                .await?;
        }
        gateway.run(&["brand", "add", BRAND, "--team", TEAM]).await?;
        Ok(gateway)
    }

    fn command(&self, trace: Option<&Path>) -> Command {
        let mut command = program(&self.program, trace);
        command
            .arg("--data")
            .arg(&self.data)
            .env("ZUOXI_AGENT_PASSWORD", PASSWORD)
            .env("ZUOXI_LOG_FOLDER", &self.logs)
            .env("ZUOXI_LIMITS_CUSTOMER_ACTS_PER_SECOND", "10000")
            .env("ZUOXI_LIMITS_CUSTOMER_ACTS_BURST", "10000")
            .env("ZUOXI_LIMITS_AGENT_ACTS_PER_SECOND", "10000")
            .env("ZUOXI_LIMITS_AGENT_ACTS_BURST", "10000")
            .env("ZUOXI_LIMITS_WRONG_PER_ADDRESS", "100000")
            .env("ZUOXI_LIMITS_VISITORS_PER_MINUTE", "100000");
        command
    }

    /// Runs a word of its command line; what it printed.
    ///
    /// # Errors
    /// It failed.
    pub async fn run(&self, words: &[&str]) -> Outcome<String> {
        let output = self.command(None).args(words).stdin(Stdio::null()).output().await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(said)
        } else {
            let why = String::from_utf8_lossy(&output.stderr);
            Err(format!("zuoxi-gateway {words:?}: {}\n{said}{why}", output.status).into())
        }
    }

    /// Serves, again on the same port, and waits until it listens; `false`: it ended before (a full disk).
    ///
    /// # Errors
    /// It neither listens nor ends.
    pub async fn serve(&mut self) -> Outcome<bool> {
        let listen = self.address.to_string();
        let mut command = self.command(self.trace.as_deref());
        command.args(["serve", "--listen", &listen]).stdout(Stdio::null());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let mut running = Running { child, stdin };
        let begun = tokio::time::Instant::now();
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            if running.ended() {
                return Ok(false);
            }
            if begun.elapsed() > PATIENCE {
                return Err("the gateway neither listens nor ends".into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.running = Some(running);
        Ok(true)
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().await;
        }
    }

    /// Stops it at this instruction.
    pub fn halt(&self) {
        self.running.iter().for_each(|running| running.signal(Signal::STOP));
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.running.iter().for_each(|running| running.signal(Signal::CONT));
    }

    /// No file of it may grow beyond so many bytes; `None`: without a limit.
    pub fn limit_files(&self, bytes: Option<u64>) {
        self.running.iter().for_each(|running| running.limit_files(bytes));
    }

    /// Most resident memory that it has had since its start, KiB.
    ///
    /// # Errors
    /// It doesn't run, or /proc says nothing.
    pub fn peak_kb(&self) -> Outcome<u64> {
        let process = self.running.as_ref().and_then(|running| running.child.id());
        let process = process.ok_or("the gateway doesn't run")?;
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|line| line.split_whitespace().next());
        Ok(kib.ok_or("/proc/PID/status has no VmHWM")?.parse()?)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its folder.
    pub fn data(&self) -> &Path {
        &self.data
    }
}

/// Whom a client plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An agent's desk.
    Desk,
    /// A customer.
    Customer,
}

/// A client: the process, its line, and what is known of it from outside.
#[derive(Debug)]
pub struct Client {
    /// Whom it plays.
    pub role: Role,
    /// Log-in name of the desk's agent.
    pub login: String,
    /// Its line to the gateway.
    pub line: Line,
    /// Mean milliseconds between two acts, and how many may wait for their answer.
    pub pace: (u64, usize),
    /// File of its trace from its next start on.
    pub trace: Option<PathBuf>,
    program: PathBuf,
    folder: PathBuf,
    seed: u64,
    quiet: bool,
    running: Option<Running>,
    status: Arc<Mutex<Status>>,
    tail: Tail,
}

impl Client {
    /// A client with a folder of its own, not started yet. `program` is `zuoxi-torture`.
    ///
    /// # Errors
    /// The system's.
    pub async fn new(
        program: &Path,
        role: Role,
        login: &str,
        folder: &Path,
        gateway: SocketAddr,
        pace: (u64, usize),
        seed: u64,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            role,
            login: login.to_owned(),
            line: Line::open(gateway).await?,
            program: program.to_owned(),
            folder: folder.to_owned(),
            pace,
            trace: None,
            seed,
            quiet: false,
            running: None,
            status: Arc::default(),
            tail: Tail::default(),
        })
    }

    /// Starts it (again).
    ///
    /// # Errors
    /// The system's.
    pub fn start(&mut self) -> io::Result<()> {
        let (word, name) = match self.role {
            Role::Desk => ("desk", self.login.as_str()),
            Role::Customer => ("customer", BRAND),
        };
        let mut command = program(&self.program, self.trace.as_deref());
        command
            .arg(word)
            .args(["--gateway", &self.line.address().to_string(), "--name", name])
            .args([
                "--pace-ms",
                &self.pace.0.to_string(),
                "--window",
                &self.pace.1.to_string(),
            ])
            .args(["--seed", &self.seed.to_string()])
            .arg("--data")
            .arg(self.folder.join("data"))
            .arg("--seen")
            .arg(self.seen())
            .stdout(Stdio::piped())
            .stderr(self.errors()?);
        if self.quiet {
            command.arg("--quiet");
        }
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        self.status = Arc::default();
        if let Some(stdout) = stdout {
            let status = Arc::clone(&self.status);
            tokio::spawn(async move {
                let mut lines = BufReader::new(stdout).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if let Ok(told) = line.parse() {
                        *status.lock().unwrap_or_else(PoisonError::into_inner) = told;
                    }
                }
            });
        }
        self.running = Some(Running { child, stdin });
        Ok(())
    }

    /// Its words about faults go into a file, since faults are what it lives in.
    fn errors(&self) -> io::Result<std::fs::File> {
        let path = self.folder.join("errors");
        std::fs::OpenOptions::new().create(true).append(true).open(path)
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().await;
        }
    }

    /// Whether it ended by itself (a full disk at its start).
    pub fn ended(&mut self) -> bool {
        self.running.as_mut().is_none_or(Running::ended)
    }

    /// Stops it at this instruction.
    pub fn halt(&self) {
        self.running.iter().for_each(|running| running.signal(Signal::STOP));
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.running.iter().for_each(|running| running.signal(Signal::CONT));
    }

    /// No file of it may grow beyond so many bytes; `None`: without a limit.
    pub fn limit_files(&self, bytes: Option<u64>) {
        self.running.iter().for_each(|running| running.limit_files(bytes));
    }

    /// Tells it something.
    pub async fn order(&mut self, order: Order) {
        self.quiet |= order == Order::Quiet;
        let stdin = self.running.as_mut().and_then(|running| running.stdin.as_mut());
        if let Some(stdin) = stdin {
            // One that is gone is told at its next start.
            let _ = stdin.write_all(format!("{}\n", order.word()).as_bytes()).await;
        }
    }

    /// How it stood when it last said so.
    pub fn status(&self) -> Status {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acts of it that are done and have no answer; 0 while it is offline, since nothing flies then.
    pub fn in_flight(&mut self) -> usize {
        let seen = self.seen();
        let in_flight = self.tail.in_flight(&seen);
        if self.status().online { in_flight } else { 0 }
    }

    /// File of what it saw.
    pub fn seen(&self) -> PathBuf {
        self.folder.join("seen")
    }

    /// Folder of its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}
