//! Contents of acts.

use bytes::Bytes;
use prost::Message as _;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{MessageContent, NoteContent, RecallContent, TransferContent, message_content, transfer_content};

pub fn words(text: &str) -> MessageContent {
    MessageContent {
        language: String::new(),
        body: Some(message_content::Body::Text(text.into())),
    }
}

pub fn message(text: &str) -> Bytes {
    words(text).encode_to_vec().into()
}

pub fn note(text: &str) -> Bytes {
    NoteContent { text: text.into() }.encode_to_vec().into()
}

pub fn recall(author: Id, id: Id) -> Bytes {
    let named = RecallContent {
        author: author.to_bytes(),
        id: id.to_bytes(),
    };
    named.encode_to_vec().into()
}

pub fn hand_to(to: transfer_content::To) -> Bytes {
    let named = TransferContent {
        to: Some(to),
        reason: String::new(),
    };
    named.encode_to_vec().into()
}
