//! What happened, as one number: the same seed gives the same one, byte for byte; and as text where it is asked for.

use zuoxi_protocol::Input;
use zuoxi_protocol::input::Output;

use super::Happening;

/// The run so far.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    print: bool,
    now: u64,
}

impl Trace {
    pub fn new(print: bool) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            print,
            now: 0,
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    fn mix(&mut self, number: u64) {
        let mixed = (self.hash ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.hash = mixed ^ (mixed >> 29);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.mix(bytes.len() as u64);
        let mut parts = bytes.chunks_exact(8);
        for part in &mut parts {
            self.mix(part.try_into().map_or(0, u64::from_le_bytes));
        }
        for byte in parts.remainder() {
            self.mix(u64::from(*byte));
        }
    }

    pub fn step(&mut self, now: u64, what: Happening) {
        let (kind, of) = match what {
            Happening::Deed(n) => (1, n as u64),
            Happening::Opens(link) => (2, link as u64),
            Happening::Fails(link) => (3, link as u64),
            Happening::Up(link) => (4, link as u64),
            Happening::Down(link) => (5, link as u64),
            Happening::GatewaySees(link) => (6, link as u64),
            Happening::ClientSees(link) => (7, link as u64),
            Happening::Disk(n, _) => (8, n as u64),
            Happening::Wake(n, _, _) => (9, n as u64),
            Happening::Types(n) => (10, n as u64),
            Happening::Starts(n, _) => (11, n as u64),
            Happening::Runs(_) => (12, 0),
            Happening::Leaves(_) => (13, 0),
            Happening::GatewayWakes(..) => (14, 0),
            Happening::GatewayStarts(_) => (15, 0),
            Happening::StoreMends(_) => (16, 0),
            Happening::Heals => (17, 0),
            Happening::Judge => (18, 0),
            Happening::PageLeaves(link) => (19, link as u64),
        };
        self.mix(now);
        self.mix(kind << 32 | of);
        self.now = now;
        if self.print && !matches!(what, Happening::Wake(..) | Happening::GatewayWakes(..)) {
            println!("{now:>7} {what:?}");
        }
    }

    pub fn input(&self, n: usize, input: &Input) {
        if self.print {
            println!("{:>7}   [{n}] <- {}", self.now, short(&format!("{input:?}")));
        }
    }

    pub fn output(&self, n: usize, output: &Output) {
        if self.print {
            println!("{:>7}   [{n}] -> {}", self.now, short(&format!("{output:?}")));
        }
    }

    /// A line for whoever looks.
    pub fn say(&self, line: impl FnOnce() -> String) {
        if self.print {
            println!("{:>7}   {}", self.now, short(&line()));
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(4_000).collect()
}
