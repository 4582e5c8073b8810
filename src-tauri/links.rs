//! Links that customers wrote: http and https alone leave the app, and only in the user's browser.

use tauri::Url;

/// The address to be opened outside; `None` if it may not be.
pub(crate) fn outside(text: &str) -> Option<String> {
    if text.len() as u64 > 2 * zuoxi_wire::limits::URL_BYTES {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let allowed = matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
    allowed.then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::outside;

    #[test]
    fn only_web_addresses_leave_the_app() {
        assert_eq!(
            outside("https://example.com/a?b"),
            Some("https://example.com/a?b".into())
        );
        for refused in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ssh://host",
            "data:text/html,x",
            "http://",
            "x",
        ] {
            assert_eq!(outside(refused), None, "{refused}");
        }
    }
}
