//! Where a gateway is: what a user typed, read once and checked.

use std::fmt;
use std::net::IpAddr;

/// A gateway's address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GatewayAddress {
    tls: bool,
    host: String,
    port: u16,
}

/// What was typed is no address that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `host`, `host:port` or `https://host[:port]`.
    #[error("not an address: host, host:port or https://host[:port] is")]
    Malformed,
    /// Unencrypted to another computer: passwords and what customers write would be readable on the way.
    #[error("an unencrypted connection to another computer is never made")]
    Plain,
}

impl GatewayAddress {
    /// Reads `host`, `host:port`, `https://host[:port]` or, on loopback alone, `http://host[:port]`. Without a scheme,
    /// loopback means `http`, everything else `https`. A path is not part of it.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (tls, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss") => {
                (Some(true), rest)
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("ws") => {
                (Some(false), rest)
            }
            Some(_) => return Err(AddressError::Malformed),
            None => (None, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(rest)?;
        let host = host.to_ascii_lowercase();
        if !is_host(&host) {
            return Err(AddressError::Malformed);
        }
        let loopback = is_loopback(&host);
        let tls = tls.unwrap_or(!loopback);
        if !tls && !loopback {
            return Err(AddressError::Plain);
        }
        let port = match port {
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or(AddressError::Malformed)?,
            None if tls => 443,
            None => 80,
        };
        Ok(Self { tls, host, port })
    }

    /// Whether the connection is encrypted.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// Name or number, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The WebSocket's address.
    pub fn socket_url(&self) -> String {
        format!("{}://{}/v1/ws", if self.tls { "wss" } else { "ws" }, self.authority())
    }

    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// One form for one gateway: what accounts are told apart by.
impl fmt::Display for GatewayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(inner) = text.strip_prefix('[') {
        let (host, rest) = inner.split_once(']').ok_or(AddressError::Malformed)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(AddressError::Malformed),
        };
    }
    match text.split_once(':') {
        // More than one colon without brackets: an IPv6 number.
        Some((_, port)) if port.contains(':') => Ok((text, None)),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

fn is_host(host: &str) -> bool {
    if host.parse::<IpAddr>().is_ok() {
        return true;
    }
    !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, AddressError> {
        GatewayAddress::parse(text).map(|address| format!("{address} {}", address.socket_url()))
    }

    #[test]
    fn what_people_type_is_understood() {
        assert_eq!(
            read(" Chat.Example.com ").unwrap(),
            "https://chat.example.com:443 wss://chat.example.com:443/v1/ws"
        );
        assert_eq!(
            read("chat.example.com:8443/").unwrap(),
            read("https://chat.example.com:8443").unwrap()
        );
        assert_eq!(
            read("wss://chat.example.com/").unwrap(),
            read("chat.example.com").unwrap()
        );
        assert_eq!(
            read("127.0.0.1:7700").unwrap(),
            "http://127.0.0.1:7700 ws://127.0.0.1:7700/v1/ws"
        );
        assert_eq!(read("localhost").unwrap(), read("http://localhost:80/").unwrap());
        assert_eq!(read("[::1]:7700").unwrap(), "http://[::1]:7700 ws://[::1]:7700/v1/ws");
        assert_eq!(
            read("2001:db8::1").unwrap(),
            "https://[2001:db8::1]:443 wss://[2001:db8::1]:443/v1/ws"
        );
        assert_eq!(
            read("https://127.0.0.1:7700").unwrap(),
            "https://127.0.0.1:7700 wss://127.0.0.1:7700/v1/ws"
        );
    }

    #[test]
    fn nothing_unencrypted_leaves_this_computer() {
        assert_eq!(read("http://chat.example.com"), Err(AddressError::Plain));
        assert_eq!(read("ws://10.0.0.1:80"), Err(AddressError::Plain));
        // A name that only begins like loopback is another computer.
        assert_eq!(read("http://127.0.0.1.example.com"), Err(AddressError::Plain));
        assert_eq!(read("http://localhost.example.com"), Err(AddressError::Plain));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            " ",
            "ftp://a",
            "a b",
            "https://",
            "a:0",
            "a:65536",
            "a:x",
            "user@host",
            "a/b",
            "a?b",
            "[::1",
            "客服",
        ] {
            assert_eq!(read(text), Err(AddressError::Malformed), "{text}");
        }
    }
}
