//! The suite that every [`Store`] passes: what the rules rely on, and what a user would miss if it were otherwise.
//!
//! ```
//! zuoxi_rules::conformance::run(&mut || zuoxi_rules::MemoryStore::new(7));
//! ```

mod sample;

use bytes::Bytes;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Due, Presence, Status};

use crate::record::{
    Agent, Audience, Avatar, Conversation, Customer, Entry, Feed, FeedRow, FeedState, Fingerprint, KnownId, Membership,
    Position, Refusal, SealedBlock, Session, Visit, Who,
};
use crate::store::{Store, Stored};

pub use sample::{sample_agent, sample_brand, sample_conversation, sample_customer, sample_entry, sample_team};

/// Runs the whole suite; `fresh` gives an empty store each time.
///
/// # Panics
/// Where the store isn't what the rules rely on.
pub fn run<S: Store>(fresh: &mut dyn FnMut() -> S) {
    let rules: [(&str, Rule<S>); 15] = [
        ("transactions", transactions),
        ("epoch", epoch),
        ("facts", facts),
        ("avatars", avatars),
        ("sessions", sessions),
        ("token ids", token_ids),
        ("customers", customers),
        ("conversations", conversations),
        ("entries", entries),
        ("erasing", erasing),
        ("blocks", blocks),
        ("retention", retention),
        ("repeats", repeats),
        ("feeds", feeds),
        ("members", members),
    ];
    for (name, rule) in rules {
        let mut store = fresh();
        let done = rule(&mut store);
        assert!(done.is_ok(), "{name}: {done:?}");
    }
}

type Rule<S> = fn(&mut S) -> Stored<()>;

fn id(n: u8) -> Id {
    Id([n; 16])
}

fn write<S: Store>(store: &mut S, what: impl FnOnce(&mut S) -> Stored<()>) -> Stored<()> {
    store.begin()?;
    what(store)?;
    store.commit()
}

fn transactions<S: Store>(store: &mut S) -> Stored<()> {
    assert!(
        store.put_team(&sample_team(1)).is_err() || store.facts()?.teams.len() <= 1,
        "usable after misuse"
    );
    store.rollback();
    store.begin()?;
    assert!(store.begin().is_err(), "a transaction inside a transaction");
    store.put_conversation(&sample_conversation(1, Status::Open))?;
    assert!(
        store.conversation(id(1))?.is_some(),
        "a transaction reads what it wrote"
    );
    store.savepoint()?;
    store.put_conversation(&sample_conversation(2, Status::Open))?;
    let changed = Conversation {
        head: 77,
        ..sample_conversation(1, Status::Open)
    };
    store.put_conversation(&changed)?;
    store.append(&sample_entry(1))?;
    store.undo()?;
    assert_eq!(
        store.conversation(id(1))?,
        Some(sample_conversation(1, Status::Open)),
        "undone to the savepoint"
    );
    assert_eq!(store.conversation(id(2))?, None);
    assert_eq!(store.entry(id(1), 1)?, None);
    assert_eq!(store.public_entry(id(1), 1)?, None);
    store.savepoint()?;
    store.put_conversation(&sample_conversation(3, Status::Open))?;
    store.release()?;
    store.commit()?;
    assert!(store.conversation(id(3))?.is_some(), "released is kept");
    store.begin()?;
    store.put_conversation(&changed)?;
    store.put_feed(Feed::Agent(id(1)), FeedState { epoch: 1, revision: 1 })?;
    store.rollback();
    assert_eq!(
        store.conversation(id(1))?,
        Some(sample_conversation(1, Status::Open)),
        "rolled back"
    );
    assert_eq!(store.feed(Feed::Agent(id(1)))?, None);
    store.rollback();
    write(store, |store| store.put_conversation(&changed))
}

fn epoch<S: Store>(store: &mut S) -> Stored<()> {
    let first = store.epoch()?;
    assert_ne!(first, 0, "an epoch is never 0");
    assert_eq!(store.epoch()?, first);
    write(store, |store| store.renew_epoch(u64::MAX))?;
    assert_eq!(store.epoch()?, u64::MAX);
    Ok(())
}

