//! `agent add|list|disable|enable|password|avatar|log-out`

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use zuoxi_gateway::{avatar, password};
use zuoxi_rules::record::{self, Facts, Membership, Who};
use zuoxi_rules::store::Store;
use zuoxi_wire::limits;
use zuoxi_wire::v1::Presence;

use super::{Failure, Place, find_team, fresh_id};

/// Where a password is looked for that isn't given on standard input.
const VARIABLE: &str = "ZUOXI_AGENT_PASSWORD";

#[derive(Debug, Subcommand)]
pub(crate) enum Agent {
    /// Make an agent; the password comes from standard input or ZUOXI_AGENT_PASSWORD
    Add(Add),
    /// Show all agents
    List,
    /// An agent may not log in any more; their sessions end
    Disable {
        /// Log-in name
        login: String,
    },
    /// An agent may log in again
    Enable {
        /// Log-in name
        login: String,
    },
    /// End an agent's sessions, on every computer: they log in again with their password
    LogOut {
        /// Log-in name
        login: String,
    },
    /// Give an agent a public picture, which customers see beside their words, or take it away
    Avatar {
        /// Log-in name
        login: String,
        #[command(flatten)]
        picture: Picture,
    },
    /// Give an agent a new password, and end their sessions
    Password {
        /// Log-in name
        login: String,
        /// Read the password from standard input, up to the first line's end
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Picture {
    /// PNG, JPEG or WebP, at most 128 KiB
    #[arg(long, value_name = "PICTURE")]
    file: Option<PathBuf>,
    /// No picture: their name's first sign is shown
    #[arg(long)]
    none: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Log-in name
    login: String,
    /// Public display name [default: the log-in name]
    #[arg(long)]
    name: Option<String>,
    /// A team, by name; may be given several times
    #[arg(long)]
    team: Vec<String>,
    /// Leads these teams: may assign what they have
    #[arg(long)]
    lead: bool,
    /// Open conversations that routing gives at most
    #[arg(long, default_value_t = 8)]
    capacity: u32,
    /// Read the password from standard input, up to the first line's end
    #[arg(long)]
    password_stdin: bool,
}

pub(crate) fn run(place: &Place, command: Agent) -> Result<(), Failure> {
    match command {
        Agent::Add(add) => make(place, &add),
        Agent::List => {
            let facts = place.facts()?;
            facts.agents.iter().try_for_each(|agent| tell(place, &facts, agent))
        }
        Agent::Disable { login } => disable(place, &login, true),
        Agent::Enable { login } => disable(place, &login, false),
        Agent::LogOut { login } => place.change(|store, facts| {
            let agent = find(facts, &login)?;
            Ok(store.remove_sessions(Who::Agent(agent.id), None)?)
        }),
        Agent::Avatar { login, picture } => set_avatar(place, &login, picture.file.as_deref()),
        Agent::Password { login, password_stdin } => {
            let hash = hash(&read_password(password_stdin)?)?;
            place.change(|store, facts| {
                let agent = find(facts, &login)?;
                store.put_password(agent.id, &hash)?;
                Ok(store.remove_sessions(Who::Agent(agent.id), None)?)
            })
        }
    }
}

fn make(place: &Place, add: &Add) -> Result<(), Failure> {
    if add.login.is_empty() || add.login.len() as u64 > limits::LOGIN_BYTES || add.login.contains(char::is_whitespace) {
        return Err(format!("a log-in name has 1 to {} bytes and no spaces", limits::LOGIN_BYTES).into());
    }
    if place.facts()?.agents.iter().any(|agent| agent.login == add.login) {
        return Err(format!(
            "there is an agent {} already; see `agent password` and `agent disable`",
            add.login
        )
        .into());
    }
    let hash = hash(&read_password(add.password_stdin)?)?;
    let fresh = fresh_id()?;
    let (facts, agent) = place.change(|store, facts| {
        let mut teams = Vec::new();
        for name in &add.team {
            teams.push(Membership {
                team: find_team(facts, name)?.id,
                lead: add.lead,
            });
        }
        teams.sort_unstable();
        teams.dedup();
        let agent = record::Agent {
            id: fresh,
            login: add.login.clone(),
            name: add.name.clone().unwrap_or_else(|| add.login.clone()),
            capacity: add.capacity,
            password_hash: hash,
            disabled: false,
            presence: Presence::Online,
            teams,
        };
        store.put_agent(&agent)?;
        Ok((facts.clone(), agent))
    })?;
    tell(place, &facts, &agent)
}

fn disable(place: &Place, login: &str, disabled: bool) -> Result<(), Failure> {
    place.change(|store, facts| {
        let mut agent = find(facts, login)?.clone();
        agent.disabled = disabled;
        store.put_agent(&agent)?;
        if disabled {
            store.remove_sessions(Who::Agent(agent.id), None)?;
        }
        Ok(())
    })
}

/// The file is read before the transaction: a slow one must not hold the gateway up.
fn set_avatar(place: &Place, login: &str, file: Option<&Path>) -> Result<(), Failure> {
    let agent = find(&place.facts()?, login)?.id;
    let picture = file.map(|file| avatar::read(agent, file)).transpose()?;
    place.change(|store, _| {
        match picture {
            Some(picture) => store.put_avatar(&picture)?,
            None => store.remove_avatar(agent)?,
        }
        Ok(())
    })
}

fn find<'a>(facts: &'a Facts, login: &str) -> Result<&'a record::Agent, Failure> {
    let found = facts.agents.iter().find(|agent| agent.login == login);
    found.ok_or_else(|| format!("there is no agent {login}; `agent list` shows them all").into())
}

/// Never from the command line, where every process could read it.
fn read_password(stdin: bool) -> Result<String, Failure> {
    let mut text = String::new();
    if stdin {
        std::io::stdin().take(64 * 1024).read_to_string(&mut text)?;
        text.truncate(text.find(['\r', '\n']).unwrap_or(text.len()));
    } else {
        text = std::env::var(VARIABLE)
            .map_err(|_| format!("give the password with --password-stdin, or in {VARIABLE}"))?;
    }
    let bytes = text.len() as u64;
    if !(limits::PASSWORD_MIN_BYTES..=limits::PASSWORD_BYTES).contains(&bytes) {
        let (least, most) = (limits::PASSWORD_MIN_BYTES, limits::PASSWORD_BYTES);
        return Err(format!("a password has {least} to {most} bytes").into());
    }
    Ok(text)
}

fn hash(text: &str) -> Result<String, Failure> {
    password::hash(text).ok_or_else(|| "the password could not be hashed: is there memory left?".into())
}

fn tell(place: &Place, facts: &Facts, agent: &record::Agent) -> Result<(), Failure> {
    let name_of = |membership: &Membership| {
        let team = facts.teams.iter().find(|team| team.id == membership.team);
        team.map_or_else(|| membership.team.to_string(), |team| team.name.clone())
    };
    let teams: Vec<String> = agent.teams.iter().map(name_of).collect();
    let lead = agent.teams.iter().any(|membership| membership.lead);
    let mut line = format!("{}  {}  {}  {}", agent.id, agent.login, agent.name, teams.join(", "));
    if agent.disabled {
        line.push_str("  (disabled)");
    }
    let value = json!({
        "id": agent.id.to_string(),
        "login": agent.login,
        "name": agent.name,
        "capacity": agent.capacity,
        "disabled": agent.disabled,
        "lead": lead,
        "teams": teams,
    });
    Ok(place.output.tell(&line, &value)?)
}
