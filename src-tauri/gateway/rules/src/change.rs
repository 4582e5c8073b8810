//! One act's (or one decision's) change of one conversation, made in memory before anything is written.

use std::rc::Rc;

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::v1::{
    AssignmentContent, AssignmentReason, AuthorRole, CloseContent, CloseReason, Due, EntryKind, LinkedContent,
    ReasonContent, Status,
};
use zuoxi_wire::{Id, content};

use crate::planted::{self, Fault};
use crate::record::{Audience, Conversation, Entry, Fingerprint, KnownId, Position, Visit, Words};
use crate::replies::Waited;
use crate::wording::Reader;

/// Who does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Author {
    pub(crate) role: AuthorRole,
    pub(crate) id: Option<Id>,
    pub(crate) name: String,
}

impl Author {
    /// The gateway by its own rules.
    pub(crate) fn gateway() -> Self {
        Self {
            role: AuthorRole::Gateway,
            id: None,
            name: String::new(),
        }
    }
}

/// What an entry is, before it has a place.
pub(crate) struct Draft {
    pub(crate) id: Id,
    pub(crate) audience: Audience,
    pub(crate) kind: EntryKind,
    pub(crate) content: Bytes,
    pub(crate) fingerprint: Option<Fingerprint>,
}

/// To whom a conversation goes.
pub(crate) struct Assignment<'a> {
    /// Ids of the two entries.
    pub(crate) ids: [Id; 2],
    pub(crate) fingerprint: Option<Fingerprint>,
    /// None: it waits in the queue.
    pub(crate) agent: Option<(Id, String)>,
    pub(crate) team: (Id, String),
    pub(crate) reason: AssignmentReason,
    pub(crate) words: &'a str,
    pub(crate) by: &'a Author,
}

/// A conversation before and after, and what the transaction stores beside it.
pub(crate) struct Change {
    /// None: it is made by this.
    pub(crate) before: Option<Rc<Conversation>>,
    pub(crate) after: Conversation,
    pub(crate) entries: Vec<Entry>,
    pub(crate) known: Option<KnownId>,
    pub(crate) erased: Vec<u64>,
    pub(crate) visits: Vec<Visit>,
    pub(crate) positions: Vec<Position>,
    /// A recall concerns every feed in which the conversation stands.
    pub(crate) recalls: bool,
    /// The customer's wait that this answers.
    pub(crate) waited: Option<Waited>,
    /// Of the agents' log: never before its last entry.
    now_ms: u64,
    /// Of the customer's log likewise.
    public_now_ms: u64,
}

impl Change {
    pub(crate) fn of(conversation: &Rc<Conversation>, now_ms: u64) -> Self {
        Self {
            before: Some(Rc::clone(conversation)),
            ..Self::new(Conversation::clone(conversation), now_ms)
        }
    }

    /// Of a conversation that has no row yet.
    pub(crate) fn new(after: Conversation, now_ms: u64) -> Self {
        let mut public_now_ms = now_ms.max(after.public_ms);
        let now_ms = now_ms.max(after.moved_ms);
        if planted::has(Fault::CustomersTimeMovesWithNote) {
            public_now_ms = now_ms;
        }
        Self {
            before: None,
            after,
            entries: Vec::new(),
            known: None,
            erased: Vec::new(),
            visits: Vec::new(),
            positions: Vec::new(),
            recalls: false,
            waited: None,
            now_ms,
            public_now_ms,
        }
    }

    /// When it happens in a reader's log: never before the last entry there.
    pub(crate) fn time_ms(&self, reader: Reader) -> u64 {
        match reader {
            Reader::Agent => self.now_ms,
            Reader::Customer => self.public_now_ms,
        }
    }

    /// Gives an entry its place in both logs.
    pub(crate) fn add(&mut self, by: &Author, draft: Draft) -> u64 {
        let after = &mut self.after;
        after.head += 1;
        after.moved_ms = self.now_ms;
        if draft.audience == Audience::Everybody {
            after.public_head += 1;
            after.public_ms = self.public_now_ms;
        }
        if draft.kind == EntryKind::Message && by.role == AuthorRole::Customer {
            after.customer_messages += 1;
        }
        self.entries.push(Entry {
            conversation: after.id,
            seq: after.head,
            public: after.public_head,
            audience: draft.audience,
            kind: draft.kind,
            id: draft.id,
            role: by.role,
            author: by.id,
            author_name: by.name.clone(),
            time_ms: self.now_ms,
            public_ms: after.public_ms,
            content: draft.content,
            erased: false,
            customer_messages: after.customer_messages,
            fingerprint: draft.fingerprint,
        });
        after.head
    }

    /// A message to everybody: it asks (the customer's) or answers (an agent's).
    pub(crate) fn message(&mut self, by: &Author, draft: Draft, text: &str) -> u64 {
        let seq = self.add(by, draft);
        let preview = content::preview(text);
        let after = &mut self.after;
        if by.role == AuthorRole::Customer {
            after.unread = after.unread.saturating_add(1);
            if after.waiting_ms == 0 {
                after.waiting_ms = self.public_now_ms;
                after.waiting_seq = seq;
                after.due = if after.answered { Due::Next } else { Due::First };
                after.preview.clone_from(&preview);
            }
            if let Some(visit) = self.visits.last_mut().filter(|visit| visit.words_seq == 0) {
                visit.first_words.clone_from(&preview);
                visit.words_seq = seq;
            }
        } else {
            after.answered = true;
            if after.waiting_ms > 0 {
                self.waited = Some(Waited {
                    team: after.team,
                    ms: self.public_now_ms.saturating_sub(after.waiting_ms),
                });
            }
            no_longer_waits(after);
        }
        let author = by.id.unwrap_or_default();
        after.words = Some(Words {
            role: by.role,
            author,
            text: preview,
            time_ms: self.now_ms,
            seq,
        });
        seq
    }

