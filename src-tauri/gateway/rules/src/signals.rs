//! What is worth nothing a second later: typing, pages, presence; and who is there.

use zuoxi_wire::v1::{
    Done, Presence, PresenceMove, PresenceMoves, ProblemCode, Signal, Status, gateway_frame, going_away, signal,
};
use zuoxi_wire::{Id, limits};

use crate::bus::{Subject, To};
use crate::connection::{Session, Stage, cut, id_of};
use crate::event::ConnectionId;
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::{Effect, Group, Leaving};
use crate::load::Level;
use crate::record::{Conversation, Who};
use crate::rights::{self, Part};
use crate::timer::Timer;
use crate::wording::{self, problem};

impl Gateway {
    /// Typing and pages reach the other side only.
    pub(crate) fn signal(&mut self, group: &mut Group<'_>, connection: ConnectionId, session: Session, said: Signal) {
        if let (Who::Customer(_), Some(signal::Kind::PageUrl(url))) = (session.who, &said.kind) {
            self.is_on_page(connection, url);
        }
        if self.sheds(Level::Signals) {
            self.shed.signals += 1;
            return;
        }
        let Some(id) = session.own.or_else(|| id_of(&said.conversation)) else {
            return;
        };
        let Ok(Some(conversation)) = group.conversation(id) else {
            return;
        };
        let part = rights::part(&self.people, session.who, &conversation);
        let kind = match (part, said.kind) {
            (Part::Customer, Some(signal::Kind::PageUrl(url))) => signal::Kind::PageUrl(cut(&url, limits::URL_BYTES)),
            (Part::Customer | Part::Holder, Some(signal::Kind::Typing(typing)))
                if conversation.status != Status::Closed =>
            {
                if typing {
                    let until = self.now_ms + limits::TYPING_MS;
                    self.typing.insert((id, session.who), until);
                    self.timers.set(until, Timer::Typing);
                } else {
                    self.typing.remove(&(id, session.who));
                }
                signal::Kind::Typing(typing)
            }
            _ => return,
        };
        self.pass_on(group, &conversation, session.who, kind);
    }

