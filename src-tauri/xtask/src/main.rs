//! `cargo xtask`: the one way to do everything. It has no dependency, so that it builds where only Rust is.
// It talks to a terminal: that is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod bench;
mod demo;
mod fuzz;
mod generate;
mod machine;
mod node;
mod run;
mod screen;
mod simulate;
mod soak;
mod stage;
mod test;
mod torture;

use std::process::ExitCode;

use arguments::Arguments;

const USAGE: &str = "cargo xtask <what>

  run        installs what is missing, builds, and opens a desk in which demo customers talk
             --no-demo  no customers that talk by themselves
             --agents N (1 to 20, default 3)   --customers N (1 to 500, default 12)
             --rate R   messages a second of all customers together (default 2)
             --release  optimised build         --data DIR  (default target/demo)
  test       checks everything: format, linters, types, unit, integration and end to end
             --fast     leaves out what needs a window
  torture    kills and halts gateway, desks and customers as real processes, on lines that break and disks that
             fill, then looks for what was lost, doubled or misordered
             --minutes N  (default 30)          --seed S  the same faults in the same order
  soak       a hundred customers talk to a real desk and three without a screen; then everything kept is compared
             --minutes N (default 10)   --rate R  messages a second of all customers together (default 30)
  bench [timeline | ingest | gateway | reconnect | desk | lists]
             prints figures with units; no name: all
             --texts FILE  one text a line
             gateway: --customers N (default 100)   --agents N (default 4)   --seconds S of each run (default 5)
                      --window N  messages of each customer in flight (default: 1, then 8)
                      --pairs N  runs of each server (default 5)   --idle N  idle connections (default 5000; 0: none)
             reconnect: --clients N that come back at once (default 2000)
  fuzz [names]
             feeds every reader of bytes from outside what libFuzzer invents, or those named
             --seconds N  each (default 10)
  simulate   plays the crates that ship on a simulated clock, network and disk, and checks them from outside
             --seed N (default 0) or --fresh   --runs M (default 100)   --seconds S  stops then
             --regressions  those that ever failed first
             --print  tells one seed step by step (--short: the shortest story that fails)
             --whole  doesn't look for the shortest story of a failure
             --planted [NAME]  plants each fault (or the one of that name) and sees that it is caught
  generate   writes what is generated and committed (TypeScript of the wire, of limits and of views)

  --yes      asks nothing before it installs packages";

/// Everything that can stop a task, as a sentence that says what to do.
pub(crate) type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    match Arguments::read(std::env::args().skip(1)).and_then(|arguments| done(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error}");
            ExitCode::FAILURE
        }
    }
}

fn done(arguments: &Arguments) -> Outcome {
    match arguments.task() {
        "run" => run::run(arguments),
        "test" => test::test(arguments),
        "torture" => torture::torture(arguments),
        "soak" => soak::soak(arguments),
        "bench" => bench::bench(arguments),
        "fuzz" => fuzz::fuzz(arguments),
        "simulate" => simulate::simulate(arguments),
        "generate" => generate::generate(arguments),
        "" | "help" | "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(format!("there is no `{other}`.\n\n{USAGE}")),
    }
}
