//! The real transport against servers that are, aren't, or only pretend to be a gateway.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use zuoxi_engine::net::{Connection, Fetched, GatewayAddress, NetError, Proxies, Transport, WebSocketTransport};
use zuoxi_wire::{Id, limits};

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    (listener, at)
}

async fn connect(address: &str) -> Result<Connection, NetError> {
    WebSocketTransport::new(Proxies::none())
        .connect(&GatewayAddress::parse(address).unwrap())
        .await
}

/// A server that says these bytes to whoever comes.
async fn says(bytes: &'static [u8]) -> String {
    let (listener, at) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    });
    at
}

async fn failure(address: &str) -> &'static str {
    connect(address).await.err().expect("it connected").code()
}

#[tokio::test]
async fn an_unknown_gateway_is_a_matter_of_the_network() {
    let (listener, at) = listen().await;
    drop(listener);
    assert_eq!(failure(&at).await, "network");
    assert_eq!(failure("https://nobody.invalid").await, "network");
}

#[tokio::test]
async fn what_is_no_gateway_is_told() {
    assert_eq!(
        failure(&says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await).await,
        "not_a_gateway"
    );
    assert_eq!(
        failure(&says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await).await,
        "not_a_gateway"
    );
    assert_eq!(
        failure(&says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await).await,
        "not_a_gateway"
    );
    // A gateway's own load balancer without a gateway behind it: worth trying again.
    assert_eq!(
        failure(&says(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n").await).await,
        "network"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_and_a_server_without_tls_are_told() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (listener, at) = listen().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await;
    });
    assert_eq!(failure(&at.replace("127.0.0.1", "https://localhost")).await, "tls");
    let plain = says(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(failure(&format!("https://{plain}")).await, "tls");
}

/// A WebSocket server's end of one connection.
async fn accept(listener: TcpListener) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let (stream, _) = listener.accept().await.unwrap();
    tokio_tungstenite::accept_async(stream).await.unwrap()
}

#[tokio::test]
async fn frames_go_both_ways_and_a_goodbye_follows_what_was_sent() {
    let (listener, at) = listen().await;
    let server = tokio::spawn(async move {
        let mut socket = accept(listener).await;
        let mut heard = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Binary(bytes) => {
                    heard.push(bytes.clone());
                    socket.send(Message::Binary(bytes)).await.unwrap();
                }
                Message::Close(_) => break,
                _ => {}
            }
        }
        heard
    });
    let Connection { out, mut incoming } = connect(&at).await.unwrap();
    for byte in 0..10 {
        out.send(Bytes::from(vec![byte; 100])).await.unwrap();
    }
    for byte in 0..10 {
        assert_eq!(incoming.recv().await.unwrap().unwrap(), vec![byte; 100]);
    }
    out.send(Bytes::from_static(b"last")).await.unwrap();
    drop(out);
    let heard = server.await.unwrap();
    assert_eq!(heard.len(), 11);
    assert_eq!(heard[10], Bytes::from_static(b"last"));
}

#[tokio::test]
async fn a_frame_beyond_the_limit_ends_the_connection() {
    let (listener, at) = listen().await;
    tokio::spawn(async move {
        let mut socket = accept(listener).await;
        let _ = socket
            .send(Message::Binary(vec![0; limits::FRAME_BYTES as usize + 1].into()))
            .await;
        let _ = socket.next().await;
    });
    let mut connection = connect(&at).await.unwrap();
    assert!(matches!(
        connection.incoming.recv().await,
        Some(Err(NetError::NotAGateway(_)))
    ));
    assert!(connection.incoming.recv().await.is_none());
}

#[tokio::test]
async fn a_server_that_goes_away_is_told() {
    let (listener, at) = listen().await;
    tokio::spawn(async move { drop(accept(listener).await) });
    let mut connection = connect(&at).await.unwrap();
    assert!(matches!(
        connection.incoming.recv().await,
        Some(Err(NetError::Network(_)))
    ));
}

/// What a gateway answers to the question for a picture, and the question itself.
async fn picture(answer: Vec<u8>, known: &str) -> (Result<Fetched, NetError>, String) {
    let (listener, at) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = Vec::new();
        while !question.ends_with(b"\r\n\r\n") {
            question.push(stream.read_u8().await.unwrap());
        }
        // Who has seen enough hangs up.
        let _ = stream.write_all(&answer).await;
        String::from_utf8(question).unwrap()
    });
    let gateway = GatewayAddress::parse(&at).unwrap();
    let fetched = WebSocketTransport::new(Proxies::none())
        .picture(&gateway, Id([0xab; 16]), known)
        .await;
    (fetched, server.await.unwrap())
}

fn http(head: &str, body: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\r\n\r\n", body].concat()
}

#[tokio::test]
async fn a_picture_is_asked_for_with_the_tag_of_the_one_that_is_here() {
    let there = http("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 4", b"file");
    let (fetched, question) = picture(there, "\"1\"").await;
    let new = Fetched::New {
        tag: "\"2\"".into(),
        bytes: Bytes::from_static(b"file"),
    };
    assert_eq!(fetched, Ok(new));
    assert!(question.starts_with("GET /v1/avatars/abababab-abab-abab-abab-abababababab HTTP/1.1\r\n"));
    assert!(question.contains("\r\nif-none-match: \"1\"\r\n") && question.contains("\r\nhost: 127.0.0.1:"));
    let unchanged = http("HTTP/1.1 304 Not Modified\r\nContent-Length: 4", b"");
    assert_eq!(picture(unchanged.clone(), "\"1\"").await.0, Ok(Fetched::Unchanged));
    // Nobody can have it unchanged who has none.
    let (fetched, question) = picture(unchanged, "").await;
    assert!(fetched.is_err() && !question.contains("if-none-match"));
    let none = http("HTTP/1.1 404 Not Found\r\nContent-Length: 0", b"");
    assert_eq!(picture(none, "").await.0, Ok(Fetched::None));
}

#[tokio::test]
async fn a_picture_that_is_too_large_or_elsewhere_is_not_taken() {
    let large = vec![0; limits::AVATAR_BYTES as usize + 1];
    let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {}", large.len());
    let chunk = [format!("{:x}\r\n", large.len()).as_bytes(), &large, b"\r\n0\r\n\r\n"].concat();
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(64 * 1024));
    for answer in [
        http(&length, &large),
        http("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", &chunk),
        http("HTTP/1.1 200 OK", &large),
        http(&endless, b"file"),
        http(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0",
            b"",
        ),
        http("HTTP/1.1 500 No\r\nContent-Length: 0", b""),
        http("HTTP/1.1 200 OK\r\nContent-Length: 9", b"cut"),
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec(),
        Vec::new(),
    ] {
        let (fetched, _) = picture(answer, "").await;
        assert!(fetched.is_err(), "{fetched:?}");
    }
}
