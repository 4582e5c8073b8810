//! Sealed blocks and retention: what is served when, and what a reader must not miss or see again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod story;

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message as _;
use story::{AMY, BEN, CELLAR, Device, Story, code, to_agent, to_team};
use zuoxi_rules::Config;
use zuoxi_rules::memory::CommitFault;
use zuoxi_rules::record::{Audience, Entry as Stored};
use zuoxi_wire::v1::{
    self, Block, BlockCodec, EntriesPage, Entry, EntryKind, FeedId, FeedKind, Push, RefusalCode, SeqRange, Standing,
    client_frame::Kind as Ask, gateway_frame::Kind, read_entries::What,
};
use zuoxi_wire::{Id, block, limits};

const DAY: u64 = 24 * 3_600_000;

fn page(story: &mut Story, device: Device, talk: Id, what: What) -> EntriesPage {
    let ask = v1::ReadEntries {
        conversation: talk.to_bytes(),
        what: Some(what),
    };
    match story.ask(device, Ask::ReadEntries(ask)) {
        Kind::EntriesPage(page) => page,
        other => panic!("{other:?}"),
    }
}

fn range(first: u64, last: u64) -> What {
    What::Range(SeqRange { first, last })
}

fn unpacked(page: &EntriesPage) -> Vec<Entry> {
    page.blocks
        .iter()
        .flat_map(|packed| block::decode(packed).unwrap())
        .map(|(entry, _)| entry)
        .collect()
}

/// First, last and generation of each block.
fn shape(page: &EntriesPage) -> Vec<(u64, u64, u32)> {
    page.blocks.iter().map(|b| (b.first, b.last, b.generation)).collect()
}

/// A desk that takes zstd, as desks do.
fn desk(story: &mut Story, name: &str) -> Device {
    let device = story.connect();
    let log_in = v1::LogIn {
        codecs: vec![BlockCodec::Zstd as u32],
        ..Story::password(name, name)
    };
    story.try_log_in(device, log_in).unwrap();
    story.drain(device);
    device
}

/// A customer, their talk, and what lets them come back.
struct Talk {
    customer: Device,
    id: Id,
    token: Bytes,
}

impl Talk {
    /// One with so many entries in the agents' log.
    fn of(story: &mut Story, entries: u64) -> Self {
        let (customer, welcome) = story.customer_welcome();
        let act = story.act(customer, None, v1::ActKind::Message, story::words("0"));
        let id = Id::try_from(&story.send_all(customer, vec![act])[0].conversation).unwrap();
        let mut talk = Self {
            customer,
            id,
            token: welcome.session,
        };
        talk.grow(story, entries);
        talk
    }

    fn grow(&mut self, story: &mut Story, entries: u64) {
        while story.row(self.id).head < entries {
            let n = story.row(self.id).head;
            self.says(story, &format!("{n}"));
        }
    }

    /// The customer writes, having seen all there is.
    fn says(&self, story: &mut Story, text: &str) {
        let mut act = story.act(self.customer, None, v1::ActKind::Message, story::words(text));
        act.base = story.row(self.id).public_head;
        story.send(self.customer, act).unwrap();
    }

    fn closes(&self, story: &mut Story) {
        let mut act = story.act(self.customer, None, v1::ActKind::Close, Bytes::new());
        act.base = story.row(self.id).public_head;
        drop(story.send(self.customer, act));
    }

    /// Time goes by; connections end of it.
    fn wait(&mut self, story: &mut Story, ms: u64) {
        story.hang_up(self.customer);
        story.wait(ms);
        self.come_back(story);
    }

    fn come_back(&mut self, story: &mut Story) {
        let (device, welcome) = story.resume(&self.token);
        welcome.unwrap();
        self.customer = device;
    }
}

