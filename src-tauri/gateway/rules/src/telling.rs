//! A change is written, takes its revisions, and is told to whom it concerns.

use std::collections::BTreeSet;

use zuoxi_wire::Id;
use zuoxi_wire::v1::{Accepted, Answer, Push, Standing, Status, Summary, answer};

use crate::change::{Change, same_team_row};
use crate::event::ConnectionId;
use crate::gateway::Gateway;
use crate::group::{Asked, Group, Leaving};
use crate::record::{Conversation, Entry, Feed, FeedState, Who};
use crate::rights;
use crate::sealing;
use crate::store::Stored;
use crate::wording::{self, Reader};

/// The act that a change answers.
pub(crate) struct Origin {
    pub(crate) asked: Asked,
    pub(crate) who: Who,
    /// Where its own entry stands, in the agents' log.
    pub(crate) seq: u64,
    /// The entry's content is what was sent.
    pub(crate) as_sent: bool,
}

impl Gateway {
    /// Writes a change within the group, as a whole or not at all, and stages what it tells.
    pub(crate) fn apply(&mut self, group: &mut Group<'_>, change: Change, origin: Option<Origin>) -> Stored<()> {
        group.usable()?;
        group.store.savepoint()?;
        if let Err(error) = write(group, &change) {
            group.store.undo()?;
            return Err(error);
        }
        let revisions = match self.revisions(group, &change) {
            Ok(revisions) => revisions,
            Err(error) => {
                group.store.undo()?;
                return Err(error);
            }
        };
        group.store.release()?;
        self.sealing.note(&change);
        self.move_board(group, change.before.as_ref(), &change.after);
        self.tell(group, &change, &revisions, origin);
        group.put_conversation(change.after);
        Ok(())
    }

    fn move_board(&mut self, group: &mut Group<'_>, before: Option<&Conversation>, after: &Conversation) {
        self.board.moved(before, Some(after));
        group.moves.push((before.cloned(), after.clone()));
        let stood = before.map(|before| (before.status, before.team, before.holder));
        if stood != Some((after.status, after.team, after.holder)) {
            group.stirred.insert(after.id);
            if let Some((Status::Queued, team, _)) = stood {
                self.queue_moved(team);
            }
            if let Some(freed) = before
                .and_then(Conversation::assignee)
                .filter(|had| after.assignee() != Some(*had))
            {
                self.room_of(freed);
            }
        }
    }

    /// The revisions that a change takes: in the order in which they are told.
    fn revisions(&mut self, group: &mut Group<'_>, change: &Change) -> Stored<Revisions> {
        let (before, after) = (change.before.as_ref(), &change.after);
        let held = before.and_then(|before| before.holder);
        let mut needed = Vec::new();
        if let Some(left) = held.filter(|held| after.holder != Some(*held)) {
            needed.push((Feed::Agent(left), false, 1));
        }
        if let Some(holder) = after.holder {
            let quiet = change.entries.is_empty() && before == Some(after);
            let count = if quiet { 0 } else { change.entries.len().max(1) };
            needed.push((Feed::Agent(holder), true, count));
        }
        let listed = |c: &Conversation| c.status != Status::Closed;
        let was = before.filter(|before| listed(before));
        if let Some(was) = was.filter(|was| !listed(after) || was.team != after.team) {
            needed.push((Feed::Team(was.team), false, 1));
        }
        if listed(after) {
            let same = was.is_some_and(|was| was.team == after.team && same_team_row(was, after));
            needed.push((Feed::Team(after.team), true, usize::from(!same || change.recalls)));
        }
        let mut taken = Vec::new();
        // Every counter is read before one moves, so that a failure leaves all as they were.
        for (feed, _, _) in &needed {
            group.feed(*feed, &mut self.entropy)?;
        }
        for (feed, stands, count) in needed {
            let mut states = Vec::new();
            for _ in 0..count {
                let state = group.feed(feed, &mut self.entropy)?;
                states.push(group.take_revision(feed, state, after.id, stands));
            }
            taken.push((feed, stands, states));
        }
        Ok(taken)
    }

