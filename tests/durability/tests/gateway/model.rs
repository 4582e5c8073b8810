//! The model: tables as maps; a transaction is a copy of them, a savepoint another.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use zuoxi_rules::conformance::{
    sample_agent, sample_brand, sample_conversation, sample_customer, sample_entry, sample_team,
};
use zuoxi_rules::record::{
    Agent, Audience, Brand, Conversation, Customer, Entry, Feed, FeedRow, FeedState, Fingerprint, KnownId, Membership,
    Position, Refusal, Session, Team, Visit, Who,
};
use zuoxi_rules::store::{Store, Stored};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Presence, Status};

/// Ids of each kind: few, so that operations meet.
pub(crate) const IDS: u8 = 3;

pub(crate) fn id(number: u8) -> Id {
    Id([number + 1; 16])
}

/// Everything that is stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tables {
    pub(crate) epoch: u64,
    pub(crate) teams: BTreeMap<Id, Team>,
    pub(crate) brands: BTreeMap<Id, Brand>,
    pub(crate) agents: BTreeMap<Id, Agent>,
    pub(crate) sessions: BTreeMap<[u8; 32], Session>,
    pub(crate) tokens: BTreeMap<(Id, String), u64>,
    pub(crate) customers: BTreeMap<Id, Customer>,
    pub(crate) conversations: BTreeMap<Id, Conversation>,
    pub(crate) entries: BTreeMap<Id, Vec<Entry>>,
    pub(crate) known: BTreeMap<(Id, Id, Id), KnownId>,
    pub(crate) refusals: BTreeMap<(Id, Id, Id), Refusal>,
    pub(crate) feeds: BTreeMap<Feed, FeedState>,
    pub(crate) rows: BTreeMap<Feed, BTreeMap<Id, FeedRow>>,
    pub(crate) positions: BTreeMap<(Id, Who), Position>,
    pub(crate) visits: BTreeMap<(Id, u64), Visit>,
}

/// What is committed, and what is open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    committed: Tables,
    open: Option<Tables>,
    savepoint: Option<Tables>,
}

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Begin,
    Savepoint,
    Release,
    Undo,
    Commit,
    Rollback,
    Restart,
    Write(Write),
}

#[derive(Debug, Clone)]
pub(crate) enum Write {
    Epoch(u64),
    Team(u8),
    Brand(u8),
    Agent(u8, bool),
    Presence(u8, bool),
    Password(u8),
    Session(u8, u8, u64),
    RemoveSession(u8),
    RemoveSessions(u8, Option<u8>),
    ForgetSessions(u64),
    Token(u8, u64),
    ForgetTokens(u64),
    Customer(u8, bool),
    Conversation(u8, bool, u64),
    Append(u8, bool),
    Erase(u8, u64),
    Remember(u8, u8, u64),
    ForgetKnown(u64),
    Refuse(u8, u8),
    Feed(u8, u64),
    Row(u8, u8, bool),
    RemoveLeft(u8),
    Position(u8, u8, u64),
    Visit(u8, u64, u64),
}

fn feed(number: u8) -> Feed {
    if number.is_multiple_of(2) {
        Feed::Agent(id(number))
    } else {
        Feed::Team(id(number))
    }
}

pub(crate) fn who(number: u8) -> Who {
    if number.is_multiple_of(2) {
        Who::Agent(id(number))
    } else {
        Who::Customer(id(number))
    }
}

pub(crate) fn hash(number: u8) -> [u8; 32] {
    [number; 32]
}

fn agent(number: u8, lead: bool) -> Agent {
    let teams = vec![Membership { team: id(0), lead }];
    Agent {
        id: id(number),
        ..sample_agent(number, teams)
    }
}

fn session(number: u8, of: u8, expires_ms: u64) -> Session {
    Session {
        token_hash: hash(number),
        who: who(of),
        device: id(9),
        created_ms: 1,
        expires_ms,
    }
}

fn customer(number: u8, named: bool) -> Customer {
    let external = format!("external {number}");
    Customer {
        id: id(number),
        brand: id(0),
        ..sample_customer(number, named.then_some(external.as_str()))
    }
}

