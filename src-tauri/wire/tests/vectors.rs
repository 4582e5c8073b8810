//! What Rust and TypeScript (`ui/src/vectors.test.ts`) both decode and encode: `proto/vectors/`. Each `.bin` is one
//! message, its `.json` says which, in protobuf's own JSON. `ZUOXI_GENERATE=1` writes the `.bin` files anew; a change
//! of one that was released breaks peers that are out there.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::content::{TextError, check_text};
use zuoxi_wire::v1::{
    Accepted, Ack, Act, ActKind, Acts, Answer, Answers, AuthorRole, Block, BlockCodec, BlockEntries, ClientFrame,
    CustomerState, EntriesPage, Entry, EntryKind, GatewayFrame, Heartbeat, Hello, LogIn, LogPoint, MessageContent,
    Problem, Push, Pushes, RefusalCode, Refused, SeqRange, Visit, Visitor, Watermark, answer, client_frame,
    customer_state, gateway_frame, log_in, message_content,
};
use zuoxi_wire::{block, frame};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto/vectors")
}

fn id(fill: u8) -> Bytes {
    vec![fill; 16].into()
}

fn text(words: &str) -> Bytes {
    let body = Some(message_content::Body::Text(words.into()));
    let language = "zh".into();
    MessageContent { body, language }.encode_to_vec().into()
}

fn entry(seq: u64, words: &str) -> Entry {
    Entry {
        seq,
        id: id(seq as u8),
        kind: EntryKind::Message.into(),
        time_ms: 1_764_000_000_000 + seq,
        author_role: AuthorRole::Customer.into(),
        author: id(0xcc),
        author_name: "访客 7K3F".into(),
        content: text(words),
        ..Entry::default()
    }
}

/// An entry as a gateway of the future sends it: a field with a number that this build doesn't know (100, bytes), and
/// content with a body of the future (field 9).
fn future_entry() -> Vec<u8> {
    let mut future = Entry {
        content: Bytes::from_static(b"\x4a\x06future"),
        ..entry(3, "")
    }
    .encode_to_vec();
    future.extend_from_slice(b"\xa2\x06\x0bfrom beyond");
    future
}

fn entries() -> Vec<Bytes> {
    vec![
        entry(1, "昨天到的保温壶，杯口有一道裂纹").encode_to_vec().into(),
        entry(2, "😀 hello").encode_to_vec().into(),
        future_entry().into(),
    ]
}

fn client(kind: client_frame::Kind) -> Vec<u8> {
    let conversation = id(0x11);
    let watermarks = vec![Watermark { conversation, seq: 41 }];
    let ack = Some(Ack { push: 7, watermarks });
    let kind = Some(kind);
    frame::encode_client(&ClientFrame { request: 9, ack, kind }).to_vec()
}

fn gateway(kind: gateway_frame::Kind) -> Vec<u8> {
    let kind = Some(kind);
    frame::encode_gateway(&GatewayFrame { request: 9, kind }).to_vec()
}

fn log_in() -> client_frame::Kind {
    client_frame::Kind::LogIn(LogIn {
        version: 1,
        device: id(0xdd),
        software: "zuoxi-chat 0.1.0".into(),
        language: "zh-CN".into(),
        credential: Some(log_in::Credential::Visitor(Visitor { brand: "demo".into() })),
        visit: Some(Visit {
            page_url: "https://shop.example/".into(),
            page_title: "青禾家居".into(),
            ..Visit::default()
        }),
        ..LogIn::default()
    })
}

fn acts() -> client_frame::Kind {
    let act = |number, kind: ActKind, content| Act {
        id: id(number as u8),
        conversation: id(0x11),
        lane: 2,
        number,
        base: u64::MAX,
        age_ms: 1 << 53,
        kind: kind.into(),
        content,
    };
    let acts = vec![
        act(1, ActKind::Message, text("SO-2411-20931")),
        act(2, ActKind::Void, Bytes::new()),
    ];
    client_frame::Kind::Acts(Acts { acts })
}