    fn tell(&mut self, group: &mut Group<'_>, change: &Change, revisions: &Revisions, mut origin: Option<Origin>) {
        let after = &change.after;
        let holder = after.holder;
        let own = self.summary(after, true);
        let none = Vec::new();
        let of = |feed: Feed, stands: bool| {
            let found = revisions.iter().find(|(f, s, _)| *f == feed && *s == stands);
            found.map_or(&none, |(_, _, states)| states)
        };
        self.end_watches(change);
        let before_head = after.head - change.entries.len() as u64;
        let mut public = after.public_head - change.entries.iter().filter(|e| Reader::Customer.sees(e)).count() as u64;
        for (nth, entry) in change.entries.iter().enumerate() {
            public += u64::from(Reader::Customer.sees(entry));
            let mine = origin.as_ref().is_some_and(|origin| origin.seq == entry.seq);
            let answered = if mine { origin.take() } else { None };
            let asker = answered.as_ref().map(|origin| origin.asked.connection);
            let mut answer_push = None;
            let mut send = |group: &mut Group<'_>, to: ConnectionId, push: &dyn Fn(bool) -> Push| {
                if asker == Some(to) {
                    answer_push = Some(push(answered.as_ref().is_some_and(|origin| origin.as_sent)));
                } else {
                    group.leaving.push(Leaving::Push(to, Box::new(push(false))));
                }
            };
            if let Some(holder) = holder {
                let state = of(Feed::Agent(holder), true).get(nth).copied();
                let push = |as_sent| Push {
                    head: before_head + nth as u64 + 1,
                    entry: Some(wording::entry(entry, Reader::Agent, as_sent)),
                    ..row(after, Feed::Agent(holder), state, true, Some(own.clone()))
                };
                for to in self.agents.get(&holder).into_iter().flatten() {
                    send(group, *to, &push);
                }
            }
            let push = |as_sent| Push {
                conversation: after.id.to_bytes(),
                head: before_head + nth as u64 + 1,
                floor: after.floor,
                entry: Some(wording::entry(entry, Reader::Agent, as_sent)),
                summary: Some(Summary {
                    unread: 0,
                    ..own.clone()
                }),
                ..Push::default()
            };
            for to in self.watchers.get(&after.id).into_iter().flatten() {
                send(group, *to, &push);
            }
            if Reader::Customer.sees(entry) {
                let push = |as_sent| Push {
                    conversation: after.id.to_bytes(),
                    head: public,
                    floor: after.public_floor,
                    entry: Some(wording::entry(entry, Reader::Customer, as_sent)),
                    ..Push::default()
                };
                for to in self.customers.get(&after.customer).into_iter().flatten() {
                    send(group, *to, &push);
                }
            }
            if let Some(origin) = answered {
                let seq = Reader::of(origin.who).seq(entry);
                let accepted = Accepted {
                    seq,
                    time_ms: entry.time_ms,
                    push: answer_push,
                };
                group.leaving.push(answer_of(origin.asked, after.id, accepted));
            }
        }
        self.tell_rows(group, change, revisions, &own);
    }

    /// Rows that changed without an entry: of who lost it, of the team, or of the holder.
    fn tell_rows(&self, group: &mut Group<'_>, change: &Change, revisions: &Revisions, own: &Summary) {
        for (feed, stands, states) in revisions {
            let Some(state) = states.last().copied() else { continue };
            let (to, summary) = match feed {
                Feed::Agent(_) if *stands && !change.entries.is_empty() => continue,
                Feed::Agent(id) => (self.devices(*id), own.clone()),
                Feed::Team(id) => {
                    let members = self
                        .people
                        .members(*id)
                        .flat_map(|agent| self.devices(agent.id))
                        .collect();
                    (members, self.summary(&change.after, false))
                }
            };
            let push = row(&change.after, *feed, Some(state), *stands, stands.then_some(summary));
            for connection in to {
                group.leaving.push(Leaving::Push(connection, Box::new(push.clone())));
            }
        }
    }

    /// What comes by one's own feed, or moved out of one's teams, isn't watched any longer.
    fn end_watches(&mut self, change: &Change) {
        let after = &change.after;
        let Some(before) = &change.before else { return };
        if before.holder == after.holder && before.team == after.team {
            return;
        }
        let watching = self.watchers.get(&after.id).into_iter().flatten();
        let agents = watching
            .filter_map(|connection| self.session(*connection))
            .map(|session| session.who);
        let ended: BTreeSet<Id> = agents
            .filter(|who| !rights::part(&self.people, *who, after).watches())
            .map(Who::id)
            .collect();
        self.nobody_watches(after.id, |agent| ended.contains(&agent));
    }

    /// Connections of an agent.
    pub(crate) fn devices(&self, agent: Id) -> Vec<ConnectionId> {
        self.agents.get(&agent).into_iter().flatten().copied().collect()
    }

    /// A row of an agent's own feed (`whole`) or of a team's.
    pub(crate) fn summary(&self, conversation: &Conversation, whole: bool) -> Summary {
        let name = conversation
            .assignee()
            .map(|agent| self.people.agent_name(agent))
            .unwrap_or_default();
        let online = self.customers.contains_key(&conversation.customer);
        wording::summary(conversation, name, online, whole)
    }
}

/// By feed and standing, in order.
type Revisions = Vec<(Feed, bool, Vec<FeedState>)>;

fn write(group: &mut Group<'_>, change: &Change) -> Stored<()> {
    let store = &mut *group.store;
    change.entries.iter().try_for_each(|entry| store.append(entry))?;
    for seq in &change.erased {
        store.erase(change.after.id, *seq)?;
        sealing::erase(store, &change.after, *seq)?;
    }
    if let Some(before) = change
        .before
        .as_ref()
        .filter(|before| before.floor < change.after.floor)
    {
        sealing::cut(store, before, &change.after)?;
        store.remove_visits(change.after.id, change.after.floor)?;
    }
    change.visits.iter().try_for_each(|visit| store.put_visit(visit))?;
    change
        .positions
        .iter()
        .try_for_each(|position| store.put_position(position))?;
    change.known.iter().try_for_each(|known| store.remember(known))
}

fn row(after: &Conversation, feed: Feed, state: Option<FeedState>, stands: bool, summary: Option<Summary>) -> Push {
    let standing = if stands { Standing::In } else { Standing::Left };
    Push {
        feed: Some(wording::feed_id(feed)),
        feed_epoch: state.map_or(0, |state| state.epoch),
        revision: state.map_or(0, |state| state.revision),
        conversation: after.id.to_bytes(),
        standing: standing.into(),
        head: if stands { after.head } else { 0 },
        floor: if stands { after.floor } else { 0 },
        summary,
        ..Push::default()
    }
}

pub(crate) fn answer_of(asked: Asked, conversation: Id, accepted: Accepted) -> Leaving {
    let answer = Answer {
        conversation: conversation.to_bytes(),
        lane: asked.lane,
        number: asked.number,
        id: asked.id.clone(),
        result: Some(answer::Result::Accepted(accepted)),
    };
    Leaving::Answer(asked, Box::new(answer))
}

/// Seqs that a list of entries has, for whoever looks for the last visible one.
pub(crate) fn last_visible(entries: &[Entry]) -> Option<&Entry> {
    entries
        .iter()
        .rev()
        .find(|entry| Reader::Customer.sees(entry) && !entry.erased)
}
