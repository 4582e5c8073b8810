//! The lists as sorting everything would give them, and what a row says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use zuoxi_wire::v1::{CustomerCard, Due, FeedKind, LastWords, Status};

use super::*;
use crate::view::{StatusView, Waiting};

const ME: Id = Id([1; 16]);
const OTHER: Id = Id([2; 16]);
const TEAM: Id = Id([3; 16]);

fn own() -> FeedKey {
    FeedKey {
        kind: FeedKind::Agent as i32,
        id: ME,
    }
}

fn team() -> FeedKey {
    FeedKey {
        kind: FeedKind::Team as i32,
        id: TEAM,
    }
}

fn summary(status: Status, assignee: Option<Id>, waiting_since_ms: u64, last_ms: u64) -> Summary {
    Summary {
        status: status.into(),
        team: TEAM.to_bytes(),
        assignee: assignee.map(Id::to_bytes).unwrap_or_default(),
        waiting_since_ms,
        moved_ms: last_ms,
        ..Summary::default()
    }
}

fn ids(view: &InboxView) -> Vec<String> {
    view.rows.iter().map(|row| row.conversation.clone()).collect()
}

fn conversation(number: u16) -> Id {
    let mut id = [0; 16];
    id[14..].copy_from_slice(&number.to_be_bytes());
    Id(id)
}

#[derive(Debug, Clone)]
struct Told {
    conversation: u16,
    status: Status,
    mine: bool,
    waiting: u64,
    last: u64,
    unread: u32,
    gone: bool,
}

fn told() -> impl Strategy<Value = Told> {
    let status = prop_oneof![1 => Just(Status::Queued), 3 => Just(Status::Open), 1 => Just(Status::Closed)];
    (
        0..1_500u16,
        status,
        any::<bool>(),
        0..6u64,
        1..40u64,
        0..3u32,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(conversation, status, mine, waiting, last, unread, gone)| Told {
            conversation,
            status,
            mine,
            waiting,
            last,
            unread,
            gone,
        })
}

/// The lists by sorting everything.
fn sorted(known: &BTreeMap<u16, Told>, tab: InboxTab) -> Vec<String> {
    let mut rows: Vec<&Told> = known
        .values()
        .filter(|told| match told.status {
            Status::Queued => tab == InboxTab::Queue,
            Status::Open if told.mine => tab == InboxTab::Mine,
            Status::Open => tab == InboxTab::Team,
            _ => tab == InboxTab::Closed,
        })
        .collect();
    rows.sort_by_key(|told| {
        let quiet = (1, u64::MAX - told.last);
        let order = match (tab, told.waiting) {
            (InboxTab::Queue, 0) => (0, told.last),
            (InboxTab::Closed, _) | (_, 0) => quiet,
            (_, since) => (0, since),
        };
        (order, told.conversation)
    });
    rows.iter()
        .map(|told| conversation(told.conversation).to_string())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn each_list_is_what_sorting_everything_gives(steps in prop::collection::vec(told(), 1..1_200), from in 0..600u32) {
        let mut inbox = Inbox::<u8>::new(ME);
        let mut known = BTreeMap::new();
        let tabs = [InboxTab::Mine, InboxTab::Queue, InboxTab::Team, InboxTab::Closed];
        let mut shown: Vec<InboxView> =
            (0u8..).zip(tabs).map(|(name, tab)| inbox.observe(name, tab, from, 30)).collect();
        for (index, step) in steps.iter().enumerate() {
            let assignee = (step.status == Status::Open).then_some(if step.mine { ME } else { OTHER });
            let mut summary = summary(step.status, assignee, step.waiting, step.last);
            summary.unread = step.unread;
            // What is this agent's, or closed, comes by the own feed; the rest by the team's.
            let by_own = step.status == Status::Closed || (step.status == Status::Open && step.mine);
            let (there, gone) = if by_own { (own(), team()) } else { (team(), own()) };
            inbox.set_row(gone, conversation(step.conversation), None);
            inbox.set_row(there, conversation(step.conversation), (!step.gone).then_some(summary));
            if step.gone {
                known.remove(&step.conversation);
            } else {
                known.insert(step.conversation, step.clone());
            }
            if index % 7 == 0 {
                for (name, view) in inbox.take_views() {
                    shown[usize::from(name)] = view;
                }
            }
        }
        for (name, view) in inbox.take_views() {
            shown[usize::from(name)] = view;
        }
        for (tab, view) in tabs.iter().zip(&shown) {
            let all = sorted(&known, *tab);
            prop_assert_eq!(view.total as usize, all.len());
            let start = (from as usize).min(all.len());
            let end = (start + 30).min(all.len());
            prop_assert_eq!(ids(view), all[start..end].to_vec());
            let waiting = all.len() - known.values().filter(|told| {
                let quiet = told.waiting == 0 && *tab != InboxTab::Queue;
                (quiet || *tab == InboxTab::Closed) && all.contains(&conversation(told.conversation).to_string())
            }).count();
            prop_assert_eq!(view.waiting_count as usize, waiting);
        }
        for told in known.values() {
            let row = inbox.row(conversation(told.conversation));
            prop_assert_eq!(row.map(|row| row.unread), Some(told.unread));
        }
        let waits = |told: &&Told| told.status == Status::Open && told.mine && told.waiting > 0;
        prop_assert_eq!(inbox.counts().waiting as usize, known.values().filter(waits).count());
        let next = known.values().filter(|told| told.status == Status::Open && told.mine && told.waiting > 0)
            .min_by_key(|told| (told.waiting, told.conversation)).map(|told| conversation(told.conversation));
        prop_assert_eq!(inbox.next_waiting(&[]), next);
    }
}

