//! Proxies, as the environment names them: HTTP CONNECT and SOCKS5.

use std::env;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{GatewayAddress, NetError};

/// Bytes of a proxy's answer to CONNECT, at most.
const ANSWER_BYTES: usize = 8 * 1024;

/// Which proxy stands before which gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    all: Option<Proxy>,
    except: Vec<String>,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Socks5,
}

impl Proxies {
    /// None at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY` and `no_proxy`, `NO_PROXY`. A proxy that can't be read is
    /// left out, and said in the log.
    pub fn from_environment() -> Self {
        let first = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| env::var(name).ok())
                .filter(|text| !text.is_empty())
        };
        Self::read(
            first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]).as_deref(),
            first(&["no_proxy", "NO_PROXY"]).as_deref(),
        )
    }

    /// The same from the variables' texts.
    pub(crate) fn read(proxy: Option<&str>, except: Option<&str>) -> Self {
        let all = proxy.and_then(|text| {
            let read = Proxy::parse(text);
            if read.is_none() {
                tracing::warn!("the environment names a proxy that can't be used (http:// and socks5:// can)");
            }
            read
        });
        let except = except
            .unwrap_or_default()
            .split(',')
            .map(|name| name.trim().to_ascii_lowercase());
        Self {
            all,
            except: except.filter(|name| !name.is_empty()).collect(),
        }
    }

    /// Whether this gateway is on this computer, where no proxy leads to.
    pub(super) fn never_before(gateway: &GatewayAddress) -> bool {
        let address = gateway.host().parse::<std::net::IpAddr>();
        !gateway.tls() || gateway.host() == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// The proxy before this gateway. Never one before loopback.
    pub fn for_gateway(&self, gateway: &GatewayAddress) -> Option<&Proxy> {
        if Self::never_before(gateway) {
            return None;
        }
        let excepted = self.except.iter().any(|name| {
            let name = name.trim_start_matches('.');
            name == "*"
                || gateway.host() == name
                || gateway
                    .host()
                    .strip_suffix(name)
                    .is_some_and(|rest| rest.ends_with('.'))
        });
        self.all.as_ref().filter(|_| !excepted)
    }
}

impl Proxy {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (kind, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http, 3128),
            "socks" | "socks5" | "socks5h" => (Kind::Socks5, 1080),
            _ => return None,
        };
        let rest = rest.split('/').next().unwrap_or_default();
        // Names and passwords for proxies aren't supported: better none than one sent unasked.
        if rest.contains('@') {
            return None;
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (rest, default_port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then(|| Self {
            kind,
            host: host.to_owned(),
            port,
        })
    }

    /// A TCP stream that ends at the gateway.
    pub(super) async fn connect(&self, gateway: &GatewayAddress) -> Result<TcpStream, NetError> {
        let failed = |error: std::io::Error| NetError::Network(format!("proxy: {error}"));
        let mut stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(failed)?;
        self.ask(&mut stream, gateway).await?;
        Ok(stream)
    }

    /// Asks a connected proxy to go on to the gateway. What comes behind its answer stays in the stream.
    pub(crate) async fn ask(&self, stream: &mut impl Stream, gateway: &GatewayAddress) -> Result<(), NetError> {
        match self.kind {
            Kind::Http => http_connect(stream, gateway).await,
            Kind::Socks5 => socks5_connect(stream, gateway).await,
        }
    }
}

/// Both ways of a connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

fn refused(what: impl std::fmt::Display) -> NetError {
    NetError::Network(format!("proxy: {what}"))
}

async fn http_connect(stream: &mut impl Stream, gateway: &GatewayAddress) -> Result<(), NetError> {
    let host = if gateway.host().contains(':') {
        format!("[{}]", gateway.host())
    } else {
        gateway.host().to_owned()
    };
    let target = format!("{host}:{}", gateway.port());
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(refused)?;
    let mut answer = Vec::new();
    // One byte at a time: nothing behind the answer may be taken from the stream.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= ANSWER_BYTES {
            return Err(refused("an endless answer"));
        }
        answer.push(stream.read_u8().await.map_err(refused)?);
    }
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split_whitespace().nth(1).unwrap_or_default();
    if answer.starts_with("HTTP/1.") && status.starts_with('2') {
        Ok(())
    } else {
        Err(refused(status))
    }
}

