//! Programs that the tests start: the real ones, ended with the test.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A program of this workspace, as `cargo build` made it (see `cargo xtask test`).
///
/// # Errors
/// It wasn't built.
pub fn program(name: &str) -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    // A test lies in target/debug/deps, a program of ours in target/debug.
    let folder = own
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
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
    let found = by_command_line(words)?;
    for process in found.iter().filter_map(|process| Pid::from_raw(*process as i32)) {
        // One that is gone needs no signal.
        let _ = kill_process(process, Signal::KILL);
    }
    Ok(found.len() as u32)
}

/// Processes whose command line holds `words`, but for this one and drivers.
///
/// # Errors
/// /proc can't be read.
pub fn by_command_line(words: &OsStr) -> io::Result<Vec<u32>> {
    let words = words.to_string_lossy();
    let mut found = processes()?;
    found.retain(|process| {
        let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        *process != std::process::id() && line.contains(words.as_ref()) && !line.contains("WebDriver")
    });
    Ok(found)
}

/// A process with all that it started, and they in turn, oldest first.
///
/// # Errors
/// /proc can't be read.
pub fn family(eldest: u32) -> io::Result<Vec<u32>> {
    let all = processes()?;
    let mut family = vec![eldest];
    loop {
        let more: Vec<u32> = all
            .iter()
            .copied()
            .filter(|process| !family.contains(process) && parent(*process).is_some_and(|of| family.contains(&of)))
            .collect();
        if more.is_empty() {
            return Ok(family);
        }
        family.extend(more);
    }
}

/// Name of a process, as the system keeps it (cut at 15 bytes).
pub fn name_of(process: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    name.trim().to_owned()
}

fn processes() -> io::Result<Vec<u32>> {
    let names = std::fs::read_dir("/proc")?.flatten().map(|entry| entry.file_name());
    Ok(names.filter_map(|name| name.to_string_lossy().parse().ok()).collect())
}

fn parent(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // After the name, which may hold anything: state, parent.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
