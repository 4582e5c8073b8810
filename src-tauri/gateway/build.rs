//! The web chat page is part of the program: when it is built anew, so is the program. A release carries it inside; a
//! debug build reads it from this folder, which must be there when the program is built.

// This is how a build script speaks to cargo.
#![allow(clippy::print_stdout)]

fn main() -> std::io::Result<()> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/dist/chat");
    std::fs::create_dir_all(page)?;
    println!("cargo:rerun-if-changed={page}");
    Ok(())
}
