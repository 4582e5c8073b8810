//! What agents do where a customer may not look moves nothing that the customer is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message as _;
use story::{AMY, LEA, Story, unpacked};
use zuoxi_wire::v1::{
    self, CustomerState, EntryKind, Push, client_frame::Kind as Ask, gateway_frame::Kind, read_entries::What,
};
use zuoxi_wire::{Id, limits};

#[test]
fn after_a_note_and_a_clock_set_back_a_customer_is_told_the_time_that_it_is() {
    const BACK_MS: u64 = 10_000;
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, welcome) = story.customer_welcome();
    story.writes(customer, "hi");
    let talk = Id::try_from(&story.pushes(amy)[0].conversation).unwrap();
    story.wait(2 * BACK_MS);
    story.notes(amy, talk, "a note that nobody knows of").unwrap();
    story.now -= BACK_MS;
    story.restart();
    let amy = story.agent("amy");
    let (customer, _) = story.resume(&welcome.session);
    story.drain(amy);
    let told = story.writes(customer, "more");
    assert_eq!(told.time_ms, story.now);
    let newest = What::Newest(9);
    let read = unpacked(&story.page(customer, None, newest));
    assert_eq!(read.last().unwrap().time_ms, story.now, "read later");
    let found = |story: &mut Story, device, conversation: Vec<u8>| {
        let time_ms = story.now;
        let ask = v1::FindTime {
            conversation: conversation.into(),
            time_ms,
        };
        match story.ask(device, Ask::FindTime(ask)) {
            Kind::FoundTime(found) => (found.seq, found.head),
            other => panic!("{other:?}"),
        }
    };
    let (seq, head) = found(&mut story, customer, Vec::new());
    assert_eq!(seq, head, "found by the time that was told");
    let agents: Vec<u64> = story.log(talk).iter().map(|entry| entry.time_ms).collect();
    assert!(agents.is_sorted(), "{agents:?}");
    assert_eq!(agents.last(), Some(&(story.now + BACK_MS)), "as late as the note");
}

#[test]
fn a_desk_that_only_a_note_waits_for_stays() {
    let mut story = Story::new();
    let (amy, other) = (story.agent("amy"), story.agent("amy"));
    let (_, talk) = story.customer_who_writes("0");
    for device in [amy, other] {
        let last = story.pushes(device).last().unwrap().number;
        story.acknowledge(device, last, &[]);
    }
    story.notes(amy, talk, "note").unwrap();
    assert_eq!(story.pushes(other).len(), 1);
    story.wait(limits::ACK_MS + 1);
    assert!(!story.closed.contains(&other), "its going would show to the customer");
    story.answers(amy, talk, "1").unwrap();
    story.wait(limits::ACK_MS + 1);
    assert!(story.closed.contains(&other));
}

/// One thing that agents do where a customer may not look.
#[derive(Debug, Clone)]
enum Hidden {
    Note,
    RecallNote,
    ReadAll,
    Watch,
    Tag,
}

#[derive(Debug, Clone)]
enum Step {
    Says(bool),
    RecallLast,
    Close,
    Wait(u64),
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(Step::Says),
        1 => Just(Step::RecallLast),
        1 => Just(Step::Close),
        1 => (1u64..20_000).prop_map(Step::Wait),
        1 => Just(Step::Read),
    ]
}

fn hidden() -> impl Strategy<Value = Hidden> {
    prop_oneof![
        Just(Hidden::Note),
        Just(Hidden::RecallNote),
        Just(Hidden::ReadAll),
        Just(Hidden::Watch),
        Just(Hidden::Tag)
    ]
}

/// Ids of what the gateway itself stores are random in each telling: they are named by their order.
fn named(bytes: &bytes::Bytes, names: &mut BTreeMap<bytes::Bytes, u64>) -> u64 {
    let next = names.len() as u64;
    *names.entry(bytes.clone()).or_insert(next)
}

