//! A change is written, takes its revisions, and is told to whom it concerns.

use std::collections::BTreeSet;
use std::rc::Rc;

use bytes::Bytes;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Accepted, Push, Standing, Status, Summary, answer};

use crate::bus::To;
use crate::change::{Change, same_team_row};
use crate::event::ConnectionId;
use crate::gateway::Gateway;
use crate::group::{Asked, Group, Leaving};
use crate::record::{Conversation, Entry, Feed, FeedState, Who};
use crate::rights;
use crate::sealing;
use crate::store::{Store, Stored};
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
        let needed = needed(&change);
        // Every counter is read before anything is written or moves, so that a failure leaves all as they were.
        for (feed, _, _) in &needed {
            group.feed(*feed, &mut self.entropy)?;
        }
        write(group, &change)?;
        let revisions = take_revisions(group, change.after.id, needed);
        self.sealing.note(&change);
        group.waited.extend(change.waited);
        self.tell(group, &change, &revisions, origin);
        let (before, after) = (change.before, Rc::new(change.after));
        self.move_board(group, before.as_deref(), &after);
        group.moves.push((before, Rc::clone(&after)));
        group.put_conversation(after);
        Ok(())
    }

    fn move_board(&mut self, group: &mut Group<'_>, before: Option<&Conversation>, after: &Conversation) {
        self.board.set(after.id, Some(after.stand()));
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

    fn tell(&mut self, group: &mut Group<'_>, change: &Change, revisions: &Revisions, mut origin: Option<Origin>) {
        let after = &change.after;
        let before = change.before.as_deref();
        if before.is_some_and(|before| before.holder != after.holder || before.team != after.team) {
            self.end_watches(after);
        }
        let before_head = after.head - change.entries.len() as u64;
        let mut public = after.public_head - change.entries.iter().filter(|e| Reader::Customer.sees(e)).count() as u64;
        for (nth, entry) in change.entries.iter().enumerate() {
            public += u64::from(Reader::Customer.sees(entry));
            let mine = origin.as_ref().is_some_and(|origin| origin.seq == entry.seq);
            let mut telling = Telling {
                origin: if mine { origin.take() } else { None },
                answer: None,
                hidden: !Reader::Customer.sees(entry),
            };
            let head = before_head + nth as u64 + 1;
            if let Some(holder) = after.holder.filter(|holder| self.is_anybody(To::Agent(*holder))) {
                let feed = Feed::Agent(holder);
                let state = states(revisions, feed, true).get(nth).copied();
                let push = Push {
                    head,
                    entry: Some(wording::entry(entry, Reader::Agent, false)),
                    ..row(after, feed, state, true, Some(self.summary(after, true)))
                };
                telling.tell(self, group, To::Agent(holder), push);
            }
            if self.is_anybody(To::Watchers(after.id)) {
                let push = Push {
                    conversation: after.id.to_bytes(),
                    head,
                    floor: after.floor,
                    entry: Some(wording::entry(entry, Reader::Agent, false)),
                    summary: Some(Summary {
                        unread: 0,
                        ..self.summary(after, true)
                    }),
                    ..Push::default()
                };
                telling.tell(self, group, To::Watchers(after.id), push);
            }
            if Reader::Customer.sees(entry) && self.is_anybody(To::Customer(after.customer)) {
                let push = Push {
                    conversation: after.id.to_bytes(),
                    head: public,
                    floor: after.public_floor,
                    entry: Some(wording::entry(entry, Reader::Customer, false)),
                    ..Push::default()
                };
                telling.tell(self, group, To::Customer(after.customer), push);
            }
            if let Some(origin) = telling.origin {
                let reader = Reader::of(origin.who);
                let accepted = Accepted {
                    seq: reader.seq(entry),
                    time_ms: reader.time_ms(entry),
                    push: telling.answer,
                };
                group
                    .leaving
                    .push(origin.asked.answered(answer::Result::Accepted(accepted)));
            }
        }
        self.tell_rows(group, change, revisions);
    }

    /// Rows that changed without an entry: of who lost it, of the team, or of the holder.
    fn tell_rows(&self, group: &mut Group<'_>, change: &Change, revisions: &Revisions) {
        for (feed, stands, states) in revisions {
            let Some(state) = states.last().copied() else { continue };
            let (to, whole) = match feed {
                Feed::Agent(_) if *stands && !change.entries.is_empty() => continue,
                Feed::Agent(id) => (To::Agent(*id), true),
                Feed::Team(id) => (To::Team(*id), false),
            };
            if !self.is_anybody(to) {
                continue;
            }
            let summary = stands.then(|| self.summary(&change.after, whole));
            let push = row(&change.after, *feed, Some(state), *stands, summary);
            group.leaving.push(Leaving::Push {
                to,
                push: Box::new(push),
                hidden: false,
                except: None,
            });
        }
    }

    /// What comes by one's own feed, or moved out of one's teams, isn't watched any longer.
    pub(crate) fn end_watches(&mut self, after: &Conversation) {
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
        let online = self.is_connected(Who::Customer(conversation.customer));
        wording::summary(conversation, name, online, whole)
    }
}

