//! Sessions against the gateway's real rules, over slow and broken networks and disks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

mod world;

use world::{World, hand_to, note, recall, words};
use zuoxi_protocol::notice::{Notice, WatchEnd};
use zuoxi_protocol::{Command, Input, Output, Sync};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, GatewayFrame, Problem, ProblemCode, gateway_frame};

#[test]
fn a_customer_writes_and_the_agent_answers() {
    let (mut world, amy, _, talk) = World::served(1);
    let answer = world.say(amy, Some(talk), "在的");
    world.run(20_000);
    assert!(world.devices[amy].settled.contains_key(&answer));
    world.check_end();
}

#[test]
fn the_mark_is_proven_without_a_wait_also_in_the_first_second_of_a_clock() {
    let mut world = World::new(4);
    world.now = 1;
    let customer = world.add_customer();
    world.run(900);
    let sync = world.devices[customer].session.sync();
    assert!(matches!(sync, Sync::UpToDate { .. }), "{sync:?}");
}

#[test]
fn after_a_restore_the_desk_tells_what_the_server_lost_and_sends_it_again() {
    let (mut world, amy, _, talk) = World::served(2);
    let kept = world.say(amy, Some(talk), "在的");
    world.run(15_000);
    let backup = world.backup();
    let lost: Vec<Id> = (0..3)
        .map(|n| world.say(amy, Some(talk), &format!("lost {n}")))
        .collect();
    world.run(15_000);
    world.break_connection(amy);
    let waiting = world.say(amy, Some(talk), "waited");
    world.restore(&backup);
    world.run(60_000);
    world.check_end();
    let shown: Vec<Id> = lost_by(&world, amy);
    assert_eq!(shown, lost, "and not what was kept: {kept}");
    assert!(world.devices[amy].settled.contains_key(&waiting));
    for id in &lost {
        world.user(amy, Command::SendAgain { id: *id });
    }
    world.run(30_000);
    world.check_end();
    assert!(lost.iter().all(|id| world.devices[amy].settled.contains_key(id)));
}

#[test]
fn what_the_user_does_is_stored_and_sent_before_what_a_flood_has_left_to_store() {
    let (mut world, amy, customer, talk) = World::served(6);
    // A disk that takes a minute for each transaction: what comes now waits for it.
    world.disk = 60_000;
    for n in 0..100 {
        world.say(customer, None, &format!("flood {n}"));
    }
    world.run(1_000);
    let waiting = world.devices[amy].uncommitted();
    assert!(waiting > 10, "{waiting} transactions wait");
    let answer = world.say(amy, Some(talk), "在的");
    assert!(!world.devices[amy].stored.contains(&answer));
    world.run(20);
    assert!(world.devices[amy].stored.contains(&answer));
    let after = world.devices[amy].uncommitted();
    assert!(after >= waiting, "{} went before it", waiting - after.min(waiting));
    world.disk = 10;
    world.run(600_000);
    world.check_end();
    assert!(world.devices[amy].settled.contains_key(&answer));
}

fn lost_by(world: &World, device: usize) -> Vec<Id> {
    let lost = |notice: &Notice| match notice {
        Notice::ActLost(act) => Some(act.id),
        _ => None,
    };
    world.devices[device].notices.iter().filter_map(lost).collect()
}

#[test]
fn another_agents_conversation_is_watched_and_nothing_of_it_is_stored() {
    let (mut world, amy, customer, talk) = World::served(3);
    let ben = world.add_agent("ben");
    world.run(2_000);
    world.user(ben, Command::Watch { conversation: talk });
    world.run(1_000);
    world.say(amy, Some(talk), "在的");
    let noted = world.act(ben, Some(talk), ActKind::Note, note("be kind"));
    world.run(2_000);
    assert_eq!(
        watched(&world, ben),
        world.store.log(talk).iter().map(|entry| entry.id).collect::<Vec<_>>()
    );
    assert!(world.devices[ben].settled.contains_key(&noted));
    assert_eq!(world.devices[ben].disk.entries(talk).count(), 0);
    world.break_connection(ben);
    world.run(2_000);
    world.say(customer, None, "again");
    world.act(amy, Some(talk), ActKind::Transfer, hand_to(Id([102; 16])));
    world.run(20_000);
    world.check_end();
    let mine = |notice: &Notice| {
        matches!(
            notice,
            Notice::WatchEnded {
                why: WatchEnd::Mine,
                ..
            }
        )
    };
    assert!(world.devices[ben].notices.iter().any(mine));
}

