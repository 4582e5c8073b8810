//! What a client tells its storm on standard output, and what it hears from it on standard input.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

/// How a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// There is a connection.
    pub online: bool,
    /// The mark says up to date.
    pub up_to_date: bool,
    /// Acts waiting for the gateway.
    pub waiting: u32,
    /// Acts parked.
    pub parked: u32,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            online,
            up_to_date,
            waiting,
            parked,
        } = self;
        write!(f, "state {online} {up_to_date} {waiting} {parked}")
    }
}

impl FromStr for Status {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let mut words = line.strip_prefix("state ").ok_or(())?.split(' ');
        let mut next = || words.next().ok_or(());
        Ok(Self {
            online: next()?.parse().map_err(drop)?,
            up_to_date: next()?.parse().map_err(drop)?,
            waiting: next()?.parse().map_err(drop)?,
            parked: next()?.parse().map_err(drop)?,
        })
    }
}

/// Tells a status where it changed. Nobody may be listening any more.
#[derive(Debug, Default)]
pub struct Teller(Option<Status>);

impl Teller {
    /// Tells it.
    pub fn tell(&mut self, status: Status) {
        if self.0.replace(status) != Some(status) {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{status}").and_then(|()| out.flush());
        }
    }
}

/// What a storm tells a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Says nothing more of its own.
    Quiet,
    /// The system says that the network came back.
    Network,
    /// The storm is gone: ends.
    End,
}

impl Order {
    /// From a line of standard input; `None`: its end.
    pub fn read(line: Option<&str>) -> Self {
        match line {
            Some("quiet") => Self::Quiet,
            Some("network") => Self::Network,
            _ => Self::End,
        }
    }

    /// As a line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Network => "network",
            Self::End => "end",
        }
    }
}
