//! A short storm over real processes: what `cargo xtask torture` does for longer. Counts alone, never times.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::path::PathBuf;
use std::time::Duration;

use zuoxi_torture::storm::{Plan, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_misordered() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_zuoxi-torture"));
    let gateway = program.with_file_name("zuoxi-gateway");
    assert!(gateway.exists(), "not built: cargo build -p zuoxi-gateway");
    let folder = tempfile::tempdir().unwrap();
    let seed = fastrand::u64(..1_000_000);
    let tally = run(Plan {
        program,
        gateway,
        folder: folder.path().to_owned(),
        seed,
        storm: Duration::from_secs(20),
        kill_every: Duration::from_millis(800),
        small_disk: seed % 2 == 0,
    })
    .await
    .unwrap();
    println!("seed {seed}:\n{tally}");
    let wrong: Vec<String> = tally.findings.wrong().collect();
    assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    assert!(tally.missing().is_empty(), "seed {seed}: {:?}", tally.missing());
}
