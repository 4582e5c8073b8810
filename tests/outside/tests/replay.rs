//! The committed corpora, through the same functions that libFuzzer drives. `cargo xtask generate` writes them.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use zuoxi_outside::{TARGETS, corpus, read};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("fuzz")
}

#[test]
fn every_committed_input_is_read_without_a_broken_promise() {
    if std::env::var_os("ZUOXI_GENERATE").is_some() {
        return;
    }
    for target in TARGETS {
        let folder = fuzz().join("corpus").join(target.name);
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{} has no corpus", target.name);
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let outcome = std::panic::catch_unwind(|| (target.read)(&bytes));
            assert!(outcome.is_ok(), "{} breaks a promise", file.display());
        }
    }
}

/// Inputs cut short, and with bits turned: what a fuzzer does first, on every machine.
#[test]
fn a_committed_input_that_was_damaged_is_read_too() {
    for seed in corpus::seeds() {
        let bytes = &seed.bytes;
        for n in 0..bytes.len().min(200) {
            let at = n * bytes.len() / bytes.len().min(200);
            read(seed.target, bytes.get(..at).unwrap_or_default());
            let mut turned = bytes.clone();
            if let Some(byte) = turned.get_mut(at) {
                *byte ^= 1 << (n % 8);
            }
            read(seed.target, &turned);
        }
    }
}

#[test]
fn the_committed_corpora_are_what_is_made() {
    for seed in corpus::seeds() {
        let file = fuzz().join("corpus").join(seed.target).join(&seed.name);
        if std::env::var_os("ZUOXI_GENERATE").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &seed.bytes).unwrap();
        }
        let committed = std::fs::read(&file).unwrap_or_default();
        assert!(committed == seed.bytes, "{}: cargo xtask generate", file.display());
    }
}

/// cargo-fuzz finds a target by its file, and the crate that has them isn't of this workspace.
#[test]
fn every_reader_has_a_fuzz_target() {
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let mut files: BTreeSet<String> = std::fs::read_dir(fuzz().join("targets"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    for target in TARGETS {
        let file = format!("{}.rs", target.name);
        let text = std::fs::read_to_string(fuzz().join("targets").join(&file)).unwrap_or_default();
        assert!(text.contains(&format!("read(\"{}\"", target.name)), "{file}");
        assert!(manifest.contains(&format!("path = \"targets/{file}\"")), "{file}");
        files.remove(&file);
    }
    assert!(files.is_empty(), "without a reader: {files:?}");
}
