//! Under load the gateway sheds in a stated order, and makes good what it shed; floods of one address are told to wait.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use story::{AMY, Device, Story, code};
use zuoxi_rules::load::{Level, Sample};
use zuoxi_rules::record::Who;
use zuoxi_rules::{Config, Door, Event, Store as _};
use zuoxi_wire::v1::{self, Presence, RefusalCode, client_frame::Kind as Ask, gateway_frame::Kind, going_away, signal};

/// So many milliseconds of waiting, seen often enough to count.
fn loaded(story: &mut Story, turn_ms: u64) {
    for _ in 0..16 {
        story.run(vec![Event::Load(Sample {
            waiting: 4_000,
            room: 100_000,
            turn_events: 1_000,
            turn_us: turn_ms * 1_000,
        })]);
    }
}

/// Until it is calm again; the time that it takes goes by.
fn calms(story: &mut Story) {
    while story.gateway.level() > Level::Calm {
        story.now += 500;
        let calm = Sample {
            room: 100_000,
            turn_events: 1_000,
            turn_us: 100,
            ..Sample::default()
        };
        story.run(vec![Event::Load(calm)]);
    }
}

fn types(story: &mut Story, device: Device) {
    story.frame(
        device,
        Ask::Signal(v1::Signal {
            kind: Some(signal::Kind::Typing(true)),
            ..v1::Signal::default()
        }),
    );
}

fn presence(story: &mut Story, device: Device, presence: Presence) {
    let presence = presence.into();
    story.ask(device, Ask::SetPresence(v1::SetPresence { presence }));
}

fn seen(story: &mut Story, device: Device) -> (usize, Vec<Presence>) {
    let kinds = story.drain(device);
    let typing = kinds.iter().filter(|kind| matches!(kind, Kind::Signal(_))).count();
    let presences = kinds.iter().filter_map(|kind| match kind {
        Kind::PresenceMoves(moves) => Some(moves.moves[0].presence()),
        _ => None,
    });
    (typing, presences.collect())
}

fn away(story: &mut Story, device: Device) -> Option<(going_away::Reason, u32)> {
    story.drain(device).iter().find_map(|kind| match kind {
        Kind::GoingAway(away) => Some((away.reason(), away.come_back_ms)),
        _ => None,
    })
}

#[test]
fn typing_and_presence_are_shed_first_and_presence_is_told_afterwards() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let ben = story.agent("ben");
    let (customer, talk) = story.customer_who_writes("hello");
    let server = if story.row(talk).holder == Some(AMY) { amy } else { ben };
    loaded(&mut story, 100);
    assert_eq!(story.gateway.level(), Level::Signals);
    story.drain(server);
    story.drain(ben);
    types(&mut story, customer);
    presence(&mut story, amy, Presence::Away);
    presence(&mut story, amy, Presence::Busy);
    assert_eq!(seen(&mut story, ben), (0, vec![]));
    assert_eq!(story.gateway.shed().signals, 3);
    // A message is pushed as ever.
    story.writes(customer, "are you there?");
    assert_eq!(story::texts(&story.pushes(server)), ["are you there?"]);
    calms(&mut story);
    assert_eq!(seen(&mut story, ben), (0, vec![Presence::Busy]), "as it is now, once");
    types(&mut story, customer);
    assert_eq!(seen(&mut story, server).0, 1);
}

#[test]
fn then_pushes_become_heads_and_nothing_is_lost() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hello");
    story.drain(amy);
    loaded(&mut story, 400);
    assert_eq!(story.gateway.level(), Level::Pushes);
    for n in 0..50 {
        story.writes(customer, &n.to_string());
    }
    assert_eq!(story.pushes(amy).len(), 0);
    assert!(story.gateway.shed().pushes >= 50);
    // One heartbeat tells that there is something, well before the next regular one.
    story.wait(2_000);
    let beats: Vec<v1::Heartbeat> = story
        .drain(amy)
        .into_iter()
        .filter_map(|kind| match kind {
            Kind::Heartbeat(beat) => Some(beat),
            _ => None,
        })
        .collect();
    assert_eq!(beats.len(), 1);
    let own = beats[0].feeds.iter().find(|point| {
        let feed = point.feed.as_ref().unwrap();
        feed.id == AMY.to_bytes()
    });
    let told = story.ask(
        amy,
        Ask::ReadFeed(v1::ReadFeed {
            feed: own.unwrap().feed.clone(),
            feed_epoch: own.unwrap().feed_epoch,
            above: 0,
            limit: 100,
        }),
    );
    let Kind::FeedPage(page) = told else { panic!("{told:?}") };
    assert_eq!(page.revision, own.unwrap().revision);
    assert_eq!(page.rows[0].head, story.log(talk).len() as u64);
    calms(&mut story);
    story.writes(customer, "calm");
    assert_eq!(story::texts(&story.pushes(amy)), ["calm"]);
}

