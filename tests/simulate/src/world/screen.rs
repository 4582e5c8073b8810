//! An agent looks at a conversation through a window of its timeline, and moves it now and then. The timeline is the one
//! that ships; what is shown is what its deltas made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zuoxi_protocol::change::OutboxAct;
use zuoxi_protocol::notice::WatchEnd;
use zuoxi_protocol::{Notice, Session};
use zuoxi_timeline::view::TimelineDelta;
use zuoxi_timeline::{From, Me, Progress, Timeline};
use zuoxi_wire::Id;
use zuoxi_wire::v1::ActKind;

use crate::check::Shown;
use crate::dice::Dice;
use crate::rare::Rare;

use super::disk::Content;

/// Rows of a window.
const FEWEST: u64 = 3;
const MOST: u64 = 30;
/// Newest entries in memory when a timeline opens.
const NEWEST: usize = 40;
/// Beijing: minutes east of UTC.
const ZONE: i32 = 480;
/// The window's name.
const WINDOW: u8 = 0;

/// Somebody in front of a desk.
pub struct Eyes {
    dice: Dice,
    /// Acts as the desk was told of them, and those of them that aren't stored.
    acts: BTreeMap<Id, OutboxAct>,
    unwritten: BTreeSet<Id>,
    pub screen: Option<Screen>,
}

/// An open conversation.
pub struct Screen {
    pub conversation: Id,
    pub shown: Shown,
    timeline: Timeline<u8>,
    me: Id,
    /// Not kept: read along.
    pub watched: bool,
    /// Something was told since it was looked at.
    touched: bool,
    /// The log was told shorter than it was shown: a restored one, of which what stays is read again.
    cut: bool,
}

impl Eyes {
    pub fn new(dice: Dice) -> Self {
        Self {
            dice,
            acts: BTreeMap::new(),
            unwritten: BTreeSet::new(),
            screen: None,
        }
    }

    /// Another process: it knows what is stored.
    pub fn begin(&mut self, session: &Session) {
        self.screen = None;
        self.unwritten.clear();
        self.acts = session.outbox().map(|act| (act.id, act.clone())).collect();
    }

    fn progress(&self, id: Id) -> Progress {
        if self.unwritten.contains(&id) {
            Progress::Writing
        } else {
            Progress::Sending
        }
    }

    fn open(&mut self, conversation: Id, session: &Session, disk: &Content) {
        let Some(me) = session.me() else { return };
        let Ok(id) = Id::try_from(&me.id) else { return };
        let me = Me {
            id,
            name: me.name.clone(),
            customer: false,
        };
        let mut timeline = Timeline::new(conversation, me, Arc::new(|_| ZONE));
        timeline.set_online(session.is_live());
        for act in session.outbox().filter(|act| act.conversation == Some(conversation)) {
            timeline.put_act(act, self.progress(act.id));
        }
        let log = session.log(conversation);
        if let Some(log) = log {
            timeline.begin(log.state);
            let newest = disk.entries.get(&conversation).into_iter().flatten().rev().take(NEWEST);
            for (_, entry) in newest {
                timeline.insert(std::slice::from_ref(entry));
            }
        }
        timeline.set_watched(log.is_none());
        let mut screen = Screen {
            conversation,
            shown: Shown::default(),
            timeline,
            me: id,
            watched: log.is_none(),
            touched: true,
            cut: false,
        };
        screen.observe(From::Unread, self.dice.between(FEWEST, MOST));
        screen.fetch(disk);
        self.screen = Some(screen);
    }

    /// The session tells something.
    pub fn hear(&mut self, notice: &Notice, session: &Session, disk: &Content) {
        match notice {
            Notice::ActTaken(act) => {
                self.unwritten.insert(act.id);
                self.put(act);
            }
            Notice::ActStored { id } => {
                self.unwritten.remove(id);
                if let Some(act) = self.acts.get(id).cloned() {
                    self.put(&act);
                }
            }
            Notice::ActParked(act) | Notice::ActLost(act) => {
                self.unwritten.remove(&act.id);
                self.put(act);
            }
            Notice::ActNotStored { act, .. } => self.gone(act.id),
            Notice::ActSettled {
                id,
                kind: ActKind::Message | ActKind::Note,
                too_late: true,
                ..
            } => {
                self.gone(*id);
                self.each(|screen| screen.timeline.offer_recall(*id));
            }
            Notice::ActGone { id } | Notice::ActSettled { id, too_late: true, .. } => self.gone(*id),
            Notice::ActSettled { id, seq, time_ms, .. } => {
                self.unwritten.remove(id);
                let act = self.acts.remove(id);
                let screen = self.screen.as_mut();
                if let Some((screen, act)) = screen.zip(act)
                    && act.conversation == Some(screen.conversation)
                {
                    screen.timeline.act_settled(&act, *seq, *time_ms);
                    screen.touched = true;
                }
            }
            Notice::Sync(_) => self.each(|screen| screen.timeline.set_online(session.is_live())),
            other => self.hear_log(other, session, disk),
        }
    }

