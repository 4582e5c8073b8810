//! Routing, rights and what agents do with conversations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use bytes::Bytes;
use prost::Message as _;
use story::{AMY, BEN, CELLAR, Device, LEA, SHOP, Story, ZOE, code, to_agent, to_team};
use zuoxi_rules::memory::CommitFault;
use zuoxi_rules::record::Entry;
use zuoxi_rules::{Event, Store as _};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    self, ActKind, AssignmentReason, CloseContent, CloseReason, EntryKind, Presence, ReasonContent, RefusalCode,
    Status, TagContent, client_frame::Kind as Ask, gateway_frame::Kind,
};

fn reasons(log: &[Entry]) -> Vec<AssignmentReason> {
    let told = log.iter().filter(|entry| entry.kind == EntryKind::Reason);
    told.map(|entry| ReasonContent::decode(entry.content.clone()).unwrap().reason())
        .collect()
}

fn kinds(log: &[Entry]) -> Vec<EntryKind> {
    log.iter().map(|entry| entry.kind).collect()
}

fn presence(story: &mut Story, device: Device, presence: Presence) {
    let said = story.ask(
        device,
        Ask::SetPresence(v1::SetPresence {
            presence: presence.into(),
        }),
    );
    assert!(matches!(said, Kind::Done(_)));
}

fn seen(story: &mut Story, device: Device, who: Id) -> Vec<Presence> {
    let kinds = story.drain(device).into_iter();
    let moves = kinds.filter_map(|kind| {
        if let Kind::PresenceMoves(moves) = kind {
            Some(moves.moves)
        } else {
            None
        }
    });
    moves
        .flatten()
        .filter(|moved| moved.member == who.to_bytes())
        .map(|moved| moved.presence())
        .collect()
}

#[test]
fn a_customer_gets_the_least_busy_agent_and_history_says_why() {
    let mut story = Story::new();
    let _amy = story.agent("amy");
    let (_, first) = story.customer_who_writes("1");
    let _ben = story.agent("ben");
    let (_, second) = story.customer_who_writes("2");
    assert_eq!(
        (story.row(first).assignee(), story.row(second).assignee()),
        (Some(AMY), Some(BEN))
    );
    let log = story.log(second);
    assert_eq!(
        kinds(&log),
        [EntryKind::Message, EntryKind::Assignment, EntryKind::Reason]
    );
    assert_eq!(reasons(&log), [AssignmentReason::LeastBusy]);
}

#[test]
fn who_waits_is_served_in_order_when_an_agent_comes() {
    let mut story = Story::new();
    let talks: Vec<Id> = (0..5)
        .map(|n| {
            story.wait(10);
            story.customer_who_writes(&n.to_string()).1
        })
        .collect();
    assert_eq!(reasons(&story.log(talks[0])), [AssignmentReason::NobodyOnline]);
    let amy = story.agent("amy");
    let open: Vec<bool> = talks
        .iter()
        .map(|talk| story.row(*talk).status == Status::Open)
        .collect();
    assert_eq!(
        open,
        [true, true, true, false, false],
        "as many as she has room for, first come first"
    );
    story.closes(amy, Some(talks[1])).unwrap();
    assert_eq!(story.row(talks[3]).assignee(), Some(AMY), "room appears");
    assert_eq!(
        reasons(&story.log(talks[3])),
        [AssignmentReason::NobodyOnline, AssignmentReason::FromQueue]
    );
    assert_eq!(story.row(talks[4]).status, Status::Queued);
}

#[test]
fn a_busy_agent_keeps_what_they_have_and_gets_nothing_new() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, kept) = story.customer_who_writes("1");
    presence(&mut story, amy, Presence::Busy);
    let (_, waiting) = story.customer_who_writes("2");
    story.writes(customer, "still there?");
    assert_eq!(
        (story.row(kept).assignee(), story.row(waiting).status),
        (Some(AMY), Status::Queued)
    );
    assert_eq!(reasons(&story.log(waiting)), [AssignmentReason::NoRoom]);
    presence(&mut story, amy, Presence::Online);
    assert_eq!(story.row(waiting).assignee(), Some(AMY));
}

