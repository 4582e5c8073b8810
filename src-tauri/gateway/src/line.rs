//! The way from the core to one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use zuoxi_wire::v1::GatewayFrame;

/// Commits whose frames may wait for one connection: more means that it doesn't read, and it is dropped.
const COMMITS: usize = 64;

/// All that one commit has for one connection: it leaves in one write.
#[derive(Debug)]
pub struct Outbound {
    /// In order.
    pub frames: Vec<GatewayFrame>,
    /// Close when they have left.
    pub close: bool,
}

/// The core's end.
#[derive(Debug)]
pub struct Line {
    outbound: mpsc::Sender<Outbound>,
    known: Arc<AtomicBool>,
}

/// The connection's end.
#[derive(Debug)]
pub struct LineEnd {
    /// Ends when the core dropped the line.
    pub outbound: mpsc::Receiver<Outbound>,
    known: Arc<AtomicBool>,
}

/// A line with its two ends.
pub fn line() -> (Line, LineEnd) {
    let (sender, receiver) = mpsc::channel(COMMITS);
    let known = Arc::new(AtomicBool::new(false));
    let end = LineEnd {
        outbound: receiver,
        known: Arc::clone(&known),
    };
    (
        Line {
            outbound: sender,
            known,
        },
        end,
    )
}

impl Line {
    /// Hands over without waiting; `false`: the connection is too slow or gone.
    pub fn send(&self, outbound: Outbound) -> bool {
        self.outbound.try_send(outbound).is_ok()
    }

    /// Somebody logged in on it.
    pub fn is_known_now(&self) {
        self.known.store(true, Ordering::Release);
    }
}

impl LineEnd {
    /// Whether somebody is logged in: which limit of a frame holds.
    pub fn is_known(&self) -> bool {
        self.known.load(Ordering::Acquire)
    }
}
