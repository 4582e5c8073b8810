//! Ranges of entries in their envelope, behind one pair of functions: [`encode`] and [`decode`].

use bytes::Bytes;
use prost::Message;

use crate::limits;
use crate::v1::{Block, BlockCodec, BlockEntries, Entry};

/// zstd level for blocks that are made when asked for: 3 is its own default, and faster than a socket.
const LEVEL: i32 = 3;
/// Version of the envelope.
const ENVELOPE: u32 = 1;

/// First and last Seq of the fixed range in which a Seq lies: 1 to 64, 65 to 128 and so on. No block crosses them.
pub fn range_of(seq: u64) -> (u64, u64) {
    let start = (seq.max(1) - 1) / limits::BLOCK_SEQS * limits::BLOCK_SEQS + 1;
    (start, start.saturating_add(limits::BLOCK_SEQS - 1))
}

/// Why a block can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// A version, codec or dictionary that this build doesn't know.
    #[error("a block of version {version}, codec {codec}, dictionary {dictionary}, which this build can't read")]
    Unknown {
        /// Of the envelope.
        version: u32,
        /// Number of the codec.
        codec: i32,
        /// Id of the dictionary.
        dictionary: u32,
    },
    /// It says, or turns out, to be larger than a block may be.
    #[error("a block of more than {} bytes", limits::BLOCK_DECODED_BYTES)]
    TooLarge,
    /// Not what its envelope says.
    #[error("a block whose content is not what its envelope says: {0}")]
    Malformed(&'static str),
}

/// Packs entries, given as the bytes they came in, Seqs `first` to `last` without holes.
///
/// # Errors
/// More than [`limits::BLOCK_DECODED_BYTES`], or the compressor failed.
pub fn encode(
    codec: BlockCodec,
    first: u64,
    last: u64,
    generation: u32,
    entries: Vec<Bytes>,
) -> Result<Block, BlockError> {
    let plain = BlockEntries { entries }.encode_to_vec();
    if plain.len() as u64 > limits::BLOCK_DECODED_BYTES {
        return Err(BlockError::TooLarge);
    }
    let decoded_size = plain.len() as u32;
    let (codec, data) = match codec {
        BlockCodec::Zstd => {
            let packed = zstd::bulk::compress(&plain, LEVEL).map_err(|_| BlockError::Malformed("zstd failed"))?;
            // A block of one short entry grows under zstd.
            if packed.len() < plain.len() {
                (BlockCodec::Zstd, packed)
            } else {
                (BlockCodec::Plain, plain)
            }
        }
        BlockCodec::Plain | BlockCodec::Unspecified => (BlockCodec::Plain, plain),
    };
    Ok(Block {
        version: ENVELOPE,
        codec: codec.into(),
        dictionary: 0,
        first,
        last,
        generation,
        data: data.into(),
        decoded_size,
    })
}

/// The same block for a reader who asked for plain protobuf: another codec, nothing else.
///
/// # Errors
/// Its data isn't what its envelope says.
pub fn plain(block: Block) -> Result<Block, BlockError> {
    if block.codec() == BlockCodec::Plain {
        return Ok(block);
    }
    Ok(Block {
        data: unpack(&block)?,
        codec: BlockCodec::Plain.into(),
        ..block
    })
}

/// Unpacks and checks a block: each entry with the bytes it came in, Seqs `first` to `last` without holes, a sealed one
/// within its fixed range.
///
/// # Errors
/// Anything that the envelope doesn't allow; nothing larger than the limit is ever allocated.
pub fn decode(block: &Block) -> Result<Vec<(Entry, Bytes)>, BlockError> {
    let content = BlockEntries::decode(unpack(block)?).map_err(|_| BlockError::Malformed("protobuf"))?;
    if block.first == 0 || block.last < block.first || block.last - block.first + 1 != content.entries.len() as u64 {
        return Err(BlockError::Malformed("range"));
    }
    if block.generation > 0 && block.last > range_of(block.first).1 {
        return Err(BlockError::Malformed("borders"));
    }
    (block.first..=block.last)
        .zip(content.entries)
        .map(|(seq, bytes)| match Entry::decode(bytes.clone()) {
            Ok(entry) if entry.seq == seq && entry.id.len() == 16 => Ok((entry, bytes)),
            Ok(_) => Err(BlockError::Malformed("seq or id")),
            Err(_) => Err(BlockError::Malformed("entry")),
        })
        .collect()
}

/// The encoded `BlockEntries`, checked against the envelope's sizes before and after.
fn unpack(block: &Block) -> Result<Bytes, BlockError> {
    let unknown = BlockError::Unknown {
        version: block.version,
        codec: block.codec,
        dictionary: block.dictionary,
    };
    if block.version != ENVELOPE || block.dictionary != 0 {
        return Err(unknown);
    }
    if u64::from(block.decoded_size) > limits::BLOCK_DECODED_BYTES || block.data.len() as u64 > limits::FRAME_BYTES {
        return Err(BlockError::TooLarge);
    }
    let plain: Bytes = match BlockCodec::try_from(block.codec) {
        Ok(BlockCodec::Plain) => block.data.clone(),
        Ok(BlockCodec::Zstd) => zstd::bulk::decompress(&block.data, block.decoded_size as usize)
            .map_err(|_| BlockError::Malformed("zstd"))?
            .into(),
        _ => return Err(unknown),
    };
    if plain.len() != block.decoded_size as usize {
        return Err(BlockError::Malformed("size"));
    }
    Ok(plain)
}
