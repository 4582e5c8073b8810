//! What leaves and what is told, beside what is synced, as strace sees it: no ACK leaves the gateway, and no clock is told
//! by a device, before the fdatasync that covers its commit. One act at a time, so that each send is the answer to what
//! was stored before it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zuoxi_torture::cast::{Client, Gateway, Role};
use zuoxi_torture::seen::{self, Fact};

/// Acts that are looked at.
const ACTS: usize = 25;
/// One at a time, far enough apart that acknowledgements of the one before it have left.
const PACE: (u64, usize) = (250, 1);

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_zuoxi-torture"))
}

/// Set to 1 where tracing isn't allowed, it lets these tests pass without having checked anything.
const NO_TRACE: &str = "ZUOXI_NO_TRACE";

/// False, and said, where it was agreed that nothing is traced. Where tracing doesn't work, that is a failure.
fn can_trace() -> bool {
    if std::env::var_os(NO_TRACE).is_some_and(|value| value == "1") {
        println!("{NO_TRACE}=1: what leaves before its sync is NOT checked");
        return false;
    }
    let tried = std::process::Command::new("strace")
        .args(["-D", "-f", "-e", "trace=fdatasync", "-o", "/dev/null", "true"])
        .output();
    let said = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    panic!(
        "strace can't trace here ({said}), so what leaves before its sync can't be checked. Install strace and allow \
         ptrace (in a container: --cap-add SYS_PTRACE), or set {NO_TRACE}=1 to go without this check."
    );
}

async fn founded(folder: &Path) -> Gateway {
    let binary = program().with_file_name("zuoxi-gateway");
    Gateway::found(
        &binary,
        &folder.join("gateway"),
        &folder.join("logs"),
        &["lin".to_owned()],
    )
    .await
    .unwrap()
}

async fn client(role: Role, login: &str, folder: PathBuf, gateway: &Gateway) -> Client {
    Client::new(&program(), role, login, &folder, gateway.address(), PACE, 7)
        .await
        .unwrap()
}

async fn until_ticks(client: &Client, count: usize) {
    let begun = Instant::now();
    let ticks = || {
        let facts = seen::read(&client.seen()).unwrap();
        facts.iter().filter(|fact| matches!(fact, Fact::Tick { .. })).count()
    };
    while ticks() < count {
        assert!(begun.elapsed() < Duration::from_mins(3), "only {} ticks", ticks());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One system call's beginning or end.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Begins,
    Ends,
    Both,
}

/// Calls of a trace in order: step, name, rest of the line.
fn calls(trace: &Path) -> Vec<(Step, String, String)> {
    let text = std::fs::read_to_string(trace).unwrap();
    // What a thread has begun, by its id.
    let mut begun: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if call.starts_with("<... ") {
            if let Some((name, rest)) = begun.remove(thread) {
                calls.push((Step::Ends, name, rest));
            }
        } else if let Some((name, rest)) = call.split_once('(') {
            let (name, rest) = (name.to_owned(), rest.to_owned());
            if rest.ends_with("<unfinished ...>") {
                begun.insert(thread.to_owned(), (name.clone(), rest.clone()));
                calls.push((Step::Begins, name, rest));
            } else {
                calls.push((Step::Both, name, rest));
            }
        }
    }
    calls
}

/// What a WAL holds that no sync covers, as its process goes on.
#[derive(Default)]
struct Wal {
    /// Writes begun so far.
    written: u64,
    /// Of these, covered by a sync that has ended.
    synced: u64,
    /// Of these, before a sync that goes on began.
    syncing: u64,
    syncs: u64,
}

impl Wal {
    fn see(&mut self, step: &Step, name: &str, rest: &str, file: &str) {
        if !rest.contains(file) {
            return;
        }
        match name {
            "pwrite64" | "write" if *step != Step::Ends => self.written += 1,
            "fdatasync" | "fsync" => {
                if *step != Step::Ends {
                    self.syncing = self.written;
                }
                if *step != Step::Begins {
                    self.synced = self.syncing;
                    self.syncs += 1;
                }
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn no_answer_leaves_the_gateway_before_the_sync_that_covers_it() {
    if !can_trace() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("gateway.trace");
    let mut gateway = founded(folder.path()).await;
    gateway.trace = Some(trace.clone());
    assert!(gateway.serve().await.unwrap());
    let mut customer = client(Role::Customer, "", folder.path().join("customer"), &gateway).await;
    customer.start().unwrap();
    until_ticks(&customer, ACTS).await;
    customer.kill().await;
    gateway.kill().await;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let (mut wal, mut sends, mut since) = (Wal::default(), 0, 0);
    for (step, name, rest) in calls(&trace) {
        wal.see(&step, &name, &rest, "gateway.db-wal>");
        let sends_to_peer = matches!(name.as_str(), "sendto" | "sendmsg" | "write" | "writev") && rest.contains("<TCP");
        if sends_to_peer && step != Step::Ends {
            assert_eq!(wal.written, wal.synced, "{name} with unsynced writes before it: {rest}");
            sends += u64::from(wal.syncs > since);
            since = wal.syncs;
        }
    }
    assert!(
        sends as usize >= ACTS,
        "{sends} answers after a sync, {} syncs",
        wal.syncs
    );
}

#[tokio::test]
async fn no_clock_is_told_by_a_device_before_the_sync_that_covers_it() {
    if !can_trace() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut gateway = founded(folder.path()).await;
    assert!(gateway.serve().await.unwrap());
    let mut desk = client(Role::Desk, "lin", folder.path().join("desk"), &gateway).await;
    let mut customer = client(Role::Customer, "", folder.path().join("customer"), &gateway).await;
    for (client, name) in [(&mut desk, "desk.trace"), (&mut customer, "customer.trace")] {
        client.trace = Some(folder.path().join(name));
        client.start().unwrap();
    }
    for client in [&mut desk, &mut customer] {
        until_ticks(client, ACTS).await;
    }
    for client in [&mut desk, &mut customer] {
        client.kill().await;
    }
    gateway.kill().await;
    tokio::time::sleep(Duration::from_millis(500)).await;

    for (trace, file) in [("desk.trace", "desk.db-wal>"), ("customer.trace", "customer.db-wal>")] {
        let (mut wal, mut clocks, mut at_do) = (Wal::default(), 0, 0);
        for (step, name, rest) in calls(&folder.path().join(trace)) {
            wal.see(&step, &name, &rest, file);
            if name != "write" || !rest.contains("/seen>") || step == Step::Ends {
                continue;
            }
            if rest.contains("\"do ") {
                at_do = wal.syncs;
            } else if rest.contains("\"clock ") {
                assert!(
                    wal.syncs > at_do,
                    "{trace}: a clock without a sync since its act was done"
                );
                clocks += 1;
            }
        }
        assert!(clocks >= ACTS / 2, "{trace}: {clocks} clocks");
    }
}
