//! What the gateway's store holds, as it was committed: the log of each conversation, its row, and the feeds.

use std::collections::{BTreeMap, BTreeSet};

use zuoxi_rules::record::{Audience, Conversation, Entry, Feed, FeedRow, FeedState};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{EntryKind, Status};

use crate::world::store::Written;

/// An entry, with the numbers of the commits that stored it and that took its content (0: none did).
#[derive(Debug, Clone)]
pub struct Kept {
    pub entry: Entry,
    pub at: u64,
    pub erased_at: u64,
}

/// A conversation.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub entries: Vec<Kept>,
    /// Places in `entries` of what everybody may see.
    pub public: Vec<usize>,
    pub row: Option<Conversation>,
    /// Holder and team before the commit that changed them last, and its number.
    pub before: (Option<Id>, Id),
    pub moved_at: u64,
    by_id: BTreeMap<Id, Vec<u64>>,
    /// Since when its holder holds it, simulated milliseconds.
    pub held_ms: u64,
    /// Commit since which its holder holds it, and since which its team's row is as it is.
    pub held_since: u64,
    pub listed_since: u64,
    /// Commit that moved its floor last.
    pub cut_at: u64,
}

impl Log {
    pub fn holder(&self) -> Option<Id> {
        self.row.as_ref().and_then(|row| row.holder)
    }

    /// First Seq that is kept.
    pub fn floor(&self) -> u64 {
        self.row.as_ref().map_or(1, |row| row.floor)
    }

    /// The log as this reader counts it, by Seq − 1.
    pub fn len(&self, customer: bool) -> u64 {
        if customer {
            self.public.len() as u64
        } else {
            self.entries.len() as u64
        }
    }

    pub fn at(&self, seq: u64, customer: bool) -> Option<&Kept> {
        let nth = usize::try_from(seq.checked_sub(1)?).ok()?;
        if customer {
            self.entries.get(*self.public.get(nth)?)
        } else {
            self.entries.get(nth)
        }
    }

    /// This author's entry with this id.
    pub fn find(&self, author: Id, id: Id) -> Option<&Kept> {
        let seqs = self.by_id.get(&id)?;
        let kept = seqs.iter().filter_map(|seq| self.at(*seq, false));
        kept.into_iter().find(|kept| kept.entry.author == Some(author))
    }
}

/// The whole store.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    pub epoch: u64,
    pub logs: BTreeMap<Id, Log>,
    /// Simulated milliseconds.
    pub now: u64,
    /// Times that a floor moved.
    pub cuts: u64,
    feeds: BTreeMap<Feed, FeedState>,
    rows: BTreeMap<(Feed, Id), FeedRow>,
    taken: BTreeMap<Feed, BTreeMap<u64, Id>>,
}

impl Truth {
    /// Takes what one or more commits wrote; says what must not be. `new`: entries, for whoever looks at their order.
    pub fn write(&mut self, commit: u64, written: Vec<Written>, new: &mut Vec<Entry>) -> Result<(), String> {
        let mut touched = BTreeSet::new();
        for one in written {
            match one {
                Written::Entry(entry) => {
                    touched.insert(entry.conversation);
                    new.push(entry.clone());
                    self.append(commit, entry)?;
                }
                Written::Erased(conversation, seq) => {
                    let log = self.logs.entry(conversation).or_default();
                    if let Some(kept) = usize::try_from(seq - 1).ok().and_then(|at| log.entries.get_mut(at)) {
                        kept.erased_at = commit;
                        kept.entry.erased = true;
                        kept.entry.content.clear();
                    }
                }
                Written::Conversation(row) => {
                    touched.insert(row.id);
                    self.put_row(commit, *row)?;
                }
                Written::Row(feed, row) => {
                    if matches!(feed, Feed::Team(_)) {
                        self.logs.entry(row.conversation).or_default().listed_since = commit;
                    }
                    self.put_feed_row(feed, row)?;
                }
                Written::Feed(feed, state) => {
                    let before = self.feeds.insert(feed, state);
                    if before.is_some_and(|before| before.revision > state.revision) {
                        return Err(format!("the counter of {feed:?} goes back: {before:?}, then {state:?}"));
                    }
                }
            }
        }
        touched
            .into_iter()
            .try_for_each(|conversation| self.whole(conversation))
    }

