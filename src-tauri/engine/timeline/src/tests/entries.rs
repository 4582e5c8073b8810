//! What entries of the log show, and what their neighbours make of them.

use prost::Message;
use zuoxi_wire::v1::{EntryKind, RecallContent};

use super::{CUSTOMER, ME, START_MS, assignment, deltas, entry, id, observe, reason, recall, stored, text, timeline};
use crate::view::{RowBody, TimelineDelta, TimelineRow, TimelineView};
use crate::{From, Timeline, replay};

#[test]
fn a_repeated_entry_changes_nothing_and_one_elsewhere_only_the_bounds() {
    let mut timeline = timeline();
    timeline.insert(&(1..=100).map(entry).collect::<Vec<_>>());
    observe(&mut timeline, From::Row(10), 20);
    timeline.insert(&[entry(15), entry(99)]);
    assert_eq!(deltas(&mut timeline), []);
    timeline.insert(&[entry(101), entry(102)]);
    assert_eq!(
        deltas(&mut timeline),
        [TimelineDelta::Bounds {
            total: 102,
            floor: 1,
            customer_read: 0
        }]
    );
}

#[test]
fn a_recall_takes_the_words_and_shows_no_row_of_its_own() {
    let mut timeline = timeline();
    let target = entry(1);
    timeline.insert(&[target.clone(), recall(2, &target)]);
    let view = observe(&mut timeline, From::Row(0), 9);
    assert_eq!(
        view.rows[0].body,
        RowBody::Recalled {
            edit_again: String::new(),
            note: false
        }
    );
    assert_eq!(view.rows[1].body, RowBody::Nothing);
    // Own words can be edited again; a stranger who names them takes nothing.
    let own = entry(3);
    let mut foreign = recall(4, &own);
    foreign.author = Some(CUSTOMER);
    let content = RecallContent {
        author: CUSTOMER.to_bytes(),
        id: own.id.to_bytes(),
    }
    .encode_to_vec();
    foreign = stored(4, foreign.id, EntryKind::Recall, CUSTOMER, START_MS, content.into());
    timeline.insert(&[own.clone(), foreign]);
    assert!(matches!(timeline.row(2, None).body, RowBody::Message { .. }));
    timeline.insert(&[recall(5, &own)]);
    assert_eq!(
        timeline.row(2, None).body,
        RowBody::Recalled {
            edit_again: "words 3".into(),
            note: false
        }
    );
}

#[test]
fn an_assignment_and_its_reason_are_one_line_whichever_comes_first() {
    let bodies = |timeline: &Timeline<u8>, view: &mut TimelineView, told: &[TimelineDelta]| {
        for delta in told {
            replay(view, delta);
        }
        let unread = timeline.windows[&0].first_unread;
        let afresh: Vec<TimelineRow> = (0..timeline.total()).map(|index| timeline.row(index, unread)).collect();
        assert_eq!(view.rows, afresh);
        let line = |row: &TimelineRow| match &row.body {
            RowBody::Assignment { reason, .. } => reason.as_ref().map_or("assigned".into(), |why| why.text.clone()),
            RowBody::Reason(why) => format!("alone: {}", why.text),
            RowBody::Nothing => "-".into(),
            RowBody::Message { .. } => "words".into(),
            _ => "?".into(),
        };
        view.rows.iter().map(line).collect::<Vec<String>>()
    };
    let after = stored(4, id(4), EntryKind::Message, ME, START_MS + 60_000, text("好"));
    let (first, second) = (assignment(2, START_MS), reason(3, "破损补发", START_MS));

    let mut timeline = timeline();
    timeline.insert(&[entry(1), first.clone()]);
    let mut view = observe(&mut timeline, From::Row(0), 9);
    assert_eq!(bodies(&timeline, &mut view, &[]), ["words", "assigned"]);
    timeline.insert(std::slice::from_ref(&second));
    let told = deltas(&mut timeline);
    assert_eq!(bodies(&timeline, &mut view, &told), ["words", "破损补发", "-"]);
    // A restored gateway has the assignment alone.
    timeline.cut_above(2);
    let told = deltas(&mut timeline);
    assert_eq!(bodies(&timeline, &mut view, &told), ["words", "assigned"]);

    let mut timeline = super::timeline();
    timeline.insert(&[entry(1), second, after]);
    let mut view = observe(&mut timeline, From::Row(0), 9);
    assert_eq!(
        bodies(&timeline, &mut view, &[]),
        ["words", "?", "alone: 破损补发", "words"]
    );
    timeline.insert(&[first]);
    let told = deltas(&mut timeline);
    assert_eq!(bodies(&timeline, &mut view, &told), ["words", "破损补发", "-", "words"]);
    // Where history begins between the two, the reason stands by itself.
    timeline.set_floor(3);
    let told = deltas(&mut timeline);
    assert_eq!(bodies(&timeline, &mut view, &told), ["alone: 破损补发", "words"]);
}

#[test]
fn days_and_close_rows_follow_local_time_and_authors() {
    let mut timeline = timeline();
    // 2025-11-25 23:59 in Beijing, and two minutes later.
    let night = 1_764_086_340_000;
    let words = |seq, author, time_ms| stored(seq, id(seq), EntryKind::Message, author, time_ms, text("好"));
    timeline.insert(&[
        words(1, CUSTOMER, night - 60_000),
        words(2, CUSTOMER, night),
        words(3, CUSTOMER, night + 120_000),
        words(4, ME, night + 121_000),
        words(5, ME, night + 122_000),
        words(6, ME, night + 122_000 + 180_000),
    ]);
    let view = observe(&mut timeline, From::Row(0), 9);
    let flags: Vec<(bool, bool)> = view.rows.iter().map(|row| (row.new_day, row.joined)).collect();
    assert_eq!(
        flags,
        [
            (true, false),
            (false, true),
            (true, false),
            (false, false),
            (false, true),
            (false, false)
        ]
    );
}