fn facts<S: Store>(store: &mut S) -> Stored<()> {
    let teams = vec![
        Membership {
            team: id(2),
            lead: false,
        },
        Membership {
            team: id(3),
            lead: true,
        },
    ];
    let amy = sample_agent(4, teams);
    write(store, |store| {
        store.put_team(&sample_team(3))?;
        store.put_team(&sample_team(2))?;
        store.put_brand(&sample_brand(1, id(2)))?;
        store.put_agent(&amy)
    })?;
    let facts = store.facts()?;
    assert_eq!(facts.teams, [sample_team(2), sample_team(3)], "in order of id");
    assert_eq!(facts.brands, [sample_brand(1, id(2))]);
    assert_eq!(facts.agents, std::slice::from_ref(&amy));
    store.begin()?;
    assert!(
        store
            .put_agent(&Agent {
                id: id(9),
                ..amy.clone()
            })
            .is_err(),
        "a log-in name twice"
    );
    store.rollback();
    let moved = Agent {
        teams: vec![Membership {
            team: id(3),
            lead: false,
        }],
        capacity: 9,
        ..amy
    };
    write(store, |store| {
        store.put_agent(&moved)?;
        store.put_presence(id(4), Presence::Away)?;
        store.put_password(id(4), "$argon2id$y")
    })?;
    let expected = Agent {
        presence: Presence::Away,
        password_hash: "$argon2id$y".into(),
        ..moved
    };
    assert_eq!(store.facts()?.agents, [expected], "teams are replaced as a whole");
    Ok(())
}

fn avatars<S: Store>(store: &mut S) -> Stored<()> {
    let avatar = |n: u8, bytes: &'static [u8]| Avatar {
        agent: id(n),
        hash: [bytes.len() as u8; 32],
        bytes: Bytes::from_static(bytes),
    };
    write(store, |store| {
        store.put_avatar(&avatar(5, b"another's"))?;
        store.put_avatar(&avatar(4, b"first"))
    })?;
    write(store, |store| store.put_avatar(&avatar(4, b"second")))?;
    assert_eq!(
        store.avatars()?,
        [(id(4), [6; 32]), (id(5), [9; 32])],
        "in order of agent"
    );
    assert_eq!(store.avatar(id(4))?, Some(avatar(4, b"second")), "replaced");
    assert_eq!(store.avatar(id(6))?, None);
    store.begin()?;
    store.remove_avatar(id(4))?;
    store.put_avatar(&avatar(5, b"never"))?;
    store.rollback();
    assert!(store.avatar(id(4))?.is_some(), "rolled back");
    write(store, |store| {
        store.remove_avatar(id(4))?;
        store.remove_avatar(id(4))
    })?;
    assert_eq!(store.avatar(id(4))?, None);
    assert_eq!(store.avatar(id(5))?, Some(avatar(5, b"another's")));
    Ok(())
}

fn sessions<S: Store>(store: &mut S) -> Stored<()> {
    let session = |n: u8, who| Session {
        token_hash: [n; 32],
        who,
        device: id(8),
        created_ms: 1,
        expires_ms: u64::from(n) * 100,
    };
    let (amy, ben, customer) = (Who::Agent(id(4)), Who::Agent(id(5)), Who::Customer(id(4)));
    write(store, |store| {
        for (n, who) in [(1, amy), (2, amy), (3, amy), (4, ben), (5, customer)] {
            store.put_session(&session(n, who))?;
        }
        Ok(())
    })?;
    assert_eq!(store.session(&[2; 32])?, Some(session(2, amy)));
    assert_eq!(store.session(&[9; 32])?, None);
    write(store, |store| store.remove_sessions(amy, Some(&[2; 32])))?;
    assert_eq!(store.session(&[1; 32])?, None, "revoked");
    assert!(store.session(&[2; 32])?.is_some(), "but the one that asked");
    assert!(store.session(&[4; 32])?.is_some(), "and those of others");
    assert!(
        store.session(&[5; 32])?.is_some(),
        "a customer is no agent, whatever the id"
    );
    write(store, |store| store.remove_session(&[2; 32]))?;
    write(store, |store| store.remove_session(&[2; 32]))?;
    assert_eq!(store.session(&[2; 32])?, None);
    write(store, |store| {
        store.put_session(&Session {
            expires_ms: 401,
            ..session(4, ben)
        })
    })?;
    write(store, |store| store.forget_sessions(450, 10))?;
    assert_eq!(store.session(&[4; 32])?, None, "expired");
    assert!(store.session(&[5; 32])?.is_some());
    Ok(())
}