fn answers() -> gateway_frame::Kind {
    let push = Push {
        entry: Some(Entry {
            content_as_sent: true,
            content: Bytes::new(),
            ..entry(42, "")
        }),
        head: 42,
        floor: 1,
        ..Push::default()
    };
    let accepted = Accepted {
        seq: 42,
        time_ms: 1_764_000_000_042,
        push: Some(push),
    };
    let refused = Refused {
        code: RefusalCode::Stale.into(),
        ends_lane: true,
        stale_seqs: vec![40, 41],
        assignee_name: "沈佳宁".into(),
        ..Refused::default()
    };
    let answer = |number, result| Answer {
        conversation: id(0x11),
        lane: 2,
        number,
        id: id(number as u8),
        result: Some(result),
    };
    let answers = vec![
        answer(1, answer::Result::Accepted(accepted)),
        answer(2, answer::Result::Refused(refused)),
    ];
    gateway_frame::Kind::Answers(Answers { answers })
}

fn page() -> gateway_frame::Kind {
    let packed = block::encode(BlockCodec::Plain, 1, 3, 0, entries()).expect("a block");
    let covers = Some(SeqRange { first: 1, last: 3 });
    gateway_frame::Kind::EntriesPage(EntriesPage {
        conversation: id(0x11),
        head: 3,
        floor: 1,
        blocks: vec![packed],
        positions: Vec::new(),
        covers,
    })
}

/// A sealed block that the floor cut, of a second generation.
fn sealed_page() -> gateway_frame::Kind {
    let kept = entries().into_iter().skip(1).collect();
    let packed = block::encode(BlockCodec::Plain, 2, 3, 2, kept).expect("a block");
    gateway_frame::Kind::EntriesPage(EntriesPage {
        conversation: id(0x11),
        head: 3,
        floor: 2,
        blocks: vec![packed],
        positions: Vec::new(),
        covers: Some(SeqRange { first: 2, last: 3 }),
    })
}

/// Envelopes that both sides judge alike: name, block, and whether it may be taken.
fn envelopes() -> Vec<(&'static str, Block, bool)> {
    let of = |first: u64, last: u64, generation| {
        let entries = (first..=last)
            .map(|seq| entry(seq, "在").encode_to_vec().into())
            .collect();
        block::encode(BlockCodec::Plain, first, last, generation, entries).expect("a block")
    };
    let fine = of(60, 64, 1);
    vec![
        ("unsealed", of(60, 64, 0), true),
        ("sealed", fine.clone(), true),
        ("a whole range", of(65, 128, 7), true),
        ("unsealed across borders", of(60, 70, 0), true),
        ("sealed across borders", of(60, 70, 1), false),
        (
            "of a later envelope",
            Block {
                version: 2,
                ..fine.clone()
            },
            false,
        ),
        (
            "with a dictionary",
            Block {
                dictionary: 1,
                ..fine.clone()
            },
            false,
        ),
        (
            "of a codec of the future",
            Block {
                codec: 9,
                ..fine.clone()
            },
            false,
        ),
        (
            "larger than it says",
            Block {
                decoded_size: 3,
                ..fine.clone()
            },
            false,
        ),
        (
            "smaller than it says",
            Block {
                decoded_size: 1 << 20,
                ..fine.clone()
            },
            false,
        ),
        (
            "larger than allowed",
            Block {
                decoded_size: u32::MAX,
                ..fine.clone()
            },
            false,
        ),
        (
            "of other Seqs",
            Block {
                first: 59,
                last: 63,
                ..fine.clone()
            },
            false,
        ),
        (
            "shorter than its range",
            Block {
                last: 65,
                ..fine.clone()
            },
            false,
        ),
        (
            "backwards",
            Block {
                first: 64,
                last: 60,
                ..fine.clone()
            },
            false,
        ),
        (
            "from Seq 0",
            Block {
                first: 0,
                ..fine.clone()
            },
            false,
        ),
        (
            "to the end of numbers",
            Block {
                last: u64::MAX,
                ..fine.clone()
            },
            false,
        ),
        (
            "no protobuf",
            Block {
                data: vec![0xff; 9].into(),
                decoded_size: 9,
                ..fine
            },
            false,
        ),
    ]
}

