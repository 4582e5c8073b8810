//! Ranges of Seqs: what is left of one without others.

use zuoxi_protocol::change::Range;

/// The parts of `range` that lie in none of `others`, in order.
pub(crate) fn without(range: Range, others: impl IntoIterator<Item = Range>) -> Vec<Range> {
    let mut others: Vec<Range> = others.into_iter().filter(|other| overlaps(range, *other)).collect();
    others.sort_unstable();
    let mut left = Vec::new();
    let mut next = range.first;
    for other in others {
        if other.first > next {
            left.push(Range {
                first: next,
                last: other.first - 1,
            });
        }
        next = next.max(other.last + 1);
    }
    if next <= range.last {
        left.push(Range {
            first: next,
            last: range.last,
        });
    }
    left
}

/// The parts of `range` whose Seqs aren't among `present` (ascending).
pub(crate) fn missing(range: Range, present: impl IntoIterator<Item = u64>) -> Vec<Range> {
    without(range, present.into_iter().map(|seq| Range { first: seq, last: seq }))
}

/// Cut into pieces of at most `length` Seqs.
pub(crate) fn pieces(range: Range, length: u64) -> impl Iterator<Item = Range> {
    (range.first..=range.last)
        .step_by(length as usize)
        .map(move |first| Range {
            first,
            last: (first + length - 1).min(range.last),
        })
}

fn overlaps(one: Range, other: Range) -> bool {
    one.first <= other.last && other.first <= one.last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u64, last: u64) -> Range {
        Range { first, last }
    }

    #[test]
    fn what_is_left() {
        assert_eq!(without(range(1, 10), []), [range(1, 10)]);
        assert_eq!(
            without(range(1, 10), [range(8, 20), range(3, 4), range(4, 5)]),
            [range(1, 2), range(6, 7)]
        );
        assert_eq!(without(range(5, 6), [range(1, 9)]), []);
        assert_eq!(missing(range(1, 5), [2, 3]), [range(1, 1), range(4, 5)]);
        assert_eq!(
            pieces(range(1, 5), 2).collect::<Vec<_>>(),
            [range(1, 2), range(3, 4), range(5, 5)]
        );
    }
}
