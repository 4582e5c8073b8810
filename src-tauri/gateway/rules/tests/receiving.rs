//! What a reader would miss: feeds, pushes, pages, watching, two logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message as _;
use story::{AMY, BEN, Device, LEA, SHOP, Story, code, entries, texts, to_agent, to_team};
use zuoxi_wire::v1::{
    self, CustomerState, EntriesPage, EntryKind, FeedId, FeedKind, FeedPage, Heartbeat, ProblemCode, Push, RefusalCode,
    SeqRange, Standing, Status, client_frame::Kind as Ask, customer_state::Stage, gateway_frame::Kind,
    read_entries::What,
};
use zuoxi_wire::{Id, block, limits};

fn own(agent: Id) -> FeedId {
    FeedId {
        kind: FeedKind::Agent.into(),
        id: agent.to_bytes(),
    }
}

fn team(team: Id) -> FeedId {
    FeedId {
        kind: FeedKind::Team.into(),
        id: team.to_bytes(),
    }
}

fn read_feed(story: &mut Story, device: Device, feed: FeedId, above: u64, limit: u32) -> FeedPage {
    let feed_epoch = match story.ask(device, Ask::AskHeartbeat(v1::AskHeartbeat {})) {
        Kind::Heartbeat(beat) => {
            beat.feeds
                .iter()
                .find(|point| point.feed.as_ref() == Some(&feed))
                .unwrap()
                .feed_epoch
        }
        other => panic!("{other:?}"),
    };
    story.now += 1_001;
    match story.ask(
        device,
        Ask::ReadFeed(v1::ReadFeed {
            feed: Some(feed),
            feed_epoch,
            above,
            limit,
        }),
    ) {
        Kind::FeedPage(page) => page,
        other => panic!("{other:?}"),
    }
}

fn heartbeat(story: &mut Story, device: Device) -> Heartbeat {
    story.now += 1_001;
    match story.ask(device, Ask::AskHeartbeat(v1::AskHeartbeat {})) {
        Kind::Heartbeat(beat) => beat,
        other => panic!("{other:?}"),
    }
}

fn page(story: &mut Story, device: Device, conversation: Option<Id>, what: What) -> EntriesPage {
    let conversation = conversation.map(Id::to_bytes).unwrap_or_default();
    match story.ask(
        device,
        Ask::ReadEntries(v1::ReadEntries {
            conversation,
            what: Some(what),
        }),
    ) {
        Kind::EntriesPage(page) => page,
        other => panic!("{other:?}"),
    }
}

fn unpacked(page: &EntriesPage) -> Vec<v1::Entry> {
    page.blocks
        .iter()
        .flat_map(|packed| block::decode(packed).unwrap())
        .map(|(entry, _)| entry)
        .collect()
}

/// Revisions of one feed in the order in which they came.
fn revisions(pushes: &[Push], feed: &FeedId) -> Vec<u64> {
    pushes
        .iter()
        .filter(|push| push.feed.as_ref() == Some(feed))
        .map(|push| push.revision)
        .collect()
}

#[test]
fn each_entry_takes_a_revision_and_none_is_missing() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("1");
    story.writes(customer, "2");
    story.notes(amy, talk, "a note").unwrap();
    story.writes(customer, "3");
    story.closes(customer, None).unwrap();
    story.writes(customer, "4");
    let mine = story.answers(amy, talk, "5").unwrap().push.unwrap();
    let pushes = story.pushes(amy);
    let mut seen = revisions(&pushes, &own(AMY));
    seen.push(mine.revision);
    // The note's own answer carried the revision that is missing among the pushes.
    let all: Vec<u64> = (1..=mine.revision).collect();
    let missing: Vec<&u64> = all.iter().filter(|revision| !seen.contains(revision)).collect();
    assert_eq!(missing.len(), 1);
    assert!(seen.is_sorted());
    let numbers: Vec<u64> = pushes.iter().map(|push| push.number).collect();
    assert_eq!(
        numbers,
        (1..=numbers.len() as u64).collect::<Vec<_>>(),
        "numbered for the connection"
    );
    assert_eq!(heartbeat(&mut story, amy).feeds[0].revision, mine.revision);
}

