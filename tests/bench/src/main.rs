//! How many messages a second the gateway makes durable, beside a bare server in the same run, pair by pair; what an
//! idle connection takes; and what the core alone costs.
// It talks to a terminal.
#![allow(clippy::print_stdout)]

mod bare;
mod core;
mod dialect;
mod figures;
mod glance;
mod idle;
mod link;
mod load;
mod real;
mod reconnect;
mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use figures::{Sample, median, quantile};
use load::Plan;
use server::Server;

/// What stops a run, as a sentence.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
struct Arguments {
    /// The gateway's program.
    #[arg(long, default_value = "target/release/zuoxi-gateway")]
    gateway: PathBuf,
    /// Customers, each on a connection of their own.
    #[arg(long, default_value_t = 100)]
    customers: u32,
    /// Messages that each keeps in flight; both are run if it isn't given: 1 and 8.
    #[arg(long)]
    window: Option<usize>,
    /// Agents who share the customers: as many as a team has for them. With a few, one connection gets more than its
    /// window of unacknowledged pushes holds, and what has no room is told by heads, which this load doesn't pull.
    #[arg(long, default_value_t = 16)]
    agents: u32,
    /// Measured seconds of each run, after 2 s of warm-up.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Pairs of runs: bare, ours, bare, ours …
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Messages' texts, one a line; else made up.
    #[arg(long)]
    texts: Option<PathBuf>,
    /// Folder of the databases: on the disk that counts.
    #[arg(long, default_value = "target")]
    folder: PathBuf,
    /// Connections of the idle measure; 0: none.
    #[arg(long, default_value_t = 5_000)]
    idle: u32,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand)]
enum Mode {
    /// What coming back costs: a desk with 200 conversations, many clients after a restart, a busy conversation.
    Reconnect {
        /// Clients that come back at once.
        #[arg(long, default_value_t = 2_000)]
        clients: usize,
    },
    /// The bare server alone, which the bench starts for itself.
    #[command(hide = true)]
    Bare { database: PathBuf, agents: u32 },
    /// The core alone, its rules and its store, in this process: what a profiler looks at.
    Core {
        /// Messages in all.
        #[arg(long, default_value_t = 100_000)]
        messages: usize,
        /// Messages of each customer in one group commit.
        #[arg(long, default_value_t = 1)]
        each: usize,
    },
}

#[tokio::main]
async fn main() -> Outcome {
    let arguments = Arguments::parse();
    match arguments.mode {
        Some(Mode::Bare { database, agents }) => return bare::serve(&database, agents).await,
        Some(Mode::Reconnect { clients }) => return reconnect::measure(&arguments.gateway, clients).await,
        Some(Mode::Core { messages, each }) => {
            return core::measure(
                &arguments.folder,
                arguments.customers,
                arguments.agents,
                messages,
                each,
                &texts(&arguments)?,
            );
        }
        None => {}
    }
    let texts = texts(&arguments)?;
    let windows = arguments.window.map_or_else(|| vec![1, 8], |window| vec![window]);
    println!(
        "customers × in flight | server | ACKs/s | ACK p50 ms | p99 ms | server CPU s/10 k | load CPU s/10 k | others"
    );
    for window in windows {
        let plan = Plan {
            customers: arguments.customers,
            window,
            agents: arguments.agents,
            time: Duration::from_secs(arguments.seconds),
            texts: texts.clone(),
        };
        let (mut ratios, mut slow) = (Vec::new(), false);
        for _ in 0..arguments.pairs {
            let bare = measure::<bare::Bare>(&arguments, &plan, false).await?;
            let ours = measure::<real::Real>(&arguments, &plan, true).await?;
            ratios.push(ours / bare);
            // Below 60 % of what this class of machine does, a neighbour is at work: such a ratio says nothing.
            slow |= arguments.customers == 100 && bare < if window == 1 { 31_000.0 } else { 126_000.0 };
        }
        print!("{} × {window}: ours ÷ bare: ", plan.customers);
        if slow {
            println!("not told, since the bare server fell below 60 % of its figure on this class of machine");
        } else {
            println!("{:.2}, the median of {} pairs", median(ratios), arguments.pairs);
        }
    }
    if arguments.idle > 0 {
        idle::measure(&arguments.gateway, &arguments.folder, arguments.idle).await?;
    }
    Ok(())
}

async fn measure<D: dialect::Dialect>(arguments: &Arguments, plan: &Plan, real: bool) -> Outcome<f64> {
    let server = if real {
        Server::gateway(&arguments.gateway, &arguments.folder, plan.customers, plan.agents)?
    } else {
        Server::bare(&arguments.folder, plan)?
    };
    let process = server.process();
    let (mut tally, before, after) = load::run::<D, _>(plan.clone(), server.address, || Sample::take(process)).await?;
    drop(server);
    let seconds = (after.at - before.at).as_secs_f64();
    let acks = tally.ack_us.len() as f64;
    let (server_cpu, load_cpu) = (
        after.server_cpu_s - before.server_cpu_s,
        after.load_cpu_s - before.load_cpu_s,
    );
    let others = (after.machine_cpu_s - before.machine_cpu_s - server_cpu - load_cpu) / seconds;
    tally.ack_us.sort_unstable();
    println!(
        "{} × {} | {} | {:.0} | {:.2} | {:.2} | {:.3} | {:.3} | {others:.2} cores, {:.0} MB",
        plan.customers,
        plan.window,
        if real { "zuoxi-gateway" } else { "bare" },
        acks / seconds,
        quantile(&tally.ack_us, 0.50) as f64 / 1_000.0,
        quantile(&tally.ack_us, 0.99) as f64 / 1_000.0,
        server_cpu / acks * 10_000.0,
        load_cpu / acks * 10_000.0,
        after.server_kb / 1_000.0,
    );
    Ok(acks / seconds)
}

/// Texts as given, or made up: 5 to 33 characters, 57 bytes in the mean.
fn texts(arguments: &Arguments) -> Outcome<Arc<[String]>> {
    if let Some(path) = &arguments.texts {
        let all = std::fs::read_to_string(path)?;
        return Ok(all
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect());
    }
    let syllables: Vec<char> =
        "的一是在不了有我这来到时大为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对"
            .chars()
            .collect();
    let mut random = fastrand::Rng::with_seed(7);
    Ok((0..10_000)
        .map(|_| {
            let length = random.usize(5..=33);
            (0..length)
                .filter_map(|_| syllables.get(random.usize(..syllables.len())).copied())
                .collect()
        })
        .collect())
}
