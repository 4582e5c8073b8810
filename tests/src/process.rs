//! Programs that the tests start: the real ones, ended with the test.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A program of this workspace, as `cargo build` made it (see `cargo xtask test`).
///
/// # Errors
/// It wasn't built.
pub fn program(name: &str) -> io::Result<PathBuf> {
    // target/debug/deps/test-… → target/debug
    let own = std::env::current_exe()?;
    let folder = own
        .ancestors()
        .nth(2)
        .ok_or_else(|| io::Error::other("no target folder"))?;
    let program = folder.join(name);
    if program.exists() {
        Ok(program)
    } else {
        Err(io::Error::other(format!(
            "{} isn't built: cargo build -p {name}",
            program.display()
        )))
    }
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it with its output in this test's.
    ///
    /// # Errors
    /// The system's.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).spawn().map(Self)
    }

    /// Starts it and reads its standard output by lines.
    ///
    /// # Errors
    /// The system's.
    pub fn heard(command: &mut Command) -> io::Result<(Self, BufReader<ChildStdout>)> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let out = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no standard output"))?;
        Ok((Self(child), BufReader::new(out)))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// kill -9, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The first line of which `found` makes something.
///
/// # Errors
/// The output ended before.
pub fn line<T>(lines: &mut impl BufRead, found: impl Fn(&str) -> Option<T>) -> io::Result<T> {
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the program ended before it said what was waited for"));
        }
        if let Some(found) = found(line.trim()) {
            return Ok(found);
        }
    }
}

/// A port of this computer that is free now.
///
/// # Errors
/// The system's.
pub fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until something listens there.
///
/// # Errors
/// Nothing did within 20 s.
pub fn until_listening(port: u16) -> io::Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(io::Error::other(format!("nothing listens on port {port}")))
}

/// kill -9 of every process whose command line holds `words` (an app that a driver started).
///
/// # Errors
/// /proc can't be read.
pub fn kill_by_command_line(words: &OsStr) -> io::Result<u32> {
    let words = words.to_string_lossy();
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(process) = name.parse::<u32>() else { continue };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if process != std::process::id() && line.contains(words.as_ref()) && !line.contains("WebDriver") {
            let _ = Command::new("kill").args(["-9", &name]).status();
            killed += 1;
        }
    }
    Ok(killed)
}
