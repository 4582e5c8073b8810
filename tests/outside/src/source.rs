//! Choices, taken from bytes: what a fuzzer turns are these.

use bytes::Bytes;

/// Bytes that are used up as choices are made.
pub(crate) struct Source<'a> {
    rest: &'a [u8],
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next byte; none: it is over.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// One of so many, the first at the end.
    pub(crate) fn of(&mut self, many: usize) -> usize {
        self.byte().map_or(0, |byte| usize::from(byte) % many.max(1))
    }

    pub(crate) fn yes(&mut self) -> bool {
        self.of(2) == 1
    }

    /// Mostly a small number; sometimes one at an edge.
    pub(crate) fn number(&mut self) -> u64 {
        const EDGES: [u64; 8] = [
            u64::MAX,
            u64::MAX - 1,
            1 << 63,
            (1 << 63) - 1,
            1 << 32,
            u32::MAX as u64,
            1 << 20,
            1_000,
        ];
        match self.byte().unwrap_or(0) {
            low @ ..=239 => u64::from(low % 32),
            high => EDGES.get(usize::from(high) % EDGES.len()).copied().unwrap_or(0),
        }
    }

    /// As many bytes as the next one says, if there are so many.
    pub(crate) fn bytes(&mut self) -> Bytes {
        let many = usize::from(self.byte().unwrap_or(0)).min(self.rest.len());
        let (taken, rest) = self.rest.split_at(many);
        self.rest = rest;
        Bytes::copy_from_slice(taken)
    }

    /// The same, with a length of two bytes.
    pub(crate) fn many_bytes(&mut self) -> Bytes {
        let high = usize::from(self.byte().unwrap_or(0));
        let many = (high << 8 | usize::from(self.byte().unwrap_or(0))).min(self.rest.len());
        let (taken, rest) = self.rest.split_at(many);
        self.rest = rest;
        Bytes::copy_from_slice(taken)
    }

    pub(crate) fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// An id of a few, none, or what is no id.
    pub(crate) fn id(&mut self) -> Bytes {
        match self.byte().unwrap_or(0) {
            250.. => Bytes::new(),
            245..=249 => self.bytes(),
            byte => Bytes::copy_from_slice(&[byte % 8; 16]),
        }
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }
}
