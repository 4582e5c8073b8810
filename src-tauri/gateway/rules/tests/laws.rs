//! Whatever happens, in whatever order, with whatever fails: what is acknowledged is stored once, and what is told adds
//! up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;
use story::{AMY, BEN, CELLAR, Device, LEA, SHOP, Story, ZOE, result, to_agent, to_team, words};
use zuoxi_rules::Store as _;
use zuoxi_rules::memory::CommitFault;
use zuoxi_rules::record::{Audience, Feed, Who};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Act, ActKind, EntryKind, Push, Standing, Status};

const AGENTS: [(&str, Id); 4] = [("amy", AMY), ("ben", BEN), ("lea", LEA), ("zoe", ZOE)];

#[derive(Debug, Clone)]
enum Step {
    Customer(usize, Doing),
    Agent(usize, usize, Doing),
    Reconnect(usize),
    Leave(usize),
    /// The act done last is sent again, by a new connection.
    Repeat(usize),
    Fault(CommitFault),
    Wait(u64),
    Restart,
}

#[derive(Debug, Clone)]
enum Doing {
    Message,
    Note,
    RecallLast,
    Take,
    ToAgent(usize),
    ToTeam(bool),
    Close,
    VoidLast,
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        6 => Just(Doing::Message),
        2 => Just(Doing::Note),
        1 => Just(Doing::RecallLast),
        1 => Just(Doing::Take),
        2 => (0usize..4).prop_map(Doing::ToAgent),
        1 => any::<bool>().prop_map(Doing::ToTeam),
        1 => Just(Doing::Close),
        1 => Just(Doing::VoidLast),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..3, doing()).prop_map(|(who, what)| Step::Customer(who, what)),
        8 => (0usize..4, 0usize..3, doing()).prop_map(|(who, talk, what)| Step::Agent(who, talk, what)),
        1 => (0usize..4).prop_map(Step::Reconnect),
        1 => (0usize..4).prop_map(Step::Leave),
        2 => (0usize..4).prop_map(Step::Repeat),
        1 => prop_oneof![Just(CommitFault::Lost), Just(CommitFault::Stored)].prop_map(Step::Fault),
        1 => (1u64..200_000).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// A device that only counts: revisions and push numbers without a hole.
#[derive(Default)]
struct Reader {
    number: u64,
    reached: BTreeMap<(i32, Bytes), u64>,
    told: BTreeMap<(i32, Bytes), BTreeSet<u64>>,
}

impl Reader {
    fn take(&mut self, push: &Push) {
        let Some(feed) = &push.feed else { return };
        let key = (feed.kind, feed.id.clone());
        if let Some(reached) = self.reached.get(&key) {
            assert!(push.revision > *reached, "a revision is taken once and told in order");
        }
        self.reached.insert(key, push.revision);
        self.note(push);
        assert!(push.standing() == Standing::Left || push.summary.is_some());
    }

    /// A revision was told, by a push or by the answer to an act.
    fn note(&mut self, push: &Push) {
        if let Some(feed) = &push.feed {
            let key = (feed.kind, feed.id.clone());
            assert!(
                self.told.entry(key).or_default().insert(push.revision),
                "a revision is told once"
            );
        }
    }
}

struct World {
    story: Story,
    agents: [Option<Device>; 4],
    readers: [Reader; 4],
    customers: Vec<(Device, Bytes, Id)>,
    talks: Vec<Id>,
    /// What was done by whom, newest last.
    done: Vec<(Who, Option<Id>, Act)>,
    accepted: BTreeMap<(Id, Bytes), u64>,
    refused: BTreeSet<(Id, Bytes)>,
    /// What was stored without being told leaves holes on purpose.
    faulty: bool,
}

