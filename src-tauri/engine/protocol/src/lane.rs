//! A lane: the acts of one connection in one conversation, numbered in the order of doing.

use std::collections::VecDeque;

use zuoxi_wire::Id;

use crate::change::OutboxAct;
use crate::planted::{self, Fault};
use crate::random::Random;

/// Shortest and longest pause after a refusal for now, milliseconds.
const PAUSE_MS: u64 = 100;
const LONGEST_PAUSE_MS: u64 = 10_000;
/// An act that isn't answered for so long is sent again, milliseconds.
const UNANSWERED_MS: u64 = 20_000;

/// One numbered act. It stays as it was frozen, also if its own entry has settled it since: its number must be
/// answered all the same.
#[derive(Debug)]
struct Numbered {
    act: OutboxAct,
    sent_ms: u64,
    in_flight: bool,
    answered: bool,
}

/// A lane of the living connection.
#[derive(Debug)]
pub(crate) struct Lane {
    /// 1, 2, 3 …; a stop begins the next.
    nth: u32,
    /// From the lowest unanswered number on.
    numbered: VecDeque<Numbered>,
    /// Numbers below, all answered.
    settled: u32,
    pause_until: u64,
    /// Somebody looked for what may leave during the pause: looked again when it ends.
    held: bool,
    pauses: u32,
}

/// An act with its number.
#[derive(Debug, PartialEq)]
pub(crate) struct Sending {
    pub(crate) lane: u32,
    pub(crate) number: u32,
    pub(crate) act: OutboxAct,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            nth: 1,
            numbered: VecDeque::new(),
            settled: 0,
            pause_until: 0,
            held: false,
            pauses: 0,
        }
    }
}

impl Lane {
    pub(crate) fn in_flight(&self) -> usize {
        self.numbered.iter().filter(|numbered| numbered.in_flight).count()
    }

    fn is_paused(&self, now: u64) -> bool {
        self.pause_until > now
    }

    /// Whether nothing may leave now. Also what has no number yet leaves when the pause ends, though nothing else happens.
    pub(crate) fn holds_back(&mut self, now: u64) -> bool {
        self.held = self.is_paused(now);
        self.held
    }

    /// Has this act a number here?
    pub(crate) fn holds(&self, id: Id) -> bool {
        self.numbered.iter().any(|numbered| numbered.act.id == id)
    }

    /// The lowest number that must go again.
    pub(crate) fn again(&mut self, now: u64) -> Option<Sending> {
        let lane = self.nth;
        self.numbered
            .iter_mut()
            .zip(self.settled + 1..)
            .find(|(numbered, _)| !numbered.answered && !numbered.in_flight)
            .map(|(numbered, number)| {
                numbered.in_flight = true;
                numbered.sent_ms = now;
                Sending {
                    lane,
                    number,
                    act: numbered.act.clone(),
                }
            })
    }

    /// The next number.
    pub(crate) fn number(&mut self, act: OutboxAct, now: u64) -> Sending {
        self.numbered.push_back(Numbered {
            act: act.clone(),
            sent_ms: now,
            in_flight: true,
            answered: false,
        });
        Sending {
            lane: self.nth,
            number: self.settled + self.numbered.len() as u32,
            act,
        }
    }

    /// The act of a number that awaits its answer.
    pub(crate) fn awaited(&self, lane: u32, number: u32, id: Id) -> Option<&OutboxAct> {
        let found = self.numbered.get(self.at(number)?)?;
        if planted::has(Fault::AnswerWithoutLane) {
            return (!found.answered).then_some(&found.act);
        }
        let found = Some(found).filter(|_| lane == self.nth)?;
        (found.act.id == id && !found.answered).then_some(&found.act)
    }

    fn at(&self, number: u32) -> Option<usize> {
        number.checked_sub(self.settled + 1).map(|at| at as usize)
    }

    /// The number is settled.
    pub(crate) fn answer(&mut self, number: u32) {
        if let Some(numbered) = self.at(number).and_then(|at| self.numbered.get_mut(at)) {
            numbered.answered = true;
            numbered.in_flight = false;
            self.pauses = 0;
        }
        while self.numbered.front().is_some_and(|first| first.answered) {
            self.numbered.pop_front();
            self.settled += 1;
        }
    }

    /// A planted fault does it.
    pub(crate) fn free(&mut self, id: Id) {
        if let Some(at) = self.numbered.iter().position(|numbered| numbered.act.id == id) {
            self.answer(self.settled + 1 + at as u32);
        }
    }

    /// Refused for now: everything from this number on goes again, after a pause.
    pub(crate) fn go_back(&mut self, number: u32, retry_ms: u32, now: u64, random: &mut Random) {
        let from = self.at(number).unwrap_or(0);
        for numbered in self.numbered.iter_mut().skip(from) {
            numbered.in_flight = false;
        }
        if !self.is_paused(now) {
            let longest = (PAUSE_MS << self.pauses.min(10)).min(LONGEST_PAUSE_MS);
            self.pauses += 1;
            self.pause_until = now + longest / 2 + random.up_to(longest / 2);
        }
        self.pause_until = self.pause_until.max(now + u64::from(retry_ms));
    }

    /// The act was discarded: its number goes again, as a void.
    pub(crate) fn void(&mut self, act: &OutboxAct) {
        for numbered in self
            .numbered
            .iter_mut()
            .filter(|numbered| numbered.act.id == act.id && !numbered.answered)
        {
            numbered.act = act.clone();
            numbered.in_flight = false;
        }
    }

    /// A stop: nothing of this lane is waited for, and a new one is open.
    pub(crate) fn end(&mut self) {
        self.nth += 1;
        self.numbered.clear();
        self.settled = 0;
    }

    /// What wasn't answered for too long goes again.
    pub(crate) fn time_out(&mut self, now: u64) {
        let overdue = |numbered: &Numbered| numbered.in_flight && numbered.sent_ms + UNANSWERED_MS <= now;
        if let Some(first) = self.numbered.iter().position(overdue) {
            for numbered in self.numbered.iter_mut().skip(first) {
                numbered.in_flight = false;
            }
        }
    }

    /// When something must be done if nothing happens.
    pub(crate) fn wake(&self) -> Option<u64> {
        let due = |numbered: &Numbered| match (numbered.answered, numbered.in_flight) {
            (true, _) => None,
            (false, true) => Some(numbered.sent_ms + UNANSWERED_MS),
            (false, false) => Some(self.pause_until),
        };
        let pause = self.held.then_some(self.pause_until);
        self.numbered.iter().filter_map(due).chain(pause).min()
    }
}
