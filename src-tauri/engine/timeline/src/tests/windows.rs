//! Where windows open, what they want, and when one is told everything anew.

use zuoxi_protocol::change::{OutboxState, Range};

use super::{act, deltas, entry, observe, timeline};
use crate::view::{RowBody, TimelineDelta};
use crate::{From, Progress};

#[test]
fn a_restored_log_that_ends_below_the_floor_takes_no_row_away() {
    let mut timeline = timeline();
    timeline.insert(&(1..=9).map(entry).collect::<Vec<_>>());
    timeline.set_floor(8);
    let view = observe(&mut timeline, From::Row(0), 9);
    assert_eq!(view.rows.len(), 2);
    timeline.cut_above(3);
    assert_eq!(timeline.total(), 0);
    drop(deltas(&mut timeline));
    // Nothing is above the floor any more: an even shorter log changes nothing.
    timeline.cut_above(2);
    assert_eq!(deltas(&mut timeline), Vec::new());
}

#[test]
fn an_unread_window_opens_at_the_first_unread_words() {
    let mut timeline = timeline();
    timeline.insert(&(1..=100).map(entry).collect::<Vec<_>>());
    timeline.own_at(58);
    // 59 is a customer's; 60 is this agent's.
    let view = observe(&mut timeline, From::Unread, 12);
    assert_eq!(view.first_unread, Some(58));
    assert_eq!(view.from, 54);
    let flagged: Vec<u64> = view
        .rows
        .iter()
        .filter(|row| row.first_unread)
        .filter_map(|row| row.seq)
        .collect();
    assert_eq!(flagged, [59]);
    timeline.own_at(100);
    // Moving the window keeps what was unread when it was opened; opening it anew doesn't.
    assert_eq!(observe(&mut timeline, From::Row(50), 12).first_unread, Some(58));
    let view = observe(&mut timeline, From::Unread, 12);
    assert_eq!((view.first_unread, view.from), (None, 88));
}

#[test]
fn what_a_window_shows_and_is_not_here_is_wanted() {
    let mut timeline = timeline();
    timeline.set_floor(101);
    timeline.raise_head(100_000);
    let view = observe(&mut timeline, From::Unread, 30);
    assert_eq!(view.rows.len(), 30);
    assert!(view.rows.iter().all(|row| row.body == RowBody::Loading));
    timeline.insert(&[entry(110)]);
    assert_eq!(
        timeline.wanted(5),
        [Range { first: 101, last: 109 }, Range { first: 111, last: 135 }]
    );
    let page: Vec<_> = (101..=135).map(entry).collect();
    timeline.insert(&page);
    assert_eq!(timeline.wanted(5), []);
    observe(&mut timeline, From::Row(90_000), 30);
    assert_eq!(timeline.evict(10), 35);
    assert_eq!(timeline.held(), 0);
    assert_eq!(
        timeline.wanted(0),
        [Range {
            first: 90_101,
            last: 90_130
        }]
    );
}

#[test]
fn a_flood_into_one_window_becomes_one_reset() {
    let mut timeline = timeline();
    timeline.insert(&(1..=40).map(entry).collect::<Vec<_>>());
    observe(&mut timeline, From::Row(0), 40);
    for round in 0..1_000u64 {
        timeline.customer_at(round, 0);
        timeline.put_act(
            &act(
                1,
                50,
                if round % 2 == 0 {
                    OutboxState::Waiting
                } else {
                    OutboxState::Lost
                },
            ),
            Progress::Sending,
        );
        timeline.put_act(
            &act(
                2,
                51,
                if round % 2 == 0 {
                    OutboxState::Waiting
                } else {
                    OutboxState::Lost
                },
            ),
            Progress::Sending,
        );
    }
    assert!(matches!(&deltas(&mut timeline)[..], [TimelineDelta::Reset { view }] if view.total == 42));
}