fn token_ids<S: Store>(store: &mut S) -> Stored<()> {
    store.begin()?;
    assert!(store.use_token_id(id(1), "jti", 100)?);
    assert!(!store.use_token_id(id(1), "jti", 100)?, "used once");
    assert!(store.use_token_id(id(2), "jti", 100)?, "by each brand");
    store.commit()?;
    store.begin()?;
    assert!(!store.use_token_id(id(1), "jti", 200)?, "remembered after commit");
    store.forget_token_ids(101, 10)?;
    assert!(store.use_token_id(id(1), "jti", 300)?, "until it expired");
    store.commit()
}

fn customers<S: Store>(store: &mut S) -> Stored<()> {
    let (anna, visitor) = (sample_customer(3, Some("u-1")), sample_customer(4, None));
    write(store, |store| {
        store.put_customer(&anna)?;
        store.put_customer(&visitor)?;
        store.put_customer(&sample_customer(5, None))
    })?;
    assert_eq!(store.customer(id(4))?, Some(visitor.clone()));
    assert_eq!(store.customer(id(9))?, None);
    assert_eq!(store.customer_by_external(id(1), "u-1")?, Some(anna.clone()));
    assert_eq!(store.customer_by_external(id(2), "u-1")?, None, "of its brand alone");
    store.begin()?;
    assert!(
        store
            .put_customer(&Customer {
                external: Some("u-1".into()),
                ..visitor.clone()
            })
            .is_err(),
        "twice in a brand"
    );
    store.rollback();
    let merged = Customer {
        external: None,
        merged_into: Some(id(4)),
        ..anna
    };
    let known = Customer {
        external: Some("u-1".into()),
        name: "Anna".into(),
        ..visitor
    };
    write(store, |store| {
        store.put_customer(&merged)?;
        store.put_customer(&known)
    })?;
    assert_eq!(
        store.customer_by_external(id(1), "u-1")?,
        Some(known),
        "an identity moves"
    );
    assert_eq!(store.customer(id(3))?, Some(merged));
    Ok(())
}

fn conversations<S: Store>(store: &mut S) -> Stored<()> {
    let plain = Conversation {
        holder: None,
        last_agent: None,
        words: None,
        tags: Vec::new(),
        linked_to: None,
        due: Due::Unspecified,
        ..sample_conversation(2, Status::Queued)
    };
    write(store, |store| {
        store.put_conversation(&sample_conversation(3, Status::Open))?;
        store.put_conversation(&plain)?;
        store.put_conversation(&sample_conversation(1, Status::Closed))
    })?;
    assert_eq!(store.conversation(id(3))?, Some(sample_conversation(3, Status::Open)));
    assert_eq!(store.conversation(id(2))?, Some(plain.clone()));
    assert_eq!(
        store.active_conversations()?,
        [plain.clone(), sample_conversation(3, Status::Open)]
    );
    let closed = Conversation {
        status: Status::Closed,
        ..plain
    };
    write(store, |store| store.put_conversation(&closed))?;
    assert_eq!(store.active_conversations()?, [sample_conversation(3, Status::Open)]);
    let spoken = Conversation {
        head: 9,
        public_head: 8,
        waiting_ms: 7,
        waiting_seq: 6,
        due: Due::Next,
        preview: "\u{5728}\u{5417}".into(),
        answered: true,
        customer_messages: 5,
        unread: 4,
        words: None,
        moved_ms: 30,
        public_ms: 20,
        ..sample_conversation(3, Status::Open)
    };
    write(store, |store| store.put_conversation(&spoken))?;
    assert_eq!(store.conversation(id(3))?, Some(spoken.clone()));
    assert_eq!(store.active_conversations()?, [spoken]);
    assert_eq!(store.conversation(id(2))?, Some(closed));
    Ok(())
}