#[test]
fn a_note_or_a_second_message_moves_no_row_of_the_queue() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("first");
    let before = heartbeat(&mut story, amy).feeds[1].revision;
    story.notes(amy, talk, "a note").unwrap();
    story.writes(customer, "second");
    assert_eq!(heartbeat(&mut story, amy).feeds[1].revision, before);
    story.answers(amy, talk, "answered").unwrap();
    assert_eq!(
        heartbeat(&mut story, amy).feeds[1].revision,
        before + 1,
        "nobody waits any longer"
    );
}

#[test]
fn what_happened_while_amy_was_away_comes_by_its_feed() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("1");
    let (other, second) = story.customer_who_writes("a");
    story.hang_up(amy);
    story.writes(customer, "2");
    story.closes(other, None).unwrap();
    let amy = story.agent("amy");
    let feed = read_feed(&mut story, amy, own(AMY), 0, 500);
    assert!(!feed.more);
    assert_eq!(feed.rows.len(), 2, "one row for each conversation");
    let row = |id: Id| {
        feed.rows
            .iter()
            .find(|row| row.conversation == id.to_bytes())
            .unwrap()
            .clone()
    };
    let (open, closed) = (row(talk), row(second));
    assert_eq!(open.summary.as_ref().unwrap().unread, 2);
    assert_eq!(open.summary.unwrap().preview, "1", "the oldest unanswered words");
    assert_eq!(closed.summary.as_ref().unwrap().status(), Status::Closed);
    assert_eq!(
        closed.standing(),
        Standing::In,
        "a closed one stays with its last agent"
    );
    let first = read_feed(&mut story, amy, own(AMY), 0, 1);
    assert!(first.more && first.rows.len() == 1 && first.revision == first.rows[0].revision);
    let rest = read_feed(&mut story, amy, own(AMY), first.revision, 1);
    assert!(!rest.more && rest.revision == feed.revision);
}

#[test]
fn a_conversation_that_was_handed_over_leaves_one_feed_and_enters_the_other() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let ben = story.agent("ben");
    story.drain(amy);
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    let left: Vec<Push> = story
        .pushes(amy)
        .into_iter()
        .filter(|push| push.feed == Some(own(AMY)))
        .collect();
    assert_eq!(left.len(), 1);
    assert!(left[0].standing() == Standing::Left && left[0].entry.is_none() && left[0].summary.is_none());
    let came: Vec<Push> = story
        .pushes(ben)
        .into_iter()
        .filter(|push| push.feed == Some(own(BEN)))
        .collect();
    let kinds: Vec<EntryKind> = entries(&came).iter().map(v1::Entry::kind).collect();
    assert_eq!(kinds, [EntryKind::Assignment, EntryKind::Reason]);
    assert!(
        came.iter()
            .all(|push| push.standing() == Standing::In && push.summary.is_some())
    );
    let feed = read_feed(&mut story, amy, own(AMY), 0, 500);
    assert_eq!(feed.rows[0].standing(), Standing::Left);
}

#[test]
fn a_team_sees_who_waits_and_when_it_is_over() {
    let mut story = Story::new();
    let (_, talk) = story.customer_who_writes("is anybody there?");
    let zoe = story.agent("zoe");
    let lea = story.agent("lea");
    let feed = read_feed(&mut story, lea, team(SHOP), 0, 500);
    assert_eq!(feed.rows[0].conversation, talk.to_bytes());
    story.closes(lea, Some(talk)).unwrap();
    let feed = read_feed(&mut story, lea, team(SHOP), 0, 500);
    assert_eq!(feed.rows[0].standing(), Standing::Left);
    let refused = story.ask(
        zoe,
        Ask::ReadFeed(v1::ReadFeed {
            feed: Some(team(SHOP)),
            feed_epoch: 0,
            above: 0,
            limit: 9,
        }),
    );
    assert_eq!(story::problem_of(refused), ProblemCode::NotFound, "not of another team");
    assert!(story.pushes(zoe).is_empty());
}

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
    let newest = page(&mut story, amy, Some(talk), What::Newest(100));
    let borders: Vec<(u64, u64)> = newest.blocks.iter().map(|b| (b.first, b.last)).collect();
    assert_eq!(borders, [(1, 64), (65, 128), (129, 152)]);
    assert_eq!(newest.covers, Some(SeqRange { first: 1, last: 152 }));
    assert!(!newest.positions.is_empty());
    let seqs: Vec<u64> = unpacked(&newest).iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=152).collect::<Vec<_>>());
    let generations: Vec<u32> = newest.blocks.iter().map(|b| b.generation).collect();
    assert_eq!(generations, [1, 1, 0], "what is full is sealed");
    let beyond = page(
        &mut story,
        amy,
        Some(talk),
        What::Range(SeqRange { first: 500, last: 600 }),
    );
    assert_eq!((beyond.covers, beyond.blocks.len(), beyond.head), (None, 0, 152));
}

