//! The trace of an act, found by its message id: came in, answered, pushed. Ids alone, never texts.

use tracing::{Level, enabled, info};
use zuoxi_rules::ConnectionId;
use zuoxi_wire::Id;
use zuoxi_wire::v1::answer::Result as Outcome;
use zuoxi_wire::v1::client_frame::Kind as Asked;
use zuoxi_wire::v1::gateway_frame::Kind as Told;
use zuoxi_wire::v1::{ClientFrame, GatewayFrame, Push};

fn shown(bytes: &[u8]) -> String {
    Id::try_from(bytes).map_or_else(|_| String::new(), |id| id.to_string())
}

/// Notes the acts of a frame that came in.
pub(crate) fn came_in(connection: ConnectionId, frame: &ClientFrame) {
    let Some(Asked::Acts(acts)) = &frame.kind else {
        return;
    };
    if enabled!(target: "act", Level::INFO) {
        for act in &acts.acts {
            info!(
                target: "act",
                act = shown(&act.id),
                conversation = shown(&act.conversation),
                connection = connection.0,
                lane = act.lane,
                number = act.number,
                "came in"
            );
        }
    }
}

/// Notes the answers and pushes of a frame that leaves.
pub(crate) fn goes_out(connection: ConnectionId, frame: &GatewayFrame) {
    match &frame.kind {
        Some(Told::Answers(answers)) if enabled!(target: "act", Level::INFO) => {
            for answer in &answers.answers {
                let act = shown(&answer.id);
                match &answer.result {
                    Some(Outcome::Accepted(accepted)) => {
                        info!(target: "act", act, connection = connection.0, seq = accepted.seq, "answered");
                    }
                    Some(Outcome::Refused(refused)) => {
                        info!(target: "act", act, connection = connection.0, code = refused.code, "refused");
                    }
                    None => {}
                }
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
        info!(target: "act", act = shown(&entry.id), connection = connection.0, seq = entry.seq, "pushed");
    }
}
