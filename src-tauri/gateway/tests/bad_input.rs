//! Bad input that comes over the wire: each gives a clear error or a closed connection, and who behaves is served as
//! before. Where else bad input and faults are tested:
//!
//! | what | where |
//! |---|---|
//! | wrong password, locked account | here; engine/tests/log_in.rs |
//! | unknown gateway, no network, no gateway at all | engine/tests/log_in.rs, net.rs, database.rs |
//! | another version | here; engine/tests/log_in.rs |
//! | a clock an hour off | here (a merchant's), faults.rs (the gateway's), engine/tests/clock.rs (a desk's) |
//! | a full disk | faults.rs; engine/tests/store.rs |
//! | a damaged or newer database | faults.rs; engine/tests/database.rs, store.rs |
//! | garbage, too large, a bomb, out of order, no member, foreign origin, replayed token | here; wire/tests/hostile.rs |
//! | texts: 4,001 characters, none, control characters, right-to-left | here; proto/vectors/texts.json |
//! | connections that never say hello | `many_connections_that_never_say_hello_…` here |
//! | everything that is parsed, at random | tests/fuzz, replayed by tests/outside |
// A test's future may be large: there is one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::large_futures,
    missing_docs
)]

mod world;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use world::{Device, OWN, PASSWORD, World, text, visitor};
use zuoxi_wire::v1::answer::Result as Outcome;
use zuoxi_wire::v1::client_frame::Kind as Asked;
use zuoxi_wire::v1::gateway_frame::Kind as Told;
use zuoxi_wire::v1::{
    Act, ActKind, Advice, Answer, ClientFrame, Identify, LogIn, Problem, ProblemCode, ReadEntries, RefusalCode,
    going_away, log_in, read_entries,
};

async fn problem(device: &mut Device) -> Problem {
    device
        .find(|frame| match &frame.kind {
            Some(Told::Problem(problem)) => Some(*problem),
            _ => None,
        })
        .await
}

/// Nothing but what was on its way comes any more.
async fn is_closed(device: &mut Device) {
    while device.next().await.is_some() {}
}

fn refusal(answer: &Answer) -> (RefusalCode, bool) {
    match &answer.result {
        Some(Outcome::Refused(refused)) => (refused.code(), refused.for_now),
        other => panic!("not refused: {other:?}"),
    }
}

fn seq(answer: &Answer) -> u64 {
    match &answer.result {
        Some(Outcome::Accepted(accepted)) => accepted.seq,
        other => panic!("not accepted: {other:?}"),
    }
}

/// The gateway still serves who behaves.
async fn serves(world: &World) {
    let mut customer = world.customer().await;
    seq(&customer.say(OWN, "还在吗").await);
}

