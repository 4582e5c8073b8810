//! Sealed blocks and retention, from the gateway's real rules to every device.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

mod world;

use prost::Message as _;
use world::{World, note, recall, rules, words};
use zuoxi_protocol::Command;
use zuoxi_protocol::change::Range;
use zuoxi_rules::record::Audience;
use zuoxi_wire::v1::{ActKind, Entry};
use zuoxi_wire::{Id, limits};

const DAY: u64 = 24 * 3_600_000;

/// A customer and Amy, with so many messages said between them.
fn talk(world: &mut World, messages: usize) -> (usize, usize, Id, Vec<Id>) {
    let amy = world.add_agent("amy");
    let customer = world.add_customer();
    world.run(2_000);
    let mut said = vec![world.say(customer, None, "0")];
    world.run(2_000);
    let talk = world.conversation(customer).expect("a conversation");
    for n in 1..messages {
        let (who, to) = if n % 3 == 0 {
            (amy, Some(talk))
        } else {
            (customer, None)
        };
        said.push(world.say(who, to, &format!("message {n}")));
        world.run(300);
    }
    world.run(20_000);
    (amy, customer, talk, said)
}

/// Seqs that a device holds without content, and whether any of its entries holds these words.
fn erased_and_holding(world: &World, device: usize, talk: Id, words: &str) -> (Vec<u64>, bool) {
    let entries: Vec<Entry> = world.devices[device]
        .disk
        .entries(talk)
        .map(|stored| Entry::decode(stored.bytes.clone()).unwrap())
        .collect();
    let erased = entries
        .iter()
        .filter(|entry| entry.erased)
        .map(|entry| entry.seq)
        .collect();
    let holds = entries
        .iter()
        .any(|entry| String::from_utf8_lossy(&entry.content).contains(words));
    (erased, holds)
}

#[test]
fn a_recall_in_a_sealed_block_reaches_every_device() {
    let mut world = World::new(11);
    let (amy, customer, talk, said) = talk(&mut world, 100);
    let second = world.add_agent("amy");
    world.run(20_000);
    world.check_end();
    assert!(
        world
            .store
            .blocks(talk, Audience::Agents)
            .iter()
            .any(|block| block.start == 1)
    );
    let me = world.me(amy).unwrap();
    let target = said[30];
    world.act(amy, Some(talk), ActKind::Recall, recall(me, target));
    world.run(20_000);
    // One that comes later gets the block in which it is gone already.
    let late = world.add_agent("amy");
    world.run(20_000);
    world.user(
        late,
        Command::Want {
            ask: 1,
            conversation: talk,
            range: Range { first: 1, last: 64 },
            background: false,
        },
    );
    world.run(20_000);
    world.check_end();
    for device in [amy, second, customer, late] {
        let (erased, holds) = erased_and_holding(&world, device, talk, "message 30");
        assert_eq!((erased.len(), holds), (1, false), "device {device}");
    }
    let held = &world.session(late).log(talk).unwrap().state.generations;
    assert_eq!(held.get(&1), Some(&2), "as the gateway's");
    world.kill(late);
    world.run(20_000);
    assert_eq!(
        world.session(late).log(talk).unwrap().state.generations.get(&1),
        Some(&2),
        "kept"
    );
}

#[test]
fn blocks_are_sealed_while_acts_come_and_nothing_is_missed() {
    let mut world = World::new(12);
    world.failing = 30;
    let (amy, customer, talk, _) = talk(&mut world, 20);
    for n in 0..60 {
        for _ in 0..4 {
            world.say(customer, None, &format!("burst {n}"));
            world.act(amy, Some(talk), ActKind::Note, note(&format!("note {n}")));
        }
        if n % 7 == 0 {
            world.break_connection(amy);
        }
        if n % 11 == 0 {
            world.restart_gateway();
        }
        world.run(400);
    }
    world.failing = 0;
    world.run(90_000);
    let fresh = world.add_agent("amy");
    world.run(30_000);
    world.check_end();
    let blocks = world.store.blocks(talk, Audience::Agents);
    let starts: Vec<u64> = blocks.iter().map(|block| block.start).collect();
    assert_eq!(
        starts,
        (0..starts.len() as u64)
            .map(|n| n * limits::BLOCK_SEQS + 1)
            .collect::<Vec<_>>()
    );
    assert!(starts.len() > 5);
    assert!(world.devices[fresh].disk.entries(talk).count() >= 50);
}

