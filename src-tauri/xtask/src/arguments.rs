//! The command line, read without a library.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::Outcome;

/// A task, its flags and its words.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    words: Vec<String>,
    flags: BTreeMap<String, Option<String>>,
}

/// Flags that stand alone; all others take a value.
const ALONE: &[&str] = &[
    "yes",
    "no-demo",
    "release",
    "fast",
    "help",
    "fresh",
    "regressions",
    "print",
    "short",
    "whole",
];

impl Arguments {
    /// Reads `task words --flag value --flag=value --alone`.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Self {
        let mut read = Self::default();
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let Some(flag) = argument.strip_prefix("--") else {
                read.words.push(argument);
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None if ALONE.contains(&flag) => (flag.to_owned(), None),
                None => (flag.to_owned(), arguments.next_if(|next| !next.starts_with("--"))),
            };
            read.flags.insert(name, value);
        }
        read
    }

    /// The first word; empty: none.
    pub(crate) fn task(&self) -> &str {
        if self.has("help") {
            "help"
        } else {
            self.words.first().map_or("", String::as_str)
        }
    }

    /// The words after the task.
    pub(crate) fn words(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    /// Whether a flag was given.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.contains_key(flag)
    }

    /// A flag's value as text.
    pub(crate) fn text(&self, flag: &str) -> Option<&str> {
        self.flags.get(flag).and_then(Option::as_deref)
    }

    /// A flag's value as a number, or what holds if it isn't given.
    pub(crate) fn number<N: FromStr>(&self, flag: &str, otherwise: N) -> Outcome<N> {
        match self.flags.get(flag) {
            None => Ok(otherwise),
            Some(value) => value
                .as_deref()
                .and_then(|value| value.parse().ok())
                .ok_or_else(|| format!("--{flag} takes a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Arguments {
        Arguments::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_take_values_with_and_without_an_equals_sign() {
        let arguments = read("run --agents 3 --rate=0.5 --yes --no-demo");
        assert_eq!(arguments.task(), "run");
        assert_eq!(arguments.number("agents", 1), Ok(3));
        assert_eq!(arguments.number("rate", 1.0), Ok(0.5));
        assert!(arguments.has("yes") && arguments.has("no-demo") && !arguments.has("release"));
    }

    #[test]
    fn a_number_that_is_none_is_said() {
        assert_eq!(
            read("run --agents many").number("agents", 1),
            Err("--agents takes a number".into())
        );
        assert_eq!(
            read("run --agents").number("agents", 1),
            Err("--agents takes a number".into())
        );
    }
}
