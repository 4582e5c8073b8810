//! Torture: real processes under kills, cuts and full disks, then an outside checker.

use std::process::Command;

use crate::Outcome;
use crate::arguments::Arguments;
use crate::machine::{self, Purpose};
use crate::stage::{cargo, root, see, stage, target};

/// Builds what is tortured, and runs it for `--minutes`.
///
/// # Errors
/// Something was lost, doubled or misordered, or could not be built or run.
pub(crate) fn torture(arguments: &Arguments) -> Outcome {
    let minutes: f64 = arguments.number("minutes", 30.0)?;
    stage("what the machine needs", || {
        machine::prepare(Purpose::Build, arguments.has("yes"))
    })?;
    stage("gateway and torture: build", || {
        see(&mut cargo(["build", "-p", "zuoxi-gateway", "-p", "zuoxi-torture"]))
    })?;
    let mut torture = Command::new(target().join("debug/zuoxi-torture"));
    torture.current_dir(root()).args(["--minutes", &minutes.to_string()]);
    torture.arg("--folder").arg(target().join("torture"));
    torture.args(arguments.handed_on(&["seed"]));
    stage("torture", || see(&mut torture))
}
