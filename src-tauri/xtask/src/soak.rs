//! The soak: a hundred customers, one real desk, three desks without a screen, and an outside checker.

use crate::arguments::Arguments;
use crate::machine::{self, Purpose};
use crate::screen::on_own_screen;
use crate::stage::{cargo, see, stage, target};
use crate::{Outcome, node};

/// Builds what it needs, runs it for `--minutes` and prints what was found.
///
/// # Errors
/// A fault was found, or it couldn't go on.
pub(crate) fn soak(arguments: &Arguments) -> Outcome {
    let minutes: f64 = arguments.number("minutes", 10.0)?;
    let rate: f64 = arguments.number("rate", 30.0)?;
    stage("what the machine needs", || {
        machine::prepare(Purpose::Test, arguments.has("yes"))
    })?;
    stage("user interface", || {
        node::packages()?;
        see(&mut node::npm(&["run", "--silent", "build"])?)
    })?;
    // The whole workspace, so that cargo chooses the features of `cargo xtask test`.
    stage("build", || see(&mut cargo(["build", "--quiet", "--workspace"])))?;
    stage("soak", || {
        let program = target().join("debug/soak");
        see(&mut on_own_screen(&format!(
            "{} --minutes {minutes} --rate {rate}",
            program.display()
        )))
    })
}
