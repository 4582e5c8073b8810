//! Whatever is replaced, dropped, forgotten or asked for anew on the way: a window that puts its list together from what
//! it is told ends with the list as it is.

use proptest::prelude::*;
use tokio::sync::mpsc;
use zuoxi_protocol::change::FeedKey;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{FeedKind, Status, Summary};

use super::*;
use crate::desk::WindowId;
use crate::hub::pending::weight;
use crate::hub::windows::{FRAME_MS, ObservedInbox, Windows};
use crate::inbox::Inbox;
use crate::view::InboxTab;

const ME: Id = Id([1; 16]);
const TABS: [InboxTab; 2] = [InboxTab::Mine, InboxTab::Closed];

fn main_window() -> WindowId {
    WindowId("main".into())
}

/// The engine's side of one window, and the window.
struct Desk {
    inbox: Inbox<WindowId>,
    windows: Windows,
    events: mpsc::Receiver<Vec<DeskEvent>>,
    now_ms: u64,
    shown: Option<InboxView>,
    /// Rows that came whole, and rows that were kept.
    came: usize,
    kept: usize,
}

impl Desk {
    fn new() -> Self {
        let mut windows = Windows::default();
        let events = windows.attach(main_window());
        Self {
            inbox: Inbox::new(ME),
            windows,
            events,
            now_ms: 0,
            shown: None,
            came: 0,
            kept: 0,
        }
    }

    fn set(&mut self, conversation: u8, closed: bool, waiting: u64, unread: u32) {
        let feed = FeedKey {
            kind: FeedKind::Agent as i32,
            id: ME,
        };
        let summary = Summary {
            status: if closed { Status::Closed } else { Status::Open }.into(),
            assignee: ME.to_bytes(),
            waiting_since_ms: waiting,
            moved_ms: 1 + u64::from(conversation % 8),
            unread,
            ..Summary::default()
        };
        self.inbox.set_row(feed, Id([conversation; 16]), Some(summary));
    }

    fn leave(&mut self, conversation: u8) {
        let feed = FeedKey {
            kind: FeedKind::Agent as i32,
            id: ME,
        };
        self.inbox.set_row(feed, Id([conversation; 16]), None);
    }

    fn observe(&mut self, observed: ObservedInbox) {
        self.windows.observe_inbox(&main_window(), observed);
        self.tell_anew();
    }

    fn tell_anew(&mut self) {
        if let Some(ObservedInbox { tab, from, count }) = self.windows.inbox(&main_window()) {
            let view = self.inbox.observe(main_window(), tab, from, count);
            self.windows.tell_inbox(&main_window(), view);
        }
    }

    /// As the hub settles: what changed is told, and handed out if there is place.
    fn settle(&mut self) {
        for window in self.windows.take_behind() {
            assert_eq!(window, main_window());
            self.tell_anew();
        }
        for (window, view) in self.inbox.take_views() {
            self.windows.tell_inbox(&window, view);
        }
        self.now_ms += FRAME_MS;
        self.windows.flush(self.now_ms, false);
    }

    /// The window takes batches, at most so many.
    fn hear(&mut self, batches: usize) {
        for _ in 0..batches {
            let Ok(batch) = self.events.try_recv() else { return };
            for event in batch {
                match event {
                    DeskEvent::Me { me: None } | DeskEvent::SessionEnded { .. } => self.shown = None,
                    DeskEvent::Inbox { delta } => {
                        for slot in &delta.rows {
                            match slot {
                                InboxSlot::Kept(_) => self.kept += 1,
                                InboxSlot::Row(_) => self.came += 1,
                            }
                        }
                        self.shown = Some(delta.onto(self.shown.as_ref()).expect("a row that the window has"));
                    }
                    _ => {}
                }
            }
        }
    }

    fn hear_all(&mut self) {
        for _ in 0..8 {
            self.settle();
            self.hear(usize::MAX);
        }
    }

    /// What somebody is told who observes the same and was told nothing before.
    fn fresh(&mut self) -> Option<InboxView> {
        let ObservedInbox { tab, from, count } = self.windows.inbox(&main_window())?;
        Some(self.inbox.observe(WindowId("fresh".into()), tab, from, count))
    }
}

fn ended() -> DeskEvent {
    DeskEvent::SessionEnded {
        reason: "session".into(),
    }
}

