//! Figures with units, from optimised builds.

use crate::Outcome;
use crate::arguments::Arguments;
use crate::stage::{cargo, root, see, stage};

/// Prints the figures of what is named, or of everything.
///
/// # Errors
/// An unknown name, or a bench that failed.
pub(crate) fn bench(arguments: &Arguments) -> Outcome {
    let all = ["timeline", "ingest", "gateway"].map(str::to_owned);
    let named = if arguments.words().is_empty() {
        all.as_slice()
    } else {
        arguments.words()
    };
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        return Err(format!("there is no bench `{unknown}`: timeline, ingest or gateway"));
    }
    let texts = match arguments.text("texts") {
        // Benches run in their own package's folder.
        Some(file) => Some(std::path::absolute(file).map_err(|error| format!("{file}: {error}"))?),
        None => None,
    };
    for name in named {
        stage(name, || {
            let mut command = if name == "gateway" {
                see(&mut cargo(["build", "--release", "--quiet", "-p", "zuoxi-gateway"]))?;
                cargo(["run", "--release", "--quiet", "-p", "zuoxi-bench", "--"])
            } else {
                cargo(["bench", "--quiet", "-p", "zuoxi-engine", "--bench", name, "--"])
            };
            if let Some(texts) = &texts {
                command.arg("--texts").arg(texts);
            }
            see(command.current_dir(root()))
        })?;
    }
    Ok(())
}