#[tokio::test]
async fn a_wrong_password_gets_the_same_answer_as_an_unknown_name() {
    let world = World::started();
    let wrong = world
        .device()
        .await
        .log_in_agent("shen", "incorrect horse")
        .await
        .unwrap_err();
    let unknown = world.device().await.log_in_agent("nobody", PASSWORD).await.unwrap_err();
    assert_eq!(wrong.code(), ProblemCode::Credentials);
    assert_eq!(wrong, unknown);
    world.device().await.log_in_agent("shen", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_locked_account_stays_shut_even_for_the_right_password() {
    let world = World::started_with(&["limits.wrong_per_name=2"]);
    for _ in 0..2 {
        let wrong = world
            .device()
            .await
            .log_in_agent("shen", "incorrect horse")
            .await
            .unwrap_err();
        assert_eq!(wrong.code(), ProblemCode::Credentials);
    }
    let locked = world.device().await.log_in_agent("shen", PASSWORD).await.unwrap_err();
    assert_eq!((locked.code(), locked.advice()), (ProblemCode::Locked, Advice::Later));
    assert!(locked.retry_ms > 0);
    world.device().await.log_in_agent("wang", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_disabled_agent_is_shut_out_while_connected() {
    let world = World::started();
    let mut shen = world.agent("shen").await;
    world.done(&["agent", "disable", "shen"]);
    is_closed(&mut shen).await;
    let refused = world.device().await.log_in_agent("shen", PASSWORD).await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::Disabled);
    world.done(&["agent", "add", "li", "--team", "售前"]);
    world.agent("li").await;
}

#[tokio::test]
async fn a_device_of_another_version_is_told_which_are_spoken() {
    let world = World::started();
    let mut device = world.device().await;
    let told = device
        .log_in_with(LogIn {
            version: 99,
            device: world::fresh_id().to_bytes(),
            credential: Some(visitor()),
            ..LogIn::default()
        })
        .await
        .unwrap_err();
    assert_eq!((told.code(), told.advice()), (ProblemCode::Version, Advice::Update));
    assert_eq!((told.version_min, told.version_max), (1, 1));
}

#[tokio::test]
async fn a_frame_that_is_garbage_closes_the_connection_with_a_reason() {
    let world = World::started();
    for bytes in [vec![0xff; 40], vec![0x0a], (0..=255).collect::<Vec<u8>>()] {
        let mut stranger = world.device().await;
        stranger.send_bytes(bytes.clone()).await;
        assert_eq!(problem(&mut stranger).await.code(), ProblemCode::BadFrame);
        is_closed(&mut stranger).await;
        let mut customer = world.customer().await;
        customer.send_bytes(bytes).await;
        assert_eq!(problem(&mut customer).await.code(), ProblemCode::BadFrame);
        is_closed(&mut customer).await;
    }
    let mut texter = world.device().await;
    texter.socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(problem(&mut texter).await.code(), ProblemCode::BadFrame);
    is_closed(&mut texter).await;
    serves(&world).await;
}

#[tokio::test]
async fn a_frame_that_is_too_large_closes_the_connection_with_the_limit() {
    let world = World::started();
    let mut stranger = world.device().await;
    stranger.send_bytes(vec![0; 17 * 1024]).await;
    let told = problem(&mut stranger).await;
    assert_eq!((told.code(), told.limit), (ProblemCode::TooLarge, 16 * 1024));
    is_closed(&mut stranger).await;

    // Far more than that isn't even read.
    let mut flood = world.device().await;
    flood.send_bytes(vec![0; 1024 * 1024]).await;
    is_closed(&mut flood).await;

    let mut customer = world.customer().await;
    customer.send_bytes(vec![0; 1024 * 1024 + 1]).await;
    while let Some(frame) = customer.next().await {
        if let Some(Told::Problem(told)) = frame.kind {
            assert_eq!((told.code(), told.limit), (ProblemCode::TooLarge, 1024 * 1024));
        }
    }
    serves(&world).await;
}

#[tokio::test]
async fn a_frame_compressed_to_a_bomb_is_not_even_inflated() {
    use tokio::io::AsyncWriteExt;
    let world = World::started();
    let mut request = format!("ws://{}/v1/ws", world.address).into_client_request().unwrap();
    let offer = "permessage-deflate; client_max_window_bits".parse().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Extensions", offer);
    let (mut socket, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert!(!response.headers().contains_key("sec-websocket-extensions"));
    socket.next().await.unwrap().unwrap();
    // FIN, RSV1 (compressed), binary; masked, 5 bytes that inflate to much more.
    let bomb = [0xc2, 0x85, 0, 0, 0, 0, 0x62, 0x60, 0x18, 0x05, 0x00];
    let tokio_tungstenite::MaybeTlsStream::Plain(stream) = socket.get_mut() else {
        panic!("no TLS here");
    };
    stream.write_all(&bomb).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    serves(&world).await;
}

#[tokio::test]
async fn a_frame_out_of_protocol_order_closes_the_connection() {
    let world = World::started();
    let mut eager = world.device().await;
    let act = eager.act(OWN, ActKind::Message, text("before log-in"));
    eager.send_act(act).await;
    assert_eq!(problem(&mut eager).await.code(), ProblemCode::BadFrame);
    is_closed(&mut eager).await;

    let mut twice = world.customer().await;
    let again = twice.log_in(visitor()).await.unwrap_err();
    assert_eq!(again.code(), ProblemCode::BadFrame);

    let mut ahead = world.customer().await;
    let first = ahead.act(OWN, ActKind::Message, text("一"));
    let second = ahead.act(OWN, ActKind::Message, text("二"));
    assert_eq!(
        refusal(&ahead.do_act(second.clone()).await),
        (RefusalCode::Behind, true)
    );
    let first = seq(&ahead.do_act(first).await);
    assert!(seq(&ahead.do_act(second).await) > first);
}

#[tokio::test]
async fn somebody_who_is_no_member_gets_the_same_answer_as_for_what_is_not_there() {
    let world = World::started();
    let mut customer = world.customer().await;
    seq(&customer.say(OWN, "私事").await);
    let conversation = customer.own_told().await;
    world.done(&["team", "add", "售后"]);
    world.done(&["agent", "add", "ben", "--team", "售后"]);
    let ben = world.agent("ben").await;
    let other = world.customer().await;
    for mut stranger in [ben, other] {
        let there = stranger.say(conversation, "hello").await;
        let nowhere = stranger.say(world::fresh_id(), "hello").await;
        assert_eq!(refusal(&there), (RefusalCode::NotFound, false));
        assert_eq!(there.result, nowhere.result);
        for id in [conversation, world::fresh_id()] {
            let told = stranger
                .ask(Asked::ReadEntries(ReadEntries {
                    conversation: id.to_bytes(),
                    what: Some(read_entries::What::Newest(10)),
                }))
                .await;
            let Told::Problem(told) = told else { panic!("{told:?}") };
            assert_eq!(told.code(), ProblemCode::NotFound);
        }
    }
}

#[tokio::test]
async fn a_web_chat_from_a_foreign_origin_is_turned_away_and_the_own_page_is_not_a_desk() {
    let world = World::started();
    let mut foreign = Device::silent(&world.address, Some("https://evil.example")).await;
    assert_eq!(problem(&mut foreign).await.code(), ProblemCode::Origin);
    is_closed(&mut foreign).await;
    let own = format!("http://{}", world.address);
    let mut page = Device::open(&world.address, Some(&own)).await;
    page.log_in(visitor()).await.unwrap();
    let mut page = Device::open(&world.address, Some(&own)).await;
    assert!(page.log_in_agent("shen", PASSWORD).await.is_err());
}

/// A gateway whose brand has a secret with its merchant.
fn with_identities() -> World {
    let mut world = World::new();
    let secret = world.folder.path().join("secret");
    std::fs::write(&secret, "0123456789abcdef0123456789abcdef\n").unwrap();
    let secret = secret.to_str().unwrap();
    let key = ["--identity-algorithm", "HS256", "--identity-key", secret];
    world.done(&[&["brand", "add", world::BRAND, "--team", "售前"], &key[..]].concat());
    world.start();
    world
}

#[tokio::test]
async fn a_token_replayed_buys_nothing() {
    let world = with_identities();
    let mut customer = world.customer().await;
    let jwt = token(&customer, "u1", "first");
    let told = customer.ask(Asked::Identify(Identify { jwt: jwt.clone() })).await;
    assert!(matches!(told, Told::LoggedIn(_)), "{told:?}");
    // The same token on another connection: another nonce, and an id that was used.
    let mut thief = world.customer().await;
    assert_eq!(identify(&mut thief, &jwt).await, ProblemCode::Identity);
    // Another's nonce with an id of its own.
    let mut thief = world.customer().await;
    let stolen = token(&customer, "u1", "second");
    assert_eq!(identify(&mut thief, &stolen).await, ProblemCode::Identity);
    // The own nonce with an id that was used.
    let mut thief = world.customer().await;
    let used = token(&thief, "u1", "first");
    assert_eq!(identify(&mut thief, &used).await, ProblemCode::Identity);
    let mut friend = world.customer().await;
    let fresh = token(&friend, "u1", "third");
    let told = friend.ask(Asked::Identify(Identify { jwt: fresh })).await;
    assert!(matches!(told, Told::LoggedIn(_)), "{told:?}");
}

#[tokio::test]
async fn a_merchants_clock_an_hour_off_is_told_as_a_bad_identity() {
    let world = with_identities();
    for off in [-3600, 3600] {
        let mut customer = world.customer().await;
        let wrong = token_at(&customer, "u1", &format!("wrong {off}"), off);
        assert_eq!(identify(&mut customer, &wrong).await, ProblemCode::Identity);
        // The visitor goes on, and may prove it better.
        seq(&customer.say(OWN, "在吗").await);
        let right = token(&customer, &format!("u{off}"), &format!("right {off}"));
        let told = customer.ask(Asked::Identify(Identify { jwt: right })).await;
        assert!(matches!(told, Told::LoggedIn(_)), "{told:?}");
    }
}

fn token(device: &Device, subject: &str, id: &str) -> String {
    token_at(device, subject, id, 0)
}

/// A token by a clock that is off by so many seconds.
fn token_at(device: &Device, subject: &str, id: &str, off: i64) -> String {
    let nonce = device
        .hello
        .nonce
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let claims = serde_json::json!({
        "sub": subject, "name": "王芳", "aud": world::BRAND, "nonce": nonce, "jti": id,
        "exp": device.hello.time_ms as i64 / 1000 + 60 + off,
    });
    let key = jsonwebtoken::EncodingKey::from_secret(b"0123456789abcdef0123456789abcdef");
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}

async fn identify(device: &mut Device, jwt: &str) -> ProblemCode {
    match device.ask(Asked::Identify(Identify { jwt: jwt.into() })).await {
        Told::Problem(problem) => problem.code(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_revoked_in_mid_session_closes_its_connections() {
    let world = World::started();
    let mut shen = world.agent("shen").await;
    let mut wang = world.agent("wang").await;
    let session = shen.me.session.clone();
    world.done(&["agent", "log-out", "shen"]);
    let reason = shen
        .find(|frame| match &frame.kind {
            Some(Told::GoingAway(away)) => Some(away.reason()),
            _ => None,
        })
        .await;
    assert_eq!(reason, going_away::Reason::SessionEnded);
    is_closed(&mut shen).await;
    let told = world.device().await.log_in(log_in::Credential::Session(session)).await;
    assert_eq!(told.unwrap_err().code(), ProblemCode::Session);
    // The password still opens, and nobody else was troubled.
    world.agent("shen").await;
    let pong = wang.ask(Asked::Ping(zuoxi_wire::v1::Ping { token: 5 })).await;
    assert!(matches!(pong, Told::Pong(_)), "{pong:?}");
}

#[tokio::test]
async fn a_session_that_was_ended_is_refused() {
    let world = World::started();
    let mut shen = world.agent("shen").await;
    let session = shen.me.session.clone();
    let mut again = world.device().await;
    again
        .log_in(log_in::Credential::Session(session.clone()))
        .await
        .unwrap();
    world.done(&["agent", "password", "shen"]);
    let mut late = world.device().await;
    let told = late.log_in(log_in::Credential::Session(session)).await.unwrap_err();
    assert_eq!((told.code(), told.advice()), (ProblemCode::Session, Advice::LogIn));
    let made_up = log_in::Credential::Session(vec![7; 32].into());
    let told = world.device().await.log_in(made_up).await.unwrap_err();
    assert_eq!(told.code(), ProblemCode::Session);
    let _ = shen.socket.close(None).await;
}

async fn refused_text(world: &World, words: &str) -> RefusalCode {
    let mut customer = world.customer().await;
    let answer = customer.say(OWN, words).await;
    let (code, for_now) = refusal(&answer);
    assert!(!for_now);
    // What was refused stands nowhere, and what comes next goes through.
    let next = customer.say(OWN, "好").await;
    seq(&next);
    let entries = customer.entries(customer.own_or_told()).await;
    assert_eq!(entries.iter().filter(|entry| entry.kind == 1).count(), 1);
    code
}

#[tokio::test]
async fn a_text_of_4001_characters_is_too_long_and_of_4000_is_not() {
    let world = World::started();
    assert_eq!(refused_text(&world, &"字".repeat(4001)).await, RefusalCode::TooLong);
    let mut customer = world.customer().await;
    seq(&customer.say(OWN, &"字".repeat(4000)).await);
}

#[tokio::test]
async fn a_text_of_zero_length_is_empty() {
    let world = World::started();
    assert_eq!(refused_text(&world, "").await, RefusalCode::Empty);
    assert_eq!(refused_text(&world, " \n\t　").await, RefusalCode::Empty);
}

#[tokio::test]
async fn a_text_of_control_characters_and_right_to_left_marks() {
    let world = World::started();
    assert_eq!(refused_text(&world, "a\u{7}b").await, RefusalCode::Malformed);
    assert_eq!(refused_text(&world, "a\u{0}b").await, RefusalCode::Malformed);
    assert_eq!(
        refused_text(&world, "\u{202e}\u{200f}\u{200b}").await,
        RefusalCode::Empty
    );
    // Ordinary in Hebrew and Arabic: stored as it came.
    let mut customer = world.customer().await;
    seq(&customer.say(OWN, "שלום\u{200f} \u{202e}abc\u{202c}").await);
}

#[tokio::test]
async fn an_act_that_is_not_what_it_says_is_malformed() {
    let world = World::started();
    let mut customer = world.customer().await;
    seq(&customer.say(OWN, "一").await);
    let act = customer.act(OWN, ActKind::Message, vec![0xff, 0xff, 0xff].into());
    assert_eq!(refusal(&customer.do_act(act).await).0, RefusalCode::Malformed);
    let act = customer.act(OWN, ActKind::Unspecified, text("x"));
    assert!(!refusal(&customer.do_act(act).await).1);
    let long = Act {
        id: vec![1; 15].into(),
        ..customer.act(OWN, ActKind::Message, text("x"))
    };
    customer.send_act(long).await;
    is_closed(&mut customer).await;
}

#[tokio::test]
async fn an_id_with_another_content_is_refused_and_with_the_same_gets_its_seq_again() {
    let world = World::started();
    let mut customer = world.customer().await;
    let act = customer.act(OWN, ActKind::Message, text("一"));
    let first = seq(&customer.do_act(act.clone()).await);
    let repeat = Act {
        number: 2,
        ..act.clone()
    };
    assert_eq!(seq(&customer.do_act(repeat).await), first);
    let other = Act {
        number: 3,
        content: text("二"),
        ..act
    };
    assert_eq!(refusal(&customer.do_act(other).await).0, RefusalCode::Reused);
}

#[tokio::test]
async fn many_connections_that_never_say_hello_are_closed_and_others_are_served_meanwhile() {
    // Ten thousand, or as many as this process may have open.
    let many = usize::try_from(open_files())
        .unwrap_or(usize::MAX)
        .saturating_sub(500)
        .min(10_000);
    let world = World::started_with(&["limits.connects_burst=20000", "limits.connections_per_address=5000"]);
    let mut silent = Vec::new();
    for n in 0..many {
        // An address may have half of them.
        silent.push(Silent::open(&world.address, if n % 2 == 0 { "127.0.0.2" } else { "127.0.0.3" }).await);
    }
    serves(&world).await;
    for silent in silent {
        let said = silent.until_closed().await;
        assert!(matches!(said.first(), Some(Told::Hello(_))), "{said:?}");
        match said.last() {
            Some(Told::Problem(problem)) => assert_eq!(problem.code(), ProblemCode::TooSlow),
            other => panic!("{other:?}"),
        }
    }
    serves(&world).await;
    assert!(world.metric("zuoxi_connections") <= 2);
}

/// How many files this process may have open, once it asked for as many as it may.
fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// A WebSocket that costs next to nothing, and says nothing.
struct Silent(tokio::net::TcpStream);

impl Silent {
    async fn open(gateway: &str, from: &str) -> Self {
        use tokio::io::AsyncWriteExt;
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(gateway.parse().unwrap()).await.unwrap();
        let request = format!(
            "GET /v1/ws HTTP/1.1\r\nHost: {gateway}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        Self(stream)
    }

    /// What the gateway said until it closed.
    async fn until_closed(mut self) -> Vec<Told> {
        use tokio::io::AsyncReadExt;
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(world::HANG, self.0.read_to_end(&mut bytes));
        let _ = read.await.expect("a close");
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        let mut rest = &bytes[head..];
        let mut said = Vec::new();
        // Short frames alone: FIN and binary, then a length of one byte.
        while let [0x82, length @ 0..126, after @ ..] = rest {
            let (frame, left) = after.split_at(usize::from(*length));
            let frame = zuoxi_wire::frame::decode_gateway(bytes::Bytes::copy_from_slice(frame)).unwrap();
            said.extend(frame.kind);
            rest = left;
        }
        said
    }
}

#[tokio::test]
async fn an_address_that_connects_in_a_flood_is_told_when_to_come_back() {
    let world = World::started_with(&["limits.connects_burst=20", "limits.connects_per_second=1"]);
    let mut flood = Vec::new();
    for _ in 0..200 {
        flood.push(Silent::open(&world.address, "127.0.0.2").await);
    }
    let mut told = Vec::new();
    for connection in flood {
        for said in connection.until_closed().await {
            if let Told::GoingAway(away) = said {
                assert_eq!(away.reason(), going_away::Reason::Crowded);
                told.push(away.come_back_ms);
            }
        }
    }
    assert!(!told.is_empty());
    assert!(told.iter().all(|ms| *ms > 0));
    // Other addresses are served.
    serves(&world).await;
    assert_eq!(world.metric("zuoxi_floods_total"), told.len() as u64);
}

#[tokio::test]
async fn sockets_that_never_even_ask_are_closed() {
    use tokio::io::AsyncReadExt;
    let world = World::started();
    let mut mute = Vec::new();
    for _ in 0..200 {
        mute.push(tokio::net::TcpStream::connect(&world.address).await.unwrap());
    }
    serves(&world).await;
    for socket in &mut mute {
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest).await;
    }
}

#[tokio::test]
async fn more_connections_than_one_address_may_have_are_told_to_come_later() {
    let world = World::started_with(&["limits.connections_per_address=3"]);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(world.customer().await);
    }
    let mut fourth = Device::silent(&world.address, None).await;
    let (reason, come_back_ms) = fourth
        .find(|frame| match &frame.kind {
            Some(Told::GoingAway(away)) => Some((away.reason(), away.come_back_ms)),
            _ => None,
        })
        .await;
    assert_eq!(reason, going_away::Reason::Crowded);
    assert!(come_back_ms > 0);
    is_closed(&mut fourth).await;
    held.clear();
    // Places are given back once the gateway has seen the others leave.
    loop {
        let mut device = Device::silent(&world.address, None).await;
        if let Some(Told::Hello(_)) = device.next().await.and_then(|frame| frame.kind) {
            break;
        }
    }
}

#[tokio::test]
async fn who_does_not_read_is_dropped_and_holds_nobody_up() {
    let world = World::started_with(&["limits.customer_acts_burst=1000"]);
    let mut customer = world.customer().await;
    seq(&customer.say(OWN, "一").await);
    let conversation = customer.own_told().await;
    let mut deaf = world.agent("shen").await;
    // Asks for the same page again and again, and never reads.
    let asked = ClientFrame {
        request: 7,
        ack: None,
        kind: Some(Asked::ReadEntries(ReadEntries {
            conversation: conversation.to_bytes(),
            what: Some(read_entries::What::Newest(500)),
        })),
    };
    for n in 0..200 {
        seq(&customer.say(OWN, &format!("{n}{}", "长".repeat(3000))).await);
        deaf.send(&asked).await;
    }
    serves(&world).await;
}