fn entries<S: Store>(store: &mut S) -> Stored<()> {
    write(store, |store| {
        let other = Entry {
            conversation: id(2),
            ..sample_entry(1)
        };
        (1..=9).try_for_each(|seq| store.append(&sample_entry(seq)))?;
        store.append(&other)
    })?;
    assert_eq!(
        store.entry(id(1), 5)?,
        Some(sample_entry(5)),
        "an entry of the gateway itself"
    );
    assert_eq!(store.entry(id(1), 10)?, None);
    let seqs = |entries: Vec<Entry>| entries.iter().map(|entry| entry.seq).collect::<Vec<_>>();
    assert_eq!(seqs(store.entries(id(1), 3, 6)?), [3, 4, 5, 6]);
    assert_eq!(seqs(store.entries(id(1), 8, 90)?), [8, 9]);
    assert_eq!(seqs(store.entries(id(1), 6, 3)?), [0; 0]);
    assert_eq!(store.entries(id(1), 2, 2)?, [sample_entry(2)]);
    assert_eq!(
        seqs(store.public_entries(id(1), 2, 4)?),
        [3, 5, 7],
        "the customer's log has no notes"
    );
    assert_eq!(store.public_entry(id(1), 2)?.map(|entry| entry.seq), Some(3));
    assert_eq!(store.public_entry(id(1), 6)?, None);
    assert_eq!(store.entry_at_time(id(1), 0, false)?.map(|entry| entry.seq), Some(1));
    assert_eq!(
        store.entry_at_time(id(1), 1_031, false)?.map(|entry| entry.seq),
        Some(4)
    );
    assert_eq!(store.entry_at_time(id(1), 1_031, true)?.map(|entry| entry.seq), Some(5));
    assert_eq!(
        store.entry_at_time(id(1), 1_046, true)?.map(|entry| entry.seq),
        Some(7),
        "by the times of the customer's log"
    );
    assert_eq!(store.entry_at_time(id(1), 2_000, false)?, None);
    let found = sample_entry(4).id;
    assert_eq!(seqs(store.find_entries(id(1), found, 3)?), [4]);
    assert_eq!(seqs(store.find_entries(id(1), found, 4)?), [0; 0], "above alone");
    store.begin()?;
    assert!(store.append(&sample_entry(9)).is_err(), "a Seq twice");
    store.rollback();
    Ok(())
}

fn erasing<S: Store>(store: &mut S) -> Stored<()> {
    write(store, |store| {
        store.append(&sample_entry(1))?;
        store.append(&sample_entry(2))?;
        store.erase(id(1), 1)
    })?;
    let expected = Entry {
        content: Bytes::new(),
        fingerprint: None,
        erased: true,
        ..sample_entry(1)
    };
    assert_eq!(
        store.entry(id(1), 1)?,
        Some(expected.clone()),
        "Seq, id and author stay"
    );
    assert_eq!(store.public_entries(id(1), 1, 1)?, [expected]);
    assert_eq!(store.entry(id(1), 2)?, Some(sample_entry(2)));
    Ok(())
}

fn sealed(n: u8, log: Audience, start: u64, generation: u32) -> SealedBlock {
    SealedBlock {
        conversation: id(n),
        log,
        start,
        first: start + 2,
        last: start + 40,
        generation,
        bytes: Bytes::from(vec![0, 255, generation as u8]),
    }
}

fn blocks<S: Store>(store: &mut S) -> Stored<()> {
    use Audience::{Agents, Everybody};
    assert_eq!(store.block(id(1), Agents, 1)?, None);
    assert_eq!(store.sealed_to(id(1), Agents)?, 0);
    write(store, |store| {
        for block in [
            sealed(1, Agents, 65, 1),
            sealed(1, Agents, 1, 1),
            sealed(1, Everybody, 1, 3),
            sealed(2, Agents, 129, 1),
        ] {
            store.put_block(&block)?;
        }
        store.put_block(&SealedBlock {
            last: 64,
            ..sealed(1, Agents, 1, 2)
        })
    })?;
    let replaced = store.block(id(1), Agents, 1)?;
    assert_eq!(replaced.map(|block| (block.generation, block.last)), Some((2, 64)));
    assert_eq!(store.block(id(1), Agents, 65)?, Some(sealed(1, Agents, 65, 1)));
    assert_eq!(
        store.block(id(1), Everybody, 1)?,
        Some(sealed(1, Everybody, 1, 3)),
        "the logs have blocks of their own"
    );
    assert_eq!(store.block(id(1), Everybody, 65)?, None);
    assert_eq!(store.sealed_to(id(1), Agents)?, 105);
    assert_eq!(store.sealed_to(id(1), Everybody)?, 41);
    store.begin()?;
    store.put_block(&sealed(1, Agents, 65, 9))?;
    store.rollback();
    assert_eq!(store.block(id(1), Agents, 65)?, Some(sealed(1, Agents, 65, 1)));
    Ok(())
}