#[test]
fn long_texts_never_make_a_page_larger_than_a_frame() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("0");
    let long = "好".repeat(4_000);
    (0..100).for_each(|_| drop(story.writes(customer, &long)));
    let newest = page(&mut story, amy, Some(talk), What::Newest(100));
    assert!(newest.encoded_len() as u64 <= limits::FRAME_BYTES);
    assert_eq!(newest.covers.unwrap().last, newest.head, "the newest are there");
    let mut next = 1;
    while next <= newest.head {
        let part = page(
            &mut story,
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
    assert_eq!(heartbeat(&mut story, ben).watched[0].head, 5);
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    assert!(heartbeat(&mut story, ben).watched.is_empty());
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
    let team_before = heartbeat(&mut story, amy).feeds[1].revision;
    story.recalls(customer, None, me, id).unwrap();
    let row = story.row(talk);
    assert_eq!((row.preview.as_str(), row.words, row.waiting_ms), ("", None, 0));
    assert!(story.log(talk)[0].erased && story.log(talk)[0].content.is_empty());
    assert!(heartbeat(&mut story, amy).feeds[1].revision > team_before);
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
    page(story, customer, None, What::Newest(1)).conversation
}

#[test]
fn hashes_agree_with_what_devices_compute() {
    use sha2::{Digest, Sha256};
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    story.notes(amy, talk, "note").unwrap();
    for (device, conversation) in [(amy, talk), (customer, talk)] {
        let held = unpacked(&page(&mut story, device, Some(conversation), What::Newest(100)));
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
    let read = unpacked(&page(&mut story, customer, None, newest));
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
fn typing_reaches_the_other_side_only_and_ends_by_itself() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    let ben = story.agent("ben");
    let typing = |on| {
        let kind = Some(v1::signal::Kind::Typing(on));
        Ask::Signal(v1::Signal {
            conversation: talk.to_bytes(),
            kind,
            ..Default::default()
        })
    };
    let heard = |story: &mut Story, device| -> Vec<bool> {
        let kinds = story.drain(device).into_iter();
        kinds
            .filter_map(|kind| match kind {
                Kind::Signal(v1::Signal {
                    kind: Some(v1::signal::Kind::Typing(on)),
                    ..
                }) => Some(on),
                _ => None,
            })
            .collect()
    };
    story.frame(amy, typing(true));
    assert_eq!(heard(&mut story, customer), [true]);
    assert!(heard(&mut story, amy).is_empty() && heard(&mut story, ben).is_empty());
    story.wait(6_001);
    assert_eq!(heard(&mut story, customer), [false]);
    story.frame(customer, typing(true));
    assert_eq!(heard(&mut story, amy), [true]);
    story.hang_up(customer);
    assert_eq!(heard(&mut story, amy), [false], "the page was closed");
    story.frame(ben, typing(true));
    assert!(
        heard(&mut story, amy).is_empty(),
        "who doesn't serve doesn't type there"
    );
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
    assert_eq!(heartbeat(&mut story, amy).epoch, 9);
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
        told.push(Kind::EntriesPage(page(&mut story, customer, None, What::Newest(500))));
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
