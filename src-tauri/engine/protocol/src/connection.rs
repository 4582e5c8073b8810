//! The connection: when to open it, whether it lives, when to come back.

use bytes::Bytes;

use crate::random::Random;

/// First and longest pause between attempts, milliseconds; each is drawn from 0 up (full jitter).
const PAUSE_MS: u64 = 500;
const LONGEST_PAUSE_MS: u64 = 30_000;
/// How long opening, the gateway's hello and its answer to a log-in may take, milliseconds.
const OPEN_MS: u64 = 15_000;
const HELLO_MS: u64 = 10_000;
const LOG_IN_MS: u64 = 20_000;
/// Silence after which the other end is asked whether it lives; bounds of how long its answer may take.
const QUIET_MS: u64 = 10_000;
const SHORTEST_WAIT_MS: u64 = 2_000;
const LONGEST_WAIT_MS: u64 = 10_000;
/// How often the round trip is measured, milliseconds.
const MEASURE_MS: u64 = 30_000;
/// A connection that lived so long was a good one: pauses begin short again. Milliseconds.
const STEADY_MS: u64 = 5_000;
/// So many unanswered pings, and the connection is dead.
const MISSES: u32 = 3;
/// So many while other frames keep coming, and nothing that is sent arrives.
const UNANSWERED: u32 = 6;

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing to log in with, or no use in trying.
    Off,
    /// The next attempt begins then.
    Waiting {
        at: u64,
    },
    Opening,
    /// Open; the gateway speaks first.
    Greeting,
    LoggingIn,
    Live,
}

/// What time brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Open,
    Ping,
    /// It took too long, or it is dead.
    Dead,
}

/// The connection's machine.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) phase: Phase,
    /// Counts connections.
    pub(crate) serial: u64,
    since: u64,
    failures: u32,
    heard: u64,
    pinged: Option<(u64, u64)>,
    misses: u32,
    /// Pings since the last pong. What else comes says that the gateway lives, and nothing of the way there.
    unanswered: u32,
    measure_at: u64,
    /// Smoothed round trip, milliseconds.
    pub(crate) round_trip: Option<u64>,
    /// Since when there is none; 0: never was.
    pub(crate) lost_at: u64,
    next_request: u32,
    /// 16 bytes of the gateway's hello.
    pub(crate) nonce: Bytes,
}