fn retention<S: Store>(store: &mut S) -> Stored<()> {
    let kept = Conversation {
        floor: 70,
        public_floor: 36,
        head: 90,
        public_head: 45,
        ..sample_conversation(1, Status::Closed)
    };
    let visit = |first_seq| Visit {
        conversation: id(1),
        first_seq,
        started_ms: 1,
        ended_ms: 2,
        first_words: String::new(),
        words_seq: 0,
    };
    write(store, |store| {
        store.put_conversation(&kept)?;
        store.put_conversation(&sample_conversation(3, Status::Open))?;
        (1..=90).try_for_each(|seq| store.append(&sample_entry(seq)))?;
        for log in [Audience::Agents, Audience::Everybody] {
            store.put_block(&sealed(1, log, 1, 1))?;
        }
        store.put_block(&sealed(1, Audience::Agents, 65, 1))?;
        store.put_block(&sealed(3, Audience::Agents, 1, 1))?;
        store.put_visit(&visit(1))?;
        store.put_visit(&visit(71))
    })?;
    assert_eq!(store.conversation_ids(id(0), 1)?, [id(1)]);
    assert_eq!(store.conversation_ids(id(1), 9)?, [id(3)]);
    store.begin()?;
    assert!(store.remove_below(&kept, 50)?, "more is left");
    store.commit()?;
    assert_eq!(store.entry(id(1), 50)?, None);
    assert_eq!(store.entry(id(1), 51)?, Some(sample_entry(51)), "the lowest go first");
    assert_eq!(store.public_entry(id(1), 26)?, Some(sample_entry(51)));
    assert_eq!(store.public_entry(id(1), 25)?, None);
    store.begin()?;
    assert!(!store.remove_below(&kept, 50)?);
    store.remove_visits(id(1), 70)?;
    store.commit()?;
    let seqs: Vec<u64> = store.entries(id(1), 1, 99)?.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (70..=90).collect::<Vec<_>>());
    assert_eq!(store.entry_at_time(id(1), 0, true)?.map(|entry| entry.seq), Some(71));
    assert_eq!(store.block(id(1), Audience::Agents, 1)?, None);
    for (block, log) in [(65, Audience::Agents), (1, Audience::Everybody)] {
        assert!(store.block(id(1), log, block)?.is_some(), "what the floor cuts stays");
    }
    assert!(
        store.block(id(3), Audience::Agents, 1)?.is_some(),
        "of its conversation alone"
    );
    assert_eq!(store.visits(id(1), 9)?, [visit(71)]);
    Ok(())
}

