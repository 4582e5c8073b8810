//! Deltas replayed on the last view give the view computed afresh, whatever happens; and costs are flat.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod acts;
mod costs;
mod entries;
mod replaying;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use zuoxi_protocol::change::{OutboxAct, OutboxState, StoredEntry};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    ActKind, AssignmentContent, AssignmentReason, AuthorRole, Entry, EntryKind, MessageContent, NoteContent,
    ReasonContent, RecallContent, RefusalCode, message_content,
};

use super::{From, Me, Timeline, replay};
use crate::view::{TimelineDelta, TimelineView};

const ME: Id = Id([1; 16]);
const CUSTOMER: Id = Id([2; 16]);
const START_MS: u64 = 1_764_000_000_000;

fn me() -> Me {
    Me {
        id: ME,
        name: "小林".into(),
        customer: false,
    }
}

fn timeline() -> Timeline<u8> {
    // Beijing.
    Timeline::new(Id([9; 16]), me(), Arc::new(|_| 480))
}

fn id(number: u64) -> Id {
    Id::v7(START_MS, {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        random
    })
}

fn text(words: &str) -> Bytes {
    MessageContent {
        body: Some(message_content::Body::Text(words.into())),
        language: String::new(),
    }
    .encode_to_vec()
    .into()
}

fn stored(seq: u64, id: Id, kind: EntryKind, author: Id, time_ms: u64, content: Bytes) -> StoredEntry {
    let role = if author == ME {
        AuthorRole::Agent
    } else {
        AuthorRole::Customer
    };
    let entry = Entry {
        seq,
        id: id.to_bytes(),
        kind: kind.into(),
        time_ms,
        author_role: role.into(),
        author: author.to_bytes(),
        content,
        ..Entry::default()
    };
    StoredEntry {
        seq,
        id,
        author: Some(author),
        time_ms,
        bytes: entry.encode_to_vec().into(),
    }
}

/// Seq and id agree; kinds, authors and pauses vary by Seq.
fn entry(seq: u64) -> StoredEntry {
    let author = if seq.is_multiple_of(3) { ME } else { CUSTOMER };
    let time_ms = START_MS + seq * 61_000 + (seq / 10) * 9 * 3_600_000;
    match seq % 7 {
        5 if seq.is_multiple_of(2) => assignment(seq, time_ms),
        6 if !seq.is_multiple_of(2) => reason(seq, "too slow", time_ms),
        5 => {
            let content = NoteContent {
                text: format!("note {seq}"),
            }
            .encode_to_vec()
            .into();
            stored(seq, id(seq), EntryKind::Note, ME, time_ms, content)
        }
        6 => stored(seq, id(seq), EntryKind::Reopen, CUSTOMER, time_ms, Bytes::new()),
        _ => stored(
            seq,
            id(seq),
            EntryKind::Message,
            author,
            time_ms,
            text(&format!("words {seq}")),
        ),
    }
}

fn assignment(seq: u64, time_ms: u64) -> StoredEntry {
    let content = AssignmentContent {
        agent: ME.to_bytes(),
        agent_name: "小林".into(),
        team_name: "售后".into(),
        ..AssignmentContent::default()
    };
    stored(
        seq,
        id(seq),
        EntryKind::Assignment,
        CUSTOMER,
        time_ms,
        content.encode_to_vec().into(),
    )
}

fn reason(seq: u64, words: &str, time_ms: u64) -> StoredEntry {
    let content = ReasonContent {
        reason: AssignmentReason::Transfer.into(),
        text: words.into(),
        by_name: "王珊".into(),
        ..ReasonContent::default()
    };
    stored(
        seq,
        id(seq),
        EntryKind::Reason,
        CUSTOMER,
        time_ms,
        content.encode_to_vec().into(),
    )
}

fn recall(seq: u64, target: &StoredEntry) -> StoredEntry {
    let author = target.author.unwrap();
    let content = RecallContent {
        author: author.to_bytes(),
        id: target.id.to_bytes(),
    };
    stored(
        seq,
        id(10_000 + seq),
        EntryKind::Recall,
        author,
        target.time_ms,
        content.encode_to_vec().into(),
    )
}

fn act(place: u64, number: u64, state: OutboxState) -> OutboxAct {
    OutboxAct {
        place,
        id: id(number),
        conversation: Some(Id([9; 16])),
        kind: ActKind::Message,
        content: text(&format!("act {number}")),
        base: 0,
        done_ms: START_MS + place * 50_000,
        left: false,
        state,
    }
}

fn parked() -> OutboxState {
    refused(RefusalCode::Taken, vec![])
}

fn refused(code: RefusalCode, stale_seqs: Vec<u64>) -> OutboxState {
    OutboxState::Parked {
        code: code.into(),
        behind: false,
        stale_seqs,
        assignee_name: "周".into(),
    }
}

/// What each window was shown, by replaying.
struct Shown(BTreeMap<u8, TimelineView>);

impl Shown {
    fn follow(&mut self, timeline: &mut Timeline<u8>) {
        for (name, deltas) in timeline.take_deltas() {
            let view = self.0.get_mut(&name).expect("only windows are told");
            for delta in &deltas {
                if let TimelineDelta::Insert { index, rows } = delta {
                    assert!(*index >= view.from && *index <= view.from + view.rows.len() as u64);
                    assert!(!rows.is_empty());
                }
                replay(view, delta);
                let mut keys: Vec<&str> = view.rows.iter().map(|row| row.key.as_str()).collect();
                keys.sort_unstable();
                keys.dedup();
                assert_eq!(keys.len(), view.rows.len(), "a key stands twice after {delta:?}");
            }
        }
        for (name, view) in &self.0 {
            let shown = timeline.whole(name).unwrap();
            assert_eq!((view.from, &view.rows), (shown.from, &shown.rows));
            assert_eq!((view.total, view.floor), (shown.total, shown.floor));
            assert_eq!(view.customer_read, shown.customer_read);
        }
    }
}

fn observe(timeline: &mut Timeline<u8>, from: From, count: u64) -> TimelineView {
    timeline.observe(0, from, count)
}

fn deltas(timeline: &mut Timeline<u8>) -> Vec<TimelineDelta> {
    timeline
        .take_deltas()
        .pop()
        .map(|(_, deltas)| deltas)
        .unwrap_or_default()
}
