//! Configuration: one TOML file, overridden by the environment, overridden by flags.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use zuoxi_rules::Config;

/// Name of the file in the data folder.
pub const FILE: &str = "gateway.toml";
/// Before each key in the environment, with `_` for `.`: `ZUOXI_LIMITS_CONNECTIONS`.
const PREFIX: &str = "ZUOXI_";

/// Everything an administrator may set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on; port 0: any that is free.
    pub listen: SocketAddr,
    /// How browsers reach the gateway, e.g. `https://chat.example.com`; empty: as they ask for it.
    pub public_url: String,
    /// A proxy in front ends TLS and tells addresses in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Certificate and key.
    pub tls: Tls,
    /// What one may ask of the gateway.
    pub limits: Limits,
    /// How long log-ins last.
    pub sessions: Sessions,
    /// How long history is kept.
    pub history: History,
    /// How the gateway stops.
    pub stop: Stop,
    /// What is written down.
    pub log: Log,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8420)),
            public_url: String::new(),
            behind_proxy: false,
            tls: Tls::default(),
            limits: Limits::default(),
            sessions: Sessions::default(),
            history: History::default(),
            stop: Stop::default(),
            log: Log::default(),
        }
    }
}

/// Certificate and key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the certificate and its chain; empty: no TLS.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

impl Tls {
    /// Both files, if TLS is on.
    pub fn files(&self) -> Option<(&Path, &Path)> {
        (!self.certificate.as_os_str().is_empty()).then_some((&self.certificate, &self.key))
    }
}

/// Limits, as in `zuoxi_rules::Config`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Size of the database at most, MiB; 0: as much as the disk holds.
    pub database_mib: u32,
    /// Connections at once.
    pub connections: u32,
    /// Connections at once from one address.
    pub connections_per_address: u32,
    /// New connections from one address in a second, sustained.
    pub connects_per_second: u32,
    /// New connections from one address at once.
    pub connects_burst: u32,
    /// Wrong passwords for one log-in name before it is locked.
    pub wrong_per_name: u32,
    /// Wrong passwords from one address before it is refused.
    pub wrong_per_address: u32,
    /// For how long wrong passwords count and a lock lasts, milliseconds.
    pub lock_ms: u64,
    /// New visitors from one address in a minute.
    pub visitors_per_minute: u32,
    /// Acts of a customer's connection in a second, sustained.
    pub customer_acts_per_second: u32,
    /// Acts of a customer's connection at once.
    pub customer_acts_burst: u32,
    /// Acts of an agent's connection in a second, sustained.
    pub agent_acts_per_second: u32,
    /// Acts of an agent's connection at once.
    pub agent_acts_burst: u32,
    /// Other requests of a connection in a second, sustained.
    pub requests_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let config = Config::default();
        Self {
            database_mib: 0,
            connections: config.connections,
            connections_per_address: config.connections_per_address,
            connects_per_second: config.connects_per_second,
            connects_burst: config.connects_burst,
            wrong_per_name: config.wrong_per_name,
            wrong_per_address: config.wrong_per_address,
            lock_ms: config.lock_ms,
            visitors_per_minute: config.visitors_per_minute,
            customer_acts_per_second: config.customer_acts_per_second,
            customer_acts_burst: config.customer_acts_burst,
            agent_acts_per_second: config.agent_acts_per_second,
            agent_acts_burst: config.agent_acts_burst,
            requests_per_second: config.requests_per_second,
        }
    }
}

/// How long log-ins last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Days after its last use that an agent's session can be resumed.
    pub agent_days: u32,
    /// The same for a customer's.
    pub customer_days: u32,
}

const DAY_MS: u64 = 24 * 3_600_000;

impl Default for Sessions {
    fn default() -> Self {
        let config = Config::default();
        Self {
            agent_days: (config.agent_session_ms / DAY_MS) as u32,
            customer_days: (config.customer_session_ms / DAY_MS) as u32,
        }
    }
}

/// How long history is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct History {
    /// Entries older than so many days are removed, here and on every device; 0: never. A conversation that is going on
    /// is kept whole until it closes.
    pub keep_days: u32,
}

/// How the gateway stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stop {
    /// When devices are told to come back, milliseconds, at most 600,000.
    pub come_back_ms: u32,
    /// How long connections have to leave, milliseconds.
    pub drain_ms: u64,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            come_back_ms: 1_000,
            drain_ms: 5_000,
        }
    }
}

