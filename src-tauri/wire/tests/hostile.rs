//! Bytes from outside: garbage, bombs and lies are refused, and nothing larger than the limit is ever allocated.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;
use zuoxi_wire::block::{self, BlockError};
use zuoxi_wire::content::{check_text, preview};
use zuoxi_wire::v1::{Block, BlockCodec, Entry};
use zuoxi_wire::{frame, limits};

fn zstd_block(data: Vec<u8>, decoded_size: u32) -> Block {
    Block {
        version: 1,
        codec: BlockCodec::Zstd.into(),
        first: 1,
        last: 1,
        data: data.into(),
        decoded_size,
        ..Block::default()
    }
}

#[test]
fn a_bomb_is_refused_by_what_it_says() {
    let bomb = zstd::bulk::compress(&vec![0; 64 * 1024 * 1024], 19).expect("compressed");
    assert!(bomb.len() < 16 * 1024);
    assert_eq!(
        block::decode(&zstd_block(bomb, 64 * 1024 * 1024)),
        Err(BlockError::TooLarge)
    );
}

#[test]
fn a_bomb_that_lies_about_its_size_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0; 64 * 1024 * 1024], 19).expect("compressed");
    for said in [0, 1, 64, limits::BLOCK_DECODED_BYTES as u32] {
        assert_eq!(
            block::decode(&zstd_block(bomb.clone(), said)),
            Err(BlockError::Malformed("zstd")),
            "{said}"
        );
    }
}

#[test]
fn a_size_that_is_said_too_large_is_refused() {
    let small = zstd::bulk::compress(b"small", 3).expect("compressed");
    assert_eq!(block::decode(&zstd_block(small, 6)), Err(BlockError::Malformed("size")));
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let large = Bytes::from(vec![0; limits::FRAME_BYTES as usize + 1]);
    assert!(matches!(
        frame::decode_gateway(large.clone()),
        Err(frame::FrameError::TooLarge { .. })
    ));
    assert!(matches!(
        frame::decode_client(large, true),
        Err(frame::FrameError::TooLarge { .. })
    ));
    let first = Bytes::from(vec![0; limits::FIRST_FRAME_BYTES as usize + 1]);
    assert!(matches!(
        frame::decode_client(first, false),
        Err(frame::FrameError::TooLarge { .. })
    ));
}

fn entries() -> impl Strategy<Value = (u64, Vec<Bytes>)> {
    let entry = (
        any::<[u8; 16]>(),
        ".{0,40}",
        prop::collection::vec(any::<u8>(), 0..80),
        any::<bool>(),
    );
    (1..1_000_000_u64, prop::collection::vec(entry, 1..64)).prop_map(|(first, parts)| {
        let encoded = parts
            .into_iter()
            .zip(first..)
            .map(|((id, author_name, content, erased), seq)| {
                let entry = Entry {
                    seq,
                    id: id.to_vec().into(),
                    author_name,
                    content: content.into(),
                    erased,
                    ..Entry::default()
                };
                entry.encode_to_vec().into()
            });
        (first, encoded.collect())
    })
}

proptest! {
    #[test]
    fn a_block_gives_back_the_very_bytes((first, entries) in entries(), zstd in any::<bool>(), generation in any::<u32>()) {
        let codec = if zstd { BlockCodec::Zstd } else { BlockCodec::Plain };
        let last = first + entries.len() as u64 - 1;
        let packed = block::encode(codec, first, last, generation, entries.clone()).expect("a block");
        prop_assert_eq!(packed.generation, generation);
        // A sealed one stays within its range.
        if generation > 0 && last > block::range_of(first).1 {
            prop_assert!(block::decode(&packed).is_err());
            return Ok(());
        }
        let came: Vec<Bytes> = block::decode(&packed).expect("entries").into_iter().map(|(_, bytes)| bytes).collect();
        prop_assert_eq!(came, entries);
    }

    #[test]
    fn garbage_is_never_a_panic(garbage in prop::collection::vec(any::<u8>(), 0..2048), codec in 0..4, said in any::<u32>()) {
        let bytes = Bytes::from(garbage.clone());
        let _ = frame::decode_client(bytes.clone(), false);
        let _ = frame::decode_gateway(bytes);
        let _ = block::decode(&Block { codec, ..zstd_block(garbage, said) });
    }

    #[test]
    fn a_damaged_block_is_never_a_panic((first, entries) in entries(), at in any::<prop::sample::Index>(), bit in 0_u32..8) {
        let last = first + entries.len() as u64 - 1;
        let packed = block::encode(BlockCodec::Zstd, first, last, 0, entries).expect("a block");
        let mut bytes = packed.encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        if let Ok(damaged) = Block::decode(bytes.as_slice()) {
            let _ = block::decode(&damaged);
        }
    }

    #[test]
    fn a_preview_is_short_and_says_the_beginning(text in "(\\PC|\\s){0,200}") {
        let short = preview(&text);
        prop_assert!(short.chars().count() as u64 <= limits::PREVIEW_SCALARS);
        let folded: Vec<&str> = text.split_whitespace().collect();
        prop_assert!(folded.join(" ").starts_with(short.trim_end()));
    }

    #[test]
    fn a_text_that_passes_is_within_its_limits(text in "\\PC{0,100}") {
        if check_text(&text).is_ok() {
            prop_assert!(text.len() as u64 <= limits::TEXT_BYTES && !text.trim().is_empty());
        }
    }
}
