//! The proof by simulation, from a build of its own: optimised, and with faults planted where they are asked for. It
//! needs nothing but what builds `cargo xtask`: Rust and the C compiler that links it.

use crate::Outcome;
use crate::arguments::Arguments;
use crate::stage::{cargo, see};

/// Fresh seeds of each `cargo xtask test`, and the most seconds that they take.
const FRESH: &str = "400";
const SECONDS: &str = "150";

/// Plays seeds: `--seed N --runs M`; `--planted` plants each fault in turn.
///
/// # Errors
/// Something was lost, doubled or out of order, nothing happened, a planted fault wasn't caught, or there is none of that
/// name.
pub(crate) fn simulate(arguments: &Arguments) -> Outcome {
    let flags = [
        "seed",
        "runs",
        "seconds",
        "fresh",
        "regressions",
        "print",
        "short",
        "whole",
        "planted",
    ];
    play(arguments.has("planted"), &arguments.handed_on(&flags))
}

/// What `cargo xtask test` plays: seeds that ever failed, and fresh ones.
pub(crate) fn seeds() -> Outcome {
    let given = ["--regressions", "--fresh", "--runs", FRESH, "--seconds", SECONDS];
    play(false, &given.map(str::to_owned))
}

/// Each planted fault until it is caught.
pub(crate) fn planted() -> Outcome {
    play(true, &["--planted".to_owned()])
}

fn play(planted: bool, given: &[String]) -> Outcome {
    let mut command = cargo(["run", "--quiet", "--profile", "sim", "-p", "zuoxi-simulate"]);
    if planted {
        command.args(["--features", "planted"]);
    }
    see(command.arg("--").args(given))
}
