//! Which door a WebSocket came in by: the chat page's own origin, a program, or a page of somebody else; and for whom
//! a proxy asks.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use zuoxi_rules::Door;

/// Judges a request by its `Origin`. `public` is the configured address of the gateway; without one, the page's own
/// origin is that of the host asked for.
pub(crate) fn door(headers: &HeaderMap, public: Option<&str>) -> Door {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Door::Native;
    };
    let Ok(origin) = origin.to_str() else {
        return Door::Foreign;
    };
    let own = if let Some(public) = public {
        origin.eq_ignore_ascii_case(public)
    } else {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let asked = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        asked.is_some_and(|asked| host.is_some_and(|host| asked.eq_ignore_ascii_case(host)))
    };
    if own { Door::Chat } else { Door::Foreign }
}

/// The address that the proxy in front saw: the last one of `X-Forwarded-For`, since the others are the asker's words.
pub(crate) fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let told = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    told.rsplit(',').next()?.trim().parse().ok()
}

/// An origin as browsers write it: scheme, host, and a port unless it is the scheme's own.
pub fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    !rest.is_empty()
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
        && text.bytes().all(|byte| !byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(origin: Option<&str>, host: &str, public: Option<&str>) -> Door {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        door(&headers, public)
    }

    #[test]
    fn a_foreign_origin_is_known_as_such() {
        assert_eq!(asked(None, "chat.example", None), Door::Native);
        assert_eq!(asked(Some("https://chat.example"), "chat.example", None), Door::Chat);
        assert_eq!(asked(Some("http://127.0.0.1:8420"), "127.0.0.1:8420", None), Door::Chat);
        for foreign in [
            "https://evil.example",
            "null",
            "https://chat.example.evil.example",
            "ftp://chat.example",
            "",
        ] {
            assert_eq!(asked(Some(foreign), "chat.example", None), Door::Foreign, "{foreign}");
        }
        let public = Some("https://chat.example");
        assert_eq!(asked(Some("https://chat.example"), "inside:80", public), Door::Chat);
        assert_eq!(
            asked(Some("http://chat.example"), "chat.example", public),
            Door::Foreign
        );
    }

    #[test]
    fn only_the_last_proxy_is_believed() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded(&headers), None);
        headers.append("x-forwarded-for", "10.9.9.9, 192.0.2.1".parse().unwrap());
        assert_eq!(forwarded(&headers), "192.0.2.1".parse().ok());
        headers.append("x-forwarded-for", "192.0.2.7".parse().unwrap());
        assert_eq!(forwarded(&headers), "192.0.2.7".parse().ok());
        headers.append("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(forwarded(&headers), None);
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        assert!(is_origin("https://shop.example"));
        assert!(is_origin("http://localhost:8080"));
        for wrong in [
            "shop.example",
            "https://shop.example/",
            "https://Shop.example",
            "https://a b",
            "https://x;y",
            "*",
            "https://",
        ] {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }
}
