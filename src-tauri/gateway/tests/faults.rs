//! Issue 4, "Bad input and faults": disk, database, kills, restores, stops. Nothing that was acknowledged is lost.
// A test's future may be large: there is one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::large_futures,
    missing_docs
)]

mod world;

use std::collections::BTreeMap;

use world::{Device, OWN, World, text, visitor, words};
use zuoxi_wire::Id;
use zuoxi_wire::v1::answer::Result as Outcome;
use zuoxi_wire::v1::gateway_frame::Kind as Told;
use zuoxi_wire::v1::{Act, ActKind, Answer, RefusalCode, going_away, log_in};

fn seq(answer: &Answer) -> u64 {
    match &answer.result {
        Some(Outcome::Accepted(accepted)) => accepted.seq,
        other => panic!("not accepted: {other:?}"),
    }
}

async fn again(world: &World, session: &bytes::Bytes) -> Device {
    let mut device = world.device().await;
    device
        .log_in(log_in::Credential::Session(session.clone()))
        .await
        .unwrap();
    device
}

#[tokio::test]
async fn a_kill_keeps_every_acknowledged_entry_once_and_in_order() {
    let mut world = World::started();
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let mut customer = world.customer().await;
        seq(&customer.say(OWN, "begin").await);
        sessions.push((
            customer.me.session.clone(),
            customer.own_or_told(),
            BTreeMap::<Id, u64>::new(),
        ));
    }
    for round in 0..5 {
        let mut flights = Vec::new();
        for (session, ..) in &sessions {
            let mut customer = again(&world, session).await;
            flights.push(tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for n in 0..200 {
                    let act = customer.act(OWN, ActKind::Message, text(&format!("{round} {n}")));
                    customer.send_act(act).await;
                    if n % 8 != 7 {
                        continue;
                    }
                    // Until the kill closes it.
                    let Some(frame) = customer.next().await else { break };
                    if let Some(Told::Answers(answers)) = frame.kind {
                        acknowledged.extend(answers.answers.into_iter().filter_map(|answer| match answer.result {
                            Some(Outcome::Accepted(accepted)) => {
                                Some((Id::try_from(&answer.id).unwrap(), accepted.seq))
                            }
                            _ => None,
                        }));
                    }
                }
                acknowledged
            }));
        }
        tokio::time::sleep(std::time::Duration::from_millis(20 + 15 * round)).await;
        world.kill();
        for (flight, (.., acknowledged)) in flights.into_iter().zip(&mut sessions) {
            acknowledged.extend(flight.await.unwrap());
        }
        world.start();
    }
    for (session, conversation, acknowledged) in &sessions {
        let mut customer = again(&world, session).await;
        let there = customer.entries(*conversation).await;
        for (id, seq) in acknowledged {
            let found: Vec<u64> = there
                .iter()
                .filter(|entry| entry.id == id.0[..])
                .map(|entry| entry.seq)
                .collect();
            assert_eq!(found, [*seq]);
        }
    }
    assert!(sessions.iter().any(|(.., acknowledged)| !acknowledged.is_empty()));
    assert!(world.done(&["check"]).contains("consistent"));
}

#[tokio::test]
async fn a_full_disk_refuses_for_now_and_the_same_acts_go_through_later() {
    let mut world = World::started_with(&["limits.database_mib=1", "limits.customer_acts_burst=5000"]);
    let mut customer = world.customer().await;
    let session = customer.me.session.clone();
    let mut stored = BTreeMap::new();
    let refused = loop {
        let act = customer.act(OWN, ActKind::Message, text(&"满".repeat(4000)));
        let answer = customer.do_act(act.clone()).await;
        match &answer.result {
            Some(Outcome::Accepted(accepted)) => stored.insert(act.id.clone(), accepted.seq),
            Some(Outcome::Refused(refused)) => {
                assert_eq!((refused.code(), refused.for_now), (RefusalCode::Store, true));
                break act;
            }
            None => panic!("no answer"),
        };
    };
    assert!(!stored.is_empty());
    let conversation = customer.own_or_told();
    assert!(world.stop());
    world.set.clear();
    world.start();
    let mut customer = again(&world, &session).await;
    let repeat = Act { number: 1, ..refused };
    let next = seq(&customer.do_act(repeat).await);
    let there = customer.entries(conversation).await;
    for (id, seq) in &stored {
        assert!(there.iter().any(|entry| entry.id == *id && entry.seq == *seq));
        assert!(*seq < next);
    }
    assert!(world.done(&["check"]).contains("consistent"));
}