#[test]
fn a_full_range_is_sealed_and_served_whole_by_either_codec() {
    let mut story = Story::new();
    let (amy, plain) = (desk(&mut story, "amy"), story.agent("amy"));
    let talk = Talk::of(&mut story, 70).id;
    let compressed = page(&mut story, amy, talk, range(60, 66));
    assert_eq!(shape(&compressed), [(1, 64, 1), (65, 66, 0)], "more than was asked for");
    assert_eq!(compressed.covers, Some(SeqRange { first: 60, last: 66 }));
    assert_eq!(compressed.blocks[0].codec(), BlockCodec::Zstd);
    let same = page(&mut story, plain, talk, range(60, 66));
    assert_eq!(same.blocks[0].codec(), BlockCodec::Plain);
    assert_eq!(unpacked(&same), unpacked(&compressed));
    let kept = story.store.blocks(talk, Audience::Agents);
    assert_eq!(
        Block::decode(kept[0].bytes.clone()).unwrap(),
        compressed.blocks[0],
        "as it is kept"
    );
}

#[test]
fn a_tail_is_sealed_when_it_rests_and_replaced_by_a_longer_one() {
    let mut story = Story::new();
    let amy = desk(&mut story, "amy");
    let mut talk = Talk::of(&mut story, 70);
    let tail = |story: &mut Story, amy, id| {
        let head = story.row(id).head;
        shape(&page(story, amy, id, range(65, head)))
    };
    talk.closes(&mut story);
    let closed = story.row(talk.id).head;
    assert_eq!(tail(&mut story, amy, talk.id), [(65, closed, 1)]);
    talk.says(&mut story, "again");
    let now = story.row(talk.id).head;
    assert_eq!(
        tail(&mut story, amy, talk.id),
        [(65, now, 0)],
        "what is shorter than was asked for isn't served"
    );
    assert_eq!(
        shape(&page(&mut story, amy, talk.id, range(65, closed))),
        [(65, closed, 1)]
    );
    talk.wait(&mut story, limits::BLOCK_QUIET_MS + 2 * 3_600_000);
    let quiet = story.row(talk.id).head;
    let sealed = story.store.blocks(talk.id, Audience::Agents).pop().unwrap();
    assert_eq!((sealed.last, sealed.generation), (quiet, 2));
    let amy = desk(&mut story, "amy");
    talk.grow(&mut story, 130);
    assert_eq!(shape(&page(&mut story, amy, talk.id, range(65, 128))), [(65, 128, 3)]);
}

#[test]
fn a_recall_reaches_the_sealed_blocks_of_those_who_saw_it_in_its_own_transaction() {
    let mut story = Story::new();
    let amy = desk(&mut story, "amy");
    let mut talk = Talk::of(&mut story, 5);
    let said = story.answers(amy, talk.id, "a secret").unwrap().seq;
    let noted = story.notes(amy, talk.id, "a hidden thing").unwrap().seq;
    talk.grow(&mut story, 90);
    let id_of = |story: &Story, seq| {
        story
            .log(talk.id)
            .into_iter()
            .find(|entry| entry.seq == seq)
            .unwrap()
            .id
    };
    let generations = |story: &Story| {
        [Audience::Agents, Audience::Everybody].map(|log| story.store.blocks(talk.id, log)[0].generation)
    };
    let id = id_of(&story, noted);
    story.recalls(amy, Some(talk.id), AMY, id).unwrap();
    assert_eq!(generations(&story), [2, 1], "a customer's block says nothing of a note");
    let id = id_of(&story, said);
    story.recalls(amy, Some(talk.id), AMY, id).unwrap();
    assert_eq!(generations(&story), [3, 2]);
    for (device, recalled) in [(amy, 2), (talk.customer, 1)] {
        let first = unpacked(&page(&mut story, device, talk.id, range(1, 64)));
        let secret = |entry: &Entry| String::from_utf8_lossy(&entry.content).contains("secret");
        assert!(!first.iter().any(secret));
        assert_eq!(first.iter().filter(|entry| entry.erased).count(), recalled);
    }
}

