//! Frames, blocks and contents.

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::content::{check_text, preview};
use zuoxi_wire::v1::{
    AssignmentContent, Block, BlockCodec, ClientFrame, CloseContent, GatewayFrame, LinkedContent, MessageContent,
    NoteContent, RatingContent, ReasonContent, RecallContent, TagContent, TransferContent, client_frame, gateway_frame,
    message_content,
};
use zuoxi_wire::{Id, block, frame, limits};

use crate::source::Source;

/// What a client may send, before and after log-in.
pub(crate) fn client_frame(bytes: &[u8]) {
    let came = Bytes::copy_from_slice(bytes);
    let _ = frame::decode_client(came.clone(), false);
    let Ok(read) = frame::decode_client(came, true) else {
        return;
    };
    if let Some(client_frame::Kind::Acts(acts)) = &read.kind {
        for act in &acts.acts {
            contents(&act.content);
        }
    }
    let again = ClientFrame::decode(frame::encode_client(&read));
    assert_eq!(
        again.as_ref(),
        Ok(&read),
        "what was read is written so that it reads the same"
    );
}

/// What a gateway, or who pretends to be one, may send.
pub(crate) fn gateway_frame(bytes: &[u8]) {
    let Ok(read) = frame::decode_gateway(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    let blocks = match &read.kind {
        Some(gateway_frame::Kind::EntriesPage(page)) => page.blocks.as_slice(),
        Some(gateway_frame::Kind::WatchPage(watch)) => watch.page.as_ref().map_or(&[][..], |page| &page.blocks),
        _ => &[],
    };
    for block in blocks {
        unpack(block);
    }
    let again = GatewayFrame::decode(frame::encode_gateway(&read));
    assert_eq!(
        again.as_ref(),
        Ok(&read),
        "what was read is written so that it reads the same"
    );
}

/// A block's envelope with whatever it says.
pub(crate) fn block(bytes: &[u8]) {
    if let Ok(block) = Block::decode(bytes) {
        unpack(&block);
    }
}

/// What a block holds once it is decompressed, by whichever codec.
pub(crate) fn block_content(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let (codec, first, count) = (source.of(6) as i32, source.number(), source.number());
    let plain = source.rest();
    if plain.len() as u64 > limits::BLOCK_DECODED_BYTES {
        return;
    }
    let data = if codec == BlockCodec::Plain as i32 {
        plain.to_vec()
    } else {
        zstd::bulk::compress(plain, 1).unwrap_or_default()
    };
    unpack(&Block {
        version: 1,
        codec,
        first,
        last: first.saturating_add(count),
        decoded_size: plain.len() as u32,
        data: data.into(),
        ..Block::default()
    });
}

/// Decodes, and holds what came against what a reader relies on.
fn unpack(packed: &Block) {
    let Ok(entries) = block::decode(packed) else { return };
    assert_eq!(
        entries.len() as u64,
        packed.last - packed.first + 1,
        "an entry for each Seq"
    );
    for ((entry, came), seq) in entries.iter().zip(packed.first..) {
        assert_eq!(entry.seq, seq, "in order, without holes");
        assert_eq!(entry.id.len(), 16);
        assert!(came.len() as u64 <= limits::BLOCK_DECODED_BYTES);
        contents(&entry.content);
    }
}

/// A content, read as every kind.
pub(crate) fn content(bytes: &[u8]) {
    contents(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        words(text);
        if let Ok(id) = text.parse::<Id>() {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
    if let Ok(id) = Id::try_from(bytes) {
        assert_eq!(Id::optional(&id.to_bytes()), Ok(Some(id)));
        let _ = id.unix_ms();
    }
}

fn contents(bytes: &[u8]) {
    if let Ok(message) = MessageContent::decode(bytes)
        && let Some(message_content::Body::Text(text)) = &message.body
    {
        words(text);
    }
    if let Ok(note) = NoteContent::decode(bytes) {
        words(&note.text);
    }
    let _ = RecallContent::decode(bytes);
    let _ = TransferContent::decode(bytes);
    let _ = TagContent::decode(bytes);
    let _ = RatingContent::decode(bytes);
    let _ = AssignmentContent::decode(bytes);
    let _ = ReasonContent::decode(bytes);
    let _ = CloseContent::decode(bytes);
    let _ = LinkedContent::decode(bytes);
}

fn words(text: &str) {
    let short = preview(text);
    assert!(short.chars().count() as u64 <= limits::PREVIEW_SCALARS);
    if check_text(text).is_ok() {
        assert!(text.len() as u64 <= limits::TEXT_BYTES);
        assert!(text.chars().count() as u64 <= limits::TEXT_SCALARS);
        assert!(!text.contains(['\0', '\u{7}', '\u{1b}']), "no control character passes");
    }
}