#[test]
fn envelopes_are_judged_as_the_vectors_say() {
    let hex = |bytes: Vec<u8>| {
        bytes
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    };
    let mut listed = Vec::new();
    for (name, envelope, taken) in envelopes() {
        assert_eq!(block::decode(&envelope).is_ok(), taken, "{name}");
        let bytes = hex(envelope.encode_to_vec());
        listed.push(serde_json::json!({"name": name, "block": bytes, "taken": taken}));
    }
    let listed = serde_json::to_string_pretty(&listed).expect("JSON") + "\n";
    let path = folder().join("blocks.json");
    if std::env::var_os("ZUOXI_GENERATE").is_some() {
        fs::write(&path, &listed).expect("proto/vectors can be written");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), listed);
}

/// Name of the file, and what it must hold.
fn vectors() -> Vec<(&'static str, Vec<u8>)> {
    let hello = Hello {
        version_min: 1,
        version_max: 2,
        capabilities: vec!["later".into()],
        epoch: u64::MAX - 1,
        nonce: id(0xee),
        time_ms: 1_764_000_000_000,
        software: "0.1.0".into(),
    };
    let own = LogPoint {
        conversation: id(0x11),
        head: 42,
        floor: 3,
    };
    let beat = Heartbeat {
        epoch: 1,
        time_ms: 1_764_000_000_000,
        own: Some(own),
        ..Heartbeat::default()
    };
    let state = CustomerState {
        stage: customer_state::Stage::Queued.into(),
        ahead: 3,
        ..CustomerState::default()
    };
    let push = Push {
        number: 8,
        conversation: id(0x11),
        head: 42,
        floor: 1,
        entry: Some(entry(42, "在的")),
        ..Push::default()
    };
    let mut future_frame = gateway(gateway_frame::Kind::CustomerState(state.clone()));
    // A kind of the future (field 900) after one that is known.
    future_frame.extend_from_slice(b"\xa2\x38\x03new");
    vec![
        ("client_log_in", client(log_in())),
        ("client_acts", client(acts())),
        ("gateway_hello", gateway(gateway_frame::Kind::Hello(hello))),
        ("gateway_answers", gateway(answers())),
        (
            "gateway_pushes",
            gateway(gateway_frame::Kind::Pushes(Pushes { pushes: vec![push] })),
        ),
        ("gateway_page", gateway(page())),
        ("gateway_sealed_page", gateway(sealed_page())),
        ("gateway_heartbeat", gateway(gateway_frame::Kind::Heartbeat(beat))),
        (
            "gateway_problem",
            gateway(gateway_frame::Kind::Problem(Problem {
                code: 99,
                advice: 2,
                retry_ms: 500,
                ..Problem::default()
            })),
        ),
        (
            "gateway_customer_state",
            gateway(gateway_frame::Kind::CustomerState(state)),
        ),
        ("future_frame", future_frame),
        ("future_entry", future_entry()),
    ]
}

#[test]
fn rust_encodes_what_stands_in_the_vectors() {
    for (name, bytes) in vectors() {
        let path = folder().join(format!("{name}.bin"));
        if std::env::var_os("ZUOXI_GENERATE").is_some() {
            fs::write(&path, &bytes).expect("proto/vectors can be written");
        }
        assert_eq!(fs::read(&path).unwrap_or_default(), bytes, "{name}");
    }
}

#[test]
fn rust_decodes_and_encodes_every_vector_of_today() {
    for (name, bytes) in vectors().into_iter().filter(|(name, _)| !name.starts_with("future")) {
        let again = if name.starts_with("client") {
            frame::encode_client(&frame::decode_client(bytes.clone().into(), true).expect(name))
        } else {
            frame::encode_gateway(&frame::decode_gateway(bytes.clone().into()).expect(name))
        };
        assert_eq!(again, bytes, "{name}");
    }
}

