//! Everything that checks the code, cheapest first.

use std::time::Instant;

use crate::arguments::Arguments;
use crate::machine::{self, Purpose};
use crate::screen::on_own_screen;
use crate::stage::{answers, cargo, host, see, stage};
use crate::{Outcome, fuzz, node, simulate};

/// Checks everything; `--fast` leaves out what needs a window.
///
/// # Errors
/// The first stage that fails.
pub(crate) fn test(arguments: &Arguments) -> Outcome {
    let begun = Instant::now();
    stage("what the machine needs", || {
        machine::prepare(Purpose::Test, arguments.has("yes"))
    })?;
    stage("format", || {
        see(&mut cargo(["fmt", "--all", "--check"]))?;
        let fuzz = ["fmt", "--manifest-path", "tests/fuzz/Cargo.toml", "--check"];
        see(&mut cargo(fuzz))
    })?;
    stage("user interface: packages", node::packages)?;
    for (name, script) in [
        ("texts", "texts"),
        ("format", "check:format"),
        ("types", "check:types"),
        ("linter", "check:lint"),
        ("unit tests", "test"),
        ("build", "build"),
    ] {
        stage(&format!("user interface: {name}"), || {
            see(&mut node::npm(&["run", "--silent", script])?)
        })?;
    }
    stage("licences and advisories", licences)?;
    stage("clippy", || {
        see(&mut cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    // The whole workspace each time: with fewer packages cargo chooses other features and builds everything again.
    stage("build of what the tests start", || {
        see(&mut cargo(["build", "--quiet", "--workspace"]))
    })?;
    stage("unit, property and integration tests", || {
        see(&mut cargo(["test", "--workspace", "--quiet"]))
    })?;
    stage("fuzzing", fuzz::briefly)?;
    stage("simulation: seeds that ever failed, and fresh ones", simulate::seeds)?;
    stage("simulation: planted faults", simulate::planted)?;
    if !arguments.has("fast") {
        for (name, script) in [
            ("the list in Chromium and WebKitGTK", "test:list"),
            ("a tile in Chromium", "test:tile"),
            ("the desk's keys in Chromium", "test:desk"),
            ("the chat page in Chromium, against a real gateway", "test:chat"),
        ] {
            stage(name, || see(&mut node::npm(&["run", "--silent", script])?))?;
        }
        stage("end to end in real windows", || {
            see(&mut on_own_screen(
                "cargo test --workspace --test desk --test keys --test network --test soak -- --ignored --test-threads=1",
            ))
        })?;
    }
    println!(
        "\nEverything passed, in {:.1} min.",
        begun.elapsed().as_secs_f64() / 60.0
    );
    Ok(())
}

/// cargo-deny, where it is installed; its advisories need a network, so licences, bans and sources are what is checked.
fn licences() -> Outcome {
    if answers("cargo-deny", "--version") {
        see(&mut cargo([
            "deny",
            "--workspace",
            "--offline",
            // Only what this machine fetched can be looked at without a network.
            "--target",
            &host()?,
            "check",
            "--config",
            ".deny.toml",
            "licenses",
            "bans",
            "sources",
        ]))
    } else {
        println!("cargo-deny isn't installed (cargo install cargo-deny): not checked here.");
        Ok(())
    }
}
