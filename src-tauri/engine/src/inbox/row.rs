//! One conversation: in which list it stands, where, and what its row says.

use std::collections::BTreeMap;

use zuoxi_wire::Id;
use zuoxi_wire::content::preview;
use zuoxi_wire::v1::customer_card::Device;
use zuoxi_wire::v1::{CustomerCard, Due, Status, Summary, Team};

use super::Known;
use super::ranked::Rank;
use crate::view::{CustomerView, InboxRow, InboxTab, Mark, StatusView, Waiting};

/// Hues of avatars.
const HUES: u8 = 8;

/// What speaks for a conversation: the own feed's row, which knows more. But a closed one that a team has again was
/// reopened for somebody else.
fn summary(known: &Known) -> Option<&Summary> {
    let team = known.team.values().max_by_key(|summary| summary.moved_ms);
    match (&known.own, team) {
        (Some(own), Some(team)) if own.status() == Status::Closed && team.moved_ms >= own.moved_ms => Some(team),
        (Some(own), _) => Some(own),
        (None, team) => team,
    }
}

fn is_mine(me: Id, summary: &Summary) -> bool {
    summary.status() == Status::Open && summary.assignee.as_ref() == me.0
}

/// Its list and rank; `None`: it stands nowhere.
pub(super) fn place(me: Id, conversation: Id, known: &Known) -> Option<(InboxTab, Rank)> {
    let summary = summary(known)?;
    let by_wait = || match summary.waiting_since_ms {
        0 => Rank::quiet(last_ms(known, summary), conversation),
        since_ms => Rank::waiting(since_ms, conversation),
    };
    match summary.status() {
        // Who is queued waits, whether or not words of theirs are unanswered.
        Status::Queued if summary.waiting_since_ms == 0 => {
            Some((InboxTab::Queue, Rank::waiting(summary.moved_ms, conversation)))
        }
        Status::Queued => Some((InboxTab::Queue, by_wait())),
        Status::Open if is_mine(me, summary) => Some((InboxTab::Mine, by_wait())),
        Status::Open => Some((InboxTab::Team, by_wait())),
        Status::Closed => Some((InboxTab::Closed, Rank::quiet(last_ms(known, summary), conversation))),
        Status::Unspecified => None,
    }
}

fn last_ms(known: &Known, summary: &Summary) -> u64 {
    let told = summary.last.as_ref().map_or(summary.moved_ms, |last| last.time_ms);
    known.last_done.as_ref().map_or(told, |done| done.time_ms.max(told))
}

/// Unread messages of the customer.
pub(super) fn unread(known: &Known) -> u32 {
    known
        .unread
        .unwrap_or_else(|| summary(known).map_or(0, |summary| summary.unread))
}

/// The row; `None`: no feed has it.
pub(super) fn row(
    me: Id,
    conversation: Id,
    known: &Known,
    teams: &BTreeMap<Id, Team>,
    shift_ms: i64,
) -> Option<InboxRow> {
    let summary = summary(known)?;
    let team = Id::try_from(&summary.team).ok().and_then(|id| teams.get(&id));
    let draft = !known.draft.trim().is_empty();
    let words = if draft {
        preview(&known.draft)
    } else if let Some(done) = &known.last_done {
        preview(&done.text)
    } else if summary.preview.is_empty() {
        summary.last.as_ref().map(|last| last.text.clone()).unwrap_or_default()
    } else {
        summary.preview.clone()
    };
    Some(InboxRow {
        conversation: conversation.to_string(),
        customer: customer(known, summary),
        status: match summary.status() {
            Status::Queued => StatusView::Queued,
            Status::Open => StatusView::Open,
            Status::Closed | Status::Unspecified => StatusView::Closed,
        },
        assignee: summary.assignee_name.clone(),
        mine: is_mine(me, summary),
        team: team.map(|team| team.name.clone()).unwrap_or_default(),
        preview: words,
        draft,
        mark: if draft { None } else { mark(me, known, summary) },
        unread: unread(known),
        waiting: waiting(summary, team, shift_ms),
        last_ms: last_ms(known, summary),
        not_sent: known.not_sent,
    })
}

fn customer(known: &Known, summary: &Summary) -> CustomerView {
    let mut view = customer_view(&summary.customer.clone().unwrap_or_default());
    view.online = known.online.unwrap_or(view.online);
    view
}

/// A customer as lists, heads and the panel show them.
pub(crate) fn customer_view(card: &CustomerCard) -> CustomerView {
    CustomerView {
        id: Id::try_from(&card.id).map(|id| id.to_string()).unwrap_or_default(),
        mobile: card.device() == Device::Mobile,
        online: card.online,
        verified: card.verified,
        // The random end of an id; it never changes.
        hue: card.id.last().copied().unwrap_or_default() % HUES + 1,
        name: card.name.clone(),
    }
}

/// While the customer waits, the words shown are theirs and carry no mark.
fn mark(me: Id, known: &Known, summary: &Summary) -> Option<Mark> {
    if let Some(done) = &known.last_done {
        return Some(done.mark);
    }
    let last = summary
        .last
        .as_ref()
        .filter(|last| last.author.as_ref() == me.0 && summary.preview.is_empty())?;
    Some(match last.seq {
        seq if seq <= known.read => Mark::Read,
        seq if seq <= known.delivered => Mark::Delivered,
        _ => Mark::Sent,
    })
}

/// A time of the gateway's by this computer's clock.
pub(super) fn here_ms(time_ms: u64, shift_ms: i64) -> u64 {
    time_ms.saturating_add_signed(shift_ms.saturating_neg())
}

fn waiting(summary: &Summary, team: Option<&Team>, shift_ms: i64) -> Option<Waiting> {
    if summary.waiting_since_ms == 0 {
        return None;
    }
    let first = summary.due() == Due::First;
    Some(Waiting {
        since_ms: here_ms(summary.waiting_since_ms, shift_ms),
        first,
        target_ms: team.map_or(0, |team| {
            if first {
                team.first_response_ms
            } else {
                team.next_response_ms
            }
        }),
    })
}
