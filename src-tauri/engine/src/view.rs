//! What a user interface is told and what it may ask, as plain data. Everything here crosses to the webview: it is
//! exported to TypeScript (`ui/src/gen/view.ts`, checked for drift), so ids are text and times are milliseconds UTC.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A list of the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum InboxTab {
    /// Conversations of this agent.
    Mine,
    /// Those that wait for an agent, longest wait first.
    Queue,
    /// Open ones of the agent's teams, own ones left out.
    Team,
    /// Closed ones that this agent had last.
    Closed,
}

/// A conversation's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StatusView {
    /// Waits for an agent.
    Queued,
    /// An agent has it.
    Open,
    /// Closed; reopens when the customer writes.
    Closed,
}

/// Since when a customer waits, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Waiting {
    /// Milliseconds UTC by this computer's clock (the gateway's time, shifted).
    #[ts(type = "number")]
    pub since_ms: u64,
    /// The first response of this visit is due (else the next).
    pub first: bool,
    /// Target in milliseconds; 0: none.
    #[ts(type = "number")]
    pub target_ms: u64,
}

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

/// A mark at an own message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The bubble is there, the disk not yet.
    Writing,
    /// Stored here, the gateway not sure yet; sending.
    Sending,
    /// Stored here; there is no connection, or no answer within 2 s.
    WaitingForNetwork,
    /// Stored here; no answer within 10 s: to be warned of in words.
    Overdue,
    /// The gateway has stored it.
    Sent,
    /// The customer's page has it.
    Delivered,
    /// The customer saw it.
    Read,
    /// Parked.
    NotSent,
    /// Was acknowledged; a restored server no longer has it.
    Lost,
}

/// A row of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InboxRow {
    /// The conversation's id: the row's key.
    pub conversation: String,
    /// Who waits or waited.
    pub customer: CustomerView,
    /// Status.
    pub status: StatusView,
    /// Public name of who serves; empty: nobody.
    pub assignee: String,
    /// This agent serves it.
    pub mine: bool,
    /// Team's name.
    pub team: String,
    /// One line: the draft, the oldest unanswered words, or the last words.
    pub preview: String,
    /// The preview is an unsent draft.
    pub draft: bool,
    /// Mark of the last words if they are this agent's.
    pub mark: Option<Mark>,
    /// Unread messages of the customer.
    pub unread: u32,
    /// The customer waits.
    pub waiting: Option<Waiting>,
    /// Time of the last words, milliseconds UTC.
    #[ts(type = "number")]
    pub last_ms: u64,
    /// Parked acts in it.
    pub not_sent: u32,
}

/// A window onto one list of the inbox. Rows of the first group come first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InboxView {
    /// Which list.
    pub tab: InboxTab,
    /// Rows in the first group: waiting for you.
    pub waiting_count: u32,
    /// Rows in all.
    pub total: u32,
    /// Index of the first row here.
    pub from: u32,
    /// The rows.
    pub rows: Vec<InboxRow>,
}

/// How many each list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct InboxCounts {
    /// Of this agent.
    pub mine: u32,
    /// In the queue.
    pub queue: u32,
    /// Others' in the teams.
    pub team: u32,
    /// Closed ones kept.
    pub closed: u32,
    /// Those of `mine` that wait for an answer.
    pub waiting: u32,
    /// Since when the first of the queue waits, milliseconds UTC by this computer's clock; 0: nobody does.
    #[ts(type = "number")]
    pub queue_since_ms: u64,
}