#[test]
fn a_failed_commit_moves_no_generation_and_the_block_is_sealed_later() {
    let mut story = Story::new();
    let amy = desk(&mut story, "amy");
    let talk = Talk::of(&mut story, 63);
    let act = story.act(talk.customer, None, v1::ActKind::Message, story::words("64"));
    story.store.fail_commit(CommitFault::Lost);
    assert!(story.send(talk.customer, act.clone()).unwrap_err().for_now);
    assert!(story.store.blocks(talk.id, Audience::Agents).is_empty());
    story.now += 2_000;
    story.send(talk.customer, act).unwrap();
    assert_eq!(shape(&page(&mut story, amy, talk.id, range(1, 64))), [(1, 64, 1)]);
    // What fails is the group that seals: the entries are there, and the next turn seals them.
    let talk = Talk::of(&mut story, 63);
    let act = story.act(talk.customer, None, v1::ActKind::Message, story::words("64"));
    story.store.fail_commit_after(1, CommitFault::Lost);
    story.send(talk.customer, act).unwrap();
    assert!(story.store.blocks(talk.id, Audience::Agents).is_empty());
    assert_eq!(shape(&page(&mut story, amy, talk.id, range(1, 64))), [(1, 64, 0)]);
    story.wait(2_000);
    assert_eq!(shape(&page(&mut story, amy, talk.id, range(1, 64))), [(1, 64, 1)]);
}

#[test]
fn what_has_no_room_in_a_page_travels_unsealed() {
    let mut story = Story::new();
    let amy = desk(&mut story, "amy");
    let (customer, talk) = story.customer_who_writes("0");
    let long = "𠮷".repeat(4_000);
    (0..140).for_each(|_| drop(story.writes(customer, &long)));
    let mut next = 1;
    while next <= story.row(talk).head {
        let part = page(&mut story, amy, talk, range(next, 1_000));
        assert!(part.blocks.iter().all(|b| b.generation == 0));
        assert!(part.encoded_len() as u64 <= limits::FRAME_BYTES);
        assert_eq!(part.covers.unwrap().first, next);
        next = part.covers.unwrap().last + 1;
    }
}

#[test]
fn what_a_stop_left_unsealed_is_found_by_a_round() {
    let mut story = Story::new();
    let talks = [Talk::of(&mut story, 40).id, Talk::of(&mut story, 40).id];
    // As a database of before: entries without blocks.
    story.admin(|store| {
        use zuoxi_rules::Store as _;
        for id in talks {
            let mut row = store.conversation(id).unwrap().unwrap();
            let last = store.entry(id, row.head).unwrap().unwrap();
            for n in 1..=200 {
                let mut entry = last.clone();
                entry.seq += n;
                entry.public += n;
                entry.id = Id::v7(n, [id.0[9]; 10]);
                store.append(&entry).unwrap();
                (row.head, row.public_head) = (entry.seq, entry.public);
            }
            store.put_conversation(&row).unwrap();
        }
    });
    story.restart();
    story.wait(60_000);
    for id in talks {
        for log in [Audience::Agents, Audience::Everybody] {
            let starts: Vec<u64> = story.store.blocks(id, log).iter().map(|b| b.start).collect();
            assert_eq!(starts, [1, 65, 129]);
        }
    }
}

#[test]
fn a_note_seals_nothing_of_the_customers() {
    let mut story = Story::new();
    let talk = Talk::of(&mut story, 10);
    // The close is stored, and the gateway dies before it seals.
    story.store.fail_commit_after(1, CommitFault::Lost);
    talk.closes(&mut story);
    story.restart();
    let amy = story.agent("amy");
    story.notes(amy, talk.id, "rather shy").unwrap();
    story.wait(2_000);
    assert_eq!(story.store.blocks(talk.id, Audience::Agents).len(), 1);
    let customers = story.store.blocks(talk.id, Audience::Everybody);
    assert!(customers.is_empty(), "a customer could tell that a note was written");
}

#[test]
fn one_log_that_cannot_be_read_holds_up_no_other() {
    let mut story = Story::new();
    let mut talks = [0; 3].map(|_| Talk::of(&mut story, 60).id);
    talks.sort_unstable();
    // Its row tells of more than there is.
    story.admin(|store| {
        use zuoxi_rules::Store as _;
        let mut row = store.conversation(talks[0]).unwrap().unwrap();
        row.head += 64;
        store.put_conversation(&row).unwrap();
    });
    story.wait(limits::BLOCK_QUIET_MS + 7_200_000);
    for id in &talks[1..] {
        assert_eq!(story.store.blocks(*id, Audience::Agents).len(), 1);
    }
}

