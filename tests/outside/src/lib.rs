//! Everything that reads bytes from outside, a function for each. `tests/fuzz` feeds them what libFuzzer invents; the
//! tests here replay the committed corpora, on every machine.
//!
//! A function takes any bytes and does with them what the program does. It may panic only where a promise is broken.
//!
//! The readers of engine and gateway are taken in as sources: their crates bring SQLCipher and a web server, which
//! take minutes to build with coverage, and these few files need neither.
// Promises are asserted: a panic is how a fuzzer hears of a broken one.
#![allow(clippy::missing_panics_doc, clippy::panic)]

pub mod corpus;
mod device;
mod gateway;
mod source;
mod surroundings;
mod wire;

// The sources that are taken in stand where they expect their neighbours.
#[allow(missing_docs, dead_code, unreachable_pub)]
#[path = "../../../src-tauri/gateway/src/identity.rs"]
mod identity;
#[allow(missing_docs, dead_code, unreachable_pub)]
#[path = "../../../src-tauri/engine/src/store/key_file.rs"]
mod key_file;
#[allow(missing_docs, dead_code, unreachable_pub)]
mod net;
#[allow(missing_docs, dead_code, unreachable_pub)]
#[path = "../../../src-tauri/engine/src/picture.rs"]
mod picture;
#[allow(missing_docs, dead_code, unreachable_pub)]
mod server;
#[allow(missing_docs, dead_code, unreachable_pub)]
#[path = "../../../src-tauri/gateway/src/settings.rs"]
mod settings;

/// One reader of bytes from outside.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the fuzz target, and of its corpus' folder.
    pub name: &'static str,
    /// What reads.
    pub read: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "client_frame",
        read: wire::client_frame,
    },
    Target {
        name: "gateway_frame",
        read: wire::gateway_frame,
    },
    Target {
        name: "block",
        read: wire::block,
    },
    Target {
        name: "block_content",
        read: wire::block_content,
    },
    Target {
        name: "content",
        read: wire::content,
    },
    Target {
        name: "device",
        read: device::session,
    },
    Target {
        name: "gateway",
        read: gateway::rules,
    },
    Target {
        name: "identity",
        read: surroundings::identity,
    },
    Target {
        name: "headers",
        read: surroundings::headers,
    },
    Target {
        name: "settings",
        read: surroundings::settings,
    },
    Target {
        name: "proxy",
        read: surroundings::proxy,
    },
    Target {
        name: "address",
        read: surroundings::address,
    },
    Target {
        name: "key_file",
        read: surroundings::key_file,
    },
    Target {
        name: "picture",
        read: surroundings::picture,
    },
];

/// Feeds bytes to the target of this name; one that isn't there is a mistake in `tests/fuzz`.
pub fn read(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let Some(target) = target else {
        panic!("there is no target {name}");
    };
    (target.read)(bytes);
}
