//! Agents' public pictures.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Shared;

/// So soon another picture is seen.
const SHORTLY: &str = "public, max-age=300";
/// Whatever a file holds beside its first bytes, it is never a document that may do anything.
const POLICY: &str = "default-src 'none'; sandbox";

/// `/v1/avatars/AGENT`
pub(super) async fn avatar(State(shared): State<Shared>, Path(agent): Path<String>, headers: HeaderMap) -> Response {
    let Some(picture) = agent.parse().ok().and_then(|agent| shared.pulse.picture(agent)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|tag| [picture.tag.as_str(), "*"].contains(&tag.trim().trim_start_matches("W/")));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(picture.bytes.clone()))
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(picture.kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // Hexadecimal in quotes is always a header's value.
    if let Ok(tag) = HeaderValue::from_str(&picture.tag) {
        headers.insert(header::ETAG, tag);
    }
    super::pages::dress(&mut response, SHORTLY);
    response
}