fn keeping(days: u64) -> Story {
    Story::with(Config {
        keep_ms: days * DAY,
        customer_acts_burst: 10_000,
        agent_acts_burst: 10_000,
        ..Config::default()
    })
}

#[test]
fn retention_cuts_a_block_and_tells_the_floor() {
    let mut story = keeping(10);
    let amy = desk(&mut story, "amy");
    let mut talk = Talk::of(&mut story, 20);
    story.notes(amy, talk.id, "old").unwrap();
    talk.closes(&mut story);
    let old = story.row(talk.id);
    talk.wait(&mut story, 6 * DAY);
    let amy = desk(&mut story, "amy");
    talk.grow(&mut story, 70);
    talk.closes(&mut story);
    let before = shape(&page(&mut story, amy, talk.id, range(1, 64)))[0].2;
    talk.wait(&mut story, 5 * DAY);
    let row = story.row(talk.id);
    assert_eq!(
        (row.floor, row.public_floor),
        (old.head + 1, old.public_head + 1),
        "each in its own log"
    );
    assert_eq!(story.log(talk.id)[0].seq, row.floor, "off the disk");
    let amy = desk(&mut story, "amy");
    let cut = page(&mut story, amy, talk.id, range(1, 64));
    assert_eq!((cut.floor, cut.covers.unwrap().first), (row.floor, row.floor));
    assert_eq!(shape(&cut), [(row.floor, 64, before + 1)]);
    let theirs = page(&mut story, talk.customer, talk.id, range(1, 64));
    assert_eq!(theirs.floor, row.public_floor);
    assert_eq!(theirs.blocks[0].first, row.public_floor);
    let ask = v1::ReadFeed {
        feed: Some(FeedId {
            kind: FeedKind::Agent.into(),
            id: AMY.to_bytes(),
        }),
        feed_epoch: 0,
        above: 0,
        limit: 9,
    };
    let Kind::FeedPage(rows) = story.ask(amy, Ask::ReadFeed(ask)) else {
        panic!()
    };
    assert_eq!(rows.rows[0].floor, row.floor);
    let asked = v1::ReadCustomer {
        conversation: talk.id.to_bytes(),
    };
    let Kind::Customer(panel) = story.ask(amy, Ask::ReadCustomer(asked)) else {
        panic!()
    };
    assert_eq!(panel.visits.len(), 1, "what began below the floor isn't listed");
}

#[test]
fn the_row_moves_with_the_floor_and_leaves_with_the_last_entry() {
    let mut story = keeping(10);
    let amy = story.agent("amy");
    let mut talk = Talk::of(&mut story, 20);
    talk.closes(&mut story);
    talk.wait(&mut story, 4 * DAY);
    talk.says(&mut story, "a younger visit");
    let amy_later = story.agent("amy");
    talk.closes(&mut story);
    let head = story.row(talk.id).head;
    let own = |story: &mut Story, device: Device| -> Vec<Push> {
        let pushes = story.pushes(device);
        if let Some(last) = pushes.last() {
            story.acknowledge(device, last.number, &[]);
        }
        let own = |push: &Push| {
            push.feed
                .as_ref()
                .is_some_and(|feed| feed.kind == FeedKind::Agent as i32)
        };
        pushes.into_iter().filter(own).collect()
    };
    own(&mut story, amy_later);
    assert!(story.closed.contains(&amy), "who never acknowledged");
    talk.wait(&mut story, 7 * DAY);
    let moved = own(&mut story, amy_later);
    assert_eq!(moved.len(), 1, "the row alone, since no entry came");
    assert_eq!(
        (moved[0].standing(), moved[0].floor),
        (Standing::In, story.row(talk.id).floor)
    );
    assert!(moved[0].entry.is_none() && moved[0].floor > 20);
    let amy_last = story.agent("amy");
    talk.wait(&mut story, 4 * DAY);
    let left = own(&mut story, amy_last);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].standing(), Standing::Left, "nothing of it is left to keep");
    let row = story.row(talk.id);
    assert_eq!((row.floor, row.holder, row.words), (head + 1, None, None));
    assert!(story.log(talk.id).is_empty());
}

