//! What runs came to, in figures.

use std::fmt;

use crate::check::Findings;

/// Counts of a run, or of several.
#[derive(Debug, Default)]
pub struct Tally {
    /// kill -9 of anybody.
    pub kills: u64,
    /// Of these, with an act in flight.
    pub in_flight: u64,
    /// Of the gateway.
    pub gateways: u64,
    /// Of desks.
    pub desks: u64,
    /// SIGSTOP for a while.
    pub halts: u64,
    /// Connections cut, also in mid-frame.
    pub cuts: u64,
    /// Connections that stayed open and carried nothing.
    pub half_open: u64,
    /// Lines that were slow or narrow.
    pub slow: u64,
    /// Disks that were full for a while.
    pub full_disks: u64,
    /// Starts of the gateway that its full disk refused.
    pub refused_to_start: u64,
    /// Clients that ended by themselves, and were started again.
    pub ended: u64,
    /// Milliseconds from calm to everybody up to date; of several runs the longest.
    pub caught_up_ms: u64,
    /// Seconds in all.
    pub seconds: f64,
    /// What the checker found.
    pub findings: Findings,
}

impl Tally {
    /// Adds another run.
    pub fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.in_flight += other.in_flight;
        self.gateways += other.gateways;
        self.desks += other.desks;
        self.halts += other.halts;
        self.cuts += other.cuts;
        self.half_open += other.half_open;
        self.slow += other.slow;
        self.full_disks += other.full_disks;
        self.refused_to_start += other.refused_to_start;
        self.ended += other.ended;
        self.caught_up_ms = self.caught_up_ms.max(other.caught_up_ms);
        self.seconds += other.seconds;
        self.findings.add(other.findings);
    }

    /// What didn't happen, without which nothing is proven.
    pub fn missing(&self) -> Vec<&'static str> {
        let needed = [
            (self.kills, "no process was killed"),
            (self.findings.clocks, "no client showed an act as stored"),
            (self.findings.cached, "no entry of a cache was compared"),
        ];
        let missing = needed.into_iter().filter(|(count, _)| *count == 0);
        missing.map(|(_, what)| what).collect()
    }

    /// Kills with an act in flight, in percent.
    pub fn aimed(&self) -> f64 {
        100.0 * self.in_flight as f64 / self.kills.max(1) as f64
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.findings;
        writeln!(
            f,
            "{} kills ({} of the gateway, {} of desks), {:.0} % with an act in flight",
            self.kills,
            self.gateways,
            self.desks,
            self.aimed()
        )?;
        writeln!(
            f,
            "{} halts, {} cuts, {} half-open, {} slow lines, {} full disks ({} refused starts, {} clients ended)",
            self.halts, self.cuts, self.half_open, self.slow, self.full_disks, self.refused_to_start, self.ended
        )?;
        writeln!(
            f,
            "{} acts seen stored, {} seen sent, {} refused, {} put back; {} entries, {} compared in caches",
            found.clocks, found.ticks, found.refused, found.put_back, found.entries, found.cached
        )?;
        write!(
            f,
            "{} lost, {} doubled, {} misordered, {} unequal in caches; caught up {:.1} s after the storm; {:.0} s",
            found.lost.len(),
            found.doubled.len(),
            found.misordered.len(),
            found.unequal.len(),
            self.caught_up_ms as f64 / 1_000.0,
            self.seconds
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn a_run_in_which_nothing_happened_proves_nothing() {
        let mut tally = Tally::default();
        assert_eq!(tally.missing().len(), 3);
        tally.kills = 1;
        tally.findings.clocks = 1;
        assert_eq!(tally.missing(), ["no entry of a cache was compared"]);
        tally.findings.cached = 1;
        assert!(tally.missing().is_empty());
    }
}