/// What is written down: ids, never texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Directives as `tracing` reads them, e.g. `info`, `debug`, `info,act=off`.
    pub level: String,
    /// Folder of the files; empty: `logs` in the data folder.
    pub folder: PathBuf,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            folder: PathBuf::new(),
        }
    }
}

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// In the file.
    #[error("{file}:{line}: {key}: {reason}")]
    File {
        /// Which file.
        file: PathBuf,
        /// Line in it, from 1.
        line: usize,
        /// Key with its tables, e.g. `limits.connections`.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// The file can't be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// In the environment or a flag.
    #[error("{place}: {reason}")]
    Elsewhere {
        /// Variable or flag.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

impl Settings {
    /// Reads the file (which may be absent where `must_exist` is false), then the environment, then `flags` of the
    /// form `key=value`.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn read(
        file: &Path,
        must_exist: bool,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => String::new(),
            Err(source) => {
                return Err(SettingsError::Unreadable {
                    file: file.to_owned(),
                    source,
                });
            }
        };
        Self::from_text(file, &text, environment, flags)
    }

    /// The same from the file's text; `file` is only named.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn from_text(
        file: &Path,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        let mut table = read_file(file, text)?;
        let keys = keys();
        for (name, text) in environment {
            let key = keys.iter().find(|key| variable(key) == name);
            if let Some(key) = key {
                overlay(&mut table, key, &text, &name)?;
            }
        }
        for (key, text) in flags {
            let place = format!("--set {key}");
            if !keys.contains(key) {
                return Err(SettingsError::Elsewhere {
                    place,
                    reason: "there is no such key; --print-config shows them all".into(),
                });
            }
            overlay(&mut table, key, text, &place)?;
        }
        let settings: Self = Value::Table(table)
            .try_into()
            .map_err(|error| SettingsError::Elsewhere {
                place: file.display().to_string(),
                reason: toml::de::Error::message(&error).into(),
            })?;
        settings.check(file)
    }

    /// What a single value can't show.
    fn check(self, file: &Path) -> Result<Self, SettingsError> {
        let wrong = |key: &str, reason: &str| {
            Err(SettingsError::Elsewhere {
                place: format!("{}: {key}", file.display()),
                reason: reason.into(),
            })
        };
        if self.tls.certificate.as_os_str().is_empty() != self.tls.key.as_os_str().is_empty() {
            return wrong("tls", "certificate and key are set together");
        }
        if !self.public_url.is_empty() && !crate::server::is_origin(self.public_url.trim_end_matches('/')) {
            return wrong("public_url", "scheme and host, e.g. https://chat.example.com");
        }
        if self.limits.connections == 0 || self.limits.connections_per_address == 0 {
            return wrong("limits", "connections and connections_per_address are at least 1");
        }
        if self.stop.come_back_ms > 600_000 {
            return wrong("stop.come_back_ms", "at most 600000");
        }
        if self.log.level.parse::<tracing_subscriber::filter::Targets>().is_err() {
            return wrong("log.level", "e.g. info, debug, info,act=off");
        }
        Ok(self)
    }

    /// As TOML, every key with its value in force.
    pub fn text(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// What the rules take from it.
    pub fn rules(&self) -> Config {
        Config {
            agent_session_ms: u64::from(self.sessions.agent_days) * DAY_MS,
            customer_session_ms: u64::from(self.sessions.customer_days) * DAY_MS,
            keep_ms: u64::from(self.history.keep_days) * DAY_MS,
            wrong_per_name: self.limits.wrong_per_name,
            wrong_per_address: self.limits.wrong_per_address,
            lock_ms: self.limits.lock_ms,
            visitors_per_minute: self.limits.visitors_per_minute,
            customer_acts_per_second: self.limits.customer_acts_per_second,
            customer_acts_burst: self.limits.customer_acts_burst,
            agent_acts_per_second: self.limits.agent_acts_per_second,
            agent_acts_burst: self.limits.agent_acts_burst,
            requests_per_second: self.limits.requests_per_second,
            connections: self.limits.connections,
            connections_per_address: self.limits.connections_per_address,
            connects_per_second: self.limits.connects_per_second,
            connects_burst: self.limits.connects_burst,
            ..Config::default()
        }
    }
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_uppercase())
}

/// Every key, with its table: `listen`, `limits.connections`, …
fn keys() -> Vec<String> {
    let mut keys = Vec::new();
    if let Ok(table) = Table::try_from(Settings::default()) {
        for (name, value) in table {
            match value {
                Value::Table(inner) => keys.extend(inner.keys().map(|key| format!("{name}.{key}"))),
                _ => keys.push(name),
            }
        }
    }
    keys
}