fn conversation(number: u8, open: bool, head: u64) -> Conversation {
    Conversation {
        id: id(number),
        head,
        ..sample_conversation(number, if open { Status::Open } else { Status::Closed })
    }
}

fn refusal(number: u8, of: u8) -> Refusal {
    Refusal {
        id: id(number),
        conversation: id(of),
        author: id(0),
        fingerprint: Fingerprint {
            salt: [number; 16],
            hash: hash(of),
        },
        answer: Bytes::from(vec![number, of, 0]),
    }
}

fn known(number: u8, of: u8, time_ms: u64) -> KnownId {
    KnownId {
        id: id(number),
        conversation: id(of),
        author: id(0),
        seq: time_ms + 1,
        time_ms,
    }
}

fn position(of: u8, number: u8, read: u64) -> Position {
    Position {
        conversation: id(of),
        who: who(number),
        delivered: read + 1,
        read,
    }
}

fn visit(of: u8, first_seq: u64, ended_ms: u64) -> Visit {
    Visit {
        conversation: id(of),
        first_seq,
        started_ms: first_seq * 10,
        ended_ms,
        first_words: "您好".into(),
        words_seq: first_seq,
    }
}

/// The next entry of a log.
fn next_entry(of: u8, for_agents: bool, log: &[Entry]) -> Entry {
    let seq = log.len() as u64 + 1;
    let public = log.last().map_or(0, |entry| entry.public) + u64::from(!for_agents);
    Entry {
        conversation: id(of),
        public,
        audience: if for_agents {
            Audience::Agents
        } else {
            Audience::Everybody
        },
        id: Id::v7(seq, [of; 10]),
        ..sample_entry(seq)
    }
}

impl Tables {
    fn apply(&mut self, write: &Write) {
        match *write {
            Write::Epoch(epoch) => self.epoch = epoch,
            Write::Team(number) => {
                let mut team = sample_team(number);
                team.id = id(number);
                self.teams.insert(team.id, team);
            }
            Write::Brand(number) => {
                let mut brand = sample_brand(number, id(0));
                brand.id = id(number);
                self.brands.insert(brand.id, brand);
            }
            Write::Agent(number, lead) => drop(self.agents.insert(id(number), agent(number, lead))),
            Write::Presence(number, away) => {
                if let Some(agent) = self.agents.get_mut(&id(number)) {
                    agent.presence = presence(away);
                }
            }
            Write::Password(number) => {
                if let Some(agent) = self.agents.get_mut(&id(number)) {
                    "another".clone_into(&mut agent.password_hash);
                }
            }
            Write::Session(number, of, expires) => {
                self.sessions.insert(hash(number), session(number, of, expires));
            }
            Write::RemoveSession(number) => drop(self.sessions.remove(&hash(number))),
            Write::RemoveSessions(of, keep) => {
                let keep = keep.map(hash);
                self.sessions
                    .retain(|token, session| session.who != who(of) || Some(*token) == keep);
            }
            Write::ForgetSessions(before) => self.sessions.retain(|_, session| session.expires_ms >= before),
            Write::Token(number, expires) => {
                let key = (id(0), format!("token {number}"));
                self.tokens.entry(key).or_insert(expires);
            }
            Write::ForgetTokens(before) => self.tokens.retain(|_, expires| *expires >= before),
            Write::Customer(number, named) => drop(self.customers.insert(id(number), customer(number, named))),
            Write::Conversation(number, open, head) => {
                self.conversations.insert(id(number), conversation(number, open, head));
            }
            Write::Append(of, for_agents) => {
                let log = self.entries.entry(id(of)).or_default();
                log.push(next_entry(of, for_agents, log));
            }
            Write::Erase(of, seq) => {
                let log = self.entries.get_mut(&id(of));
                if let Some(entry) = log.and_then(|log| log.get_mut((seq as usize).wrapping_sub(1))) {
                    entry.content = Bytes::new();
                    entry.fingerprint = None;
                    entry.erased = true;
                }
            }
            Write::Remember(number, of, time_ms) => {
                self.known
                    .insert((id(number), id(of), id(0)), known(number, of, time_ms));
            }
            Write::ForgetKnown(before) => self.known.retain(|_, known| known.time_ms >= before),
            Write::Refuse(number, of) => {
                let key = (id(number), id(of), id(0));
                self.refusals.entry(key).or_insert_with(|| refusal(number, of));
            }
            Write::Feed(number, revision) => {
                self.feeds.insert(feed(number), FeedState { epoch: 5, revision });
            }
            Write::Row(number, of, stands) => {
                let rows = self.rows.entry(feed(number)).or_default();
                let revision = rows.values().map(|row| row.revision).max().unwrap_or(0) + 1;
                let conversation = id(of);
                rows.insert(
                    conversation,
                    FeedRow {
                        conversation,
                        revision,
                        stands,
                    },
                );
            }
            Write::RemoveLeft(number) => self.rows.entry(feed(number)).or_default().retain(|_, row| row.stands),
            Write::Position(of, number, read) => {
                self.positions.insert((id(of), who(number)), position(of, number, read));
            }
            Write::Visit(of, first_seq, ended_ms) => {
                self.visits.insert((id(of), first_seq), visit(of, first_seq, ended_ms));
            }
        }
    }
}

