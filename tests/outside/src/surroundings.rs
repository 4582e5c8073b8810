//! Tokens, headers, settings, proxies, addresses, key files and pictures.

use std::path::Path;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::io::AsyncWriteExt as _;
use zuoxi_rules::Door;
use zuoxi_rules::record::IdentityKey;
use zuoxi_wire::limits;

use crate::key_file::Guard;
use crate::net::proxy::Proxy;
use crate::net::{GatewayAddress, Proxies};
use crate::picture::Picture;
use crate::server::origin;
use crate::settings::Settings;
use crate::source::Source;

const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// A merchant's token: as it comes, and with these bytes as claims under a right signature.
pub(crate) fn identity(bytes: &[u8]) {
    let key = IdentityKey {
        algorithm: "HS256".into(),
        key: SECRET.to_vec(),
    };
    let mut source = Source::new(bytes);
    if source.yes() {
        let jwt = String::from_utf8_lossy(source.rest()).into_owned();
        let signed_by_chance = crate::identity::verify(&jwt, &key);
        assert_eq!(signed_by_chance, None, "nobody knows the key");
    } else {
        let said = format!("{}.{}", header(), URL_SAFE_NO_PAD.encode(source.rest()));
        let _ = crate::identity::verify(&sign(&said), &key);
    }
}

pub(crate) fn header() -> String {
    URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#)
}

pub(crate) fn sign(said: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET) else {
        return String::new();
    };
    mac.update(said.as_bytes());
    format!("{said}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// What a request's head says of where it comes from.
pub(crate) fn headers(bytes: &[u8]) {
    const NAMES: [HeaderName; 2] = [axum::http::header::ORIGIN, axum::http::header::HOST];
    let mut source = Source::new(bytes);
    let public = source.yes().then_some("https://chat.example");
    let mut headers = HeaderMap::new();
    while let Some(which) = source.byte() {
        let Ok(value) = HeaderValue::from_bytes(&source.bytes()) else {
            continue;
        };
        if let Some(name) = NAMES.get(usize::from(which)) {
            headers.insert(name.clone(), value);
        } else {
            headers.append("x-forwarded-for", value);
        }
    }
    if origin::door(&headers, public) == Door::Native {
        assert!(!headers.contains_key("origin"), "a page is never taken for a program");
    }
    let _ = origin::forwarded(&headers);
    if let Some(origin) = headers.get("origin").and_then(|origin| origin.to_str().ok())
        && origin::is_origin(origin)
    {
        assert!(
            !origin.contains([' ', ';', ',', '\'', '*']),
            "it goes into a policy as it is"
        );
    }
}

/// `gateway.toml`, the environment and a flag.
pub(crate) fn settings(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let environment: Vec<(String, String)> = (0..source.of(3)).map(|_| (source.text(), source.text())).collect();
    let flags: Vec<(String, String)> = (0..source.of(3)).map(|_| (source.text(), source.text())).collect();
    let text = String::from_utf8_lossy(source.rest()).into_owned();
    let file = Path::new("gateway.toml");
    let Ok(settings) = Settings::from_text(file, &text, environment, &flags) else {
        return;
    };
    let again = Settings::from_text(file, &settings.text(), [], &[]);
    assert!(
        again.is_ok_and(|again| again == settings),
        "what is printed is read again as the same"
    );
    let _ = settings.rules();
}

/// What a proxy answers, and what the environment says of proxies.
pub(crate) fn proxy(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let (named, except) = (source.text(), source.text());
    let socks = source.yes();
    let Ok(gateway) = GatewayAddress::parse("chat.example.com") else {
        panic!("a good address");
    };
    let _ = Proxies::read(Some(&named), Some(&except)).for_gateway(&gateway);
    let Some(proxy) = Proxy::parse(if socks { "socks5://10.0.0.1" } else { "http://10.0.0.1" }) else {
        panic!("a good proxy");
    };
    let answer = source.rest();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        panic!("no runtime");
    };
    runtime.block_on(async {
        let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let said = answer.get(..answer.len().min(32 * 1024)).unwrap_or_default();
        let _ = theirs.write_all(said).await;
        let _ = theirs.shutdown().await;
        let asked = proxy.ask(&mut ours, &gateway).await;
        if asked.is_ok() && !socks {
            assert!(answer.starts_with(b"HTTP/1."), "only a proxy's yes is a yes");
        }
        if asked.is_ok() && socks {
            assert!(answer.starts_with(&[5, 0]), "only a proxy's yes is a yes");
        }
    });
}

/// What a user types as the gateway's address.
pub(crate) fn address(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(address) = GatewayAddress::parse(&text) else {
        return;
    };
    assert_eq!(
        GatewayAddress::parse(&address.to_string()).as_ref(),
        Ok(&address),
        "one form for one gateway"
    );
    let loopback = address.host() == "localhost"
        || address
            .host()
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    assert!(address.tls() || loopback, "never readable to another computer");
    assert!(address.port() > 0);
    let rest = address.socket_url();
    assert!(
        !rest.contains([' ', '\r', '\n', '@', '#', '?']),
        "nothing else slips into the URL"
    );
}

/// `key.json` beside a desk's database.
pub(crate) fn key_file(bytes: &[u8]) {
    if let Ok(Guard::Passphrase {
        memory_kib,
        passes,
        lanes,
        ..
    }) = Guard::read(bytes)
    {
        assert!(
            memory_kib <= 1024 * 1024 && passes <= 16 && lanes <= 16,
            "no file eats the machine"
        );
    }
}

/// What a gateway has as an agent's picture.
pub(crate) fn picture(bytes: &[u8]) {
    if let Some(picture) = Picture::read(Bytes::copy_from_slice(bytes)) {
        assert!(bytes.len() as u64 <= limits::AVATAR_BYTES, "no file eats the memory");
        let magic = match picture.content_type() {
            "image/png" => b"\x89PNG".as_slice(),
            "image/jpeg" => b"\xff\xd8\xff",
            "image/webp" => b"RIFF",
            other => panic!("{other} is never shown"),
        };
        assert!(bytes.starts_with(magic), "it is what it is said to be");
    }
}
