//! Settings that stand there as text: which proxy leads to encrypted addresses, and to which hosts none does.

use std::net::Ipv4Addr;

/// What a system's settings say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// With their schemes, in the order in which to try them.
    proxies: Vec<String>,
    /// Hosts that are reached without: names with `*` for anything, and on macOS parts of networks.
    except: Vec<String>,
    /// Names without a dot are reached without.
    except_simple: bool,
}

/// What stands before `https://host:port/`, as [`zuoxi_engine::net::SystemProxies`] says it; `None`: no settings.
pub(super) fn ways_to(settings: &Settings, url: &str) -> Option<Vec<String>> {
    if settings.proxies.is_empty() {
        return None;
    }
    let host = host_of(url)?;
    Some(if settings.excepts(&host) {
        vec!["direct://".to_owned()]
    } else {
        settings.proxies.clone()
    })
}

fn host_of(url: &str) -> Option<String> {
    let authority = url.split_once("://")?.1.split('/').next()?;
    let host = match authority.strip_prefix('[') {
        Some(number) => number.split(']').next()?,
        None => authority.split(':').next()?,
    };
    Some(host.to_ascii_lowercase())
}

impl Settings {
    /// `ProxyServer` is `host:port` for everything, or `http=host:port;https=host:port;socks=host:port`; `ProxyOverride`
    /// has names with `*` between semicolons, and `<local>` for names without a dot.
    #[cfg(any(windows, test))]
    pub(super) fn of_windows(server: &str, except: &str) -> Self {
        let parts = || server.split(';').map(str::trim).filter(|part| !part.is_empty());
        let by_name = |wanted: &str| {
            parts().find_map(|part| {
                let (name, proxy) = part.split_once('=')?;
                (name.trim().eq_ignore_ascii_case(wanted) && !proxy.trim().is_empty()).then(|| proxy.trim())
            })
        };
        let for_all = || parts().find(|part| !part.contains('='));
        let proxies = match (by_name("https").or_else(for_all), by_name("socks")) {
            (Some(proxy), _) => vec![with_scheme("http", proxy)],
            // Windows means version 4 by it.
            (None, Some(proxy)) => vec![with_scheme("socks4", proxy)],
            (None, None) => Vec::new(),
        };
        let words: Vec<_> = except
            .split([';', ' '])
            .map(|word| word.trim().to_ascii_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        Self {
            proxies,
            except_simple: words.iter().any(|word| word == "<local>"),
            except: words.into_iter().filter(|word| !word.starts_with('<')).collect(),
        }
    }

    /// What `scutil --proxy` prints: a dictionary with a line for each value, and the exceptions as a list in it.
    #[cfg(any(target_os = "macos", test))]
    pub(super) fn of_macos(printed: &str) -> Self {
        let lines = || printed.lines().filter_map(|line| line.trim().split_once(" : "));
        let value = |wanted: &str| lines().find_map(|(name, value)| (name.trim() == wanted).then(|| value.trim()));
        let proxy = |kind: &str, scheme: &str| {
            let on = value(&format!("{kind}Enable")) == Some("1");
            let host = value(&format!("{kind}Proxy")).filter(|host| on && !host.is_empty())?;
            Some(match value(&format!("{kind}Port")) {
                Some(port) => with_scheme(scheme, &format!("{host}:{port}")),
                None => with_scheme(scheme, host),
            })
        };
        // Its items' names are their numbers, which nothing else has.
        let items = lines().filter(|(name, _)| name.bytes().all(|digit| digit.is_ascii_digit()));
        Self {
            proxies: [proxy("HTTPS", "http"), proxy("SOCKS", "socks5")]
                .into_iter()
                .flatten()
                .collect(),
            except: items.map(|(_, item)| item.trim().to_ascii_lowercase()).collect(),
            except_simple: value("ExcludeSimpleHostnames") == Some("1"),
        }
    }

    fn excepts(&self, host: &str) -> bool {
        let simple = !host.contains(['.', ':']);
        (self.except_simple && simple)
            || self
                .except
                .iter()
                .any(|except| fits(except.as_bytes(), host.as_bytes()) || in_network(except, host))
    }
}

fn with_scheme(scheme: &str, proxy: &str) -> String {
    if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("{scheme}://{proxy}")
    }
}

/// Whether a name fits one in which `*` stands for anything.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // The last `*`, and where the name went on behind it.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(sign) if Some(sign) == name.get(from) => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((after, behind)) = star else {
                    return false;
                };
                star = Some((after, behind + 1));
                (at, from) = (after + 1, behind + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|sign| *sign == b'*')
}

