//! What a command tells: lines for people, or JSON for programs.

use std::io::{self, Write};

use serde_json::Value;

/// Where answers go.
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// One answer, for people or for programs.
    pub(crate) fn tell(&self, line: &str, value: &Value) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{value}")
        } else {
            writeln!(out, "{line}")
        }?;
        out.flush()
    }
}

/// A text as it is.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
