//! Acts of the outbox as rows.

use prost::Message;
use zuoxi_protocol::change::{OutboxAct, OutboxState};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, MessageContent, NoteContent, RatingContent, RefusalCode, TagContent, TransferContent};

use super::Me;
use super::decode::message;
use crate::view::{Mark, RefusalView, RowBody};

/// An act, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Act {
    pub(super) place: u64,
    pub(super) id: Id,
    pub(super) time_ms: u64,
    pub(super) body: RowBody,
    pub(super) stand: Stand,
    pub(super) refusal: Option<RefusalView>,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Writing,
    Waiting,
    NotSent,
    Lost,
}

impl Act {
    /// Words carry a mark always; other acts only when they need the user.
    pub(super) fn mark(&self, online: bool) -> Option<Mark> {
        let words = matches!(self.body, RowBody::Message { .. } | RowBody::Note { .. });
        match self.stand {
            Stand::NotSent => Some(Mark::NotSent),
            Stand::Lost => Some(Mark::Lost),
            Stand::Writing => words.then_some(Mark::Writing),
            Stand::Waiting if online => words.then_some(Mark::Sending),
            Stand::Waiting => words.then_some(Mark::WaitingForNetwork),
        }
    }
}

/// An act as a row. What shows nothing (a recall, a void) keeps its place.
pub(super) fn shown(act: &OutboxAct, written: bool, me: &Me) -> Act {
    let (stand, refusal) = match &act.state {
        OutboxState::Waiting | OutboxState::Voided if !written => (Stand::Writing, None),
        OutboxState::Waiting | OutboxState::Voided => (Stand::Waiting, None),
        OutboxState::Lost => (Stand::Lost, None),
        OutboxState::Parked {
            code,
            behind,
            assignee_name,
            ..
        } => {
            let code = if *behind { "behind" } else { refusal_code(*code) };
            let refusal = RefusalView {
                code: code.to_owned(),
                assignee: assignee_name.clone(),
            };
            (Stand::NotSent, Some(refusal))
        }
    };
    let body = if act.state == OutboxState::Voided {
        None
    } else {
        body(act, me)
    };
    Act {
        place: act.place,
        id: act.id,
        time_ms: act.done_ms,
        body: body.unwrap_or(RowBody::Nothing),
        stand,
        refusal,
    }
}

fn body(act: &OutboxAct, me: &Me) -> Option<RowBody> {
    let content = act.content.clone();
    Some(match act.kind {
        ActKind::Message => message(MessageContent::decode(content).ok()?)?,
        ActKind::Note => RowBody::Note {
            text: NoteContent::decode(content).ok()?.text,
        },
        ActKind::Take => RowBody::Assignment {
            agent: me.name.clone(),
            me: true,
            team: String::new(),
        },
        ActKind::Transfer => {
            let text = TransferContent::decode(content).ok()?.reason;
            RowBody::Reason {
                code: "transfer".to_owned(),
                text,
                by: me.name.clone(),
            }
        }
        ActKind::Close => RowBody::Closed {
            reason: if me.customer { "customer" } else { "agent" }.to_owned(),
        },
        ActKind::Tag => RowBody::Tagged {
            tags: TagContent::decode(content).ok()?.tags,
        },
        ActKind::Rating => {
            let rating = RatingContent::decode(content).ok()?;
            RowBody::Rated {
                stars: rating.stars,
                text: rating.text,
            }
        }
        ActKind::Recall | ActKind::Void | ActKind::Unspecified => return None,
    })
}

/// The UI's word for a refusal.
pub(super) fn refusal_code(code: i32) -> &'static str {
    match RefusalCode::try_from(code) {
        Ok(RefusalCode::LaneEnded | RefusalCode::Behind) => "behind",
        Ok(RefusalCode::Rate) => "rate",
        Ok(RefusalCode::Store) => "store",
        Ok(RefusalCode::Busy) => "busy",
        Ok(RefusalCode::Reused) => "reused",
        Ok(RefusalCode::Void) => "void",
        Ok(RefusalCode::Base) => "base",
        Ok(RefusalCode::NotFound) => "not_found",
        Ok(RefusalCode::Taken) => "taken",
        Ok(RefusalCode::Stale) => "stale",
        Ok(RefusalCode::Closed) => "closed",
        Ok(RefusalCode::Linked) => "linked",
        Ok(RefusalCode::TooLong) => "too_long",
        Ok(RefusalCode::Empty) => "empty",
        Ok(RefusalCode::Malformed) => "malformed",
        Ok(RefusalCode::NotRecallable) => "not_recallable",
        Ok(RefusalCode::NoTarget) => "no_target",
        Ok(RefusalCode::Unknown | RefusalCode::Unspecified) | Err(_) => "unknown",
    }
}
