//! The hash by which a device and the gateway compare their logs after a restore.

use sha2::{Digest, Sha256};
use zuoxi_wire::Id;

/// SHA-256 over, for each entry in order: Seq (8 bytes, big-endian), id (16), author's length (1), author.
pub fn of(entries: impl IntoIterator<Item = (u64, Id, Option<Id>)>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (seq, id, author) in entries {
        hash.update(seq.to_be_bytes());
        hash.update(id.0);
        match author {
            Some(author) => {
                hash.update([16]);
                hash.update(author.0);
            }
            None => hash.update([0]),
        }
    }
    hash.finalize().into()
}
