//! What a user interface asks of the hub, one variant for each call of the facade.

use tokio::sync::{mpsc, oneshot};
use zuoxi_wire::Id;

use crate::desk::{KnownAccount, Start, SystemEvent, Unsent, WindowId};
use crate::picture::Picture;
use crate::view::{
    CallError, CustomerPanel, DeskEvent, DraftView, InboxTab, PresenceView, ProofView, TransferTargets, TransferTo,
};

/// Where a call's answer goes. Whoever stops waiting drops the other end, which is no fault.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, CallError>>;

/// A log-in as it was typed.
pub(crate) struct LogInWith {
    pub(crate) gateway: String,
    pub(crate) name: String,
    pub(crate) password: zeroize::Zeroizing<String>,
    pub(crate) remember: bool,
}

/// One call.
pub(crate) enum Command {
    Attach(WindowId, Reply<mpsc::Receiver<Vec<DeskEvent>>>),
    Detach(WindowId),
    Start(Reply<Start>),
    Reach(String, Reply<u32>),
    LogIn(LogInWith, Reply<()>),
    LogOut {
        force: bool,
        reply: Reply<()>,
    },
    ChangePassword {
        old: zeroize::Zeroizing<String>,
        new: zeroize::Zeroizing<String>,
        reply: Reply<()>,
    },
    Unlock(zeroize::Zeroizing<String>, Reply<()>),
    SetAside(KnownAccount, Reply<()>),
    SetPresence(PresenceView, Reply<()>),
    ObserveInbox {
        window: WindowId,
        tab: InboxTab,
        from: u32,
        count: u32,
        reply: Reply<()>,
    },
    ObserveTimeline {
        window: WindowId,
        conversation: Id,
        from: i64,
        count: u32,
        reply: Reply<()>,
    },
    UnobserveTimeline {
        window: WindowId,
        conversation: Id,
        reply: Reply<()>,
    },
    FindTime {
        conversation: Id,
        time_ms: u64,
        reply: Reply<u64>,
    },
    NextWaiting {
        except: Vec<Id>,
        reply: Reply<Option<String>>,
    },
    Write {
        conversation: Id,
        id: Id,
        text: String,
        note: bool,
        reply: Reply<()>,
    },
    Recall {
        conversation: Id,
        message: Id,
        reply: Reply<()>,
    },
    Resend {
        conversation: Id,
        message: Id,
        reply: Reply<()>,
    },
    Discard {
        conversation: Id,
        message: Id,
        reply: Reply<()>,
    },
    Keep {
        conversation: Id,
        message: Id,
        reply: Reply<()>,
    },
    Take {
        conversation: Id,
        reply: Reply<()>,
    },
    Transfer {
        conversation: Id,
        to: TransferTo,
        reason: String,
        reply: Reply<()>,
    },
    Close {
        conversation: Id,
        reply: Reply<()>,
    },
    SetTags {
        conversation: Id,
        tags: Vec<String>,
        reply: Reply<()>,
    },
    MarkRead {
        conversation: Id,
        seq: u64,
        reply: Reply<()>,
    },
    Typing {
        conversation: Id,
        typing: bool,
        reply: Reply<()>,
    },
    SaveDraft {
        window: WindowId,
        conversation: Id,
        draft: DraftView,
        reply: Reply<()>,
    },
    ReadDraft {
        conversation: Id,
        reply: Reply<DraftView>,
    },
    ReadCustomer {
        conversation: Id,
        reply: Reply<CustomerPanel>,
    },
    TransferTargets(Reply<TransferTargets>),
    Picture {
        of: String,
        agent: Id,
        reply: Reply<Picture>,
    },
    Proof(Reply<ProofView>),
    CheckNow(Reply<()>),
    ReconnectNow(Reply<()>),
    Diagnostics(Reply<String>),
    Unsent(Reply<Unsent>),
    System(SystemEvent),
    Stop(Reply<()>),
}