/// A file system of its own, gone with it; none where this user may not mount.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn new(at: &std::path::Path, mib: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(at);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_disk_that_is_really_full_refuses_for_now_and_never_acknowledges() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let Some(_disk) = SmallDisk::new(&data, 6) else {
        eprintln!("no file system can be mounted here: a file that may not grow stands for a full disk");
        return a_file_that_may_not_grow(folder).await;
    };
    let ballast = data.join("ballast");
    std::fs::write(&ballast, vec![1; 2 * 1024 * 1024]).unwrap();
    let mut world = World::on(folder);
    world.set = vec!["limits.customer_acts_burst=5000".into()];
    world.start();
    let (customer, stored, refused) = until_refused(&world).await;
    // Somebody makes room, and the same acts go through.
    std::fs::remove_file(&ballast).unwrap();
    goes_on(&mut world, customer, &stored, refused).await;
}

/// The same by the system's limit of a file's size.
async fn a_file_that_may_not_grow(folder: tempfile::TempDir) {
    let mut world = World::on(folder);
    world.set = vec!["limits.customer_acts_burst=5000".into()];
    world.file_blocks = Some(6 * 1024);
    world.start();
    let (customer, stored, refused) = until_refused(&world).await;
    let session = customer.me.session.clone();
    assert!(world.stop());
    world.file_blocks = None;
    world.start();
    let customer = again(&world, &session).await;
    goes_on(&mut world, customer, &stored, refused).await;
}

/// Writes until the disk is full; what was acknowledged, and the act that was not.
async fn until_refused(world: &World) -> (Device, BTreeMap<bytes::Bytes, u64>, Act) {
    let mut customer = world.customer().await;
    let mut stored = BTreeMap::new();
    loop {
        let act = customer.act(OWN, ActKind::Message, text(&"满".repeat(4000)));
        let answer = customer.do_act(act.clone()).await;
        match &answer.result {
            Some(Outcome::Accepted(accepted)) => stored.insert(act.id.clone(), accepted.seq),
            Some(Outcome::Refused(refused)) => {
                assert_eq!((refused.code(), refused.for_now), (RefusalCode::Store, true));
                return (customer, stored, act);
            }
            None => panic!("no answer"),
        };
    }
}

/// The refused act goes through at last, and everything that was acknowledged is there, once.
async fn goes_on(world: &mut World, mut customer: Device, stored: &BTreeMap<bytes::Bytes, u64>, refused: Act) {
    assert!(!stored.is_empty());
    let id = refused.id.clone();
    let mut act = refused;
    let session = customer.me.session.clone();
    let next = loop {
        match customer.do_act(act.clone()).await.result {
            Some(Outcome::Accepted(accepted)) => break accepted.seq,
            Some(Outcome::Refused(refused)) if refused.for_now => {
                tokio::time::sleep(std::time::Duration::from_millis(refused.retry_ms.into())).await;
                // A connection of its own begins its lane anew.
                customer = again(world, &session).await;
                act.number = 1;
            }
            other => panic!("{other:?}"),
        }
    };
    let conversation = customer.own_told().await;
    assert!(world.stop());
    world.start();
    let mut customer = again(world, &session).await;
    let there = customer.entries(conversation).await;
    for (id, seq) in stored.iter().chain([(&id, &next)]) {
        let found: Vec<u64> = there
            .iter()
            .filter(|entry| entry.id == *id)
            .map(|entry| entry.seq)
            .collect();
        assert_eq!(found, [*seq]);
    }
    assert!(world.done(&["check"]).contains("consistent"));
}

