//! Looks from outside at what was kept: reads the gateway's database and each desk's cache by SQL and a protobuf reader
//! of its own, and compares them with what senders saw. It shares no code of ours with what it checks.

mod cache;
mod gateway;
mod protobuf;

use std::collections::BTreeMap;
use std::fmt;

pub use cache::{Cache, Secret};
pub use gateway::{GatewayLog, Stored};

/// 16 bytes, as 32 hexadecimal digits.
pub type Id = String;

/// An id, however it was written.
pub fn id(text: &str) -> Id {
    text.chars()
        .filter(char::is_ascii_hexdigit)
        .map(|digit| digit.to_ascii_lowercase())
        .collect()
}

fn id_of(bytes: &[u8]) -> Id {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// By whose numbers a Seq was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// The agents' log.
    Agents,
    /// The customer's log.
    Customer,
}

/// An entry that somebody saw accepted, or that came to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Who, for people.
    pub by: String,
    /// The message.
    pub id: Id,
    /// Where, if that is known.
    pub conversation: Option<Id>,
    /// Its Seq, if that is known.
    pub seq: Option<u64>,
    /// Which numbers that Seq is of.
    pub numbers: Numbers,
    /// The gateway's time, milliseconds UTC, if that is known.
    pub time_ms: Option<u64>,
}

/// What was found: sentences, each a fault; none: all is well.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<String>);

impl Faults {
    fn add(&mut self, fault: String) {
        self.0.push(fault);
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.0.iter().take(40) {
            writeln!(f, "  {fault}")?;
        }
        match self.0.len() {
            0..=40 => Ok(()),
            all => writeln!(f, "  … {all} in all"),
        }
    }
}

/// Both logs of every conversation: Seqs 1, 2, 3 … with no hole, times that never go back, no message twice.
pub fn check_gateway(log: &GatewayLog, faults: &mut Faults) {
    for (conversation, entries) in &log.conversations {
        let mut public = 0;
        let mut time_ms = 0;
        for (at, entry) in entries.iter().enumerate() {
            if entry.seq != at as u64 + 1 {
                faults.add(format!("{conversation}: Seq {} stands at place {}", entry.seq, at + 1));
            }
            if entry.everybody {
                public += 1;
            }
            if entry.public != public {
                faults.add(format!(
                    "{conversation}: Seq {} is {} instead of {public} in the customer's log",
                    entry.seq, entry.public
                ));
            }
            if entry.time_ms < time_ms {
                faults.add(format!("{conversation}: time goes back at Seq {}", entry.seq));
            }
            time_ms = entry.time_ms;
        }
        let head = (entries.len() as u64, public);
        if log.heads.get(conversation) != Some(&head) {
            faults.add(format!(
                "{conversation}: heads are {:?} instead of {head:?}",
                log.heads.get(conversation)
            ));
        }
    }
    for (id, places) in &log.places {
        if places.len() > 1 {
            faults.add(format!("message {id} is stored {} times", places.len()));
        }
    }
}

/// Everything that was seen stands in the gateway once, where it was said to stand.
pub fn check_seen(log: &GatewayLog, seen: &[Seen], faults: &mut Faults) {
    for one in seen {
        let places = log.places.get(&one.id).map_or(&[][..], Vec::as_slice);
        let [(conversation, seq)] = places else {
            faults.add(format!(
                "{} saw {} and the gateway has it {} times",
                one.by,
                one.id,
                places.len()
            ));
            continue;
        };
        if one.conversation.as_ref().is_some_and(|seen| seen != conversation) {
            faults.add(format!("{} saw {} in another conversation", one.by, one.id));
        }
        let Some(entry) = log.entry(conversation, *seq) else {
            continue;
        };
        let there = match one.numbers {
            Numbers::Agents => entry.seq,
            Numbers::Customer => entry.public,
        };
        if one.time_ms.is_some_and(|seen| seen != entry.time_ms) {
            faults.add(format!("{} saw {} at another time", one.by, one.id));
        }
        if one.seq.is_some_and(|seen| seen != there) {
            faults.add(format!("{} saw {} as {:?}; it is {there}", one.by, one.id, one.seq));
        }
    }
}

/// Nothing that was refused for good is stored.
pub fn check_refused<'a>(log: &GatewayLog, by: &str, refused: impl IntoIterator<Item = &'a Id>, faults: &mut Faults) {
    for id in refused {
        if log.places.contains_key(id) {
            faults.add(format!("{by} was told that {id} is refused, and the gateway has it"));
        }
    }
}

/// Whoever saw entries of one log never saw a Seq or a message twice.
pub fn check_received(seen: &[Seen], faults: &mut Faults) {
    let mut ids = BTreeMap::new();
    for one in seen {
        let known = ids.entry((&one.by, &one.conversation, one.seq)).or_insert(&one.id);
        if *known != &one.id {
            faults.add(format!("{} saw two messages as Seq {:?}", one.by, one.seq));
        }
    }
}

