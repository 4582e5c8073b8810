//! `desk_bench`: run by `cargo xtask bench desk` on a screen of its own.
#![allow(clippy::print_stderr)]

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match zuoxi_tests::desk_bench::bench().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the bench couldn't go on: {error}");
            ExitCode::FAILURE
        }
    }
}
