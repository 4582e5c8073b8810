//! Memory of a desk: the proportional set size of all its processes (what is shared counts once, divided).

use crate::desk::{Desk, Told};
use crate::process::family;

/// MB (10^6 bytes) of the app and all that it started.
///
/// # Errors
/// The desk isn't running.
pub(super) fn pss_mb(desk: &Desk) -> Told<f64> {
    let mut kib = 0;
    for process in family(desk.process()?)? {
        // One that has just ended has none.
        let told = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
        let pss = told.lines().find_map(|line| line.strip_prefix("Pss:"));
        kib += pss
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
            .unwrap_or_default();
    }
    Ok(kib as f64 * 1_024.0 / 1e6)
}
