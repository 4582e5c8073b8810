//! Heartbeats, and what a customer is told of their conversation's state.

use zuoxi_wire::v1::{CustomerState, FeedPoint, Heartbeat, LogPoint, Status, customer_state::Stage, gateway_frame};
use zuoxi_wire::{Id, limits};

use crate::connection::Session;
use crate::event::ConnectionId;
use crate::gateway::Gateway;
use crate::group::Group;
use crate::planted::{self, Fault};
use crate::record::{Conversation, Feed, Who};
use crate::rights;
use crate::store::Stored;
use crate::wording::{self, Reader};

impl Gateway {
    /// Feeds of an agent: their own and those of their teams.
    pub(crate) fn feeds_of(&self, agent: Id) -> Vec<Feed> {
        let teams = self
            .people
            .agents
            .get(&agent)
            .map(|agent| agent.teams.as_slice())
            .unwrap_or_default();
        std::iter::once(Feed::Agent(agent))
            .chain(teams.iter().map(|membership| Feed::Team(membership.team)))
            .collect()
    }

    /// What can be proven now: read from the store.
    pub(crate) fn heartbeat(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        session: Session,
    ) -> Stored<Heartbeat> {
        let mut beat = Heartbeat {
            epoch: self.epoch,
            time_ms: self.now_ms,
            ..Heartbeat::default()
        };
        match session.who {
            Who::Agent(agent) => {
                for feed in self.feeds_of(agent) {
                    if let Some(state) = group.store.feed(feed)? {
                        let feed = Some(wording::feed_id(feed));
                        beat.feeds.push(FeedPoint {
                            feed,
                            feed_epoch: state.epoch,
                            revision: state.revision,
                        });
                    }
                }
                let watches = self
                    .connections
                    .get(&connection)
                    .map(|known| known.watches.clone())
                    .unwrap_or_default();
                for id in watches {
                    let conversation = group.conversation(id)?;
                    match conversation.filter(|c| rights::part(&self.people, session.who, c).watches()) {
                        Some(conversation) => beat.watched.push(point(&conversation, Reader::Agent)),
                        None => self.stop_watching(connection, id),
                    }
                }
            }
            Who::Customer(_) => {
                if let Some(own) = session.own
                    && let Some(conversation) = group.conversation(own)?
                {
                    beat.own = Some(point(&conversation, Reader::Customer));
                }
            }
        }
        Ok(beat)
    }

    pub(crate) fn beat(&mut self, group: &mut Group<'_>, connection: ConnectionId, request: u32, session: Session) {
        // Asked for, at most one a second is answered; our own (request 0) always leave.
        if let Some(known) = self.connections.get_mut(&connection)
            && request != 0
        {
            if known.asked_heartbeat_ms + 1_000 > self.now_ms && known.asked_heartbeat_ms > 0 {
                return;
            }
            known.asked_heartbeat_ms = self.now_ms;
        }
        match self.heartbeat(group, connection, session) {
            Ok(beat) => group
                .mail
                .say(connection, request, gateway_frame::Kind::Heartbeat(beat)),
            // A missed heartbeat takes "up to date" back, and that is all it says.
            Err(error) => tracing::warn!(%error, "no heartbeat"),
        }
    }

    /// What a customer of this team is told who has no conversation yet.
    pub(crate) fn state_of_new(&self, team: Id) -> CustomerState {
        CustomerState {
            stage: Stage::New.into(),
            floor: 1,
            reply_minutes: self.reply_minutes(team),
            ..CustomerState::default()
        }
    }

    fn reply_minutes(&self, team: Id) -> u32 {
        if self.is_anybody_there(team) {
            self.replies.minutes(team)
        } else {
            0
        }
    }

    /// The stage of a customer's conversation.
    pub(crate) fn state_of(&self, conversation: &Conversation) -> CustomerState {
        let mut state = CustomerState {
            conversation: conversation.id.to_bytes(),
            head: conversation.public_head,
            floor: conversation.public_floor,
            ..CustomerState::default()
        };
        let stage = match conversation.status {
            _ if conversation.linked_to.is_some() => Stage::Linked,
            Status::Open => {
                let agent = conversation.assignee().unwrap_or_default();
                state.agent = agent.to_bytes();
                state.agent_name = self.people.agent_name(agent);
                state.reply_minutes = self.reply_minutes(conversation.team);
                Stage::Served
            }
            Status::Queued => {
                state.ahead = self.board.ahead(conversation);
                state.reply_minutes = self.reply_minutes(conversation.team);
                self.stage_of_queue(conversation.team)
            }
            Status::Closed | Status::Unspecified => Stage::Closed,
        };
        state.stage = stage.into();
        state
    }

    fn stage_of_queue(&self, team: Id) -> Stage {
        if self.is_anybody_there(team) {
            Stage::Queued
        } else {
            Stage::NobodyOnline
        }
    }

    /// Who waits in this team and was told something else than what holds now. Asks memory alone, since all who wait are
    /// looked at.
    pub(crate) fn queue_news(&self, team: Id) -> Vec<Id> {
        let stage = self.stage_of_queue(team);
        let differs = |told: &CustomerState, ahead| told.ahead != ahead || told.stage() != stage;
        let mut news = Vec::new();
        for (place, id) in self.board.queue(team).enumerate() {
            let ahead = (place as u64).min(limits::QUEUE_AHEAD) as u32;
            let customer = self.owners.get(&id);
            let here = customer.and_then(|customer| self.customers.get(customer));
            let mut told = here.into_iter().flatten().filter_map(|connection| {
                let known = self.connections.get(connection)?;
                Some(known.told.as_ref())
            });
            if told.any(|told| told.is_none_or(|told| differs(told, ahead))) {
                news.push(id);
            }
        }
        news
    }

    /// Tells customers what changed of their conversation's state; a note or a message changes nothing of it. How long
    /// answers take goes along, and is no reason to tell.
    pub(crate) fn tell_customers(&mut self, group: &mut Group<'_>) {
        for id in std::mem::take(&mut group.stirred) {
            let Some(customer) = self.owners.get(&id).copied() else {
                continue;
            };
            let Ok(Some(conversation)) = group.conversation(id) else {
                continue;
            };
            let state = self.state_of(&conversation);
            let beside = |state: &CustomerState| CustomerState {
                head: 0,
                floor: 0,
                reply_minutes: 0,
                ..state.clone()
            };
            for connection in self.customers.get(&customer).cloned().unwrap_or_default() {
                let Some(known) = self.connections.get_mut(&connection) else {
                    continue;
                };
                if known.told.as_ref().map(beside) != Some(beside(&state)) {
                    known.told = Some(state.clone());
                    group
                        .mail
                        .say(connection, 0, gateway_frame::Kind::CustomerState(state.clone()));
                }
            }
        }
    }
}

pub(crate) fn point(conversation: &Conversation, reader: Reader) -> LogPoint {
    LogPoint {
        conversation: conversation.id.to_bytes(),
        head: if planted::has(Fault::CustomersCountMovesWithNote) {
            conversation.head
        } else {
            reader.head(conversation)
        },
        floor: reader.floor(conversation),
    }
}

/// Interval that devices are told.
pub(crate) const HEARTBEAT_MS: u32 = limits::HEARTBEAT_MS as u32;