/// A cache holds, of every conversation in its agent's feed, the gateway's very entries from its floor to the head.
pub fn check_cache(log: &GatewayLog, login: &str, cache: &Cache, faults: &mut Faults) {
    let kept = log.kept_by(login);
    for conversation in &kept {
        let Some(there) = log.conversations.get(conversation) else {
            faults.add(format!("{login}: {conversation} is in the feed and nowhere else"));
            continue;
        };
        let Some(here) = cache.conversations.get(conversation) else {
            faults.add(format!("{login}: the cache doesn't know {conversation}"));
            continue;
        };
        let wanted = there.iter().filter(|entry| entry.seq >= here.floor.max(1));
        let mut found = here.entries.iter();
        for entry in wanted {
            match found.next() {
                Some(cached) if cached.same_as(entry) => {}
                Some(cached) => {
                    faults.add(format!(
                        "{login}: {conversation} has at Seq {} {cached:?}, the gateway {entry:?}",
                        entry.seq
                    ));
                    break;
                }
                None => {
                    faults.add(format!("{login}: {conversation} ends before Seq {}", entry.seq));
                    break;
                }
            }
        }
        if found.next().is_some() {
            faults.add(format!("{login}: {conversation} holds more than the gateway"));
        }
    }
    for conversation in cache.conversations.keys().filter(|each| !kept.contains(each)) {
        faults.add(format!(
            "{login}: the cache keeps {conversation}, which isn't this agent's"
        ));
    }
    if cache.unsent > 0 {
        faults.add(format!("{login}: {} acts wait in the outbox", cache.unsent));
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::cache::Kept;
    use super::*;

    fn stored(seq: u64, public: u64, everybody: bool) -> Stored {
        Stored {
            seq,
            public,
            everybody,
            id: format!("id{seq}"),
            kind: 1,
            time_ms: 1_000 + seq,
            content: vec![seq as u8],
        }
    }

    /// A message, a note, a message.
    fn log() -> GatewayLog {
        let entries = vec![stored(1, 1, true), stored(2, 1, false), stored(3, 2, true)];
        let mut log = GatewayLog::default();
        for entry in &entries {
            let place = ("c".to_owned(), entry.seq);
            log.places.insert(entry.id.clone(), vec![place]);
        }
        log.heads.insert("c".to_owned(), (3, 2));
        log.conversations.insert("c".to_owned(), entries);
        log.feeds.insert("lin".to_owned(), vec!["c".to_owned()]);
        log
    }

    fn seen(id: &str, seq: u64, numbers: Numbers) -> Seen {
        Seen {
            by: "lin".to_owned(),
            id: id.to_owned(),
            conversation: Some("c".to_owned()),
            seq: Some(seq),
            numbers,
            time_ms: None,
        }
    }

    fn found(check: impl FnOnce(&mut Faults)) -> usize {
        let mut faults = Faults::default();
        check(&mut faults);
        faults.0.len()
    }

    #[test]
    fn a_hole_a_message_twice_and_a_wrong_head_are_found() {
        assert_eq!(found(|faults| check_gateway(&log(), faults)), 0);
        let mut hole = log();
        hole.conversations
            .values_mut()
            .for_each(|entries| drop(entries.remove(1)));
        assert!(found(|faults| check_gateway(&hole, faults)) > 0);
        let mut twice = log();
        let places = twice.places.get_mut("id1").expect("it is there");
        places.push(("c".to_owned(), 3));
        assert_eq!(found(|faults| check_gateway(&twice, faults)), 1);
        let mut head = log();
        head.heads.insert("c".to_owned(), (4, 2));
        assert_eq!(found(|faults| check_gateway(&head, faults)), 1);
    }

    #[test]
    fn what_was_seen_must_stand_where_it_was_said_to() {
        let right = [seen("id3", 3, Numbers::Agents), seen("id3", 2, Numbers::Customer)];
        assert_eq!(found(|faults| check_seen(&log(), &right, faults)), 0);
        let wrong = [seen("id3", 3, Numbers::Customer), seen("id9", 1, Numbers::Agents)];
        assert_eq!(found(|faults| check_seen(&log(), &wrong, faults)), 2);
        assert_eq!(
            found(|faults| check_received(
                &[seen("id1", 1, Numbers::Customer), seen("id3", 1, Numbers::Customer)],
                faults
            )),
            1
        );
        assert_eq!(
            found(|faults| check_refused(&log(), "lin", &["id1".to_owned()], faults)),
            1
        );
    }

    #[test]
    fn a_cache_with_less_more_or_other_entries_is_found() {
        let whole = |floor: u64, seqs: &[u64]| {
            let entries = seqs
                .iter()
                .map(|seq| cache::Cached::like(&stored(*seq, 0, true)))
                .collect();
            let mut cache = Cache::default();
            cache.conversations.insert("c".to_owned(), Kept { floor, entries });
            cache
        };
        for (floor, seqs, faults) in [
            (1, &[1, 2, 3][..], 0),
            (2, &[2, 3], 0),
            (1, &[1, 3], 1),
            (1, &[1, 2], 1),
            (1, &[1, 2, 3, 4], 1),
        ] {
            let cache = whole(floor, seqs);
            assert_eq!(
                found(|found| check_cache(&log(), "lin", &cache, found)),
                faults,
                "{seqs:?}"
            );
        }
        assert_eq!(found(|faults| check_cache(&log(), "lin", &Cache::default(), faults)), 1);
        assert_eq!(
            found(|faults| check_cache(&log(), "wang", &whole(1, &[1, 2, 3]), faults)),
            1
        );
    }
}
