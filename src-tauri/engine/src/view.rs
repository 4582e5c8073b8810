//! What a user interface is told and what it may ask, as plain data. Everything here crosses to the webview: it is
//! exported to TypeScript (`ui/src/gen/view.ts`, checked for drift), so ids are text and times are milliseconds UTC.

mod call_error;
mod event;
mod inbox;
mod people;
mod sync;

pub use call_error::CallError;
pub use event::{DeskEvent, DraftView};
pub use inbox::{InboxCounts, InboxDelta, InboxRow, InboxSlot, InboxTab, InboxView, StatusView, Waiting};
pub use people::{
    AgentTarget, CustomerPanel, CustomerView, MeView, PastVisitView, PresenceView, TeamTarget, TransferTargets,
    TransferTo,
};
pub use sync::{ProofFeed, ProofView, SyncView};
pub use zuoxi_timeline::view::{
    AuthorView, Mark, ReasonView, RefusalView, RowBody, SaidView, TimelineDelta, TimelineRow, TimelineView,
};
