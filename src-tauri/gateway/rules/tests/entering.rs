//! Log-in, sessions, visitors and identities.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use bytes::Bytes;
use story::{AMY, Device, Story, problem_of, why, words};
use zuoxi_rules::memory::CommitFault;
use zuoxi_rules::record::Agent;
use zuoxi_rules::{Claims, Config, Door, Event, Store as _};
use zuoxi_wire::v1::{
    self, ActKind, ClientFrame, LoggedIn, MemberRole, ProblemCode, RefusalCode, Status, client_frame::Kind as Ask,
    customer_state::Stage, gateway_frame::Kind, going_away, log_in::Credential,
};
use zuoxi_wire::{Id, limits};

fn visitor(story: &mut Story, door: Door, address: &str) -> Result<LoggedIn, v1::Problem> {
    let device = story.connect_by(door, address);
    let credential = Credential::Visitor(v1::Visitor {
        brand: "brand-1".into(),
    });
    story.try_log_in(device, Story::log_in_frame(credential))
}

fn away(kinds: &[Kind]) -> Option<going_away::Reason> {
    kinds.iter().find_map(|kind| {
        if let Kind::GoingAway(away) = kind {
            Some(away.reason())
        } else {
            None
        }
    })
}

#[test]
fn the_gateway_speaks_first() {
    let mut story = Story::new();
    let device = story.connect();
    let Some(Kind::Hello(hello)) = story.drain(device).pop() else {
        panic!()
    };
    assert_eq!((hello.version_min, hello.version_max, hello.epoch), (1, 1, 7));
    assert_eq!(hello.nonce, story.nonces[&device].to_vec());
}

#[test]
fn amy_logs_in_and_is_told_her_feeds_and_teams() {
    let mut story = Story::new();
    let device = story.connect();
    let welcome = story.try_log_in(device, Story::password("amy", "amy")).unwrap();
    let me = welcome.me.unwrap();
    assert_eq!(
        (me.name.as_str(), me.login.as_str(), me.role()),
        ("Amy", "amy", MemberRole::Agent)
    );
    assert_eq!(
        (welcome.session.len(), welcome.feeds.len(), welcome.teams.len()),
        (32, 2, 1)
    );
    assert!(story.gateway.is_logged_in(device));
}

#[test]
fn a_wrong_password_and_an_unknown_name_look_alike() {
    let mut story = Story::new();
    for name in ["amy", "nobody"] {
        let device = story.connect();
        assert_eq!(
            why(story.try_log_in(device, Story::password(name, "wrong"))),
            ProblemCode::Credentials
        );
        assert!(story.closed.contains(&device));
    }
}

#[test]
fn guessing_locks_the_name_for_a_while_even_with_the_right_password() {
    let mut story = Story::new();
    for _ in 0..5 {
        let device = story.connect();
        let _ = story.try_log_in(device, Story::password("amy", "wrong"));
    }
    let device = story.connect();
    let problem = story.try_log_in(device, Story::password("amy", "amy")).unwrap_err();
    assert_eq!(problem.code(), ProblemCode::Locked);
    assert!(problem.retry_ms > 0 && problem.advice() == v1::Advice::Later);
    assert!(story.gateway.connections().0 < 2);
    let _ben = story.agent("ben");
    story.wait(15 * 60_000);
    let _amy = story.agent("amy");
}

#[test]
fn guessing_many_names_from_one_address_is_stopped() {
    let mut story = Story::with(Config {
        wrong_per_address: 3,
        ..Config::default()
    });
    for n in 0..3 {
        let device = story.connect();
        let _ = story.try_log_in(device, Story::password(&format!("guess{n}"), "x"));
    }
    let device = story.connect();
    assert_eq!(
        why(story.try_log_in(device, Story::password("amy", "amy"))),
        ProblemCode::Rate
    );
    let elsewhere = story.connect_by(Door::Native, "10.9.9.9");
    assert!(story.try_log_in(elsewhere, Story::password("amy", "amy")).is_ok());
}

