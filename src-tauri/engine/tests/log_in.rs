//! Logging in to what is a gateway, what isn't, and what refuses; and the account's database that opens, or doesn't.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod desks;
mod scripted;

use std::sync::Arc;

use tempfile::TempDir;
use zuoxi_engine::net::NetError;
use zuoxi_engine::store::{Accounts, Keyring, MemoryKeyring, NoKeyring};
use zuoxi_engine::view::CallError;
use zuoxi_engine::{Engine, PassphraseNeed};
use zuoxi_wire::v1::{Hello, Pong, Problem, ProblemCode, client_frame, gateway_frame, log_in};

use scripted::{Peer, ScriptedGateway, patiently, scripted};

const GATEWAY: &str = "chat.example.com";

struct Desk {
    engine: Engine,
    gateway: ScriptedGateway,
    data: TempDir,
}

fn desk(keyring: Arc<dyn Keyring>) -> Desk {
    let data = tempfile::tempdir().unwrap();
    let (transport, gateway) = scripted();
    let engine = desks::open(data.path(), transport, keyring);
    Desk { engine, gateway, data }
}

fn with_keyring() -> Desk {
    desk(Arc::new(MemoryKeyring::default()))
}

/// Logs in while `answers` plays the gateway on the first connection.
async fn log_in<F: Future<Output = ()>>(desk: &mut Desk, answers: impl FnOnce(Peer) -> F) -> Result<(), CallError> {
    let calling = desk.engine.log_in(GATEWAY, "lin", "secret words", true);
    let answering = async {
        answers(desk.gateway.accept().await).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        result = patiently(calling) => result,
        () = answering => unreachable!(),
    }
}

fn code(result: Result<(), CallError>) -> String {
    result.expect_err("it succeeded").code
}

async fn refuses(code: ProblemCode, retry_ms: u32) -> CallError {
    let mut desk = with_keyring();
    log_in(&mut desk, async |mut peer: Peer| {
        peer.hello(1).await;
        let name = peer
            .find(|_, kind| match kind {
                client_frame::Kind::LogIn(log_in) => log_in.credential,
                _ => None,
            })
            .await;
        assert!(
            matches!(name, log_in::Credential::Agent(agent) if agent.name == "lin" && agent.password == "secret words")
        );
        peer.say(
            1,
            gateway_frame::Kind::Problem(Problem {
                code: code as i32,
                retry_ms,
                ..Problem::default()
            }),
        )
        .await;
        let _ = peer.next().await;
    })
    .await
    .expect_err("it succeeded")
}

#[tokio::test]
async fn a_wrong_password_is_told_and_nothing_is_kept() {
    assert_eq!(refuses(ProblemCode::Credentials, 0).await.code, "credentials");
    let mut desk = with_keyring();
    let refused = log_in(&mut desk, async |peer: Peer| {
        peer.hello(1).await;
        peer.say(
            1,
            gateway_frame::Kind::Problem(Problem {
                code: 5,
                ..Problem::default()
            }),
        )
        .await;
    });
    assert_eq!(code(refused.await), "credentials");
    let start = desk.engine.start().await.unwrap();
    assert_eq!((start.me, start.accounts.len()), (None, 0));
    assert!(
        !desk.data.path().join("accounts").exists(),
        "a mistyped name leaves no database behind"
    );
}

#[tokio::test]
async fn a_locked_account_says_when_to_come_again() {
    assert_eq!(
        refuses(ProblemCode::Locked, 60_000).await,
        CallError::later("locked", 60_000)
    );
    assert_eq!(refuses(ProblemCode::Disabled, 0).await.code, "disabled");
}

#[tokio::test]
async fn an_unknown_gateway_is_told() {
    let desk = with_keyring();
    desk.gateway.refuse(Some(NetError::Network("no route".into())));
    assert_eq!(code(desk.engine.log_in(GATEWAY, "lin", "pw", true).await), "network");
    desk.gateway.refuse(Some(NetError::Tls("expired".into())));
    assert_eq!(code(desk.engine.log_in(GATEWAY, "lin", "pw", true).await), "tls");
}

