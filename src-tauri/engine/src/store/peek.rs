//! What the store must know of an entry, read off its bytes: decoding each would cost more than writing it.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// Fields of the wire's `Entry`.
const CONTENT: u32 = 8;
const ERASED: u32 = 9;

/// What stands in an entry's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Peeked {
    pub(super) erased: bool,
    pub(super) has_content: bool,
}

/// `None`: the bytes are no protobuf message.
pub(super) fn peek(mut bytes: &[u8]) -> Option<Peeked> {
    let mut peeked = Peeked::default();
    while !bytes.is_empty() {
        let (tag, wire) = decode_key(&mut bytes).ok()?;
        match (tag, wire) {
            (ERASED, WireType::Varint) => peeked.erased = decode_varint(&mut bytes).ok()? != 0,
            (CONTENT, WireType::LengthDelimited) => {
                let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
                peeked.has_content = length > 0;
                bytes = bytes.get(length..)?;
            }
            _ => skip_field(wire, tag, &mut bytes, DecodeContext::default()).ok()?,
        }
    }
    Some(peeked)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use prost::Message;
    use zuoxi_wire::v1::Entry;

    use super::*;

    fn peeked(entry: &Entry) -> Peeked {
        Peeked {
            erased: entry.erased,
            has_content: !entry.content.is_empty(),
        }
    }

    proptest! {
        #[test]
        fn it_says_what_decoding_says(seq: u64, id: [u8; 16], name: String, content: Vec<u8>, erased: bool, kind: i32) {
            let entry = Entry {
                seq,
                id: Bytes::copy_from_slice(&id),
                kind,
                author_name: name,
                content: content.into(),
                erased,
                ..Entry::default()
            };
            let mut bytes = entry.encode_to_vec();
            prop_assert_eq!(peek(&bytes), Some(peeked(&entry)));
            // A field from the future, and one that is told twice.
            bytes.extend([0xa2, 0x1f, 2, 7, 7, 0x48, u8::from(!erased)]);
            prop_assert_eq!(peek(&bytes), Some(peeked(&Entry::decode(bytes.as_slice()).unwrap())));
        }

        #[test]
        fn it_takes_all_that_decoding_takes_and_survives_the_rest(bytes: Vec<u8>) {
            let seen = peek(&bytes);
            if let Ok(entry) = Entry::decode(bytes.as_slice()) {
                prop_assert_eq!(seen, Some(peeked(&entry)));
            }
        }
    }
}
