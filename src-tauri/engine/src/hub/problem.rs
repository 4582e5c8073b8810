//! The wire's codes as the user interface's.

use zuoxi_wire::v1::{Problem, ProblemCode, RefusalCode};

use crate::view::CallError;

/// A refused request.
pub(crate) fn call_error(problem: &Problem) -> CallError {
    CallError::later(problem_code(problem.code()), u64::from(problem.retry_ms))
}

/// The code for a user interface's words.
pub(crate) fn problem_code(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::Credentials => "credentials",
        ProblemCode::Locked => "locked",
        ProblemCode::Disabled => "disabled",
        ProblemCode::Session => "session",
        ProblemCode::NotFound => "not_found",
        ProblemCode::Rate => "rate",
        // The gateway's disk, not ours: to a user it is a server that can't now.
        ProblemCode::Crowded | ProblemCode::Store | ProblemCode::Watches => "crowded",
        ProblemCode::Version | ProblemCode::BadFrame | ProblemCode::Unspecified => "version",
        ProblemCode::TooLarge => "too_long",
        ProblemCode::TooSlow | ProblemCode::Epoch => "network",
        ProblemCode::Origin | ProblemCode::Brand | ProblemCode::Identity | ProblemCode::Password => "invalid",
    }
}

/// Why an act was parked.
pub(crate) fn refusal_code(code: i32) -> &'static str {
    match RefusalCode::try_from(code).unwrap_or_default() {
        RefusalCode::TooLong => "too_long",
        RefusalCode::Empty => "empty",
        RefusalCode::Malformed => "malformed",
        RefusalCode::Stale => "stale",
        RefusalCode::Taken => "taken",
        RefusalCode::Closed => "closed",
        RefusalCode::Linked => "linked",
        RefusalCode::Reused => "reused",
        RefusalCode::Unknown => "unknown",
        RefusalCode::Base => "base",
        RefusalCode::NotFound => "not_found",
        RefusalCode::NotRecallable => "not_recallable",
        RefusalCode::NoTarget => "no_target",
        RefusalCode::LaneEnded | RefusalCode::Behind => "behind",
        RefusalCode::Void => "void",
        RefusalCode::Rate | RefusalCode::Store | RefusalCode::Busy | RefusalCode::Unspecified => "busy",
    }
}
