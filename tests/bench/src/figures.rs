//! What a run cost: from Linux's /proc, which counts processor time in hundredths of a second.

use std::fs::read_to_string;
use std::time::Instant;

use crate::Outcome;

/// What had been used at a moment.
pub(crate) struct Sample {
    pub(crate) at: Instant,
    pub(crate) server_cpu_s: f64,
    pub(crate) load_cpu_s: f64,
    pub(crate) machine_cpu_s: f64,
    pub(crate) server_kb: f64,
}

impl Sample {
    /// Of the server with this process id, and of this process.
    pub(crate) fn take(server: u32) -> Outcome<Self> {
        Ok(Self {
            at: Instant::now(),
            server_cpu_s: cpu_seconds(server)?,
            load_cpu_s: cpu_seconds(std::process::id())?,
            machine_cpu_s: machine_cpu_seconds()?,
            server_kb: resident_kb(server)?,
        })
    }
}

fn cpu_seconds(process: u32) -> Outcome<f64> {
    let stat = read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold spaces: fields count from behind it.
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/PID/stat names no program")?;
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<f64>().unwrap_or(0.0))
        .sum();
    Ok(ticks / 100.0)
}

fn machine_cpu_seconds() -> Outcome<f64> {
    let stat = read_to_string("/proc/stat")?;
    let ticks: Vec<f64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .take(8)
        .map(|ticks| ticks.parse().unwrap_or(0.0))
        .collect();
    // user nice system (idle iowait) irq softirq steal
    Ok(ticks.iter().take(3).chain(ticks.iter().skip(5)).sum::<f64>() / 100.0)
}

/// Resident memory of a process, in units of 1,000 bytes.
pub(crate) fn resident_kb(process: u32) -> Outcome<f64> {
    let status = read_to_string(format!("/proc/{process}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.split_whitespace().next())
        .ok_or("/proc/PID/status has no VmRSS")?;
    Ok(kib.parse::<f64>()? * 1.024)
}

/// The value below which a share of them lies.
pub(crate) fn quantile(sorted: &[u64], share: f64) -> u64 {
    sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(0)
}

/// The middle one of several.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
