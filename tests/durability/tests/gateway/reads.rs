//! Everything that can be read of a store, beside the model.

use zuoxi_rules::record::{Audience, Facts, Feed, Position, Visit};
use zuoxi_rules::store::Store;
use zuoxi_wire::v1::Status;

use super::model::{IDS, Tables, hash, id};

/// Compares all of it.
pub(crate) fn compare(store: &mut dyn Store, expected: &Tables) {
    assert_eq!(store.epoch().unwrap(), expected.epoch);
    let facts = Facts {
        brands: expected.brands.values().cloned().collect(),
        teams: expected.teams.values().cloned().collect(),
        agents: expected.agents.values().cloned().collect(),
    };
    assert_eq!(store.facts().unwrap(), facts);
    let active: Vec<_> = expected
        .conversations
        .values()
        .filter(|conversation| conversation.status != Status::Closed)
        .cloned()
        .collect();
    assert_eq!(store.active_conversations().unwrap(), active);
    for number in 0..IDS {
        people(store, expected, number);
        conversation(store, expected, number);
        log(store, expected, number);
        repeats(store, expected, number);
        for feed in [Feed::Agent(id(number)), Feed::Team(id(number))] {
            feeds(store, expected, feed);
        }
    }
}

fn people(store: &mut dyn Store, expected: &Tables, number: u8) {
    assert_eq!(
        store.session(&hash(number)).unwrap(),
        expected.sessions.get(&hash(number)).copied()
    );
    assert_eq!(
        store.customer(id(number)).unwrap(),
        expected.customers.get(&id(number)).cloned()
    );
    let external = format!("external {number}");
    let named = expected
        .customers
        .values()
        .find(|customer| customer.external.as_deref() == Some(external.as_str()));
    assert_eq!(store.customer_by_external(id(0), &external).unwrap(), named.cloned());
}

fn conversation(store: &mut dyn Store, expected: &Tables, number: u8) {
    let of = id(number);
    assert_eq!(
        store.conversation(of).unwrap(),
        expected.conversations.get(&of).cloned()
    );
    let positions: Vec<Position> = expected
        .positions
        .values()
        .filter(|position| position.conversation == of)
        .copied()
        .collect();
    assert_eq!(store.positions(of).unwrap(), positions);
    let mut visits: Vec<Visit> = expected
        .visits
        .values()
        .filter(|visit| visit.conversation == of)
        .cloned()
        .collect();
    visits.reverse();
    assert_eq!(store.visits(of, 100).unwrap(), visits);
    visits.truncate(1);
    assert_eq!(store.visits(of, 1).unwrap(), visits);
}

fn log(store: &mut dyn Store, expected: &Tables, number: u8) {
    let of = id(number);
    let entries = expected.entries.get(&of).map_or(&[][..], Vec::as_slice);
    let public: Vec<_> = entries
        .iter()
        .filter(|entry| entry.audience == Audience::Everybody)
        .cloned()
        .collect();
    assert_eq!(store.entries(of, 1, u64::MAX >> 1).unwrap(), entries);
    assert_eq!(store.public_entries(of, 1, 1_000).unwrap(), public);
    for seq in [1, 2, entries.len() as u64, entries.len() as u64 + 1] {
        let at = |entry: &&zuoxi_rules::record::Entry| entry.seq == seq;
        assert_eq!(store.entry(of, seq).unwrap(), entries.iter().find(at).cloned());
        let middle: Vec<_> = entries
            .iter()
            .filter(|entry| (2..=seq).contains(&entry.seq))
            .cloned()
            .collect();
        assert_eq!(store.entries(of, 2, seq).unwrap(), middle);
        let there = public.iter().find(|entry| entry.public == seq);
        assert_eq!(store.public_entry(of, seq).unwrap(), there.cloned());
        let middle: Vec<_> = public
            .iter()
            .filter(|entry| (2..=seq).contains(&entry.public))
            .cloned()
            .collect();
        assert_eq!(store.public_entries(of, 2, seq).unwrap(), middle);
    }
    let times = entries.iter().flat_map(|entry| [entry.time_ms, entry.time_ms + 1]);
    for time_ms in times.chain([0]) {
        let at = |entry: &&zuoxi_rules::record::Entry| entry.time_ms >= time_ms;
        let all = store.entry_at_time(of, time_ms, false).unwrap();
        assert_eq!(all, entries.iter().find(at).cloned());
    }
    // Each log has times of its own.
    let times = entries.iter().flat_map(|entry| [entry.public_ms, entry.public_ms + 1]);
    for time_ms in times.chain([0]) {
        let at = |entry: &&zuoxi_rules::record::Entry| entry.public_ms >= time_ms;
        let seen = store.entry_at_time(of, time_ms, true).unwrap();
        assert_eq!(seen, public.iter().find(at).cloned());
    }
    if let Some(last) = entries.last() {
        assert_eq!(store.find_entries(of, last.id, 0).unwrap(), std::slice::from_ref(last));
        assert_eq!(store.find_entries(of, last.id, last.seq).unwrap(), []);
    }
}

fn repeats(store: &mut dyn Store, expected: &Tables, number: u8) {
    for of in 0..IDS {
        let key = (id(number), id(of), id(0));
        let known: Vec<_> = expected.known.get(&key).copied().into_iter().collect();
        assert_eq!(store.known(id(of), id(number)).unwrap(), known);
        let refusals: Vec<_> = expected.refusals.get(&key).cloned().into_iter().collect();
        assert_eq!(store.refusals(id(of), id(number)).unwrap(), refusals);
    }
}

fn feeds(store: &mut dyn Store, expected: &Tables, feed: Feed) {
    assert_eq!(store.feed(feed).unwrap(), expected.feeds.get(&feed).copied());
    let mut rows: Vec<_> = expected
        .rows
        .get(&feed)
        .into_iter()
        .flat_map(|rows| rows.values().copied())
        .collect();
    rows.sort_by_key(|row| row.revision);
    assert_eq!(store.feed_rows(feed, 0, 100).unwrap(), rows);
    if let Some(first) = rows.first().copied() {
        rows.retain(|row| row.revision > first.revision);
        rows.truncate(1);
        assert_eq!(store.feed_rows(feed, first.revision, 1).unwrap(), rows);
    }
}
