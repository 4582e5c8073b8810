//! What the world tells the checker, and when.

use zuoxi_protocol::change::{Change, Durability, StoredEntry, Transaction};

use super::*;
use crate::check::Truth;

const RESTORED: u64 = 9;

fn world() -> World {
    World::new(Story::of(0).with(Vec::new()), false)
}

/// What the checker says when a reload stores these.
fn reloaded(mut world: World, changes: impl IntoIterator<Item = Change>) -> Option<String> {
    for (token, change) in (1..).zip(changes) {
        world.devices[0].disk.push(Job::Commit(Transaction {
            token,
            durability: Durability::Normal,
            changes: vec![change],
        }));
    }
    world.reload(0);
    world.checker.failure
}

/// An entry that no log has.
fn entry() -> Change {
    let entry = StoredEntry {
        seq: 1,
        id: Id([1; 16]),
        author: None,
        time_ms: START,
        bytes: bytes::Bytes::new(),
    };
    Change::Entries(Id([2; 16]), vec![entry])
}

#[test]
fn what_a_reload_stores_is_judged_by_the_log_that_it_is_of() {
    let restored = || {
        let mut world = world();
        world.checker.restored(Truth::default(), RESTORED, &world.devices);
        world
    };
    let before = [Change::Epoch(FIRST_EPOCH), entry(), Change::Epoch(RESTORED)];
    assert_eq!(reloaded(restored(), before), None);
    let said = reloaded(restored(), [Change::Epoch(RESTORED), entry()]).expect("it is none of the new log's");
    assert!(said.contains("where nothing stands"), "{said}");
}

#[test]
fn what_is_stored_is_judged_before_any_restore_too() {
    let said = reloaded(world(), [Change::Epoch(FIRST_EPOCH), entry()]).expect("it is none of the log's");
    assert!(said.contains("where nothing stands"), "{said}");
}
