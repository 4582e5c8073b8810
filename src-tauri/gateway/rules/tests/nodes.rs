//! Two gateways over one store: a customer is connected to one, their agent to the other, and nobody notices.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use std::mem;

use bytes::Bytes;
use story::{AMY, BEN, Device, START, Story, entries, texts, to_agent, to_team};
use zuoxi_rules::bus::{Hub, WAITING};
use zuoxi_rules::memory::CommitFault;
use zuoxi_rules::{Config, Event, MemoryStore, Store as _};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    self, ActKind, CustomerState, Presence, RefusalCode, Status, client_frame::Kind as Ask, customer_state::Stage,
    gateway_frame::Kind,
};

const NORTH: usize = 0;
const SOUTH: usize = 1;

/// The nodes; the store is with the one that works.
struct Nodes {
    stories: Vec<Story>,
    works: usize,
    hub: Hub,
    now: u64,
}

impl Nodes {
    fn new() -> Self {
        let hub = Hub::default();
        let first = Story::new();
        let config = first.config.clone();
        let north = Story::over(first.store, config, &hub, 0);
        let mut nodes = Self {
            stories: vec![north],
            works: 0,
            hub,
            now: START,
        };
        nodes.another();
        nodes
    }

    /// One more node joins.
    fn another(&mut self) -> usize {
        let number = self.stories.len();
        let store = mem::replace(&mut self.stories[self.works].store, MemoryStore::new(0));
        let config = Config::clone(&self.stories[0].config);
        let mut story = Story::over(store, config, &self.hub, number as u8);
        story.now = self.now;
        self.stories.push(story);
        self.works = number;
        number
    }

    /// A node, which has heard what the others told.
    fn at(&mut self, number: usize) -> &mut Story {
        self.now = self.now.max(self.stories[self.works].now);
        let store = mem::replace(&mut self.stories[self.works].store, MemoryStore::new(0));
        self.works = number;
        let node = &mut self.stories[number];
        (node.store, node.now) = (store, self.now);
        node.run(vec![Event::Tick]);
        node
    }

    /// All have heard all.
    fn settle(&mut self) {
        for number in [0, 1, 0, 1] {
            self.at(number);
        }
    }

    fn dies(&mut self, number: usize) {
        let other = usize::from(number == 0);
        self.at(other);
        let empty = Story::over(
            MemoryStore::new(0),
            self.stories[number].config.clone(),
            &Hub::default(),
            9,
        );
        drop(mem::replace(&mut self.stories[number], empty));
    }
}

/// Amy at one node serves a customer of the other.
fn served() -> (Nodes, Device, Device, Id) {
    let mut nodes = Nodes::new();
    let amy = nodes.at(SOUTH).agent("amy");
    let (customer, talk) = nodes.at(NORTH).customer_who_writes("hi");
    (nodes, amy, customer, talk)
}

fn watch(story: &mut Story, device: Device, talk: Id) {
    let ask = Ask::Watch(v1::Watch {
        conversation: talk.to_bytes(),
    });
    assert!(matches!(story.ask(device, ask), Kind::WatchPage(_)));
    story.drain(device);
}

fn presence(story: &mut Story, device: Device, presence: Presence) {
    let presence = presence.into();
    let said = story.ask(device, Ask::SetPresence(v1::SetPresence { presence }));
    assert!(matches!(said, Kind::Done(_)));
}

/// A device that acknowledges nothing is dropped after a while.
fn acknowledge(story: &mut Story, device: Device) -> Vec<v1::Push> {
    let pushes = story.pushes(device);
    if let Some(last) = pushes.last() {
        story.acknowledge(device, last.number, &[]);
    }
    pushes
}

fn states(story: &mut Story, device: Device) -> Vec<CustomerState> {
    let kinds = story.drain(device).into_iter();
    kinds
        .filter_map(|kind| match kind {
            Kind::CustomerState(state) => Some(state),
            _ => None,
        })
        .collect()
}

fn seen(story: &mut Story, device: Device, member: Id) -> Vec<Presence> {
    let kinds = story.drain(device).into_iter();
    let moves = kinds.filter_map(|kind| match kind {
        Kind::PresenceMoves(moves) => Some(moves.moves),
        _ => None,
    });
    let of = moves.flatten().filter(|moved| moved.member == member.to_bytes());
    of.map(|moved| moved.presence()).collect()
}

