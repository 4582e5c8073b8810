//! What a sender would miss.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use bytes::Bytes;
use prost::Message as _;
use story::{AMY, BEN, Story, code, result, text_of, texts, to_agent, words};
use zuoxi_rules::memory::CommitFault;
use zuoxi_wire::v1::{ActKind, MessageContent, RefusalCode, Status};

#[test]
fn amy_answers_a_customer_and_both_see_it() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("在吗");
    assert_eq!(texts(&story.pushes(amy)), ["在吗"]);
    story.drain(customer);
    let accepted = story.answers(amy, talk, "在的").unwrap();
    assert_eq!(texts(&story.pushes(customer)), ["在的"]);
    let push = accepted.push.expect("the push that it would have been");
    let entry = push.entry.unwrap();
    assert_eq!(
        (entry.seq, entry.content_as_sent, entry.content.len()),
        (accepted.seq, true, 0)
    );
    assert!(push.revision > 0 && push.feed.is_some());
}

#[test]
fn bens_second_device_sees_what_his_first_one_sent() {
    let mut story = Story::new();
    let (desk, laptop) = (story.agent("ben"), story.agent("ben"));
    let (_, talk) = story.customer_who_writes("hi");
    story.drain(laptop);
    story.drain(desk);
    story.answers(desk, talk, "hello").unwrap();
    let pushes = story.pushes(laptop);
    assert_eq!(texts(&pushes), ["hello"]);
    assert!(
        story.pushes(desk).iter().all(|push| push.entry.is_none()),
        "its answer was the push"
    );
}

#[test]
fn a_repeat_gets_its_first_answer_and_is_stored_once() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let act = story.act(amy, Some(talk), ActKind::Message, words("hello"));
    let first = story.send(amy, act.clone()).unwrap();
    story.hang_up(amy);
    let amy = story.agent("amy");
    let again = story.send(amy, act.clone()).unwrap();
    assert_eq!((again.seq, again.time_ms), (first.seq, first.time_ms));
    assert!(again.push.is_none(), "a revision is not given again");
    story.restart();
    let amy = story.agent("amy");
    assert_eq!(story.send(amy, act).unwrap().seq, first.seq, "after a restart too");
    assert_eq!(
        story.log(talk).iter().filter(|entry| text_or(entry) == "hello").count(),
        1
    );
}

fn text_or(entry: &zuoxi_rules::record::Entry) -> String {
    if entry.kind == zuoxi_wire::v1::EntryKind::Message {
        text_of(&entry.content)
    } else {
        String::new()
    }
}

#[test]
fn a_repeat_is_answered_after_the_conversation_was_taken_away() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let ben = story.agent("ben");
    let act = story.act(amy, Some(talk), ActKind::Message, words("hello"));
    let first = story.send(amy, act.clone()).unwrap();
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    story.drain(ben);
    assert_eq!(story.send(amy, act).unwrap().seq, first.seq);
    assert_eq!(code(story.answers(amy, talk, "more")), RefusalCode::Taken);
}

#[test]
fn a_later_act_waits_for_the_one_before_it() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let first = story.act(amy, Some(talk), ActKind::Message, words("1"));
    let mut second = story.act(amy, Some(talk), ActKind::Message, words("2"));
    second.number = 2;
    let refused = story.send(amy, second.clone()).unwrap_err();
    assert!(refused.for_now && refused.code() == RefusalCode::Behind);
    let answers = story.send_all(amy, vec![first, second]);
    let seqs: Vec<u64> = answers.iter().map(|answer| result(answer).unwrap().seq).collect();
    assert!(seqs[0] < seqs[1]);
}

