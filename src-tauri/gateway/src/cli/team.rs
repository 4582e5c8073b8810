//! `team add|list`

use clap::Subcommand;
use serde_json::json;
use zuoxi_rules::record;
use zuoxi_rules::store::Store;
use zuoxi_wire::limits;

use super::{Failure, Place, fresh_id, ms};

#[derive(Debug, Subcommand)]
pub(crate) enum Team {
    /// Make a team, or set one anew that has this name
    Add {
        /// Its name
        name: String,
        /// Target for the first answer, seconds; 0: none
        #[arg(long, default_value_t = 60)]
        first_response: u32,
        /// Target for further answers, seconds; 0: none
        #[arg(long, default_value_t = 120)]
        next_response: u32,
        /// Close what is open when nobody wrote for so long, seconds; 0: never
        #[arg(long, default_value_t = 3_600)]
        idle: u32,
        /// Refuse a reply that is older than this if another agent answered meanwhile, seconds; 0: never
        #[arg(long, default_value_t = (limits::STALE_MS / 1000) as u32)]
        stale: u32,
        /// An agent who goes offline keeps their conversations for so long, seconds
        #[arg(long, default_value_t = 120)]
        grace: u32,
    },
    /// Show all teams
    List,
}

pub(crate) fn run(place: &Place, command: Team) -> Result<(), Failure> {
    match command {
        Team::Add {
            name,
            first_response,
            next_response,
            idle,
            stale,
            grace,
        } => {
            if name.trim().is_empty() {
                return Err("a team has a name".into());
            }
            let fresh = fresh_id()?;
            let team = place.change(|store, facts| {
                let there = facts.teams.iter().find(|team| team.name == name);
                let team = record::Team {
                    id: there.map_or(fresh, |team| team.id),
                    name: name.clone(),
                    first_response_ms: ms(first_response),
                    next_response_ms: ms(next_response),
                    idle_ms: ms(idle),
                    stale_ms: ms(stale),
                    grace_ms: ms(grace),
                };
                store.put_team(&team)?;
                Ok(team)
            })?;
            tell(place, &team)
        }
        Team::List => place.facts()?.teams.iter().try_for_each(|team| tell(place, team)),
    }
}

fn tell(place: &Place, team: &record::Team) -> Result<(), Failure> {
    let line = format!("{}  {}", team.id, team.name);
    let value = json!({
        "id": team.id.to_string(),
        "name": team.name,
        "first_response_ms": team.first_response_ms,
        "next_response_ms": team.next_response_ms,
        "idle_ms": team.idle_ms,
        "stale_ms": team.stale_ms,
        "grace_ms": team.grace_ms,
    });
    Ok(place.output.tell(&line, &value)?)
}