fn presence(away: bool) -> Presence {
    if away { Presence::Away } else { Presence::Online }
}

impl Write {
    /// Does it; `after` is what the model holds once it is done.
    pub(crate) fn perform(&self, store: &mut dyn Store, after: &Tables) -> Stored<()> {
        match *self {
            Self::Epoch(epoch) => store.renew_epoch(epoch),
            Self::Team(number) => {
                let mut team = sample_team(number);
                team.id = id(number);
                store.put_team(&team)
            }
            Self::Brand(number) => {
                let mut brand = sample_brand(number, id(0));
                brand.id = id(number);
                store.put_brand(&brand)
            }
            Self::Agent(number, lead) => store.put_agent(&agent(number, lead)),
            Self::Presence(number, away) => store.put_presence(id(number), presence(away)),
            Self::Password(number) => store.put_password(id(number), "another"),
            Self::Session(number, of, expires) => store.put_session(&session(number, of, expires)),
            Self::RemoveSession(number) => store.remove_session(&hash(number)),
            Self::RemoveSessions(of, keep) => store.remove_sessions(who(of), keep.map(hash).as_ref()),
            Self::ForgetSessions(before) => store.forget_sessions(before, 100),
            Self::Token(number, expires) => store.use_token_id(id(0), &format!("token {number}"), expires).map(drop),
            Self::ForgetTokens(before) => store.forget_token_ids(before, 100),
            Self::Customer(number, named) => store.put_customer(&customer(number, named)),
            Self::Conversation(number, open, head) => store.put_conversation(&conversation(number, open, head)),
            Self::Append(of, for_agents) => {
                let log = after.entries.get(&id(of)).map_or(&[][..], Vec::as_slice);
                let entry = log.last().cloned().unwrap_or_else(|| next_entry(of, for_agents, &[]));
                store.append(&entry)
            }
            Self::Erase(of, seq) => store.erase(id(of), seq),
            Self::Remember(number, of, time_ms) => store.remember(&known(number, of, time_ms)),
            Self::ForgetKnown(before) => store.forget_known(before, 100),
            Self::Refuse(number, of) => store.remember_refusal(&refusal(number, of)),
            Self::Feed(number, revision) => store.put_feed(feed(number), FeedState { epoch: 5, revision }),
            Self::Row(number, of, stands) => {
                let rows = after.rows.get(&feed(number));
                let row = rows.and_then(|rows| rows.get(&id(of)).copied()).unwrap_or(FeedRow {
                    conversation: id(of),
                    revision: 1,
                    stands,
                });
                store.put_feed_row(feed(number), &row)
            }
            Self::RemoveLeft(number) => store.remove_left_rows(feed(number)),
            Self::Position(of, number, read) => store.put_position(&position(of, number, read)),
            Self::Visit(of, first_seq, ended_ms) => store.put_visit(&visit(of, first_seq, ended_ms)),
        }
    }
}