#[test]
fn an_agent_who_comes_back_in_time_keeps_their_conversations() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let _ben = story.agent("ben");
    story.hang_up(amy);
    story.wait(119_000);
    assert_eq!(story.row(talk).assignee(), Some(AMY));
    let _amy = story.agent("amy");
    story.wait(20_000);
    assert_eq!(story.row(talk).assignee(), Some(AMY));
}

#[test]
fn an_agent_who_stays_away_loses_them_to_others_or_to_the_queue() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    story.hang_up(amy);
    story.wait(120_000);
    assert_eq!(story.row(talk).status, Status::Queued);
    assert_eq!(
        reasons(&story.log(talk)),
        [AssignmentReason::LeastBusy, AssignmentReason::AgentAway]
    );
    let ben = story.agent("ben");
    assert_eq!(story.row(talk).assignee(), Some(BEN));
    let _lea = story.agent("lea");
    story.hang_up(ben);
    story.wait(120_000);
    assert_eq!(story.row(talk).assignee(), Some(LEA), "somebody else is there");
}

#[test]
fn what_was_taken_by_a_commit_that_failed_and_was_stored_is_not_handed_out_again() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    presence(&mut story, amy, Presence::Busy);
    let (_, talk) = story.customer_who_writes("hi");
    story.store.fail_commit(CommitFault::Stored);
    let refused = story.does(amy, Some(talk), ActKind::Take, Bytes::new()).unwrap_err();
    assert!(refused.for_now);
    story.wait(2_000);
    let _ben = story.agent("ben");
    assert_eq!(story.row(talk).assignee(), Some(AMY));
}

#[test]
fn what_the_gateway_decides_by_itself_is_decided_again_after_a_lost_commit() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    story.hang_up(amy);
    story.now += 121_000;
    story.store.fail_commit(CommitFault::Lost);
    story.run(vec![Event::Tick]);
    assert_eq!(story.row(talk).assignee(), Some(AMY), "nothing was stored");
    story.wait(2_000);
    assert_eq!(
        story.row(talk).status,
        Status::Queued,
        "an agent who is away has it for ever"
    );

    // Whichever commit is lost on the way of an agent who comes while somebody waits.
    for succeed in 0..8 {
        let mut story = Story::new();
        let (_, talk) = story.customer_who_writes("hi");
        story.store.fail_commit_after(succeed, CommitFault::Lost);
        let amy = story.connect();
        if story.try_log_in(amy, Story::password("amy", "amy")).is_err() {
            let _amy = story.agent("amy");
        }
        story.wait(2_000);
        assert_eq!(story.row(talk).assignee(), Some(AMY), "after {succeed} commits");
    }
}

#[test]
fn after_a_restart_agents_have_their_grace_time_too() {
    let mut story = Story::new();
    let _amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    story.restart();
    story.wait(119_000);
    assert_eq!(story.row(talk).assignee(), Some(AMY));
    story.wait(2_000);
    assert_eq!(story.row(talk).status, Status::Queued);
}

#[test]
fn an_idle_conversation_closes_by_itself_and_says_why() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    story.answers(amy, talk, "done?").unwrap();
    // Devices that acknowledge nothing would be dropped meanwhile.
    let last = story.pushes(amy).last().unwrap().number;
    story.acknowledge(amy, last, &[]);
    story.hang_up(customer);
    story.wait(1_799_000);
    story.notes(amy, talk, "a note is no word to the customer").unwrap();
    story.wait(1_001);
    assert_eq!(story.row(talk).status, Status::Closed);
    let close = CloseContent::decode(story.log(talk).last().unwrap().content.clone()).unwrap();
    assert_eq!(close.reason(), CloseReason::Idle);
}

