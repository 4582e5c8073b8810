//! What a session is told, and what it wants done.

use bytes::Bytes;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, AgentPassword, ClientFrame, GatewayFrame, Presence, Visit};

use crate::change::{Answer, Draft, Question, Range, Transaction};
use crate::notice::Notice;

/// Names a question of the user, so that its answer can be told. Chosen by the caller, used once.
pub type Ask = u64;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "lives for one call; the large one is the common one"
)]
pub enum Input {
    /// The WebSocket that [`Output::Connect`] asked for is open.
    Connected,
    /// It is closed, or could not be opened (also after [`Output::Close`]). What comes of it later is dropped by the
    /// caller.
    Disconnected(Broken),
    /// A frame came.
    Frame(GatewayFrame),
    /// The transaction is durable as asked, and so are all before it unless it
    /// [stands apart](Transaction::stands_apart).
    Committed {
        /// [`Transaction::token`].
        token: u64,
    },
    /// The transaction was not stored; those after it may still be.
    CommitFailed {
        /// [`Transaction::token`].
        token: u64,
        /// Why.
        why: StoreFailure,
    },
    /// Answer to [`Output::Read`].
    Read {
        /// As asked.
        ticket: u64,
        /// `None`: the store couldn't be read.
        answer: Option<Answer>,
    },
    /// The moment of [`Output::WakeAt`] has come, or any other.
    Tick,
    /// The system says that the network came or changed, or the computer woke up.
    NetworkChanged,
    /// The user (or who plays one) wants something.
    User(Command),
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Unreachable, refused, closed, timed out.
    Network,
    /// The certificate can't be believed.
    Tls,
    /// Something answered that is no gateway.
    NotAGateway,
}

/// Why a transaction was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFailure {
    /// The disk is full.
    Full,
    /// Anything else.
    Broken,
}

/// How a session proves who it is.
#[derive(Clone, PartialEq)]
pub enum Credential {
    /// An agent's name and password. Kept in memory until the gateway has answered.
    Password(AgentPassword),
    /// A customer without a name, by the brand's public key; makes a new visitor.
    Visitor {
        /// The brand's public key.
        brand: String,
    },
    /// A session token of an earlier log-in.
    Session(Bytes),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(…)",
            Self::Visitor { .. } => "Visitor(…)",
            Self::Session(_) => "Session(…)",
        })
    }
}

/// An act of the user, frozen from here on.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAct {
    /// UUIDv7, new.
    pub id: Id,
    /// `None`: a customer's own.
    pub conversation: Option<Id>,
    /// What it does; not `Void`.
    pub kind: ActKind,
    /// As encoded; checked by the caller against [`zuoxi_wire::content`].
    pub content: Bytes,
    /// The composer from now on, stored in the same transaction. `None`: it has nothing to do with the composer.
    pub draft: Option<Draft>,
}

/// What a user may want. What is impossible (an unknown id, nobody logged in) changes nothing, unless it says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Log in with this. `remember`: the session token is stored with the account.
    LogIn {
        /// By what.
        credential: Credential,
        /// Store the token as value `session`.
        remember: bool,
    },
    /// End the session here at once and at the gateway if it can be reached.
    LogOut,
    /// A new password; answered by [`Notice::Done`] or [`Notice::Failed`].
    ChangePassword {
        /// For the answer.
        ask: Ask,
        /// As typed.
        old: String,
        /// As typed.
        new: String,
    },
    /// Do something. [`Notice::ActTaken`] comes at once, [`Notice::ActStored`] once it is durable,
    /// [`Notice::ActNotStored`] if that failed.
    Act(NewAct),
    /// A parked act is done again as a new one at the end; the old one goes, in one transaction.
    Resend {
        /// The parked one.
        id: Id,
        /// UUIDv7, new.
        new_id: Id,
    },
    /// What is parked or lost goes without trace; what waits becomes a void.
    Discard {
        /// The act.
        id: Id,
    },
    /// What the server lost is sent again under its own id.
    SendAgain {
        /// The lost act.
        id: Id,
    },
    /// An act that was done at this place was lost with the session before this one, since it could not be stored
    /// ([`Output::Reload`]): close and transfer done after it wait for the user.
    ParkClosing {
        /// The lost act's; `None`: a customer's own.
        conversation: Option<Id>,
        /// Its place.
        after: u64,
    },
    /// The user has seen everything up to this Seq.
    MarkRead {
        /// Where.
        conversation: Id,
        /// In this device's log; what isn't here yet doesn't count.
        seq: u64,
    },
    /// The user types a message that everybody would see, or stopped. Sent at most every 3 s; nobody remembers it.
    Typing {
        /// Where; `None`: a customer's own.
        conversation: Option<Id>,
        /// Typing or not.
        typing: bool,
    },
    /// An agent's presence from now on.
    SetPresence(Presence),
    /// The page that a customer looks at.
    PageViewed(Visit),
    /// Read along in a conversation of somebody else, until [`Command::Unwatch`]; begun anew with each connection.
    Watch {
        /// Which.
        conversation: Id,
    },
    /// No longer.
    Unwatch {
        /// Which.
        conversation: Id,
    },
    /// Entries that a window needs and the store lacks. Answered by [`Notice::Entries`] (or
    /// [`Notice::WatchEntries`]) as they come, and by [`Notice::Done`] or [`Notice::Failed`] at the end.
    Want {
        /// For the answer.
        ask: Ask,
        /// Whose log.
        conversation: Id,
        /// At most 500 Seqs; more is cut at its end.
        range: Range,
        /// For later, not for what is on screen.
        background: bool,
    },
    /// Which Seq stands first at or after a time. Answered by [`Notice::FoundTime`].
    FindTime {
        /// For the answer.
        ask: Ask,
        /// Whose log.
        conversation: Id,
        /// Milliseconds UTC by the gateway's clock.
        time_ms: u64,
    },
    /// What the customer panel shows. Answered by [`Notice::Customer`].
    ReadCustomer {
        /// For the answer.
        ask: Ask,
        /// Whose.
        conversation: Id,
    },
    /// To whom could something be handed? Answered by [`Notice::Colleagues`].
    ReadColleagues {
        /// For the answer.
        ask: Ask,
    },
    /// Prove "up to date" now, not at the next heartbeat; reconnect now if there is no connection.
    CheckNow,
    /// What stands in a composer.
    SaveDraft {
        /// Where.
        conversation: Id,
        /// As it stands.
        draft: Draft,
    },
}

/// What the caller does next, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open a WebSocket to the gateway; [`Input::Connected`] or [`Input::Disconnected`] follows.
    Connect,
    /// Close it, after what was sent before has left. Only [`Input::Disconnected`] may follow, and needn't.
    Close,
    /// Send this frame.
    Send(ClientFrame),
    /// Commit this; [`Input::Committed`] or [`Input::CommitFailed`] follows. In order, but what
    /// [stands apart](Transaction::stands_apart) may go first.
    Commit(Transaction),
    /// Read this from the store, after the transactions given so far; [`Input::Read`] follows.
    Read {
        /// Comes back with the answer.
        ticket: u64,
        /// What.
        question: Question,
    },
    /// Call with [`Input::Tick`] at this time (milliseconds, by the clock of `now_ms`); replaces what was said before.
    WakeAt(u64),
    /// A commit failed and memory is ahead of the store: drop this session, load anew from the store, go on with
    /// [`crate::Session::load`]. Nothing else comes out from now on.
    Reload,
    /// Tell who looks.
    Notice(Notice),
}
