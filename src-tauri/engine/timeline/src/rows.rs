//! One row at a time: what stands there, and what its neighbours make of it.

use zuoxi_wire::Id;

use super::Timeline;
use super::act::Act;
use super::decode::Item;
use super::steps::{Seq, count_step};
use crate::view::{AuthorView, Mark, RowBody, TimelineRow};

/// Rows that show nothing are looked past, so many at most: a run of recalls is short.
const HIDDEN_RUN: u64 = 8;
/// The same author's next words stand closer within so many milliseconds.
const JOINED_MS: u64 = 3 * 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// A row, by what doesn't change when others move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    Seq(u64),
    Act(Id),
}

/// What a row's neighbour above decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) new_day: bool,
    pub(super) joined: bool,
}

const PLAIN: Flags = Flags {
    new_day: false,
    joined: false,
};

/// What stands at an index.
pub(super) enum Standing<'a> {
    Settled(u64, &'a Item),
    Loading,
    Act(&'a Act),
    Beyond,
}

/// What a neighbour looks at.
enum Shown {
    Row {
        time_ms: u64,
        author: Option<Id>,
        bubble: Option<bool>,
    },
    Hidden,
    Unknown,
}

fn bubble(body: &RowBody) -> Option<bool> {
    match body {
        RowBody::Message { .. } => Some(false),
        RowBody::Note { .. } => Some(true),
        _ => None,
    }
}

impl<W: Ord + Clone> Timeline<W> {
    pub(super) fn standing(&self, index: u64) -> Standing<'_> {
        count_step();
        let settled = self.settled_rows();
        if index < settled {
            let seq = self.floor + index;
            self.settled
                .get(&Seq(seq))
                .map_or(Standing::Loading, |item| Standing::Settled(seq, item))
        } else {
            self.acts
                .get((index - settled) as usize)
                .map_or(Standing::Beyond, Standing::Act)
        }
    }

    /// What a settled entry's row shows: an assignment and the reason that follows it are one line, the assignment's.
    fn body(&self, seq: u64, item: &Item) -> RowBody {
        match &item.body {
            RowBody::Reason(_) if self.is_folded(seq, item) => RowBody::Nothing,
            RowBody::Assignment { agent, me, team, .. } => RowBody::Assignment {
                agent: agent.clone(),
                me: *me,
                team: team.clone(),
                reason: match self.settled_body(seq + 1) {
                    Some(RowBody::Reason(reason)) => Some(reason.clone()),
                    _ => None,
                },
            },
            body => body.clone(),
        }
    }

    fn settled_body(&self, seq: u64) -> Option<&RowBody> {
        count_step();
        self.settled.get(&Seq(seq)).map(|item| &item.body)
    }

    /// The reason stands in the line of its assignment.
    fn is_folded(&self, seq: u64, item: &Item) -> bool {
        matches!(item.body, RowBody::Reason(_))
            && matches!(self.settled_body(seq - 1), Some(RowBody::Assignment { .. }))
    }

    fn is_hidden(&self, seq: u64, item: &Item) -> bool {
        item.body == RowBody::Nothing || self.is_folded(seq, item)
    }

    /// Flags that change when an assignment comes between what stands above this index and its reason at it: the
    /// reason's row goes, and the next one that shows something has another above it.
    pub(super) fn flags_around(&self, index: u64) -> Vec<(Spot, Flags)> {
        let mut flags = self.flags_below(index);
        if let Standing::Settled(_, item) = self.standing(index)
            && matches!(item.body, RowBody::Reason(_))
        {
            flags.extend(self.flags_below(index + 1));
            flags.dedup_by_key(|(spot, _)| *spot);
        }
        flags
    }

    /// An entry came to this Seq: its line may be shared with a neighbour's.
    pub(super) fn tell_line(&mut self, seq: u64) {
        let index = seq - self.floor;
        match self.settled_body(seq) {
            Some(RowBody::Reason(_)) if matches!(self.settled_body(seq - 1), Some(RowBody::Assignment { .. })) => {
                self.told_update(index - 1);
            }
            Some(RowBody::Assignment { .. }) if matches!(self.settled_body(seq + 1), Some(RowBody::Reason(_))) => {
                self.told_update(index + 1);
            }
            _ => {}
        }
    }

    /// The index where something stands now.
    fn index_of(&self, spot: Spot) -> Option<u64> {
        match spot {
            Spot::Seq(seq) => (seq >= self.floor && seq <= self.top).then(|| seq - self.floor),
            Spot::Act(id) => {
                let position = self.places.get(&id).and_then(|place| self.position(*place))?;
                Some(self.settled_rows() + position as u64)
            }
        }
    }

    fn shown(&self, index: u64) -> Shown {
        let (time_ms, author, body) = match self.standing(index) {
            Standing::Settled(seq, item) if self.is_folded(seq, item) => return Shown::Hidden,
            Standing::Settled(_, item) => (item.time_ms, item.author, &item.body),
            Standing::Act(act) => (act.time_ms, Some(self.me.id), &act.body),
            Standing::Loading | Standing::Beyond => return Shown::Unknown,
        };
        if *body == RowBody::Nothing {
            Shown::Hidden
        } else {
            Shown::Row {
                time_ms,
                author,
                bubble: bubble(body),
            }
        }
    }

    fn flags(&self, index: u64) -> Flags {
        let Shown::Row {
            time_ms,
            author,
            bubble,
        } = self.shown(index)
        else {
            return PLAIN;
        };
        for back in 1..=HIDDEN_RUN {
            let Some(above) = index.checked_sub(back) else {
                return Flags {
                    new_day: true,
                    joined: false,
                };
            };
            match self.shown(above) {
                Shown::Hidden => {}
                Shown::Unknown => return PLAIN,
                Shown::Row {
                    time_ms: before_ms,
                    author: before,
                    bubble: before_bubble,
                } => {
                    let new_day = self.day(before_ms) != self.day(time_ms);
                    let close = bubble.is_some() && bubble == before_bubble && author == before;
                    return Flags {
                        new_day,
                        joined: close && !new_day && time_ms.abs_diff(before_ms) < JOINED_MS,
                    };
                }
            }
        }
        PLAIN
    }

    /// The number of the local day.
    fn day(&self, time_ms: u64) -> i64 {
        let minutes = (time_ms / 60_000) as i64 + i64::from((self.zone.0)(time_ms));
        minutes.div_euclid(DAY_MINUTES)
    }

    /// The first visible row from `index` on with its flags: the one that a change above it can touch.
    pub(super) fn flags_below(&self, index: u64) -> Vec<(Spot, Flags)> {
        for below in index..=index + HIDDEN_RUN {
            let spot = match self.standing(below) {
                Standing::Settled(seq, item) if !self.is_hidden(seq, item) => Spot::Seq(seq),
                Standing::Act(act) if act.body != RowBody::Nothing => Spot::Act(act.id),
                Standing::Settled(..) | Standing::Act(_) => continue,
                Standing::Loading | Standing::Beyond => break,
            };
            return vec![(spot, self.flags(below))];
        }
        Vec::new()
    }

    /// Tells the rows whose flags became others.
    pub(super) fn tell_changed(&mut self, before: Vec<(Spot, Flags)>) {
        for (spot, flags) in before {
            if let Some(index) = self.index_of(spot)
                && self.flags(index) != flags
            {
                self.told_update(index);
            }
        }
    }

    /// The row at an index, as a window shows it that was opened with this first unread Seq.
    pub(super) fn row(&self, index: u64, first_unread: Option<u64>) -> TimelineRow {
        let flags = self.flags(index);
        match self.standing(index) {
            Standing::Settled(seq, item) => {
                let first_unread = first_unread == Some(seq);
                // Ids are the author's choice: should two entries share one, the later keeps a key of its own.
                let known = self.ids.gives_key(item.id, seq);
                TimelineRow {
                    key: if known {
                        item.id.to_string()
                    } else {
                        format!("seq:{seq}")
                    },
                    message: (item.mine && bubble(&item.body).is_some()).then(|| item.id.to_string()),
                    seq: Some(seq),
                    body: self.body(seq, item),
                    author: item.role,
                    author_name: item.author_name.clone(),
                    agent: item.other_agent(),
                    mine: item.mine,
                    time_ms: item.time_ms,
                    mark: self.mark(seq, item),
                    refusal: None,
                    new_day: flags.new_day,
                    joined: flags.joined && !first_unread,
                    first_unread,
                    too_late: item.mine && self.too_late.contains(&item.id) && bubble(&item.body).is_some(),
                }
            }
            Standing::Act(act) => TimelineRow {
                key: if self.doubled.contains(&act.id) {
                    format!("act:{}", act.id)
                } else {
                    act.id.to_string()
                },
                message: Some(act.id.to_string()),
                seq: None,
                body: act.body.clone(),
                author: if self.me.customer {
                    AuthorView::Customer
                } else {
                    AuthorView::Agent
                },
                author_name: self.me.name.clone(),
                agent: String::new(),
                mine: true,
                time_ms: act.time_ms,
                mark: act.mark(self.online),
                refusal: act.refusal.clone(),
                new_day: flags.new_day,
                joined: flags.joined,
                first_unread: false,
                too_late: false,
            },
            Standing::Loading | Standing::Beyond => {
                let seq = self.floor + index;
                TimelineRow {
                    key: format!("seq:{seq}"),
                    message: None,
                    seq: Some(seq),
                    body: RowBody::Loading,
                    author: AuthorView::Gateway,
                    author_name: String::new(),
                    agent: String::new(),
                    mine: false,
                    time_ms: 0,
                    mark: None,
                    refusal: None,
                    new_day: false,
                    joined: false,
                    first_unread: first_unread == Some(seq),
                    too_late: false,
                }
            }
        }
    }

    /// A note's reader is no customer: it is sent, and that is all.
    fn mark(&self, seq: u64, item: &Item) -> Option<Mark> {
        match bubble(&item.body) {
            Some(note) if item.mine => Some(match seq {
                _ if note => Mark::Sent,
                seq if seq <= self.customer_read => Mark::Read,
                seq if seq <= self.delivered => Mark::Delivered,
                _ => Mark::Sent,
            }),
            _ => None,
        }
    }
}
