//! What was said, and what came of it, in a test's short words.

use bytes::Bytes;
use prost::Message as _;
use zuoxi_wire::v1::{
    self, Accepted, Answer, EntriesPage, Entry as WireEntry, LoggedIn, MessageContent, NoteContent, Problem,
    ProblemCode, Push, RefusalCode, Refused, answer, gateway_frame, message_content, transfer_content,
};
use zuoxi_wire::{Id, block};

pub fn words(text: &str) -> Bytes {
    let body = Some(message_content::Body::Text(text.into()));
    MessageContent {
        body,
        language: String::new(),
    }
    .encode_to_vec()
    .into()
}

pub fn text_of(content: &Bytes) -> String {
    match MessageContent::decode(content.clone()).unwrap().body {
        Some(message_content::Body::Text(text)) => text,
        None => String::new(),
    }
}

pub fn result(answer: &Answer) -> Result<Accepted, Refused> {
    match answer.result.clone().unwrap() {
        answer::Result::Accepted(accepted) => Ok(accepted),
        answer::Result::Refused(refused) => Err(refused),
    }
}

pub fn code(result: Result<Accepted, Refused>) -> RefusalCode {
    result.expect_err("a refusal").code()
}

pub fn why(result: Result<LoggedIn, Problem>) -> ProblemCode {
    result.expect_err("a problem").code()
}

pub fn to_agent(id: Id) -> transfer_content::To {
    transfer_content::To::Agent(id.to_bytes())
}

pub fn to_team(id: Id) -> transfer_content::To {
    transfer_content::To::Team(id.to_bytes())
}

pub fn entries(pushes: &[Push]) -> Vec<WireEntry> {
    pushes.iter().filter_map(|push| push.entry.clone()).collect()
}

pub fn texts(pushes: &[Push]) -> Vec<String> {
    let said = entries(pushes)
        .into_iter()
        .filter(|entry| entry.kind() == v1::EntryKind::Message);
    said.map(|entry| text_of(&entry.content)).collect()
}

pub fn problem_of(kind: gateway_frame::Kind) -> ProblemCode {
    match kind {
        gateway_frame::Kind::Problem(problem) => problem.code(),
        other => panic!("{other:?}"),
    }
}

pub fn note(text: &str) -> Bytes {
    NoteContent { text: text.into() }.encode_to_vec().into()
}

pub fn unpacked(page: &EntriesPage) -> Vec<WireEntry> {
    page.blocks
        .iter()
        .flat_map(|packed| block::decode(packed).unwrap())
        .map(|(entry, _)| entry)
        .collect()
}