#[test]
fn a_conversation_handed_to_a_team_goes_to_somebody_there() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    story.hands_to(amy, talk, to_team(CELLAR)).unwrap();
    let row = story.row(talk);
    assert_eq!((row.team, row.status), (CELLAR, Status::Queued));
    assert_eq!(
        reasons(&story.log(talk)),
        [AssignmentReason::LeastBusy, AssignmentReason::Transfer]
    );
    assert_eq!(code(story.answers(amy, talk, "mine?")), RefusalCode::Taken);
    let _zoe = story.agent("zoe");
    assert_eq!(story.row(talk).assignee(), Some(ZOE));
}

#[test]
fn handing_back_to_the_own_team_gives_it_to_another() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let _ben = story.agent("ben");
    story.hands_to(amy, talk, to_team(SHOP)).unwrap();
    assert_eq!(story.row(talk).assignee(), Some(BEN));
}

#[test]
fn a_conversation_cannot_be_handed_to_somebody_who_is_not_there() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    assert_eq!(code(story.hands_to(amy, talk, to_agent(BEN))), RefusalCode::NoTarget);
    assert_eq!(
        code(story.hands_to(amy, talk, to_agent(Id([66; 16])))),
        RefusalCode::NoTarget
    );
    assert_eq!(
        code(story.hands_to(amy, talk, to_team(Id([66; 16])))),
        RefusalCode::NoTarget
    );
    assert_eq!(code(story.hands_to(amy, talk, to_agent(AMY))), RefusalCode::NoTarget);
    assert!(story.answers(amy, talk, "still mine").is_ok(), "those behind it go on");
}

#[test]
fn agents_take_from_the_queue_and_leads_from_anybody() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    presence(&mut story, amy, Presence::Busy);
    let (_, talk) = story.customer_who_writes("hi");
    story.does(amy, Some(talk), ActKind::Take, Bytes::new()).unwrap();
    assert_eq!(story.row(talk).assignee(), Some(AMY));
    let (ben, lea, zoe) = (story.agent("ben"), story.agent("lea"), story.agent("zoe"));
    let refused = story.does(ben, Some(talk), ActKind::Take, Bytes::new()).unwrap_err();
    assert_eq!(
        (refused.code(), refused.assignee_name.as_str()),
        (RefusalCode::Taken, "Amy")
    );
    assert_eq!(
        code(story.does(zoe, Some(talk), ActKind::Take, Bytes::new())),
        RefusalCode::NotFound
    );
    story.hands_to(lea, talk, to_agent(BEN)).unwrap();
    story.does(lea, Some(talk), ActKind::Take, Bytes::new()).unwrap();
    assert_eq!(story.row(talk).assignee(), Some(LEA));
}

#[test]
fn who_only_reads_along_may_note_and_nothing_else() {
    let mut story = Story::new();
    let _amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    let ben = story.agent("ben");
    assert!(story.notes(ben, talk, "ask for the order number").is_ok());
    let tags = TagContent {
        tags: vec!["vip".into()],
    }
    .encode_to_vec();
    assert_eq!(code(story.answers(ben, talk, "hello")), RefusalCode::Taken);
    assert_eq!(code(story.closes(ben, Some(talk))), RefusalCode::Taken);
    assert_eq!(
        code(story.does(ben, Some(talk), ActKind::Tag, tags.clone().into())),
        RefusalCode::Taken
    );
    assert_eq!(code(story.hands_to(ben, talk, to_agent(BEN))), RefusalCode::Taken);
    for kind in [ActKind::Note, ActKind::Tag, ActKind::Take, ActKind::Transfer] {
        assert_eq!(
            code(story.does(customer, None, kind, story::note("x"))),
            RefusalCode::NotFound,
            "{kind:?}"
        );
    }
}

