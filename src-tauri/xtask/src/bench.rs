//! Figures with units, from optimised builds.

use crate::arguments::Arguments;
use crate::machine::{self, Purpose};
use crate::screen::on_own_screen;
use crate::stage::{cargo, root, see, stage, target, ui};
use crate::{Outcome, node};

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
            if name == "reconnect" {
                command.arg(name);
            }
            see(command.current_dir(root()))
        })?;
    }
    Ok(())
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