#[test]
fn what_became_ones_own_while_a_watch_was_asked_for_stays_open_whatever_the_answer() {
    let (mut world, amy, _, talk) = World::served(4);
    let ben = world.add_agent("ben");
    world.run(2_000);
    let asked = world.handle(ben, Input::User(Command::Watch { conversation: talk }));
    let request = asked.iter().find_map(|output| match output {
        Output::Send(frame) => Some(frame.request),
        _ => None,
    });
    world.act(amy, Some(talk), ActKind::Transfer, hand_to(Id([102; 16])));
    world.run(5_000);
    let ends = |notice: &&Notice| matches!(notice, Notice::WatchEnded { .. });
    let ended = world.devices[ben].notices.iter().filter(ends).count();
    assert_eq!(ended, 1, "it is Ben's own");
    let answer = GatewayFrame {
        request: request.expect("a question"),
        kind: Some(gateway_frame::Kind::Problem(Problem {
            code: ProblemCode::NotFound.into(),
            ..Problem::default()
        })),
    };
    let out = world.handle(ben, Input::Frame(answer));
    let again = |output: &Output| matches!(output, Output::Notice(Notice::WatchEnded { .. }));
    assert!(!out.iter().any(again), "{out:?}");
}

fn watched(world: &World, device: usize) -> Vec<Id> {
    let entries = |notice: &Notice| match notice {
        Notice::WatchEntries { entries, .. } => entries.iter().map(|entry| entry.id).collect(),
        _ => Vec::new(),
    };
    world.devices[device].notices.iter().flat_map(entries).collect()
}

/// One random story; what happens depends on the seed alone.
fn story(seed: u64, restoring: bool) {
    let mut backup = None;
    let mut world = World::new(seed);
    world.failing = 40;
    let agents = [
        world.add_agent("amy"),
        world.add_agent("ben"),
        world.add_agent("lea"),
        world.add_agent("amy"),
    ];
    let customers: Vec<usize> = (0..4).map(|_| world.add_customer()).collect();
    world.run(1_000);
    let mut said: Vec<(usize, Option<Id>, Id)> = Vec::new();
    for turn in 0..250 {
        let pause = world.dice.roll(200);
        world.run(pause);
        let talks: Vec<Id> = customers.iter().filter_map(|n| world.conversation(*n)).collect();
        let agent = world.dice.of(&agents).unwrap();
        let customer = world.dice.of(&customers).unwrap();
        let talk = world.dice.of(&talks);
        match (world.dice.roll(40), talk) {
            (0..12, _) => {
                let id = world.say(customer, None, &format!("customer {turn}"));
                said.push((customer, None, id));
            }
            (12..22, Some(talk)) => {
                for n in 0..=world.dice.roll(5) {
                    let id = world.say(agent, Some(talk), &format!("agent {turn}.{n}"));
                    said.push((agent, Some(talk), id));
                }
            }
            (22..24, Some(talk)) => {
                let id = world.act(agent, Some(talk), ActKind::Note, note(&format!("note {turn}")));
                said.push((agent, Some(talk), id));
            }
            (24, Some(talk)) => {
                world.act(agent, Some(talk), ActKind::Close, words("").slice(0..0));
            }
            (25, Some(talk)) => {
                let to = world.dice.of(&[101, 102, 103]).unwrap();
                world.act(agent, Some(talk), ActKind::Transfer, hand_to(Id([to; 16])));
            }
            (26, Some(talk)) => {
                world.act(agent, Some(talk), ActKind::Take, words("").slice(0..0));
            }
            (27..30, _) => {
                if let Some((device, conversation, id)) = world.dice.of(&said)
                    && let Some(me) = world.me(device)
                {
                    world.act(device, conversation, ActKind::Recall, recall(me, id));
                }
            }
            (30, _) => {
                if let Some((device, _, id)) = world.dice.of(&said) {
                    world.user(device, Command::Discard { id });
                }
            }
            (31, Some(conversation)) => world.user(agent, Command::Watch { conversation }),
            (32, Some(conversation)) => world.user(agent, Command::Unwatch { conversation }),
            (33, Some(conversation)) => {
                let seq = world.session(agent).log(conversation).map_or(0, |log| log.state.head);
                world.user(agent, Command::MarkRead { conversation, seq });
            }
            (34, _) => world.break_connection(agent),
            (35, _) => world.break_connection(customer),
            (36, _) => world.kill(agent),
            (37, _) => world.kill(customer),
            (38, _) if restoring && turn > 50 && turn % 3 == 0 => {
                if let Some(backup) = backup.take() {
                    world.restore(&backup);
                    said.clear();
                } else {
                    backup = Some(world.backup());
                }
            }
            (38, _) if world.dice.roll(4) == 0 => world.restart_gateway(),
            (39, _) if world.dice.roll(4) == 0 => world.devices[agent].disk_full = true,
            _ => {}
        }
        world.check_acts();
    }
    world.failing = 0;
    world.run(90_000);
    world.check_end();
}

#[test]
fn every_act_is_stored_once_in_order_and_every_cache_ends_as_the_gateways() {
    stories(false);
}

#[test]
fn after_restores_of_older_backups_every_cache_ends_as_the_gateways() {
    stories(true);
}

fn stories(restoring: bool) {
    let first: u64 = std::env::var("ZUOXI_SEED").map_or(0, |seed| seed.parse().unwrap());
    let count: u64 = std::env::var("ZUOXI_SEEDS").map_or(8, |count| count.parse().unwrap());
    for seed in first..first + count {
        println!("seed {seed}");
        story(seed, restoring);
    }
}
