//! The trace of an act, found by its message id: spans for coming in, being answered and being pushed, with the field that
//! a desk's spans carry too. Ids alone, never texts. Where the level is off nothing is made.

use tracing::{Level, Span, enabled, info, info_span};
use zuoxi_rules::ConnectionId;
use zuoxi_wire::Id;
use zuoxi_wire::v1::answer::Result as Outcome;
use zuoxi_wire::v1::client_frame::Kind as Asked;
use zuoxi_wire::v1::gateway_frame::Kind as Told;
use zuoxi_wire::v1::{ClientFrame, GatewayFrame, Push};

fn shown(bytes: &[u8]) -> String {
    Id::try_from(bytes).map_or_else(|_| String::new(), |id| id.to_string())
}

fn span(connection: ConnectionId, message: &[u8]) -> Span {
    info_span!(target: "act", "act", message = shown(message), connection = connection.0)
}

/// Notes the acts of a frame that came in.
pub(crate) fn came_in(connection: ConnectionId, frame: &ClientFrame) {
    let Some(Asked::Acts(acts)) = &frame.kind else {
        return;
    };
    if enabled!(target: "act", Level::INFO) {
        for act in &acts.acts {
            span(connection, &act.id).in_scope(|| {
                info!(
                    target: "act",
                    conversation = shown(&act.conversation),
                    lane = act.lane,
                    number = act.number,
                    "came in"
                );
            });
        }
    }
}

/// Notes the answers and pushes of a frame that leaves.
pub(crate) fn goes_out(connection: ConnectionId, frame: &GatewayFrame) {
    match &frame.kind {
        Some(Told::Answers(answers)) if enabled!(target: "act", Level::INFO) => {
            for answer in &answers.answers {
                span(connection, &answer.id).in_scope(|| match &answer.result {
                    Some(Outcome::Accepted(accepted)) => info!(target: "act", seq = accepted.seq, "answered"),
                    Some(Outcome::Refused(refused)) => info!(target: "act", code = refused.code, "refused"),
                    None => {}
                });
            }
        }
        Some(Told::Pushes(pushes)) if enabled!(target: "act", Level::INFO) => {
            pushes.pushes.iter().for_each(|push| pushed(connection, push));
        }
        _ => {}
    }
}

fn pushed(connection: ConnectionId, push: &Push) {
    if let Some(entry) = &push.entry {
        span(connection, &entry.id).in_scope(|| info!(target: "act", seq = entry.seq, "pushed"));
    }
}
