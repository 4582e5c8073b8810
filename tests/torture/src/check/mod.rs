//! The outside checker. It shares no code with what it checks but the wire's generated types, its ids and its reader of
//! blocks: it reads the gateway's database and every cache as SQLite files, and the clients' own files of what they saw.

mod cache;
mod log;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use zuoxi_wire::Id;

use crate::Outcome;
use crate::cast::Role;
use crate::seen::{self, Fact};

/// What was found wrong, and how much was looked at.
#[derive(Debug, Default)]
pub struct Findings {
    /// Acts that clients saw accepted: with a clock, and of these with a tick.
    pub clocks: u64,
    /// See `clocks`.
    pub ticks: u64,
    /// Acts refused for good, and put back.
    pub refused: u64,
    /// See `refused`.
    pub put_back: u64,
    /// Entries in the gateway's log.
    pub entries: u64,
    /// Entries compared in caches.
    pub cached: u64,
    /// Accepted, and not (or no longer) where it belongs.
    pub lost: Vec<String>,
    /// There more than once, or though it was refused or put back.
    pub doubled: Vec<String>,
    /// Out of the order of doing, or a hole in a log.
    pub misordered: Vec<String>,
    /// A cache that isn't its reader's log.
    pub unequal: Vec<String>,
}

impl Findings {
    /// Nothing is wrong.
    pub fn clean(&self) -> bool {
        [&self.lost, &self.doubled, &self.misordered, &self.unequal]
            .iter()
            .all(|found| found.is_empty())
    }

    /// All that is wrong, a line each.
    pub fn wrong(&self) -> impl Iterator<Item = String> {
        let named = [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("misordered", &self.misordered),
            ("unequal", &self.unequal),
        ];
        named
            .into_iter()
            .flat_map(|(name, found)| found.iter().map(move |what| format!("{name}: {what}")))
    }

    /// Adds another run's.
    pub fn add(&mut self, other: Self) {
        self.clocks += other.clocks;
        self.ticks += other.ticks;
        self.refused += other.refused;
        self.put_back += other.put_back;
        self.entries += other.entries;
        self.cached += other.cached;
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.misordered.extend(other.misordered);
        self.unequal.extend(other.unequal);
    }
}

/// A client as the checker sees it.
#[derive(Debug, Clone)]
pub struct Witness {
    /// For people.
    pub name: String,
    /// Whom it plays.
    pub role: Role,
    /// Log-in name of its agent; empty for a customer.
    pub login: String,
    /// File of what it saw.
    pub seen: PathBuf,
    /// Folder of its data.
    pub data: PathBuf,
}

/// Looks at everything; all processes have ended.
///
/// # Errors
/// A file can't be read.
pub fn check(gateway: &Path, witnesses: &[Witness]) -> Outcome<Findings> {
    let mut findings = Findings::default();
    let log = log::read(gateway)?;
    findings.entries = log.entries.values().map(|log| log.len() as u64).sum();
    log.check(&mut findings);
    for witness in witnesses {
        let facts = seen::read(&witness.seen)?;
        let story = Story::of(&facts);
        let kept = cache::check(witness, &log, &mut findings)?;
        story.check(witness, &log, &kept, &mut findings);
    }
    Ok(findings)
}

/// What one client did and saw.
#[derive(Debug, Default)]
struct Story {
    /// In the order of doing.
    done: Vec<(Id, Option<Id>)>,
    clocks: BTreeSet<Id>,
    ticks: BTreeMap<Id, BTreeSet<u64>>,
    parked: BTreeMap<Id, String>,
    back: BTreeSet<Id>,
    lost: BTreeSet<Id>,
}

impl Story {
    fn of(facts: &[Fact]) -> Self {
        let mut story = Self::default();
        let mut known = BTreeSet::new();
        for fact in facts {
            match fact {
                Fact::Start => {}
                Fact::Do { id, conversation } => {
                    if known.insert(*id) {
                        story.done.push((*id, *conversation));
                    }
                }
                Fact::Clock(id) => drop(story.clocks.insert(*id)),
                Fact::Tick { id, seq } => drop(story.ticks.entry(*id).or_default().insert(*seq)),
                Fact::Parked { id, code } => drop(story.parked.insert(*id, code.clone())),
                Fact::Back(id) => drop(story.back.insert(*id)),
                Fact::Lost(id) => drop(story.lost.insert(*id)),
            }
        }
        story
    }

    /// `kept`: what the outbox holds parked, for the user to see.
    fn check(&self, witness: &Witness, log: &log::Log, kept: &BTreeSet<Id>, findings: &mut Findings) {
        let name = &witness.name;
        findings.clocks += self.clocks.len() as u64;
        findings.ticks += self.ticks.len() as u64;
        findings.refused += self.parked.keys().chain(kept).collect::<BTreeSet<_>>().len() as u64;
        findings.put_back += self.back.len() as u64;
        for id in &self.lost {
            findings
                .lost
                .push(format!("{name}: {id}, which it was told that the server lost"));
        }
        let mut last: BTreeMap<Id, (u64, Id)> = BTreeMap::new();
        for (id, conversation) in &self.done {
            let there = log.by_id(*id);
            let refused = self.parked.get(id);
            let back = self.back.contains(id);
            if there.len() > 1 {
                findings
                    .doubled
                    .push(format!("{name}: {id} is there {} times", there.len()));
            }
            let accepted = self.clocks.contains(id) || self.ticks.contains_key(id);
            if there.is_empty() && accepted && refused.is_none() && !back && !kept.contains(id) {
                findings.lost.push(format!("{name}: {id}"));
            }
            if let (Some(code), false) = (refused, there.is_empty()) {
                findings
                    .doubled
                    .push(format!("{name}: {id} was refused ({code}), and is there"));
            }
            if back && !there.is_empty() {
                findings
                    .doubled
                    .push(format!("{name}: {id} was put back, and is there"));
            }
            let Some(entry) = there.first() else { continue };
            if conversation.is_some_and(|conversation| conversation != entry.conversation) {
                findings.lost.push(format!("{name}: {id} is in another conversation"));
            }
            let seq = match witness.role {
                Role::Desk => entry.seq,
                Role::Customer => entry.public,
            };
            for told in self.ticks.get(id).into_iter().flatten().filter(|told| **told != seq) {
                findings
                    .misordered
                    .push(format!("{name}: {id} was told as {told} and is {seq}"));
            }
            if let Some((before, of)) = last.insert(entry.conversation, (seq, *id))
                && before >= seq
            {
                findings
                    .misordered
                    .push(format!("{name}: {id} was done after {of} and stands before it"));
            }
        }
        let done: BTreeSet<Id> = self.done.iter().map(|(id, _)| *id).collect();
        for id in self
            .clocks
            .iter()
            .chain(self.ticks.keys())
            .filter(|id| !done.contains(*id))
        {
            findings
                .doubled
                .push(format!("{name}: {id} was accepted and never done"));
        }
    }
}