#[test]
fn a_customer_of_one_node_is_served_by_an_agent_of_another() {
    let mut nodes = Nodes::new();
    let amy = nodes.at(SOUTH).agent("amy");
    let (customer, talk) = nodes.at(NORTH).customer_who_writes("hello?");
    assert_eq!(nodes.at(NORTH).row(talk).assignee(), Some(AMY));
    assert_eq!(states(nodes.at(NORTH), customer).pop().unwrap().stage(), Stage::Served);
    let pushes = nodes.at(SOUTH).pushes(amy);
    assert_eq!(texts(&pushes), ["hello?"]);
    // What a device relies on: every Seq, and the feed's every revision.
    let own: Vec<_> = pushes.iter().filter(|push| push.entry.is_some()).collect();
    assert_eq!(
        entries(&pushes).iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(own.windows(2).all(|two| two[0].revision + 1 == two[1].revision));
    assert!(
        own.iter()
            .all(|push| push.summary.as_ref().unwrap().customer.as_ref().unwrap().online)
    );

    nodes.at(SOUTH).answers(amy, talk, "hello!").unwrap();
    assert!(
        texts(&nodes.at(SOUTH).pushes(amy)).is_empty(),
        "it came with the answer"
    );
    assert_eq!(texts(&nodes.at(NORTH).pushes(customer)), ["hello!"]);
    nodes.at(NORTH).writes(customer, "thanks");
    assert_eq!(texts(&nodes.at(SOUTH).pushes(amy)), ["thanks"]);
}

#[test]
fn a_second_device_at_another_node_gets_what_the_first_one_sent_in_full() {
    let mut nodes = Nodes::new();
    let here = nodes.at(NORTH).agent("amy");
    let there = nodes.at(SOUTH).agent("amy");
    let (_, talk) = nodes.at(NORTH).customer_who_writes("hi");
    nodes.at(SOUTH).pushes(there);
    nodes.at(NORTH).answers(here, talk, "words").unwrap();
    assert_eq!(texts(&nodes.at(SOUTH).pushes(there)), ["words"]);
}

#[test]
fn a_note_written_at_another_node_never_reaches_the_customer() {
    let mut nodes = Nodes::new();
    let amy = nodes.at(SOUTH).agent("amy");
    let lea = nodes.at(NORTH).agent("lea");
    let (customer, talk) = nodes.at(NORTH).customer_who_writes("hi");
    watch(nodes.at(NORTH), lea, talk);
    nodes.at(NORTH).drain(customer);
    nodes.at(SOUTH).notes(amy, talk, "rude").unwrap();
    let told = nodes.at(NORTH).drain(customer);
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(entries(&nodes.at(NORTH).pushes(lea)).len(), 1);
}

#[test]
fn a_watch_ends_when_the_conversation_is_handed_away_at_another_node() {
    let (mut nodes, amy, customer, talk) = served();
    let ben = nodes.at(NORTH).agent("ben");
    watch(nodes.at(NORTH), ben, talk);
    let _zoe = nodes.at(SOUTH).agent("zoe");
    nodes.at(SOUTH).hands_to(amy, talk, to_team(story::CELLAR)).unwrap();
    nodes.at(NORTH).writes(customer, "not for ben");
    assert!(texts(&nodes.at(NORTH).pushes(ben)).is_empty());
}

#[test]
fn who_waits_at_one_node_is_handed_to_whoever_comes_at_another() {
    let mut nodes = Nodes::new();
    let (first, one) = nodes.at(NORTH).customer_who_writes("1");
    nodes.at(NORTH).wait(10);
    let (second, two) = nodes.at(NORTH).customer_who_writes("2");
    let waits = states(nodes.at(NORTH), second).pop().unwrap();
    assert_eq!((waits.stage(), waits.ahead), (Stage::NobodyOnline, 1));
    let amy = nodes.at(SOUTH).agent("amy");
    assert_eq!(nodes.at(SOUTH).row(one).assignee(), Some(AMY));
    assert_eq!(nodes.at(SOUTH).row(two).assignee(), Some(AMY));
    assert_eq!(states(nodes.at(NORTH), first).pop().unwrap().agent_name, "Amy");
    assert_eq!(nodes.at(NORTH).row(two).status, Status::Open);
    // And room that comes about at one node is room at the other.
    let (_, three) = nodes.at(NORTH).customer_who_writes("3");
    let (_, four) = nodes.at(NORTH).customer_who_writes("4");
    assert_eq!(nodes.at(NORTH).row(four).status, Status::Queued);
    nodes.at(SOUTH).closes(amy, Some(three)).unwrap();
    nodes.settle();
    assert_eq!(nodes.at(NORTH).row(four).assignee(), Some(AMY));
    let row = nodes.at(SOUTH).pushes(amy).pop().unwrap();
    assert_eq!(row.conversation, four.to_bytes());
}

#[test]
fn two_agents_of_two_nodes_take_one_conversation_and_one_is_told_who_has_it() {
    let mut nodes = Nodes::new();
    let (amy, ben) = (nodes.at(NORTH).agent("amy"), nodes.at(SOUTH).agent("ben"));
    presence(nodes.at(NORTH), amy, Presence::Busy);
    presence(nodes.at(SOUTH), ben, Presence::Busy);
    let (_, talk) = nodes.at(NORTH).customer_who_writes("hi");
    assert_eq!(
        nodes.at(NORTH).row(talk).status,
        Status::Queued,
        "who is busy elsewhere gets nothing"
    );
    let take = |story: &mut Story, agent| story.does(agent, Some(talk), ActKind::Take, Bytes::new());
    take(nodes.at(NORTH), amy).unwrap();
    let refused = take(nodes.at(SOUTH), ben).unwrap_err();
    assert_eq!(
        (refused.code(), refused.assignee_name.as_str()),
        (RefusalCode::Taken, "Amy")
    );
}

#[test]
fn an_agent_of_another_node_is_there_for_colleagues_and_transfers_and_keeps_what_they_have() {
    let mut nodes = Nodes::new();
    let amy = nodes.at(NORTH).agent("amy");
    let (_, talk) = nodes.at(NORTH).customer_who_writes("hi");
    let ben = nodes.at(SOUTH).agent("ben");
    assert_eq!(seen(nodes.at(NORTH), amy, BEN), [Presence::Online]);
    nodes.at(NORTH).hands_to(amy, talk, to_agent(BEN)).unwrap();
    assert_eq!(nodes.at(SOUTH).row(talk).assignee(), Some(BEN));
    acknowledge(nodes.at(SOUTH), ben);
    // A node that starts later asks who is there: nobody's grace time begins.
    let third = nodes.another();
    nodes.settle();
    nodes.at(third).wait(300_000);
    assert_eq!(nodes.at(third).row(talk).assignee(), Some(BEN));
    nodes.at(SOUTH).answers(ben, talk, "I am here").unwrap();
}

#[test]
fn who_was_connected_to_a_node_that_died_is_away() {
    let mut nodes = Nodes::new();
    let ben = nodes.at(NORTH).agent("ben");
    let _amy = nodes.at(SOUTH).agent("amy");
    presence(nodes.at(NORTH), ben, Presence::Busy);
    let (_, talk) = nodes.at(SOUTH).customer_who_writes("hi");
    assert_eq!(nodes.at(SOUTH).row(talk).assignee(), Some(AMY));
    acknowledge(nodes.at(NORTH), ben);
    nodes.dies(SOUTH);
    assert_eq!(seen(nodes.at(NORTH), ben, AMY), [Presence::Offline]);
    presence(nodes.at(NORTH), ben, Presence::Online);
    acknowledge(nodes.at(NORTH), ben);
    nodes.at(NORTH).wait(200_000);
    assert_eq!(nodes.at(NORTH).row(talk).assignee(), Some(BEN));
    let row = nodes.at(NORTH).pushes(ben);
    let card = row.iter().rev().find_map(|push| push.summary.clone()?.customer);
    assert!(!card.unwrap().online, "the customer's page was connected to that node");
}

#[test]
fn typing_reaches_the_other_node() {
    let (mut nodes, amy, customer, talk) = served();
    let typing = Ask::Signal(v1::Signal {
        conversation: talk.to_bytes(),
        kind: Some(v1::signal::Kind::Typing(true)),
        ..Default::default()
    });
    nodes.at(SOUTH).drain(amy);
    nodes.at(NORTH).frame(customer, typing.clone());
    assert!(matches!(nodes.at(SOUTH).drain(amy)[..], [Kind::Signal(_)]));
    nodes.at(NORTH).drain(customer);
    nodes.at(SOUTH).frame(amy, typing);
    assert!(matches!(nodes.at(NORTH).drain(customer)[..], [Kind::Signal(_)]));
}

#[test]
fn a_session_that_is_logged_out_ends_at_all_nodes() {
    let mut nodes = Nodes::new();
    let here = nodes.at(NORTH).connect();
    let session = nodes
        .at(NORTH)
        .try_log_in(here, Story::password("amy", "amy"))
        .unwrap()
        .session;
    let (there, _) = nodes.at(SOUTH).resume(&session);
    nodes.at(NORTH).ask(here, Ask::LogOut(v1::LogOut {}));
    nodes.settle();
    assert!(nodes.at(SOUTH).closed.contains(&there));
}

#[test]
fn a_new_password_ends_the_sessions_at_all_nodes_but_the_one_that_set_it() {
    let mut nodes = Nodes::new();
    let here = nodes.at(NORTH).connect();
    let session = nodes
        .at(NORTH)
        .try_log_in(here, Story::password("amy", "amy"))
        .unwrap()
        .session;
    let there = nodes.at(SOUTH).agent("amy");
    let change = Ask::ChangePassword(v1::ChangePassword {
        old: "amy".into(),
        new: "a longer password".into(),
    });
    assert!(matches!(nodes.at(NORTH).ask(here, change), Kind::Done(_)));
    let told = nodes.at(SOUTH).drain(there);
    assert!(told.iter().any(|kind| matches!(kind, Kind::GoingAway(_))), "{told:?}");
    let device = nodes.at(SOUTH).connect();
    let old = nodes.at(SOUTH).try_log_in(device, Story::password("amy", "amy"));
    assert!(old.is_err());
    nodes.at(NORTH).run(vec![Event::FactsChanged]);
    assert!(!nodes.at(NORTH).closed.contains(&here));
    nodes.at(NORTH).hang_up(here);
    assert!(nodes.at(SOUTH).resume(&session).1.is_ok());
}

#[test]
fn what_was_stored_by_a_commit_that_failed_is_found_by_the_other_node() {
    let mut nodes = Nodes::new();
    let amy = nodes.at(SOUTH).agent("amy");
    presence(nodes.at(SOUTH), amy, Presence::Busy);
    let customer = nodes.at(NORTH).customer();
    let north = nodes.at(NORTH);
    let act = north.act(customer, None, ActKind::Message, story::words("hi"));
    north.store.fail_commit_after(0, CommitFault::Stored);
    assert!(north.send(customer, act).is_err());
    let talk = north.store.active_conversations().unwrap()[0].id;
    acknowledge(nodes.at(SOUTH), amy);
    presence(nodes.at(SOUTH), amy, Presence::Online);
    assert_eq!(nodes.at(SOUTH).row(talk).assignee(), Some(AMY));
}

#[test]
fn a_conversation_in_which_both_nodes_write_closes_when_it_is_idle_and_no_sooner() {
    let (mut nodes, amy, customer, talk) = served();
    for _ in 0..3 {
        acknowledge(nodes.at(SOUTH), amy);
        acknowledge(nodes.at(NORTH), customer);
        nodes.at(SOUTH).wait(1_000_000);
        nodes.at(SOUTH).answers(amy, talk, "still there?").unwrap();
        acknowledge(nodes.at(SOUTH), amy);
        acknowledge(nodes.at(NORTH), customer);
        nodes.at(NORTH).wait(1_000_000);
        nodes.at(NORTH).writes(customer, "yes");
        assert_eq!(nodes.at(NORTH).row(talk).status, Status::Open);
    }
    acknowledge(nodes.at(SOUTH), amy);
    nodes.at(NORTH).hang_up(customer);
    nodes.at(NORTH).wait(1_900_000);
    assert_eq!(nodes.at(NORTH).row(talk).status, Status::Closed);
    let south = nodes.at(SOUTH);
    let Kind::Colleagues(colleagues) = south.ask(amy, Ask::ReadColleagues(v1::ReadColleagues {})) else {
        panic!()
    };
    let open: Vec<u32> = colleagues.agents.iter().map(|agent| agent.open).collect();
    assert_eq!(open, [0; 4]);
}

#[test]
fn a_customer_who_closes_one_page_of_two_is_still_there() {
    let mut nodes = Nodes::new();
    let amy = nodes.at(SOUTH).agent("amy");
    let (page, welcome) = nodes.at(NORTH).customer_welcome();
    nodes.at(NORTH).writes(page, "hi");
    let who = Id::try_from(&welcome.me.unwrap().id).unwrap();
    let (other, _) = nodes.at(SOUTH).resume(&welcome.session);
    nodes.settle();
    nodes.at(SOUTH).drain(amy);
    nodes.at(SOUTH).hang_up(other);
    nodes.settle();
    assert!(!seen(nodes.at(SOUTH), amy, who).contains(&Presence::Offline));
    nodes.at(NORTH).hang_up(page);
    nodes.settle();
    assert_eq!(seen(nodes.at(SOUTH), amy, who).last(), Some(&Presence::Offline));
}

#[test]
fn a_node_that_joins_while_another_does_not_listen_takes_nobodys_conversations() {
    let (mut nodes, amy, customer, talk) = served();
    acknowledge(nodes.at(SOUTH), amy);
    let third = nodes.another();
    let north = nodes.at(NORTH);
    for n in 0..=WAITING {
        north.writes(customer, &n.to_string());
    }
    nodes.settle();
    acknowledge(nodes.at(SOUTH), amy);
    nodes.at(third).wait(300_000);
    assert_eq!(nodes.at(third).row(talk).assignee(), Some(AMY));
}

#[test]
fn what_one_turn_does_not_take_up_wakes_the_node_for_the_next() {
    let mut nodes = Nodes::new();
    let _amy = nodes.at(SOUTH).agent("amy");
    let (customer, _) = nodes.at(NORTH).customer_who_writes("hi");
    let north = nodes.at(NORTH);
    for n in 0..2_000 {
        north.writes(customer, &n.to_string());
    }
    let south = nodes.at(SOUTH);
    assert_eq!(south.wake, south.now + 1);
}

#[test]
fn a_node_that_did_not_listen_catches_up_from_the_store() {
    let (mut nodes, amy, customer, talk) = served();
    acknowledge(nodes.at(SOUTH), amy);
    let ben = nodes.at(NORTH).agent("ben");
    let north = nodes.at(NORTH);
    for n in 0..=WAITING {
        north.writes(customer, &n.to_string());
    }
    let (_, other) = north.customer_who_writes("for ben");
    assert_eq!(north.row(other).assignee(), Some(BEN));
    north.closes(ben, Some(other)).unwrap();
    let head = north.row(talk).head;
    acknowledge(north, customer);
    let south = nodes.at(SOUTH);
    south.wait(3_000);
    let told = south.drain(amy);
    assert!(
        told.iter().any(|kind| matches!(kind, Kind::Heartbeat(_))),
        "its devices learn that there is something"
    );
    let last = told.iter().filter_map(|kind| match kind {
        Kind::Pushes(pushes) => pushes.pushes.last(),
        _ => None,
    });
    if let Some(last) = last.last() {
        south.acknowledge(amy, last.number, &[]);
    }
    assert_eq!(
        south.page(amy, Some(talk), v1::read_entries::What::Newest(1)).head,
        head
    );
    // It knows again who is where: nobody is handed what Ben has no longer, and Amy isn't away.
    nodes.settle();
    nodes.at(SOUTH).wait(300_000);
    assert_eq!(nodes.at(SOUTH).row(talk).assignee(), Some(AMY));
    nodes.at(NORTH).writes(customer, "again");
    assert_eq!(texts(&nodes.at(SOUTH).pushes(amy)), ["again"]);
}