#[test]
fn a_row_says_draft_before_own_words_before_the_customers() {
    let mut inbox = Inbox::<u8>::new(ME);
    inbox.set_teams(&[Team {
        id: TEAM.to_bytes(),
        name: "售前".into(),
        first_response_ms: 60_000,
        next_response_ms: 120_000,
        ..Team::default()
    }]);
    inbox.set_clock_shift(5_000);
    let id = conversation(7);
    let mut open = summary(Status::Open, Some(ME), 90_000, 91_000);
    open.due = Due::Next.into();
    open.preview = "在吗".into();
    open.unread = 2;
    open.customer = Some(CustomerCard {
        id: conversation(11).to_bytes(),
        name: "访客 7K3F".into(),
        ..CustomerCard::default()
    });
    inbox.set_row(own(), id, Some(open.clone()));
    let row = inbox.row(id).unwrap();
    assert_eq!(
        (row.preview.as_str(), row.draft, row.mark, row.unread),
        ("在吗", false, None, 2)
    );
    assert_eq!(
        (row.status, row.mine, row.team.as_str(), row.customer.hue),
        (StatusView::Open, true, "售前", 4)
    );
    assert_eq!(
        row.waiting,
        Some(Waiting {
            since_ms: 85_000,
            first: false,
            target_ms: 120_000
        })
    );
    // This agent writes, sends, and the customer reads.
    inbox.set_draft(id, "在的，\n请稍等");
    let row = inbox.row(id).unwrap();
    assert_eq!((row.preview.as_str(), row.draft), ("在的， 请稍等", true));
    inbox.set_draft(id, "");
    let done = LastDone {
        text: "在的".into(),
        time_ms: 95_000,
        mark: Mark::Sending,
    };
    inbox.set_outbox(id, 1, Some(done));
    let row = inbox.row(id).unwrap();
    assert_eq!(
        (row.preview.as_str(), row.mark, row.not_sent),
        ("在的", Some(Mark::Sending), 1)
    );
    inbox.set_outbox(id, 0, None);
    open.preview.clear();
    open.waiting_since_ms = 0;
    open.last = Some(LastWords {
        author: ME.to_bytes(),
        text: "在的".into(),
        time_ms: 96_000,
        seq: 9,
        ..LastWords::default()
    });
    inbox.set_row(own(), id, Some(open));
    inbox.set_unread(id, Some(0));
    assert_eq!(inbox.row(id).unwrap().mark, Some(Mark::Sent));
    inbox.set_customer_at(id, 9, 8);
    assert_eq!(inbox.row(id).unwrap().mark, Some(Mark::Delivered));
    inbox.set_customer_at(id, 9, 9);
    let row = inbox.row(id).unwrap();
    assert_eq!((row.mark, row.waiting, row.unread), (Some(Mark::Read), None, 0));
}

#[test]
fn only_windows_that_show_the_change_are_told() {
    let mut inbox = Inbox::<u8>::new(ME);
    let open = |waiting| Some(summary(Status::Open, Some(ME), waiting, 100));
    for number in 1..=50 {
        inbox.set_row(own(), conversation(number), open(u64::from(number)));
    }
    inbox.observe(1, InboxTab::Mine, 0, 10);
    inbox.observe(2, InboxTab::Mine, 40, 10);
    inbox.observe(3, InboxTab::Queue, 0, 10);
    inbox.set_draft(conversation(3), "x");
    let told: Vec<u8> = inbox.take_views().into_iter().map(|(name, _)| name).collect();
    assert_eq!(told, [1]);
    inbox.set_draft(conversation(3), "x");
    assert_eq!(inbox.take_views(), [], "nothing is told twice");
    inbox.set_row(own(), conversation(60), open(60));
    let told: Vec<u8> = inbox.take_views().into_iter().map(|(name, _)| name).collect();
    assert_eq!(told, [1, 2], "both show how many there are");
    assert_eq!(
        inbox.next_waiting(&[conversation(1), conversation(2)]),
        Some(conversation(3))
    );
}

#[test]
fn a_closed_one_that_a_colleague_has_again_is_the_teams() {
    let mut inbox = Inbox::<u8>::new(ME);
    inbox.set_row(own(), conversation(1), Some(summary(Status::Closed, Some(ME), 0, 100)));
    assert_eq!(inbox.counts().closed, 1);
    inbox.set_row(
        team(),
        conversation(1),
        Some(summary(Status::Open, Some(OTHER), 150, 150)),
    );
    assert_eq!((inbox.counts().closed, inbox.counts().team), (0, 1));
    inbox.forget_feed(team());
    assert_eq!((inbox.counts().closed, inbox.counts().team), (1, 0));
}

#[test]
fn the_queues_longest_wait_is_told_by_this_computers_clock() {
    let mut inbox = Inbox::<u8>::new(ME);
    assert_eq!(inbox.counts().queue_since_ms, 0);
    inbox.set_clock_shift(500);
    inbox.set_row(
        team(),
        conversation(1),
        Some(summary(Status::Queued, None, 2_000, 2_000)),
    );
    inbox.set_row(
        team(),
        conversation(2),
        Some(summary(Status::Queued, None, 1_500, 1_500)),
    );
    assert_eq!(inbox.counts().queue_since_ms, 1_000);
}
