//! No operation costs more where there is more, counted in steps.

use zuoxi_protocol::change::OutboxState;
use zuoxi_wire::v1::EntryKind;

use super::{ME, START_MS, act, entry, id, observe, parked, stored, text, timeline};
use crate::{From, Progress, Timeline, steps};

/// Places for each operation: where in its node a key stands must not decide.
const PLACES: u64 = 32;

/// Comparisons and looks of 32 operations of each kind, spread over so many entries.
fn costs(size: u64) -> Vec<(&'static str, u64)> {
    let mut timeline = timeline();
    let spread = |place: u64| size / 3 + place * 17;
    let entries: Vec<_> = (1..=size)
        .filter(|seq| !(0..PLACES).any(|place| spread(place) == *seq))
        .map(entry)
        .collect();
    timeline.insert(&entries);
    observe(&mut timeline, From::Row(size - 30), 30);
    let timeline = std::cell::RefCell::new(timeline);
    let each = |run: &dyn Fn(&mut Timeline<u8>, u64)| {
        let before = steps();
        for place in 0..PLACES {
            run(&mut timeline.borrow_mut(), place);
        }
        timeline.borrow_mut().take_deltas();
        steps() - before
    };
    let settled = |place| {
        stored(
            size + 100 + place,
            id(size + 1_000 + place),
            EntryKind::Message,
            ME,
            START_MS,
            text("x"),
        )
    };
    let doing = |place: u64, state| act(place + 1, size + 1_000 + place, state);
    vec![
        ("in order", each(&|t, place| t.insert(&[entry(size + 1 + place)]))),
        ("out of order", each(&|t, place| t.insert(&[entry(spread(place))]))),
        ("duplicate", each(&|t, place| t.insert(&[entry(spread(place) + 5)]))),
        ("erase", each(&|t, place| t.erase(&[spread(place) + 9]))),
        (
            "act",
            each(&|t, place| t.put_act(&doing(place, OutboxState::Waiting), Progress::Sending)),
        ),
        (
            "park",
            each(&|t, place| t.put_act(&doing(place, parked()), Progress::Sending)),
        ),
        ("settle", each(&|t, place| t.insert(&[settled(place)]))),
        (
            "position",
            each(&|t, place| t.customer_at(size / 2 + place, size / 2 + place)),
        ),
    ]
}

#[test]
fn each_operation_costs_as_much_at_a_million_entries_as_at_a_thousand() {
    let (small, large) = (costs(1_000), costs(1_000_000));
    for ((name, small), (_, large)) in small.into_iter().zip(large) {
        // A tree's height: the logarithm doubles from 10^3 to 10^6, and a node on the way is filled by half or whole.
        // Anything that looked at each entry would be a thousand times more.
        assert!(
            large <= small * 3,
            "{name}: {small} steps at 1 k, {large} at the largest"
        );
    }
}