#[test]
fn generations_go_on_when_the_floor_takes_all_of_a_range_but_the_range_goes_on() {
    let mut story = keeping(10);
    let mut talk = Talk::of(&mut story, 20);
    talk.closes(&mut story);
    let head = story.row(talk.id).head;
    talk.wait(&mut story, 11 * DAY);
    assert_eq!(story.row(talk.id).floor, head + 1);
    let empty = story.store.blocks(talk.id, Audience::Agents)[0].clone();
    assert!(empty.bytes.is_empty() && empty.generation == 2, "{empty:?}");
    let amy = desk(&mut story, "amy");
    talk.says(&mut story, "back again");
    let now = story.row(talk.id).head;
    assert_eq!(
        shape(&page(&mut story, amy, talk.id, range(1, now))),
        [(head + 1, now, 0)]
    );
    talk.closes(&mut story);
    let now = story.row(talk.id).head;
    assert_eq!(
        shape(&page(&mut story, amy, talk.id, range(1, now))),
        [(head + 1, now, 3)]
    );
}

#[test]
fn what_is_going_on_is_kept_whole() {
    let mut story = keeping(10);
    // Nobody is there: it waits.
    let mut talk = Talk::of(&mut story, 20);
    talk.wait(&mut story, 30 * DAY);
    let row = story.row(talk.id);
    assert_eq!((row.floor, row.preview.as_str()), (1, "0"));
}

#[test]
fn an_unknown_id_below_the_floor_is_refused_unknown_and_a_known_one_is_not() {
    let mut story = keeping(10);
    let amy = story.agent("amy");
    let mut talk = Talk::of(&mut story, 20);
    let mut known = story.act(amy, Some(talk.id), v1::ActKind::Message, story::words("known"));
    known.base = 3;
    let first = story.send(amy, known.clone()).unwrap().seq;
    talk.closes(&mut story);
    talk.wait(&mut story, 6 * DAY);
    let amy = story.agent("amy");
    talk.says(&mut story, "young");
    assert_eq!(story.row(talk.id).holder, Some(AMY));
    story.hang_up(amy);
    talk.wait(&mut story, 5 * DAY);
    let amy = story.agent("amy");
    assert!(story.row(talk.id).floor > first);
    (known.lane, known.number) = (1, 1);
    assert_eq!(story.send(amy, known).unwrap().seq, first, "remembered for 30 days");
    let mut unknown = story.act(amy, Some(talk.id), v1::ActKind::Message, story::words("unknown"));
    unknown.base = 3;
    assert_eq!(code(story.send(amy, unknown)), RefusalCode::Unknown);
    // Once it is in another team's hands, "taken away" would say that it wasn't sent before.
    let _zoe = story.agent("zoe");
    let mut handed = story.act(amy, Some(talk.id), v1::ActKind::Transfer, handing_to(CELLAR));
    handed.base = story.row(talk.id).head;
    story.send(amy, handed).unwrap();
    for (base, expected) in [(3, RefusalCode::Unknown), (story.row(talk.id).head, RefusalCode::Taken)] {
        let mut late = story.act(amy, Some(talk.id), v1::ActKind::Message, story::words("late"));
        late.base = base;
        assert_eq!(code(story.send(amy, late)), expected);
    }
}

fn handing_to(team: Id) -> Bytes {
    let to = Some(to_team(team));
    v1::TransferContent {
        to,
        ..v1::TransferContent::default()
    }
    .encode_to_vec()
    .into()
}

#[test]
fn a_handed_over_talk_is_served_in_the_same_blocks() {
    let mut story = Story::new();
    let amy = desk(&mut story, "amy");
    let talk = Talk::of(&mut story, 70).id;
    let hers = page(&mut story, amy, talk, range(1, 64)).blocks;
    let ben = desk(&mut story, "ben");
    story.hands_to(amy, talk, to_agent(BEN)).unwrap();
    assert_eq!(page(&mut story, ben, talk, range(1, 64)).blocks, hers, "byte for byte");
}

