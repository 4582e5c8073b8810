//! Rows with every field set: what a store forgets of one shows.

use bytes::Bytes;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{AuthorRole, Due, EntryKind, Presence, Status};

use super::id;
use crate::record::{
    Agent, Audience, Brand, Conversation, Customer, Entry, Fingerprint, IdentityKey, Membership, Team, Words,
};

/// A brand with every field set.
pub fn sample_brand(n: u8, team: Id) -> Brand {
    Brand {
        id: id(n),
        key: format!("brand-{n}"),
        name: format!("品牌 {n}"),
        short_name: "品".into(),
        greeting: "您好".into(),
        origins: vec!["https://shop.example".into(), "https://b.example".into()],
        team,
        identity_key: Some(IdentityKey {
            algorithm: "HS256".into(),
            key: vec![0, 1, 255],
        }),
    }
}

/// A team with every field set.
pub fn sample_team(n: u8) -> Team {
    Team {
        id: id(n),
        name: format!("team {n}"),
        first_response_ms: 60_000,
        next_response_ms: 90_000,
        idle_ms: 1_800_000,
        stale_ms: 300_000,
        grace_ms: 120_000,
    }
}

/// An agent with every field set.
pub fn sample_agent(n: u8, teams: Vec<Membership>) -> Agent {
    Agent {
        id: id(n),
        login: format!("agent{n}"),
        name: format!("客服 {n}"),
        capacity: 3,
        password_hash: "$argon2id$x".into(),
        disabled: false,
        presence: Presence::Online,
        teams,
    }
}

/// A customer with every field set.
pub fn sample_customer(n: u8, external: Option<&str>) -> Customer {
    Customer {
        id: id(n),
        brand: id(1),
        conversation: id(n.wrapping_add(100)),
        name: "访客 7K3F".into(),
        external: external.map(Into::into),
        merged_into: None,
        browser: "Mozilla/5.0".into(),
        language: "zh-CN".into(),
        page_url: "https://shop.example/p".into(),
        page_title: "商品".into(),
        referrer: "https://search.example".into(),
        first_visit_ms: 5,
    }
}

/// A conversation with every field set.
pub fn sample_conversation(n: u8, status: Status) -> Conversation {
    Conversation {
        id: id(n),
        brand: id(1),
        team: id(2),
        customer: id(3),
        customer_name: "访客 7K3F".into(),
        customer_verified: true,
        customer_mobile: true,
        status,
        holder: Some(id(4)),
        last_agent: Some(id(5)),
        head: 9,
        public_head: 7,
        floor: 2,
        public_floor: 1,
        queued_ms: 11,
        waiting_ms: 12,
        waiting_seq: 8,
        due: Due::Next,
        preview: "在吗".into(),
        answered: true,
        customer_messages: 4,
        unread: 2,
        words: Some(Words {
            role: AuthorRole::Agent,
            author: id(4),
            text: "好".into(),
            time_ms: 13,
            seq: 6,
        }),
        tags: vec!["急".into(), "vip".into()],
        visit: 3,
        moved_ms: 14,
        public_ms: 13,
        linked_to: Some(id(99)),
    }
}

/// An entry of conversation 1; odd Seqs are for everybody, even ones for agents.
pub fn sample_entry(seq: u64) -> Entry {
    let everybody = seq % 2 == 1;
    Entry {
        conversation: id(1),
        seq,
        public: seq.div_ceil(2),
        audience: if everybody {
            Audience::Everybody
        } else {
            Audience::Agents
        },
        kind: if everybody { EntryKind::Message } else { EntryKind::Note },
        id: Id::v7(seq, [seq as u8; 10]),
        role: AuthorRole::Agent,
        author: if seq.is_multiple_of(5) { None } else { Some(id(4)) },
        author_name: "Amy".into(),
        time_ms: 1_000 + seq * 10,
        public_ms: 995 + (seq - u64::from(!everybody)) * 10,
        content: Bytes::from(vec![0, 255, seq as u8]),
        erased: false,
        customer_messages: seq / 3,
        fingerprint: Some(Fingerprint {
            salt: [1; 16],
            hash: [2; 32],
        }),
    }
}
