//! Fuzzing every reader of bytes from outside. With cargo-fuzz's own flags but its address sanitizer, so that neither
//! it nor a nightly toolchain is needed; where it can't be built, the replayed corpora are all there is.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::arguments::Arguments;
use crate::machine::{self, Purpose};
use crate::stage::{cargo, host, root, see, target};

/// Coverage as libFuzzer wants it; what `cargo fuzz build --sanitizer none` sets.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";
/// Each, where nothing else is asked for.
const SECONDS: u64 = 10;
/// libFuzzer has one thread.
const AT_ONCE: usize = 2;
/// What a reader may need, MiB: a frame of 1 MiB becomes some ten times as much.
const MEMORY_MIB: u32 = 2_048;

/// `cargo xtask fuzz [names] [--seconds N]`
///
/// # Errors
/// A broken promise, with the input that breaks it.
pub(crate) fn fuzz(arguments: &Arguments) -> Outcome {
    let seconds = arguments.number("seconds", SECONDS)?.max(1);
    let all = targets()?;
    if let Some(unknown) = arguments.words().iter().find(|name| !all.contains(name)) {
        return Err(format!("there is no `{unknown}`; there are {}", all.join(", ")));
    }
    machine::prepare(Purpose::Build, arguments.has("yes"))?;
    let named = arguments.words();
    run(if named.is_empty() { &all } else { named }, seconds)
}

/// The stage of `cargo xtask test`.
///
/// # Errors
/// The same.
pub(crate) fn briefly() -> Outcome {
    if cfg!(target_os = "windows") {
        println!("libFuzzer isn't built on Windows: only the committed corpora are replayed here.");
        return Ok(());
    }
    run(&targets()?, SECONDS)
}

/// Names of the fuzz targets: their files.
fn targets() -> Outcome<Vec<String>> {
    let folder = root().join("tests/fuzz/targets");
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn run(names: &[String], seconds: u64) -> Outcome {
    let host = host()?;
    let mut build = cargo(["build", "--quiet", "--manifest-path", "tests/fuzz/Cargo.toml"]);
    build.arg("--target").arg(&host).arg("--target-dir").arg(target());
    // The encoded ones would be taken in their place.
    see(build.env("RUSTFLAGS", FLAGS).env_remove("CARGO_ENCODED_RUSTFLAGS"))?;
    for few in names.chunks(AT_ONCE) {
        let started: Vec<Fuzzer> = few
            .iter()
            .map(|name| Fuzzer::start(name, &host, seconds))
            .collect::<Outcome<_>>()?;
        // All are waited for before one that failed is told.
        let ended: Vec<Outcome> = started.into_iter().map(Fuzzer::wait).collect();
        ended.into_iter().collect::<Outcome>()?;
    }
    Ok(())
}

struct Fuzzer {
    name: String,
    folder: PathBuf,
    process: std::process::Child,
}

impl Fuzzer {
    fn start(name: &str, host: &str, seconds: u64) -> Outcome<Self> {
        let folder = target().join("fuzz").join(name);
        let found = folder.join("corpus");
        let failed = |error: std::io::Error| format!("{name}: {error}");
        fs::create_dir_all(&found).map_err(failed)?;
        let log = fs::File::create(folder.join("log")).map_err(failed)?;
        let process = Command::new(target().join(host).join("debug").join(name))
            .arg(&found)
            .arg(root().join("tests/fuzz/corpus").join(name))
            .args([
                format!("-max_total_time={seconds}"),
                format!("-rss_limit_mb={MEMORY_MIB}"),
                "-timeout=20".to_owned(),
                format!("-artifact_prefix={}/", folder.display()),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        Ok(Self {
            name: name.to_owned(),
            folder,
            process,
        })
    }

    fn wait(mut self) -> Outcome {
        let status = self.process.wait().map_err(|error| error.to_string())?;
        let log = String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned();
        if status.success() {
            let done = log
                .lines()
                .rev()
                .find(|line| line.starts_with("Done "))
                .unwrap_or("Done");
            println!("{}: {}", self.name, done.to_lowercase());
            return Ok(());
        }
        let tail: Vec<&str> = log.lines().rev().take(30).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        Err(format!(
            "{tail}\n\n{}: an input breaks a promise. It is in {}: put it into tests/fuzz/corpus/{} as found-… when it is \
             mended.",
            self.name,
            self.folder.display(),
            self.name
        ))
    }
}