/// One entry on its way to all who see it.
struct Telling {
    /// The act that it is, if it is one's own entry.
    origin: Option<Origin>,
    /// What its sender gets with the answer, instead of a push.
    answer: Option<Push>,
    /// No customer sees it.
    hidden: bool,
}

impl Telling {
    /// To all of these; whoever asked gets it with the answer, without the words that they sent.
    fn tell(&mut self, gateway: &Gateway, group: &mut Group<'_>, to: To, push: Push) {
        let asked = self
            .origin
            .as_ref()
            .filter(|origin| gateway.is_of(to, origin.asked.connection));
        let mut rest = Some(push);
        if let Some(origin) = asked {
            let own = if gateway.is_nobody_else(to) {
                rest.take()
            } else {
                rest.clone()
            };
            self.answer = own.map(|own| without_words(own, origin.as_sent));
        }
        let except = asked.map(|origin| origin.asked.connection);
        if let Some(push) = rest {
            group.leaving.push(Leaving::Push {
                to,
                push: Box::new(push),
                hidden: self.hidden,
                except,
            });
        }
    }
}

fn without_words(mut push: Push, as_sent: bool) -> Push {
    if let Some(entry) = push.entry.as_mut().filter(|_| as_sent) {
        entry.content = Bytes::new();
        entry.content_as_sent = true;
    }
    push
}

/// How many revisions a change takes, by feed and standing, in the order in which they are told.
type Needed = Vec<(Feed, bool, usize)>;
/// The same with the revisions.
type Revisions = Vec<(Feed, bool, Vec<FeedState>)>;

fn needed(change: &Change) -> Needed {
    let (before, after) = (change.before.as_deref(), &change.after);
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
    needed
}

fn take_revisions(group: &mut Group<'_>, id: Id, needed: Needed) -> Revisions {
    let take = |(feed, stands, count)| {
        let taken = (0..count).map_while(|_| group.take_revision(feed, id, stands));
        (feed, stands, taken.collect())
    };
    needed.into_iter().map(take).collect()
}

fn states(revisions: &Revisions, feed: Feed, stands: bool) -> &[FeedState] {
    let found = revisions.iter().find(|(f, s, _)| *f == feed && *s == stands);
    found.map_or(&[], |(_, _, states)| states)
}

/// A change of one entry needs no savepoint: that entry is what the act alone can fail by, and comes first. Remembering
/// its id fails only where the store does, and then nothing of the group is stored.
fn write(group: &mut Group<'_>, change: &Change) -> Stored<()> {
    let floor = change.before.as_ref().map_or(change.after.floor, |before| before.floor);
    let lone = change.entries.len() <= 1
        && change.erased.is_empty()
        && change.after.floor == floor
        && change.visits.is_empty()
        && change.positions.is_empty();
    if lone {
        change.entries.iter().try_for_each(|entry| group.store.append(entry))?;
        if let Some(known) = &change.known
            && let Err(error) = group.store.remember(known)
        {
            group.fail(error.clone());
            return Err(error);
        }
        return Ok(());
    }
    group.store.savepoint()?;
    let written = write_all(&mut *group.store, change);
    let ended = if written.is_ok() {
        group.store.release()
    } else {
        group.store.undo()
    };
    if let Err(error) = &ended {
        group.fail(error.clone());
    }
    written.and(ended)
}

fn write_all(store: &mut dyn Store, change: &Change) -> Stored<()> {
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

/// Seqs that a list of entries has, for whoever looks for the last visible one.
pub(crate) fn last_visible(entries: &[Entry]) -> Option<&Entry> {
    entries
        .iter()
        .rev()
        .find(|entry| Reader::Customer.sees(entry) && !entry.erased)
}