#[test]
fn tags_are_the_customers_and_stay() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    let mut tag = |tags: &[&str]| {
        let content = TagContent {
            tags: tags.iter().map(ToString::to_string).collect(),
        }
        .encode_to_vec()
        .into();
        story.does(amy, Some(talk), ActKind::Tag, content)
    };
    assert_eq!(code(tag(&["一".repeat(21).as_str()])), RefusalCode::TooLong);
    assert_eq!(code(tag(&vec!["x"; 21])), RefusalCode::TooLong);
    assert_eq!(code(tag(&[""])), RefusalCode::Empty);
    tag(&["急", "vip"]).unwrap();
    story.closes(amy, Some(talk)).unwrap();
    story.writes(customer, "again");
    let Kind::Customer(card) = story.ask(
        amy,
        Ask::ReadCustomer(v1::ReadCustomer {
            conversation: talk.to_bytes(),
        }),
    ) else {
        panic!()
    };
    assert_eq!(card.tags, ["急", "vip"]);
    let visits: Vec<(u64, bool, &str)> = card
        .visits
        .iter()
        .map(|visit| (visit.first_seq, visit.ended_ms > 0, visit.first_words.as_str()))
        .collect();
    assert_eq!(
        visits,
        [(6, false, "again"), (1, true, "hi")],
        "newest first, each jumps to its place"
    );
}

#[test]
fn a_returning_customer_reopens_their_conversation_in_one_log() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    story.closes(amy, Some(talk)).unwrap();
    let _ben = story.agent("ben");
    story.writes(customer, "again");
    let log = story.log(talk);
    let new = kinds(&log[4..]);
    assert_eq!(
        new,
        [
            EntryKind::Reopen,
            EntryKind::Message,
            EntryKind::Assignment,
            EntryKind::Reason
        ]
    );
    assert_eq!(
        reasons(&log),
        [AssignmentReason::LeastBusy, AssignmentReason::LastAgent]
    );
    let row = story.row(talk);
    assert_eq!((row.assignee(), row.due), (Some(AMY), v1::Due::First));
}

#[test]
fn a_rating_is_taken_after_the_close_and_reopens_nothing() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    story.closes(customer, None).unwrap();
    let rating = |stars| {
        v1::RatingContent {
            stars,
            text: String::new(),
        }
        .encode_to_vec()
        .into()
    };
    assert_eq!(
        code(story.does(customer, None, ActKind::Rating, rating(6))),
        RefusalCode::Malformed
    );
    story.does(customer, None, ActKind::Rating, rating(5)).unwrap();
    assert_eq!(story.row(talk).status, Status::Closed);
    assert_eq!(
        code(story.does(amy, Some(talk), ActKind::Rating, rating(5))),
        RefusalCode::NotFound
    );
}

#[test]
fn amy_takes_back_her_own_words_and_nobody_elses() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, talk) = story.customer_who_writes("hi");
    let act = story.act(amy, Some(talk), ActKind::Message, story::words("wrong window"));
    let id = Id::try_from(&act.id).unwrap();
    story.send(amy, act).unwrap();
    let ben = story.agent("ben");
    assert_eq!(
        code(story.recalls(ben, Some(talk), AMY, id)),
        RefusalCode::NotRecallable
    );
    story.recalls(amy, Some(talk), AMY, id).unwrap();
    assert!(story.log(talk)[3].erased);
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    story.answers(ben, talk, "hello").unwrap();
    let note = story.act(amy, Some(talk), ActKind::Note, story::note("mine"));
    let id = Id::try_from(&note.id).unwrap();
    story.send(amy, note).unwrap();
    story.recalls(amy, Some(talk), AMY, id).unwrap();
}

#[test]
fn colleagues_see_who_is_there_and_how_much_they_have() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (_, _) = story.customer_who_writes("hi");
    let ben = story.agent("ben");
    presence(&mut story, ben, Presence::Away);
    assert_eq!(seen(&mut story, amy, BEN), [Presence::Online, Presence::Away]);
    let Kind::Colleagues(all) = story.ask(amy, Ask::ReadColleagues(v1::ReadColleagues {})) else {
        panic!()
    };
    let one = |id: Id| all.agents.iter().find(|agent| agent.id == id.to_bytes()).unwrap();
    assert_eq!(
        (one(AMY).open, one(BEN).presence(), one(LEA).presence()),
        (1, Presence::Away, Presence::Offline)
    );
    story.hang_up(ben);
    assert_eq!(seen(&mut story, amy, BEN), [Presence::Offline]);
    let ben = story.agent("ben");
    let Kind::Colleagues(all) = story.ask(ben, Ask::ReadColleagues(v1::ReadColleagues {})) else {
        panic!()
    };
    assert_eq!(
        all.agents
            .iter()
            .find(|agent| agent.id == BEN.to_bytes())
            .unwrap()
            .presence(),
        Presence::Away,
        "kept"
    );
}