#[tokio::test]
async fn two_agents_who_take_one_conversation_at_once_get_it_once_and_the_other_is_told_who() {
    let world = World::started();
    let [mut shen, mut wang] = [world.device().await, world.device().await];
    for (device, name) in [(&mut shen, "shen"), (&mut wang, "wang")] {
        let mut log_in = zuoxi_wire::v1::LogIn {
            version: 1,
            device: world::fresh_id().to_bytes(),
            presence: zuoxi_wire::v1::Presence::Busy.into(),
            ..zuoxi_wire::v1::LogIn::default()
        };
        log_in.credential = Some(log_in::Credential::Agent(zuoxi_wire::v1::AgentPassword {
            name: name.into(),
            password: world::PASSWORD.into(),
        }));
        device.log_in_with(log_in).await.unwrap();
    }
    let mut customer = world.customer().await;
    for _ in 0..5 {
        seq(&customer.say(OWN, "谁来").await);
        let conversation = customer.own_or_told();
        let (mine, yours) = (
            shen.act(conversation, ActKind::Take, bytes::Bytes::new()),
            wang.act(conversation, ActKind::Take, bytes::Bytes::new()),
        );
        let (mine, yours) = tokio::join!(shen.do_act(mine), wang.do_act(yours));
        let names = [("王珊", &mine), ("沈佳宁", &yours)];
        let taken: Vec<_> = names
            .iter()
            .filter_map(|(other, answer)| match &answer.result {
                Some(Outcome::Refused(refused)) => Some((refused.code(), refused.assignee_name.as_str() == *other)),
                _ => None,
            })
            .collect();
        assert_eq!(taken, [(RefusalCode::Taken, true)], "{mine:?} {yours:?}");
        // Another customer for the next round: lanes ended with the refusal.
        customer = world.customer().await;
    }
}

#[tokio::test]
async fn a_restored_backup_has_another_epoch_and_what_it_did_not_hold_is_gone() {
    let mut world = World::started();
    let mut customer = world.customer().await;
    let session = customer.me.session.clone();
    seq(&customer.say(OWN, "before").await);
    let conversation = customer.own_or_told();
    let copy = world.folder.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    // Taken while the gateway runs.
    world.done(&["backup", copy]);
    seq(&customer.say(OWN, "after").await);
    let epoch = customer.hello.epoch;
    let told = world.refused(&["restore", copy]);
    assert!(told.contains("running"), "{told}");
    assert!(world.stop());
    world.done(&["restore", copy]);
    world.start();
    let mut customer = again(&world, &session).await;
    assert_ne!(customer.hello.epoch, epoch);
    assert_eq!(customer.me.epoch, customer.hello.epoch);
    let there: Vec<String> = customer
        .entries(conversation)
        .await
        .iter()
        .filter(|entry| entry.kind == 1)
        .map(words)
        .collect();
    assert_eq!(there, ["before"]);
    assert!(world.done(&["check"]).contains("consistent"));
}

#[tokio::test]
async fn what_is_no_backup_is_refused_and_nothing_is_lost() {
    let world = World::new();
    let garbage = world.folder.path().join("garbage");
    std::fs::write(&garbage, vec![0x5a; 10_000]).unwrap();
    world.refused(&["restore", garbage.to_str().unwrap()]);
    world.refused(&["restore", "/nowhere/at/all"]);
    assert!(world.done(&["agent", "list"]).contains("沈佳宁"));
}

#[test]
fn a_newer_database_is_refused_with_what_to_do() {
    let world = World::new();
    let database = rusqlite::Connection::open(world.data().join("gateway.db")).unwrap();
    database.pragma_update(None, "user_version", 4_000).unwrap();
    drop(database);
    let told = world.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(told.contains("4000") && told.contains("newer"), "{told}");
}

#[test]
fn a_damaged_database_is_refused_and_doctor_says_so() {
    let world = World::new();
    for name in ["gateway.db", "gateway.db-wal", "gateway.db-shm"] {
        let _ = std::fs::remove_file(world.data().join(name));
    }
    std::fs::write(world.data().join("gateway.db"), vec![0x5a; 10_000]).unwrap();
    let told = world.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(told.contains("damaged") && told.contains("restore"), "{told}");
    let doctor = world.command(&["doctor"]);
    assert!(!doctor.status.success());
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("damaged"));
}