    /// Kept also when it isn't told: whoever looks at the customer later sees it.
    fn is_on_page(&mut self, connection: ConnectionId, url: &str) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.page_url = Some(cut(url, limits::URL_BYTES));
        }
    }

    fn pass_on(&mut self, group: &mut Group<'_>, conversation: &Conversation, who: Who, kind: signal::Kind) {
        let said = gateway_frame::Kind::Signal(Signal {
            conversation: conversation.id.to_bytes(),
            member: who.id().to_bytes(),
            role: wording::role(who).into(),
            kind: Some(kind),
        });
        match who {
            Who::Customer(_) => {
                if let Some(agent) = conversation.assignee() {
                    self.say_to(group, To::Agent(agent), &said);
                }
                self.say_to(group, To::Watchers(conversation.id), &said);
            }
            Who::Agent(_) => self.say_to(group, To::Customer(conversation.customer), &said),
        }
    }

    /// What was typed was sent: the message itself tells it.
    pub(crate) fn typed(&mut self, conversation: Id, who: Who) {
        self.typing.remove(&(conversation, who));
    }

    pub(crate) fn end_typing(&mut self, group: &mut Group<'_>) {
        let now = self.now_ms;
        let over: Vec<(Id, Who)> = self
            .typing
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(key, _)| *key)
            .collect();
        for (id, who) in over {
            self.stop_typing(group, id, who);
        }
    }

    fn stop_typing(&mut self, group: &mut Group<'_>, id: Id, who: Who) {
        if self.typing.remove(&(id, who)).is_some()
            && let Ok(Some(conversation)) = group.conversation(id)
        {
            self.pass_on(group, &conversation, who, signal::Kind::Typing(false));
        }
    }

    // ---- presence ----------------------------------------------------------------------------------------------

    /// What others see of an agent.
    pub(crate) fn presence_of(&self, agent: Id) -> Presence {
        match self.people.agents.get(&agent) {
            Some(known) if self.is_connected(Who::Agent(agent)) => known.presence,
            _ => Presence::Offline,
        }
    }

    /// Colleagues see it, and those who wait learn whether anybody is there.
    pub(crate) fn agent_moved(&mut self, group: &mut Group<'_>, agent: Id) {
        self.tell_agent(group, agent);
        let teams: Vec<Id> = match self.people.agents.get(&agent) {
            Some(known) => known.teams.iter().map(|membership| membership.team).collect(),
            None => Vec::new(),
        };
        for team in teams {
            self.queue_moved(team);
        }
        if self.presence_of(agent) == Presence::Online {
            self.room_of(agent);
        }
    }

    /// Whoever serves a customer sees whether a page of theirs is open.
    pub(crate) fn customer_moved(&mut self, group: &mut Group<'_>, customer: Id, own: Option<Id>) {
        if self.sheds(Level::Signals) {
            return self.leave_unsaid(Who::Customer(customer), own);
        }
        let own = own.or_else(|| Some(group.store.customer(customer).ok()??.conversation));
        let Some(Ok(Some(conversation))) = own.map(|own| group.conversation(own)) else {
            return;
        };
        let Some(agent) = conversation.assignee() else { return };
        let online = if self.is_connected(Who::Customer(customer)) {
            Presence::Online
        } else {
            Presence::Offline
        };
        // Each node tells its own.
        self.say_here(group, To::Agent(agent), &presence_move(customer, online));
    }

    // ---- coming and going --------------------------------------------------------------------------------------

    /// Takes a connection out of everything that speaks to it.
    pub(crate) fn leave(&mut self, group: &mut Group<'_>, connection: ConnectionId) {
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        let session = known.session();
        known.stage = Stage::Ended;
        for conversation in std::mem::take(&mut known.watches) {
            self.unlist_watcher(connection, conversation);
        }
        let Some(session) = session else { return };
        self.leave_identity(group, connection, session);
    }

    pub(crate) fn leave_identity(&mut self, group: &mut Group<'_>, connection: ConnectionId, session: Session) {
        let index = match session.who {
            Who::Agent(_) => &mut self.agents,
            Who::Customer(_) => &mut self.customers,
        };
        let id = session.who.id();
        let last = index
            .get_mut(&id)
            .is_some_and(|connections| connections.remove(&connection) && connections.is_empty());
        if !last {
            return;
        }
        index.remove(&id);
        self.tell_connected(session.who, false);
        let typed: Vec<Id> = self
            .typing
            .keys()
            .filter(|(_, who)| *who == session.who)
            .map(|(conversation, _)| *conversation)
            .collect();
        for conversation in typed {
            self.stop_typing(group, conversation, session.who);
        }
        match session.who {
            Who::Agent(agent) => {
                if !self.is_connected(session.who) {
                    self.went_away(agent);
                }
                self.agent_moved(group, agent);
            }
            Who::Customer(customer) => {
                if let Some(own) = session.own {
                    self.owners.remove(&own);
                }
                self.customer_moved(group, customer, session.own);
            }
        }
    }

    pub(crate) fn stop_watching(&mut self, connection: ConnectionId, conversation: Id) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.watches.remove(&conversation);
        }
        self.unlist_watcher(connection, conversation);
    }

    fn unlist_watcher(&mut self, connection: ConnectionId, conversation: Id) {
        if let Some(watchers) = self.watchers.get_mut(&conversation) {
            watchers.remove(&connection);
            if watchers.is_empty() {
                self.watchers.remove(&conversation);
                self.bus.unfollow(Subject::Conversation(conversation));
            }
        }
    }

    /// Ends the watches of those agents for whom `ends` holds.
    pub(crate) fn nobody_watches(&mut self, conversation: Id, ends: impl Fn(Id) -> bool) {
        let Some(watchers) = self.watchers.get(&conversation) else {
            return;
        };
        let ended: Vec<ConnectionId> = watchers
            .iter()
            .filter(
                |connection| match self.session(**connection).map(|session| session.who) {
                    Some(Who::Agent(agent)) => ends(agent),
                    _ => true,
                },
            )
            .copied()
            .collect();
        for connection in ended {
            self.stop_watching(connection, conversation);
        }
    }

    /// All devices of somebody but one are logged out.
    pub(crate) fn end_sessions(&mut self, group: &mut Group<'_>, who: Who, keep: Option<ConnectionId>) {
        let index = match who {
            Who::Agent(id) => self.agents.get(&id),
            Who::Customer(id) => self.customers.get(&id),
        };
        for connection in index.cloned().unwrap_or_default() {
            if Some(connection) != keep {
                self.send_away(group, connection, going_away::Reason::SessionEnded, 0);
            }
        }
    }
}

/// Offline is how an agent without a device looks, and nothing that can be asked for.
pub(crate) fn want_presence(
    group: &mut Group<'_>,
    agent: Id,
    wanted: Presence,
) -> Result<(), crate::store::StoreError> {
    if matches!(wanted, Presence::Online | Presence::Busy | Presence::Away) {
        group.store.put_presence(agent, wanted)?;
        group.effects.push(Effect::Presence(agent, wanted));
    }
    Ok(())
}

pub(crate) fn presence_move(who: Id, presence: Presence) -> gateway_frame::Kind {
    gateway_frame::Kind::PresenceMoves(PresenceMoves {
        moves: vec![PresenceMove {
            member: who.to_bytes(),
            presence: presence.into(),
        }],
    })
}

/// An agent asks for a presence.
pub(crate) fn set_presence(
    group: &mut Group<'_>,
    connection: ConnectionId,
    request: u32,
    session: Session,
    wanted: Presence,
) {
    let Who::Agent(agent) = session.who else {
        let said = gateway_frame::Kind::Problem(problem(ProblemCode::NotFound, 0));
        return group.mail.say(connection, request, said);
    };
    let stored = group.usable().and_then(|()| want_presence(group, agent, wanted));
    let said = match stored {
        Ok(()) => gateway_frame::Kind::Done(Done {}),
        Err(_) => gateway_frame::Kind::Problem(problem(ProblemCode::Store, RETRY_MS)),
    };
    group.leaving.push(Leaving::Reply(connection, request, Box::new(said)));
}
