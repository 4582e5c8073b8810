//! What time and state make due: one look after each event, the user's first, then the network's, then background.

use zuoxi_wire::v1::{
    AskHeartbeat, ClientFrame, FeedId, MovePosition, Ping, ProblemCode, ReadEntries, ReadFeed, SeqRange, Watch,
    client_frame, read_entries,
};
use zuoxi_wire::{Id, limits};

use super::Session;
use crate::change::{Change, FeedKey, Range};
use crate::connection::Due;
use crate::input::{Ask, Output};
use crate::log::NEWEST;
use crate::notice::{Notice, WatchEnd};
use crate::planted::{self, Fault};
use crate::turn::Turn;

/// Pulls under way at once: with 200 conversations to catch up, each round trip brings this many of them on. And how many
/// commits may be outstanding before more is asked for.
const PULLS: usize = 16;
const COMMITS: usize = 32;
/// Windows' questions that may wait.
pub(super) const WANTS: usize = 256;
/// Own reading is told at most so often, milliseconds.
const READS_EVERY_MS: u64 = 200;
/// A heartbeat is asked for at most so often, milliseconds.
const HEARTBEAT_ASKED_MS: u64 = 1_000;
/// After a problem without advice, asked again after so long, milliseconds.
pub(super) const RETRY_MS: u64 = 2_000;

/// What was asked, by request number.
#[derive(Debug)]
pub(super) enum Asked {
    /// Its answer tells nothing.
    Nothing,
    LogIn,
    Feed {
        key: FeedKey,
        above: u64,
    },
    /// A page of a kept log; `turned`: as the log's then; without a range the newest.
    Page {
        conversation: Id,
        turned: u64,
        range: Option<Range>,
    },
    Want {
        want: Want,
        turned: u64,
    },
    WatchPage {
        conversation: Id,
        range: Option<Range>,
    },
    Compare {
        conversation: Id,
    },
    Watch {
        conversation: Id,
    },
    FindTime {
        ask: Ask,
    },
    Customer {
        ask: Ask,
    },
    Colleagues {
        ask: Ask,
    },
    Plain {
        ask: Ask,
    },
}

/// Entries that a window needs.
#[derive(Debug, Clone)]
pub(super) struct Want {
    pub(super) ask: Ask,
    pub(super) conversation: Id,
    pub(super) range: Range,
    pub(super) background: bool,
}

impl Session {
    /// Sends a frame; an ACK rides along.
    pub(super) fn send(&mut self, request: u32, kind: Option<client_frame::Kind>, turn: &mut Turn<'_>) {
        let ack = if self.connection.is_live() {
            self.acks.ride()
        } else {
            None
        };
        turn.out.push(Output::Send(ClientFrame { request, ack, kind }));
    }

    /// Sends a request.
    pub(super) fn ask(&mut self, asked: Asked, kind: client_frame::Kind, turn: &mut Turn<'_>) {
        let request = self.connection.request();
        self.asked.insert(request, asked);
        self.send(request, Some(kind), turn);
    }

    /// Does what is due.
    pub(super) fn advance(&mut self, turn: &mut Turn<'_>) {
        match self.connection.due(turn.now) {
            Due::Nothing => {}
            Due::Open => self.open(turn),
            Due::Dead => self.dead(turn),
            Due::Ping => {
                let token = self.random.next();
                self.connection.ping(token, turn.now);
                self.send(0, Some(client_frame::Kind::Ping(Ping { token })), turn);
            }
        }
        if !self.connection.is_live() {
            return;
        }
        self.send_acts(turn);
        self.send_wants(turn);
        self.open_watches(turn);
        self.send_reads(turn);
        self.ask_feeds(turn);
        self.compare_logs(turn);
        self.pull_gaps(turn);
        self.ask_heartbeat(turn);
        if self.acks.due().is_some_and(|due| due <= turn.now) {
            self.send(0, None, turn);
        }
    }

    fn is_congested(&self) -> bool {
        self.commits.len() >= COMMITS
    }

