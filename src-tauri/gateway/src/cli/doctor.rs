//! `doctor`: what is wrong, and what to do about it.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use zuoxi_gateway::clock::system_ms;
use zuoxi_gateway::server::tls;
use zuoxi_gateway::settings::Settings;
use zuoxi_gateway::store::{SqliteStore, upkeep};
use zuoxi_gateway::{data, identity};
use zuoxi_rules::record::Facts;
use zuoxi_rules::store::Store;

use super::certificate::{Trouble, judge};
use super::{Failure, Place};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grade {
    Good,
    /// It serves, but not for long, or not all.
    Worry,
    Wrong,
}

struct Finding {
    grade: Grade,
    about: &'static str,
    what: String,
}

/// Bytes of free disk below which it is time to act.
const FREE_BYTES: u64 = 1024 * 1024 * 1024;
/// Milliseconds of 2026-01-01: a clock before this build's year is wrong.
const BUILT_MS: u64 = 1_767_225_600_000;

pub(crate) fn run(place: &Place) -> Result<ExitCode, Failure> {
    let mut found = Vec::new();
    let settings = configuration(place, &mut found);
    disk(place.folder.path(), &mut found);
    if let Some(settings) = &settings {
        certificates(settings, &mut found);
    }
    database(place, &mut found);
    for finding in &found {
        let (mark, grade) = match finding.grade {
            Grade::Good => ("ok    ", "good"),
            Grade::Worry => ("worry ", "worry"),
            Grade::Wrong => ("WRONG ", "wrong"),
        };
        let value = json!({"grade": grade, "about": finding.about, "what": finding.what});
        place
            .output
            .tell(&format!("{mark} {}: {}", finding.about, finding.what), &value)?;
    }
    let wrong = found.iter().any(|finding| finding.grade == Grade::Wrong);
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn note(found: &mut Vec<Finding>, grade: Grade, about: &'static str, what: impl Into<String>) {
    found.push(Finding {
        grade,
        about,
        what: what.into(),
    });
}

fn configuration(place: &Place, found: &mut Vec<Finding>) -> Option<Settings> {
    match place.settings(Vec::new()) {
        Ok(settings) => {
            let file = place.settings_file();
            let whence = if file.exists() {
                file.display().to_string()
            } else {
                "no file: all as built in".into()
            };
            note(found, Grade::Good, "configuration", whence);
            if !settings.listen.ip().is_loopback() && settings.tls.files().is_none() && !settings.behind_proxy {
                let what = "passwords would travel readable: set tls.certificate and tls.key, or behind_proxy = true";
                note(found, Grade::Wrong, "configuration", what);
            }
            Some(settings)
        }
        Err(error) => {
            note(found, Grade::Wrong, "configuration", error.to_string());
            None
        }
    }
}

fn disk(folder: &Path, found: &mut Vec<Finding>) {
    #[cfg(unix)]
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let what = format!("{} MiB free", free / (1024 * 1024));
            if free < FREE_BYTES {
                note(
                    found,
                    Grade::Worry,
                    "disk",
                    format!("{what}: make room, or acts will be refused for now"),
                );
            } else {
                note(found, Grade::Good, "disk", what);
            }
        }
        Err(error) => note(found, Grade::Wrong, "disk", format!("{}: {error}", folder.display())),
    }
    let probe = folder.join(".doctor");
    if let Err(error) = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe)) {
        let what = format!(
            "{} can't be written ({error}): give it to the gateway's user",
            folder.display()
        );
        note(found, Grade::Wrong, "disk", what);
    }
}

fn certificates(settings: &Settings, found: &mut Vec<Finding>) {
    let Some((certificate, key)) = settings.tls.files() else {
        note(found, Grade::Good, "certificates", "no TLS");
        return;
    };
    if let Err(error) = tls::read(certificate, key) {
        return note(found, Grade::Wrong, "certificates", error.to_string());
    }
    let host = settings
        .public_url
        .split_once("://")
        .map(|(_, rest)| host_of(rest.trim_end_matches('/')));
    let chain = match tls::chain(certificate) {
        Ok(chain) => chain,
        Err(error) => return note(found, Grade::Wrong, "certificates", error.to_string()),
    };
    let now_s = i64::try_from(system_ms() / 1_000).unwrap_or(i64::MAX);
    let file = certificate.display();
    match judge(&chain, host, now_s) {
        Ok(days) => {
            let what = format!("certificate and key fit, good for {days} days");
            note(found, Grade::Good, "certificates", what);
        }
        Err(Trouble::Soon(what)) => note(found, Grade::Worry, "certificates", format!("{file}: {what}")),
        Err(Trouble::Wrong(what)) => note(found, Grade::Wrong, "certificates", format!("{file}: {what}")),
    }
}

/// Of a host with or without a port.
fn host_of(authority: &str) -> &str {
    if let Some((host, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return host;
    }
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

fn database(place: &Place, found: &mut Vec<Finding>) {
    let running = matches!(place.folder.lock(), Err(data::FolderError::Running(_)));
    note(
        found,
        Grade::Good,
        "gateway",
        if running { "running" } else { "not running" },
    );
    let path = place.folder.database();
    if !path.exists() {
        note(
            found,
            Grade::Worry,
            "database",
            "there is none yet: `team add`, `agent add` or `serve` makes it",
        );
        clock(0, found);
        return;
    }
    let read =
        SqliteStore::open_existing(&path).and_then(|store| Ok((upkeep::check(&store)?, upkeep::size(&store)?, store)));
    match read {
        Err(error) => {
            note(found, Grade::Wrong, "database", error.to_string());
            clock(0, found);
        }
        Ok((wrong, size, mut store)) => {
            for what in &wrong {
                note(found, Grade::Wrong, "database", format!("{what}: restore a backup"));
            }
            if wrong.is_empty() {
                let what = format!(
                    "{} conversations, {} entries, consistent",
                    size.conversations, size.entries
                );
                note(found, Grade::Good, "database", what);
            }
            clock(upkeep::newest_ms(&store).unwrap_or(0), found);
            if let Ok(facts) = store.facts() {
                people(&facts, found);
            }
        }
    }
}

/// Times never go back within a conversation: a clock that did would freeze them until it has caught up.
fn clock(newest_ms: u64, found: &mut Vec<Finding>) {
    let now_ms = system_ms();
    if now_ms < BUILT_MS {
        note(
            found,
            Grade::Wrong,
            "clock",
            "it shows a time before 2026: set it, e.g. with timedatectl set-ntp true",
        );
    } else if newest_ms > now_ms + 60_000 {
        let minutes = (newest_ms - now_ms) / 60_000;
        let what = format!(
            "the newest entry is {minutes} min in the future: the clock went back; set it, e.g. with timedatectl"
        );
        note(found, Grade::Wrong, "clock", what);
    } else {
        note(found, Grade::Good, "clock", "plausible");
    }
}

fn people(facts: &Facts, found: &mut Vec<Finding>) {
    for brand in &facts.brands {
        let served = |agent: &&zuoxi_rules::record::Agent| {
            !agent.disabled && agent.teams.iter().any(|membership| membership.team == brand.team)
        };
        if facts.agents.iter().find(served).is_none() {
            let what = format!("nobody serves brand {}: add an agent to its team", brand.key);
            note(found, Grade::Worry, "people", what);
        }
        if let Some(Err(error)) = brand.identity_key.as_ref().map(identity::check_key) {
            note(
                found,
                Grade::Wrong,
                "people",
                format!("brand {}: identity key: {error}", brand.key),
            );
        }
    }
}