#[test]
fn a_disabled_agent_is_logged_out_and_stays_out() {
    let mut story = Story::new();
    let device = story.connect();
    let welcome = story.try_log_in(device, Story::password("amy", "amy")).unwrap();
    story.drain(device);
    let facts = story.store.facts().unwrap();
    let amy = facts.agents.into_iter().find(|agent| agent.id == AMY).unwrap();
    story.admin(|store| store.put_agent(&Agent { disabled: true, ..amy }).unwrap());
    assert_eq!(away(&story.drain(device)), Some(going_away::Reason::SessionEnded));
    assert_eq!(why(story.resume(&welcome.session).1), ProblemCode::Session);
    let device = story.connect();
    assert_eq!(
        why(story.try_log_in(device, Story::password("amy", "amy"))),
        ProblemCode::Disabled
    );
}

#[test]
fn a_session_is_resumed_until_it_is_logged_out() {
    let mut story = Story::new();
    let device = story.connect();
    let session = story.try_log_in(device, Story::password("amy", "amy")).unwrap().session;
    story.hang_up(device);
    story.restart();
    let (device, welcome) = story.resume(&session);
    assert_eq!(welcome.unwrap().me.unwrap().name, "Amy");
    let (twin, _) = story.resume(&session);
    story.drain(twin);
    assert!(matches!(story.ask(device, Ask::LogOut(v1::LogOut {})), Kind::Done(_)));
    assert!(story.closed.contains(&device) && story.closed.contains(&twin));
    assert_eq!(why(story.resume(&session).1), ProblemCode::Session);
    assert_eq!(
        why(story.resume(&Bytes::from_static(&[0; 32])).1),
        ProblemCode::Session,
        "an invented token"
    );
}

#[test]
fn a_session_that_nobody_used_for_long_is_gone() {
    let mut story = Story::new();
    let device = story.connect();
    let session = story.try_log_in(device, Story::password("amy", "amy")).unwrap().session;
    story.hang_up(device);
    story.now += Config::default().agent_session_ms + 1;
    assert_eq!(why(story.resume(&session).1), ProblemCode::Session);
}

fn change(old: &str, new: &str) -> Ask {
    Ask::ChangePassword(v1::ChangePassword {
        old: old.into(),
        new: new.into(),
    })
}

#[test]
fn a_password_that_was_stored_by_a_commit_that_failed_is_the_one_that_counts() {
    let mut story = Story::new();
    let desk = story.agent("amy");
    story.store.fail_commit_after(2, CommitFault::Stored);
    assert_eq!(
        problem_of(story.ask(desk, change("amy", "correct horse"))),
        ProblemCode::Store
    );
    story.wait(2 * 5_000);
    let device = story.connect();
    assert!(
        story
            .try_log_in(device, Story::password("amy", "correct horse"))
            .is_ok()
    );
}

#[test]
fn a_check_that_began_before_the_password_was_changed_lets_nobody_in() {
    let mut story = Story::new();
    let desk = story.agent("amy");
    story.checks_slowly = true;
    let thief = story.connect();
    story.frame(thief, Ask::LogIn(Story::password("amy", "amy")));
    let late = std::mem::take(&mut story.checked);
    story.checks_slowly = false;
    assert!(matches!(story.ask(desk, change("amy", "correct horse")), Kind::Done(_)));
    story.run(late);
    let told = story.drain(thief);
    assert!(!told.iter().any(|kind| matches!(kind, Kind::LoggedIn(_))), "{told:?}");
    assert!(story.closed.contains(&thief));
}

#[test]
fn a_new_password_ends_all_other_sessions() {
    let mut story = Story::new();
    let (desk, laptop) = (story.agent("amy"), story.agent("amy"));
    assert_eq!(
        problem_of(story.ask(desk, change("wrong", "correct horse"))),
        ProblemCode::Credentials
    );
    assert_eq!(
        problem_of(story.ask(desk, change("amy", "short"))),
        ProblemCode::Password
    );
    assert!(matches!(story.ask(desk, change("amy", "correct horse")), Kind::Done(_)));
    assert_eq!(away(&story.drain(laptop)), Some(going_away::Reason::SessionEnded));
    assert!(!story.closed.contains(&desk));
    let device = story.connect();
    assert_eq!(
        why(story.try_log_in(device, Story::password("amy", "amy"))),
        ProblemCode::Credentials
    );
    let device = story.connect();
    assert!(
        story
            .try_log_in(device, Story::password("amy", "correct horse"))
            .is_ok()
    );
}

