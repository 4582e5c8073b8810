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

/// How a flag is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It stands alone.
    Alone,
    /// A value follows.
    Valued,
    /// A value may follow.
    Either,
}

use Kind::{Alone, Either, Valued};

/// Every flag, for all tasks that take it.
const FLAGS: &[(&str, Kind)] = &[
    ("yes", Alone),
    ("help", Alone),
    ("no-demo", Alone),
    ("release", Alone),
    ("fast", Alone),
    ("fresh", Alone),
    ("regressions", Alone),
    ("print", Alone),
    ("short", Alone),
    ("whole", Alone),
    ("planted", Either),
    ("agents", Valued),
    ("clients", Valued),
    ("customers", Valued),
    ("data", Valued),
    ("idle", Valued),
    ("minutes", Valued),
    ("pairs", Valued),
    ("rate", Valued),
    ("runs", Valued),
    ("seconds", Valued),
    ("seed", Valued),
    ("texts", Valued),
    ("window", Valued),
];

/// What a task takes.
struct Takes {
    task: &'static str,
    flags: &'static [&'static str],
    /// Words after the task, which it judges itself.
    words: bool,
}

const fn takes(task: &'static str, flags: &'static [&'static str], words: bool) -> Takes {
    Takes { task, flags, words }
}

const TASKS: &[Takes] = &[
    takes(
        "run",
        &["yes", "no-demo", "agents", "customers", "rate", "release", "data"],
        false,
    ),
    takes("test", &["yes", "fast"], false),
    takes("torture", &["yes", "minutes", "seed"], false),
    takes("soak", &["yes", "minutes", "rate"], false),
    takes(
        "bench",
        &[
            "yes",
            "texts",
            "agents",
            "clients",
            "customers",
            "idle",
            "pairs",
            "seconds",
            "window",
        ],
        true,
    ),
    takes("fuzz", &["yes", "seconds"], true),
    takes(
        "simulate",
        &[
            "seed",
            "fresh",
            "runs",
            "seconds",
            "regressions",
            "print",
            "short",
            "whole",
            "planted",
        ],
        false,
    ),
    takes("generate", &["yes"], false),
];

impl Arguments {
    /// Reads `task words --flag value --flag=value --alone`, and says what the task doesn't take.
    ///
    /// # Errors
    /// A flag that there isn't, or not for this task; a value that is missing or stands where none does; a word too many.
    /// An unknown task is none here: who calls knows them.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut read = Self::default();
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let Some(flag) = argument.strip_prefix("--") else {
                read.words.push(argument);
                continue;
            };
            let (name, given) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            let kind = FLAGS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
            let kind = kind.ok_or_else(|| format!("there is no --{name}: see cargo xtask help"))?;
            let value = match (kind, given) {
                (Alone, Some(value)) => return Err(format!("--{name} stands alone, without `{value}`")),
                (Alone, None) => None,
                (_, Some(value)) => Some(value),
                (_, None) => arguments.next_if(|next| !next.starts_with("--")),
            };
            if kind == Valued && value.as_deref().unwrap_or_default().is_empty() {
                return Err(format!("--{name} takes a value"));
            }
            read.flags.insert(name.to_owned(), value);
        }
        read.check()?;
        Ok(read)
    }

    /// Whether the task takes all of it.
    fn check(&self) -> Outcome {
        let Some(takes) = TASKS.iter().find(|takes| takes.task == self.task()) else {
            return Ok(());
        };
        let task = takes.task;
        if let Some(flag) = self.flags.keys().find(|flag| !takes.flags.contains(&flag.as_str())) {
            let all: Vec<String> = takes.flags.iter().map(|flag| format!("--{flag}")).collect();
            return Err(format!("{task} takes no --{flag}: {}", all.join(", ")));
        }
        match self.words().first().filter(|_| !takes.words) {
            Some(word) => Err(format!("{task} takes no `{word}`")),
            None => Ok(()),
        }
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

    /// Those of the flags that were given, as they are handed on.
    pub(crate) fn handed_on(&self, flags: &[&str]) -> Vec<String> {
        let given = flags.iter().filter(|flag| self.has(flag));
        given
            .flat_map(|flag| std::iter::once(format!("--{flag}")).chain(self.text(flag).map(str::to_owned)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Outcome<Arguments> {
        Arguments::read(line.split_whitespace().map(str::to_owned))
    }

    fn refused(line: &str) -> String {
        read(line).expect_err(line)
    }

    #[test]
    fn flags_take_values_with_and_without_an_equals_sign() {
        let arguments = read("run --agents 3 --rate=0.5 --yes --no-demo").unwrap();
        assert_eq!(arguments.task(), "run");
        assert_eq!(arguments.number("agents", 1), Ok(3));
        assert_eq!(arguments.number("rate", 1.0), Ok(0.5));
        assert!(arguments.has("yes") && arguments.has("no-demo") && !arguments.has("release"));
    }

    #[test]
    fn a_number_that_is_none_is_said() {
        let arguments = read("run --agents many").unwrap();
        assert_eq!(arguments.number("agents", 1), Err("--agents takes a number".into()));
    }

    #[test]
    fn a_value_that_is_missing_is_said_whatever_comes_next() {
        for line in ["torture --minutes", "torture --minutes --seed 3", "torture --minutes="] {
            assert_eq!(refused(line), "--minutes takes a value", "{line}");
        }
        assert_eq!(refused("test --fast=no"), "--fast stands alone, without `no`");
    }

    #[test]
    fn a_flag_or_a_word_that_the_task_does_not_take_is_refused() {
        assert!(refused("simulate --run 5").contains("there is no --run"));
        assert!(refused("torture --fast").starts_with("torture takes no --fast: --yes, --minutes"));
        assert_eq!(refused("test fast"), "test takes no `fast`");
        assert_eq!(read("bench gateway --pairs 2").unwrap().words(), ["gateway"]);
    }

    #[test]
    fn what_is_planted_may_be_named() {
        assert_eq!(read("simulate --planted").unwrap().text("planted"), None);
        let one = read("simulate --planted ErasedStays --seed 3").unwrap();
        assert_eq!(
            one.handed_on(&["seed", "planted", "runs"]),
            ["--seed", "3", "--planted", "ErasedStays"]
        );
    }

    #[test]
    fn every_task_takes_flags_that_there_are_and_usage_tells_them() {
        for takes in TASKS {
            for flag in takes.flags {
                assert!(FLAGS.iter().any(|(known, _)| known == flag), "--{flag}");
                assert!(crate::USAGE.contains(&format!("--{flag}")), "--{flag} isn't in USAGE");
            }
        }
    }
}
