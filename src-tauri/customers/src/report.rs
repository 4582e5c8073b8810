//! What was acknowledged and received: counted, and on request told as JSON lines for an outside checker.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use zuoxi_wire::Id;

/// Round trips remembered for the percentiles.
const SAMPLES: usize = 1_000_000;

/// One entry, as one customer knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Which customer, 1, 2, 3 ….
    pub customer: u32,
    /// Their conversation, where it is known.
    pub conversation: Option<Id>,
    /// The message's id.
    pub id: Id,
    /// In the customer's log.
    pub seq: u64,
    /// The gateway's time, milliseconds UTC.
    pub time_ms: u64,
}

/// Counts of all customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Acts with a Seq.
    pub acknowledged: u64,
    /// Acts refused for good.
    pub refused: u64,
    /// Entries that came, own ones included.
    pub received: u64,
    /// Connections made.
    pub connections: u64,
    /// Log-ins that failed.
    pub log_ins_failed: u64,
    /// Acts without an answer at the end.
    pub unsettled: u64,
    /// From done to acknowledged, milliseconds.
    pub ack_p50_ms: u64,
    /// The same.
    pub ack_p99_ms: u64,
}

/// Where customers tell what they know.
pub struct Report {
    lines: Option<Mutex<Box<dyn Write + Send>>>,
    acknowledged: AtomicU64,
    refused: AtomicU64,
    received: AtomicU64,
    connections: AtomicU64,
    log_ins_failed: AtomicU64,
    unsettled: AtomicU64,
    acks_ms: Mutex<Vec<u32>>,
}

impl Report {
    /// Counts; with `lines`, each acknowledged, refused and received entry is a JSON line there as it comes.
    pub fn new(lines: Option<Box<dyn Write + Send>>) -> Self {
        Self {
            lines: lines.map(Mutex::new),
            acknowledged: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            received: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            log_ins_failed: AtomicU64::new(0),
            unsettled: AtomicU64::new(0),
            acks_ms: Mutex::new(Vec::new()),
        }
    }

    fn line(&self, line: &str) {
        if let Some(Ok(mut lines)) = self.lines.as_ref().map(Mutex::lock) {
            // Whoever read them may be gone: the counts stay.
            let _ = lines.write_all(line.as_bytes()).and_then(|()| lines.flush());
        }
    }

    fn entry(&self, event: &str, told: &Told) {
        if self.lines.is_some() {
            let Told {
                customer,
                id,
                seq,
                time_ms,
                conversation,
            } = told;
            let conversation = conversation.map_or("null".to_owned(), |id| format!("\"{id}\""));
            self.line(&format!(
                "{{\"event\":\"{event}\",\"customer\":{customer},\"conversation\":{conversation},\"id\":\"{id}\",\
                 \"seq\":{seq},\"time_ms\":{time_ms}}}\n"
            ));
        }
    }

    /// An act has its Seq; `ack_ms` after it was done.
    pub fn acknowledge(&self, told: &Told, ack_ms: Option<u64>) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        if let (Some(ms), Ok(mut acks)) = (ack_ms, self.acks_ms.lock())
            && acks.len() < SAMPLES
        {
            acks.push(ms.min(u64::from(u32::MAX)) as u32);
        }
        self.entry("acknowledged", told);
    }

    /// An act was refused for good.
    pub fn refuse(&self, customer: u32, id: Id) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.line(&format!(
            "{{\"event\":\"refused\",\"customer\":{customer},\"id\":\"{id}\"}}\n"
        ));
    }

    /// An entry came.
    pub fn receive(&self, told: &Told) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.entry("received", told);
    }

    /// A connection was made.
    pub fn connect(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// A log-in failed.
    pub fn log_in_failed(&self) {
        self.log_ins_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// A customer's end, with so many acts unsettled.
    pub fn leave(&self, unsettled: usize) {
        self.unsettled.fetch_add(unsettled as u64, Ordering::Relaxed);
    }

    /// As it stands.
    pub fn counts(&self) -> Counts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut acks = self.acks_ms.lock().map(|acks| acks.clone()).unwrap_or_default();
        acks.sort_unstable();
        let percentile = |percent: usize| acks.get(acks.len() * percent / 100).copied().unwrap_or_default().into();
        Counts {
            acknowledged: of(&self.acknowledged),
            refused: of(&self.refused),
            received: of(&self.received),
            connections: of(&self.connections),
            log_ins_failed: of(&self.log_ins_failed),
            unsettled: of(&self.unsettled),
            ack_p50_ms: percentile(50),
            ack_p99_ms: percentile(99),
        }
    }
}
