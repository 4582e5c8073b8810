//! Routing at work: new conversations, the queue, agents who go away, and what lies idle.

use std::collections::BTreeSet;

use zuoxi_wire::Id;
use zuoxi_wire::v1::{AssignmentReason, CloseReason, Presence, Status};

use crate::change::{Assignment, Author, Change};
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::{Effect, Group};
use crate::record::{Conversation, Position, Team, Who};
use crate::routing::{self, Candidate};
use crate::store::Stored;
use crate::timer::Timer;

/// Idle conversations closed in one group: the rest follow in the next.
const CLOSED_AT_ONCE: usize = 256;

/// Why a conversation is placed anew, and by whom.
pub(crate) struct Placing<'a> {
    pub(crate) by: &'a Author,
    /// Who shall not get it.
    pub(crate) except: Option<Id>,
    /// Told instead of routing's own reason.
    pub(crate) reason: Option<AssignmentReason>,
}

impl Gateway {
    /// Agents of a team with a device connected.
    fn candidates(&self, team: Id, except: Option<Id>) -> Vec<Candidate> {
        let members = self.people.members(team).filter(|agent| Some(agent.id) != except);
        members
            .filter(|agent| self.is_connected(Who::Agent(agent.id)))
            .map(|agent| Candidate {
                agent: agent.id,
                takes: agent.presence == Presence::Online,
                open: self.board.load(agent.id),
                capacity: agent.capacity,
            })
            .collect()
    }

    /// Whether anybody of a team has a device connected.
    pub(crate) fn is_anybody_there(&self, team: Id) -> bool {
        self.people
            .members(team)
            .any(|agent| self.is_connected(Who::Agent(agent.id)))
    }

    pub(crate) fn team_of(&self, team: Id) -> (Id, String) {
        (team, self.people.team_name(team))
    }

    /// Gives a conversation to somebody of its team, or to the queue.
    pub(crate) fn place(&mut self, group: &mut Group<'_>, change: &mut Change, placing: &Placing<'_>) -> Stored<()> {
        let team = change.after.team;
        let candidates = self.candidates(team, placing.except);
        let decided = routing::choose(&candidates, change.after.last_agent);
        let (agent, reason) = match decided {
            Ok((agent, reason)) => (Some(agent), reason),
            Err(reason) => (None, reason),
        };
        let reason = placing.reason.unwrap_or(reason);
        self.assign(group, change, agent, reason, placing.by)
    }

    /// Gives what was just queued to somebody who has room, if there is one.
    pub(crate) fn give_if_room(
        &mut self,
        group: &mut Group<'_>,
        change: &mut Change,
        except: Option<Id>,
    ) -> Stored<()> {
        let candidates = self.candidates(change.after.team, except);
        match routing::choose(&candidates, None) {
            Ok((agent, reason)) => self.assign(group, change, Some(agent), reason, &Author::gateway()),
            Err(_) => Ok(()),
        }
    }

    /// An assignment that no act made.
    fn assign(
        &mut self,
        group: &mut Group<'_>,
        change: &mut Change,
        agent: Option<Id>,
        reason: AssignmentReason,
        by: &Author,
    ) -> Stored<()> {
        let ids = [self.entropy.id(self.now_ms), self.entropy.id(self.now_ms)];
        let team = self.team_of(change.after.team);
        let named = agent.map(|agent| (agent, self.people.agent_name(agent)));
        if let Some(agent) = agent {
            begin_reading(group, change, agent)?;
        }
        change.assign(Assignment {
            ids,
            fingerprint: None,
            agent: named,
            team,
            reason,
            words: "",
            by,
        });
        Ok(())
    }

    /// An agent may have got room: their teams' queues are looked at.
    pub(crate) fn room_of(&mut self, agent: Id) {
        if let Some(agent) = self.people.agents.get(&agent) {
            self.free.extend(agent.teams.iter().map(|membership| membership.team));
        }
    }

    /// Hands out what waits, in order of arrival, while somebody has room.
    pub(crate) fn hand_out(&mut self, group: &mut Group<'_>) {
        if self.board_doubted {
            return;
        }
        for team in std::mem::take(&mut self.free) {
            group.effects.push(Effect::HandedOut(team));
            while let Some(first) = self.board.first(team) {
                let handed = self.hand_out_one(group, team, first);
                if let Err(error) = &handed {
                    tracing::warn!(%error, "the queue can't be handed out");
                    self.free.insert(team);
                }
                if handed != Ok(true) {
                    break;
                }
            }
        }
    }

    fn hand_out_one(&mut self, group: &mut Group<'_>, team: Id, id: Id) -> Stored<bool> {
        group.usable()?;
        let Some(conversation) = group.conversation(id)? else {
            self.board.set(id, None);
            return Ok(true);
        };
        if conversation.status != Status::Queued || conversation.team != team {
            // Another node was faster.
            self.board.set(id, Some(conversation.stand()));
            return Ok(true);
        }
        let candidates = self.candidates(team, None);
        let Ok((agent, _)) = routing::choose(&candidates, conversation.last_agent) else {
            return Ok(false);
        };
        let mut change = Change::of(&conversation, self.now_ms);
        self.assign(
            group,
            &mut change,
            Some(agent),
            AssignmentReason::FromQueue,
            &Author::gateway(),
        )?;
        self.apply(group, change, None)?;
        Ok(true)
    }

    /// After a start nobody is connected: the grace time of all who serve begins.
    pub(crate) fn everybody_is_away(&mut self) {
        let serving: Vec<Id> = self
            .board
            .serving()
            .filter(|agent| !self.is_connected(Who::Agent(*agent)))
            .collect();
        for agent in serving {
            self.went_away(agent);
        }
    }

