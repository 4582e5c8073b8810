//! The store in memory is a store.

use zuoxi_rules::{MemoryStore, conformance};

#[test]
fn memory_passes_the_suite_of_all_stores() {
    conformance::run(&mut || MemoryStore::new(7));
}
