//! The corpora that are committed: made here, by rule, so that nobody's words are in them. What a fuzzer found broken
//! is added beside them by hand, as `found-…`.

use bytes::Bytes;
use prost::Message;
use zuoxi_wire::v1::{
    Ack, Act, ActKind, Acts, Block, BlockCodec, BlockEntries, ClientFrame, EntriesPage, Entry, GatewayFrame, Heartbeat,
    Hello, LogIn, LogPoint, MessageContent, Push, Pushes, TransferContent, Visitor, client_frame, gateway_frame,
    log_in, message_content, transfer_content,
};
use zuoxi_wire::{Id, block};

use crate::surroundings::{header, sign};

/// A file of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// Name of its target.
    pub target: &'static str,
    /// Name of the file.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Everything that is committed but for what was found.
pub fn seeds() -> Vec<Seed> {
    let mut made = Vec::new();
    let mut add = |target: &'static str, seeds: Vec<Vec<u8>>| {
        made.extend(seeds.into_iter().enumerate().map(|(n, bytes)| Seed {
            target,
            name: format!("made-{n:02}"),
            bytes,
        }));
    };
    add("client_frame", client_frames());
    add("gateway_frame", gateway_frames());
    add("block", blocks().iter().map(Message::encode_to_vec).collect());
    add("block_content", block_contents());
    add("content", contents());
    add("device", (0..12).map(|n| played(n, 20, &[2, 11, 17])).collect());
    add("gateway", (0..12).map(|n| played(100 + n, 20, &[1, 2, 12])).collect());
    add("identity", tokens());
    add("headers", heads());
    add("settings", texts(SETTINGS));
    add("proxy", answers());
    add("address", texts(ADDRESSES));
    add("key_file", texts(KEY_FILES));
    add("picture", PICTURES.iter().map(|file| file.to_vec()).collect());
    made
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn id(n: u8) -> Bytes {
    Id([n; 16]).to_bytes()
}

fn said(text: &str) -> Bytes {
    let body = Some(message_content::Body::Text(text.into()));
    MessageContent {
        body,
        language: "zh-CN".into(),
    }
    .encode_to_vec()
    .into()
}

fn client_frames() -> Vec<Vec<u8>> {
    let log_in = LogIn {
        version: 1,
        device: id(1),
        software: "fuzz".into(),
        codecs: vec![1, 2],
        credential: Some(log_in::Credential::Visitor(Visitor { brand: "brand".into() })),
        ..LogIn::default()
    };
    let act = |kind: ActKind, content: Bytes, number| Act {
        id: id(number),
        conversation: id(2),
        lane: 1,
        number: number.into(),
        kind: kind.into(),
        content,
        ..Act::default()
    };
    let transfer = TransferContent {
        to: Some(transfer_content::To::Agent(id(3))),
        reason: "退货".into(),
    };
    let acts = Acts {
        acts: vec![
            act(ActKind::Message, said("在吗\u{200f}"), 1),
            act(ActKind::Transfer, transfer.encode_to_vec().into(), 2),
            act(ActKind::Void, Bytes::new(), 3),
        ],
    };
    let frame = |request, kind| ClientFrame {
        request,
        ack: Some(Ack {
            push: 3,
            watermarks: Vec::new(),
        }),
        kind: Some(kind),
    };
    [
        frame(1, client_frame::Kind::LogIn(log_in)),
        frame(0, client_frame::Kind::Acts(acts)),
        ClientFrame::default(),
    ]
    .iter()
    .map(Message::encode_to_vec)
    .collect()
}

fn gateway_frames() -> Vec<Vec<u8>> {
    let hello = Hello {
        version_min: 1,
        version_max: 1,
        epoch: 7,
        nonce: id(4),
        ..Hello::default()
    };
    let push = Push {
        number: 1,
        conversation: id(2),
        head: 3,
        floor: 1,
        entry: Some(entry(3)),
        ..Push::default()
    };
    let beat = Heartbeat {
        epoch: 7,
        time_ms: 1_700_000_000_000,
        own: Some(LogPoint {
            conversation: id(2),
            head: 3,
            floor: 1,
        }),
        ..Heartbeat::default()
    };
    let mut frames = vec![
        gateway_frame::Kind::Hello(hello),
        gateway_frame::Kind::Pushes(Pushes { pushes: vec![push] }),
        gateway_frame::Kind::Heartbeat(beat),
    ];
    frames.push(gateway_frame::Kind::EntriesPage(EntriesPage {
        conversation: id(2),
        head: 9,
        floor: 1,
        blocks: blocks(),
        ..EntriesPage::default()
    }));
    frames
        .into_iter()
        .map(|kind| {
            GatewayFrame {
                request: 1,
                kind: Some(kind),
            }
            .encode_to_vec()
        })
        .collect()
}

fn entry(seq: u64) -> Entry {
    Entry {
        seq,
        id: id(seq as u8),
        kind: 1,
        time_ms: 1_700_000_000_000 + seq,
        author_role: 1,
        author: id(5),
        author_name: "访客".into(),
        content: said("一二三 one two three"),
        ..Entry::default()
    }
}

fn entries(first: u64, last: u64) -> Vec<Bytes> {
    (first..=last).map(|seq| entry(seq).encode_to_vec().into()).collect()
}