#[test]
fn nothing_of_a_lane_is_stored_after_the_conversation_was_taken_away() {
    let mut story = Story::new();
    let (amy, ben) = (story.agent("amy"), story.agent("ben"));
    let (_, talk) = story.customer_who_writes("hi");
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    let acts: Vec<_> = (0..3)
        .map(|n| {
            let mut act = story.act(amy, Some(talk), ActKind::Message, words("late"));
            act.number += n;
            act
        })
        .collect();
    let codes: Vec<_> = story
        .send_all(amy, acts.clone())
        .iter()
        .map(|a| result(a).unwrap_err().code())
        .collect();
    assert_eq!(
        codes,
        [RefusalCode::Taken, RefusalCode::LaneEnded, RefusalCode::LaneEnded]
    );
    story.hands_to(ben, talk, to_agent(AMY)).unwrap();
    assert_eq!(
        code(story.send(amy, acts[1].clone())),
        RefusalCode::LaneEnded,
        "a late frame of the ended lane"
    );
    assert!(story.answers(amy, talk, "again mine").is_ok(), "a new lane goes on");
    let repeat = story.connect();
    story.try_log_in(repeat, Story::password("amy", "amy")).unwrap();
    let refused = zuoxi_wire::v1::Act {
        lane: 1,
        number: 1,
        ..acts[0].clone()
    };
    assert_eq!(
        code(story.send(repeat, refused)),
        RefusalCode::Taken,
        "what was refused stays refused"
    );
}

#[test]
fn a_discarded_message_never_appears_later() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let act = story.act(amy, Some(talk), ActKind::Message, words("regretted"));
    let void = zuoxi_wire::v1::Act {
        kind: ActKind::Void.into(),
        content: Bytes::new(),
        ..act.clone()
    };
    assert_eq!(code(story.send(amy, void)), RefusalCode::Void);
    story.hang_up(amy);
    let amy = story.agent("amy");
    let late = zuoxi_wire::v1::Act {
        lane: 1,
        number: 1,
        ..act
    };
    assert_eq!(
        code(story.send(amy, late)),
        RefusalCode::Void,
        "the message comes late by another connection"
    );
    assert!(story.log(talk).iter().all(|entry| text_or(entry) != "regretted"));
}

#[test]
fn a_void_that_comes_too_late_tells_where_the_message_stands() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let act = story.act(amy, Some(talk), ActKind::Message, words("sent"));
    let sent = story.send(amy, act.clone()).unwrap();
    let void = zuoxi_wire::v1::Act {
        kind: ActKind::Void.into(),
        content: Bytes::new(),
        ..act
    };
    assert_eq!(story.send(amy, void).unwrap().seq, sent.seq);
}

#[test]
fn a_customer_who_discards_their_first_message_has_no_conversation() {
    let mut story = Story::new();
    let (customer, _) = story.customer_welcome();
    let act = story.act(customer, None, ActKind::Message, words("oops"));
    let void = zuoxi_wire::v1::Act {
        kind: ActKind::Void.into(),
        content: Bytes::new(),
        ..act.clone()
    };
    assert_eq!(code(story.send(customer, void)), RefusalCode::Void);
    assert_eq!(code(story.send(customer, act)), RefusalCode::Void);
}

#[test]
fn an_id_used_for_other_words_is_refused_and_the_first_words_stand() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    let act = story.act(amy, Some(talk), ActKind::Message, words("first"));
    story.send(amy, act.clone()).unwrap();
    let mut other = story.act(amy, Some(talk), ActKind::Message, words("second"));
    other.id.clone_from(&act.id);
    assert_eq!(code(story.send(amy, other)), RefusalCode::Reused);
    let mut stolen = story.act(customer, None, ActKind::Message, words("first"));
    stolen.id = act.id;
    assert_eq!(code(story.send(customer, stolen)), RefusalCode::Reused, "another's id");
}

#[test]
fn a_failed_commit_loses_and_doubles_nothing() {
    for fault in [CommitFault::Lost, CommitFault::Stored] {
        let mut story = Story::new();
        let amy = story.agent("amy");
        let (customer, talk) = story.customer_who_writes("hi");
        story.drain(customer);
        let acts: Vec<_> = (0..2)
            .map(|n| {
                let mut act = story.act(amy, Some(talk), ActKind::Message, words("hello"));
                act.number += n;
                act
            })
            .collect();
        story.store.fail_commit(fault);
        for answer in story.send_all(amy, acts.clone()) {
            let refused = result(&answer).unwrap_err();
            assert!(refused.for_now && refused.code() == RefusalCode::Store);
        }
        assert!(
            texts(&story.pushes(customer)).is_empty(),
            "nothing is told that isn't committed"
        );
        for answer in story.send_all(amy, acts) {
            result(&answer).unwrap();
        }
        let seqs: Vec<u64> = story.log(talk).iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
        assert_eq!(
            story.log(talk).iter().filter(|entry| text_or(entry) == "hello").count(),
            2
        );
    }
}