#[test]
fn a_visitor_keeps_their_name_and_conversation() {
    let mut story = Story::new();
    let (device, welcome) = story.customer_welcome();
    let name = welcome.me.unwrap().name;
    assert!(name.starts_with("访客 ") && name.chars().count() == 7, "{name}");
    assert_eq!(welcome.state.unwrap().stage(), Stage::New);
    assert_eq!(welcome.brand.unwrap().greeting, "您好");
    story.writes(device, "hi");
    story.hang_up(device);
    let (_, again) = story.resume(&welcome.session);
    let again = again.unwrap();
    assert_eq!(again.me.unwrap().name, name);
    let state = again.state.unwrap();
    assert_eq!((state.stage(), state.head), (Stage::NobodyOnline, 2));
}

#[test]
fn a_foreign_page_gets_no_chat_and_a_chat_page_no_desk() {
    let mut story = Story::new();
    let device = story.connect_by(Door::Foreign, "10.0.0.3");
    let Some(Kind::Problem(problem)) = story.drain(device).pop() else {
        panic!()
    };
    assert_eq!(problem.code(), ProblemCode::Origin);
    assert!(story.closed.contains(&device));
    let page = story.connect_by(Door::Chat, "10.0.0.3");
    assert_eq!(
        why(story.try_log_in(page, Story::password("amy", "amy"))),
        ProblemCode::Origin
    );
    let unknown = story.connect_by(Door::Chat, "10.0.0.3");
    let credential = Credential::Visitor(v1::Visitor { brand: "nope".into() });
    assert_eq!(
        why(story.try_log_in(unknown, Story::log_in_frame(credential))),
        ProblemCode::Brand
    );
}

#[test]
fn one_address_cannot_make_visitors_without_end() {
    let mut story = Story::with(Config {
        visitors_per_minute: 2,
        ..Config::default()
    });
    assert!(visitor(&mut story, Door::Chat, "10.1.1.1").is_ok());
    assert!(visitor(&mut story, Door::Chat, "10.1.1.1").is_ok());
    assert_eq!(why(visitor(&mut story, Door::Chat, "10.1.1.1")), ProblemCode::Rate);
    assert!(visitor(&mut story, Door::Chat, "10.1.1.2").is_ok());
    story.wait(60_001);
    assert!(visitor(&mut story, Door::Chat, "10.1.1.1").is_ok());
}

#[test]
fn a_client_of_another_version_is_told_to_update() {
    let mut story = Story::new();
    let device = story.connect();
    let log_in = v1::LogIn {
        version: 2,
        ..Story::password("amy", "amy")
    };
    let problem = story.try_log_in(device, log_in).unwrap_err();
    assert_eq!(
        (problem.code(), problem.version_min, problem.version_max),
        (ProblemCode::Version, 1, 1)
    );
    assert_eq!(problem.advice(), v1::Advice::Update);
}

#[test]
fn ten_thousand_silent_connections_are_closed_after_five_seconds() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let devices: Vec<Device> = (0..10_000).map(|_| story.connect()).collect();
    story.wait(limits::FIRST_FRAME_MS);
    assert!(devices.iter().all(|device| story.closed.contains(device)));
    assert!(!story.closed.contains(&amy));
    assert_eq!(story.gateway.connections(), (1, 1));
}

#[test]
fn too_many_connections_are_told_to_come_back() {
    let mut story = Story::with(Config {
        connections: 1,
        ..Config::default()
    });
    let _first = story.connect();
    let second = story.connect();
    assert_eq!(away(&story.drain(second)), Some(going_away::Reason::Crowded));
}