/// What a row of a timeline is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RowBody {
    /// Words to everybody.
    Message {
        /// The text, plain.
        text: String,
        /// BCP 47, or empty.
        language: String,
    },
    /// Words to agents alone.
    Note {
        /// The text, plain.
        text: String,
    },
    /// A message or note whose content was taken away.
    Recalled {
        /// The text, while this device may still offer "edit again" (own ones alone); empty: it can't.
        edit_again: String,
        /// It was a note.
        note: bool,
    },
    /// Who serves from now on.
    Assignment {
        /// Public name; empty: it waits in the queue.
        agent: String,
        /// It is this agent.
        me: bool,
        /// Team's name.
        team: String,
        /// Why, as soon as that entry is here, too; its own row shows nothing then.
        reason: Option<ReasonView>,
    },
    /// Why (agents alone), where the assignment isn't here.
    Reason(ReasonView),
    /// Closed: by agent, customer, idle or linked.
    Closed {
        /// That code.
        reason: String,
    },
    /// The customer wrote again.
    Reopened,
    /// The tags became these.
    Tagged {
        /// All of them.
        tags: Vec<String>,
    },
    /// A rating.
    Rated {
        /// 1 to 5.
        stars: u32,
        /// Words, may be empty.
        text: String,
    },
    /// The story goes on elsewhere.
    Linked {
        /// That conversation.
        conversation: String,
    },
    /// A recall that needs the user.
    Recall,
    /// Not here yet: being fetched.
    Loading,
    /// Shows nothing (a recall's own entry; a kind from the future).
    Nothing,
}

/// Why somebody serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReasonView {
    /// A code: last_agent, least_busy, no_room, nobody_online, taken, transfer, agent_away, from_queue.
    pub code: String,
    /// The words of who handed it over.
    pub text: String,
    /// Who did it; empty: the gateway.
    pub by: String,
}

/// One row of a timeline.
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each drawn by itself")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TimelineRow {
    /// The message id, from key press to ACK to history: a row's key never changes. `seq:N` for what isn't here yet;
    /// `act:ID` for an act whose id stands in the log with other words, as a copied disk's does.
    pub key: String,
    /// Place in the log; `None`: not settled.
    #[ts(type = "number | null")]
    pub seq: Option<u64>,
    /// What it is.
    pub body: RowBody,
    /// `customer`, `agent` or `gateway`.
    pub author: AuthorView,
    /// Public name.
    pub author_name: String,
    /// Another agent wrote it: their id, for their picture. Else empty.
    pub agent: String,
    /// Written by this agent.
    pub mine: bool,
    /// Milliseconds UTC: the gateway's once settled, before that this computer's.
    #[ts(type = "number")]
    pub time_ms: u64,
    /// For own messages and notes, and for other acts as long as they aren't settled.
    pub mark: Option<Mark>,
    /// Why it was not sent: a code (too_long, stale, taken, closed, unknown …).
    pub refusal: Option<RefusalView>,
    /// The first row of a day: a divider stands above.
    pub new_day: bool,
    /// Follows the same author within 3 minutes: stands closer.
    pub joined: bool,
    /// The first unread when this window was opened: "new messages" stands above.
    pub first_unread: bool,
    /// An own message that was discarded too late: it was sent. Recalling it is offered until the user recalls or keeps it.
    pub too_late: bool,
}

/// Who wrote a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AuthorView {
    /// The customer.
    Customer,
    /// An agent.
    Agent,
    /// The gateway by its rules.
    Gateway,
}

/// Why an act was parked, and what the user can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RefusalView {
    /// A code for the UI's words: too_long, empty, malformed, stale, taken, closed, linked, reused, unknown, base,
    /// not_found, not_recallable, no_target, behind (something before it was refused), other.
    pub code: String,
    /// Who has it now, for `taken`.
    pub assignee: String,
    /// For `stale`: what others said meanwhile, in order, as far as it is here.
    pub said: Vec<SaidView>,
}

/// A message that overtook a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SaidView {
    /// Its place.
    #[ts(type = "number")]
    pub seq: u64,
    /// Public name of its author.
    pub author_name: String,
    /// Its text.
    pub text: String,
}