fn writes() -> impl Strategy<Value = Write> {
    use Write as W;
    let small = || 0..IDS;
    let time = || 0_u64..10;
    // Entries, feeds and what identifies repeats are what most of the gateway's work is.
    prop_oneof![
        6 => (small(), any::<bool>()).prop_map(|(of, agents)| W::Append(of, agents)),
        2 => (small(), 1_u64..6).prop_map(|(of, seq)| W::Erase(of, seq)),
        3 => (small(), any::<bool>(), time()).prop_map(|(n, open, head)| W::Conversation(n, open, head)),
        3 => (small(), small(), time()).prop_map(|(n, of, at)| W::Remember(n, of, at)),
        1 => time().prop_map(W::ForgetKnown),
        2 => (small(), small()).prop_map(|(n, of)| W::Refuse(n, of)),
        2 => (small(), time()).prop_map(|(n, revision)| W::Feed(n, revision)),
        4 => (small(), small(), any::<bool>()).prop_map(|(n, of, stands)| W::Row(n, of, stands)),
        1 => small().prop_map(W::RemoveLeft),
        2 => (small(), small(), time()).prop_map(|(of, n, read)| W::Position(of, n, read)),
        2 => (small(), 1_u64..4, time()).prop_map(|(of, first, end)| W::Visit(of, first, end)),
        2 => (small(), small(), time()).prop_map(|(n, of, at)| W::Session(n, of, at)),
        1 => small().prop_map(W::RemoveSession),
        1 => (small(), proptest::option::of(small())).prop_map(|(of, keep)| W::RemoveSessions(of, keep)),
        1 => time().prop_map(W::ForgetSessions),
        2 => (small(), time()).prop_map(|(n, at)| W::Token(n, at)),
        1 => time().prop_map(W::ForgetTokens),
        2 => (small(), any::<bool>()).prop_map(|(n, named)| W::Customer(n, named)),
        1 => (1_u64..9).prop_map(W::Epoch),
        1 => small().prop_map(W::Team),
        1 => small().prop_map(W::Brand),
        1 => (small(), any::<bool>()).prop_map(|(n, lead)| W::Agent(n, lead)),
        1 => (small(), any::<bool>()).prop_map(|(n, away)| W::Presence(n, away)),
        1 => small().prop_map(W::Password),
    ]
}

impl Model {
    /// What a reader of the store sees now: its own transaction too.
    pub(crate) fn seen(&self) -> &Tables {
        self.open.as_ref().unwrap_or(&self.committed)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Op;

    fn init_state() -> BoxedStrategy<Self> {
        let committed = Tables {
            epoch: 1,
            ..Tables::default()
        };
        Just(Self {
            committed,
            ..Self::default()
        })
        .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Op> {
        let write = writes().prop_map(Op::Write);
        match (&state.open, &state.savepoint) {
            (None, _) => prop_oneof![8 => Just(Op::Begin), 1 => Just(Op::Restart), 1 => write].boxed(),
            (Some(_), None) => prop_oneof![
                12 => write,
                3 => Just(Op::Savepoint),
                2 => Just(Op::Commit),
                1 => Just(Op::Rollback),
                1 => Just(Op::Restart),
            ]
            .boxed(),
            (Some(_), Some(_)) => prop_oneof![
                6 => write,
                2 => Just(Op::Release),
                2 => Just(Op::Undo),
                1 => Just(Op::Rollback),
            ]
            .boxed(),
        }
    }

    fn preconditions(state: &Self, op: &Op) -> bool {
        let (open, saved) = (state.open.is_some(), state.savepoint.is_some());
        match op {
            Op::Begin => !open,
            Op::Savepoint | Op::Commit => open && !saved,
            Op::Release | Op::Undo => saved,
            Op::Rollback => open,
            Op::Restart | Op::Write(_) => true,
        }
    }

    fn apply(mut state: Self, op: &Op) -> Self {
        match op {
            Op::Begin => state.open = Some(state.committed.clone()),
            Op::Savepoint => state.savepoint.clone_from(&state.open),
            Op::Release => state.savepoint = None,
            Op::Undo => state.open = state.savepoint.take(),
            Op::Commit => {
                if let Some(open) = state.open.take() {
                    state.committed = open;
                }
            }
            Op::Rollback | Op::Restart => (state.open, state.savepoint) = (None, None),
            Op::Write(write) => {
                if let Some(open) = &mut state.open {
                    open.apply(write);
                }
            }
        }
        state
    }
}
