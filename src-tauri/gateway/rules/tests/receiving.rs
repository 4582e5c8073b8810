//! What a reader would miss: pushes, pages, watching, recalled words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use prost::Message as _;
use story::{BEN, Device, Story, code, entries, texts, to_agent, to_team, unpacked};
use zuoxi_wire::v1::{
    self, EntryKind, ProblemCode, Push, RefusalCode, SeqRange, Status, client_frame::Kind as Ask, gateway_frame::Kind,
    read_entries::What,
};
use zuoxi_wire::{Id, limits};

#[test]
fn a_stranger_cannot_tell_whether_a_conversation_exists() {
    let mut story = Story::new();
    let _amy = story.agent("amy");
    let zoe = story.agent("zoe");
    let (_, talk) = story.customer_who_writes("secret");
    let (stranger, _) = story.customer_who_writes("other");
    let nowhere = Id([77; 16]);
    for device in [zoe, stranger] {
        let mut seen = Vec::new();
        for id in [talk, nowhere] {
            let conversation = id.to_bytes();
            let ask = v1::ReadEntries {
                conversation: conversation.clone(),
                what: Some(What::Newest(10)),
            };
            seen.push(story.ask(device, Ask::ReadEntries(ask)));
            seen.push(story.ask(
                device,
                Ask::ReadCustomer(v1::ReadCustomer {
                    conversation: conversation.clone(),
                }),
            ));
            seen.push(story.ask(
                device,
                Ask::Watch(v1::Watch {
                    conversation: conversation.clone(),
                }),
            ));
            seen.push(story.ask(
                device,
                Ask::FindTime(v1::FindTime {
                    conversation: conversation.clone(),
                    time_ms: 0,
                }),
            ));
            seen.push(story.ask(
                device,
                Ask::Compare(v1::Compare {
                    conversation,
                    ranges: Vec::new(),
                }),
            ));
            assert_eq!(code(story.answers(device, id, "x")), RefusalCode::NotFound);
            let mut second = story.act(device, Some(id), v1::ActKind::Note, story::words("x"));
            second.number += 5;
            assert_eq!(code(story.send(device, second)), RefusalCode::Behind);
        }
        assert_eq!(seen[..5], seen[5..]);
        assert!(
            seen.into_iter()
                .all(|said| story::problem_of(said) == ProblemCode::NotFound)
        );
    }
}

#[test]
fn the_newest_page_has_fixed_borders_and_every_entry_once() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("0");
    (1..150).for_each(|n| drop(story.writes(customer, &n.to_string())));
    let newest = story.page(amy, Some(talk), What::Newest(100));
    let borders: Vec<(u64, u64)> = newest.blocks.iter().map(|b| (b.first, b.last)).collect();
    assert_eq!(borders, [(1, 64), (65, 128), (129, 152)]);
    assert_eq!(newest.covers, Some(SeqRange { first: 1, last: 152 }));
    assert!(!newest.positions.is_empty());
    let seqs: Vec<u64> = unpacked(&newest).iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=152).collect::<Vec<_>>());
    let generations: Vec<u32> = newest.blocks.iter().map(|b| b.generation).collect();
    assert_eq!(generations, [1, 1, 0], "what is full is sealed");
    let beyond = story.page(amy, Some(talk), What::Range(SeqRange { first: 500, last: 600 }));
    assert_eq!((beyond.covers, beyond.blocks.len(), beyond.head), (None, 0, 152));
}

#[test]
fn long_texts_never_make_a_page_larger_than_a_frame() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("0");
    let long = "好".repeat(4_000);
    (0..100).for_each(|_| drop(story.writes(customer, &long)));
    let newest = story.page(amy, Some(talk), What::Newest(100));
    assert!(newest.encoded_len() as u64 <= limits::FRAME_BYTES);
    assert_eq!(newest.covers.unwrap().last, newest.head, "the newest are there");
    let mut next = 1;
    while next <= newest.head {
        let part = story.page(
            amy,
            Some(talk),
            What::Range(SeqRange {
                first: next,
                last: newest.head,
            }),
        );
        assert!(part.encoded_len() as u64 <= limits::FRAME_BYTES);
        assert_eq!(part.covers.unwrap().first, next);
        next = part.covers.unwrap().last + 1;
    }
}