    fn hear_log(&mut self, notice: &Notice, session: &Session, disk: &Content) {
        match notice {
            Notice::Entries { conversation, entries } | Notice::WatchEntries { conversation, entries } => {
                self.of(*conversation, |screen| screen.timeline.insert(entries));
            }
            Notice::Erased { conversation, what } => self.of(*conversation, |screen| screen.timeline.erased(what)),
            Notice::LogChanged { conversation } => self.of(*conversation, |screen| screen.log_changed(session)),
            Notice::Positions {
                conversation,
                positions,
            } => self.of(*conversation, |screen| screen.timeline.positions_moved(positions)),
            Notice::Dropped { conversation, .. } if self.looks_at(*conversation) => {
                self.open(*conversation, session, disk);
            }
            Notice::RowLeft { feed, conversation } if feed.is_own() && self.looks_at(*conversation) => {
                self.screen = None;
            }
            Notice::WatchOpened {
                conversation,
                floor,
                head,
                positions,
                ..
            } => {
                if !self.looks_at(*conversation) && self.dice.often(500) {
                    self.open(*conversation, session, disk);
                }
                self.of(*conversation, |screen| {
                    if screen.watched {
                        screen.timeline.watch_opened(*floor, *head);
                        screen.timeline.positions_moved(positions);
                    }
                });
            }
            Notice::WatchEnded { conversation, why } => self.of(*conversation, |screen| match why {
                WatchEnd::Mine => {
                    screen.watched = false;
                    screen.timeline.set_watched(false);
                    screen.log_changed(session);
                }
                WatchEnd::Gone | WatchEnd::TooMany => screen.timeline.cut_above(0),
            }),
            _ => {}
        }
    }

    fn put(&mut self, act: &OutboxAct) {
        let progress = self.progress(act.id);
        self.acts.insert(act.id, act.clone());
        if let Some(conversation) = act.conversation {
            self.of(conversation, |screen| screen.timeline.put_act(act, progress));
        }
    }

    fn gone(&mut self, id: Id) {
        self.unwritten.remove(&id);
        self.acts.remove(&id);
        self.each(|screen| screen.timeline.remove_act(id));
    }

    fn looks_at(&self, conversation: Id) -> bool {
        self.screen
            .as_ref()
            .is_some_and(|screen| screen.conversation == conversation)
    }

    fn of(&mut self, conversation: Id, tell: impl FnOnce(&mut Screen)) {
        if self.looks_at(conversation) {
            self.each(tell);
        }
    }

    fn each(&mut self, tell: impl FnOnce(&mut Screen)) {
        if let Some(screen) = &mut self.screen {
            tell(screen);
            screen.touched = true;
        }
    }

    /// Looks at what there is, and elsewhere now and then. Says what is shown wrong.
    pub fn look(&mut self, session: &Session, disk: &Content, restored: bool, rare: &mut Rare) -> Result<(), String> {
        let elsewhere = self.dice.below(100);
        let kept: Vec<Id> = match (&self.screen, elsewhere) {
            (None, 0..12) | (_, 0..2) => {
                let logs = disk.logs.keys().copied();
                logs.filter(|conversation| session.log(*conversation).is_some())
                    .collect()
            }
            _ => Vec::new(),
        };
        if !kept.is_empty() {
            let at = self.dice.below(kept.len() as u64) as usize;
            self.open(kept[at], session, disk);
        }
        let Some(screen) = &mut self.screen else { return Ok(()) };
        if (2..8).contains(&elsewhere) {
            let (count, total) = (self.dice.between(FEWEST, MOST), screen.shown.total);
            let from = match elsewhere {
                2 | 3 => From::Unread,
                // Past the end too: a page asks for what it knew.
                4 | 5 => From::Row(self.dice.below(total + 3)),
                _ => From::Row(total.saturating_sub(count + self.dice.below(5))),
            };
            screen.observe(from, count);
            screen.fetch(disk);
        }
        if std::mem::take(&mut screen.touched) {
            screen.judge(disk, restored, rare)?;
        }
        Ok(())
    }
}

impl Screen {
    fn observe(&mut self, from: From, count: u64) {
        let view = self.timeline.observe(WINDOW, from, count);
        self.shown.anew(&view);
        self.touched = true;
    }

    fn log_changed(&mut self, session: &Session) {
        if let Some(log) = session.log(self.conversation).filter(|_| !self.watched) {
            self.cut |= log.state.head < self.timeline.head();
            self.timeline.log_changed(log.state);
        }
    }

    /// What the window shows and memory lacks, from the disk.
    fn fetch(&mut self, disk: &Content) {
        let held = disk.entries.get(&self.conversation).filter(|_| !self.watched);
        for range in self.timeline.wanted(0) {
            let stored = held.into_iter().flat_map(|log| log.range(range.first..=range.last));
            for (_, entry) in stored {
                self.timeline.insert(std::slice::from_ref(entry));
            }
        }
    }

    fn replay(&mut self, rare: &mut Rare) -> Result<bool, String> {
        let mut anew = false;
        for (_, deltas) in self.timeline.take_deltas() {
            for delta in deltas {
                let what = match delta {
                    TimelineDelta::Reset { .. } => "timeline: told anew",
                    TimelineDelta::Insert { .. } => "timeline: rows put in",
                    TimelineDelta::Update { .. } => "timeline: a row changed",
                    TimelineDelta::Move { .. } => "timeline: a row moved to its place",
                    TimelineDelta::Remove { .. } => "timeline: rows went",
                    TimelineDelta::Bounds { .. } => "timeline: bounds moved",
                };
                rare.add(what, 1);
                anew |= matches!(delta, TimelineDelta::Reset { .. });
                self.shown
                    .apply(&delta)
                    .map_err(|error| format!("{what}, which isn't there: {error}"))?;
            }
        }
        Ok(anew)
    }

    fn judge(&mut self, disk: &Content, restored: bool, rare: &mut Rare) -> Result<(), String> {
        if self.replay(rare)? || self.cut {
            // Other rows may be seen now.
            self.fetch(disk);
            self.replay(rare)?;
        }
        let whole = self.timeline.whole(&WINDOW).ok_or("the window is closed")?;
        self.shown.is(&whole)?;
        let held = disk.entries.get(&self.conversation).filter(|_| !self.watched);
        self.shown.stands(self.me, held, restored)
    }
}
