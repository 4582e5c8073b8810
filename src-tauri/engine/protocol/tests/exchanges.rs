//! The shared suite of scripted exchanges (`proto/vectors/exchanges/`); `ui/chat/client/exchanges.test.ts` plays the
//! same with the web chat page's client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

mod exchange;

use std::path::Path;

use exchange::Exchange;
use serde_json::Value;

fn play(file: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../proto/vectors/exchanges");
    let scripts: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
    let mut failed = 0;
    for script in &scripts {
        let mut exchange = Exchange::new();
        for (at, step) in script["steps"].as_array().unwrap().iter().enumerate() {
            if let Err(wrong) = exchange.step(step) {
                println!("{}\n  step {}: {step}\n  {wrong}", script["rule"], at + 1);
                failed += 1;
                break;
            }
        }
    }
    assert_eq!(failed, 0, "of {} scripts in {file}", scripts.len());
}

#[test]
fn a_customer_sends_by_the_rules() {
    play("sending.json");
}

#[test]
fn a_customer_receives_by_the_rules() {
    play("receiving.json");
}

#[test]
fn a_customer_connects_by_the_rules() {
    play("connection.json");
}

#[test]
fn a_customer_compares_a_restored_log_by_the_rules() {
    play("epoch.json");
}
