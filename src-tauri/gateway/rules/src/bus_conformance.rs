//! The suite that every [`Bus`] passes: what the rules rely on.
//!
//! ```
//! let hub = zuoxi_rules::bus::Hub::default();
//! zuoxi_rules::bus_conformance::run(&mut || hub.node(|| {}), &mut || {});
//! ```

use zuoxi_wire::Id;
use zuoxi_wire::v1::{Presence, Push};

use crate::bus::{Bus, Heard, Notice, Subject, To};
use crate::record::Who;

/// Runs the whole suite. `join` gives a node of one and the same bus each time, and none of a rule's nodes outlives it;
/// `settle` waits until what was published and followed has reached everybody.
///
/// # Panics
/// Where the bus isn't what the rules rely on.
pub fn run<B: Bus>(join: &mut dyn FnMut() -> B, settle: &mut dyn FnMut()) {
    for rule in [
        those_who_follow_hear_it_once_and_nobody_else_does,
        what_one_node_published_is_heard_in_its_order,
        a_node_that_stopped_following_hears_nothing,
        a_node_that_left_is_told_of_last,
        whoever_does_not_listen_is_told_that_something_is_missing,
        any_notice_comes_as_it_was_published,
    ] {
        rule(&mut Stage { join, settle });
    }
}

struct Stage<'a, B> {
    join: &'a mut dyn FnMut() -> B,
    settle: &'a mut dyn FnMut(),
}

impl<B: Bus> Stage<'_, B> {
    fn node(&mut self, follows: &[Subject]) -> B {
        let mut node = (self.join)();
        for subject in follows {
            node.follow(*subject);
        }
        (self.settle)();
        node
    }

    fn heard(&mut self, node: &mut B) -> Vec<Heard> {
        (self.settle)();
        std::iter::from_fn(|| node.hear()).collect()
    }
}

const AMY: Subject = Subject::Agent(Id([1; 16]));
/// The same id, and yet another subject.
const CUSTOMER: Subject = Subject::Customer(Id([1; 16]));

fn push(number: u64) -> Notice {
    Notice::Push {
        to: To::Agent(Id([1; 16])),
        push: Push {
            head: number,
            ..Push::default()
        },
        hidden: number.is_multiple_of(2),
        epoch: 7,
    }
}

fn numbers(heard: &[Heard]) -> Vec<u64> {
    let number = |heard: &Heard| match heard {
        Heard::Notice(_, Notice::Push { push, .. }) => push.head,
        other => panic!("{other:?}"),
    };
    heard.iter().map(number).collect()
}

fn those_who_follow_hear_it_once_and_nobody_else_does<B: Bus>(stage: &mut Stage<'_, B>) {
    let mut one = stage.node(&[AMY, Subject::Nodes]);
    let mut two = stage.node(&[AMY, AMY]);
    let mut three = stage.node(&[CUSTOMER, Subject::Nodes]);
    assert!(one.has_others() && two.has_others() && three.has_others());
    one.publish(AMY, &push(1));
    one.publish(Subject::Nodes, &push(2));
    assert_eq!(numbers(&stage.heard(&mut one)), [0; 0]);
    assert_eq!(numbers(&stage.heard(&mut two)), [1]);
    assert_eq!(numbers(&stage.heard(&mut three)), [2]);
}

fn what_one_node_published_is_heard_in_its_order<B: Bus>(stage: &mut Stage<'_, B>) {
    let mut here = stage.node(&[]);
    let mut there = stage.node(&[AMY, CUSTOMER]);
    for number in 1..=1_000 {
        here.publish(if number % 3 == 0 { AMY } else { CUSTOMER }, &push(number));
    }
    assert_eq!(numbers(&stage.heard(&mut there)), (1..=1_000).collect::<Vec<u64>>());
}

