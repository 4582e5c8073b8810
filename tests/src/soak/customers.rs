//! The simulated customers as a process, and what they tell.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::checker::{self, Numbers, Seen};
use crate::desk::Told;
use crate::gateway::BRAND;
use crate::process::{Process, program};

/// What all customers saw.
#[derive(Debug, Default)]
pub struct CustomersSaw {
    /// Own entries with their Seqs.
    pub acknowledged: Vec<Seen>,
    /// Entries that came in, own ones included.
    pub received: Vec<Seen>,
    /// Entries that the gateway refused.
    pub refused: u64,
    /// Entries that nobody has answered at the end.
    pub unsettled: u64,
}

/// Customers at work.
pub struct Customers {
    _process: Process,
    telling: JoinHandle<CustomersSaw>,
}

impl Customers {
    /// So many of them write for so long, so many messages a second together.
    ///
    /// # Errors
    /// The program couldn't be started.
    pub fn start(gateway: &str, customers: u32, rate: f64, time: Duration) -> Told<Self> {
        let mut command = Command::new(program("zuoxi-customers")?);
        command
            .args(["--gateway", gateway, "--brand", BRAND, "--steady", "--json"])
            .args(["--customers", &customers.to_string(), "--rate", &rate.to_string()])
            .args(["--seconds", &time.as_secs().to_string()])
            .stdout(Stdio::piped());
        let (process, out) = Process::heard(&mut command)?;
        Ok(Self {
            _process: process,
            telling: std::thread::spawn(move || hear(out)),
        })
    }

    /// Waits until they have ended, and says what they saw.
    ///
    /// # Errors
    /// They said something that isn't understood.
    pub async fn end(self) -> Told<CustomersSaw> {
        tokio::task::spawn_blocking(move || self.telling.join())
            .await?
            .map_err(|_| "the customers' words were not understood".into())
    }
}

fn hear(out: BufReader<impl std::io::Read>) -> CustomersSaw {
    let mut saw = CustomersSaw::default();
    for line in out.lines().map_while(Result::ok) {
        let Ok(told) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        match told.get("event").and_then(Value::as_str) {
            Some("acknowledged") => saw.acknowledged.extend(seen(&told)),
            Some("received") => saw.received.extend(seen(&told)),
            Some("refused") => saw.refused += 1,
            Some("end") => saw.unsettled = told.get("unsettled").and_then(Value::as_u64).unwrap_or(u64::MAX),
            _ => {}
        }
    }
    saw
}

fn seen(told: &Value) -> Option<Seen> {
    let text = |name: &str| told.get(name).and_then(Value::as_str).map(checker::id);
    Some(Seen {
        by: format!("customer {}", told.get("customer")?),
        id: text("id")?,
        conversation: text("conversation"),
        seq: told.get("seq").and_then(Value::as_u64),
        numbers: Numbers::Customer,
        time_ms: told.get("time_ms").and_then(Value::as_u64),
    })
}