#[test]
fn check_finds_a_hole_in_the_log() {
    let world = World::new();
    assert!(world.done(&["check"]).contains("consistent"));
    let database = rusqlite::Connection::open(world.data().join("gateway.db")).unwrap();
    let entry =
        "INSERT INTO entries (conversation, seq, public, audience, kind, id, role, author_name, time_ms, content,
                 erased, customer_messages) VALUES (zeroblob(16), 2, 1, 0, 1, zeroblob(16), 1, '', 0, x'', 0, 0)";
    database.execute(entry, []).unwrap();
    drop(database);
    let check = world.command(&["check"]);
    assert!(!check.status.success());
    assert!(String::from_utf8_lossy(&check.stdout).contains("an entry without its conversation"));
}

#[test]
fn two_gateways_never_run_on_one_folder() {
    let world = World::started();
    let told = world.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(told.contains("running"), "{told}");
}

#[tokio::test]
async fn a_stop_tells_everybody_to_come_back_and_ends_well() {
    let mut world = World::started();
    let mut shen = world.agent("shen").await;
    let mut customer = world.customer().await;
    seq(&customer.say(OWN, "在吗").await);
    let stopped = std::thread::spawn(move || {
        let well = world.stop();
        (world, well)
    });
    for device in [&mut shen, &mut customer] {
        let reason = device
            .find(|frame| match &frame.kind {
                Some(Told::GoingAway(away)) => Some(away.reason()),
                _ => None,
            })
            .await;
        assert_eq!(reason, going_away::Reason::Stopping);
        while device.next().await.is_some() {}
    }
    let (world, well) = stopped.join().unwrap();
    assert!(well);
    assert!(!world.data().join("gateway.db-wal").exists());
}

#[test]
fn a_wrong_configuration_is_refused_with_file_line_and_key() {
    let world = World::new();
    let file = world.data().join("gateway.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\n\n[limits]\nconections = 5\n").unwrap();
    let told = world.refused(&["serve"]);
    assert!(
        told.contains(&format!("{}:4: limits.conections", file.display())),
        "{told}"
    );
    std::fs::write(&file, "listen = \"0.0.0.0:0\"\n").unwrap();
    let told = world.refused(&["serve"]);
    assert!(told.contains("tls.certificate"), "{told}");
    let shown = world.done(&["--print-config", "--set", "limits.connections=7"]);
    assert!(shown.contains("connections = 7"), "{shown}");
}