    /// The last device of an agent is gone.
    pub(crate) fn went_away(&mut self, agent: Id) {
        self.away.insert(agent, self.now_ms);
        self.timers.set(self.now_ms + self.shortest_grace_ms(), Timer::Grace);
    }

    fn shortest_grace_ms(&self) -> u64 {
        self.people.teams.values().map(|team| team.grace_ms).min().unwrap_or(0)
    }

    /// Conversations of agents who stayed away go to others.
    pub(crate) fn grace_ends(&mut self, group: &mut Group<'_>) {
        let mut next = u64::MAX;
        for (agent, since) in self.away.clone() {
            let mut left = false;
            for id in self.board.open(agent).collect::<Vec<_>>() {
                let due = match group.usable().and_then(|()| group.conversation(id)) {
                    Ok(Some(conversation)) => since + self.team(&conversation).map_or(0, |team| team.grace_ms),
                    Ok(None) => continue,
                    Err(_) => self.now_ms + u64::from(RETRY_MS),
                };
                if due <= self.now_ms && self.take_from(group, id, agent) == Ok(true) {
                    continue;
                }
                left = true;
                next = next.min(due.max(self.now_ms + u64::from(RETRY_MS)));
            }
            if !left {
                group.effects.push(Effect::Relieved(agent));
            }
        }
        if next < u64::MAX {
            self.timers.set(next, Timer::Grace);
        }
    }

    /// False: it isn't theirs, whatever the board said.
    fn take_from(&mut self, group: &mut Group<'_>, id: Id, agent: Id) -> Stored<bool> {
        let Some(conversation) = group.conversation(id)? else {
            return Ok(true);
        };
        if conversation.assignee() != Some(agent) {
            self.board.set(id, Some(conversation.stand()));
            return Ok(false);
        }
        let mut change = Change::of(&conversation, self.now_ms);
        let by = Author::gateway();
        let placing = Placing {
            by: &by,
            except: Some(agent),
            reason: Some(AssignmentReason::AgentAway),
        };
        self.place(group, &mut change, &placing)?;
        self.apply(group, change, None)?;
        Ok(true)
    }

    pub(crate) fn team(&self, conversation: &Conversation) -> Option<&Team> {
        self.people.teams.get(&conversation.team)
    }

    /// When the next conversation has been idle for its team's time.
    pub(crate) fn next_idle_ms(&self) -> Option<u64> {
        let timed = self.people.teams.values().filter(|team| team.idle_ms > 0);
        timed
            .filter_map(|team| self.board.idlest(team.id).map(|(since, _)| since + team.idle_ms))
            .min()
    }

    /// Closes open conversations in which nobody wrote for their team's time.
    pub(crate) fn close_idle(&mut self, group: &mut Group<'_>) {
        let teams: Vec<(Id, u64)> = self
            .people
            .teams
            .values()
            .filter(|team| team.idle_ms > 0)
            .map(|team| (team.id, team.idle_ms))
            .collect();
        for (team, idle_ms) in teams {
            let mut seen = BTreeSet::new();
            for _ in 0..CLOSED_AT_ONCE {
                let Some((since, id)) = self.board.idlest(team) else {
                    break;
                };
                if since + idle_ms > self.now_ms || !seen.insert(id) {
                    break;
                }
                if let Err(error) = self.close_one(group, id, since) {
                    tracing::warn!(%error, conversation = %id, "an idle conversation can't be closed");
                    break;
                }
            }
        }
    }

    fn close_one(&mut self, group: &mut Group<'_>, id: Id, since_ms: u64) -> Stored<()> {
        group.usable()?;
        let Some(conversation) = group.conversation(id)? else {
            return Ok(());
        };
        if conversation.status != Status::Open || conversation.public_ms != since_ms {
            self.board.set(id, Some(conversation.stand()));
            return Ok(());
        }
        let visit = group.store.visits(id, 1)?.pop();
        let mut change = Change::of(&conversation, self.now_ms);
        let entry = self.entropy.id(self.now_ms);
        change.close(&Author::gateway(), entry, None, CloseReason::Idle, visit);
        self.apply(group, change, None)
    }
}

/// Whoever gets a conversation has what they read earlier, and at least all before what waits for an answer: history
/// is not news.
pub(crate) fn begin_reading(group: &mut Group<'_>, change: &mut Change, agent: Id) -> Stored<()> {
    let after = &mut change.after;
    let who = Who::Agent(agent);
    let waiting = after.status != Status::Closed && after.waiting_seq > 0;
    let from = if waiting { after.waiting_seq - 1 } else { after.head };
    let positions = if change.before.is_some() {
        group.store.positions(after.id)?
    } else {
        Vec::new()
    };
    let old = positions.into_iter().find(|position| position.who == who);
    let read = old.map_or(0, |old| old.read).max(from);
    let delivered = old.map_or(0, |old| old.delivered).max(read);
    change.positions.push(Position {
        conversation: after.id,
        who,
        delivered,
        read,
    });
    let counted = change
        .entries
        .iter()
        .find(|entry| entry.seq == read)
        .map(|entry| entry.customer_messages);
    let counted = match counted {
        Some(counted) => counted,
        None if read == 0 => 0,
        None => group
            .store
            .entry(after.id, read)?
            .map_or(after.customer_messages, |entry| entry.customer_messages),
    };
    after.unread = u32::try_from(after.customer_messages.saturating_sub(counted)).unwrap_or(u32::MAX);
    Ok(())
}
