//! The proof by simulation, from a build of its own: optimised, and with faults planted where they are asked for.

use crate::Outcome;
use crate::arguments::Arguments;
use crate::stage::{cargo, see};

/// Seeds of `cargo xtask test`, from 0 on. Always the same ones: whoever changes something else must not be stopped by a
/// seed that nobody played before. Fresh ones are played by `cargo xtask simulate --fresh`.
const SEEDS: &str = "400";

/// Plays seeds: `--seed N --runs M`; `--planted` plants each fault in turn.
///
/// # Errors
/// Something was lost, doubled or out of order, or a planted fault wasn't caught.
pub(crate) fn simulate(arguments: &Arguments) -> Outcome {
    let mut given = Vec::new();
    for flag in ["seed", "runs", "seconds"] {
        if let Some(value) = arguments.text(flag) {
            given.extend([format!("--{flag}"), value.to_owned()]);
        }
    }
    for flag in ["fresh", "regressions", "print", "short", "whole"] {
        if arguments.has(flag) {
            given.push(format!("--{flag}"));
        }
    }
    if arguments.has("planted") {
        given.push("--planted".to_owned());
        given.extend(arguments.text("planted").map(str::to_owned));
    }
    play(arguments.has("planted"), &given)
}

/// What `cargo xtask test` plays: seeds that ever failed, and the first ones.
pub(crate) fn seeds() -> Outcome {
    let given = ["--regressions", "--runs", SEEDS];
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
