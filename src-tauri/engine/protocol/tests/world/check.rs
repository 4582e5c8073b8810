//! What must be true, seen from outside.

use std::collections::BTreeMap;

use prost::Message as _;
use zuoxi_protocol::change::OutboxState;
use zuoxi_protocol::{Role, Sync};
use zuoxi_rules::Store as _;
use zuoxi_rules::record::{Audience, Entry};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Entry as WireEntry, EntryKind};

use super::World;

impl World {
    /// The log as this device's reader has it: Seq and entry.
    fn log_of(&self, device: usize, conversation: Id) -> BTreeMap<u64, Entry> {
        let customer = self.devices[device].config.role == Role::Customer;
        let entries = self.store.log(conversation).into_iter();
        let seen = entries.filter(|entry| !customer || entry.audience == Audience::Everybody);
        seen.map(|entry| (if customer { entry.public } else { entry.seq }, entry))
            .collect()
    }

    /// Who this device's user is.
    pub fn me(&self, device: usize) -> Option<Id> {
        self.devices[device]
            .session
            .me()
            .and_then(|me| Id::try_from(&me.id).ok())
    }

    /// "Up to date as of t" says: what was committed before t is here, committed.
    pub fn check_proofs(&mut self, device: usize) {
        for as_of in std::mem::take(&mut self.devices[device].proofs) {
            self.check_proof(device, as_of);
        }
    }

    fn check_proof(&mut self, device: usize, as_of: u64) {
        let me = self.me(device);
        let customer = self.devices[device].config.role == Role::Customer;
        for (conversation, state) in self.devices[device].disk.load().logs {
            assert!(!state.to_compare, "device {device}: up to date with a log to compare");
            let held = self
                .store
                .conversation(conversation)
                .unwrap()
                .is_some_and(|known| known.holder == me);
            if !held && !customer {
                continue;
            }
            let here: BTreeMap<u64, Id> = self.devices[device]
                .disk
                .entries(conversation)
                .map(|entry| (entry.seq, entry.id))
                .collect();
            for (seq, entry) in self.log_of(device, conversation) {
                if seq >= state.floor && entry.time_ms < as_of {
                    let had = here.get(&seq);
                    assert_eq!(
                        had,
                        Some(&entry.id),
                        "device {device}: up to date as of {as_of} without Seq {seq}"
                    );
                }
            }
        }
    }

    /// Every act of every device: once or not at all, as the device says, and in the order of doing.
    pub fn check_acts(&self) {
        for (n, device) in self.devices.iter().enumerate() {
            let Some(me) = self.me(n) else { continue };
            let mut last: BTreeMap<Id, u64> = BTreeMap::new();
            let outbox = device.disk.load().outbox;
            for (id, conversation) in &device.taken {
                let Some(conversation) = conversation.or(device.session.own_conversation()) else {
                    continue;
                };
                let log = self.store.log(conversation);
                let found: Vec<&Entry> = log
                    .iter()
                    .filter(|entry| entry.id == *id && entry.author == Some(me))
                    .collect();
                assert!(found.len() <= 1, "device {n}: act {id} is stored {} times", found.len());
                let waits = outbox.iter().find(|act| act.id == *id);
                if let Some((_, seq)) = device.settled.get(id) {
                    let stands = found.first().map(|entry| match device.config.role {
                        Role::Agent => entry.seq,
                        Role::Customer => entry.public,
                    });
                    // Retention may have taken it since.
                    let gone = self.rules.keep_ms > 0 && stands.is_none();
                    assert!(
                        gone || stands == Some(*seq),
                        "device {n}: act {id} was settled at {seq}, not {stands:?}"
                    );
                } else if let Some(entry) = found.first() {
                    let parked = waits.is_some_and(|act| matches!(act.state, OutboxState::Parked { .. }));
                    assert!(!parked, "device {n}: act {id} is parked, and stored as {}", entry.seq);
                    assert!(
                        !device.gone.contains(id) || waits.is_some(),
                        "device {n}: act {id} is gone, and stored"
                    );
                } else if device.stored.contains(id) {
                    assert!(
                        waits.is_some() || device.gone.contains(id),
                        "device {n}: act {id} is lost"
                    );
                }
                if let Some(entry) = found.first() {
                    let before = last.insert(conversation, entry.seq).unwrap_or(0);
                    assert!(
                        before < entry.seq,
                        "device {n}: act {id} stands before what was done before it"
                    );
                }
            }
        }
    }

    /// No more faults: everybody is up to date, and has what the gateway has.
    pub fn check_end(&mut self) {
        self.check_acts();
        for n in 0..self.devices.len() {
            let proof = self.devices[n].session.proof();
            let sync = self.devices[n].session.sync();
            assert!(
                matches!(sync, Sync::UpToDate { .. }),
                "device {n} stays {sync:?}: {proof:?}"
            );
            assert_eq!(
                self.devices[n]
                    .session
                    .outbox()
                    .filter(|act| act.state == OutboxState::Waiting)
                    .count(),
                0
            );
            self.check_cache(n);
        }
    }

    fn check_cache(&mut self, n: usize) {
        let me = self.me(n);
        let loaded = self.devices[n].disk.load();
        if self.devices[n].config.role == Role::Agent {
            for (conversation, holder) in self.holders() {
                let kept = loaded.logs.contains_key(&conversation);
                assert_eq!(kept, holder == me, "device {n} keeps {conversation}");
            }
        }
        for (conversation, state) in loaded.logs {
            let log = self.log_of(n, conversation);
            let customer = self.devices[n].config.role == Role::Customer;
            let row = self.store.conversation(conversation).unwrap();
            let head = row.map_or(0, |row| if customer { row.public_head } else { row.head });
            assert_eq!(state.head, head, "device {n}: head of {conversation}");
            assert!(state.floor <= head + 1);
            let here: BTreeMap<u64, WireEntry> = self.devices[n]
                .disk
                .entries(conversation)
                .map(|entry| (entry.seq, WireEntry::decode(entry.bytes.clone()).unwrap()))
                .collect();
            for (seq, entry) in log.iter().filter(|(seq, _)| **seq >= state.floor) {
                let held = here
                    .get(seq)
                    .unwrap_or_else(|| panic!("device {n} lacks Seq {seq} of {conversation}"));
                assert_eq!(held.id, entry.id.to_bytes());
                assert_eq!(
                    held.erased, entry.erased,
                    "device {n}: Seq {seq} of {conversation} erased"
                );
                if held.kind() == EntryKind::Message {
                    assert_eq!(held.content, entry.content, "device {n}: Seq {seq} of {conversation}");
                }
            }
            for seq in here.keys() {
                assert!(
                    log.contains_key(seq),
                    "device {n} holds Seq {seq} of {conversation}, the gateway doesn't"
                );
            }
        }
    }
}
