//! Deltas replayed on the last view give the view computed afresh, whatever happens; and costs are flat.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;
use zuoxi_protocol::change::{OutboxAct, OutboxState};
use zuoxi_wire::v1::{
    ActKind, AssignmentContent, AssignmentReason, AuthorRole, EntryKind, MessageContent, NoteContent, ReasonContent,
    RecallContent, RefusalCode, message_content,
};

use super::*;
use crate::view::Mark::{Delivered, NotSent, Overdue, Read, Sending, Sent, WaitingForNetwork, Writing};
use crate::view::{RowBody, TimelineRow};
use crate::view::{TimelineDelta, TimelineView};
use zuoxi_protocol::change::Range;

const ME: Id = Id([1; 16]);
const CUSTOMER: Id = Id([2; 16]);
const START_MS: u64 = 1_764_000_000_000;

fn me() -> Me {
    Me {
        id: ME,
        name: "小林".into(),
        customer: false,
    }
}

fn timeline() -> Timeline<u8> {
    // Beijing.
    Timeline::new(Id([9; 16]), me(), Arc::new(|_| 480))
}

fn id(number: u64) -> Id {
    Id::v7(START_MS, {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        random
    })
}

fn text(words: &str) -> Bytes {
    MessageContent {
        body: Some(message_content::Body::Text(words.into())),
        language: String::new(),
    }
    .encode_to_vec()
    .into()
}

fn stored(seq: u64, id: Id, kind: EntryKind, author: Id, time_ms: u64, content: Bytes) -> StoredEntry {
    let role = if author == ME {
        AuthorRole::Agent
    } else {
        AuthorRole::Customer
    };
    let entry = Entry {
        seq,
        id: id.to_bytes(),
        kind: kind.into(),
        time_ms,
        author_role: role.into(),
        author: author.to_bytes(),
        content,
        ..Entry::default()
    };
    StoredEntry {
        seq,
        id,
        author: Some(author),
        time_ms,
        bytes: entry.encode_to_vec().into(),
    }
}

/// Seq and id agree; kinds, authors and pauses vary by Seq.
fn entry(seq: u64) -> StoredEntry {
    let author = if seq.is_multiple_of(3) { ME } else { CUSTOMER };
    let time_ms = START_MS + seq * 61_000 + (seq / 10) * 9 * 3_600_000;
    match seq % 7 {
        5 if seq.is_multiple_of(2) => assignment(seq, time_ms),
        6 if !seq.is_multiple_of(2) => reason(seq, "too slow", time_ms),
        5 => {
            let content = NoteContent {
                text: format!("note {seq}"),
            }
            .encode_to_vec()
            .into();
            stored(seq, id(seq), EntryKind::Note, ME, time_ms, content)
        }
        6 => stored(seq, id(seq), EntryKind::Reopen, CUSTOMER, time_ms, Bytes::new()),
        _ => stored(
            seq,
            id(seq),
            EntryKind::Message,
            author,
            time_ms,
            text(&format!("words {seq}")),
        ),
    }
}

fn assignment(seq: u64, time_ms: u64) -> StoredEntry {
    let content = AssignmentContent {
        agent: ME.to_bytes(),
        agent_name: "小林".into(),
        team_name: "售后".into(),
        ..AssignmentContent::default()
    };
    stored(
        seq,
        id(seq),
        EntryKind::Assignment,
        CUSTOMER,
        time_ms,
        content.encode_to_vec().into(),
    )
}

fn reason(seq: u64, words: &str, time_ms: u64) -> StoredEntry {
    let content = ReasonContent {
        reason: AssignmentReason::Transfer.into(),
        text: words.into(),
        by_name: "王珊".into(),
        ..ReasonContent::default()
    };
    stored(
        seq,
        id(seq),
        EntryKind::Reason,
        CUSTOMER,
        time_ms,
        content.encode_to_vec().into(),
    )
}

fn recall(seq: u64, target: &StoredEntry) -> StoredEntry {
    let author = target.author.unwrap();
    let content = RecallContent {
        author: author.to_bytes(),
        id: target.id.to_bytes(),
    };
    stored(
        seq,
        id(10_000 + seq),
        EntryKind::Recall,
        author,
        target.time_ms,
        content.encode_to_vec().into(),
    )
}

fn act(place: u64, number: u64, state: OutboxState) -> OutboxAct {
    OutboxAct {
        place,
        id: id(number),
        conversation: Some(Id([9; 16])),
        kind: ActKind::Message,
        content: text(&format!("act {number}")),
        base: 0,
        done_ms: START_MS + place * 50_000,
        left: false,
        state,
    }
}

fn parked() -> OutboxState {
    refused(RefusalCode::Taken, vec![])
}

