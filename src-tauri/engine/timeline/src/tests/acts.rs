//! Own words and other acts, from the key press to what becomes of them.

use std::collections::BTreeMap;

use bytes::Bytes;
use zuoxi_protocol::change::{OutboxAct, OutboxState};
use zuoxi_wire::v1::{ActKind, EntryKind, RefusalCode};

use super::{
    CUSTOMER, ME, START_MS, Shown, act, assignment, deltas, entry, id, observe, parked, recall, refused, stored, text,
    timeline,
};
use crate::view::Mark::{Delivered, NotSent, Overdue, Read, Sending, Sent, WaitingForNetwork, Writing};
use crate::view::{RowBody, TimelineDelta, TimelineRow};
use crate::{From, Progress, Timeline};

#[test]
fn an_own_message_keeps_its_row_from_key_press_to_read() {
    let mut timeline = timeline();
    timeline.insert(&[entry(1), entry(2)]);
    timeline.own_at(2);
    timeline.set_online(true);
    observe(&mut timeline, From::Unread, 20);
    let mut marks = Vec::new();
    let mut note = |timeline: &mut Timeline<u8>| {
        let rows: Vec<TimelineRow> = deltas(timeline)
            .into_iter()
            .filter_map(|delta| match delta {
                TimelineDelta::Insert { rows, .. } => rows.into_iter().next(),
                TimelineDelta::Update { row, .. } | TimelineDelta::Move { row, .. } => Some(row),
                _ => None,
            })
            .collect();
        assert_eq!(rows.len(), 1, "one row, one delta");
        assert_eq!(rows[0].key, id(50).to_string());
        marks.push(rows[0].mark.unwrap());
    };
    timeline.put_act(&act(1, 50, OutboxState::Waiting), Progress::Writing);
    note(&mut timeline);
    timeline.put_act(&act(1, 50, OutboxState::Waiting), Progress::Sending);
    note(&mut timeline);
    timeline.set_online(false);
    note(&mut timeline);
    timeline.put_act(&act(1, 50, OutboxState::Waiting), Progress::Overdue);
    note(&mut timeline);
    timeline.insert(&[stored(3, id(50), EntryKind::Message, ME, START_MS, text("act 50"))]);
    note(&mut timeline);
    timeline.customer_at(3, 0);
    note(&mut timeline);
    timeline.customer_at(3, 3);
    note(&mut timeline);
    assert_eq!(
        marks,
        [Writing, Sending, WaitingForNetwork, Overdue, Sent, Delivered, Read]
    );
}

/// Two machines went on from one disk: the other's words came into the log under the id of what this one parked.
#[test]
fn a_parked_act_stands_beside_an_entry_with_its_id_and_other_words() {
    let mut shown = Shown(BTreeMap::new());
    let theirs = stored(2, id(50), EntryKind::Message, ME, START_MS, text("the other machine's"));
    let texts = |timeline: &Timeline<u8>| {
        let rows = (0..timeline.total()).map(|index| timeline.row(index, None));
        rows.filter_map(|row| match row.body {
            RowBody::Message { text, .. } => Some((row.key, text, row.mark)),
            _ => None,
        })
        .skip(1)
        .collect::<Vec<_>>()
    };
    let both = [
        (id(50).to_string(), "the other machine's".to_owned(), Some(Sent)),
        (format!("act:{}", id(50)), "act 50".to_owned(), Some(NotSent)),
    ];
    // The entry comes while the act waits, and before or after the answer; or the timeline is opened later.
    for order in 0..3 {
        let mut timeline = timeline();
        timeline.insert(&[entry(1)]);
        shown.0.insert(0, observe(&mut timeline, From::Row(0), 50));
        match order {
            0 => {
                timeline.put_act(&act(1, 50, OutboxState::Waiting), Progress::Sending);
                timeline.insert(std::slice::from_ref(&theirs));
                timeline.put_act(&act(1, 50, parked()), Progress::Sending);
            }
            1 => {
                timeline.put_act(&act(1, 50, parked()), Progress::Sending);
                timeline.insert(std::slice::from_ref(&theirs));
            }
            _ => {
                timeline.insert(std::slice::from_ref(&theirs));
                timeline.put_act(&act(1, 50, parked()), Progress::Sending);
            }
        }
        shown.follow(&mut timeline);
        assert_eq!(texts(&timeline), both, "{order}");
        timeline.remove_act(id(50));
        shown.follow(&mut timeline);
        assert_eq!(texts(&timeline), both[..1], "{order}");
    }
}

/// Something can be done about these, by this id, whatever the row's key is.
#[test]
fn own_words_and_acts_that_wait_name_their_message() {
    let mut timeline = timeline();
    let own = stored(2, id(50), EntryKind::Message, ME, START_MS, text("the other machine's"));
    timeline.insert(&[entry(1), own, assignment(3, START_MS)]);
    timeline.raise_head(4);
    timeline.put_act(&act(1, 50, parked()), Progress::Sending);
    timeline.put_act(
        &OutboxAct {
            kind: ActKind::Close,
            content: Bytes::new(),
            ..act(2, 51, parked())
        },
        Progress::Sending,
    );
    let named: Vec<Option<String>> = (0..timeline.total())
        .map(|index| timeline.row(index, None).message)
        .collect();
    let of = |number| Some(id(number).to_string());
    assert_eq!(named, [None, of(50), None, None, of(50), of(51)]);
}

