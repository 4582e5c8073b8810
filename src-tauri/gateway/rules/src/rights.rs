//! Who may see and do what: the one place, for every frame.

use zuoxi_wire::v1::{ActKind, RefusalCode, Status};

use crate::people::People;
use crate::record::{Conversation, Who};

/// What somebody is to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its customer.
    Customer,
    /// It stands in their own feed: its agent while open, its last one once closed.
    Holder,
    /// An agent of its team; leads it or not.
    Team { lead: bool },
    /// Nothing: not belonging looks like not existing.
    None,
}

impl Part {
    /// Sees the customer's log, not the agents'.
    pub(crate) fn is_customer(self) -> bool {
        self == Self::Customer
    }

    /// May see the conversation at all.
    pub(crate) fn sees(self) -> bool {
        self != Self::None
    }

    /// May watch it: what one holds comes by one's own feed.
    pub(crate) fn watches(self) -> bool {
        matches!(self, Self::Team { .. })
    }

    /// Moves positions, and signals.
    pub(crate) fn takes_part(self) -> bool {
        matches!(self, Self::Customer | Self::Holder)
    }
}

pub(crate) fn part(people: &People, who: Who, conversation: &Conversation) -> Part {
    match who {
        Who::Customer(id) if id == conversation.customer => Part::Customer,
        Who::Customer(_) => Part::None,
        Who::Agent(id) if conversation.holder == Some(id) => Part::Holder,
        Who::Agent(id) => people
            .membership(id, conversation.team)
            .map_or(Part::None, |m| Part::Team { lead: m.lead }),
    }
}

/// Leads the conversation's team, whatever else they are to it.
fn leads(people: &People, who: Who, conversation: &Conversation) -> bool {
    matches!(who, Who::Agent(id) if people.membership(id, conversation.team).is_some_and(|m| m.lead))
}

/// Whether `who` may do this now.
///
/// # Errors
/// The refusal's code: of the conversation (which stops the lane), or "not there, or not yours".
pub(crate) fn may(people: &People, who: Who, conversation: &Conversation, kind: ActKind) -> Result<(), RefusalCode> {
    let part = part(people, who, conversation);
    let closed = conversation.status == Status::Closed;
    let queued = conversation.status == Status::Queued;
    let serving = matches!(
        kind,
        ActKind::Message | ActKind::Close | ActKind::Take | ActKind::Transfer
    );
    let allowed = match (part, kind) {
        (Part::Customer, _) if conversation.linked_to.is_some() => return Err(RefusalCode::Linked),
        (Part::Customer, ActKind::Close) if closed => return Err(RefusalCode::Closed),
        (Part::Customer, ActKind::Message | ActKind::Recall | ActKind::Rating | ActKind::Close) => true,
        (Part::None | Part::Customer, _) | (_, ActKind::Rating) => return Err(RefusalCode::NotFound),
        _ if closed && serving => return Err(RefusalCode::Closed),
        // Whether a recall's target is an own note, where only notes may be written, is checked with the target.
        (_, ActKind::Note | ActKind::Recall) => true,
        (Part::Holder, _) => serving || kind == ActKind::Tag,
        (Part::Team { .. }, ActKind::Take) => queued || leads(people, who, conversation),
        (Part::Team { .. }, ActKind::Transfer) => leads(people, who, conversation),
        _ => false,
    };
    if allowed { Ok(()) } else { Err(RefusalCode::Taken) }
}

/// Whether a refusal speaks of the conversation, and so ends the lane.
pub(crate) fn stops(code: RefusalCode) -> bool {
    matches!(
        code,
        RefusalCode::Taken | RefusalCode::Stale | RefusalCode::Closed | RefusalCode::Linked
    )
}
