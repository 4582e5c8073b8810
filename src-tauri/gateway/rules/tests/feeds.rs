//! Rows of feeds: each change takes a revision, and none is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use story::{AMY, BEN, Device, SHOP, Story, entries, to_agent};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    self, EntryKind, FeedId, FeedKind, FeedPage, ProblemCode, Push, Standing, Status, client_frame::Kind as Ask,
    gateway_frame::Kind,
};

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
    assert_eq!(story.heartbeat(amy).feeds[0].revision, mine.revision);
}

#[test]
fn a_note_or_a_second_message_moves_no_row_of_the_queue() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("first");
    let before = story.heartbeat(amy).feeds[1].revision;
    story.notes(amy, talk, "a note").unwrap();
    story.writes(customer, "second");
    assert_eq!(story.heartbeat(amy).feeds[1].revision, before);
    story.answers(amy, talk, "answered").unwrap();
    assert_eq!(
        story.heartbeat(amy).feeds[1].revision,
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
