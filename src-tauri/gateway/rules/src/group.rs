//! One group commit: what it has read and will write once, and what leaves after it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bytes::Bytes;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Answer, Presence, Push, answer, client_frame, gateway_frame};

use crate::bus::To;
use crate::entropy::Entropy;
use crate::event::ConnectionId;
use crate::lane::Lane;
use crate::mail::Mail;
use crate::planted::{self, Fault};
use crate::positions::Gathered;
use crate::record::{Conversation, Feed, FeedRow, FeedState, Session, Who};
use crate::replies::Waited;
use crate::sealing::LogOf;
use crate::store::{Store, StoreError, Stored};

/// Where an act was asked, so that its answer finds it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) connection: ConnectionId,
    pub(crate) conversation: Bytes,
    pub(crate) lane: u32,
    pub(crate) number: u32,
    pub(crate) id: Bytes,
}

impl Asked {
    /// The answer, on its way to who asked.
    pub(crate) fn answered(self, result: answer::Result) -> Leaving {
        let answer = Answer {
            conversation: self.conversation,
            lane: self.lane,
            number: self.number,
            id: self.id,
            result: Some(result),
        };
        Leaving::Answer(self.connection, Box::new(answer))
    }
}

/// What leaves once the group is committed.
#[derive(Debug)]
pub(crate) enum Leaving {
    Answer(ConnectionId, Box<Answer>),
    Push {
        to: To,
        push: Box<Push>,
        /// Of an entry that no customer sees.
        hidden: bool,
        /// Got it with the answer.
        except: Option<ConnectionId>,
    },
    /// Answers a request; a failed commit turns it into a problem.
    Reply(ConnectionId, u32, Box<gateway_frame::Kind>),
    /// Said by the gateway itself.
    Say(To, Box<gateway_frame::Kind>),
}

/// What memory does once the group is committed.
#[derive(Debug)]
pub(crate) enum Effect {
    Enter(Box<Entering>),
    Presence(Id, Presence),
    Password(Id, String),
    /// Sessions of `who` ended but that of this connection.
    EndSessions(Who, Option<ConnectionId>),
    /// A session ended by its owner's wish.
    LoggedOut(ConnectionId),
    /// What this team's queue held was given to whoever had room; if it isn't stored, it is looked at again.
    HandedOut(Id),
    /// All that an agent who is away held was taken from them.
    Relieved(Id),
}

/// A log-in that is stored.
#[derive(Debug)]
pub(crate) struct Entering {
    pub(crate) connection: ConnectionId,
    pub(crate) request: u32,
    pub(crate) session: Session,
    /// The secret, where it is new.
    pub(crate) token: Option<Bytes>,
    /// A customer's conversation.
    pub(crate) own: Option<Id>,
}

#[derive(Debug)]
struct Kept<T> {
    row: T,
    dirty: bool,
}

pub(crate) struct Group<'s> {
    pub(crate) store: &'s mut dyn Store,
    conversations: BTreeMap<Id, Kept<Option<Rc<Conversation>>>>,
    feeds: BTreeMap<Feed, FeedState>,
    feed_rows: BTreeMap<(Feed, Id), FeedRow>,
    /// Feeds whose counter is written: those that moved, and those that are new.
    moved_feeds: BTreeSet<Feed>,
    pub(crate) lanes: BTreeMap<(ConnectionId, Id), Lane>,
    pub(crate) leaving: Vec<Leaving>,
    pub(crate) effects: Vec<Effect>,
    /// How the board moved, to take it back.
    pub(crate) moves: Vec<(Option<Rc<Conversation>>, Rc<Conversation>)>,
    /// Customers' waits that this group answers.
    pub(crate) waited: Vec<Waited>,
    /// Conversations whose customer may have something new to be told of their state.
    pub(crate) stirred: BTreeSet<Id>,
    /// Positions that this group writes, to be kept if it fails.
    pub(crate) positions: Vec<(Id, Gathered)>,
    /// Logs of which this group seals all that may be.
    pub(crate) sealed: Vec<LogOf>,
    /// Questions that are answered from the store once it is committed.
    pub(crate) asks: Vec<(ConnectionId, u32, client_frame::Kind)>,
    /// What leaves whatever becomes of the group, and in the end all that leaves.
    pub(crate) mail: Mail,
    /// Its COMMIT failed, and may have been stored all the same.
    pub(crate) in_doubt: bool,
    /// The transaction couldn't begin, or holds half of something.
    failed: Option<StoreError>,
}

