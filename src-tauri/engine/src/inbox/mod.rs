//! The lists of conversations: who waits, in which order, and what a row says. Pure: feed rows, drafts and the outbox
//! come in, views of windows come out. A change costs O(log n) and what a window shows.

mod ranked;
mod row;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use zuoxi_protocol::change::FeedKey;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Summary, Team};

use crate::view::{InboxCounts, InboxRow, InboxTab, InboxView, Mark};

use ranked::{Rank, Ranked};
pub(crate) use row::customer_view;

/// Rows that a window may show: several screens of the smallest rows.
const ROWS: u32 = 500;

/// The last words of this agent that the gateway hasn't stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastDone {
    /// Their text.
    pub text: String,
    /// Local clock, milliseconds UTC.
    pub time_ms: u64,
    /// Where they stand.
    pub mark: Mark,
}

/// What is known of one conversation.
#[derive(Debug, Default)]
struct Known {
    /// The own feed's row.
    own: Option<Summary>,
    /// The team's.
    team: BTreeMap<FeedKey, Summary>,
    draft: String,
    not_sent: u32,
    last_done: Option<LastDone>,
    /// The device's own count; else the summary's.
    unread: Option<u32>,
    online: Option<bool>,
    delivered: u64,
    read: u64,
    /// Where it stands now.
    place: Option<(InboxTab, Rank)>,
}

#[derive(Debug)]
struct Window {
    tab: InboxTab,
    from: u32,
    count: u32,
    /// What its owner was told last.
    told: Option<InboxView>,
    stale: bool,
}

/// All lists of one agent, and the windows onto them, each named by a `W`.
#[derive(Debug)]
pub struct Inbox<W> {
    me: Id,
    teams: BTreeMap<Id, Team>,
    /// The gateway's clock minus this computer's, milliseconds.
    shift_ms: i64,
    known: BTreeMap<Id, Known>,
    lists: BTreeMap<InboxTab, Ranked>,
    windows: BTreeMap<W, Window>,
    changed: BTreeSet<Id>,
    told_counts: Option<InboxCounts>,
}

impl<W: Ord + Clone> Inbox<W> {
    /// An empty one, of this agent.
    pub fn new(me: Id) -> Self {
        Self {
            me,
            teams: BTreeMap::new(),
            shift_ms: 0,
            known: BTreeMap::new(),
            lists: BTreeMap::new(),
            windows: BTreeMap::new(),
            changed: BTreeSet::new(),
            told_counts: None,
        }
    }

    /// The agent's teams: names and targets.
    pub fn set_teams(&mut self, teams: &[Team]) {
        self.teams = teams
            .iter()
            .filter_map(|team| Some((Id::try_from(&team.id).ok()?, team.clone())))
            .collect();
        self.all_stale();
    }

    /// The gateway's clock minus this computer's, in milliseconds: waits are shown by this computer's clock.
    pub fn set_clock_shift(&mut self, shift_ms: i64) {
        if self.shift_ms != shift_ms {
            self.shift_ms = shift_ms;
            self.all_stale();
        }
    }

    fn all_stale(&mut self) {
        self.windows.values_mut().for_each(|window| window.stale = true);
        self.changed.extend(self.known.keys());
    }

    /// A feed's row; `None`: it left that feed.
    pub fn set_row(&mut self, feed: FeedKey, conversation: Id, summary: Option<Summary>) {
        self.change(conversation, |known| match (feed.is_own(), summary) {
            (true, summary) => {
                // What was counted here speaks of entries that are no longer kept.
                if summary.is_none() {
                    known.unread = None;
                }
                known.own = summary;
            }
            (false, Some(summary)) => {
                known.team.insert(feed, summary);
            }
            (false, None) => {
                known.team.remove(&feed);
            }
        });
    }

    /// A feed is read anew, or is no longer this agent's: its rows go.
    pub fn forget_feed(&mut self, feed: FeedKey) {
        let all: Vec<Id> = self.known.keys().copied().collect();
        for conversation in all {
            self.set_row(feed, conversation, None);
        }
    }

    /// What stands in its composer; empty: nothing.
    pub fn set_draft(&mut self, conversation: Id, text: &str) {
        self.change(conversation, |known| text.clone_into(&mut known.draft));
    }

    /// Parked acts, and own words that aren't stored by the gateway yet.
    pub fn set_outbox(&mut self, conversation: Id, not_sent: u32, last: Option<LastDone>) {
        self.change(conversation, |known| {
            known.not_sent = not_sent;
            known.last_done = last;
        });
    }

    /// Unread messages as this device counts them; `None`: as the summary says.
    pub fn set_unread(&mut self, conversation: Id, unread: Option<u32>) {
        self.change(conversation, |known| known.unread = unread);
    }

    /// How far the customer has received and read: the mark of own last words.
    pub fn set_customer_at(&mut self, conversation: Id, delivered: u64, read: u64) {
        self.change(conversation, |known| {
            known.delivered = delivered.max(read);
            known.read = read;
        });
    }

    /// Whether a page of the customer is open, where that is newer than the summary.
    pub fn set_online(&mut self, conversation: Id, online: Option<bool>) {
        self.change(conversation, |known| known.online = online);
    }