/// One's own words that came first by another connection are one row, not two.
#[test]
fn an_act_whose_entry_is_here_already_has_no_row_of_its_own() {
    let mut timeline = timeline();
    timeline.insert(&[stored(1, id(50), EntryKind::Message, ME, START_MS, text("act 50"))]);
    timeline.put_act(&act(1, 50, OutboxState::Waiting), Progress::Sending);
    assert_eq!(timeline.total(), 1);
}

#[test]
fn an_answer_that_overtakes_moves_one_row() {
    let mut timeline = timeline();
    timeline.insert(&[entry(1)]);
    observe(&mut timeline, From::Row(0), 50);
    timeline.put_act(&act(1, 50, parked()), Progress::Sending);
    timeline.put_act(&act(2, 51, OutboxState::Waiting), Progress::Sending);
    deltas(&mut timeline);
    timeline.insert(&[stored(2, id(51), EntryKind::Message, ME, START_MS, text("act 51"))]);
    let told = deltas(&mut timeline);
    assert!(
        matches!(&told[0], TimelineDelta::Move { from: 2, to: 1, row } if row.seq == Some(2)),
        "{told:?}"
    );
}

#[test]
fn an_overtaken_reply_stands_beside_what_was_said() {
    let said = |timeline: &Timeline<u8>| {
        let row = timeline.row(timeline.total() - 1, None);
        let refusal = row.refusal.unwrap();
        assert_eq!(refusal.code, "stale");
        refusal
            .said
            .into_iter()
            .map(|said| (said.seq, said.text))
            .collect::<Vec<_>>()
    };
    let mut timeline = timeline();
    timeline.insert(&[entry(1), entry(2)]);
    observe(&mut timeline, From::Row(0), 50);
    timeline.put_act(&act(1, 50, refused(RefusalCode::Stale, vec![2, 3])), Progress::Sending);
    assert_eq!(said(&timeline), [(2, "words 2".to_owned())]);
    // The push that overtook it may come after the refusal.
    deltas(&mut timeline);
    timeline.insert(&[entry(3)]);
    assert_eq!(said(&timeline), [(2, "words 2".to_owned()), (3, "words 3".to_owned())]);
    assert!(matches!(&deltas(&mut timeline)[..], [_, TimelineDelta::Update { row, .. }] if row.seq.is_none()));
    timeline.insert(&[recall(4, &entry(2))]);
    assert_eq!(said(&timeline), [(3, "words 3".to_owned())]);
}

#[test]
fn what_was_discarded_too_late_offers_to_be_recalled() {
    let mut timeline = timeline();
    let own = stored(1, id(50), EntryKind::Message, ME, START_MS, text("act 50"));
    timeline.offer_recall(own.id);
    timeline.insert(std::slice::from_ref(&own));
    assert!(timeline.row(0, None).too_late);
    timeline.insert(&[recall(2, &own)]);
    let row = timeline.row(0, None);
    assert!(matches!(row.body, RowBody::Recalled { .. }) && !row.too_late);
}

#[test]
fn anothers_message_under_an_own_id_is_no_target_of_what_is_done_to_the_own_one() {
    let mut timeline = timeline();
    let own = stored(1, id(50), EntryKind::Message, ME, START_MS, text("act 50"));
    let copied = stored(2, id(50), EntryKind::Message, CUSTOMER, START_MS, text("theirs"));
    timeline.insert(std::slice::from_ref(&copied));
    assert!(!timeline.has_own_entry(own.id));
    observe(&mut timeline, From::Row(0), 50);
    timeline.insert(std::slice::from_ref(&own));
    deltas(&mut timeline);
    timeline.offer_recall(own.id);
    let told = deltas(&mut timeline);
    assert!(matches!(&told[..], [TimelineDelta::Update { index: 0, row }] if row.too_late));
    assert!(!timeline.row(1, None).too_late);
    timeline.insert(&[recall(3, &own)]);
    assert!(matches!(timeline.row(0, None).body, RowBody::Recalled { .. }));
    assert!(matches!(timeline.row(1, None).body, RowBody::Message { .. }));
}

#[test]
fn an_act_without_words_says_that_it_waits_and_why_it_was_refused() {
    let mut timeline = timeline();
    timeline.set_online(true);
    let doing = |kind: ActKind, state: OutboxState| OutboxAct {
        kind,
        content: Bytes::new(),
        ..act(1, 50, state)
    };
    timeline.put_act(&doing(ActKind::Close, OutboxState::Waiting), Progress::Sending);
    assert_eq!(timeline.row(0, None).mark, Some(Sending));
    timeline.put_act(&doing(ActKind::Close, parked()), Progress::Sending);
    assert_eq!(timeline.row(0, None).refusal.unwrap().code, "taken");
    timeline.put_act(&doing(ActKind::Recall, OutboxState::Waiting), Progress::Sending);
    let row = timeline.row(0, None);
    assert_eq!((row.body, row.mark), (RowBody::Nothing, None));
    timeline.put_act(&doing(ActKind::Recall, parked()), Progress::Sending);
    let row = timeline.row(0, None);
    assert_eq!((row.body, row.mark), (RowBody::Recall, Some(NotSent)));
}
