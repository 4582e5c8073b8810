//! How a customer behaves: asks, reads, waits, gets impatient, leaves and comes back. Pure: time and randomness come
//! from outside.

use fastrand::Rng;

use crate::talks::Language;

/// Share of customers, in percent, who write Chinese.
const CHINESE: u32 = 75;
/// Nudges after which nobody waits any longer.
const PATIENCE: u32 = 3;
/// Milliseconds within which words are typed, at most.
const TYPING_MS: u64 = 4_000;

/// How customers behave, all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manner {
    /// Mean milliseconds between two messages of one customer; 1 or more.
    pub pace_ms: u64,
    /// Never leaves, never waits: for load tests, where the rate counts.
    pub steady: bool,
}

/// What a customer does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    /// Begins or stops typing.
    Type(bool),
    /// Sends words, in a language (BCP 47).
    Write(String, String),
    /// Looks at what came.
    Read,
    /// Gives stars with words.
    Rate(u32, String),
    /// Closes the page.
    Leave,
    /// Opens it again; `true`: as the same visitor.
    Return(bool),
}

/// Where a customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Here,
    Typing,
    Away,
}

/// One customer.
#[derive(Debug, Clone)]
pub struct Shopper {
    rng: Rng,
    manner: Manner,
    language: Language,
    /// Lines still to be said, the next one last.
    lines: Vec<String>,
    place: Place,
    /// The talk goes on then.
    next_ms: u64,
    /// Something unread is looked at then.
    read_ms: Option<u64>,
    /// Own messages since somebody answered.
    unanswered: u32,
    nudged: u32,
    closed: bool,
    thanked: bool,
}

impl Shopper {
    /// A customer who comes at some time within the first pace after `now_ms`.
    pub fn new(seed: u64, manner: Manner, languages: &[Language], now_ms: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let wanted = if rng.u32(..100) < CHINESE { "zh" } else { "en" };
        let language = languages
            .iter()
            .find(|language| language.tag == wanted)
            .or(languages.first());
        let manner = Manner {
            pace_ms: manner.pace_ms.max(1),
            ..manner
        };
        let mut shopper = Self {
            next_ms: now_ms + rng.u64(0..=manner.pace_ms),
            language: language.cloned().unwrap_or_default(),
            rng,
            manner,
            lines: Vec::new(),
            place: Place::Here,
            read_ms: None,
            unanswered: 0,
            nudged: 0,
            closed: false,
            thanked: false,
        };
        shopper.think_of_something();
        shopper
    }

    /// Language of this customer, BCP 47.
    pub fn language(&self) -> &str {
        &self.language.tag
    }

    fn think_of_something(&mut self) {
        self.lines = self.rng.choice(&self.language.talks).cloned().unwrap_or_default();
        self.lines.reverse();
        (self.nudged, self.unanswered, self.thanked, self.closed) = (0, 0, false, false);
    }

    /// When to call [`Shopper::step`] next.
    pub fn due_ms(&self) -> u64 {
        self.read_ms.map_or(self.next_ms, |read_ms| read_ms.min(self.next_ms))
    }

    /// An agent's words came.
    pub fn hear(&mut self, now_ms: u64) {
        self.unanswered = 0;
        self.nudged = 0;
        if self.place != Place::Away && self.read_ms.is_none() {
            let glance = (self.manner.pace_ms / 4).clamp(1, 3_000);
            self.read_ms = Some(now_ms + self.rng.u64(..=glance));
        }
    }

    /// The conversation was closed.
    pub fn see_closed(&mut self) {
        self.closed = true;
    }

    /// What is due.
    pub fn step(&mut self, now_ms: u64) -> Vec<Doing> {
        let mut doing = Vec::new();
        if self.read_ms.is_some_and(|read_ms| read_ms <= now_ms) {
            self.read_ms = None;
            doing.push(Doing::Read);
        }
        if self.next_ms <= now_ms {
            self.go_on(now_ms, &mut doing);
        }
        doing
    }