#[derive(Debug, Clone)]
enum Step {
    Set {
        conversation: u8,
        closed: bool,
        waiting: u64,
        unread: u32,
    },
    Leave(u8),
    Observe {
        tab: usize,
        from: u32,
        count: u32,
    },
    /// The window has lost its list.
    Lost,
    /// The page was loaded anew.
    Attach,
    Nobody,
    Ended,
    /// Another account.
    Clear,
    /// So much else that the window is told all anew.
    Flood,
    Settle,
    Hear(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..40u8, prop::bool::weighted(0.2), 0..4u64, 0..3u32).prop_map(|(conversation, closed, waiting, unread)| {
            Step::Set { conversation, closed, waiting, unread }
        }),
        2 => (0..40u8).prop_map(Step::Leave),
        3 => (0..2usize, 0..20u32, 0..24u32).prop_map(|(tab, from, count)| Step::Observe { tab, from, count }),
        1 => Just(Step::Lost),
        1 => Just(Step::Attach),
        1 => Just(Step::Nobody),
        1 => Just(Step::Ended),
        1 => Just(Step::Clear),
        1 => Just(Step::Flood),
        12 => Just(Step::Settle),
        6 => (1..4usize).prop_map(Step::Hear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_window_told_by_what_changed_has_what_a_fresh_one_gets(steps in prop::collection::vec(step(), 1..300)) {
        let mut desk = Desk::new();
        for step in steps {
            match step {
                Step::Set { conversation, closed, waiting, unread } => desk.set(conversation, closed, waiting, unread),
                Step::Leave(conversation) => desk.leave(conversation),
                Step::Observe { tab, from, count } => {
                    desk.observe(ObservedInbox { tab: TABS[tab], from, count });
                }
                Step::Lost => {
                    // What is under way to the window speaks of what it has lost: a real one finds that out, and asks again.
                    desk.hear(usize::MAX);
                    desk.shown = None;
                    if let Some(observed) = desk.windows.inbox(&main_window()) {
                        desk.observe(observed);
                    }
                }
                Step::Attach => {
                    desk.events = desk.windows.attach(main_window());
                    desk.inbox.unobserve(&main_window());
                    desk.shown = None;
                }
                Step::Nobody => desk.windows.tell(&main_window(), DeskEvent::Me { me: None }),
                Step::Ended => desk.windows.tell(&main_window(), ended()),
                Step::Clear => {
                    desk.windows.clear();
                    desk.inbox = Inbox::new(ME);
                }
                Step::Flood => {
                    for _ in 0..2_000 {
                        let put_back = DeskEvent::PutBack {
                            conversation: String::new(),
                            text: "x".repeat(600),
                            note: false,
                            reason: "store".into(),
                        };
                        desk.windows.tell(&main_window(), put_back);
                    }
                }
                Step::Settle => desk.settle(),
                Step::Hear(batches) => desk.hear(batches),
            }
        }
        desk.hear_all();
        // Who forgot at the very end asks again, as at the next log-in.
        if desk.shown.is_none() && let Some(observed) = desk.windows.inbox(&main_window()) {
            desk.observe(observed);
            desk.hear_all();
        }
        if let Some(fresh) = desk.fresh() {
            prop_assert_eq!(desk.shown.as_ref(), Some(&fresh));
        }
    }
}

#[test]
fn one_changed_row_of_forty_comes_alone_and_so_does_its_new_place() {
    let mut desk = Desk::new();
    for conversation in 0..40 {
        desk.set(conversation, false, 0, 0);
    }
    let observed = ObservedInbox {
        tab: InboxTab::Mine,
        from: 0,
        count: 40,
    };
    desk.observe(observed);
    desk.hear_all();
    assert_eq!((desk.came, desk.kept), (40, 0));
    // It says something else.
    desk.set(7, false, 0, 3);
    desk.hear_all();
    assert_eq!((desk.came, desk.kept), (41, 39));
    // It goes to the top: the others only stand elsewhere.
    desk.set(7, false, 5, 3);
    desk.hear_all();
    assert_eq!((desk.came, desk.kept), (42, 78));
    // Four rows further down, by a window of twenty.
    desk.observe(ObservedInbox { count: 20, ..observed });
    desk.observe(ObservedInbox {
        from: 4,
        count: 20,
        ..observed
    });
    desk.hear_all();
    assert_eq!((desk.came, desk.kept), (42, 98));
    // Asked for once more, it all comes.
    desk.observe(ObservedInbox {
        from: 4,
        count: 20,
        ..observed
    });
    desk.hear_all();
    assert_eq!((desk.came, desk.kept), (62, 98));
}

#[test]
fn what_a_batch_takes_of_a_list_is_what_goes_out_of_it() {
    let mut desk = Desk::new();
    for conversation in 0..40 {
        desk.set(conversation, false, 0, 0);
    }
    let view = desk.inbox.observe(main_window(), InboxTab::Mine, 0, 40);
    let mut handed = Handed::default();
    let whole = handed.weight(&Pending::Inbox(view.clone()));
    assert_eq!(whole, weight(&handed.hand(Pending::Inbox(view.clone()))));
    let kept = handed.weight(&Pending::Inbox(view.clone()));
    assert_eq!(kept, weight(&handed.hand(Pending::Inbox(view.clone()))));
    assert!(kept * 20 < whole, "{kept} of {whole}");
    handed.hand(Pending::Event(ended()));
    assert_eq!(whole, handed.weight(&Pending::Inbox(view)));
}

#[test]
fn in_json_a_kept_row_is_its_index() {
    let delta = InboxDelta {
        tab: InboxTab::Mine,
        waiting_count: 0,
        total: 1,
        from: 0,
        rows: vec![InboxSlot::Kept(7)],
    };
    let event = DeskEvent::Inbox { delta };
    let json = serde_json::to_value(&event).unwrap();
    assert_eq!(json["delta"]["rows"], serde_json::json!([7]));
    assert_eq!(serde_json::from_value::<DeskEvent>(json).unwrap(), event);
}