#[test]
fn pages_and_figures() {
    let world = World::started();
    world.done(&[
        "brand",
        "add",
        world::BRAND,
        "--team",
        "售前",
        "--origin",
        "https://shop.example",
    ]);
    // In force within a second.
    let card = format!("/chat/brand.json?brand={}", world::BRAND);
    while !world.http(&card).contains("https://shop.example") {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let page = world.http(&format!("/chat/?brand={}", world::BRAND)).to_lowercase();
    assert!(
        page.starts_with("http/1.1 200") || page.starts_with("http/1.1 503"),
        "{page}"
    );
    if page.starts_with("http/1.1 200") {
        assert!(page.contains("frame-ancestors 'self' https://shop.example"), "{page}");
        assert!(page.contains("default-src 'none'; script-src 'self'"), "{page}");
        assert!(page.contains("img-src 'self';"), "{page}");
        assert!(!page.contains("unsafe"), "{page}");
    }
    assert!(page.contains("x-content-type-options: nosniff"));
    assert!(world.http("/chat/?brand=nobody").starts_with("HTTP/1.1 404"));
    assert!(
        world
            .http(&format!("/chat?brand={}", world::BRAND))
            .contains(&format!("/chat/?brand={}", world::BRAND))
    );
    for outside in [
        "/chat/../../Cargo.toml",
        "/chat/..%2f..%2fpackage.json",
        "/chat//etc/passwd",
    ] {
        assert!(!world.http(outside).starts_with("HTTP/1.1 200"), "{outside}");
    }
    assert!(world.http("/healthz").starts_with("HTTP/1.1 200"));
    assert!(world.http("/readyz").starts_with("HTTP/1.1 200"));
    assert!(world.http("/metrics").contains("zuoxi_turn_seconds_count"));
    assert!(world.http("/nothing").starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn tls_is_spoken_and_a_renewed_certificate_is_taken() {
    let mut world = World::new();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| world.folder.path().join(name));
    let write = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        made.cert.der().to_vec()
    };
    let first = write();
    world.set = vec![
        format!("tls.certificate={}", certificate.display()),
        format!("tls.key={}", key.display()),
    ];
    world.start();
    assert_eq!(served(&world.address, &first).await, first);
    let second = write();
    while served(&world.address, &second).await != second {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    // A plain socket gets nowhere.
    assert!(
        tokio_tungstenite::connect_async(format!("ws://{}/v1/ws", world.address))
            .await
            .is_err()
    );
}

#[test]
fn doctor_judges_certificates_by_their_dates_and_names() {
    let world = World::new();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| world.folder.path().join(name));
    let judged = |from: i32, to: i32, host: &str| {
        let mut params = rcgen::CertificateParams::new(vec!["chat.example.com".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        let pair = rcgen::KeyPair::generate().unwrap();
        std::fs::write(&certificate, params.self_signed(&pair).unwrap().pem()).unwrap();
        std::fs::write(&key, pair.serialize_pem()).unwrap();
        let set = [
            format!("tls.certificate={}", certificate.display()),
            format!("tls.key={}", key.display()),
            format!("public_url=https://{host}:8443"),
        ];
        let flags: Vec<&str> = set.iter().flat_map(|pair| ["--set", pair.as_str()]).collect();
        let doctor = world.command(&[&flags[..], &["doctor"]].concat());
        let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
        (doctor.status.success(), told)
    };
    let (good, told) = judged(2020, 2099, "chat.example.com");
    assert!(good && told.contains("good for"), "{told}");
    let (good, told) = judged(2020, 2021, "chat.example.com");
    assert!(!good && told.contains("renew it"), "{told}");
    let (good, told) = judged(2098, 2099, "chat.example.com");
    assert!(!good && told.contains("is the clock right?"), "{told}");
    let (good, told) = judged(2020, 2099, "shop.example.com");
    assert!(!good && told.contains("it is for chat.example.com"), "{told}");
    // A key of another certificate.
    let other = rcgen::KeyPair::generate().unwrap();
    judged(2020, 2099, "chat.example.com");
    std::fs::write(&key, other.serialize_pem()).unwrap();
    let set = [
        format!("tls.certificate={}", certificate.display()),
        format!("tls.key={}", key.display()),
    ];
    let doctor = world.command(&["--set", &set[0], "--set", &set[1], "doctor"]);
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(!doctor.status.success() && told.contains("can't be used"), "{told}");
}

/// The certificate that is served, which must be this one or the one before it.
async fn served(address: &str, trusted: &[u8]) -> Vec<u8> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.to_vec().into()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    match connector.connect("localhost".try_into().unwrap(), stream).await {
        Ok(stream) => stream.get_ref().1.peer_certificates().unwrap()[0].to_vec(),
        Err(_) => Vec::new(),
    }
}

#[tokio::test]
async fn a_message_is_found_in_the_trace_by_its_id_and_its_words_are_not() {
    let mut world = World::started();
    let mut shen = world.agent("shen").await;
    let mut customer = world.device().await;
    customer.log_in(visitor()).await.unwrap();
    let said = customer.say(OWN, "a very secret sentence").await;
    shen.hear("a very secret sentence").await;
    assert!(world.stop());
    let log = std::fs::read_to_string(world.data().join("logs/gateway.jsonl")).unwrap();
    let id = Id::try_from(&said.id).unwrap().to_string();
    for step in ["came in", "answered", "pushed"] {
        let found = log.lines().any(|line| line.contains(&id) && line.contains(step));
        assert!(found, "{step}");
    }
    assert!(!log.contains("secret sentence"));
}