fn read_file(file: &Path, text: &str) -> Result<Table, SettingsError> {
    let wrong = |error: &toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        SettingsError::File {
            file: file.to_owned(),
            line: text.get(..at).unwrap_or_default().matches('\n').count() + 1,
            key: key_at(text, at),
            reason: error.message().to_owned(),
        }
    };
    toml::from_str::<Settings>(text).map_err(|error| wrong(&error))?;
    text.parse::<Table>().map_err(|error| wrong(&error))
}

/// The key on the line of a place in the text, with its table.
fn key_at(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text
        .get(start..)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    let key = line
        .split('=')
        .next()
        .unwrap_or_default()
        .trim()
        .trim_matches(['[', ']']);
    let table = before
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')));
    match table {
        Some(table) if !line.trim_start().starts_with('[') => format!("{table}.{key}"),
        _ => key.to_owned(),
    }
}

/// Puts one value over the table: as TOML if it is of the key's type so, else as a string.
fn overlay(table: &mut Table, key: &str, text: &str, place: &str) -> Result<(), SettingsError> {
    let quoted = Value::String(text.to_owned()).to_string();
    let read = |value: &str| -> Result<Table, String> {
        let line = format!("{key} = {value}");
        toml::from_str::<Settings>(&line).map_err(|error| error.message().to_owned())?;
        line.parse::<Table>().map_err(|error| error.message().to_owned())
    };
    let one = read(text).or_else(|first| read(&quoted).map_err(|second| if text.is_empty() { second } else { first }));
    let one = one.map_err(|reason| SettingsError::Elsewhere {
        place: place.to_owned(),
        reason,
    })?;
    merge(table, one);
    Ok(())
}

fn merge(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(over)) => merge(inner, over),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, text).unwrap();
        let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        Settings::read(&file, true, own(environment), &own(flags))
            .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), ""))
    }

    #[test]
    fn flags_override_the_environment_which_overrides_the_file() {
        let text = "listen = \"127.0.0.1:1\"\n[limits]\nconnections = 5\nwrong_per_name = 3\n";
        let settings = read(
            text,
            &[("ZUOXI_LISTEN", "127.0.0.1:2"), ("ZUOXI_LIMITS_CONNECTIONS", "6")],
            &[],
        )
        .unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!((settings.limits.connections, settings.limits.wrong_per_name), (6, 3));
        let settings = read(text, &[("ZUOXI_LISTEN", "127.0.0.1:2")], &[("listen", "127.0.0.1:3")]).unwrap();
        assert_eq!(settings.listen.port(), 3);
        assert_eq!(settings.rules().connections, 5);
    }

    #[test]
    fn what_is_wrong_is_told_with_file_line_and_key() {
        let told = read("\n[limits]\nconnections = \"many\"\n", &[], &[]).unwrap_err();
        assert!(told.starts_with("/gateway.toml:3: limits.connections: "), "{told}");
        let told = read("lisen = \"127.0.0.1:1\"\n", &[], &[]).unwrap_err();
        assert!(
            told.starts_with("/gateway.toml:1: lisen: ") && told.contains("listen"),
            "{told}"
        );
        let told = read("listen = \"somewhere\"\n", &[], &[]).unwrap_err();
        assert!(told.starts_with("/gateway.toml:1: listen: "), "{told}");
        let told = read("[limits\n", &[], &[]).unwrap_err();
        assert!(told.starts_with("/gateway.toml:1: "), "{told}");
        let told = read("", &[("ZUOXI_LIMITS_CONNECTIONS", "-1")], &[]).unwrap_err();
        assert!(told.starts_with("ZUOXI_LIMITS_CONNECTIONS: "), "{told}");
        let told = read("", &[], &[("limits.cats", "1")]).unwrap_err();
        assert!(told.starts_with("--set limits.cats: "), "{told}");
        let told = read("[tls]\ncertificate = \"a.pem\"\n", &[], &[]).unwrap_err();
        assert!(told.contains("tls"), "{told}");
    }

    #[test]
    fn what_is_printed_is_read_again_as_the_same() {
        let settings = read("[stop]\ndrain_ms = 7\n", &[], &[]).unwrap();
        assert_eq!(read(&settings.text(), &[], &[]).unwrap(), settings);
    }
}