    fn ask_feeds(&mut self, turn: &mut Turn<'_>) {
        if self.is_congested() {
            return;
        }
        let now = turn.now;
        let due: Vec<FeedKey> = self
            .feeds
            .0
            .iter()
            .filter(|(_, feed)| feed.due().is_some_and(|due| due <= now))
            .map(|(key, _)| *key)
            .collect();
        for key in due {
            let Some(feed) = self.feeds.0.get_mut(&key) else {
                continue;
            };
            let place = feed.ask();
            let question = ReadFeed {
                feed: Some(FeedId {
                    kind: key.kind,
                    id: key.id.to_bytes(),
                }),
                feed_epoch: place.feed_epoch,
                above: place.revision,
                limit: limits::FEED_PAGE_ROWS as u32,
            };
            self.ask(
                Asked::Feed {
                    key,
                    above: place.revision,
                },
                client_frame::Kind::ReadFeed(question),
                turn,
            );
        }
    }

    fn pulls(&self) -> usize {
        self.asked
            .values()
            .filter(|asked| matches!(asked, Asked::Page { .. } | Asked::WatchPage { .. }))
            .count()
    }

    fn pull_gaps(&mut self, turn: &mut Turn<'_>) {
        let mut free = PULLS.saturating_sub(self.pulls());
        if free == 0 || self.is_congested() {
            return;
        }
        let now = turn.now;
        let watched = self
            .watching
            .iter_mut()
            .filter_map(|(id, watch)| Some((*id, watch.log.as_mut()?, true)));
        let kept = self
            .logs
            .iter_mut()
            .filter(|(id, _)| self.unsettled.contains(id))
            .map(|(id, log)| (*id, log, false));
        let mut questions = Vec::new();
        for (conversation, log, is_watch) in watched.chain(kept) {
            if free == 0 {
                break;
            }
            if log.due().is_none_or(|due| due > now) {
                continue;
            }
            log.asked = true;
            free -= 1;
            let range = log.question();
            let asked = if is_watch {
                Asked::WatchPage { conversation, range }
            } else {
                Asked::Page {
                    conversation,
                    turned: log.turned,
                    range,
                }
            };
            questions.push((asked, conversation, range));
        }
        for (asked, conversation, range) in questions {
            self.ask(asked, read_entries(conversation, range), turn);
        }
    }

    fn send_wants(&mut self, turn: &mut Turn<'_>) {
        let under_way = self
            .asked
            .values()
            .filter(|asked| matches!(asked, Asked::Want { .. }))
            .count();
        let mut free = PULLS.saturating_sub(under_way);
        while free > 0 && !self.is_congested() {
            let foreground = self.wants.iter().position(|want| !want.background);
            let Some(want) = foreground
                .or((under_way == 0).then_some(0))
                .and_then(|at| self.wants.remove(at))
            else {
                return;
            };
            free -= 1;
            let turned = self.logs.get(&want.conversation).map_or(0, |log| log.turned);
            let question = read_entries(want.conversation, Some(want.range));
            self.ask(Asked::Want { want, turned }, question, turn);
        }
    }

    fn open_watches(&mut self, turn: &mut Turn<'_>) {
        let due: Vec<Id> = self
            .watching
            .iter()
            .filter(|(_, watch)| watch.is_due())
            .map(|(conversation, _)| *conversation)
            .collect();
        for conversation in due {
            if let Some(watch) = self.watching.get_mut(&conversation) {
                watch.asked = true;
            }
            let question = Watch {
                conversation: conversation.to_bytes(),
            };
            self.ask(Asked::Watch { conversation }, client_frame::Kind::Watch(question), turn);
        }
    }

    fn send_reads(&mut self, turn: &mut Turn<'_>) {
        if self.reads.is_empty() || self.reads_at > turn.now {
            return;
        }
        self.reads_at = turn.now + READS_EVERY_MS;
        for conversation in std::mem::take(&mut self.reads) {
            let Some(log) = self.logs.get(&conversation).filter(|log| !log.state.to_compare) else {
                continue;
            };
            let moved = MovePosition {
                conversation: conversation.to_bytes(),
                read: log.state.read,
            };
            self.send(0, Some(client_frame::Kind::MovePosition(moved)), turn);
        }
    }

    /// Nothing is left to fetch, and no heartbeat of this connection has proven it: asks for one.
    fn ask_heartbeat(&mut self, turn: &mut Turn<'_>) {
        if self.lacks_heartbeat() {
            self.heartbeat_now(turn);
        }
    }

    fn lacks_heartbeat(&self) -> bool {
        let read = self.feeds.0.values().all(crate::feeds::Feed::is_read);
        self.heartbeat.is_none() && read && self.unsettled.is_empty() && self.outbox.waiting() == 0
    }

