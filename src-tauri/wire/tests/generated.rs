//! TypeScript of the wire (`ui/src/gen/proto`, by protoc-gen-es) and of its limits (`ui/src/gen/limits.ts`) is what the
//! proto files and `limits.rs` say. `ZUOXI_GENERATE=1` writes them (see `cargo xtask generate`).
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use prost::Message;
use prost_types::FileDescriptorSet;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};

fn ui() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ui")
}

fn writing() -> bool {
    std::env::var_os("ZUOXI_GENERATE").is_some()
}

#[test]
fn limits_for_typescript_are_up_to_date() {
    let mut text =
        String::from("// Generated from src-tauri/wire/src/limits.rs by `cargo xtask generate`. Don't edit.\n");
    for (name, value, docs) in zuoxi_wire::limits::ALL {
        let docs = docs.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        write!(text, "\n/** {docs} */\nexport const {name} = {value};\n").unwrap();
    }
    let path = ui().join("src/gen/limits.ts");
    if writing() {
        fs::write(&path, &text).expect("ui/src/gen can be written");
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == text,
        "limits.ts is out of date: cargo xtask generate"
    );
}

/// Runs protoc-gen-es as protoc would. It needs the packages of ui/; `cargo xtask test` has installed them before.
fn generated() -> Option<BTreeMap<String, String>> {
    let plugin = ui().join("node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es");
    if !plugin.exists() {
        return None;
    }
    let files = FileDescriptorSet::decode(zuoxi_wire::DESCRIPTORS)
        .expect("descriptors")
        .file;
    let request = CodeGeneratorRequest {
        file_to_generate: files.iter().filter_map(|file| file.name.clone()).collect(),
        parameter: Some("target=ts,import_extension=none".into()),
        proto_file: files,
        ..CodeGeneratorRequest::default()
    };
    let mut node = Command::new("node")
        .arg(plugin)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node can be started");
    node.stdin
        .take()
        .expect("a pipe")
        .write_all(&request.encode_to_vec())
        .expect("written");
    let output = node.wait_with_output().expect("an answer");
    let response = CodeGeneratorResponse::decode(output.stdout.as_slice()).expect("an answer of a plugin");
    assert_eq!(response.error, None);
    Some(
        response
            .file
            .into_iter()
            .map(|file| (file.name.unwrap_or_default(), file.content.unwrap_or_default()))
            .collect(),
    )
}

#[test]
fn messages_for_typescript_are_up_to_date() {
    let Some(files) = generated() else {
        assert!(std::env::var_os("CI").is_none(), "ui/node_modules isn't there");
        return;
    };
    assert!(!files.is_empty());
    for (name, content) in files {
        let path = ui().join("src/gen/proto").join(&name);
        if writing() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, &content).expect("ui/src/gen can be written");
        }
        assert!(
            fs::read_to_string(path).unwrap_or_default() == content,
            "{name} is out of date: cargo xtask generate"
        );
    }
}