impl Connection {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Off,
            serial: 0,
            since: 0,
            failures: 0,
            heard: 0,
            pinged: None,
            misses: 0,
            unanswered: 0,
            measure_at: 0,
            round_trip: None,
            lost_at: 0,
            next_request: 0,
            nonce: Bytes::new(),
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// There is a connection, or an attempt at one.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Off | Phase::Waiting { .. })
    }

    pub(crate) fn request(&mut self) -> u32 {
        self.next_request = self.next_request.wrapping_add(1).max(1);
        self.next_request
    }

    fn enter(&mut self, phase: Phase, now: u64) {
        self.phase = phase;
        self.since = now;
        self.heard = now;
    }

    /// An attempt begins then.
    pub(crate) fn try_at(&mut self, at: u64) {
        self.phase = Phase::Waiting { at };
    }

    /// An attempt begins now.
    pub(crate) fn open(&mut self, now: u64) {
        self.serial += 1;
        self.next_request = 0;
        self.pinged = None;
        self.misses = 0;
        self.unanswered = 0;
        self.enter(Phase::Opening, now);
    }

    pub(crate) fn opened(&mut self, now: u64) {
        self.enter(Phase::Greeting, now);
    }

    pub(crate) fn greeted(&mut self, now: u64) {
        self.enter(Phase::LoggingIn, now);
    }

    pub(crate) fn logged_in(&mut self, now: u64) {
        self.measure_at = now;
        self.enter(Phase::Live, now);
    }

    /// The connection is gone: comes back after a drawn pause, and not before `after_ms`: others were told the same.
    pub(crate) fn lost(&mut self, now: u64, after_ms: Option<u64>, random: &mut Random) {
        if self.is_live() {
            self.lost_at = now;
            if now.saturating_sub(self.since) > STEADY_MS {
                self.failures = 0;
            }
        }
        let longest = (PAUSE_MS << self.failures.min(10)).min(LONGEST_PAUSE_MS);
        self.failures += 1;
        let pause = after_ms.unwrap_or(0) + random.up_to(longest);
        let at = now + pause;
        self.phase = Phase::Waiting { at };
    }

    /// Nothing more is tried.
    pub(crate) fn stop(&mut self, now: u64) {
        if self.is_live() {
            self.lost_at = now;
        }
        self.failures = 0;
        self.phase = Phase::Off;
    }

    /// The system says that the network changed: an attempt at once, or a ping with a short wait.
    pub(crate) fn network_changed(&mut self, now: u64) {
        self.failures = 0;
        match self.phase {
            Phase::Waiting { .. } => self.phase = Phase::Waiting { at: now },
            Phase::Live if self.pinged.is_none() => self.heard = now.saturating_sub(QUIET_MS),
            _ => {}
        }
    }

    /// Something came: it lives.
    pub(crate) fn hear(&mut self, now: u64) {
        self.heard = now;
        self.misses = 0;
    }

    /// The answer to a ping came; the smoothed round trip if it is ours.
    pub(crate) fn pong(&mut self, token: u64, now: u64) -> Option<u64> {
        self.unanswered = 0;
        let (_, at) = self.pinged.filter(|(sent, _)| *sent == token)?;
        self.pinged = None;
        self.measure_at = now + MEASURE_MS;
        let measured = now.saturating_sub(at);
        let smooth = self.round_trip.map_or(measured, |before| (before * 7 + measured) / 8);
        self.round_trip = Some(smooth);
        Some(smooth)
    }

    /// A ping leaves now.
    pub(crate) fn ping(&mut self, token: u64, now: u64) {
        self.pinged = Some((token, now));
    }

    fn wait_ms(&self) -> u64 {
        self.round_trip.map_or(LONGEST_WAIT_MS, |ms| {
            (ms * 4 + 1_000).clamp(SHORTEST_WAIT_MS, LONGEST_WAIT_MS)
        })
    }

    fn next(&self) -> Option<u64> {
        match self.phase {
            Phase::Off => None,
            Phase::Waiting { at } => Some(at),
            Phase::Opening => Some(self.since + OPEN_MS),
            Phase::Greeting => Some(self.since + HELLO_MS),
            Phase::LoggingIn => Some(self.since + LOG_IN_MS),
            Phase::Live => Some(match self.pinged {
                Some((_, at)) => at + self.wait_ms(),
                None => (self.heard + QUIET_MS).min(self.measure_at),
            }),
        }
    }

    /// What time brings now.
    pub(crate) fn due(&mut self, now: u64) -> Due {
        if self.next().is_none_or(|next| next > now) {
            return Due::Nothing;
        }
        match self.phase {
            Phase::Off => Due::Nothing,
            Phase::Waiting { .. } => Due::Open,
            Phase::Live => {
                if self.pinged.take().is_some() {
                    self.misses += 1;
                    self.unanswered += 1;
                }
                if self.misses >= MISSES || self.unanswered >= UNANSWERED {
                    Due::Dead
                } else {
                    Due::Ping
                }
            }
            Phase::Opening | Phase::Greeting | Phase::LoggingIn => Due::Dead,
        }
    }

    /// When to look again.
    pub(crate) fn wake(&self) -> Option<u64> {
        self.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A live connection whose round trip was measured.
    fn live(round_trip_ms: u64, now: u64) -> Connection {
        let mut connection = Connection::new();
        connection.open(now);
        connection.opened(now);
        connection.greeted(now);
        connection.logged_in(now);
        assert_eq!(connection.due(now), Due::Ping);
        connection.ping(1, now);
        connection.pong(1, now + round_trip_ms);
        connection.hear(now + round_trip_ms);
        connection
    }

    /// Pings as they come due, until it is given up: when, and how many.
    fn silence(connection: &mut Connection, from: u64) -> (u64, u32) {
        let (mut now, mut pings) = (from, 0);
        loop {
            now = connection.wake().unwrap().max(now);
            match connection.due(now) {
                Due::Ping => {
                    pings += 1;
                    connection.ping(100 + u64::from(pings), now);
                }
                Due::Dead => return (now, pings),
                Due::Nothing | Due::Open => {}
            }
        }
    }

    #[test]
    fn a_silent_connection_is_dead_after_three_missed_answers_each_by_the_measured_round_trip() {
        for (round_trip, wait) in [(1, 2_000), (500, 3_000), (60_000, 10_000)] {
            let mut connection = live(round_trip, 1_000);
            let (dead_at, pings) = silence(&mut connection, 1_000);
            assert_eq!(pings, MISSES);
            assert_eq!(dead_at, 1_000 + round_trip + QUIET_MS + u64::from(MISSES) * wait);
        }
    }

    #[test]
    fn an_answer_or_anything_else_that_comes_keeps_it_alive() {
        let mut connection = live(20, 0);
        let mut now = 0;
        for token in 2..50 {
            now = connection.wake().unwrap().max(now);
            assert_eq!(connection.due(now), Due::Ping);
            connection.ping(token, now);
            if token % 2 == 0 {
                assert_eq!(connection.pong(token, now + 20), Some(20));
            }
            connection.hear(now + 20);
        }
    }

    #[test]
    fn when_the_system_says_so_it_is_looked_at_at_once() {
        let mut connection = live(20, 100_000);
        assert_eq!(connection.due(105_000), Due::Nothing);
        connection.network_changed(105_000);
        assert_eq!(connection.due(105_000), Due::Ping);

        let mut random = Random::new(7);
        let mut connection = Connection::new();
        connection.open(0);
        for _ in 0..20 {
            connection.lost(0, None, &mut random);
        }
        connection.network_changed(1_000);
        assert_eq!(connection.due(1_000), Due::Open);
        // And the pauses begin short again.
        connection.open(1_000);
        connection.lost(1_000, None, &mut random);
        assert!(connection.wake().unwrap() <= 1_000 + PAUSE_MS);
    }

    #[test]
    fn pauses_are_drawn_from_nothing_up_to_a_cap() {
        let mut random = Random::new(1);
        let (mut shortest, mut longest) = (u64::MAX, 0);
        for _ in 0..200 {
            let mut connection = Connection::new();
            for _ in 0..12 {
                connection.lost(0, None, &mut random);
            }
            let pause = connection.wake().unwrap();
            shortest = shortest.min(pause);
            longest = longest.max(pause);
        }
        assert!(longest <= LONGEST_PAUSE_MS && longest > LONGEST_PAUSE_MS * 8 / 10);
        assert!(shortest < LONGEST_PAUSE_MS / 10);
    }

    #[test]
    fn a_connection_on_which_nothing_that_is_sent_arrives_is_found_dead_though_heartbeats_come() {
        let mut connection = live(50, 0);
        let dead = (100..200_000).find(|now| {
            if now % 10_000 == 0 {
                connection.hear(*now);
            }
            match connection.due(*now) {
                Due::Ping => connection.ping(*now, *now),
                Due::Dead => return true,
                _ => {}
            }
            false
        });
        assert!(dead.is_some_and(|ms| ms < 120_000), "{dead:?}");
    }

    #[test]
    fn a_late_answer_to_an_earlier_ping_is_an_answer() {
        let mut connection = live(50, 0);
        let mut sent = std::collections::VecDeque::new();
        for now in 100..300_000 {
            if now % 1_000 == 0 {
                connection.hear(now);
            }
            match connection.due(now) {
                Due::Ping => {
                    connection.ping(now, now);
                    sent.push_back(now);
                }
                Due::Dead => panic!("dead at {now}"),
                _ => {}
            }
            if sent.front().is_some_and(|at| at + 9_000 <= now) {
                connection.pong(sent.pop_front().unwrap(), now);
            }
        }
    }
}