    pub(super) fn heartbeat_now(&mut self, turn: &mut Turn<'_>) {
        let again = self.asked_heartbeat_at.map(|at| at + HEARTBEAT_ASKED_MS);
        if self.connection.is_live() && again.is_none_or(|again| again <= turn.now) {
            self.asked_heartbeat_at = Some(turn.now);
            self.send(0, Some(client_frame::Kind::AskHeartbeat(AskHeartbeat {})), turn);
        }
    }

    /// When to look again if nothing happens.
    pub(super) fn next_wake(&self, now: u64) -> Option<u64> {
        let mut due = vec![self.connection.wake(), self.mark_wake()];
        if self.connection.is_live() {
            due.extend([self.acks.due(), self.outbox.wake(), self.feeds.wake()]);
            due.push((!self.reads.is_empty()).then_some(self.reads_at));
            let asked = self.asked_heartbeat_at.filter(|_| self.lacks_heartbeat());
            due.push(asked.map(|at| at + HEARTBEAT_ASKED_MS));
            if self.pulls() < PULLS && !self.is_congested() {
                let kept = self.unsettled.iter().filter_map(|id| self.logs.get(id)?.due());
                let watched = self.watching.values().filter_map(|watch| watch.log.as_ref()?.due());
                due.push(kept.chain(watched).min());
            }
            due.push(self.compare_wake());
        }
        due.into_iter().flatten().min().map(|wake| wake.max(now + 1))
    }

    /// A request was refused, or its connection is gone (`problem` is none).
    pub(super) fn unanswered(&mut self, asked: &Asked, problem: Option<zuoxi_wire::v1::Problem>, turn: &mut Turn<'_>) {
        let pause = problem
            .as_ref()
            .map_or(0, |problem| u64::from(problem.retry_ms).clamp(RETRY_MS, 60_000));
        let at = turn.now + pause;
        match asked {
            Asked::Nothing | Asked::LogIn => {}
            Asked::Feed { key, .. } => {
                if let Some(feed) = self.feeds.0.get_mut(key) {
                    feed.retry(at);
                }
            }
            Asked::Page { conversation, .. } => {
                if let Some(log) = self.logs.get_mut(conversation) {
                    log.asked = problem.is_none() && planted::has(Fault::TimerLostAtReconnect);
                    log.retry_at = at;
                }
            }
            Asked::WatchPage { conversation, .. } => {
                if let Some(log) = self.watching.get_mut(conversation).and_then(|watch| watch.log.as_mut()) {
                    log.asked = false;
                    log.retry_at = at;
                }
            }
            Asked::Compare { conversation } => {
                let missing = problem
                    .as_ref()
                    .is_some_and(|problem| problem.code() == ProblemCode::NotFound);
                if missing && self.is_customer() {
                    self.compared_with_nothing(*conversation, turn);
                } else {
                    self.compare_failed(*conversation, at);
                }
            }
            Asked::Watch { conversation } => {
                if let (Some(watch), None) = (self.watching.get_mut(conversation), &problem) {
                    watch.asked = false;
                } else if let Some(problem) = problem
                    // One that became one's own while it was asked has ended already.
                    && self.watching.remove(conversation).is_some()
                {
                    let many = problem.code() == ProblemCode::Watches;
                    let why = if many { WatchEnd::TooMany } else { WatchEnd::Gone };
                    turn.after(Notice::WatchEnded {
                        conversation: *conversation,
                        why,
                    });
                }
            }
            Asked::Want {
                want: Want { ask, .. }, ..
            }
            | Asked::FindTime { ask }
            | Asked::Customer { ask }
            | Asked::Colleagues { ask }
            | Asked::Plain { ask } => turn.tell(Notice::Failed { ask: *ask, problem }),
        }
    }

    /// A feed moved: told to the store.
    pub(super) fn feed_moved(&mut self, key: FeedKey, turn: &mut Turn<'_>) {
        if let Some(feed) = self.feeds.0.get(&key) {
            turn.change(Change::Feed(key, feed.place));
        }
    }
}

/// A question for a range, or for the newest page.
fn read_entries(conversation: Id, range: Option<Range>) -> client_frame::Kind {
    let what = match range {
        Some(range) => read_entries::What::Range(SeqRange {
            first: range.first,
            last: range.last,
        }),
        None => read_entries::What::Newest(NEWEST),
    };
    client_frame::Kind::ReadEntries(ReadEntries {
        conversation: conversation.to_bytes(),
        what: Some(what),
    })
}
