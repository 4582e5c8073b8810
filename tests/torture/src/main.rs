//! `zuoxi-torture`: runs of torture from the command line, and the clients that they are made of.
// It talks to a terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use zuoxi_torture::storm::{self, Plan};
use zuoxi_torture::tally::Tally;
use zuoxi_torture::{Outcome, cast, customer, desk};

/// Seconds of one run: with the calm after it and the check, a little more.
const RUN_S: u64 = 240;

#[derive(Parser)]
struct Arguments {
    /// How long, in all; runs of about four minutes each.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// The same seed gives the same faults in the same order.
    #[arg(long)]
    seed: Option<u64>,
    /// The gateway's program; else the one beside this.
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// Mean milliseconds between two kills.
    #[arg(long, default_value_t = 1_000)]
    kill_every_ms: u64,
    /// Where data of runs that found something stays.
    #[arg(long, default_value = "target/torture")]
    folder: PathBuf,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand)]
enum Mode {
    /// A headless desk.
    #[command(hide = true)]
    Desk(desk::Client),
    /// A customer.
    #[command(hide = true)]
    Customer(desk::Client),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let done = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| match &arguments.mode {
            Some(Mode::Desk(client)) => runtime
                .block_on(desk::live(client.clone(), cast::PASSWORD))
                .map(|()| true),
            Some(Mode::Customer(client)) => runtime.block_on(customer::live(client.clone())).map(|()| true),
            None => runtime.block_on(torture(&arguments)),
        });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("zuoxi-torture: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether something was looked at, and nothing found.
async fn torture(arguments: &Arguments) -> Outcome<bool> {
    let program = std::env::current_exe()?;
    let gateway = arguments
        .gateway
        .clone()
        .unwrap_or_else(|| program.with_file_name("zuoxi-gateway"));
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let mut left = Duration::from_secs_f64((arguments.minutes * 60.0).clamp(5.0, 100_000.0));
    let mut total = Tally::default();
    let mut number = 0;
    while left > Duration::ZERO {
        // A short rest becomes part of the last run.
        let storm = if left.as_secs() < RUN_S * 3 / 2 {
            left
        } else {
            Duration::from_secs(RUN_S)
        };
        left -= storm;
        let folder = arguments.folder.join(format!("{seed}-{number}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let plan = Plan {
            program: program.clone(),
            gateway: gateway.clone(),
            folder: std::path::absolute(&folder)?,
            seed: seed + number,
            storm,
            kill_every: Duration::from_millis(arguments.kill_every_ms),
            small_disk: number % 2 == 1,
        };
        let tally = storm::run(plan).await?;
        println!("seed {}:\n{tally}", seed + number);
        for wrong in tally.findings.wrong().take(50) {
            println!("  {wrong}");
        }
        if tally.findings.clean() {
            std::fs::remove_dir_all(&folder)?;
        } else {
            println!("  (its files: {})", folder.display());
        }
        total.add(tally);
        number += 1;
    }
    println!("\nin all, {number} runs:\n{total}");
    let missing = total.missing();
    if !missing.is_empty() {
        println!("That proves nothing: {}.", missing.join(", "));
    }
    Ok(total.findings.clean() && missing.is_empty())
}