impl<'s> Group<'s> {
    pub(crate) fn begin(store: &'s mut dyn Store) -> Self {
        let failed = store.begin().err();
        Self {
            store,
            conversations: BTreeMap::new(),
            feeds: BTreeMap::new(),
            feed_rows: BTreeMap::new(),
            moved_feeds: BTreeSet::new(),
            lanes: BTreeMap::new(),
            leaving: Vec::new(),
            effects: Vec::new(),
            moves: Vec::new(),
            waited: Vec::new(),
            stirred: BTreeSet::new(),
            positions: Vec::new(),
            sealed: Vec::new(),
            asks: Vec::new(),
            mail: Mail::default(),
            in_doubt: false,
            failed,
        }
    }

    /// Gives the failure, if the group can't hold anything.
    pub(crate) fn usable(&self) -> Stored<()> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Nothing of the group is stored: it holds half of something that can't be taken out.
    pub(crate) fn fail(&mut self, error: StoreError) {
        self.failed.get_or_insert(error);
    }

    pub(crate) fn conversation(&mut self, id: Id) -> Stored<Option<Rc<Conversation>>> {
        if let Some(kept) = self.conversations.get(&id) {
            return Ok(kept.row.clone());
        }
        let row = self.store.conversation(id)?.map(Rc::new);
        self.conversations.insert(
            id,
            Kept {
                row: row.clone(),
                dirty: false,
            },
        );
        Ok(row)
    }

    /// Written once, before the commit.
    pub(crate) fn put_conversation(&mut self, conversation: Rc<Conversation>) {
        self.conversations.insert(
            conversation.id,
            Kept {
                row: Some(conversation),
                dirty: true,
            },
        );
    }

    /// A feed's counter; one that was never used begins with an epoch of its own.
    pub(crate) fn feed(&mut self, feed: Feed, entropy: &mut Entropy) -> Stored<FeedState> {
        if let Some(state) = self.feeds.get(&feed)
            && !planted::has(Fault::CounterNotHeld)
        {
            return Ok(*state);
        }
        let state = if let Some(state) = self.store.feed(feed)? {
            state
        } else {
            self.moved_feeds.insert(feed);
            FeedState {
                epoch: entropy.epoch(),
                revision: 0,
            }
        };
        self.feeds.insert(feed, state);
        Ok(state)
    }

    /// The next revision of a feed that was read, taken by a conversation.
    pub(crate) fn take_revision(&mut self, feed: Feed, conversation: Id, stands: bool) -> Option<FeedState> {
        let state = self.feeds.get_mut(&feed)?;
        state.revision += 1;
        let state = *state;
        self.moved_feeds.insert(feed);
        self.feed_rows.insert(
            (feed, conversation),
            FeedRow {
                conversation,
                revision: state.revision,
                stands,
            },
        );
        Some(state)
    }

    /// Writes what is written once, and commits.
    pub(crate) fn commit(&mut self) -> Stored<()> {
        let written = self.usable().and_then(|()| self.write());
        let done = written.and_then(|()| {
            let done = self.store.commit();
            self.in_doubt = done.is_err();
            done
        });
        if done.is_err() {
            self.store.rollback();
        }
        done
    }

    /// After a failed commit nothing that was read or changed here holds.
    pub(crate) fn forget(&mut self) {
        self.conversations.clear();
        self.feeds.clear();
        self.feed_rows.clear();
        self.moved_feeds.clear();
        self.stirred.clear();
    }

    /// A planted fault asks it.
    pub(crate) fn is_of_this_group(&self, conversation: Id, seq: u64) -> bool {
        let first = self.moves.iter().find(|(_, after)| after.id == conversation);
        first.is_some_and(|(before, _)| before.as_ref().map_or(0, |before| before.head) < seq)
    }

    fn write(&mut self) -> Stored<()> {
        for kept in self.conversations.values().filter(|kept| kept.dirty) {
            if let Some(row) = &kept.row {
                self.store.put_conversation(row)?;
            }
        }
        if planted::has(Fault::FeedOutsideTransaction) {
            self.store.commit()?;
            self.store.begin()?;
        }
        for ((feed, _), row) in &self.feed_rows {
            self.store.put_feed_row(*feed, row)?;
        }
        for feed in &self.moved_feeds {
            if let Some(state) = self.feeds.get(feed) {
                self.store.put_feed(*feed, *state)?;
            }
        }
        Ok(())
    }
}