#[test]
fn frames_out_of_order_or_unreadable_close_the_connection() {
    let mut story = Story::new();
    let early = story.connect();
    story.frame(early, Ask::Ping(v1::Ping { token: 1 }));
    assert!(story.closed.contains(&early), "the first frame is the log-in");
    let twice = story.agent("amy");
    story.frame(twice, Ask::LogIn(Story::password("amy", "amy")));
    assert!(story.closed.contains(&twice));
    let garbage = story.agent("ben");
    story.run(vec![Event::BadFrame {
        connection: garbage,
        too_large: Some(limits::FRAME_BYTES),
    }]);
    let Some(Kind::Problem(problem)) = story.drain(garbage).pop() else {
        panic!()
    };
    assert_eq!(
        (problem.code(), problem.limit),
        (ProblemCode::TooLarge, limits::FRAME_BYTES)
    );
    let flood = story.agent("lea");
    let act = story.act(flood, Some(AMY), ActKind::Note, words("x"));
    let acts = v1::Acts { acts: vec![act; 257] };
    story.frame(flood, Ask::Acts(acts));
    assert!(story.closed.contains(&flood));
}

#[test]
fn a_kind_from_the_future_breaks_nothing() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let frame = ClientFrame {
        request: 900,
        ack: None,
        kind: None,
    };
    story.run(vec![Event::Frame { connection: amy, frame }]);
    assert!(matches!(
        story.ask(amy, Ask::Ping(v1::Ping { token: 5 })),
        Kind::Pong(v1::Pong { token: 5 })
    ));
}

#[test]
fn stopping_tells_everybody_when_to_come_back() {
    let mut story = Story::new();
    let (amy, ben) = (story.agent("amy"), story.agent("ben"));
    story.run(vec![Event::Stop { come_back_ms: 1_000 }]);
    for device in [amy, ben] {
        let Some(Kind::GoingAway(away)) = story.drain(device).pop() else {
            panic!()
        };
        assert_eq!(away.reason(), going_away::Reason::Stopping);
        assert!((1_000..=2_000).contains(&away.come_back_ms));
    }
}

