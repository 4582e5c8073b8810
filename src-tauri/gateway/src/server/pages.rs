//! The web chat page, its loader script, and what both are told about a brand.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use zuoxi_rules::record::Brand;

use super::Shared;

/// The built page. A debug build reads it from the folder at each request, a release build carries it.
#[derive(RustEmbed)]
#[folder = "../../ui/dist/chat"]
#[allow_missing = true]
struct ChatPage;

const INDEX: &str = "index.html";
const LOADER: &str = "embed.js";
/// Names under this folder carry a hash of their content.
const HASHED: &str = "assets/";
const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

const MISSING: &str = "<!doctype html><meta charset=utf-8><title>Web chat</title>\
<p>The web chat page is not part of this gateway: build it with <code>npm run build:chat</code> in <code>ui/</code>, \
then build the gateway again.</p>";
const UNKNOWN_BRAND: &str = "<!doctype html><meta charset=utf-8><title>Web chat</title>\
<p>There is no such chat. \u{6ca1}\u{6709}\u{8fd9}\u{4e2a}\u{804a}\u{5929}\u{3002}</p>";

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    brand: String,
}

/// What the page may know of a brand before it connects.
#[derive(Serialize)]
struct BrandCard<'a> {
    key: &'a str,
    name: &'a str,
    short_name: &'a str,
    greeting: &'a str,
    /// Origins with which `postMessage` may be spoken.
    origins: &'a [String],
}

/// `/chat/?brand=KEY`
pub(super) async fn index(State(shared): State<Shared>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let brands = shared.pulse.brands();
    let Some(brand) = brands.iter().find(|brand| brand.key == asked.brand) else {
        return page(StatusCode::NOT_FOUND, UNKNOWN_BRAND.into(), "default-src 'none'");
    };
    match ChatPage::get(INDEX) {
        Some(file) => page(StatusCode::OK, file.data.into_owned().into(), &policy(brand, &headers)),
        None => page(StatusCode::SERVICE_UNAVAILABLE, MISSING.into(), "default-src 'none'"),
    }
}

/// `/chat/brand.json?brand=KEY`
pub(super) async fn brand(State(shared): State<Shared>, Query(asked): Query<Asked>) -> Response {
    let brands = shared.pulse.brands();
    let Some(brand) = brands.iter().find(|brand| brand.key == asked.brand) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let card = BrandCard {
        key: &brand.key,
        name: &brand.name,
        short_name: &brand.short_name,
        greeting: &brand.greeting,
        origins: &brand.origins,
    };
    let mut response = Json(card).into_response();
    dress(&mut response, ASK_AGAIN);
    response
}

/// `/chat/…`: the page's own files.
pub(super) async fn asset(Path(path): Path<String>) -> Response {
    if path == INDEX {
        return StatusCode::NOT_FOUND.into_response();
    }
    file(&path, if path.starts_with(HASHED) { FOREVER } else { ASK_AGAIN })
}

/// `/embed.js`: what a merchant's page loads.
pub(super) async fn loader() -> Response {
    let mut response = file(LOADER, ASK_AGAIN);
    // A merchant's page with a strict policy of its own loads it too.
    response
        .headers_mut()
        .insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}

fn file(path: &str, caching: &'static str) -> Response {
    let Some(file) = ChatPage::get(path) else {
        let status = if ChatPage::get(INDEX).is_some() {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        return status.into_response();
    };
    let mut response = Response::new(Body::from(file.data.into_owned()));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    dress(&mut response, caching);
    response
}

fn page(status: StatusCode, body: Body, policy: &str) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    // Brands' origins are checked when they are set, so this is always a header's value.
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    dress(&mut response, ASK_AGAIN);
    response
}

/// What every answer carries that somebody may load.
pub(super) fn dress(response: &mut Response, caching: &'static str) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// Scripts, styles, pictures and the socket are the page's own, and nothing else; only the brand's pages may embed it.
fn policy(brand: &Brand, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // 'self' doesn't cover WebSockets in every browser.
    let sockets = host
        .filter(|host| {
            host.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
        })
        .map_or_else(String::new, |host| format!(" ws://{host} wss://{host}"));
    let ancestors = brand.origins.join(" ");
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
         media-src 'self'; worker-src 'self'; manifest-src 'self'; connect-src 'self'{sockets}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'self' {ancestors}"
    )
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json" | "map") => "application/json",
        Some("mp3") => "audio/mpeg",
        Some("ogg") => "audio/ogg",
        Some("wav") => "audio/wav",
        _ => "application/octet-stream",
    }
}