/// All that a customer is told in a story, with or without what agents do in secret.
fn told_to_customer(steps: &[(Step, Option<Hidden>)], secret: bool) -> Vec<String> {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let lea = story.agent("lea");
    let (customer, welcome) = story.customer_welcome();
    let me = Id::try_from(&welcome.me.unwrap().id).unwrap();
    story.writes(customer, "hi");
    let pushes = story.pushes(customer);
    let talk = Id::try_from(&pushes[0].conversation).unwrap();
    story.acknowledge(customer, pushes.last().unwrap().number, &[]);
    let mut last = None;
    let mut told = Vec::new();
    let mut note = None;
    // Ids are made whether the secret is told or not, so that both stories have the same ones.
    for (step, aside) in steps {
        let spare = story.fresh_id();
        let holder = if story.row(talk).holder == Some(LEA) { lea } else { amy };
        if let Some(aside) = aside.as_ref().filter(|_| secret) {
            match aside {
                Hidden::Note => {
                    let mut act = story.act(holder, Some(talk), v1::ActKind::Note, story::note("secret"));
                    act.id = spare.to_bytes();
                    if story.send(holder, act).is_ok() {
                        note = Some((if holder == lea { LEA } else { AMY }, spare, holder));
                    }
                }
                Hidden::RecallNote => {
                    if let Some((author, id, device)) = note.take() {
                        story.recalls(device, Some(talk), author, id).unwrap();
                    }
                }
                Hidden::ReadAll => {}
                Hidden::Watch => {
                    story.ask(
                        amy,
                        Ask::Watch(v1::Watch {
                            conversation: talk.to_bytes(),
                        }),
                    );
                }
                Hidden::Tag => {
                    let content = v1::TagContent {
                        tags: vec!["vip".into()],
                    }
                    .encode_to_vec()
                    .into();
                    let _ = story.does(holder, Some(talk), v1::ActKind::Tag, content);
                }
            }
        }
        match step {
            Step::Says(true) => {
                let act = story.act(customer, None, v1::ActKind::Message, story::words("customer"));
                last = Some(Id::try_from(&act.id).unwrap());
                story.send(customer, act).unwrap();
            }
            Step::Says(false) => drop(story.answers(holder, talk, "agent")),
            Step::RecallLast => {
                if let Some(id) = last.take() {
                    story.recalls(customer, None, me, id).unwrap();
                }
            }
            Step::Close => drop(story.closes(holder, Some(talk))),
            Step::Wait(ms) => story.wait(*ms),
            Step::Read => {
                let head = story.row(talk).head;
                story.frame(
                    holder,
                    Ask::MovePosition(v1::MovePosition {
                        conversation: talk.to_bytes(),
                        read: head,
                    }),
                );
                story.wait(250);
            }
        }
        for device in [amy, lea] {
            let last = story.pushes(device).last().map_or(0, |push| push.number);
            if last > 0 {
                story.acknowledge(device, last, &[]);
            }
        }
        let pushes: Vec<Kind> = story.drain(customer);
        for kind in &pushes {
            if let Kind::Pushes(pushes) = kind
                && let Some(push) = pushes.pushes.last()
            {
                story.acknowledge(customer, push.number, &[]);
            }
        }
        told.extend(pushes);
        told.push(Kind::EntriesPage(story.page(customer, None, What::Newest(500))));
    }
    let mut names = BTreeMap::new();
    told.iter().map(|kind| anonymous(kind, &mut names)).collect()
}

fn anonymous(kind: &Kind, names: &mut BTreeMap<bytes::Bytes, u64>) -> String {
    let mut entry_line = |entry: &v1::Entry| {
        let name = named(&entry.id, names);
        let content = if entry.kind() == EntryKind::Recall {
            bytes::Bytes::new()
        } else {
            entry.content.clone()
        };
        format!(
            "{:?}",
            v1::Entry {
                content,
                id: name.to_be_bytes().to_vec().into(),
                author: bytes::Bytes::new(),
                ..entry.clone()
            }
        )
    };
    match kind {
        Kind::Pushes(pushes) => pushes
            .pushes
            .iter()
            .map(|push| {
                let entry = push.entry.as_ref().map(&mut entry_line);
                let bare = Push {
                    entry: None,
                    conversation: bytes::Bytes::new(),
                    ..push.clone()
                };
                format!("{bare:?} {entry:?};")
            })
            .collect::<Vec<String>>()
            .concat(),
        Kind::EntriesPage(page) => {
            let entries: Vec<String> = unpacked(page).iter().map(&mut entry_line).collect();
            let blocks: Vec<(u64, u64, u32)> = page.blocks.iter().map(|b| (b.first, b.last, b.generation)).collect();
            let positions: Vec<(u64, u64)> = page.positions.iter().map(|p| (p.delivered, p.read)).collect();
            format!("{} {} {blocks:?} {entries:?} {positions:?}", page.head, page.floor)
        }
        Kind::CustomerState(state) => {
            format!(
                "{:?}",
                CustomerState {
                    conversation: bytes::Bytes::new(),
                    agent: bytes::Bytes::new(),
                    ..state.clone()
                }
            )
        }
        Kind::Heartbeat(beat) => format!(
            "{} {} {:?}",
            beat.epoch,
            beat.time_ms,
            beat.own.as_ref().map(|own| (own.head, own.floor))
        ),
        Kind::PositionMoves(moves) => {
            let all = moves.moves.iter().flat_map(|moved| &moved.positions);
            format!(
                "{:?}",
                all.map(|position| (position.delivered, position.read))
                    .collect::<Vec<_>>()
            )
        }
        Kind::Answers(_) => String::new(),
        other => format!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_customer_is_told_the_same_with_and_without_notes(
        steps in prop::collection::vec((step(), prop::option::of(hidden())), 1..25)
    ) {
        prop_assert_eq!(told_to_customer(&steps, true), told_to_customer(&steps, false));
    }
}
