//! The customer panel and the people to hand over to, as the user interface has them.

use zuoxi_wire::Id;
use zuoxi_wire::v1::{Colleagues, Customer, Presence};

use crate::inbox::customer_view;
use crate::view::{AgentTarget, CustomerPanel, PastVisitView, PresenceView, TeamTarget, TransferTargets};

/// `shift_ms`: what to add to the gateway's times. `None`: the gateway's answer can't be read.
pub(super) fn panel(customer: &Customer, shift_ms: i64) -> Option<CustomerPanel> {
    let shifted = |ms: u64| if ms == 0 { 0 } else { ms.saturating_add_signed(shift_ms) };
    Some(CustomerPanel {
        conversation: Id::try_from(&customer.conversation).ok()?.to_string(),
        customer: customer_view(customer.card.as_ref()?),
        browser: super::browser::in_short(&customer.browser),
        language: customer.language.clone(),
        page_url: customer.page_url.clone(),
        page_title: customer.page_title.clone(),
        referrer: customer.referrer.clone(),
        first_visit_ms: shifted(customer.first_visit_ms),
        tags: customer.tags.clone(),
        visits: customer
            .visits
            .iter()
            .map(|visit| PastVisitView {
                first_seq: visit.first_seq,
                started_ms: shifted(visit.started_ms),
                ended_ms: shifted(visit.ended_ms),
                first_words: visit.first_words.clone(),
            })
            .collect(),
    })
}

pub(super) fn targets(colleagues: &Colleagues) -> TransferTargets {
    TransferTargets {
        teams: colleagues
            .teams
            .iter()
            .filter_map(|team| {
                Some(TeamTarget {
                    id: Id::try_from(&team.id).ok()?.to_string(),
                    name: team.name.clone(),
                    online: team.online,
                    queued: team.queued,
                })
            })
            .collect(),
        agents: colleagues
            .agents
            .iter()
            .filter_map(|agent| {
                Some(AgentTarget {
                    id: Id::try_from(&agent.id).ok()?.to_string(),
                    name: agent.name.clone(),
                    presence: presence_view(agent.presence()),
                    open: agent.open,
                    capacity: agent.capacity,
                })
            })
            .collect(),
    }
}

pub(super) fn presence_view(presence: Presence) -> PresenceView {
    match presence {
        // What isn't told is what an agent begins with.
        Presence::Online | Presence::Unspecified => PresenceView::Online,
        Presence::Busy => PresenceView::Busy,
        Presence::Away => PresenceView::Away,
        Presence::Offline => PresenceView::Offline,
    }
}

pub(super) fn presence(view: PresenceView) -> Presence {
    match view {
        PresenceView::Online => Presence::Online,
        PresenceView::Busy => Presence::Busy,
        PresenceView::Away => Presence::Away,
        PresenceView::Offline => Presence::Offline,
    }
}
