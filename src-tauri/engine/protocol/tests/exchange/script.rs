//! The gateway's frames, from a script's words.

use bytes::Bytes;
use prost::Message;
use serde_json::Value;
use sha2::{Digest, Sha256};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    Accepted, Answer, Answers, AuthorRole, Block, BlockCodec, BlockEntries, Compared, CustomerState, EntriesPage,
    Entry, EntryKind, GoingAway, Heartbeat, Hello, LogPoint, LoggedIn, Member, MemberRole, MessageContent, Problem,
    ProblemCode, Push, Pushes, RangeHash, RecallContent, RefusalCode, Refused, SeqRange, answer, customer_state,
    gateway_frame::Kind, going_away, message_content,
};

/// The customer's conversation.
pub(crate) const TALK: Id = padded("talk");

const fn padded(name: &str) -> Id {
    let (bytes, mut id, mut at) = (name.as_bytes(), [0; 16], 0);
    while at < bytes.len() {
        id[at] = bytes[at];
        at += 1;
    }
    Id(id)
}

/// A name as 16 bytes.
pub(crate) fn id(name: &Value) -> Id {
    padded(name.as_str().unwrap())
}

pub(crate) fn name(id: &[u8]) -> String {
    String::from_utf8_lossy(id).trim_end_matches('\0').to_owned()
}

pub(crate) fn words(text: &str) -> Bytes {
    let body = Some(message_content::Body::Text(text.into()));
    MessageContent {
        body,
        ..MessageContent::default()
    }
    .encode_to_vec()
    .into()
}

pub(crate) fn text(content: &[u8]) -> String {
    match MessageContent::decode(content).unwrap().body {
        Some(message_content::Body::Text(text)) => text,
        None => String::new(),
    }
}

fn number(given: &Value, name: &str, otherwise: u64) -> u64 {
    given[name].as_u64().unwrap_or(otherwise)
}

fn entry(given: &Value) -> Entry {
    let seq = given["seq"].as_u64().unwrap();
    let by = given["by"].as_str().unwrap_or("agent");
    let recalls = given["recalls"].as_str();
    let erased = given["erased"].as_bool().unwrap_or_default();
    let content = match recalls {
        _ if erased => Bytes::new(),
        Some(target) => RecallContent {
            author: padded(given["recalls_by"].as_str().unwrap_or(by)).to_bytes(),
            id: padded(target).to_bytes(),
        }
        .encode_to_vec()
        .into(),
        None => words(given["text"].as_str().unwrap_or_default()),
    };
    Entry {
        seq,
        id: id(&given["id"]).to_bytes(),
        kind: if recalls.is_some() {
            EntryKind::Recall
        } else {
            EntryKind::Message
        }
        .into(),
        time_ms: 1_000 + seq,
        author_role: if by == "me" {
            AuthorRole::Customer
        } else {
            AuthorRole::Agent
        }
        .into(),
        author: padded(by).to_bytes(),
        author_name: String::new(),
        content,
        erased,
        content_as_sent: false,
    }
}

/// Entries listed, and those that `fill` stands for.
fn entries(given: &Value, listed: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = given[listed].as_array().into_iter().flatten().map(entry).collect();
    for (fill, of) in [("fill", "m"), ("others", "other")] {
        let (Some(first), Some(last)) = (given[fill][0].as_u64(), given[fill][1].as_u64()) else {
            continue;
        };
        entries.extend((first..=last).map(|seq| Entry {
            id: padded(&format!("{of}{seq}")).to_bytes(),
            content: words(&format!("m{seq}")),
            ..entry(&serde_json::json!({ "seq": seq, "id": "x" }))
        }));
    }
    entries
}

pub(crate) fn hello(given: &Value, now: u64) -> Kind {
    let version = number(given, "version", 1) as u32;
    Kind::Hello(Hello {
        version_min: version,
        version_max: version,
        epoch: number(given, "epoch", 1),
        nonce: vec![0; 16].into(),
        time_ms: now,
        ..Hello::default()
    })
}

pub(crate) fn logged_in(given: &Value, now: u64) -> Kind {
    let state = CustomerState {
        conversation: TALK.to_bytes(),
        stage: customer_state::Stage::Served.into(),
        agent_name: "A".into(),
        head: number(given, "head", 0),
        floor: number(given, "floor", 1),
        ..CustomerState::default()
    };
    Kind::LoggedIn(LoggedIn {
        session: vec![5; 32].into(),
        me: Some(Member {
            id: padded("me").to_bytes(),
            role: MemberRole::Customer.into(),
            name: "me".into(),
            ..Member::default()
        }),
        epoch: number(given, "epoch", 1),
        time_ms: now,
        heartbeat_ms: 10_000,
        window_acts: number(given, "window", 8) as u32,
        state: Some(state),
        ..LoggedIn::default()
    })
}

