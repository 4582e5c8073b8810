//! What is generated and committed. The tests that hold it against its source write it when asked to.

use crate::arguments::Arguments;
use crate::machine::{self, Purpose};
use crate::stage::{cargo, see, stage};
use crate::{Outcome, node};

/// Writes everything anew.
///
/// # Errors
/// A generator's.
pub(crate) fn generate(arguments: &Arguments) -> Outcome {
    stage("what the machine needs", || {
        machine::prepare(Purpose::Run, arguments.has("yes"))
    })?;
    stage("TypeScript of the engine's views", || {
        see(cargo(["test", "--quiet", "-p", "zuoxi-engine", "--test", "typescript"]).env("ZUOXI_GENERATE", "1"))
    })?;
    stage("TypeScript of the shell's views", || {
        see(cargo(["test", "--quiet", "-p", "zuoxi", "--lib", "typescript"]).env("ZUOXI_GENERATE", "1"))
    })?;
    stage("TypeScript of the wire and of its limits, Rust's vectors", || {
        node::packages()?;
        see(cargo(["test", "--quiet", "-p", "zuoxi-wire"]).env("ZUOXI_GENERATE", "1"))
    })?;
    stage("corpora of the fuzz targets", || {
        see(cargo(["test", "--quiet", "-p", "zuoxi-outside"]).env("ZUOXI_GENERATE", "1"))
    })?;
    stage("TypeScript's vectors", || {
        let mut vectors = node::npm(&["exec", "--", "vitest", "run", "src/vectors.test.ts"])?;
        see(vectors.env("ZUOXI_GENERATE", "1"))
    })
}