#[test]
fn a_tail_that_was_sealed_short_is_replaced_by_a_longer_one() {
    let mut world = World::new(13);
    let (amy, customer, talk, _) = talk(&mut world, 20);
    world.act(customer, None, ActKind::Close, words("").slice(0..0));
    world.run(5_000);
    let short = world.store.blocks(talk, Audience::Everybody)[0].clone();
    assert_eq!(short.generation, 1);
    let early = world.add_agent("amy");
    world.run(20_000);
    world.say(customer, None, "again");
    world.run(5_000);
    world.act(customer, None, ActKind::Close, words("").slice(0..0));
    world.run(5_000);
    let longer = world.store.blocks(talk, Audience::Everybody)[0].clone();
    assert!(longer.generation == 2 && longer.last > short.last && longer.start == short.start);
    let late = world.add_agent("amy");
    world.run(20_000);
    world.check_end();
    for device in [amy, early, late] {
        assert!(world.session(device).log(talk).is_some());
    }
}

#[test]
fn retention_moves_the_floor_of_every_device_and_takes_what_lies_below() {
    let mut world = World::with(
        14,
        zuoxi_rules::Config {
            keep_ms: 2 * DAY,
            ..rules()
        },
    );
    let (amy, customer, talk, _) = talk(&mut world, 90);
    world.act(customer, None, ActKind::Close, words("").slice(0..0));
    world.run(5_000);
    let (old, old_public) = {
        let row = world.row(talk);
        (row.head, row.public_head)
    };
    world.leap(DAY + DAY / 2);
    world.say(customer, None, "a younger visit");
    world.run(5_000);
    world.act(customer, None, ActKind::Close, words("").slice(0..0));
    world.run(5_000);
    world.leap(DAY);
    world.run(30_000);
    world.check_end();
    let row = world.row(talk);
    assert_eq!((row.floor, row.public_floor), (old + 1, old_public + 1));
    for (device, floor) in [(amy, row.floor), (customer, row.public_floor)] {
        assert_eq!(world.session(device).log(talk).unwrap().state.floor, floor);
        let lowest = world.devices[device].disk.entries(talk).map(|entry| entry.seq).min();
        assert_eq!(lowest, Some(floor), "device {device} gives up what lies below");
    }
}

#[test]
fn another_epoch_forgets_generations() {
    let mut world = World::new(15);
    let (amy, _, talk, said) = talk(&mut world, 70);
    let backup = world.backup();
    let me = world.me(amy).unwrap();
    for nth in [3, 6, 9] {
        world.act(amy, Some(talk), ActKind::Recall, recall(me, said[nth]));
        world.run(2_000);
    }
    let late = world.add_agent("amy");
    world.run(5_000);
    let want = |world: &mut World| {
        world.user(
            late,
            Command::Want {
                ask: 1,
                conversation: talk,
                range: Range { first: 1, last: 64 },
                background: false,
            },
        );
        world.run(20_000);
    };
    want(&mut world);
    let generation = |world: &World| {
        world
            .session(late)
            .log(talk)
            .unwrap()
            .state
            .generations
            .get(&1)
            .copied()
    };
    assert_eq!(generation(&world), Some(4));
    world.restore(&backup);
    world.run(60_000);
    world.check_end();
    want(&mut world);
    // The restored gateway's block is of generation 1, and is taken; the recalls are gone with the old log.
    assert_eq!(generation(&world), None);
    assert!(erased_and_holding(&world, late, talk, "message 3").1);
}
