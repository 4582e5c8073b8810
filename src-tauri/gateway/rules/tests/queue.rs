//! What customers who wait are told of their place and of who serves them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use story::{Device, Story};
use zuoxi_wire::limits;
use zuoxi_wire::v1::{CustomerState, customer_state::Stage, gateway_frame::Kind};

fn states(kinds: Vec<Kind>) -> Vec<CustomerState> {
    kinds
        .into_iter()
        .filter_map(|kind| {
            if let Kind::CustomerState(state) = kind {
                Some(state)
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn a_customer_is_told_how_many_wait_before_them_and_who_serves() {
    let mut story = Story::new();
    let (first, talk) = story.customer_who_writes("1");
    let (second, _) = story.customer_who_writes("2");
    let told = states(story.drain(second)).pop().unwrap();
    assert_eq!((told.stage(), told.ahead), (Stage::NobodyOnline, 1));
    story.drain(first);
    let amy = story.agent("amy");
    assert_eq!(states(story.drain(first)).pop().unwrap().agent_name, "Amy");
    assert_eq!(states(story.drain(second)).pop().unwrap().stage(), Stage::Served);
    story.closes(amy, Some(talk)).unwrap();
    let closed = states(story.drain(first)).len() + states(story.drain(second)).len();
    assert_eq!(closed, 1);
}

#[test]
fn those_who_wait_learn_when_they_move_up() {
    let mut story = Story::new();
    let (first, _) = story.customer_who_writes("1");
    let (second, _) = story.customer_who_writes("2");
    story.drain(second);
    story.closes(first, None).unwrap();
    story.wait(1_100);
    assert_eq!(states(story.drain(second)).pop().unwrap().ahead, 0);
}

#[test]
fn places_far_back_are_not_counted_and_nobody_there_hears_of_those_in_front() {
    let mut story = Story::new();
    let waiting: Vec<Device> = (0..=limits::QUEUE_AHEAD + 1)
        .map(|number| {
            story.wait(1);
            story.customer_who_writes(&number.to_string()).0
        })
        .collect();
    let ahead = |story: &mut Story, device| states(story.drain(device)).pop().map(|told| u64::from(told.ahead));
    let (far, last) = (waiting[waiting.len() - 2], waiting[waiting.len() - 1]);
    assert_eq!(ahead(&mut story, far), Some(limits::QUEUE_AHEAD));
    assert_eq!(ahead(&mut story, last), Some(limits::QUEUE_AHEAD));
    story.closes(waiting[0], None).unwrap();
    story.wait(1_100);
    assert_eq!(ahead(&mut story, far), Some(limits::QUEUE_AHEAD - 1));
    assert_eq!(ahead(&mut story, last), None);
}
