//! The wire's codes as the user interface's.

use zuoxi_wire::v1::{Problem, ProblemCode};

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