    fn go_on(&mut self, now_ms: u64, doing: &mut Vec<Doing>) {
        if self.place == Place::Away {
            self.place = Place::Here;
            let same = self.rng.u32(..10) < 7;
            self.think_of_something();
            self.pause(now_ms, 10);
            doing.push(Doing::Return(same));
            return;
        }
        if self.manner.steady {
            if self.lines.is_empty() {
                self.think_of_something();
            }
            let words = self.lines.pop();
            self.write(words, now_ms, doing);
            return;
        }
        // Words are typed before they are there, if there is time for it.
        if self.place == Place::Here && self.has_words() && self.manner.pace_ms > 2 * TYPING_MS {
            self.place = Place::Typing;
            self.next_ms = now_ms + self.rng.u64(TYPING_MS / 4..=TYPING_MS);
            doing.push(Doing::Type(true));
            return;
        }
        self.place = Place::Here;
        let waits_for_answer = self.unanswered >= 2 && self.rng.bool();
        if self.closed || self.nudged >= PATIENCE {
            self.leave(now_ms, doing);
        } else if waits_for_answer || (self.lines.is_empty() && self.unanswered > 0) {
            self.nudged += 1;
            let words = self.rng.choice(&self.language.nudges).cloned();
            self.write(words, now_ms, doing);
        } else if let Some(line) = self.lines.pop() {
            self.write(Some(line), now_ms, doing);
        } else if !self.thanked {
            self.thanked = true;
            let words = self.rng.choice(&self.language.thanks).cloned();
            self.write(words, now_ms, doing);
            // Thanks want no answer.
            self.unanswered = 0;
        } else {
            self.leave(now_ms, doing);
        }
    }

    fn has_words(&self) -> bool {
        !self.closed && self.nudged < PATIENCE && !(self.lines.is_empty() && self.unanswered == 0 && self.thanked)
    }

    fn write(&mut self, words: Option<String>, now_ms: u64, doing: &mut Vec<Doing>) {
        self.unanswered += 1;
        self.pause(now_ms, 10);
        doing.extend(words.map(|words| Doing::Write(words, self.language.tag.clone())));
    }

    fn leave(&mut self, now_ms: u64, doing: &mut Vec<Doing>) {
        if self.closed && self.rng.u32(..3) == 0 {
            let words = self.rng.choice(&self.language.ratings).cloned().unwrap_or_default();
            doing.push(Doing::Rate(self.rng.u32(2..=5), words));
        }
        self.place = Place::Away;
        self.read_ms = None;
        self.pause(now_ms, 30);
        doing.push(Doing::Leave);
    }

    /// Half to one and a half of so many tenths of the pace.
    fn pause(&mut self, now_ms: u64, tenths: u64) {
        let mean = (self.manner.pace_ms * tenths / 10).max(1);
        self.next_ms = now_ms + self.rng.u64(mean / 2..=mean + mean / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::talks::languages;

    fn live(manner: Manner, answered: bool, minutes: u64) -> Vec<Doing> {
        let mut shopper = Shopper::new(7, manner, &languages(), 0);
        let mut done = Vec::new();
        while shopper.due_ms() < minutes * 60_000 {
            let now = shopper.due_ms();
            let doing = shopper.step(now);
            if answered && doing.iter().any(|doing| matches!(doing, Doing::Write(..))) {
                shopper.hear(now + 1_000);
            }
            done.extend(doing);
        }
        done
    }

    #[test]
    fn who_is_not_answered_nudges_and_leaves_and_comes_back() {
        let done = live(
            Manner {
                pace_ms: 10_000,
                steady: false,
            },
            false,
            60,
        );
        let nudges: Vec<String> = languages().into_iter().flat_map(|language| language.nudges).collect();
        assert!(
            done.iter()
                .any(|doing| matches!(doing, Doing::Write(words, _) if nudges.contains(words)))
        );
        let leaves = done.iter().filter(|doing| **doing == Doing::Leave).count();
        let returns = done.iter().filter(|doing| matches!(doing, Doing::Return(_))).count();
        assert!(leaves >= 2 && leaves - returns <= 1, "{leaves} {returns}");
        assert!(!done.contains(&Doing::Read), "there was nothing to read");
    }

    #[test]
    fn who_is_answered_reads_and_thanks_before_leaving() {
        let done = live(
            Manner {
                pace_ms: 10_000,
                steady: false,
            },
            true,
            30,
        );
        assert!(done.contains(&Doing::Read));
        assert!(done.contains(&Doing::Type(true)));
        let thanks: Vec<String> = languages().into_iter().flat_map(|language| language.thanks).collect();
        assert!(
            done.iter()
                .any(|doing| matches!(doing, Doing::Write(words, _) if thanks.contains(words)))
        );
    }

    #[test]
    fn a_steady_customer_keeps_the_rate() {
        let done = live(
            Manner {
                pace_ms: 100,
                steady: true,
            },
            false,
            1,
        );
        assert!(done.iter().all(|doing| matches!(doing, Doing::Write(..))));
        assert!((500..700).contains(&done.len()), "{}", done.len());
    }
}