fn blocks() -> Vec<Block> {
    [
        (BlockCodec::Zstd, 1, 6),
        (BlockCodec::Plain, 3, 4),
        (BlockCodec::Zstd, 9, 9),
    ]
    .into_iter()
    .filter_map(|(codec, first, last)| block::encode(codec, first, last, 1, entries(first, last)).ok())
    .collect()
}

fn block_contents() -> Vec<Vec<u8>> {
    [(1, 1, 3), (2, 1, 3), (2, 5, 5)]
        .into_iter()
        .map(|(codec, first, last)| {
            let content = BlockEntries {
                entries: entries(first, last),
            };
            [vec![codec, first as u8, (last - first) as u8], content.encode_to_vec()].concat()
        })
        .collect()
}

fn contents() -> Vec<Vec<u8>> {
    let mut contents = vec![
        said("שלום\u{200f} \u{202e}abc\u{202c}").to_vec(),
        said("\u{7}\u{0}").to_vec(),
        id(6).to_vec(),
    ];
    contents.extend(texts(&["00000000-0000-7000-8000-000000000001", "  \u{200b}\n\t"]));
    contents
}

/// Choices that lead somewhere: of so many steps, these come often.
fn played(seed: u64, steps: u8, often: &[u8]) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut roll = move |sides: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % sides
    };
    let mut bytes = vec![seed as u8 & 1];
    bytes.extend(often.first());
    while bytes.len() < 300 {
        let step = if roll(3) == 0 {
            often.get(roll(often.len() as u64) as usize).copied().unwrap_or(0)
        } else {
            roll(u64::from(steps)) as u8
        };
        bytes.push(step);
        bytes.extend((0..roll(12)).map(|_| roll(20) as u8));
    }
    bytes
}

fn tokens() -> Vec<Vec<u8>> {
    let claims = r#"{"sub":"u1","name":"n","aud":["brand"],"exp":1800000000.5,"nonce":"ab","jti":"1","nbf":1}"#;
    let signed = sign(&format!("{}.e30", header()));
    vec![
        [b"\0", claims.as_bytes()].concat(),
        [b"\x01", signed.as_bytes()].concat(),
        b"\x01eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.".to_vec(),
    ]
}

fn heads() -> Vec<Vec<u8>> {
    let field = |which: u8, value: &str| [&[which, value.len() as u8], value.as_bytes()].concat();
    vec![
        [
            vec![0],
            field(0, "https://chat.example"),
            field(1, "chat.example"),
            field(2, "10.0.0.9, 192.0.2.1"),
        ]
        .concat(),
        [vec![1], field(0, "null"), field(2, "[2001:db8::1]")].concat(),
    ]
}

fn answers() -> Vec<Vec<u8>> {
    let with = |socks: u8, answer: &[u8]| {
        let (named, except) = (b"socks5h://[::1]:1080".as_slice(), b"*.lan, .example.com".as_slice());
        [
            &[named.len() as u8],
            named,
            &[except.len() as u8],
            except,
            &[socks],
            answer,
        ]
        .concat()
    };
    vec![
        with(0, b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\nhello"),
        with(0, b"HTTP/1.0 407 No\r\n\r\n"),
        with(1, &[5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 1, 1]),
        with(1, &[5, 0, 5, 0, 0, 3, 2, b'a', b'b', 1, 1]),
    ]
}

const SETTINGS: &[&str] = &[
    "\0\0listen = \"127.0.0.1:1\"\npublic_url = \"https://chat.example.com\"\n[limits]\nconnections = 5\n",
    "\u{1}\u{c}ZUOXI_LISTEN\u{b}127.0.0.1:2\u{1}\u{16}limits.wrong_per_name\u{1}7[tls]\ncertificate = \"a\"\nkey = \"b\"\n",
    "\0\0[log]\nlevel = \"info,act=off\"\nfolder = \"日志\"\n[stop]\ndrain_ms = 7\n",
    "\0\0[limits\nconections = -1",
];
const ADDRESSES: &[&str] = &[
    "chat.example.com",
    "https://chat.example.com:8443/",
    "http://127.0.0.1:8420",
    "[::1]:80",
    "ws://localhost",
    "https://user@chat.example.com/path?x#y",
    " ::ffff:127.0.0.1 ",
];
const KEY_FILES: &[&str] = &[
    "{\"guard\":\"keyring\"}",
    "{\"guard\":\"passphrase\",\"memory_kib\":65536,\"passes\":3,\"lanes\":1,\"salt\":\"000102030405060708090a0b0c0d0e0f\",\"check\":\"00\"}",
    "{\"guard\":\"passphrase\",\"memory_kib\":4294967295,\"passes\":4294967295,\"lanes\":1,\"salt\":\"zz\",\"check\":\"\"}",
];

/// Heads of pictures of each kind; what follows isn't looked at.
const PICTURES: &[&[u8]] = &[
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x80\0\0\0\x80\x08\x06\0\0\0",
    b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc4\0\x03x\xff\xc0\0\x11\x08\0\x40\0\x80\x03",
    b"RIFF\x40\0\0\0WEBPVP8 \x30\0\0\0\x10\x02\0\x9d\x01\x2a\x80\0\x40\xc0",
    b"RIFF\x40\0\0\0WEBPVP8L\x30\0\0\0\x2f\x7f\xc0\x0f\x10",
    b"RIFF\x40\0\0\0WEBPVP8X\x30\0\0\0\x10\0\0\0\x7f\0\0\x3f\0\0",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
];
