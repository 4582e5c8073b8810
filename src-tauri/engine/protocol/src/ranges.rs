//! Sets of Seqs as sorted ranges that neither touch nor overlap.

use crate::change::Range;

/// Adds a range, joined with what it touches.
pub(crate) fn insert(ranges: &mut Vec<Range>, added: Range) {
    if added.last < added.first {
        return;
    }
    let from = ranges.partition_point(|range| range.last.saturating_add(1) < added.first);
    let to = ranges.partition_point(|range| range.first <= added.last.saturating_add(1));
    let joined = ranges
        .get(from..to)
        .unwrap_or_default()
        .iter()
        .fold(added, |joined, range| Range {
            first: joined.first.min(range.first),
            last: joined.last.max(range.last),
        });
    ranges.splice(from..to.max(from), [joined]);
}

/// Only what lies within `keep` stays.
pub(crate) fn clip(ranges: &mut Vec<Range>, keep: Range) {
    ranges.retain_mut(|range| {
        range.first = range.first.max(keep.first);
        range.last = range.last.min(keep.last);
        range.first <= range.last
    });
}

/// Takes one Seq out.
pub(crate) fn remove(ranges: &mut Vec<Range>, seq: u64) {
    if let Some(at) = ranges.iter().position(|range| range.first <= seq && seq <= range.last) {
        let whole = ranges.remove(at);
        let above = Range {
            first: seq + 1,
            last: whole.last,
        };
        let below = Range {
            first: whole.first,
            last: seq.saturating_sub(1),
        };
        for part in [above, below] {
            if part.first <= part.last && part.last > 0 {
                ranges.insert(at, part);
            }
        }
    }
}

/// The range that holds a Seq.
pub(crate) fn around(ranges: &[Range], seq: u64) -> Option<Range> {
    let at = ranges.partition_point(|range| range.last < seq);
    ranges.get(at).filter(|range| range.first <= seq).copied()
}

/// The last Seq up to which all from `floor` on are in; `floor - 1` if the floor itself isn't.
pub(crate) fn watermark(ranges: &[Range], floor: u64) -> u64 {
    around(ranges, floor).map_or(floor.saturating_sub(1), |range| range.last)
}

/// What of `floor` to `head` isn't in, from the lowest on.
pub(crate) fn gaps(ranges: &[Range], floor: u64, head: u64) -> Vec<Range> {
    let mut gaps = Vec::new();
    let mut next = floor;
    for range in ranges.iter().filter(|range| range.last >= floor) {
        if next > head {
            break;
        }
        if range.first > next {
            gaps.push(Range {
                first: next,
                last: (range.first - 1).min(head),
            });
        }
        next = range.last.saturating_add(1);
    }
    if next <= head {
        gaps.push(Range {
            first: next,
            last: head,
        });
    }
    gaps
}

/// How many Seqs are in.
pub(crate) fn count(ranges: &[Range]) -> u64 {
    ranges.iter().map(|range| range.last - range.first + 1).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn seqs(ranges: &[Range]) -> BTreeSet<u64> {
        ranges.iter().flat_map(|range| range.first..=range.last).collect()
    }

    fn well_formed(ranges: &[Range]) -> bool {
        ranges.iter().all(|range| range.first <= range.last)
            && ranges.windows(2).all(|pair| pair[0].last + 1 < pair[1].first)
    }

    proptest! {
        #[test]
        fn ranges_are_the_set_of_what_was_put_in(
            puts in prop::collection::vec((1u64..60, 0u64..9), 0..30),
            outs in prop::collection::vec(1u64..60, 0..6),
            floor in 1u64..60,
            head in 0u64..70,
        ) {
            let (mut ranges, mut model) = (Vec::new(), BTreeSet::new());
            for (first, more) in puts {
                insert(&mut ranges, Range { first, last: first + more });
                model.extend(first..=first + more);
            }
            for seq in outs {
                remove(&mut ranges, seq);
                model.remove(&seq);
            }
            prop_assert!(well_formed(&ranges));
            prop_assert_eq!(seqs(&ranges), model.clone());
            prop_assert_eq!(count(&ranges), model.len() as u64);
            let missing: BTreeSet<u64> = (floor..=head).filter(|seq| !model.contains(seq)).collect();
            prop_assert_eq!(seqs(&gaps(&ranges, floor, head)), missing);
            let reached = (floor..=200).take_while(|seq| model.contains(seq)).last().unwrap_or(floor - 1);
            prop_assert_eq!(watermark(&ranges, floor), reached);
            let keep = Range { first: floor, last: head.max(floor) };
            clip(&mut ranges, keep);
            prop_assert_eq!(seqs(&ranges), model.into_iter().filter(|s| *s >= keep.first && *s <= keep.last).collect());
        }
    }
}
