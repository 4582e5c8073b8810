//! Sessions against the gateway's real rules, over slow and broken networks and disks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod world;

use world::{World, hand_to, note, recall, words};
use zuoxi_protocol::Command;
use zuoxi_wire::Id;
use zuoxi_wire::v1::ActKind;

#[test]
fn a_customer_writes_and_the_agent_answers() {
    let mut world = World::new(1);
    let amy = world.add_agent("amy");
    let customer = world.add_customer();
    world.run(2_000);
    world.say(customer, None, "在吗");
    world.run(2_000);
    let talk = world.conversation(customer).expect("a conversation");
    let answer = world.say(amy, Some(talk), "在的");
    world.run(20_000);
    assert!(world.devices[amy].settled.contains_key(&answer));
    world.check_end();
}

/// One random story; what happens depends on the seed alone.
fn story(seed: u64) {
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
    let first: u64 = std::env::var("ZUOXI_SEED").map_or(0, |seed| seed.parse().unwrap());
    let count: u64 = std::env::var("ZUOXI_SEEDS").map_or(8, |count| count.parse().unwrap());
    for seed in first..first + count {
        println!("seed {seed}");
        story(seed);
    }
}
