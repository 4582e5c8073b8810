//! `zuoxi-customers`: simulated customers from the command line.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use zuoxi_customers::report::Report;
use zuoxi_customers::{Plan, run};

/// Simulated customers: they write, read, wait, get impatient, leave and come back.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address of the gateway: host:port, https://… or, on loopback, http://…
    #[arg(long)]
    gateway: String,
    /// Public key of the brand whose chat they open.
    #[arg(long)]
    brand: String,
    /// How many.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    customers: u32,
    /// Messages a second of all of them together.
    #[arg(long, default_value_t = 2.0, value_parser = rate)]
    rate: f64,
    /// The same seed gives the same talks.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ends after so many seconds, once everything is settled (at most 10 s more). Without it: until it is ended.
    #[arg(long)]
    seconds: Option<u64>,
    /// Nobody leaves and nobody waits: a steady load.
    #[arg(long)]
    steady: bool,
    /// Each acknowledged, refused and received entry as a JSON line on standard output.
    #[arg(long)]
    json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate <= 1_000_000.0 => Ok(rate),
        _ => Err("a number above 0, at most 1,000,000".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let plan = Plan {
        gateway: arguments.gateway,
        brand: arguments.brand,
        customers: arguments.customers,
        rate: arguments.rate,
        seed: arguments.seed,
        seconds: arguments.seconds,
        steady: arguments.steady,
    };
    let lines: Option<Box<dyn Write + Send>> = arguments.json.then(|| Box::new(std::io::stdout()) as _);
    let report = Arc::new(Report::new(lines));
    let lived = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(run(&plan, report)).map_err(|error| error.to_string()));
    match lived {
        Ok(counts) => {
            let line = format!(
                "{{\"event\":\"end\",\"acknowledged\":{},\"refused\":{},\"received\":{},\"unsettled\":{},\
                 \"connections\":{},\"log_ins_failed\":{},\"ack_p50_ms\":{},\"ack_p99_ms\":{}}}\n",
                counts.acknowledged,
                counts.refused,
                counts.received,
                counts.unsettled,
                counts.connections,
                counts.log_ins_failed,
                counts.ack_p50_ms,
                counts.ack_p99_ms
            );
            // Nobody may be listening any more.
            let _ = std::io::stdout().write_all(line.as_bytes());
            if counts.unsettled == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "zuoxi-customers: {error}");
            ExitCode::from(2)
        }
    }
}