#[test]
fn what_exceeds_the_window_is_left_out_and_told_at_once_when_there_is_room() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("0");
    (0..600).for_each(|n| drop(story.writes(customer, &n.to_string())));
    let pushes = story.pushes(amy);
    assert_eq!(pushes.len() as u64, limits::WINDOW_PUSHES);
    story.acknowledge(amy, 10, &[(talk, 5)]);
    let beats = story
        .drain(amy)
        .into_iter()
        .filter(|kind| matches!(kind, Kind::Heartbeat(_)))
        .count();
    assert_eq!(beats, 1);
    story.acknowledge(amy, 20, &[]);
    assert!(
        !story.drain(amy).iter().any(|kind| matches!(kind, Kind::Heartbeat(_))),
        "once"
    );
    story.writes(customer, "again");
    assert_eq!(story.pushes(amy)[0].number, limits::WINDOW_PUSHES + 1);
}

#[test]
fn a_device_that_never_acknowledges_is_dropped() {
    let mut story = Story::new();
    let (amy, ben) = (story.agent("amy"), story.agent("ben"));
    let (_, talk) = story.customer_who_writes("0");
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    let last = story.pushes(ben).last().unwrap().number;
    story.acknowledge(ben, last, &[]);
    story.wait(limits::ACK_MS + 1);
    assert!(story.closed.contains(&amy) && !story.closed.contains(&ben));
}

#[test]
fn an_ack_of_what_was_never_sent_closes_the_connection() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    story.acknowledge(amy, 1, &[]);
    assert!(story.closed.contains(&amy));
}

#[test]
fn ben_reads_along_until_the_conversation_becomes_his() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    let ben = story.agent("ben");
    let Kind::WatchPage(watched) = story.ask(
        ben,
        Ask::Watch(v1::Watch {
            conversation: talk.to_bytes(),
        }),
    ) else {
        panic!()
    };
    assert_eq!(watched.page.unwrap().head, 3);
    story.drain(ben);
    story.notes(amy, talk, "look").unwrap();
    story.writes(customer, "more");
    let pushes: Vec<Push> = story
        .pushes(ben)
        .into_iter()
        .filter(|push| push.entry.is_some())
        .collect();
    assert!(pushes.iter().all(|push| push.feed.is_none() && push.revision == 0));
    assert_eq!(
        entries(&pushes).iter().map(v1::Entry::kind).collect::<Vec<_>>(),
        [EntryKind::Note, EntryKind::Message]
    );
    assert_eq!(story.heartbeat(ben).watched[0].head, 5);
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    assert!(story.heartbeat(ben).watched.is_empty());
    assert!(story.pushes(ben).iter().all(|push| push.feed.is_some()));
}

#[test]
fn a_watch_ends_when_the_conversation_leaves_the_team() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    let ben = story.agent("ben");
    story.ask(
        ben,
        Ask::Watch(v1::Watch {
            conversation: talk.to_bytes(),
        }),
    );
    let _zoe = story.agent("zoe");
    story.hands_to(amy, talk, to_team(story::CELLAR)).unwrap();
    story.writes(customer, "not for ben");
    assert!(texts(&story.pushes(ben)).is_empty());
}

#[test]
fn eight_conversations_can_be_watched() {
    let mut story = Story::new();
    let lea = story.agent("lea");
    let mut last = None;
    for n in 0..12 {
        let (_, talk) = story.customer_who_writes(&n.to_string());
        if story.row(talk).status == Status::Queued {
            last = Some(story.ask(
                lea,
                Ask::Watch(v1::Watch {
                    conversation: talk.to_bytes(),
                }),
            ));
        }
    }
    assert_eq!(story::problem_of(last.unwrap()), ProblemCode::Watches);
}

