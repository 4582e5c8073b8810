//! How far an agent's feeds were read, and when to ask for more.

use std::collections::{BTreeMap, BTreeSet};

use zuoxi_wire::{Id, limits};

use crate::change::{FeedKey, FeedPlace};
use crate::planted::{self, Fault};

/// One feed.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    pub(crate) place: FeedPlace,
    /// Read from 0: what isn't named by the last page is let go.
    pub(crate) listing: bool,
    /// Conversations that stand `in`, as far as the list was read.
    pub(crate) named: BTreeSet<Id>,
    /// Feed epoch and revision that something told and the feed hasn't reached.
    told: Option<(u64, u64)>,
    due: Option<u64>,
    asked: bool,
}

impl Feed {
    fn new(place: FeedPlace) -> Self {
        let mut feed = Self {
            place,
            ..Self::default()
        };
        if place.feed_epoch == 0 || place.partial {
            // Which conversations an unfinished list had named isn't known any more.
            feed.list();
        }
        feed
    }

    /// The list from the start.
    pub(crate) fn list(&mut self) {
        self.place.revision = 0;
        self.place.partial = true;
        self.listing = true;
        self.named.clear();
    }

    /// The gateway's log is another one: nothing that was told of this feed counts.
    pub(crate) fn forget(&mut self) {
        self.place.feed_epoch = 0;
        self.told = None;
        self.list();
    }

    /// A push's row: moves the feed only from the revision before it. What else it names stays missing until it is
    /// reached.
    pub(crate) fn push(&mut self, feed_epoch: u64, revision: u64, now: u64) -> bool {
        let next = revision == self.place.revision + 1
            || (revision > self.place.revision && planted::has(Fault::RevisionByMaximum));
        if feed_epoch == self.place.feed_epoch && next {
            self.place.revision = revision;
            self.reach();
            return true;
        }
        self.tell(feed_epoch, revision, now + limits::GAP_WAIT_MS);
        false
    }

    /// Something told that the feed stands there; asked about from `due` on if it isn't reached until then.
    pub(crate) fn tell(&mut self, feed_epoch: u64, revision: u64, due: u64) {
        if feed_epoch == self.place.feed_epoch && revision <= self.place.revision {
            return;
        }
        let known = self.told.filter(|told| told.0 == feed_epoch).map_or(0, |told| told.1);
        self.told = Some((feed_epoch, revision.max(known)));
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    fn reach(&mut self) {
        if self
            .told
            .is_some_and(|told| told.0 == self.place.feed_epoch && told.1 <= self.place.revision)
        {
            self.told = None;
            self.due = None;
        }
    }

    /// A new connection: what was asked is gone, and it is asked whether something was missed.
    pub(crate) fn connected(&mut self, now: u64) {
        self.asked = false;
        self.due = Some(now);
    }

    /// When to ask; one question at a time.
    pub(crate) fn due(&self) -> Option<u64> {
        if self.asked { None } else { self.due }
    }

    /// The question leaves: `above` what.
    pub(crate) fn ask(&mut self) -> FeedPlace {
        self.asked = true;
        self.due = None;
        self.place
    }

    /// The question failed; asked again then.
    pub(crate) fn retry(&mut self, at: u64) {
        self.asked = false;
        self.due = Some(at);
    }

    /// An answer to "above `above`" of that feed epoch. `false`: it isn't taken, and the list is read from 0.
    pub(crate) fn begin_page(&mut self, feed_epoch: u64, above: u64, now: u64) -> bool {
        self.asked = false;
        if feed_epoch != self.place.feed_epoch {
            self.place.feed_epoch = feed_epoch;
            self.list();
            // What was told of another epoch is never reached; a heartbeat tells what is.
            self.told = self.told.filter(|told| told.0 == feed_epoch);
            if above > 0 {
                self.due = Some(now);
                return false;
            }
        }
        above <= self.place.revision
    }

    /// The page's rows are applied: it reaches `revision`. `Some` with the last page of a list: what stands `in`.
    pub(crate) fn end_page(&mut self, revision: u64, more: bool, now: u64) -> Option<BTreeSet<Id>> {
        let more = more && !planted::has(Fault::UnfinishedPageProves);
        self.place.revision = self.place.revision.max(revision);
        self.place.partial = more;
        self.reach();
        if more {
            self.due = Some(now);
        } else if self.told.is_some() {
            self.due = Some(now + limits::GAP_WAIT_MS);
        }
        (!more && std::mem::take(&mut self.listing)).then(|| std::mem::take(&mut self.named))
    }

    /// Nothing of it is known to be unread.
    pub(crate) fn is_read(&self) -> bool {
        !self.listing && !self.place.partial && self.told.is_none() && !self.asked && self.due.is_none()
    }
}

/// All feeds of an agent.
#[derive(Debug, Default)]
pub(crate) struct Feeds(pub(crate) BTreeMap<FeedKey, Feed>);

impl Feeds {
    pub(crate) fn load(places: &BTreeMap<FeedKey, FeedPlace>) -> Self {
        Self(places.iter().map(|(key, place)| (*key, Feed::new(*place))).collect())
    }

    pub(crate) fn add(&mut self, key: FeedKey) -> &mut Feed {
        self.0.entry(key).or_insert_with(|| Feed::new(FeedPlace::default()))
    }

    /// The agent's own feed.
    pub(crate) fn own(&self) -> Option<&Feed> {
        self.0.iter().find(|(key, _)| key.is_own()).map(|(_, feed)| feed)
    }

    pub(crate) fn wake(&self) -> Option<u64> {
        self.0.values().filter_map(Feed::due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A feed of epoch 1, read up to revision 5.
    fn read() -> Feed {
        let mut feed = Feed::new(FeedPlace {
            feed_epoch: 1,
            revision: 5,
            partial: false,
        });
        feed.ask();
        assert!(feed.begin_page(1, 5, 0));
        feed.end_page(5, false, 0);
        assert!(feed.is_read());
        feed
    }

    #[test]
    fn a_push_moves_the_feed_from_the_revision_before_it_alone() {
        let mut feed = read();
        assert!(feed.push(1, 6, 0));
        assert!(!feed.push(1, 8, 0));
        assert!(!feed.is_read(), "7 is missing");
        assert!(feed.due().is_some_and(|due| due > 0), "which may still come");
        assert!(feed.push(1, 7, 10));
        assert!(!feed.is_read(), "8 came before its turn: asked for");
    }

    #[test]
    fn a_page_with_more_to_follow_proves_nothing() {
        let mut feed = read();
        feed.tell(1, 9, 0);
        feed.ask();
        assert!(feed.begin_page(1, 5, 0));
        feed.end_page(9, true, 0);
        assert!(!feed.is_read());
    }

    #[test]
    fn what_was_told_before_a_restore_is_not_waited_for() {
        let mut feed = read();
        feed.tell(1, 60, 0);
        feed.forget();
        feed.ask();
        assert!(feed.begin_page(1, 0, 0));
        assert!(feed.end_page(5, false, 0).is_some(), "the list is whole");
        assert!(feed.is_read());
    }
}
