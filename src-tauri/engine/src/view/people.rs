//! Customers and agents, and to whom a conversation can be handed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A customer as lists and heads show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CustomerView {
    /// Their id.
    pub id: String,
    /// Name, or 访客 7K3F.
    pub name: String,
    /// The merchant's signature says so.
    pub verified: bool,
    /// Writes from a phone.
    pub mobile: bool,
    /// A page of theirs is open.
    pub online: bool,
    /// 1 to 8: the avatar's hue, from the id.
    pub hue: u8,
}

/// The customer panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CustomerPanel {
    /// Whose.
    pub conversation: String,
    /// Head of the panel.
    pub customer: CustomerView,
    /// User-Agent in short ("Chrome 126, Windows").
    pub browser: String,
    /// BCP 47.
    pub language: String,
    /// Page they look at.
    pub page_url: String,
    /// Its title.
    pub page_title: String,
    /// Where they came from.
    pub referrer: String,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub first_visit_ms: u64,
    /// Tags.
    pub tags: Vec<String>,
    /// Earlier visits, newest first.
    pub visits: Vec<PastVisitView>,
}

/// An earlier visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PastVisitView {
    /// Its place in the timeline.
    #[ts(type = "number")]
    pub first_seq: u64,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub started_ms: u64,
    /// 0: it goes on.
    #[ts(type = "number")]
    pub ended_ms: u64,
    /// The customer's first words.
    pub first_words: String,
}

/// Presence, in the UI's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PresenceView {
    /// Takes new conversations.
    Online,
    /// Keeps what is there, takes nothing new.
    Busy,
    /// Not at the desk.
    Away,
    /// Not connected.
    Offline,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MeView {
    /// Agent's id.
    pub id: String,
    /// Public name.
    pub name: String,
    /// Log-in name.
    pub login: String,
    /// Gateway's address as typed.
    pub gateway: String,
    /// Presence as it stands.
    pub presence: PresenceView,
    /// Leads at least one team.
    pub lead: bool,
    /// Under which name the pictures of this account's agents are served; another one each time it is opened.
    pub pictures: String,
}

/// To whom a conversation can be handed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TransferTargets {
    /// Teams.
    pub teams: Vec<TeamTarget>,
    /// Agents.
    pub agents: Vec<AgentTarget>,
}

/// A team to hand over to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TeamTarget {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Agents online.
    pub online: u32,
    /// Conversations queued.
    pub queued: u32,
}

/// An agent to hand over to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AgentTarget {
    /// Their id.
    pub id: String,
    /// Public name.
    pub name: String,
    /// Presence.
    pub presence: PresenceView,
    /// Open conversations.
    pub open: u32,
    /// Capacity.
    pub capacity: u32,
}

/// Where to hand a conversation over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "to", content = "id", rename_all = "snake_case")]
pub enum TransferTo {
    /// An agent's id.
    Agent(String),
    /// A team's id.
    Team(String),
}
