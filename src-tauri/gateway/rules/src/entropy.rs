//! Ids, salts and tokens out of one seed.

use sha2::{Digest, Sha256};
use zuoxi_wire::Id;

/// SHA-256 in counter mode: the same seed gives the same bytes, and no output tells another.
pub(crate) struct Entropy {
    seed: [u8; 32],
    counter: u64,
}

impl Entropy {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    pub(crate) fn bytes32(&mut self) -> [u8; 32] {
        self.counter += 1;
        Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.counter.to_be_bytes())
            .finalize()
            .into()
    }

    /// `N` is 32 at most.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        out.iter_mut().zip(self.bytes32()).for_each(|(to, from)| *to = from);
        out
    }

    pub(crate) fn id(&mut self, now_ms: u64) -> Id {
        Id::v7(now_ms, self.bytes())
    }

    /// Never 0, which means "none" on the wire.
    pub(crate) fn epoch(&mut self) -> u64 {
        u64::from_be_bytes(self.bytes()).max(1)
    }
}

/// What is stored of a secret token.
pub(crate) fn token_hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}
