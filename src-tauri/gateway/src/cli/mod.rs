//! The command line.

mod agent;
mod brand;
mod certificate;
mod doctor;
mod output;
mod serve;
mod team;
mod upkeep;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use zuoxi_gateway::data::DataFolder;
use zuoxi_gateway::settings::{self, Settings};
use zuoxi_gateway::store::SqliteStore;
use zuoxi_rules::record::{Facts, Team};
use zuoxi_rules::store::{Store, Stored};
use zuoxi_wire::Id;

use output::Output;

/// Why a command wasn't done, as a sentence that says what to do.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The gateway of Zuoxi: serves agents' desks and customers' web chats.
#[derive(Debug, Parser)]
#[command(name = "zuoxi-gateway", version, subcommand_required = false)]
pub(crate) struct Arguments {
    /// Folder with everything durable
    #[arg(
        long,
        value_name = "DIR",
        default_value = "zuoxi-data",
        env = "ZUOXI_DATA",
        global = true
    )]
    data: PathBuf,
    /// Configuration file [default: gateway.toml in the data folder, if it is there]
    #[arg(long, value_name = "FILE", env = "ZUOXI_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// One key of the configuration, over file and environment, e.g. --set limits.connections=500
    #[arg(long, value_name = "KEY=VALUE", global = true, value_parser = pair)]
    set: Vec<(String, String)>,
    /// Print the configuration in force, and end
    #[arg(long)]
    print_config: bool,
    /// Tell it as JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C
    Serve(serve::Serve),
    /// Agents: who logs in to a desk
    #[command(subcommand)]
    Agent(agent::Agent),
    /// Teams: agents who share a queue
    #[command(subcommand)]
    Team(team::Team),
    /// Brands: a merchant's web chat
    #[command(subcommand)]
    Brand(brand::Brand),
    /// Write a copy of the database, also while the gateway runs
    Backup {
        /// The copy
        file: PathBuf,
    },
    /// Put a backup in the database's place and give the log a new epoch; the gateway must not run
    Restore {
        /// The copy
        file: PathBuf,
    },
    /// Look at configuration, disk, clock, certificates and database: what is wrong and what to do
    Doctor,
    /// Look whether the database is consistent
    Check,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it is written KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// What every command needs.
pub(crate) struct Place {
    pub(crate) folder: DataFolder,
    pub(crate) output: Output,
    config: Option<PathBuf>,
    set: Vec<(String, String)>,
}

impl Place {
    pub(crate) fn settings(&self, flags: Vec<(String, String)>) -> Result<Settings, Failure> {
        let file = self.settings_file();
        let mut over = self.set.clone();
        over.extend(flags);
        // Variables that aren't text are none of ours.
        let environment =
            std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Ok(Settings::read(&file, self.config.is_some(), environment, &over)?)
    }

    pub(crate) fn settings_file(&self) -> PathBuf {
        self.config
            .clone()
            .unwrap_or_else(|| self.folder.path().join(settings::FILE))
    }

    /// Runs a change of what the administrator sets in one transaction; a running gateway sees it within a second.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut SqliteStore, &Facts) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut store = self.folder.store()?;
        store.begin()?;
        let facts = store.facts()?;
        match change(&mut store, &facts) {
            Ok(done) => {
                store.commit()?;
                Ok(done)
            }
            Err(error) => {
                store.rollback();
                Err(error)
            }
        }
    }

    pub(crate) fn facts(&self) -> Result<Facts, Failure> {
        let facts: Stored<Facts> = self.folder.store()?.facts();
        Ok(facts?)
    }
}

/// Does what the arguments say.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let place = Place {
        folder: DataFolder::open(&arguments.data)?,
        output: Output { json: arguments.json },
        config: arguments.config,
        set: arguments.set,
    };
    if arguments.print_config {
        let flags = match &arguments.command {
            Some(Command::Serve(serve)) => serve.flags(),
            _ => Vec::new(),
        };
        output::text(&place.settings(flags)?.text())?;
        return Ok(ExitCode::SUCCESS);
    }
    let done = |()| ExitCode::SUCCESS;
    match arguments.command {
        Some(Command::Serve(serve)) => serve::run(&place, &serve).map(done),
        Some(Command::Agent(agent)) => agent::run(&place, agent).map(done),
        Some(Command::Team(team)) => team::run(&place, team).map(done),
        Some(Command::Brand(brand)) => brand::run(&place, brand).map(done),
        Some(Command::Backup { file }) => upkeep::backup(&place, &file).map(done),
        Some(Command::Restore { file }) => upkeep::restore(&place, &file).map(done),
        Some(Command::Check) => upkeep::check(&place),
        Some(Command::Doctor) => doctor::run(&place),
        None => Err("what to do? Try `zuoxi-gateway serve`, or --help".into()),
    }
}

/// A fresh id.
pub(crate) fn fresh_id() -> Result<Id, Failure> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|error| format!("no randomness: {error}"))?;
    Ok(Id::v7(zuoxi_gateway::clock::system_ms(), random))
}

/// The team of that name or id.
pub(crate) fn find_team<'a>(facts: &'a Facts, name: &str) -> Result<&'a Team, Failure> {
    let named = |team: &&Team| team.name == name || team.id.to_string() == name;
    facts.teams.iter().find(named).ok_or_else(|| {
        let names: Vec<&str> = facts.teams.iter().map(|team| team.name.as_str()).collect();
        format!(
            "there is no team {name}; there is: {}. Make it with `team add {name}`",
            names.join(", ")
        )
        .into()
    })
}

/// Seconds as milliseconds.
pub(crate) fn ms(seconds: u32) -> u64 {
    u64::from(seconds) * 1000
}
