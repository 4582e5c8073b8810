//! What one operation of a timeline costs at 1 k, 10 k, 100 k and 1 M entries: nanoseconds (median of rounds) and steps
//! (comparisons and looks at rows), decoding of the entry included.
//!
//! `cargo bench -p zuoxi-engine --bench timeline [-- --texts FILE]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

#[path = "entries/mod.rs"]
mod entries;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use entries::{AGENT, CUSTOMER, entry, message, texts};
use zuoxi_engine::timeline::{From, Me, Progress, Timeline, steps};
use zuoxi_protocol::change::{OutboxAct, OutboxState, StoredEntry};
use zuoxi_wire::Id;
use zuoxi_wire::v1::ActKind;

/// Operations of one round, and rounds.
const OPERATIONS: u64 = 1_000;
const ROUNDS: u64 = 7;

fn main() {
    let texts = texts();
    println!(
        "timeline: one window of 60 rows at the end; ns an operation, median of {ROUNDS} rounds of {OPERATIONS} (steps)"
    );
    let sizes = [1_000, 10_000, 100_000, 1_000_000];
    let columns: Vec<Vec<(&str, f64, f64)>> = sizes.iter().map(|size| measure(*size, &texts)).collect();
    println!(
        "{:<28}{:>18}{:>18}{:>18}{:>18}",
        "entries", "1 k", "10 k", "100 k", "1 M"
    );
    for row in 0..columns[0].len() {
        print!("{:<28}", columns[0][row].0);
        for column in &columns {
            print!("{:>18}", format!("{:.0} ns ({:.0})", column[row].1, column[row].2));
        }
        println!();
    }
}

fn act(place: u64, id: Id, content: Bytes) -> OutboxAct {
    OutboxAct {
        place,
        id,
        conversation: Some(Id([9; 16])),
        kind: ActKind::Message,
        content,
        base: 0,
        done_ms: 1_764_000_000_000,
        left: true,
        state: OutboxState::Waiting,
    }
}

fn measure(size: u64, texts: &[String]) -> Vec<(&'static str, f64, f64)> {
    let me = Me {
        id: AGENT,
        name: "小林".into(),
        customer: false,
    };
    let mut timeline: Timeline<u8> = Timeline::new(Id([9; 16]), me, Arc::new(|_| 480));
    // Holes, spread out: what comes out of order.
    let all = OPERATIONS * ROUNDS;
    let step = (size / all).max(1);
    let missing: Vec<u64> = (0..all).map(|n| 1 + n * step).filter(|seq| *seq <= size / 2).collect();
    let mut next_hole = missing.iter().peekable();
    for seq in 1..=size {
        if next_hole.next_if_eq(&&seq).is_none() {
            timeline.insert(&[entry(seq, CUSTOMER, texts)]);
        }
    }
    timeline.observe(0, From::Unread, 60);
    let mut rows = Vec::new();
    let mut run = |name, per_round: usize, operation: &mut dyn FnMut(u64, usize)| {
        let (mut nanos, mut looked) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let (before, began) = (steps(), Instant::now());
            for n in 0..per_round {
                operation(round, n);
            }
            nanos.push(began.elapsed().as_nanos() as f64 / per_round as f64);
            looked.push((steps() - before) as f64 / per_round as f64);
        }
        rows.push((name, median(nanos), median(looked)));
    };
    let per_round = OPERATIONS as usize;
    let tail: Vec<StoredEntry> = (1..=all).map(|n| entry(size + n, CUSTOMER, texts)).collect();
    run("insert in order", per_round, &mut |round, n| {
        timeline.insert(std::slice::from_ref(&tail[round as usize * per_round + n]));
        timeline.take_deltas();
    });
    let holes: Vec<StoredEntry> = missing.iter().map(|seq| entry(*seq, CUSTOMER, texts)).collect();
    let in_round = holes.len() / ROUNDS as usize;
    run("insert out of order", in_round, &mut |round, n| {
        timeline.insert(std::slice::from_ref(&holes[round as usize * in_round + n]));
        timeline.take_deltas();
    });
    run("duplicate", in_round, &mut |round, n| {
        timeline.insert(std::slice::from_ref(&holes[round as usize * in_round + n]));
        timeline.take_deltas();
    });
    run("update by id (recall)", in_round, &mut |round, n| {
        timeline.erase(&[missing[round as usize * in_round + n]]);
        timeline.take_deltas();
    });
    let own: Vec<StoredEntry> = (1..=all).map(|n| entry(size + all + n, AGENT, texts)).collect();
    let doing: Vec<OutboxAct> = (1..)
        .zip(&own)
        .map(|(place, own)| act(place, own.id, message(texts, place)))
        .collect();
    let mut settle = Vec::new();
    run("own message: act", per_round, &mut |round, n| {
        let at = round as usize * per_round + n;
        timeline.put_act(&doing[at], Progress::Sending);
        timeline.take_deltas();
        // Few wait at a time, as in life.
        settle.push(at);
        if settle.len() == 8 {
            for at in settle.drain(..) {
                timeline.insert(std::slice::from_ref(&own[at]));
            }
        }
    });
    let again: Vec<StoredEntry> = (1..=all).map(|n| entry(size + 2 * all + n, AGENT, texts)).collect();
    run("own message: act and ACK", per_round, &mut |round, n| {
        let at = round as usize * per_round + n;
        timeline.put_act(
            &act(100_000 + at as u64, again[at].id, doing[at].content.clone()),
            Progress::Sending,
        );
        timeline.insert(std::slice::from_ref(&again[at]));
        timeline.take_deltas();
    });
    run("customer's position", per_round, &mut |round, n| {
        let seq = size + round * OPERATIONS + n as u64;
        timeline.customer_at(seq, seq);
        timeline.take_deltas();
    });
    run("open a window in the middle", 20, &mut |round, n| {
        timeline.observe(1, From::Row(size / 3 + round * 40 + n as u64), 60);
    });
    rows
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
