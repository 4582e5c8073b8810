//! `soak [--minutes N] [--rate R]`: run by `cargo xtask soak` on a screen of its own.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;
use std::time::Duration;

use zuoxi_tests::soak::{RATE, soak};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |flag: &str, otherwise: f64| {
        let given = arguments.iter().skip_while(|argument| *argument != flag).nth(1);
        given.map_or(Ok(otherwise), |value| {
            value.parse::<f64>().map_err(|_| format!("{flag} takes a number"))
        })
    };
    let (minutes, rate) = match (number("--minutes", 10.0), number("--rate", RATE)) {
        (Ok(minutes), Ok(rate)) => (minutes.max(0.5), rate.max(0.1)),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match soak(Duration::from_secs_f64(minutes * 60.0), rate).await {
        Ok(outcome) => {
            println!("{outcome}");
            if outcome.faults.0.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("the soak couldn't go on: {error}");
            ExitCode::from(2)
        }
    }
}