    /// A visit begins with the next entry.
    pub(crate) fn begin_visit(&mut self) {
        let first_seq = self.after.head + 1;
        self.after.visit = first_seq;
        self.after.answered = false;
        self.visits.push(Visit {
            conversation: self.after.id,
            first_seq,
            started_ms: self.now_ms,
            ended_ms: 0,
            first_words: String::new(),
            words_seq: 0,
        });
    }

    /// The customer's message opens a closed conversation again; routing decides afterwards who gets it.
    pub(crate) fn reopen(&mut self, by: &Author, id: Id) {
        self.begin_visit();
        self.add(by, plain(id, EntryKind::Reopen, Bytes::new()));
        self.wait_in_queue(self.public_now_ms);
    }

    /// It waits, in nobody's own feed.
    fn wait_in_queue(&mut self, since_ms: u64) {
        self.after.status = Status::Queued;
        self.after.holder = None;
        self.after.queued_ms = since_ms;
    }

    /// To an agent or into a team's queue: an entry for everybody, and its reason for agents.
    pub(crate) fn assign(&mut self, assignment: Assignment<'_>) -> u64 {
        let Assignment {
            ids: [first, second],
            fingerprint,
            agent,
            team,
            reason,
            words,
            by,
        } = assignment;
        self.after.team = team.0;
        if let Some((agent, _)) = agent {
            self.after.status = Status::Open;
            self.after.holder = Some(agent);
            self.after.last_agent = Some(agent);
            self.after.queued_ms = 0;
        } else {
            // Whoever waits for an answer keeps their place in the order of arrival.
            let since = if self.after.waiting_ms > 0 {
                self.after.waiting_ms
            } else {
                self.public_now_ms
            };
            self.wait_in_queue(since);
        }
        let (agent, agent_name) = agent.map_or_else(Default::default, |(id, name)| (id.to_bytes(), name));
        let said = AssignmentContent {
            agent,
            agent_name,
            team: team.0.to_bytes(),
            team_name: team.1,
        };
        let draft = Draft {
            fingerprint,
            ..plain(first, EntryKind::Assignment, said.encode_to_vec().into())
        };
        let seq = self.add(by, draft);
        let why = ReasonContent {
            reason: reason.into(),
            text: words.into(),
            by: by.id.map(Id::to_bytes).unwrap_or_default(),
            by_name: by.name.clone(),
        };
        let draft = plain(second, EntryKind::Reason, why.encode_to_vec().into());
        self.add(
            by,
            Draft {
                audience: Audience::Agents,
                ..draft
            },
        );
        seq
    }

    /// Closes; it stays in the feed in which it stands. `visit` is the one that ends.
    pub(crate) fn close(
        &mut self,
        by: &Author,
        id: Id,
        fingerprint: Option<Fingerprint>,
        reason: CloseReason,
        visit: Option<Visit>,
    ) -> u64 {
        let said = CloseContent { reason: reason.into() }.encode_to_vec().into();
        let seq = self.add(
            by,
            Draft {
                fingerprint,
                ..plain(id, EntryKind::Close, said)
            },
        );
        self.after.status = Status::Closed;
        self.after.queued_ms = 0;
        no_longer_waits(&mut self.after);
        if let Some(visit) = visit {
            self.visits.push(Visit {
                ended_ms: self.now_ms,
                ..visit
            });
        }
        seq
    }

    /// Retention: below these Seqs (of the agents' and the customer's log) history is gone on purpose. A closed
    /// conversation of which nothing is left stands in nobody's feed.
    pub(crate) fn raise_floor(&mut self, floor: u64, public_floor: u64) {
        let after = &mut self.after;
        after.floor = floor;
        after.public_floor = public_floor;
        after.words.take_if(|words| words.seq < floor);
        if floor > after.head && after.status == Status::Closed {
            after.holder = None;
            after.unread = 0;
        }
    }

    /// The story goes on in another conversation.
    pub(crate) fn link(&mut self, id: Id, to: Id) {
        let said = LinkedContent {
            conversation: to.to_bytes(),
        }
        .encode_to_vec()
        .into();
        let draft = Draft {
            audience: Audience::Agents,
            ..plain(id, EntryKind::Linked, said)
        };
        self.add(&Author::gateway(), draft);
        self.after.linked_to = Some(to);
    }
}

fn plain(id: Id, kind: EntryKind, content: Bytes) -> Draft {
    Draft {
        id,
        audience: Audience::Everybody,
        kind,
        content,
        fingerprint: None,
    }
}

/// The customer has their answer.
pub(crate) fn no_longer_waits(conversation: &mut Conversation) {
    conversation.waiting_ms = 0;
    conversation.waiting_seq = 0;
    conversation.due = Due::Unspecified;
    conversation.preview = String::new();
}

/// What a team's row shows: a revision is taken only when this changes.
pub(crate) fn same_team_row(a: &Conversation, b: &Conversation) -> bool {
    a.status == b.status
        && a.assignee() == b.assignee()
        && a.customer_name == b.customer_name
        && a.waiting_ms == b.waiting_ms
        && a.due == b.due
        && a.preview == b.preview
}
