//! How far each side has received and read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use story::{BEN, Story, to_agent};
use zuoxi_wire::v1::{self, client_frame::Kind as Ask, gateway_frame::Kind};

#[test]
fn reading_moves_forward_only_and_both_sides_see_it_in_their_own_log() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    story.notes(amy, talk, "a note that nobody knows of").unwrap();
    story.writes(customer, "more");
    story.drain(customer);
    let read = |seq| {
        Ask::MovePosition(v1::MovePosition {
            conversation: talk.to_bytes(),
            read: seq,
        })
    };
    story.frame(amy, read(5));
    let moved = story.drain(customer);
    let Some(Kind::PositionMoves(moves)) = moved.first() else {
        panic!("{moved:?}")
    };
    assert_eq!(moves.moves[0].positions[0].read, 3, "the last entry visible there");
    assert_eq!(story.row(talk).unread, 0);
    story.wait(300);
    story.drain(customer);
    story.frame(amy, read(2));
    story.wait(300);
    assert!(
        !story
            .drain(customer)
            .iter()
            .any(|kind| matches!(kind, Kind::PositionMoves(_)))
    );
}

#[test]
fn a_watermark_without_a_name_is_of_the_push_that_is_named() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (first, talk) = story.customer_who_writes("hi");
    let (second, _) = story.customer_who_writes("hello");
    let pushes = story.pushes(amy);
    let last_of_talk = pushes.iter().rfind(|push| push.conversation == talk.to_bytes());
    let last = last_of_talk.unwrap().number;
    assert!(pushes.last().unwrap().number > last, "the other's come after it");
    let delivered = |story: &mut Story, device| {
        story.wait(300);
        let moves = story.drain(device).into_iter().filter_map(|kind| match kind {
            Kind::PositionMoves(moves) => Some(moves.moves[0].positions[0].delivered),
            _ => None,
        });
        moves.last()
    };
    story.drain(first);
    story.drain(second);
    story.acknowledge_in_short(amy, last, 1);
    assert_eq!(delivered(&mut story, first), Some(1));
    story.acknowledge_in_short(amy, last, 2);
    assert_eq!(delivered(&mut story, first), Some(2), "named again");
    story.acknowledge(amy, last + 1, &[]);
    story.writes(first, "more");
    story.drain(first);
    story.acknowledge_in_short(amy, last, 3);
    assert_eq!(delivered(&mut story, first), None, "another was named after it");
    assert_eq!(delivered(&mut story, second), None);
}

#[test]
fn reading_a_note_tells_a_customer_nothing() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    let read = |seq| {
        Ask::MovePosition(v1::MovePosition {
            conversation: talk.to_bytes(),
            read: seq,
        })
    };
    story.frame(amy, read(3));
    story.wait(300);
    story.notes(amy, talk, "note").unwrap();
    story.drain(customer);
    story.frame(amy, read(4));
    story.wait(300);
    assert!(story.drain(customer).is_empty());
}

#[test]
fn moves_are_gathered_to_five_a_second() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("0");
    (0..99).for_each(|n| drop(story.writes(customer, &n.to_string())));
    story.drain(customer);
    for seq in 1..=100 {
        story.frame(
            amy,
            Ask::MovePosition(v1::MovePosition {
                conversation: talk.to_bytes(),
                read: seq,
            }),
        );
        story.wait(10);
    }
    let told = story
        .drain(customer)
        .into_iter()
        .filter(|kind| matches!(kind, Kind::PositionMoves(_)))
        .count();
    assert!((5..=6).contains(&told), "{told} in a second");
}

#[test]
fn a_new_agent_of_an_old_customer_has_no_thousand_unread() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("0");
    (0..50).for_each(|n| drop(story.writes(customer, &n.to_string())));
    story.answers(amy, talk, "all answered").unwrap();
    let _ben = story.agent("ben");
    story.writes(customer, "one more");
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    assert_eq!(story.row(talk).unread, 1);
}