fn a_node_that_stopped_following_hears_nothing<B: Bus>(stage: &mut Stage<'_, B>) {
    let mut here = stage.node(&[]);
    let mut there = stage.node(&[AMY, CUSTOMER]);
    there.unfollow(AMY);
    (stage.settle)();
    here.publish(AMY, &push(1));
    here.publish(CUSTOMER, &push(2));
    assert_eq!(numbers(&stage.heard(&mut there)), [2]);
}

fn a_node_that_left_is_told_of_last<B: Bus>(stage: &mut Stage<'_, B>) {
    let mut here = stage.node(&[AMY]);
    let mut leaves = stage.node(&[]);
    let mut stays = stage.node(&[]);
    leaves.publish(AMY, &push(1));
    stays.publish(AMY, &push(2));
    drop(leaves);
    stays.publish(AMY, &push(3));
    let heard = stage.heard(&mut here);
    let [
        Heard::Notice(left, _),
        Heard::Notice(stayed, _),
        Heard::Left(gone),
        Heard::Notice(still, _),
    ] = &heard[..]
    else {
        panic!("{heard:?}");
    };
    assert!(left == gone && left != stayed && stayed == still);
    assert_eq!(stage.heard(&mut stays), [Heard::Left(*gone)]);
}

/// More than any bus may keep for a node that doesn't listen.
const TOO_MANY: u64 = 100_000;

fn whoever_does_not_listen_is_told_that_something_is_missing<B: Bus>(stage: &mut Stage<'_, B>) {
    let mut here = stage.node(&[]);
    let mut there = stage.node(&[AMY]);
    let mut listens = stage.node(&[AMY]);
    let mut told = 0;
    for number in 1..=TOO_MANY {
        here.publish(AMY, &push(number));
        if number % 500 == 0 {
            told += stage.heard(&mut listens).len() as u64;
        }
    }
    assert_eq!(told, TOO_MANY, "one that listens is held up by one that doesn't");
    let heard = stage.heard(&mut there);
    let missed = heard.iter().rposition(|heard| *heard == Heard::Missed);
    let Some(missed) = missed else {
        panic!(
            "{} notices are missing, and nobody says so",
            TOO_MANY - heard.len() as u64
        );
    };
    let rest = numbers(heard.get(missed + 1..).unwrap_or_default());
    let first = TOO_MANY - rest.len() as u64 + 1;
    assert_eq!(
        rest,
        (first..=TOO_MANY).collect::<Vec<u64>>(),
        "a hole after the last one that was told"
    );
    here.publish(AMY, &push(7));
    assert_eq!(numbers(&stage.heard(&mut there)), [7]);
}

fn any_notice_comes_as_it_was_published<B: Bus>(stage: &mut Stage<'_, B>) {
    use zuoxi_wire::v1::{PresenceMoves, gateway_frame};
    let mut here = stage.node(&[]);
    let mut there = stage.node(&[Subject::Nodes]);
    let notices = [
        push(4),
        Notice::Say {
            to: To::Agents,
            said: gateway_frame::Kind::PresenceMoves(PresenceMoves::default()),
        },
        Notice::Moved {
            conversation: Id([9; 16]),
        },
        Notice::Doubted,
        Notice::Presence {
            agent: Id([1; 16]),
            presence: Presence::Away,
        },
        Notice::LoggedOut { token_hash: [5; 32] },
        Notice::Facts,
        Notice::WhoIsThere,
        Notice::There {
            members: vec![Who::Agent(Id([1; 16])), Who::Customer(Id([1; 16]))],
        },
        Notice::Connected {
            member: Who::Customer(Id([2; 16])),
            connected: false,
        },
    ];
    for notice in &notices {
        here.publish(Subject::Nodes, notice);
    }
    let heard = stage.heard(&mut there);
    let came: Vec<&Notice> = heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Notice(_, notice) => Some(notice),
            _ => None,
        })
        .collect();
    assert_eq!(came, notices.iter().collect::<Vec<_>>());
}