async fn socks5_connect(stream: &mut impl Stream, gateway: &GatewayAddress) -> Result<(), NetError> {
    stream.write_all(&[5, 1, 0]).await.map_err(refused)?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.map_err(refused)?;
    if chosen != [5, 0] {
        return Err(refused("it wants a password"));
    }
    let name_bytes = u8::try_from(gateway.host().len()).map_err(refused)?;
    // The proxy resolves the name: ours may not be able to.
    let mut request = vec![5, 1, 0, 3, name_bytes];
    request.extend_from_slice(gateway.host().as_bytes());
    request.extend_from_slice(&gateway.port().to_be_bytes());
    stream.write_all(&request).await.map_err(refused)?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(refused)?;
    let [_, status, _, kind] = head;
    if status != 0 {
        return Err(refused(format!("SOCKS5 answer {status}")));
    }
    let address_bytes = match kind {
        1 => 4,
        4 => 16,
        _ => usize::from(stream.read_u8().await.map_err(refused)?),
    };
    let mut rest = vec![0; address_bytes + 2];
    stream.read_exact(&mut rest).await.map_err(refused)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn gateway(text: &str) -> GatewayAddress {
        GatewayAddress::parse(text).unwrap()
    }

    #[test]
    fn the_environment_says_which_gateway_has_a_proxy() {
        let proxies = Proxies::read(Some("http://proxy.example.com:8080"), Some("inside.example.com, .lan"));
        assert!(proxies.for_gateway(&gateway("chat.example.com")).is_some());
        assert!(proxies.for_gateway(&gateway("inside.example.com")).is_none());
        assert!(proxies.for_gateway(&gateway("a.inside.example.com")).is_none());
        assert!(proxies.for_gateway(&gateway("notinside.example.com")).is_some());
        assert!(proxies.for_gateway(&gateway("desk.lan")).is_none());
        assert!(proxies.for_gateway(&gateway("127.0.0.1:7700")).is_none());
        assert!(proxies.for_gateway(&gateway("https://127.0.0.1:7700")).is_none());
        assert_eq!(Proxies::read(Some("ftp://a"), None), Proxies::none());
        assert_eq!(Proxies::read(Some("http://user:secret@a:1"), None), Proxies::none());
        assert_eq!(
            Proxy::parse("socks5h://10.0.0.1"),
            Some(Proxy {
                kind: Kind::Socks5,
                host: "10.0.0.1".into(),
                port: 1080
            })
        );
    }

    /// A proxy that takes what it must, answers, and then says `hello`.
    async fn through(
        scheme: &str,
        taken: usize,
        answers: &'static [&'static [u8]],
    ) -> (Vec<u8>, Result<Vec<u8>, NetError>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; taken];
            if answers.len() > 1 {
                let mut greeting = [0; 3];
                stream.read_exact(&mut greeting).await.unwrap();
                stream.write_all(answers[0]).await.unwrap();
            }
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(answers.last().unwrap()).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            request
        });
        let proxy_at = Proxy::parse(&format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let heard = match proxy_at.connect(&gateway("chat.example.com")).await {
            Ok(mut stream) => {
                let mut heard = vec![0; 5];
                stream.read_exact(&mut heard).await.unwrap();
                Ok(heard)
            }
            Err(error) => Err(error),
        };
        (proxy.await.unwrap(), heard)
    }

    #[tokio::test]
    async fn an_http_proxy_is_asked_to_connect_and_nothing_behind_its_answer_is_lost() {
        let request = "CONNECT chat.example.com:443 HTTP/1.1\r\nHost: chat.example.com:443\r\n\r\n";
        let (asked, heard) = through("http", request.len(), &[b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n"]).await;
        assert_eq!(String::from_utf8(asked).unwrap(), request);
        assert_eq!(heard.unwrap(), b"hello");
        let (_, heard) = through("http", request.len(), &[b"HTTP/1.1 407 No\r\n\r\n"]).await;
        assert!(matches!(heard, Err(NetError::Network(_))));
    }

    #[tokio::test]
    async fn a_socks_proxy_resolves_the_name_itself() {
        let (asked, heard) = through("socks5", 4 + 1 + 16 + 2, &[&[5, 0], &[5, 0, 0, 1, 127, 0, 0, 1, 1, 1]]).await;
        assert_eq!(&asked[5..21], b"chat.example.com");
        assert_eq!(heard.unwrap(), b"hello");
    }
}
