//! Who is there: two teams, three agents, one brand; and a customer with a long history.

use bytes::Bytes;
use prost::Message as _;
use sha2::{Digest, Sha256};
use zuoxi_rules::conformance::{sample_agent, sample_brand, sample_conversation, sample_customer, sample_team};
use zuoxi_rules::record::{Agent, Audience, Conversation, Customer, Entry, Membership, Session, Team, Who};
use zuoxi_rules::{MemoryStore, Store as _};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{AuthorRole, Due, EntryKind, Status};

use super::START;
use super::words::words;

pub const SHOP: Id = Id([20; 16]);
pub const DEPOT: Id = Id([21; 16]);
pub const BRAND: &str = "brand-1";
pub const LOGINS: [&str; 3] = ["amy", "ben", "lea"];
/// Token of the customer with a history.
pub const TOKEN: &[u8] = b"a token of thirty-two bytes, old";
/// Entries of that history: more than a device fetches unasked.
const HISTORY: u64 = 640;

pub fn agent_id(n: u8) -> Id {
    Id([101 + n; 16])
}

pub fn hash_of(password: &str) -> String {
    format!("hash of {password}")
}

/// An agent as the administrator set them; Ben is in the second team too, or not.
pub fn agent(n: u8, password: &str, in_depot: bool) -> Agent {
    let mut teams = vec![Membership {
        team: SHOP,
        lead: n == 2,
    }];
    if n == 1 && in_depot {
        teams.push(Membership {
            team: DEPOT,
            lead: false,
        });
    }
    Agent {
        id: agent_id(n),
        login: LOGINS[usize::from(n)].into(),
        name: LOGINS[usize::from(n)].to_uppercase(),
        password_hash: hash_of(password),
        ..sample_agent(101 + n, teams)
    }
}

fn team(id: Id, n: u8) -> Team {
    Team {
        id,
        idle_ms: 0,
        stale_ms: 12_000,
        grace_ms: 20_000,
        ..sample_team(n)
    }
}

/// A gateway's store before anybody came.
pub fn store(epoch: u64, passwords: &[String], history: bool) -> MemoryStore {
    let mut store = MemoryStore::new(epoch);
    let done = (|| {
        store.begin()?;
        store.put_team(&team(SHOP, 20))?;
        store.put_team(&team(DEPOT, 21))?;
        store.put_brand(&sample_brand(1, SHOP))?;
        for (n, password) in (0..).zip(passwords) {
            store.put_agent(&agent(n, password, true))?;
        }
        if history {
            put_history(&mut store)?;
        }
        store.commit()
    })();
    done.expect("a new store takes everything");
    store
}

fn put_history(store: &mut MemoryStore) -> zuoxi_rules::store::Stored<()> {
    let customer = Customer {
        merged_into: None,
        ..sample_customer(60, None)
    };
    store.put_customer(&customer)?;
    store.put_session(&Session {
        token_hash: Sha256::digest(TOKEN).into(),
        who: Who::Customer(customer.id),
        device: Id([9; 16]),
        created_ms: START - 1_000_000,
        expires_ms: u64::MAX,
    })?;
    for seq in 1..=HISTORY {
        store.append(&old_entry(&customer, seq))?;
    }
    store.put_conversation(&Conversation {
        id: customer.conversation,
        team: SHOP,
        brand: customer.brand,
        customer: customer.id,
        holder: None,
        last_agent: None,
        head: HISTORY,
        public_head: HISTORY,
        floor: 1,
        queued_ms: 0,
        waiting_ms: 0,
        waiting_seq: 0,
        due: Due::Unspecified,
        preview: String::new(),
        answered: true,
        customer_messages: HISTORY,
        unread: 0,
        words: None,
        tags: Vec::new(),
        visit: 1,
        moved_ms: START - 1_000,
        public_ms: START - 1_000,
        linked_to: None,
        ..sample_conversation(1, Status::Closed)
    })
}

fn old_entry(customer: &Customer, seq: u64) -> Entry {
    let mut random = [7; 10];
    random[2..].copy_from_slice(&seq.to_be_bytes());
    Entry {
        conversation: customer.conversation,
        seq,
        public: seq,
        audience: Audience::Everybody,
        kind: EntryKind::Message,
        id: Id::v7(START - 100_000 + seq, random),
        role: AuthorRole::Customer,
        author: Some(customer.id),
        author_name: customer.name.clone(),
        time_ms: START - 100_000 + seq,
        public_ms: START - 100_000 + seq,
        content: Bytes::from(words(&format!("{seq}")).encode_to_vec()),
        erased: false,
        customer_messages: seq,
        fingerprint: None,
    }
}

/// The conversation with the long history.
pub fn old_conversation() -> Id {
    sample_customer(60, None).conversation
}
