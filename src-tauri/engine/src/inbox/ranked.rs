//! An ordered set that knows at which index each of its items stands: sorted chunks, so that finding costs O(log n),
//! a change moves one chunk, and an index is found by adding up the chunks' lengths.

use zuoxi_wire::Id;

/// Items of a chunk: 16 KiB move at most, and a hundred thousand rows have a few hundred chunks.
const CHUNK: usize = 512;

/// Where a row stands in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// 0: waits for an answer; 1: the rest.
    group: u8,
    /// Ascending.
    order: u64,
    /// The row itself; tells equal ones apart.
    pub(super) conversation: Id,
}

impl Rank {
    /// The customer waits since then: longest first.
    pub(super) fn waiting(since_ms: u64, conversation: Id) -> Self {
        Self {
            group: 0,
            order: since_ms,
            conversation,
        }
    }

    /// Nobody waits; newest first.
    pub(super) fn quiet(last_ms: u64, conversation: Id) -> Self {
        Self {
            group: 1,
            order: u64::MAX - last_ms,
            conversation,
        }
    }

    /// Since when somebody waits, by the gateway's clock.
    pub(super) fn waits_since_ms(&self) -> Option<u64> {
        self.waits().then_some(self.order)
    }

    /// Stands in the first group.
    pub(super) fn waits(&self) -> bool {
        self.group == 0
    }
}

/// One list.
#[derive(Debug, Default)]
pub(super) struct Ranked {
    /// None is empty.
    chunks: Vec<Vec<Rank>>,
    len: usize,
    waiting: usize,
}

impl Ranked {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Rows of the first group.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// The chunk in which a rank stands or would stand.
    fn chunk(&self, rank: &Rank) -> usize {
        self.chunks
            .partition_point(|chunk| chunk.first().is_some_and(|first| first <= rank))
            .saturating_sub(1)
    }

    pub(super) fn insert(&mut self, rank: Rank) {
        let at = self.chunk(&rank);
        let Some(chunk) = self.chunks.get_mut(at) else {
            self.chunks.push(vec![rank]);
            self.count(&rank, 1);
            return;
        };
        let Err(place) = chunk.binary_search(&rank) else { return };
        chunk.insert(place, rank);
        if chunk.len() > CHUNK {
            let upper = chunk.split_off(CHUNK / 2);
            self.chunks.insert(at + 1, upper);
        }
        self.count(&rank, 1);
    }

    pub(super) fn remove(&mut self, rank: &Rank) {
        let at = self.chunk(rank);
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        let Ok(place) = chunk.binary_search(rank) else { return };
        chunk.remove(place);
        if chunk.is_empty() {
            self.chunks.remove(at);
        }
        self.count(rank, -1);
    }

    fn count(&mut self, rank: &Rank, by: isize) {
        self.len = self.len.saturating_add_signed(by);
        if rank.waits() {
            self.waiting = self.waiting.saturating_add_signed(by);
        }
    }

    pub(super) fn index(&self, rank: &Rank) -> Option<usize> {
        let at = self.chunk(rank);
        let place = self.chunks.get(at)?.binary_search(rank).ok()?;
        let before: usize = self.chunks.iter().take(at).map(Vec::len).sum();
        Some(before + place)
    }

    /// Items from an index on, in order.
    pub(super) fn from(&self, index: usize) -> impl Iterator<Item = &Rank> {
        let mut skip = index;
        let mut at = 0;
        while let Some(chunk) = self.chunks.get(at)
            && skip >= chunk.len()
        {
            skip -= chunk.len();
            at += 1;
        }
        self.chunks.iter().skip(at).flatten().skip(skip)
    }
}