#[test]
fn then_who_comes_is_told_to_wait_each_a_moment_of_their_own() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hello");
    let greeted = story.connect();
    story.drain(greeted);
    loaded(&mut story, 1_000);
    assert_eq!(story.gateway.level(), Level::LogIns);
    let mut told = Vec::new();
    for _ in 0..5 {
        let device = story.connect();
        let (reason, come_back_ms) = away(&mut story, device).unwrap();
        assert_eq!(reason, going_away::Reason::Crowded);
        told.push(come_back_ms);
    }
    assert!(
        told.windows(2).all(|two| two[0] < two[1]) && told[0] >= 3_000,
        "{told:?}"
    );
    // Also who was greeted before.
    story.frame(greeted, Ask::LogIn(Story::password("ben", "ben")));
    assert!(away(&mut story, greeted).is_some());
    assert_eq!(story.gateway.shed().log_ins, 6);
    // Messages in conversations go through.
    story.writes(customer, "one");
    story.answers(amy, talk, "two").unwrap();
    calms(&mut story);
    story.agent("ben");
}

#[test]
fn messages_are_refused_last_and_for_now_alone() {
    let mut story = Story::new();
    story.agent("amy");
    let (customer, talk) = story.customer_who_writes("hello");
    loaded(&mut story, 4_000);
    assert_eq!(story.gateway.level(), Level::Acts);
    let act = story.act(customer, None, v1::ActKind::Message, story::words("later"));
    let refused = story.send(customer, act.clone()).unwrap_err();
    assert_eq!((refused.code(), refused.for_now), (RefusalCode::Busy, true));
    assert!(refused.retry_ms >= 1_000);
    assert_eq!(story.gateway.shed().acts, 1);
    calms(&mut story);
    let before = story.log(talk).len();
    story.send(customer, act).unwrap();
    assert_eq!(story.log(talk).len(), before + 1);
}

#[test]
fn an_address_that_comes_too_often_is_told_when_to_come_back_and_others_are_served() {
    let mut story = Story::with(Config {
        connects_per_second: 10,
        connects_burst: 5,
        ..Config::default()
    });
    for _ in 0..5 {
        let device = story.connect_by(Door::Native, "10.0.0.1");
        assert_eq!(away(&mut story, device), None);
    }
    let mut told = Vec::new();
    for _ in 0..10 {
        let device = story.connect_by(Door::Native, "10.0.0.1");
        let (reason, come_back_ms) = away(&mut story, device).unwrap();
        assert_eq!(reason, going_away::Reason::Crowded);
        told.push(u64::from(come_back_ms));
    }
    assert_eq!(story.gateway.shed().floods, 10);
    let begun = story.now;
    let other = story.connect_by(Door::Native, "10.0.0.2");
    assert_eq!(away(&mut story, other), None);
    for come_back_ms in told {
        story.wait(begun + come_back_ms - story.now);
        let device = story.connect_by(Door::Native, "10.0.0.1");
        assert_eq!(away(&mut story, device), None, "as told, after {come_back_ms} ms");
    }
}

#[test]
fn a_token_revoked_in_mid_session_closes_its_connections_and_no_others() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let second = story.agent("amy");
    let ben = story.agent("ben");
    let (customer, _) = story.customer_who_writes("hello");
    for device in [amy, second, ben, customer] {
        story.drain(device);
    }
    story.admin(|store| store.remove_sessions(Who::Agent(AMY), None).unwrap());
    for device in [amy, second] {
        assert_eq!(
            away(&mut story, device).map(|told| told.0),
            Some(going_away::Reason::SessionEnded)
        );
        assert!(story.closed.contains(&device));
    }
    assert!(!story.closed.contains(&ben) && !story.closed.contains(&customer));
}

#[test]
fn a_session_in_use_does_not_expire() {
    let mut story = Story::with(Config {
        agent_session_ms: 60_000,
        ..Config::default()
    });
    let device = story.connect();
    let session = story.try_log_in(device, Story::password("amy", "amy")).unwrap().session;
    // Heartbeats go on and pushes are none: for ten times as long as a session may lie unused.
    story.wait(600_000);
    assert!(!story.closed.contains(&device));
    story.hang_up(device);
    story.wait(20_000);
    let (_, resumed) = story.resume(&session);
    assert!(resumed.is_ok());
}

#[test]
fn two_agents_who_take_one_conversation_at_once_get_it_once_and_the_other_is_told_who() {
    let mut story = Story::new();
    let (_, talk) = story.customer_who_writes("hello");
    let [amy, ben] = ["amy", "ben"].map(|name| {
        let device = story.connect();
        let mut log_in = Story::password(name, name);
        log_in.presence = Presence::Busy.into();
        story.try_log_in(device, log_in).unwrap();
        device
    });
    assert_eq!(story.row(talk).holder, None);
    // In one group: neither has seen the other's.
    let events = [amy, ben].map(|connection| {
        let act = story.act(connection, Some(talk), v1::ActKind::Take, bytes::Bytes::new());
        let acts = v1::Acts { acts: vec![act] };
        Event::Frame {
            connection,
            frame: v1::ClientFrame {
                request: 0,
                ack: None,
                kind: Some(Ask::Acts(acts)),
            },
        }
    });
    story.run(events.to_vec());
    let answers = [amy, ben].map(|device| {
        let said = story.drain(device).into_iter().find_map(|kind| match kind {
            Kind::Answers(answers) => answers.answers.first().cloned(),
            _ => None,
        });
        story::result(&said.unwrap())
    });
    assert!(answers[0].is_ok());
    let told = answers[1].clone().unwrap_err();
    assert_eq!(told.assignee_name, "Amy");
    assert_eq!(code(answers[1].clone()), RefusalCode::Taken);
    assert_eq!(story.row(talk).holder, Some(AMY));
}
