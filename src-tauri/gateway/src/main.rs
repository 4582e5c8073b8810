//! `zuoxi-gateway`: the gateway and everything an administrator does with it.

mod cli;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

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