impl World {
    fn new() -> Self {
        let mut story = Story::new();
        let agents = AGENTS.map(|(name, _)| Some(story.agent(name)));
        let (mut customers, mut talks) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (device, welcome) = story.customer_welcome();
            story.writes(device, "hi");
            let me = Id::try_from(&welcome.me.unwrap().id).unwrap();
            customers.push((device, welcome.session, me));
            talks.push(story.store.customer(me).unwrap().unwrap().conversation);
        }
        let mut world = Self {
            story,
            agents,
            readers: Default::default(),
            customers,
            talks,
            done: Vec::new(),
            accepted: BTreeMap::new(),
            refused: BTreeSet::new(),
            faulty: false,
        };
        world.read();
        world
    }

    fn device(&mut self, who: Who) -> Option<Device> {
        match who {
            Who::Agent(id) => self.agents[AGENTS.iter().position(|(_, agent)| *agent == id)?],
            Who::Customer(id) => self
                .customers
                .iter()
                .find(|(_, _, me)| *me == id)
                .map(|(device, _, _)| *device),
        }
    }

    fn send(&mut self, who: Who, talk: Option<Id>, act: Act) {
        let Some(device) = self.device(who) else { return };
        if self.story.closed.contains(&device) {
            return;
        }
        let key = (who.id(), act.id.clone());
        self.done.push((who, talk, act.clone()));
        match result(&self.story.send_all(device, vec![act])[0]) {
            Ok(accepted) => {
                let first = *self.accepted.entry(key.clone()).or_insert(accepted.seq);
                assert_eq!(first, accepted.seq, "the same answer again");
                let agent = AGENTS.iter().position(|(_, agent)| *agent == who.id());
                if let (Some(push), Some(nth)) = (&accepted.push, agent) {
                    self.readers[nth].note(push);
                }
                assert!(
                    !self.refused.contains(&key),
                    "what was refused for good is never accepted"
                );
            }
            Err(refused) if refused.for_now || refused.ends_lane => {}
            Err(refused) => {
                // Another kind under a known id is `reused`, and the first answer stands.
                if refused.code() != zuoxi_wire::v1::RefusalCode::Reused {
                    assert!(
                        !self.accepted.contains_key(&key),
                        "what was accepted is never refused: {refused:?}"
                    );
                    self.refused.insert(key);
                }
            }
        }
    }

    fn act(&mut self, who: Who, talk: Option<Id>, what: &Doing) {
        let Some(device) = self.device(who) else { return };
        let last = self
            .done
            .iter()
            .rev()
            .find(|(author, _, act)| *author == who && act.kind == ActKind::Message as i32);
        let last = last.map(|(_, talk, act)| (*talk, act.clone()));
        let (kind, content) = match what {
            Doing::Message => (ActKind::Message, words("words")),
            Doing::Note => (ActKind::Note, story::note("a note")),
            Doing::Take => (ActKind::Take, Bytes::new()),
            Doing::Close => (ActKind::Close, Bytes::new()),
            Doing::ToAgent(to) => (ActKind::Transfer, transfer(to_agent(AGENTS[*to].1))),
            Doing::ToTeam(shop) => (ActKind::Transfer, transfer(to_team(if *shop { SHOP } else { CELLAR }))),
            Doing::RecallLast => {
                let Some((_, act)) = last else { return };
                let content = zuoxi_wire::v1::RecallContent {
                    author: who.id().to_bytes(),
                    id: act.id,
                };
                (ActKind::Recall, prost::Message::encode_to_vec(&content).into())
            }
            Doing::VoidLast => {
                let Some((talk, act)) = last else { return };
                let mut void = self.story.act(device, talk, ActKind::Void, Bytes::new());
                void.id = act.id;
                return self.send(who, talk, void);
            }
        };
        let act = self.story.act(device, talk, kind, content);
        self.send(who, talk, act);
    }

    /// A planted fault may meet the log-in: a device tries again.
    fn connect(&mut self, nth: usize) {
        let name = AGENTS[nth].0;
        self.agents[nth] = None;
        while self.agents[nth].is_none() {
            let device = self.story.connect();
            if self.story.try_log_in(device, Story::password(name, name)).is_ok() {
                self.agents[nth] = Some(device);
                self.readers[nth] = Reader::default();
            }
        }
    }

    fn go(&mut self, step: &Step) {
        match step {
            Step::Customer(nth, what) => self.act(Who::Customer(self.customers[*nth].2), None, what),
            Step::Agent(nth, talk, what) => self.act(Who::Agent(AGENTS[*nth].1), Some(self.talks[*talk]), what),
            Step::Reconnect(nth) => {
                if let Some(device) = self.agents[*nth].take() {
                    self.story.hang_up(device);
                }
                self.connect(*nth);
            }
            Step::Leave(nth) => {
                if let Some(device) = self.agents[*nth].take() {
                    self.story.hang_up(device);
                }
            }
            Step::Repeat(back) => {
                let Some((who, talk, act)) = self.done.iter().rev().nth(*back).cloned() else {
                    return;
                };
                let Some(device) = self.device(who) else { return };
                let fresh = self.story.act(device, talk, act.kind(), Bytes::new());
                self.send(
                    who,
                    talk,
                    Act {
                        lane: fresh.lane,
                        number: fresh.number,
                        ..act
                    },
                );
            }
            Step::Fault(fault) => {
                self.faulty = true;
                self.story.store.fail_commit(*fault);
            }
            Step::Wait(ms) => {
                for _ in 0..ms / 10_000 {
                    self.story.wait(10_000);
                    self.read();
                }
            }
            Step::Restart => {
                self.story.restart();
                for nth in 0..4 {
                    if self.agents[nth].is_some() {
                        self.connect(nth);
                    }
                }
                for nth in 0..3 {
                    let session = self.customers[nth].1.clone();
                    let (device, welcome) = self.story.resume(&session);
                    if welcome.is_err() {
                        let (again, welcome) = self.story.resume(&session);
                        welcome.unwrap();
                        self.customers[nth].0 = again;
                    } else {
                        self.customers[nth].0 = device;
                    }
                }
            }
        }
        self.read();
    }

    /// Everybody takes what came, and acknowledges it.
    fn read(&mut self) {
        for nth in 0..4 {
            let Some(device) = self.agents[nth] else { continue };
            let pushes = self.story.pushes(device);
            for push in &pushes {
                assert_eq!(push.number, self.readers[nth].number + 1);
                self.readers[nth].number = push.number;
                self.readers[nth].take(push);
            }
            if let Some(last) = pushes.last() {
                self.story.acknowledge(device, last.number, &[]);
            }
        }
        for nth in 0..3 {
            let device = self.customers[nth].0;
            if let Some(last) = self.story.pushes(device).last().map(|push| push.number) {
                self.story.acknowledge(device, last, &[]);
            }
        }
    }

    fn check(&mut self) {
        for talk in self.talks.clone() {
            let log = self.story.log(talk);
            let row = self.story.row(talk);
            let mut public = 0;
            for (nth, entry) in log.iter().enumerate() {
                assert_eq!(entry.seq, nth as u64 + 1, "no holes");
                public += u64::from(entry.audience == Audience::Everybody);
                assert_eq!(entry.public, public, "both logs count without holes");
                assert!(
                    nth == 0 || log[nth - 1].time_ms <= entry.time_ms,
                    "time never goes back"
                );
                let secret = matches!(entry.kind, EntryKind::Note | EntryKind::Reason | EntryKind::Tag);
                assert!(entry.kind == EntryKind::Recall || secret == (entry.audience == Audience::Agents));
            }
            assert_eq!((row.head, row.public_head), (log.len() as u64, public));
            assert_eq!(row.status == Status::Queued, row.queued_ms > 0);
            assert!(row.status != Status::Open || row.holder.is_some());
            let ids: BTreeSet<(Option<Id>, Id)> = log.iter().map(|entry| (entry.author, entry.id)).collect();
            assert_eq!(ids.len(), log.len(), "each act is stored once");
            self.check_feeds(talk);
        }
        for reader in self.readers.iter().filter(|_| !self.faulty) {
            for ((kind, id), told) in &reader.told {
                let id = Id::try_from(id).unwrap();
                let feed = if *kind == 1 { Feed::Agent(id) } else { Feed::Team(id) };
                let (first, last) = (*told.first().unwrap(), *told.last().unwrap());
                assert_eq!(told.len() as u64, last - first + 1, "no revision is missing");
                let state = self.story.store.feed(feed).unwrap().unwrap();
                assert!(last <= state.revision);
            }
        }
        for ((author, id), _) in self.accepted.clone() {
            let id = Id::try_from(&id).unwrap();
            let stored = self.talks.iter().flat_map(|talk| self.story.log(*talk));
            let count = stored
                .filter(|entry| entry.id == id && entry.author == Some(author))
                .count();
            assert_eq!(count, 1, "what is acknowledged is in the log");
        }
    }

    fn check_feeds(&mut self, talk: Id) {
        let row = self.story.row(talk);
        for (_, agent) in AGENTS {
            let rows = self.story.store.feed_rows(Feed::Agent(agent), 0, 100).unwrap();
            let stands = rows
                .iter()
                .any(|feed_row| feed_row.conversation == talk && feed_row.stands);
            assert_eq!(
                stands,
                row.holder == Some(agent),
                "it stands in its holder's feed and in no other"
            );
        }
        for team in [SHOP, CELLAR] {
            let rows = self.story.store.feed_rows(Feed::Team(team), 0, 100).unwrap();
            let stands = rows
                .iter()
                .any(|feed_row| feed_row.conversation == talk && feed_row.stands);
            assert_eq!(stands, row.team == team && row.status != Status::Closed);
        }
    }
}

fn transfer(to: zuoxi_wire::v1::transfer_content::To) -> Bytes {
    let content = zuoxi_wire::v1::TransferContent {
        to: Some(to),
        reason: String::new(),
    };
    prost::Message::encode_to_vec(&content).into()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_acknowledged_is_stored_once_and_what_is_told_adds_up(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            world.go(step);
        }
        world.check();
    }
}