    fn change(&mut self, conversation: Id, change: impl FnOnce(&mut Known)) {
        let known = self.known.entry(conversation).or_default();
        change(known);
        let place = row::place(self.me, conversation, known);
        let before = std::mem::replace(&mut known.place, place);
        if known.is_empty() {
            self.known.remove(&conversation);
        }
        self.changed.insert(conversation);
        if before == place {
            if let Some((tab, rank)) = place {
                self.row_stale(tab, &rank);
            }
            return;
        }
        if let Some((tab, rank)) = before {
            self.lists.entry(tab).or_default().remove(&rank);
            self.list_stale(tab);
        }
        if let Some((tab, rank)) = place {
            self.lists.entry(tab).or_default().insert(rank);
            self.list_stale(tab);
        }
    }

    /// Ends and indexes of a list changed.
    fn list_stale(&mut self, tab: InboxTab) {
        self.windows
            .values_mut()
            .filter(|window| window.tab == tab)
            .for_each(|window| window.stale = true);
    }

    /// One row changed in its place.
    fn row_stale(&mut self, tab: InboxTab, rank: &Rank) {
        let Some(index) = self.lists.get(&tab).and_then(|list| list.index(rank)) else {
            return;
        };
        for window in self.windows.values_mut().filter(|window| window.tab == tab) {
            window.stale |= index >= window.from as usize && index < (window.from + window.count) as usize;
        }
    }

    /// Opens a window onto rows `from` .. `from + count` (at most 500) of a list, or moves it.
    pub fn observe(&mut self, window: W, tab: InboxTab, from: u32, count: u32) -> InboxView {
        let count = count.min(ROWS);
        let view = self.view(tab, from, count);
        self.windows.insert(
            window,
            Window {
                tab,
                from,
                count,
                told: Some(view.clone()),
                stale: false,
            },
        );
        view
    }

    /// Closes a window.
    pub fn unobserve(&mut self, window: &W) {
        self.windows.remove(window);
    }

    /// Windows whose rows, ends or groups are others than told last.
    pub fn take_views(&mut self) -> Vec<(W, InboxView)> {
        let stale: Vec<(W, InboxView)> = self
            .windows
            .iter()
            .filter(|(_, window)| window.stale)
            .map(|(name, window)| (name.clone(), self.view(window.tab, window.from, window.count)))
            .collect();
        let mut told = Vec::new();
        for (name, view) in stale {
            let Some(window) = self.windows.get_mut(&name) else {
                continue;
            };
            window.stale = false;
            if window.told.as_ref() != Some(&view) {
                window.told = Some(view.clone());
                told.push((name, view));
            }
        }
        told
    }

    /// Conversations whose row is another (or gone) since asked last: for those who show a conversation's head.
    pub fn take_changed(&mut self) -> BTreeSet<Id> {
        std::mem::take(&mut self.changed)
    }

    /// The counts, if they are others than told last.
    pub fn take_counts(&mut self) -> Option<InboxCounts> {
        let counts = self.counts();
        (self.told_counts.replace(counts) != Some(counts)).then_some(counts)
    }

    /// How many each list holds.
    pub fn counts(&self) -> InboxCounts {
        let of = |tab| self.lists.get(&tab).map_or(0, Ranked::len) as u32;
        let queue_first = self.lists.get(&InboxTab::Queue).and_then(|list| list.from(0).next());
        InboxCounts {
            mine: of(InboxTab::Mine),
            queue: of(InboxTab::Queue),
            team: of(InboxTab::Team),
            closed: of(InboxTab::Closed),
            waiting: self.lists.get(&InboxTab::Mine).map_or(0, Ranked::waiting) as u32,
            queue_since_ms: queue_first
                .and_then(Rank::waits_since_ms)
                .map_or(0, |since_ms| row::here_ms(since_ms, self.shift_ms)),
        }
    }

    /// A conversation's row, whatever list it stands in; `None`: no feed has it.
    pub fn row(&self, conversation: Id) -> Option<InboxRow> {
        let known = self.known.get(&conversation)?;
        row::row(self.me, conversation, known, &self.teams, self.shift_ms)
    }

    /// The own conversation whose customer has waited longest, without `except`.
    pub fn next_waiting(&self, except: &[Id]) -> Option<Id> {
        let mine = self.lists.get(&InboxTab::Mine)?;
        mine.from(0)
            .take_while(|rank| rank.waits())
            .map(|rank| rank.conversation)
            .find(|id| !except.contains(id))
    }

    fn view(&self, tab: InboxTab, from: u32, count: u32) -> InboxView {
        let list = self.lists.get(&tab);
        let total = list.map_or(0, Ranked::len) as u32;
        let from = from.min(total);
        let ranks = list
            .into_iter()
            .flat_map(|list| list.from(from as usize))
            .take(count as usize);
        InboxView {
            tab,
            waiting_count: list.map_or(0, Ranked::waiting) as u32,
            total,
            from,
            rows: ranks.filter_map(|rank| self.row(rank.conversation)).collect(),
        }
    }
}

impl Known {
    /// Nothing is known of it any more. A draft alone is worth keeping.
    fn is_empty(&self) -> bool {
        self.own.is_none()
            && self.team.is_empty()
            && self.draft.is_empty()
            && self.not_sent == 0
            && self.last_done.is_none()
    }
}