#[tokio::test]
async fn what_is_no_gateway_is_told() {
    let mut desk = with_keyring();
    let garbage = log_in(&mut desk, async |peer: Peer| {
        peer.say_bytes(b"\xff\xff\xff\xff garbage").await;
    });
    assert_eq!(code(garbage.await), "not_a_gateway");
    let other = log_in(&mut desk, async |peer: Peer| {
        peer.say(0, gateway_frame::Kind::Pong(Pong::default())).await;
    });
    assert_eq!(code(other.await), "not_a_gateway");
}

#[tokio::test]
async fn a_gateway_of_another_version_is_told_before_the_password_leaves() {
    let mut desk = with_keyring();
    let refused = log_in(&mut desk, async |mut peer: Peer| {
        let hello = Hello {
            version_min: 2,
            version_max: 3,
            nonce: vec![7; 16].into(),
            ..Hello::default()
        };
        peer.say(0, gateway_frame::Kind::Hello(hello)).await;
        assert!(peer.next().await.is_none());
    });
    assert_eq!(code(refused.await), "version");
}

#[tokio::test]
async fn what_is_no_address_never_reaches_the_network() {
    let desk = with_keyring();
    for address in ["", "a b", "http://chat.example.com", "ftp://chat.example.com"] {
        assert_eq!(
            code(desk.engine.log_in(address, "lin", "pw", true).await),
            "invalid",
            "{address}"
        );
    }
    assert_eq!(code(desk.engine.log_in(GATEWAY, " ", "pw", true).await), "invalid");
}

#[tokio::test]
async fn without_a_log_in_calls_say_so() {
    let desk = with_keyring();
    let conversation = "0190b5a0-0000-7000-8000-000000000001";
    assert_eq!(code(desk.engine.take(conversation).await), "session");
    assert_eq!(code(desk.engine.take("x").await), "invalid");
    assert_eq!(desk.engine.unsent().await.unwrap(), zuoxi_engine::Unsent::default());
    assert!(desk.engine.diagnostics().await.unwrap().contains("nobody is logged in"));
}

#[tokio::test]
async fn without_a_keyring_a_passphrase_comes_before_the_password() {
    let desk = desk(Arc::new(NoKeyring));
    let start = desk.engine.start().await.unwrap();
    assert_eq!((start.passphrase, start.keyring), (PassphraseNeed::New, false));
    assert_eq!(
        code(desk.engine.log_in(GATEWAY, "lin", "pw", true).await),
        "passphrase_needed"
    );
    assert_eq!(code(desk.engine.unlock("short").await), "too_short");
    desk.engine.unlock("一二三四五六七八").await.unwrap();
    assert_eq!(desk.engine.start().await.unwrap().passphrase, PassphraseNeed::No);
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_made_is_told() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("file"), b"").unwrap();
    let (transport, _gateway) = scripted();
    let surroundings = zuoxi_engine::Surroundings {
        transport,
        ..zuoxi_engine::Surroundings::system(Arc::new(|_| 0))
    };
    let config = zuoxi_engine::EngineConfig {
        data_dir: data.path().join("file/below"),
        software: String::new(),
        language: String::new(),
        keyring: Arc::new(MemoryKeyring::default()),
        surroundings,
    };
    assert_eq!(Engine::open(config).err().unwrap().code, "store");
    let _ = Accounts::new(data.path());
}

#[tokio::test]
async fn a_gateway_is_reached_before_anybody_logs_in() {
    let mut desk = with_keyring();
    let (reached, peer) = tokio::join!(patiently(desk.engine.reach(GATEWAY)), async {
        let peer = desk.gateway.accept().await;
        peer.hello(1).await;
        peer
    });
    drop(peer);
    assert!(reached.is_ok());
    assert_eq!(
        desk.engine
            .reach("http://chat.example.com")
            .await
            .expect_err("plain")
            .code,
        "invalid"
    );
}
