//! Figures with units, from optimised builds.

use crate::arguments::Arguments;
use crate::machine::{self, Purpose};
use crate::screen::on_own_screen;
use crate::stage::{cargo, root, see, stage, target, ui};
use crate::{Outcome, node};

/// What `zuoxi-bench` measures the gateway with, and the coming back of clients.
const OF_THE_GATEWAY: &[&str] = &["customers", "window", "agents", "seconds", "pairs", "idle"];
const OF_COMING_BACK: &[&str] = &["clients"];

/// Prints the figures of what is named, or of everything.
///
/// # Errors
/// An unknown name, or a bench that failed.
pub(crate) fn bench(arguments: &Arguments) -> Outcome {
    let all = ["timeline", "ingest", "gateway", "reconnect", "desk", "lists"].map(str::to_owned);
    let named = if arguments.words().is_empty() {
        all.as_slice()
    } else {
        arguments.words()
    };
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        return Err(format!(
            "there is no bench `{unknown}`: timeline, ingest, gateway, reconnect, desk or lists"
        ));
    }
    let texts = match arguments.text("texts") {
        // Benches run in their own package's folder.
        Some(file) => Some(std::path::absolute(file).map_err(|error| format!("{file}: {error}"))?),
        None => None,
    };
    if let Some(flag) = given_in_vain(arguments, named) {
        return Err(format!("--{flag} is for a bench that isn't run here"));
    }
    // The others look for more by themselves.
    if named.iter().any(|name| name != "desk" && name != "lists") {
        machine::prepare(Purpose::Build, arguments.has("yes"))?;
    }
    for name in named {
        stage(name, || {
            match name.as_str() {
                "desk" => return desk(arguments),
                "lists" => return lists(arguments),
                _ => {}
            }
            let mut command = if name == "gateway" || name == "reconnect" {
                see(&mut cargo(["build", "--release", "--quiet", "-p", "zuoxi-gateway"]))?;
                cargo(["run", "--release", "--quiet", "-p", "zuoxi-bench", "--"])
            } else {
                cargo(["bench", "--quiet", "-p", "zuoxi-engine", "--bench", name, "--"])
            };
            if let Some(texts) = &texts {
                command.arg("--texts").arg(texts);
            }
            if name == "gateway" {
                command.args(arguments.handed_on(OF_THE_GATEWAY));
            }
            if name == "reconnect" {
                command.arg(name).args(arguments.handed_on(OF_COMING_BACK));
            }
            see(command.current_dir(root()))
        })?;
    }
    Ok(())
}

/// A flag that none of these benches takes.
fn given_in_vain(arguments: &Arguments, named: &[String]) -> Option<&'static str> {
    let runs = |name: &str| named.iter().any(|named| named == name);
    let of = |flags: &[&'static str], run: bool| flags.iter().copied().find(|flag| !run && arguments.has(flag));
    of(OF_THE_GATEWAY, runs("gateway")).or_else(|| of(OF_COMING_BACK, runs("reconnect")))
}

/// The real desk, optimised, in its window; `driven` lets the bench's driver into it.
fn desk(arguments: &Arguments) -> Outcome {
    machine::prepare(Purpose::Test, arguments.has("yes"))?;
    node::packages()?;
    see(&mut node::npm(&["run", "--silent", "build:desk"])?)?;
    let packages = ["zuoxi", "zuoxi-gateway", "zuoxi-customers", "zuoxi-tests"];
    let mut build = cargo(["build", "--release", "--quiet", "--features", "zuoxi/driven"]);
    build.args(packages.iter().flat_map(|package| ["-p", package]));
    see(&mut build)?;
    let program = target().join("release/desk_bench");
    see(&mut on_own_screen(&program.display().to_string()))
}

/// Our list beside the best library, in `shared/ui-bench`'s harness, where that stands beside the project.
fn lists(arguments: &Arguments) -> Outcome {
    let harness = root().join("../shared/ui-bench");
    if !harness.join("harness/webkit.mjs").exists() {
        println!(
            "{} isn't there: our list can't be measured beside others here.",
            harness.display()
        );
        return Ok(());
    }
    machine::prepare(Purpose::Test, arguments.has("yes"))?;
    node::packages()?;
    let script = ui().join("src/list/bench/beside.mjs");
    let mut node = node::node()?;
    see(node.arg(script).arg(harness).arg(target().join("ui-bench")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_vain(line: &str) -> Option<&'static str> {
        let arguments = Arguments::read(line.split_whitespace().map(str::to_owned)).unwrap();
        given_in_vain(&arguments, arguments.words())
    }

    #[test]
    fn a_flag_of_a_bench_that_is_not_run_is_said() {
        assert_eq!(in_vain("bench gateway --pairs 2 --seconds 4 --customers 100"), None);
        assert_eq!(in_vain("bench reconnect --clients 500"), None);
        assert_eq!(in_vain("bench reconnect --pairs 2"), Some("pairs"));
        assert_eq!(in_vain("bench gateway --clients 500"), Some("clients"));
    }
}
