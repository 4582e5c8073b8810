//! Brands, teams and agents, as the administrator set them.

use std::collections::BTreeMap;

use zuoxi_wire::Id;

use crate::record::{Agent, Brand, Facts, Membership, Team};

/// The facts, by id.
#[derive(Debug, Default)]
pub(crate) struct People {
    pub(crate) brands: BTreeMap<Id, Brand>,
    pub(crate) teams: BTreeMap<Id, Team>,
    pub(crate) agents: BTreeMap<Id, Agent>,
}

impl People {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            brands: facts.brands.into_iter().map(|brand| (brand.id, brand)).collect(),
            teams: facts.teams.into_iter().map(|team| (team.id, team)).collect(),
            agents: facts.agents.into_iter().map(|agent| (agent.id, agent)).collect(),
        }
    }

    pub(crate) fn brand_by_key(&self, key: &str) -> Option<&Brand> {
        self.brands.values().find(|brand| brand.key == key)
    }

    pub(crate) fn agent_by_login(&self, login: &str) -> Option<&Agent> {
        self.agents.values().find(|agent| agent.login == login)
    }

    /// Agents of a team who may log in.
    pub(crate) fn members(&self, team: Id) -> impl Iterator<Item = &Agent> {
        self.agents
            .values()
            .filter(move |agent| !agent.disabled && agent.teams.iter().any(|m| m.team == team))
    }

    pub(crate) fn membership(&self, agent: Id, team: Id) -> Option<Membership> {
        self.agents.get(&agent)?.teams.iter().find(|m| m.team == team).copied()
    }

    pub(crate) fn agent_name(&self, agent: Id) -> String {
        self.agents
            .get(&agent)
            .map(|agent| agent.name.clone())
            .unwrap_or_default()
    }

    pub(crate) fn team_name(&self, team: Id) -> String {
        self.teams.get(&team).map(|team| team.name.clone()).unwrap_or_default()
    }
}
