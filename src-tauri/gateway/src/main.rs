//! `zuoxi-gateway`: the gateway and everything an administrator does with it.

mod cli;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

/// A group commit is thousands of small allocations that die together on other threads: glibc's takes a fifth of the
/// core's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match cli::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "zuoxi-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}
