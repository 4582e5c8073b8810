//! The wire's entries as rows.

use prost::Message;
use zuoxi_protocol::change::StoredEntry;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    AssignmentContent, AssignmentReason, AuthorRole, CloseContent, CloseReason, Entry, EntryKind, LinkedContent,
    MessageContent, NoteContent, RatingContent, ReasonContent, TagContent, message_content,
};

use super::Me;
use crate::view::{AuthorView, ReasonView, RowBody};

/// A settled row, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) id: Id,
    pub(super) author: Option<Id>,
    pub(super) role: AuthorView,
    pub(super) author_name: String,
    pub(super) mine: bool,
    pub(super) time_ms: u64,
    pub(super) body: RowBody,
}

impl Item {
    /// The id of who wrote it, if that is an agent and not this one; else empty.
    pub(super) fn other_agent(&self) -> String {
        let other = self.author.filter(|_| self.role == AuthorView::Agent && !self.mine);
        other.map(|agent| agent.to_string()).unwrap_or_default()
    }

    /// Words of the other side, which somebody may not have read yet.
    pub(super) fn is_unread(&self, me: &Me) -> bool {
        let theirs = if me.customer {
            AuthorView::Agent
        } else {
            AuthorView::Customer
        };
        self.role == theirs && matches!(self.body, RowBody::Message { .. })
    }
}

/// An entry as a row. What can't be read (a kind or body from the future) shows nothing and keeps its place.
pub(super) fn item(stored: &StoredEntry, entry: &Entry, me: &Me) -> Item {
    let role = match AuthorRole::try_from(entry.author_role) {
        Ok(AuthorRole::Customer) => AuthorView::Customer,
        Ok(AuthorRole::Agent) => AuthorView::Agent,
        _ => AuthorView::Gateway,
    };
    Item {
        id: stored.id,
        author: stored.author,
        role,
        author_name: entry.author_name.clone(),
        mine: stored.author == Some(me.id),
        time_ms: entry.time_ms,
        body: body(entry, me).unwrap_or(RowBody::Nothing),
    }
}

fn body(entry: &Entry, me: &Me) -> Option<RowBody> {
    let kind = EntryKind::try_from(entry.kind).ok()?;
    let content = entry.content.clone();
    if entry.erased {
        return match kind {
            EntryKind::Message | EntryKind::Note => Some(RowBody::Recalled {
                edit_again: String::new(),
                note: kind == EntryKind::Note,
            }),
            _ => None,
        };
    }
    Some(match kind {
        EntryKind::Message => message(MessageContent::decode(content).ok()?)?,
        EntryKind::Note => RowBody::Note {
            text: NoteContent::decode(content).ok()?.text,
        },
        EntryKind::Assignment => {
            let assignment = AssignmentContent::decode(content).ok()?;
            RowBody::Assignment {
                me: Id::try_from(&assignment.agent) == Ok(me.id),
                agent: assignment.agent_name,
                team: assignment.team_name,
                reason: None,
            }
        }
        EntryKind::Reason => {
            let reason = ReasonContent::decode(content).ok()?;
            RowBody::Reason(ReasonView {
                code: reason_code(reason.reason).to_owned(),
                text: reason.text,
                by: reason.by_name,
            })
        }
        EntryKind::Close => {
            let close = CloseContent::decode(content).ok()?;
            RowBody::Closed {
                reason: close_code(close.reason).to_owned(),
            }
        }
        EntryKind::Reopen => RowBody::Reopened,
        EntryKind::Rating => {
            let rating = RatingContent::decode(content).ok()?;
            RowBody::Rated {
                stars: rating.stars,
                text: rating.text,
            }
        }
        EntryKind::Tag => RowBody::Tagged {
            tags: TagContent::decode(content).ok()?.tags,
        },
        EntryKind::Linked => {
            let linked = LinkedContent::decode(content).ok()?;
            RowBody::Linked {
                conversation: Id::try_from(&linked.conversation).ok()?.to_string(),
            }
        }
        EntryKind::Recall | EntryKind::Unspecified => return None,
    })
}

/// A message's content as a row's body.
pub(super) fn message(content: MessageContent) -> Option<RowBody> {
    let message_content::Body::Text(text) = content.body?;
    Some(RowBody::Message {
        text,
        language: content.language,
    })
}

/// What a row becomes when its content is taken away; `None`: it has none to take. Own words stay at hand for "edit
/// again", as long as this timeline lives.
pub(super) fn recalled(item: &Item) -> Option<RowBody> {
    let (text, note) = match &item.body {
        RowBody::Message { text, .. } => (text, false),
        RowBody::Note { text } => (text, true),
        _ => return None,
    };
    Some(RowBody::Recalled {
        edit_again: if item.mine { text.clone() } else { String::new() },
        note,
    })
}

fn reason_code(reason: i32) -> &'static str {
    match AssignmentReason::try_from(reason) {
        Ok(AssignmentReason::LastAgent) => "last_agent",
        Ok(AssignmentReason::LeastBusy) => "least_busy",
        Ok(AssignmentReason::NoRoom) => "no_room",
        Ok(AssignmentReason::NobodyOnline) => "nobody_online",
        Ok(AssignmentReason::Taken) => "taken",
        Ok(AssignmentReason::Transfer) => "transfer",
        Ok(AssignmentReason::AgentAway) => "agent_away",
        Ok(AssignmentReason::FromQueue) => "from_queue",
        Ok(AssignmentReason::Unspecified) | Err(_) => "",
    }
}

fn close_code(reason: i32) -> &'static str {
    match CloseReason::try_from(reason) {
        Ok(CloseReason::Agent) => "agent",
        Ok(CloseReason::Customer) => "customer",
        Ok(CloseReason::Idle) => "idle",
        Ok(CloseReason::Linked) => "linked",
        Ok(CloseReason::Unspecified) | Err(_) => "",
    }
}