#[test]
fn a_full_disk_refuses_for_now_and_room_lets_it_through() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let act = story.act(amy, Some(talk), ActKind::Message, words("hello"));
    story.store.set_full(true);
    let refused = story.send(amy, act.clone()).unwrap_err();
    assert!(refused.for_now && refused.retry_ms > 0);
    story.store.set_full(false);
    story.wait(2_000);
    assert!(story.send(amy, act).is_ok());
}

#[test]
fn a_reply_that_ben_overtook_is_held_back() {
    let mut story = Story::new();
    let (amy, ben) = (story.agent("amy"), story.agent("ben"));
    let (_, talk) = story.customer_who_writes("hi");
    let base = story.row(talk).head;
    let mut slow = story.act(amy, Some(talk), ActKind::Message, words("old answer"));
    slow.base = base;
    slow.age_ms = 300_001;
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    let said = story.answers(ben, talk, "answered").unwrap();
    story.hands_to(ben, talk, to_agent(AMY)).unwrap();
    slow.number = 2;
    let refused = story.send(amy, slow.clone()).unwrap_err();
    assert_eq!(
        (refused.code(), refused.stale_seqs, refused.ends_lane),
        (RefusalCode::Stale, vec![said.seq], true)
    );
    let mut quick = story.act(amy, Some(talk), ActKind::Message, words("quick answer"));
    quick.age_ms = 299_999;
    quick.base = base;
    assert!(story.send(amy, quick).is_ok());
}

#[test]
fn texts_beyond_the_limits_get_a_clear_refusal() {
    let mut story = Story::new();
    let (customer, _) = story.customer_who_writes("hi");
    let mut send = |content: Bytes| story.does(customer, None, ActKind::Message, content);
    assert_eq!(code(send(words(&"好".repeat(4_001)))), RefusalCode::TooLong);
    assert!(send(words(&"好".repeat(4_000))).is_ok());
    assert_eq!(code(send(words(""))), RefusalCode::Empty);
    assert_eq!(code(send(words(" \u{200b}\n"))), RefusalCode::Empty);
    assert_eq!(code(send(words("a\u{7}b"))), RefusalCode::Malformed);
    assert!(
        send(words("\u{200f}שלום\u{200f}")).is_ok(),
        "right-to-left marks are text"
    );
    assert_eq!(code(send(Bytes::from_static(&[255, 255]))), RefusalCode::Malformed);
    assert_eq!(code(send(Bytes::from(vec![0; 20_001]))), RefusalCode::TooLong);
}

#[test]
fn a_field_from_the_future_comes_through() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, _) = story.customer_who_writes("hi");
    story.drain(amy);
    let mut content = words("from the future").to_vec();
    content.extend([0xfa, 0x3e, 3, 1, 2, 3]);
    story
        .does(customer, None, ActKind::Message, content.clone().into())
        .unwrap();
    let pushed = story::entries(&story.pushes(amy)).pop().unwrap();
    assert_eq!(pushed.content, content);
    assert!(MessageContent::decode(pushed.content).is_ok());
}

#[test]
fn a_base_above_the_head_is_refused() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let mut act = story.act(amy, Some(talk), ActKind::Message, words("x"));
    act.base = 1_000;
    assert_eq!(code(story.send(amy, act)), RefusalCode::Base);
}

#[test]
fn one_after_another_but_not_a_flood() {
    let mut story = Story::with(zuoxi_rules::Config {
        customer_acts_burst: 3,
        ..Default::default()
    });
    let (customer, _) = story.customer_who_writes("1");
    story.writes(customer, "2");
    story.writes(customer, "3");
    let refused = story.does(customer, None, ActKind::Message, words("4")).unwrap_err();
    assert!(refused.for_now && refused.code() == RefusalCode::Rate && refused.retry_ms > 0);
    story.wait(u64::from(refused.retry_ms));
    story.writes(customer, "4");
}

#[test]
fn writing_to_a_closed_conversation_stops_an_agent_and_reopens_it_for_a_customer() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    story.closes(amy, Some(talk)).unwrap();
    let refused = story.answers(amy, talk, "one more").unwrap_err();
    assert_eq!((refused.code(), refused.ends_lane), (RefusalCode::Closed, true));
    story.drain(amy);
    story.writes(customer, "me again");
    assert_eq!(story.row(talk).status, Status::Open);
    assert_eq!(texts(&story.pushes(amy)), ["me again"], "the last agent first");
}