#[derive(Debug, Clone)]
enum Step {
    Writes(u8),
    Notes(u8),
    Recalls(u64),
    Closes,
    Waits(u64),
    Restarts,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1u8..40).prop_map(Step::Writes),
        3 => (1u8..20).prop_map(Step::Notes),
        3 => (0u64..200).prop_map(Step::Recalls),
        1 => Just(Step::Closes),
        1 => (1u64..30).prop_map(|hours| Step::Waits(hours * 3_600_000)),
        1 => Just(Step::Restarts),
    ];
    prop::collection::vec(step, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn every_page_is_the_log_as_its_reader_sees_it(steps in steps(), keep in prop_oneof![Just(0u64), 1u64..3]) {
        let mut story = keeping(keep);
        let mut amy = desk(&mut story, "amy");
        let mut talk = Talk::of(&mut story, 1);
        for step in steps {
            match step {
                Step::Writes(n) => (0..n).for_each(|n| talk.says(&mut story, &n.to_string())),
                Step::Notes(n) => (0..n).for_each(|n| drop(story.notes(amy, talk.id, &n.to_string()))),
                Step::Recalls(nth) => {
                    let log = story.log(talk.id);
                    let own = |e: &&Stored| e.author == Some(AMY) && e.kind == EntryKind::Note && !e.erased;
                    let own: Vec<_> = log.iter().filter(own).collect();
                    let theirs: Vec<_> = log.iter().filter(|e| e.kind == EntryKind::Message && !e.erased).collect();
                    if nth % 2 == 0 && !own.is_empty() {
                        let id = own[nth as usize % own.len()].id;
                        drop(story.recalls(amy, Some(talk.id), AMY, id));
                    } else if !theirs.is_empty() {
                        let target = theirs[nth as usize % theirs.len()];
                        drop(story.recalls(talk.customer, None, target.author.unwrap(), target.id));
                    }
                }
                Step::Closes => talk.closes(&mut story),
                Step::Waits(ms) => talk.wait(&mut story, ms),
                Step::Restarts => {
                    story.restart();
                    talk.come_back(&mut story);
                }
            }
            if matches!(step, Step::Waits(_) | Step::Restarts) {
                amy = desk(&mut story, "amy");
            }
            check(&mut story, amy, talk.customer, talk.id);
        }
    }
}

/// Pages of both readers say what the log says; blocks keep within their borders and lie about nothing.
fn check(story: &mut Story, amy: Device, customer: Device, talk: Id) {
    let row = story.row(talk);
    let log = story.log(talk);
    let ours: Vec<(u64, Id, bool, usize)> = log
        .iter()
        .map(|e| (e.seq, e.id, e.erased, e.content.len()))
        .filter(|e| e.0 >= row.floor)
        .collect();
    let public = log.iter().filter(|e| e.audience == Audience::Everybody);
    let theirs: Vec<(u64, Id, bool, usize)> = public
        .map(|e| (e.public, e.id, e.erased, e.content.len()))
        .filter(|e| e.0 >= row.public_floor)
        .collect();
    for (device, expected, head) in [(amy, ours, row.head), (customer, theirs, row.public_head)] {
        if device == amy && row.holder != Some(AMY) && row.holder.is_some() {
            continue;
        }
        let mut seen = std::collections::BTreeMap::new();
        let mut next = 1;
        while next <= head {
            let part = page(story, device, talk, range(next, head));
            for packed in &part.blocks {
                assert_eq!(
                    block::range_of(packed.first),
                    block::range_of(packed.last),
                    "within its borders"
                );
            }
            for entry in unpacked(&part) {
                let id = Id::try_from(&entry.id).unwrap();
                seen.insert(entry.seq, (entry.seq, id, entry.erased, entry.content.len()));
            }
            let Some(covers) = part.covers else { break };
            next = covers.last + 1;
        }
        assert_eq!(seen.into_values().collect::<Vec<_>>(), expected);
    }
}