/// What needs nothing of the client's own frames.
pub(crate) fn frame(name: &str, given: &Value, now: u64) -> Kind {
    let (head, floor) = (number(given, "head", 0), number(given, "floor", 1));
    match name {
        "answer" => {
            let seq = number(given, "seq", 1);
            let own = serde_json::json!({ "seq": seq, "id": given["to"], "by": "me" });
            let push = Push {
                conversation: TALK.to_bytes(),
                head: number(given, "head", seq),
                floor,
                entry: Some(Entry {
                    content: Bytes::new(),
                    content_as_sent: true,
                    ..entry(&own)
                }),
                ..Push::default()
            };
            accepted(given, Some(push))
        }
        "repeat" => accepted(given, None),
        "refuse" => {
            let code = format!("REFUSAL_CODE_{}", given["code"].as_str().unwrap());
            let refused = Refused {
                code: RefusalCode::from_str_name(&code).unwrap().into(),
                ends_lane: given["ends_lane"].as_bool().unwrap_or_default(),
                for_now: given["for_now"].as_bool().unwrap_or_default(),
                retry_ms: number(given, "retry_ms", 0) as u32,
                ..Refused::default()
            };
            answered(given, answer::Result::Refused(refused))
        }
        "push" => Kind::Pushes(Pushes {
            pushes: vec![Push {
                number: number(given, "number", 1),
                conversation: TALK.to_bytes(),
                head,
                floor,
                entry: Some(entry(&given["entry"])),
                ..Push::default()
            }],
        }),
        "heartbeat" => Kind::Heartbeat(Heartbeat {
            epoch: number(given, "epoch", 1),
            time_ms: now,
            own: Some(LogPoint {
                conversation: TALK.to_bytes(),
                head,
                floor,
            }),
            ..Heartbeat::default()
        }),
        "going_away" => Kind::GoingAway(GoingAway {
            come_back_ms: number(given, "come_back_ms", 0) as u32,
            reason: going_away::Reason::Stopping.into(),
        }),
        other => panic!("no step is called {other}"),
    }
}

fn accepted(given: &Value, push: Option<Push>) -> Kind {
    let seq = number(given, "seq", 1);
    let time_ms = 1_000 + seq;
    answered(given, answer::Result::Accepted(Accepted { seq, time_ms, push }))
}

fn answered(given: &Value, result: answer::Result) -> Kind {
    Kind::Answers(Answers {
        answers: vec![Answer {
            conversation: TALK.to_bytes(),
            lane: number(given, "lane", 1) as u32,
            number: number(given, "number", 1) as u32,
            id: id(&given["to"]).to_bytes(),
            result: Some(result),
        }],
    })
}

pub(crate) fn page(given: &Value) -> Kind {
    let entries = entries(given, "entries");
    let range = SeqRange {
        first: entries.first().map_or(0, |entry| entry.seq),
        last: entries.last().map_or(0, |entry| entry.seq),
    };
    let data = BlockEntries {
        entries: entries.iter().map(|entry| entry.encode_to_vec().into()).collect(),
    }
    .encode_to_vec();
    let block = Block {
        version: 1,
        codec: BlockCodec::Plain.into(),
        first: range.first,
        last: range.last,
        decoded_size: data.len() as u32,
        data: data.into(),
        ..Block::default()
    };
    Kind::EntriesPage(EntriesPage {
        conversation: TALK.to_bytes(),
        head: number(given, "head", 0),
        floor: number(given, "floor", 1),
        blocks: vec![block],
        positions: Vec::new(),
        covers: Some(range),
    })
}

pub(crate) fn compared(given: &Value, ranges: &[SeqRange]) -> Kind {
    let (head, floor) = (number(given, "head", 0), number(given, "floor", 1));
    let log = entries(given, "log");
    let erased: Vec<u64> = given["erased"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let hash_of = |range: &SeqRange| {
        let inside = |seq: &u64| (range.first..=range.last).contains(seq);
        if range.first < floor || range.last > head {
            return RangeHash {
                range: Some(*range),
                ..RangeHash::default()
            };
        }
        let mut hash = Sha256::new();
        for entry in log.iter().filter(|entry| inside(&entry.seq)) {
            hash.update(entry.seq.to_be_bytes());
            hash.update(&entry.id);
            hash.update([16]);
            hash.update(&entry.author);
        }
        RangeHash {
            range: Some(*range),
            sha256: hash.finalize().to_vec().into(),
            erased: erased.iter().copied().filter(inside).collect(),
        }
    };
    Kind::Compared(Compared {
        conversation: TALK.to_bytes(),
        head,
        floor,
        hashes: ranges.iter().map(hash_of).collect(),
    })
}

pub(crate) fn not_found() -> Kind {
    Kind::Problem(Problem {
        code: ProblemCode::NotFound.into(),
        ..Problem::default()
    })
}
