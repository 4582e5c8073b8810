//! Acts of the outbox as rows.

use bytes::Bytes;
use prost::Message;
use zuoxi_protocol::change::{OutboxAct, OutboxState};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    ActKind, Entry, MessageContent, NoteContent, RatingContent, RefusalCode, TagContent, TransferContent,
};

use super::Me;
use super::decode::message;
use crate::view::{Mark, ReasonView, RefusalView, RowBody};

/// How far an act that waits for the gateway has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The store doesn't have it yet.
    Writing,
    /// On its way: the gateway's answer may come any moment.
    Sending,
    /// It should have been answered by now.
    Waiting,
    /// It should have been answered long ago.
    Overdue,
}

/// An act, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Act {
    pub(super) place: u64,
    pub(super) id: Id,
    pub(super) time_ms: u64,
    /// What was sent or is to be; empty where it is no words.
    pub(super) words: Bytes,
    pub(super) body: RowBody,
    pub(super) stand: Stand,
    pub(super) refusal: Option<RefusalView>,
    /// Seqs of what others said before it, and its author hadn't seen.
    pub(super) overtaken_by: Vec<u64>,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Waits(Progress),
    NotSent,
    Lost,
}

impl Act {
    /// Whether this entry with its id is what was done here, or can't be compared with it. The session judges alike:
    /// other words under the same id are another's, a copied disk's.
    pub(super) fn is_entered_by(&self, entry: &Entry) -> bool {
        self.words.is_empty() || entry.erased || entry.content_as_sent || entry.content == self.words
    }

    /// What shows nothing has no mark either.
    pub(super) fn mark(&self, online: bool) -> Option<Mark> {
        if self.body == RowBody::Nothing {
            return None;
        }
        Some(match self.stand {
            Stand::NotSent => Mark::NotSent,
            Stand::Lost => Mark::Lost,
            Stand::Waits(Progress::Writing) => Mark::Writing,
            Stand::Waits(Progress::Overdue) => Mark::Overdue,
            Stand::Waits(Progress::Sending) if online => Mark::Sending,
            Stand::Waits(_) => Mark::WaitingForNetwork,
        })
    }
}

/// An act as a row. What shows nothing (a recall under way, a void) keeps its place.
pub(super) fn shown(act: &OutboxAct, progress: Progress, me: &Me) -> Act {
    let mut overtaken_by = Vec::new();
    let (stand, refusal) = match &act.state {
        OutboxState::Waiting | OutboxState::Voided => (Stand::Waits(progress), None),
        OutboxState::Lost => (Stand::Lost, None),
        OutboxState::Parked {
            code,
            behind,
            stale_seqs,
            assignee_name,
        } => {
            overtaken_by.clone_from(stale_seqs);
            let code = if *behind { "behind" } else { refusal_code(*code) };
            let refusal = RefusalView {
                code: code.to_owned(),
                assignee: assignee_name.clone(),
                said: Vec::new(),
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
        words: match body {
            Some(RowBody::Message { .. } | RowBody::Note { .. }) => act.content.clone(),
            _ => Bytes::new(),
        },
        body: body.unwrap_or(RowBody::Nothing),
        stand,
        refusal,
        overtaken_by,
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
            reason: None,
        },
        ActKind::Transfer => {
            let text = TransferContent::decode(content).ok()?.reason;
            RowBody::Reason(ReasonView {
                code: "transfer".to_owned(),
                text,
                by: me.name.clone(),
            })
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
        // Its target's row tells it, but where it needs the user.
        ActKind::Recall if matches!(act.state, OutboxState::Parked { .. } | OutboxState::Lost) => RowBody::Recall,
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
        Ok(RefusalCode::Unknown) => "unknown",
        Ok(RefusalCode::Unspecified) | Err(_) => "other",
    }
}
