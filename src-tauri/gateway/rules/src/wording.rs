//! Rows of the store as readers get them: each in their own log's Seqs.

use bytes::Bytes;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    self, CustomerCard, FeedId, FeedKind, LastWords, MemberRole, Problem, ProblemCode, Standing, Summary, customer_card,
};

use crate::record::{Audience, Conversation, Entry, Feed, Who};

/// Whose log is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reader {
    Agent,
    Customer,
}

impl Reader {
    pub(crate) fn of(who: Who) -> Self {
        match who {
            Who::Agent(_) => Self::Agent,
            Who::Customer(_) => Self::Customer,
        }
    }

    pub(crate) fn head(self, conversation: &Conversation) -> u64 {
        match self {
            Self::Agent => conversation.head,
            Self::Customer => conversation.public_head,
        }
    }

    pub(crate) fn floor(self, conversation: &Conversation) -> u64 {
        match self {
            Self::Agent => conversation.floor,
            Self::Customer => conversation.public_floor,
        }
    }

    /// The log that this reader reads.
    pub(crate) fn log(self) -> Audience {
        match self {
            Self::Agent => Audience::Agents,
            Self::Customer => Audience::Everybody,
        }
    }

    /// Time of the log's last entry.
    pub(crate) fn moved_ms(self, conversation: &Conversation) -> u64 {
        match self {
            Self::Agent => conversation.moved_ms,
            Self::Customer => conversation.public_ms,
        }
    }

    /// The entry's Seq for this reader; of a hidden one, that of the last visible entry before it.
    pub(crate) fn seq(self, entry: &Entry) -> u64 {
        match self {
            Self::Agent => entry.seq,
            Self::Customer => entry.public,
        }
    }

    /// When the entry came, in this reader's log.
    pub(crate) fn time_ms(self, entry: &Entry) -> u64 {
        match self {
            Self::Agent => entry.time_ms,
            Self::Customer => entry.public_ms,
        }
    }

    pub(crate) fn sees(self, entry: &Entry) -> bool {
        self == Self::Agent || entry.audience == Audience::Everybody
    }
}

/// An entry for its reader; `as_sent` leaves the content out for the one who sent it.
pub(crate) fn entry(entry: &Entry, reader: Reader, as_sent: bool) -> v1::Entry {
    v1::Entry {
        seq: reader.seq(entry),
        id: entry.id.to_bytes(),
        kind: entry.kind.into(),
        time_ms: reader.time_ms(entry),
        author_role: entry.role.into(),
        author: entry.author.map(Id::to_bytes).unwrap_or_default(),
        author_name: entry.author_name.clone(),
        content: if as_sent { Bytes::new() } else { entry.content.clone() },
        erased: entry.erased,
        content_as_sent: as_sent,
    }
}

pub(crate) fn feed_id(feed: Feed) -> FeedId {
    match feed {
        Feed::Agent(id) => FeedId {
            kind: FeedKind::Agent.into(),
            id: id.to_bytes(),
        },
        Feed::Team(id) => FeedId {
            kind: FeedKind::Team.into(),
            id: id.to_bytes(),
        },
    }
}

pub(crate) fn feed_of(id: &FeedId) -> Option<Feed> {
    let key = Id::try_from(&id.id).ok()?;
    match id.kind() {
        FeedKind::Agent => Some(Feed::Agent(key)),
        FeedKind::Team => Some(Feed::Team(key)),
        FeedKind::Unspecified => None,
    }
}

pub(crate) fn standing(stands: bool) -> Standing {
    if stands { Standing::In } else { Standing::Left }
}

pub(crate) fn card(conversation: &Conversation, online: bool) -> CustomerCard {
    let device = if conversation.customer_mobile {
        customer_card::Device::Mobile
    } else {
        customer_card::Device::Desktop
    };
    CustomerCard {
        id: conversation.customer.to_bytes(),
        name: conversation.customer_name.clone(),
        verified: conversation.customer_verified,
        device: device.into(),
        online,
    }
}

/// A row of an agent's own feed (`whole`), or of a team's, which shows less.
pub(crate) fn summary(conversation: &Conversation, assignee_name: String, online: bool, whole: bool) -> Summary {
    let words = conversation.words.as_ref().filter(|_| whole);
    Summary {
        status: conversation.status.into(),
        team: conversation.team.to_bytes(),
        brand: conversation.brand.to_bytes(),
        assignee: conversation.assignee().map(Id::to_bytes).unwrap_or_default(),
        assignee_name,
        customer: Some(card(conversation, online)),
        waiting_since_ms: conversation.waiting_ms,
        due: conversation.due.into(),
        preview: conversation.preview.clone(),
        last: words.map(|words| LastWords {
            author_role: words.role.into(),
            author: words.author.to_bytes(),
            text: words.text.clone(),
            time_ms: words.time_ms,
            seq: words.seq,
        }),
        unread: if whole { conversation.unread } else { 0 },
        tags: if whole { conversation.tags.clone() } else { Vec::new() },
        moved_ms: if whole { conversation.moved_ms } else { 0 },
    }
}

pub(crate) fn role(who: Who) -> MemberRole {
    match who {
        Who::Agent(_) => MemberRole::Agent,
        Who::Customer(_) => MemberRole::Customer,
    }
}

/// A problem with its usual advice; `retry_ms` above 0 makes it "later".
pub(crate) fn problem(code: ProblemCode, retry_ms: u32) -> Problem {
    let advice = match code {
        _ if retry_ms > 0 => v1::Advice::Later,
        ProblemCode::Version => v1::Advice::Update,
        ProblemCode::Session | ProblemCode::Identity => v1::Advice::LogIn,
        _ => v1::Advice::Never,
    };
    Problem {
        code: code.into(),
        advice: advice.into(),
        retry_ms: retry_ms.min(600_000),
        version_min: 0,
        version_max: 0,
        limit: 0,
    }
}