/// A window onto a timeline: rows `from` .. `from + rows.len()` of `total`. Row index = Seq − floor while settled; the
/// outbox follows after the last Seq.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TimelineView {
    /// Which conversation.
    pub conversation: String,
    /// Rows in all, from the floor to the outbox's end.
    #[ts(type = "number")]
    pub total: u64,
    /// Seq of row 0.
    #[ts(type = "number")]
    pub floor: u64,
    /// Index of the first row here.
    #[ts(type = "number")]
    pub from: u64,
    /// The rows.
    pub rows: Vec<TimelineRow>,
    /// Index of the first unread row when it was opened; `None`: all read.
    #[ts(type = "number | null")]
    pub first_unread: Option<u64>,
    /// Up to which Seq the customer has read, for the words under the last one; 0: nothing.
    #[ts(type = "number")]
    pub customer_read: u64,
    /// Only watched: kept in memory alone.
    pub watched: bool,
}

/// A change of an observed window. Applied in order to the last [`TimelineView`] it gives the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum TimelineDelta {
    /// The whole window anew (opened, moved far, resynced).
    Reset {
        /// The new window.
        view: TimelineView,
    },
    /// Rows are put in before `index` (an absolute one); what stood there moves behind them.
    Insert {
        /// Absolute index.
        #[ts(type = "number")]
        index: u64,
        /// The new rows.
        rows: Vec<TimelineRow>,
    },
    /// One row has another content, mark or place's meaning; its key may be new only if it was `Loading`.
    Update {
        /// Absolute index.
        #[ts(type = "number")]
        index: u64,
        /// The row as it is now.
        row: TimelineRow,
    },
    /// One row moves (an act got its Seq).
    Move {
        /// Absolute index where it stood.
        #[ts(type = "number")]
        from: u64,
        /// Absolute index where it stands now, counted after taking it out.
        #[ts(type = "number")]
        to: u64,
        /// The row as it is now.
        row: TimelineRow,
    },
    /// Rows are gone.
    Remove {
        /// Absolute index of the first.
        #[ts(type = "number")]
        index: u64,
        /// How many.
        #[ts(type = "number")]
        count: u64,
    },
    /// Only the ends or the read mark changed.
    Bounds {
        /// Rows in all.
        #[ts(type = "number")]
        total: u64,
        /// Seq of row 0.
        #[ts(type = "number")]
        floor: u64,
        /// Read by the customer up to this Seq.
        #[ts(type = "number")]
        customer_read: u64,
    },
}

/// Whether what is shown is everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SyncView {
    /// Proven by a heartbeat.
    UpToDate {
        /// Everything committed before this time is here, milliseconds UTC (gateway).
        #[ts(type = "number")]
        as_of_ms: u64,
    },
    /// Connected, fetching.
    CatchingUp {
        /// Entries missing, as far as known.
        #[ts(type = "number")]
        missing: u64,
        /// Entries fetched since it began.
        #[ts(type = "number")]
        fetched: u64,
        /// Conversations with something missing.
        conversations: u32,
    },
    /// No connection.
    Offline {
        /// Milliseconds UTC by this computer's clock; 0: never was connected.
        #[ts(type = "number")]
        since_ms: u64,
        /// When the next attempt begins, milliseconds UTC by this computer's clock; 0: under way.
        #[ts(type = "number")]
        retry_at_ms: u64,
        /// A code for why: network, tls, version, crowded, session, disabled, stopping, store.
        reason: String,
    },
}

/// The proof behind the mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProofView {
    /// The mark itself.
    pub sync: SyncView,
    /// Feeds by name: here and at the gateway.
    pub feeds: Vec<ProofFeed>,
    /// Conversations kept here.
    pub conversations: u32,
    /// Gaps in them.
    pub gaps: u32,
    /// Acts waiting for the gateway.
    pub waiting: u32,
    /// Acts parked.
    pub parked: u32,
    /// Smoothed round trip, milliseconds; `None`: not measured yet.
    #[ts(type = "number | null")]
    pub round_trip_ms: Option<u64>,
}

