//! Any steps in any order, and what windows that were told of them show.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;
use zuoxi_protocol::change::{OutboxAct, OutboxState, StoredEntry};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{EntryKind, RefusalCode};

use super::{CUSTOMER, ME, START_MS, Shown, act, entry, parked, recall, refused, stored, text, timeline};
use crate::{From, Progress, Timeline};

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