fn repeats<S: Store>(store: &mut S) -> Stored<()> {
    let known = |n: u8, author: u8| KnownId {
        id: id(n),
        conversation: id(1),
        author: id(author),
        seq: u64::from(n),
        time_ms: u64::from(n),
    };
    let refusal = Refusal {
        id: id(7),
        conversation: id(1),
        author: id(4),
        fingerprint: Fingerprint {
            salt: [3; 16],
            hash: [4; 32],
        },
        answer: Bytes::from_static(&[8, 11]),
    };
    write(store, |store| {
        for (n, author) in [(1, 4), (1, 3), (2, 4), (3, 4)] {
            store.remember(&known(n, author))?;
        }
        store.remember_refusal(&refusal)?;
        store.remember_refusal(&Refusal {
            answer: Bytes::from_static(&[9]),
            ..refusal.clone()
        })?;
        store.remember_refusal(&Refusal {
            author: id(3),
            ..refusal.clone()
        })
    })?;
    assert_eq!(store.known(id(1), id(1))?, [known(1, 3), known(1, 4)]);
    assert_eq!(store.known(id(2), id(1))?, [], "of its conversation alone");
    let found = store.refusals(id(1), id(7))?;
    assert_eq!(
        found,
        [
            Refusal {
                author: id(3),
                ..refusal.clone()
            },
            refusal
        ],
        "the first refusal stands"
    );
    assert_eq!(store.refusals(id(2), id(7))?, []);
    // A little at a time, round and round: whatever is old is found, and nothing else goes.
    for _ in 0..8 {
        write(store, |store| store.forget_known(3, 2))?;
    }
    assert_eq!(store.known(id(1), id(2))?, []);
    assert_eq!(store.known(id(1), id(3))?, [known(3, 4)]);
    Ok(())
}

fn feeds<S: Store>(store: &mut S) -> Stored<()> {
    let row = |n: u8, revision, stands| FeedRow {
        conversation: id(n),
        revision,
        stands,
    };
    let (own, team) = (Feed::Agent(id(4)), Feed::Team(id(4)));
    assert_eq!(store.feed(own)?, None);
    write(store, |store| {
        store.put_feed(
            own,
            FeedState {
                epoch: u64::MAX,
                revision: 3,
            },
        )?;
        for (n, revision) in [(1, 1), (2, 2), (3, 3)] {
            store.put_feed_row(own, &row(n, revision, true))?;
        }
        store.put_feed_row(team, &row(1, 1, true))?;
        store.put_feed_row(own, &row(1, 4, false))?;
        store.put_feed(
            own,
            FeedState {
                epoch: u64::MAX,
                revision: 4,
            },
        )
    })?;
    assert_eq!(
        store.feed(own)?,
        Some(FeedState {
            epoch: u64::MAX,
            revision: 4
        })
    );
    assert_eq!(store.feed(team)?, None, "an agent's feed is no team's, whatever the id");
    let all = [row(2, 2, true), row(3, 3, true), row(1, 4, false)];
    assert_eq!(
        store.feed_rows(own, 0, 100)?,
        all,
        "one row for each conversation, by revision"
    );
    assert_eq!(store.feed_rows(own, 2, 1)?, [row(3, 3, true)]);
    assert_eq!(store.feed_rows(own, 4, 100)?, []);
    write(store, |store| store.remove_left_rows(own))?;
    assert_eq!(store.feed_rows(own, 0, 100)?, [row(2, 2, true), row(3, 3, true)]);
    assert_eq!(store.feed_rows(team, 0, 100)?, [row(1, 1, true)]);
    Ok(())
}

fn members<S: Store>(store: &mut S) -> Stored<()> {
    let position = |who, read| Position {
        conversation: id(1),
        who,
        delivered: 9,
        read,
    };
    let visit = |first_seq| Visit {
        conversation: id(1),
        first_seq,
        started_ms: first_seq,
        ended_ms: 0,
        first_words: "你好".into(),
        words_seq: first_seq,
    };
    let (amy, customer) = (Who::Agent(id(4)), Who::Customer(id(4)));
    write(store, |store| {
        store.put_position(&position(customer, 1))?;
        store.put_position(&position(amy, 2))?;
        store.put_position(&position(amy, 3))?;
        store.put_position(&Position {
            conversation: id(2),
            ..position(amy, 3)
        })?;
        [1, 5, 300]
            .into_iter()
            .try_for_each(|seq| store.put_visit(&visit(seq)))?;
        store.put_visit(&Visit {
            ended_ms: 6,
            ..visit(5)
        })
    })?;
    assert_eq!(store.positions(id(1))?, [position(amy, 3), position(customer, 1)]);
    assert_eq!(store.positions(id(3))?, []);
    assert_eq!(
        store.visits(id(1), 2)?,
        [
            visit(300),
            Visit {
                ended_ms: 6,
                ..visit(5)
            }
        ],
        "newest first"
    );
    assert_eq!(store.visits(id(2), 2)?, []);
    Ok(())
}