/// One feed of the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProofFeed {
    /// Team's name; empty: the agent's own feed.
    pub name: String,
    /// Revision here.
    #[ts(type = "number")]
    pub here: u64,
    /// Revision of the last heartbeat.
    #[ts(type = "number")]
    pub there: u64,
    /// They agree.
    pub agrees: bool,
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

/// What stands in a composer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct DraftView {
    /// Text of the reply.
    pub text: String,
    /// Text of the note.
    pub note: String,
    /// The composer stands on the note.
    pub on_note: bool,
}

/// What the engine tells a window, in order. The shell gathers those of one frame into one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum DeskEvent {
    /// Log-in state; `None`: logged out.
    Me {
        /// Who.
        me: Option<MeView>,
    },
    /// The mark.
    Sync {
        /// As it is now.
        sync: SyncView,
        /// Acts waiting for the gateway.
        waiting: u32,
        /// Acts parked.
        parked: u32,
        /// Smoothed round trip, milliseconds.
        #[ts(type = "number | null")]
        round_trip_ms: Option<u64>,
    },
    /// An observed list of the inbox, as a whole window (it is one screen high).
    Inbox {
        /// The window.
        view: InboxView,
    },
    /// How many each list holds.
    Counts {
        /// Those.
        counts: InboxCounts,
    },
    /// Head of an observed conversation (also when it is in none of the lists).
    Conversation {
        /// As its inbox row.
        row: InboxRow,
    },
    /// An observed timeline changed.
    Timeline {
        /// Which.
        conversation: String,
        /// In order.
        deltas: Vec<TimelineDelta>,
    },
    /// The customer types, or stopped.
    Typing {
        /// Where.
        conversation: String,
        /// They do.
        typing: bool,
    },
    /// The customer panel of an observed conversation changed.
    Customer {
        /// As it is now.
        panel: CustomerPanel,
    },
    /// A conversation was given to this agent, or an unseen customer wrote: for the shell's notification.
    Attention {
        /// Which.
        conversation: String,
        /// Their name.
        customer: String,
        /// New assignment (else: unseen message).
        assigned: bool,
        /// Unread messages.
        unread: u32,
    },
    /// A send could not be stored: the text goes back to the composer, before what was typed since.
    PutBack {
        /// Where.
        conversation: String,
        /// The text.
        text: String,
        /// It was a note.
        note: bool,
        /// A code for why: disk_full, store.
        reason: String,
    },
    /// A message was discarded too late: it was sent, and its row offers to recall it.
    TooLate {
        /// Where.
        conversation: String,
        /// Which.
        message: String,
        /// The customer's name.
        customer: String,
    },
    /// A draft was changed by another window or by putting back.
    Draft {
        /// Where.
        conversation: String,
        /// As it is now.
        draft: DraftView,
    },
    /// The session ended by the gateway: log in again. Outbox and drafts are kept.
    SessionEnded {
        /// A code: session, disabled, version.
        reason: String,
    },
    /// From the shell: the user wants to quit while acts are unsent. Ask, then call `quit` with force.
    QuitAsked {
        /// Acts waiting for the gateway.
        waiting: u32,
        /// Acts parked.
        parked: u32,
    },
    /// From the shell: these conversations stand in windows of their own now.
    Popped {
        /// All of them.
        conversations: Vec<String>,
    },
    /// From the shell: show this conversation (a notification or a second start asked for it).
    Show {
        /// Which.
        conversation: String,
    },
    /// The server was restored from a backup and lost acknowledged messages.
    ServerLost {
        /// How many.
        count: u32,
    },
}

/// Why a call failed: a code for the UI's words, never a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{code}")]
pub struct CallError {
    /// network, tls, not_a_gateway, version, credentials, locked, disabled, session, not_found, rate, crowded, store,
    /// disk_full, damaged, newer_database, in_use, passphrase_needed, passphrase_wrong, busy, invalid, too_long, empty,
    /// control.
    pub code: String,
    /// Milliseconds after which it may be tried again; 0: unknown.
    #[ts(type = "number")]
    pub retry_ms: u64,
}