#[test]
fn amy_sees_whether_the_customers_page_is_open() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    let id = story.row(talk).customer;
    story.drain(amy);
    story.hang_up(customer);
    assert_eq!(seen(&mut story, amy, id), [Presence::Offline]);
}

#[test]
fn a_failed_commit_gives_nobody_a_conversation_twice() {
    let mut story = Story::new();
    let _amy = story.agent("amy");
    let customer = story.customer();
    story.store.fail_commit(zuoxi_rules::memory::CommitFault::Lost);
    let act = story.act(customer, None, ActKind::Message, story::words("hi"));
    assert!(story.send(customer, act.clone()).unwrap_err().for_now);
    story.send(customer, act).unwrap();
    let (_, second) = story.customer_who_writes("2");
    let (_, third) = story.customer_who_writes("3");
    let (_, fourth) = story.customer_who_writes("4");
    let taken = [second, third].map(|talk| story.row(talk).assignee());
    assert_eq!(taken, [Some(AMY), Some(AMY)], "her load is what is stored");
    assert_eq!(story.row(fourth).status, Status::Queued);
    assert_eq!(story.store.active_conversations().unwrap().len(), 4);
}

/// A device takes what came, says so, and gives what it was told of a customer's state: for how many minutes.
fn told_minutes(story: &mut Story, device: Device) -> Vec<u32> {
    let (mut told, mut last) = (Vec::new(), 0);
    for kind in story.drain(device) {
        match kind {
            Kind::CustomerState(state) => told.push(state.reply_minutes),
            Kind::Pushes(pushes) => last = pushes.pushes.last().map_or(last, |push| push.number),
            _ => {}
        }
    }
    if last > 0 {
        story.acknowledge(device, last, &[]);
    }
    told
}

#[test]
fn customers_are_told_how_soon_answers_came_with_what_is_told_anyway() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (first, talk) = story.customer_who_writes("hi");
    let mut told = Vec::new();
    let mut wait = |story: &mut Story, ms: u64| {
        told_minutes(story, amy);
        told.extend(told_minutes(story, first));
        story.wait(ms);
    };
    for answered in 1..=5 {
        if answered > 1 {
            story.writes(first, "and?");
        }
        story.notes(amy, talk, "hm").unwrap();
        wait(&mut story, 70_000);
        // What is written after the first unanswered words, and a second answer, measure nothing.
        story.writes(first, "hello?");
        wait(&mut story, 10_000);
        story.answers(amy, talk, "yes").unwrap();
        wait(&mut story, 300_000);
        story.answers(amy, talk, "anything else?").unwrap();
        let minutes = story.customer_welcome().1.state.unwrap().reply_minutes;
        assert_eq!(minutes, if answered < 5 { 0 } else { 2 }, "after {answered}");
    }
    wait(&mut story, 1_000);
    assert_eq!(told, [0], "no frame of its own");
    let (second, _) = story.customer_who_writes("hello");
    assert_eq!(told_minutes(&mut story, second), [2]);
    // Nobody is there: nothing is promised.
    story.hang_up(amy);
    let (_, welcome) = story.customer_welcome();
    assert_eq!(welcome.state.unwrap().reply_minutes, 0);
}

#[test]
fn an_answer_that_was_not_stored_measures_nothing() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hi");
    for _ in 0..4 {
        story.answers(amy, talk, "yes").unwrap();
        story.writes(customer, "and?");
    }
    story.store.fail_commit(CommitFault::Lost);
    assert_eq!(code(story.answers(amy, talk, "lost")), RefusalCode::Store);
    assert_eq!(story.customer_welcome().1.state.unwrap().reply_minutes, 0);
}