fn refused(code: RefusalCode, stale_seqs: Vec<u64>) -> OutboxState {
    OutboxState::Parked {
        code: code.into(),
        behind: false,
        stale_seqs,
        assignee_name: "周".into(),
    }
}

/// What one window was shown, by replaying.
struct Shown(BTreeMap<u8, TimelineView>);

impl Shown {
    fn follow(&mut self, timeline: &mut Timeline<u8>) {
        for (name, deltas) in timeline.take_deltas() {
            let view = self.0.get_mut(&name).expect("only windows are told");
            for delta in &deltas {
                if let TimelineDelta::Insert { index, rows } = delta {
                    assert!(*index >= view.from && *index <= view.from + view.rows.len() as u64);
                    assert!(!rows.is_empty());
                }
                replay(view, delta);
                let mut keys: Vec<&str> = view.rows.iter().map(|row| row.key.as_str()).collect();
                keys.sort_unstable();
                keys.dedup();
                assert_eq!(keys.len(), view.rows.len(), "a key stands twice after {delta:?}");
            }
        }
        for (name, view) in &self.0 {
            let shown = timeline.whole(name).unwrap();
            assert_eq!((view.from, &view.rows), (shown.from, &shown.rows));
            assert_eq!((view.total, view.floor), (shown.total, shown.floor));
            assert_eq!(view.customer_read, shown.customer_read);
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Entry(u64),
    Page(u64, u64),
    Head(u64),
    Cut(u64),
    Floor(u64),
    Do(u64),
    Change(usize, u8),
    Settle(usize, u64),
    Copied(usize, u64, bool),
    Discard(usize),
    TooLate(u64, bool),
    Erase(u64),
    Recall(u64),
    Customer(u64, u64),
    Online(bool),
    Observe(u8, Option<u64>, u64),
    Unobserve(u8),
    Evict(u64),
    Tell,
}

fn step() -> impl Strategy<Value = Step> {
    let seq = 1..60u64;
    prop_oneof![
        6 => seq.clone().prop_map(Step::Entry),
        2 => (seq.clone(), 1..12u64).prop_map(|(first, count)| Step::Page(first, count)),
        1 => seq.clone().prop_map(Step::Head),
        1 => seq.clone().prop_map(Step::Cut),
        1 => (1..20u64).prop_map(Step::Floor),
        4 => (1..4u64).prop_map(Step::Do),
        2 => (0..6usize, 0..5u8).prop_map(|(which, state)| Step::Change(which, state)),
        4 => (0..6usize, 0..4u64).prop_map(|(which, ahead)| Step::Settle(which, ahead)),
        1 => (0..6usize, 0..4u64, any::<bool>()).prop_map(|(which, ahead, own)| Step::Copied(which, ahead, own)),
        1 => (0..6usize).prop_map(Step::Discard),
        1 => (seq.clone(), any::<bool>()).prop_map(|(seq, offered)| Step::TooLate(seq, offered)),
        1 => seq.clone().prop_map(Step::Erase),
        1 => seq.clone().prop_map(Step::Recall),
        1 => (0..60u64, 0..60u64).prop_map(|(delivered, read)| Step::Customer(delivered, read)),
        1 => any::<bool>().prop_map(Step::Online),
        3 => (0..3u8, proptest::option::of(0..60u64), 1..20u64)
            .prop_map(|(name, from, count)| Step::Observe(name, from, count)),
        1 => (0..3u8).prop_map(Step::Unobserve),
        1 => (0..5u64).prop_map(Step::Evict),
        4 => Just(Step::Tell),
    ]
}

/// What happens beside the timeline: the outbox as it stands, and the log's content, which never changes.
#[derive(Default)]
struct World {
    outbox: Vec<OutboxAct>,
    log: BTreeMap<u64, StoredEntry>,
    done: u64,
    /// Acts whose ids stand in the log with other words.
    copied: BTreeSet<Id>,
}

impl World {
    fn of(&mut self, seq: u64) -> StoredEntry {
        self.log.entry(seq).or_insert_with(|| entry(seq)).clone()
    }

    /// An entry at a free Seq, so far from the head.
    fn came(&mut self, timeline: &mut Timeline<u8>, ahead: u64, id: Id, author: Id, content: Bytes) {
        let free = |seq: &u64| !self.log.contains_key(seq) && *seq >= timeline.floor();
        let seq = (timeline.head() + ahead..u64::MAX).find(free).unwrap();
        let entry = stored(seq, id, EntryKind::Message, author, START_MS + seq * 61_000, content);
        self.log.insert(seq, entry.clone());
        timeline.insert(&[entry]);
    }

    fn apply(&mut self, timeline: &mut Timeline<u8>, shown: &mut Shown, step: &Step) {
        match *step {
            Step::Entry(seq) => timeline.insert(&[self.of(seq)]),
            Step::Page(first, count) => {
                let page: Vec<_> = (first..first + count).map(|seq| self.of(seq)).collect();
                timeline.insert(&page);
            }
            Step::Head(head) => timeline.raise_head(head),
            Step::Cut(head) => {
                timeline.cut_above(head);
                self.log.split_off(&(head + 1));
            }
            Step::Floor(floor) => timeline.set_floor(floor),
            Step::Do(count) => {
                for _ in 0..count {
                    self.done += 1;
                    self.outbox
                        .push(act(self.done, 1_000 + self.done, OutboxState::Waiting));
                    timeline.put_act(self.outbox.last().unwrap(), Progress::Writing);
                }
            }
            Step::Change(which, state) => {
                if let Some(act) = self.outbox.get_mut(which) {
                    act.state = match state {
                        0 => OutboxState::Waiting,
                        1 => OutboxState::Voided,
                        2 => parked(),
                        3 => refused(RefusalCode::Stale, (1..60).step_by(3).collect()),
                        _ => OutboxState::Lost,
                    };
                    timeline.put_act(act, Progress::Sending);
                }
            }
            Step::Settle(which, ahead) => {
                if which < self.outbox.len() {
                    let act = self.outbox.remove(which);
                    self.came(timeline, ahead, act.id, ME, act.content);
                    timeline.remove_act(act.id);
                    self.copied.remove(&act.id);
                }
            }
            Step::Copied(which, ahead, own) => {
                if let Some(act) = self.outbox.get(which).filter(|act| act.state != OutboxState::Voided) {
                    let (id, author) = (act.id, if own { ME } else { CUSTOMER });
                    self.came(timeline, ahead, id, author, text("other words"));
                    self.copied.insert(id);
                }
            }
            Step::Discard(which) => {
                if which < self.outbox.len() {
                    let id = self.outbox.remove(which).id;
                    timeline.remove_act(id);
                    self.copied.remove(&id);
                }
            }
            Step::TooLate(seq, true) => timeline.offer_recall(self.of(seq).id),
            Step::TooLate(seq, false) => timeline.recall_not_offered(self.of(seq).id),
            Step::Erase(seq) => timeline.erase(&[seq]),
            Step::Recall(seq) => {
                let target = self.of(seq);
                let at = timeline.head() + 1;
                if !self.log.contains_key(&at) && seq < at {
                    self.log.insert(at, recall(at, &target));
                    timeline.insert(&[self.of(at)]);
                }
            }
            Step::Customer(delivered, read) => timeline.customer_at(delivered, read),
            Step::Online(online) => timeline.set_online(online),
            Step::Observe(name, from, count) => {
                let from = from.map_or(From::Unread, From::Row);
                shown.0.insert(name, timeline.observe(name, from, count));
            }
            Step::Unobserve(name) => {
                shown.0.remove(&name);
                timeline.unobserve(&name);
            }
            Step::Evict(margin) => {
                // A window is asked for anew once it wants what went with its neighbour: flags at its edge may differ.
                timeline.evict(margin + 20);
            }
            Step::Tell => shown.follow(timeline),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn deltas_on_the_last_view_give_the_view_computed_afresh(steps in proptest::collection::vec(step(), 1..80)) {
        let (mut timeline, mut shown, mut world) = (timeline(), Shown(BTreeMap::new()), World::default());
        for step in &steps {
            world.apply(&mut timeline, &mut shown, step);
        }
        shown.follow(&mut timeline);
        // And the rows themselves: by Seq, then in the order of doing.
        let keys: Vec<Option<u64>> = (0..timeline.total()).map(|index| timeline.row(index, None).seq).collect();
        let settled: Vec<Option<u64>> = (timeline.floor()..=timeline.head()).map(Some).collect();
        prop_assert_eq!(&keys[..settled.len()], &settled[..]);
        let key = |id: Id| if world.copied.contains(&id) { format!("act:{id}") } else { id.to_string() };
        let acts: Vec<String> = world.outbox.iter().map(|act| key(act.id)).collect();
        let rows: Vec<String> =
            (settled.len() as u64..timeline.total()).map(|index| timeline.row(index, None).key).collect();
        prop_assert_eq!(rows, acts);
    }
}

fn observe(timeline: &mut Timeline<u8>, from: From, count: u64) -> TimelineView {
    timeline.observe(0, from, count)
}

fn deltas(timeline: &mut Timeline<u8>) -> Vec<TimelineDelta> {
    timeline
        .take_deltas()
        .pop()
        .map(|(_, deltas)| deltas)
        .unwrap_or_default()
}

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
    assert_eq!(
        (row.body, row.mark),
        (RowBody::Recall, Some(crate::view::Mark::NotSent))
    );
}

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

    let mut timeline = self::timeline();
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