    fn append(&mut self, commit: u64, entry: Entry) -> Result<(), String> {
        let id = entry.conversation;
        let log = self.logs.entry(id).or_default();
        if entry.seq != log.entries.len() as u64 + 1 {
            return Err(format!("{id}: Seq {} comes after {}", entry.seq, log.entries.len()));
        }
        // Handed away and given back in one commit, it left in between.
        if entry.kind == EntryKind::Assignment {
            (log.held_since, log.held_ms) = (commit, self.now);
        }
        let public = log.public.len() as u64 + u64::from(entry.audience == Audience::Everybody);
        if entry.public != public {
            return Err(format!(
                "{id}: Seq {} is {} for its customer, not {public}",
                entry.seq, entry.public
            ));
        }
        if let Some(before) = log.entries.last()
            && before.entry.time_ms > entry.time_ms
        {
            return Err(format!("{id}: time goes back at Seq {}", entry.seq));
        }
        if let Some(before) = log.public.last().and_then(|at| log.entries.get(*at))
            && before.entry.public_ms > entry.public_ms
        {
            return Err(format!("{id}: the customer's time goes back at Seq {}", entry.seq));
        }
        if let Some(author) = entry.author
            && let Some(kept) = log.find(author, entry.id)
        {
            let (first, id) = (kept.entry.seq, entry.id);
            return Err(format!("act {id} is stored twice: as {first} and as {}", entry.seq));
        }
        if entry.audience == Audience::Everybody {
            log.public.push(log.entries.len());
        }
        log.by_id.entry(entry.id).or_default().push(entry.seq);
        log.entries.push(Kept {
            entry,
            at: commit,
            erased_at: 0,
        });
        Ok(())
    }

    fn put_row(&mut self, commit: u64, row: Conversation) -> Result<(), String> {
        let log = self.logs.entry(row.id).or_default();
        let listed = |row: &Conversation| {
            (
                row.status,
                row.team,
                row.assignee(),
                row.waiting_ms,
                row.preview.clone(),
            )
        };
        match &log.row {
            Some(before) if before.customer != row.customer => {
                return Err(format!("{} changed its customer", row.id));
            }
            Some(before) => {
                if before.floor > row.floor || before.public_floor > row.public_floor {
                    return Err(format!("the floor of {} goes back", row.id));
                }
                if before.floor < row.floor {
                    self.cuts += 1;
                    log.cut_at = commit;
                }
                if before.holder != row.holder {
                    (log.held_since, log.held_ms) = (commit, self.now);
                }
                if (before.holder, before.team) != (row.holder, row.team) {
                    log.before = (before.holder, before.team);
                    log.moved_at = commit;
                }
                if listed(before) != listed(&row) {
                    log.listed_since = commit;
                }
            }
            None => (log.held_since, log.listed_since, log.held_ms) = (commit, commit, self.now),
        }
        log.row = Some(row);
        Ok(())
    }

    fn put_feed_row(&mut self, feed: Feed, row: FeedRow) -> Result<(), String> {
        let before = self.rows.insert((feed, row.conversation), row);
        if before.is_some_and(|before| before.revision >= row.revision) {
            return Err(format!(
                "{feed:?}: revision {} of {} is none",
                row.revision, row.conversation
            ));
        }
        let taken = self.taken.entry(feed).or_default();
        if let Some(other) = taken.insert(row.revision, row.conversation) {
            return Err(format!(
                "{feed:?}: revision {} is taken twice, by {other} and {}",
                row.revision, row.conversation
            ));
        }
        Ok(())
    }

    /// A conversation's row, its log and the feeds say the same.
    fn whole(&self, id: Id) -> Result<(), String> {
        let Some(log) = self.logs.get(&id) else { return Ok(()) };
        let Some(row) = &log.row else {
            return Err(format!("{id} has entries and no row"));
        };
        let (head, public) = (log.len(false), log.len(true));
        if row.head != head || row.public_head != public {
            return Err(format!(
                "{id}: heads {} and {} are told, {head} and {public} are stored",
                row.head, row.public_head
            ));
        }
        let stands = |feed: Feed| self.rows.get(&(feed, id)).is_some_and(|row| row.stands);
        if let Some(holder) = row.holder
            && !stands(Feed::Agent(holder))
        {
            return Err(format!("{id} doesn't stand in its holder's feed"));
        }
        if row.status != Status::Closed && !stands(Feed::Team(row.team)) {
            return Err(format!("{id} doesn't stand in its team's feed"));
        }
        for ((feed, conversation), held) in &self.rows {
            if let Feed::Agent(agent) = feed
                && *conversation == id
                && held.stands
                && row.holder != Some(*agent)
            {
                return Err(format!("{id} stands in the feed of {agent}, who doesn't hold it"));
            }
            let counter = self.feeds.get(feed).map_or(0, |state| state.revision);
            if held.revision > counter {
                return Err(format!(
                    "{feed:?}: a row of revision {}, and the counter says {counter}",
                    held.revision
                ));
            }
        }
        Ok(())
    }
}

/// Whether it takes the place of an act that somebody wrote words in.
pub fn is_said(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Message | EntryKind::Note)
}
