//! Several accounts are opened at the same moment, first thing in a process.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::process::Command;
use std::sync::Barrier;
use std::thread;

use zuoxi_engine::store::{Key, Store, StoreOptions};

/// Processes, since only the first openings of one can meet.
const STARTS: usize = 40;
const ACCOUNTS: usize = 8;

#[test]
fn accounts_that_are_opened_at_once_are_all_opened() {
    for start in 0..STARTS {
        let one = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "one_start", "--ignored"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&one.stdout);
        assert!(one.status.success(), "start {start}: {said}");
    }
}

#[test]
#[ignore = "one process of the test above"]
fn one_start() {
    let folder = tempfile::tempdir().unwrap();
    let together = Barrier::new(ACCOUNTS);
    thread::scope(|scope| {
        let opened: Vec<_> = (0..ACCOUNTS)
            .map(|account| {
                let path = folder.path().join(format!("{account}.db"));
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    Store::open(StoreOptions::new(path, Key::from_bytes([7; 32])), Box::new(drop)).map(drop)
                })
            })
            .collect();
        for one in opened {
            one.join().unwrap().unwrap();
        }
    });
}