/// Whether a number lies in a network such as `169.254/16` or `10.0.0.0/8`.
fn in_network(network: &str, host: &str) -> bool {
    let within = || {
        let (base, bits) = network.split_once('/')?;
        let missing = 3_usize.checked_sub(base.matches('.').count())?;
        let base: Ipv4Addr = format!("{base}{}", ".0".repeat(missing)).parse().ok()?;
        let shift = 32_u32.checked_sub(bits.parse().ok()?)?;
        let host: Ipv4Addr = host.parse().ok()?;
        let front = |address: Ipv4Addr| u64::from(address.to_bits()) >> shift;
        Some(front(base) == front(host))
    };
    within() == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(settings: &Settings, host: &str) -> Vec<String> {
        ways_to(settings, &format!("https://{host}:443/")).unwrap_or_default()
    }

    #[test]
    fn windows_has_one_proxy_for_all_or_one_for_each_kind() {
        let way = |server: &str| ways(&Settings::of_windows(server, ""), "chat.example.com");
        assert_eq!(way("proxy:8080"), ["http://proxy:8080"]);
        assert_eq!(way("http://proxy:8080"), ["http://proxy:8080"]);
        assert_eq!(way("http=a:1; HTTPS = b:2 ;socks=c:3"), ["http://b:2"]);
        assert_eq!(way("http=a:1;socks=c:3"), ["socks4://c:3"]);
        // None for encrypted addresses: no settings at all.
        for nothing in ["", ";", "http=a:1", "https="] {
            assert_eq!(
                ways_to(&Settings::of_windows(nothing, ""), "https://h:443/"),
                None,
                "{nothing}"
            );
        }
    }

    #[test]
    fn windows_has_exceptions_with_stars_and_for_names_without_a_dot() {
        let settings = Settings::of_windows(
            "proxy:8080",
            "*.example.com; 10.*;Intern;<local>;<-loopback>;192.168.*.7",
        );
        let direct = |host: &str| ways(&settings, host) == ["direct://"];
        for host in [
            "chat.example.com",
            "CHAT.EXAMPLE.COM",
            "10.1.2.3",
            "intern",
            "desk",
            "192.168.1.7",
        ] {
            assert!(direct(host), "{host}");
        }
        for host in [
            "example.com",
            "chat.example.com.evil.net",
            "110.1.2.3",
            "intern.net",
            "192.168.1.70",
        ] {
            assert!(!direct(host), "{host}");
        }
        assert!(!direct("[2001:db8::1]"), "a number isn't a simple name");
    }

    const PRINTED: &str = "<dictionary> {
  ExceptionsList : <array> {
    0 : *.local
    1 : 169.254/16
    2 : intern.example.com
  }
  ExcludeSimpleHostnames : 1
  FTPPassive : 1
  HTTPEnable : 1
  HTTPPort : 3128
  HTTPProxy : other.example.com
  HTTPSEnable : 1
  HTTPSPort : 8080
  HTTPSProxy : proxy.example.com
  SOCKSEnable : 1
  SOCKSPort : 1080
  SOCKSProxy : socks.example.com
}
";

    #[test]
    fn macos_names_a_proxy_for_each_kind_and_whether_it_is_on() {
        let both = ["http://proxy.example.com:8080", "socks5://socks.example.com:1080"];
        assert_eq!(ways(&Settings::of_macos(PRINTED), "chat.example.com"), both);
        let socks = PRINTED.replace("HTTPSEnable : 1", "HTTPSEnable : 0");
        assert_eq!(ways(&Settings::of_macos(&socks), "chat.example.com"), both[1..]);
        let none = socks.replace("SOCKSEnable : 1", "SOCKSEnable : 0");
        for nothing in [none.as_str(), "<dictionary> {\n}\n", "", "No such file"] {
            assert_eq!(
                ways_to(&Settings::of_macos(nothing), "https://h:443/"),
                None,
                "{nothing}"
            );
        }
    }

    #[test]
    fn macos_has_exceptions_by_name_and_by_network() {
        let settings = Settings::of_macos(PRINTED);
        for host in ["printer.local", "169.254.9.9", "intern.example.com", "desk"] {
            assert_eq!(ways(&settings, host), ["direct://"], "{host}");
        }
        for host in ["local.example.com", "169.255.9.9", "a.intern.example.com"] {
            assert_ne!(ways(&settings, host), ["direct://"], "{host}");
        }
    }

    #[test]
    fn networks_are_read_as_far_as_they_are_written() {
        for (network, host, within) in [
            ("10.0.0.0/8", "10.200.1.1", true),
            ("10/8", "10.200.1.1", true),
            ("10/8", "11.0.0.1", false),
            ("0.0.0.0/0", "11.0.0.1", true),
            ("10.0.0.1/32", "10.0.0.1", true),
            ("10.0.0.1/33", "10.0.0.1", false),
            ("10.0.0.0.0/8", "10.0.0.1", false),
            ("10/x", "10.0.0.1", false),
            ("10/8", "ten", false),
            ("/8", "10.0.0.1", false),
        ] {
            assert_eq!(in_network(network, host), within, "{network} {host}");
        }
    }
}