#[test]
fn a_recall_takes_the_words_away_everywhere() {
    let mut story = Story::new();
    let (customer, welcome) = story.customer_welcome();
    let me = Id::try_from(&welcome.me.unwrap().id).unwrap();
    let act = story.act(customer, None, v1::ActKind::Message, story::words("my card number"));
    let id = Id::try_from(&act.id).unwrap();
    story.send(customer, act).unwrap();
    let talk = Id::try_from(&welcome_conversation(&mut story, customer)).unwrap();
    let amy = story.agent("amy");
    let team_before = story.heartbeat(amy).feeds[1].revision;
    story.recalls(customer, None, me, id).unwrap();
    let row = story.row(talk);
    assert_eq!((row.preview.as_str(), row.words, row.waiting_ms), ("", None, 0));
    assert!(story.log(talk)[0].erased && story.log(talk)[0].content.is_empty());
    assert!(story.heartbeat(amy).feeds[1].revision > team_before);
    let Kind::Customer(card) = story.ask(
        amy,
        Ask::ReadCustomer(v1::ReadCustomer {
            conversation: talk.to_bytes(),
        }),
    ) else {
        panic!()
    };
    assert_eq!(card.visits[0].first_words, "");
    assert_eq!(code(story.recalls(customer, None, me, id)), RefusalCode::NotRecallable);
    assert_eq!(
        code(story.recalls(amy, Some(talk), me, id)),
        RefusalCode::NotRecallable,
        "not one's own"
    );
}

fn welcome_conversation(story: &mut Story, customer: Device) -> bytes::Bytes {
    story.page(customer, None, What::Newest(1)).conversation
}

#[test]
fn hashes_agree_with_what_devices_compute() {
    use sha2::{Digest, Sha256};
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    story.notes(amy, talk, "note").unwrap();
    for (device, conversation) in [(amy, talk), (customer, talk)] {
        let held = unpacked(&story.page(device, Some(conversation), What::Newest(100)));
        let mut digest = Sha256::new();
        for entry in &held {
            digest.update(entry.seq.to_be_bytes());
            digest.update(&entry.id);
            digest.update([entry.author.len() as u8]);
            digest.update(&entry.author);
        }
        let all = SeqRange {
            first: 1,
            last: held.len() as u64,
        };
        let beyond = SeqRange { first: 1, last: 99 };
        let ask = v1::Compare {
            conversation: conversation.to_bytes(),
            ranges: vec![all, beyond],
        };
        let Kind::Compared(compared) = story.ask(device, Ask::Compare(ask)) else {
            panic!()
        };
        assert_eq!(compared.hashes[0].sha256, digest.finalize().to_vec());
        assert!(compared.hashes[1].sha256.is_empty(), "not held whole");
    }
}

#[test]
fn jumping_to_a_date_finds_the_first_entry_of_that_day() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("yesterday");
    story.wait(1_000);
    story.notes(amy, talk, "note").unwrap();
    let day = story.now + 500;
    story.wait(1_000);
    story.writes(customer, "today");
    let mut find = |device, time_ms| match story.ask(
        device,
        Ask::FindTime(v1::FindTime {
            conversation: talk.to_bytes(),
            time_ms,
        }),
    ) {
        Kind::FoundTime(found) => (found.seq, found.head),
        other => panic!("{other:?}"),
    };
    assert_eq!(find(amy, day), (5, 5));
    assert_eq!(find(customer, day), (3, 3), "in the customer's own Seqs");
    assert_eq!(find(customer, u64::MAX), (4, 3));
}

#[test]
fn another_epoch_sends_everybody_away() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    story.store_epoch(9);
    story.wait(1);
    assert!(
        matches!(story.drain(amy).last(), Some(Kind::GoingAway(away)) if away.reason() == v1::going_away::Reason::Epoch)
    );
    let amy = story.agent("amy");
    assert_eq!(story.heartbeat(amy).epoch, 9);
}
