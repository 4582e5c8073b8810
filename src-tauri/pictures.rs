//! Agents' public pictures for the windows, by a protocol of the shell's own: `picture://localhost/NAME.AGENT`, where
//! NAME is the active account's (`MeView.pictures`). Nothing else is served, and nothing of another account.

use tauri::http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use tauri::{Manager, Runtime, UriSchemeContext, UriSchemeResponder};
use zuoxi_engine::Picture;
use zuoxi_wire::Id;

use crate::bridge::Bridge;

/// The scheme. Some systems' webviews have it as the host `picture.localhost` instead.
pub(crate) const SCHEME: &str = "picture";
/// Whatever a file holds beside its first bytes, it is never a document that may do anything.
const POLICY: &str = "default-src 'none'; sandbox";

/// Answers a window's request, off the UI thread.
pub(crate) fn answer<R: Runtime>(
    context: &UriSchemeContext<'_, R>,
    request: &Request<Vec<u8>>,
    responder: UriSchemeResponder,
) {
    let Some((of, agent)) = asked(request.method(), request.uri()) else {
        return responder.respond(missing());
    };
    let app = context.app_handle().clone();
    tauri::async_runtime::spawn(async move {
        let picture = match app.try_state::<Bridge>() {
            Some(bridge) => bridge.engine().picture(&of, &agent.to_string()).await.ok(),
            None => None,
        };
        responder.respond(picture.map_or_else(missing, |picture| shown(&picture)));
    });
}

/// Whose picture of which account is asked for; `None`: that is no picture's address.
fn asked(method: &Method, uri: &Uri) -> Option<(String, Id)> {
    let here = matches!(
        (uri.scheme_str(), uri.host()),
        (Some(SCHEME), Some("localhost")) | (Some("http" | "https"), Some("picture.localhost"))
    );
    if !here || method != Method::GET || uri.query().is_some() || uri.port().is_some() {
        return None;
    }
    let (of, agent) = uri.path().strip_prefix('/')?.split_once('.')?;
    // Ids in the one form that they are told in: no other text leads to the same picture.
    let id = |text: &str| text.parse::<Id>().ok().filter(|id| id.to_string() == text);
    Some((id(of)?.to_string(), id(agent)?))
}

fn shown(picture: &Picture) -> Response<Vec<u8>> {
    let mut response = dressed(StatusCode::OK, picture.bytes().to_vec());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(picture.content_type()));
    response
}

fn missing() -> Response<Vec<u8>> {
    dressed(StatusCode::NOT_FOUND, Vec::new())
}

fn dressed(status: StatusCode, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: &str = "0190f3a4-0000-7000-8000-000000000001";
    const AGENT: &str = "0190f3a4-0000-7000-8000-00000000000a";

    fn of(address: &str) -> Option<(String, Id)> {
        asked(&Method::GET, &address.parse().ok()?)
    }

    #[test]
    fn an_agents_picture_is_asked_for_by_two_ids() {
        let asked_for = Some((OF.to_owned(), AGENT.parse().expect("an id")));
        assert_eq!(of(&format!("picture://localhost/{OF}.{AGENT}")), asked_for);
        assert_eq!(of(&format!("http://picture.localhost/{OF}.{AGENT}")), asked_for);
    }

    #[test]
    fn nothing_but_a_pictures_address_is_looked_at() {
        for address in [
            format!("picture://elsewhere/{OF}.{AGENT}"),
            format!("picture://localhost:80/{OF}.{AGENT}"),
            format!("http://localhost/{OF}.{AGENT}"),
            format!("file://localhost/{OF}.{AGENT}"),
            format!("picture://localhost/{OF}.{AGENT}?of=other"),
            format!("picture://localhost/{OF}.{AGENT}/"),
            format!("picture://localhost//{OF}.{AGENT}"),
            format!("picture://localhost/{OF}/{AGENT}"),
            format!("picture://localhost/{OF}.{AGENT}.png"),
            format!("picture://localhost/{OF}.../{AGENT}"),
            format!("picture://localhost/{OF}."),
            format!("picture://localhost/.{AGENT}"),
            format!("picture://localhost/{OF}.%2e%2e%2fdesk.db"),
            format!("picture://localhost/{}.{AGENT}", OF.to_uppercase()),
            format!("picture://localhost/{OF}.{}", AGENT.replace('-', "")),
            format!("picture://localhost/{OF}.{{{AGENT}}}"),
            "picture://localhost/../../etc/passwd".to_owned(),
            "picture://localhost/".to_owned(),
        ] {
            assert_eq!(of(&address), None, "{address}");
        }
        let address = format!("picture://localhost/{OF}.{AGENT}");
        for method in [Method::POST, Method::PUT, Method::HEAD] {
            assert_eq!(asked(&method, &address.parse().expect("an address")), None);
        }
    }

    #[test]
    fn no_answer_is_kept_or_read_as_anything_else() {
        let response = missing();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(response.body().is_empty());
        let told = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(told(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(told(header::CONTENT_SECURITY_POLICY), Some(POLICY));
        assert_eq!(told(header::X_CONTENT_TYPE_OPTIONS), Some("nosniff"));
        assert_eq!(told(header::CONTENT_TYPE), None);
    }
}