#[test]
fn a_frame_with_a_kind_of_the_future_breaks_nothing() {
    let bytes = fs::read(folder().join("future_frame.bin")).expect("the vector");
    let frame = frame::decode_gateway(bytes.into()).expect("a frame");
    assert!(matches!(frame.kind, Some(gateway_frame::Kind::CustomerState(_))));
    let unknown = frame::decode_gateway(Bytes::from_static(b"\x08\x05\xa2\x38\x03new")).expect("a frame");
    assert_eq!((unknown.request, unknown.kind), (5, None));
}

#[test]
fn fields_of_the_future_come_through_a_block_byte_for_byte() {
    for codec in [BlockCodec::Plain, BlockCodec::Zstd] {
        let packed = block::encode(codec, 1, 3, 0, entries()).expect("a block");
        let over_the_wire = Block::decode(packed.encode_to_vec().as_slice()).expect("an envelope");
        let came = block::decode(&over_the_wire).expect("entries");
        let bytes: Vec<Bytes> = came.iter().map(|(_, bytes)| bytes.clone()).collect();
        assert_eq!(bytes, entries());
        assert_eq!(
            came[2].0.content,
            Bytes::from_static(b"\x4a\x06future"),
            "content is opaque"
        );
        let again = block::encode(codec, 1, 3, 1, bytes).expect("a block");
        assert_eq!(again.data, packed.data);
        let plain = block::plain(again).expect("a block");
        assert_eq!((plain.codec(), plain.generation), (BlockCodec::Plain, 1));
        assert_eq!(block::decode(&plain).expect("entries").len(), 3);
    }
}

#[test]
fn content_of_the_future_is_carried_as_it_came_in_acts() {
    let content = Bytes::from_static(b"\x4a\x06future");
    let act = Act {
        id: id(1),
        lane: 1,
        number: 1,
        kind: ActKind::Message.into(),
        content: content.clone(),
        ..Act::default()
    };
    let sent = client(client_frame::Kind::Acts(Acts { acts: vec![act] }));
    let Some(client_frame::Kind::Acts(came)) = frame::decode_client(sent.into(), true).expect("a frame").kind else {
        panic!("acts");
    };
    assert_eq!(came.acts[0].content, content);
}

#[test]
fn texts_are_judged_as_the_vectors_say() {
    let vectors: serde_json::Value =
        serde_json::from_slice(&fs::read(folder().join("texts.json")).expect("the vectors")).expect("JSON");
    for vector in vectors.as_array().expect("a list") {
        let times = vector.get("times").and_then(serde_json::Value::as_u64).unwrap_or(1);
        let words = vector["text"].as_str().expect("a text").repeat(times as usize);
        let verdict = match check_text(&words) {
            Ok(()) => "ok",
            Err(TextError::Empty) => "empty",
            Err(TextError::TooLong) => "too_long",
            Err(TextError::Control) => "control",
        };
        assert_eq!(verdict, vector["verdict"], "{}", vector["name"]);
    }
}

#[test]
fn a_block_without_holes_only() {
    let lying = |first, last, entries: Vec<Bytes>| {
        let data = BlockEntries { entries }.encode_to_vec();
        let decoded_size = data.len() as u32;
        Block {
            version: 1,
            codec: BlockCodec::Plain.into(),
            first,
            last,
            data: data.into(),
            decoded_size,
            ..Block::default()
        }
    };
    assert!(block::decode(&lying(1, 3, entries())).is_ok());
    for (first, last) in [(1, 2), (1, 4), (2, 4), (0, 2), (3, 1), (1, u64::MAX)] {
        assert!(
            block::decode(&lying(first, last, entries())).is_err(),
            "{first} to {last}"
        );
    }
    let mut holed = entries();
    holed.swap(0, 1);
    assert!(block::decode(&lying(1, 3, holed)).is_err());
}
