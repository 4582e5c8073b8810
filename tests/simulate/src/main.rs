//! `cargo xtask simulate`.
#![allow(clippy::print_stdout, clippy::indexing_slicing)]

use std::process::ExitCode;

fn main() -> ExitCode {
    zuoxi_simulate::command::main()
}
