//! `ui/src/gen/view.ts` is what `zuoxi_engine::view` says. `ZUOXI_GENERATE=1` writes it (see `cargo xtask generate`).
#![allow(clippy::expect_used, missing_docs)]

use ts_rs::{Config, TS};
use zuoxi_engine::view::*;

macro_rules! declarations {
    ($($type:ty),+ $(,)?) => {
        [$({
            let config = Config::default();
            let docs = <$type as TS>::docs().unwrap_or_default();
            format!("{docs}export {}\n", <$type as TS>::decl(&config))
        }),+].join("\n")
    };
}

#[test]
fn the_uis_types_are_those_of_the_engine() {
    let text = format!(
        "// Generated from src-tauri/engine/src/view.rs by `cargo xtask generate`. Don't edit.\n\n{}",
        declarations!(
            InboxTab,
            StatusView,
            Waiting,
            CustomerView,
            Mark,
            InboxRow,
            InboxView,
            InboxSlot,
            InboxDelta,
            InboxCounts,
            RowBody,
            ReasonView,
            AuthorView,
            RefusalView,
            SaidView,
            TimelineRow,
            TimelineView,
            TimelineDelta,
            SyncView,
            ProofFeed,
            ProofView,
            PresenceView,
            MeView,
            PastVisitView,
            CustomerPanel,
            TeamTarget,
            AgentTarget,
            TransferTargets,
            TransferTo,
            DraftView,
            DeskEvent,
            CallError,
        )
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/src/gen/view.ts");
    if std::env::var_os("ZUOXI_GENERATE").is_some() {
        std::fs::write(path, &text).expect("ui/src/gen can be written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == text,
        "ui/src/gen/view.ts is out of date: run `cargo xtask generate`"
    );
}