#[test]
fn heartbeats_come_every_ten_seconds() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    story.wait(30_000);
    let beats: Vec<u64> = story
        .drain(amy)
        .into_iter()
        .filter_map(|kind| {
            if let Kind::Heartbeat(beat) = kind {
                Some(beat.time_ms - story::START)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(beats, [10_000, 20_000, 30_000]);
}

// ---- identities ------------------------------------------------------------------------------------------------

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn claims(story: &Story, device: Device, subject: &str) -> Claims {
    Claims {
        subject: subject.into(),
        name: "Anna 王".into(),
        audience: vec!["brand-1".into()],
        expires_ms: story.now + 60_000,
        nonce: hex(&story.nonces[&device]),
        token_id: format!("{subject} {device:?} {}", story.now),
    }
}

fn identifies(story: &mut Story, device: Device, claims: Option<Claims>) -> Result<LoggedIn, ProblemCode> {
    story.claims = claims;
    match story.ask(device, Ask::Identify(v1::Identify { jwt: "a.b.c".into() })) {
        Kind::LoggedIn(welcome) => Ok(welcome),
        Kind::Problem(problem) => Err(problem.code()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn anna_keeps_what_she_wrote_before_she_said_who_she_is() {
    let mut story = Story::new();
    let amy = story.agent("amy");
    let (device, talk) = story.customer_who_writes("it's me");
    story.drain(amy);
    let good = claims(&story, device, "u-1");
    let welcome = identifies(&mut story, device, Some(good)).unwrap();
    assert_eq!(welcome.me.unwrap().name, "Anna 王");
    assert_eq!(welcome.session.len(), 32);
    assert_eq!(welcome.state.unwrap().conversation, talk.to_bytes());
    let row = story.pushes(amy).into_iter().find_map(|push| push.summary).unwrap();
    let card = row.customer.unwrap();
    assert_eq!((card.name.as_str(), card.verified), ("Anna 王", true));
    story.writes(device, "still here");
    assert_eq!(story.log(talk).last().unwrap().author_name, "Anna 王");
}

#[test]
fn annas_second_browser_leads_to_the_same_conversation() {
    let mut story = Story::new();
    let (phone, talk) = story.customer_who_writes("from the phone");
    let good = claims(&story, phone, "u-1");
    identifies(&mut story, phone, Some(good)).unwrap();
    let amy = story.agent("amy");
    let (laptop, anonymous) = story.customer_who_writes("from the laptop");
    let good = claims(&story, laptop, "u-1");
    let welcome = identifies(&mut story, laptop, Some(good)).unwrap();
    assert_eq!(welcome.state.unwrap().conversation, talk.to_bytes());
    let left = story.row(anonymous);
    assert_eq!((left.status, left.linked_to), (Status::Closed, Some(talk)));
    let late = story.act(laptop, Some(anonymous), ActKind::Message, words("late"));
    assert_eq!(
        story.send(laptop, late).unwrap_err().code(),
        RefusalCode::Linked,
        "the old story is over"
    );
    story.drain(amy);
    story.does(laptop, Some(talk), ActKind::Message, words("here")).unwrap();
    assert_eq!(Id::try_from(&story.pushes(amy)[0].conversation).unwrap(), talk);
}

#[test]
fn a_linked_conversation_never_reopens() {
    let mut story = Story::new();
    let (phone, _) = story.customer_who_writes("from the phone");
    let good = claims(&story, phone, "u-1");
    identifies(&mut story, phone, Some(good)).unwrap();
    let (laptop, welcome) = story.customer_welcome();
    story.writes(laptop, "anonymous");
    let second = story.resume(&welcome.session).0;
    let good = claims(&story, laptop, "u-1");
    identifies(&mut story, laptop, Some(good)).unwrap();
    let refused = story
        .does(second, None, ActKind::Message, words("from an old tab"))
        .unwrap_err();
    assert_eq!((refused.code(), refused.ends_lane), (RefusalCode::Linked, true));
}

#[test]
fn an_identity_without_a_story_takes_over_the_one_that_was_begun() {
    let mut story = Story::new();
    let (phone, _) = story.customer_welcome();
    let good = claims(&story, phone, "u-1");
    let first = identifies(&mut story, phone, Some(good)).unwrap();
    let (laptop, talk) = story.customer_who_writes("hi");
    let good = claims(&story, laptop, "u-1");
    let welcome = identifies(&mut story, laptop, Some(good)).unwrap();
    assert_eq!(welcome.state.unwrap().conversation, talk.to_bytes());
    story.hang_up(phone);
    let again = story.resume(&first.session).1.unwrap();
    assert_eq!(
        again.state.unwrap().conversation,
        talk.to_bytes(),
        "the phone goes on there"
    );
}

#[test]
fn a_token_is_good_once_for_this_connection_and_for_five_minutes() {
    let mut story = Story::new();
    let (device, _) = story.customer_welcome();
    let good = claims(&story, device, "u-1");
    let bad = [
        Claims {
            nonce: hex(&[0; 16]),
            ..good.clone()
        },
        Claims {
            audience: vec!["brand-2".into()],
            ..good.clone()
        },
        Claims {
            expires_ms: story.now,
            ..good.clone()
        },
        Claims {
            expires_ms: story.now + limits::JWT_AHEAD_MS + 1,
            ..good.clone()
        },
        Claims {
            subject: String::new(),
            ..good.clone()
        },
        Claims {
            token_id: String::new(),
            ..good.clone()
        },
    ];
    for claims in bad {
        assert_eq!(identifies(&mut story, device, Some(claims)), Err(ProblemCode::Identity));
    }
    assert_eq!(
        identifies(&mut story, device, None),
        Err(ProblemCode::Identity),
        "a wrong signature"
    );
    assert!(identifies(&mut story, device, Some(good.clone())).is_ok());
    assert_eq!(
        identifies(&mut story, device, Some(good)),
        Err(ProblemCode::Identity),
        "used once"
    );
}

#[test]
fn nobody_becomes_another_by_a_second_token() {
    let mut story = Story::new();
    let (device, _) = story.customer_who_writes("hi");
    let good = claims(&story, device, "u-1");
    identifies(&mut story, device, Some(good)).unwrap();
    let other = claims(&story, device, "u-2");
    assert_eq!(identifies(&mut story, device, Some(other)), Err(ProblemCode::Identity));
}
