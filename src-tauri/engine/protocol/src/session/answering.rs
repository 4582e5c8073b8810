//! Frames of the gateway, each to the machine that it is for.

use zuoxi_wire::Id;
use zuoxi_wire::v1::{Heartbeat, MemberRole, Problem, Signal, gateway_frame::Kind, signal};

use super::Session;
use super::asking::Asked;
use crate::change::FeedKey;
use crate::connection::Phase;
use crate::notice::Notice;
use crate::turn::Turn;

impl Session {
    pub(super) fn frame(&mut self, request: u32, kind: Option<Kind>, turn: &mut Turn<'_>) {
        if !matches!(self.connection.phase, Phase::Greeting | Phase::LoggingIn | Phase::Live) {
            return;
        }
        self.connection.hear(turn.now);
        let Some(kind) = kind else { return };
        match kind {
            Kind::Hello(hello) => return self.hello(hello, turn),
            Kind::LoggedIn(told) => {
                self.asked.remove(&request);
                return self.logged_in(told, turn);
            }
            Kind::GoingAway(away) => return self.going_away(away, turn),
            Kind::Problem(problem) => return self.problem(request, problem, turn),
            _ if !self.connection.is_live() => return,
            _ => {}
        }
        match kind {
            Kind::Answers(answers) => {
                for answer in answers.answers {
                    self.answered(answer, turn);
                }
            }
            Kind::Pushes(pushes) => {
                if !self.pushes(pushes.pushes, turn) {
                    tracing::warn!("pushes out of order; connecting anew");
                    self.close(None, turn);
                }
            }
            Kind::Heartbeat(beat) => self.beat(beat, turn),
            Kind::PositionMoves(moves) => self.told_positions(&moves.moves, turn),
            Kind::Signal(signal) => Self::signal(signal, turn),
            Kind::PresenceMoves(moves) => {
                for moved in moves.moves {
                    if let Ok(member) = Id::try_from(&moved.member) {
                        turn.tell(Notice::Presence {
                            member,
                            presence: moved.presence(),
                        });
                    }
                }
            }
            Kind::Pong(pong) => {
                if let Some(ms) = self.connection.pong(pong.token, turn.now) {
                    turn.tell(Notice::RoundTrip { ms });
                }
            }
            Kind::CustomerState(state) => self.customer_state(state, turn),
            other => self.answer(request, other, turn),
        }
    }

    fn problem(&mut self, request: u32, problem: Problem, turn: &mut Turn<'_>) {
        match self.asked.remove(&request) {
            Some(Asked::LogIn) => self.refused(problem, turn),
            Some(asked) => self.unanswered(&asked, Some(problem), turn),
            None if request == 0 => self.refused(problem, turn),
            None => {}
        }
    }

    /// What answers a request of ours. A kind that doesn't fit the request is dropped with it.
    fn answer(&mut self, request: u32, kind: Kind, turn: &mut Turn<'_>) {
        let Some(asked) = self.asked.remove(&request) else {
            return;
        };
        match (asked, kind) {
            (Asked::Feed { key, above }, Kind::FeedPage(page)) => self.feed_page(key, above, page, turn),
            (
                Asked::Page {
                    conversation,
                    turned,
                    range,
                },
                Kind::EntriesPage(page),
            ) => self.page(conversation, turned, range, &page, turn),
            (Asked::WatchPage { conversation, range }, Kind::EntriesPage(page)) => {
                self.watch_page(conversation, &page, range, false, turn);
            }
            (Asked::Want { want, turned }, Kind::EntriesPage(page)) => self.wanted(want, turned, &page, turn),
            (Asked::Compare { conversation }, Kind::Compared(compared)) => self.compared(conversation, compared, turn),
            (Asked::Watch { conversation }, Kind::WatchPage(page)) => self.watch_opened(conversation, page, turn),
            (Asked::FindTime { ask }, Kind::FoundTime(found)) => turn.tell(Notice::FoundTime { ask, seq: found.seq }),
            (Asked::Customer { ask }, Kind::Customer(customer)) => {
                turn.tell(Notice::Customer {
                    ask,
                    customer: Box::new(customer),
                });
            }
            (Asked::Colleagues { ask }, Kind::Colleagues(colleagues)) => {
                turn.tell(Notice::Colleagues {
                    ask,
                    colleagues: Box::new(colleagues),
                });
            }
            (Asked::Plain { ask }, Kind::Done(_)) => turn.tell(Notice::Done { ask }),
            (Asked::Nothing, _) => {}
            (asked, _) => self.unanswered(&asked, Some(Problem::default()), turn),
        }
    }

    fn beat(&mut self, beat: Heartbeat, turn: &mut Turn<'_>) {
        if beat.epoch != self.epoch {
            self.close(None, turn);
            return;
        }
        Self::clock(beat.time_ms, turn);
        self.heartbeat_at = turn.now;
        let points = || {
            beat.feeds.iter().filter_map(|point| {
                let feed = point.feed.as_ref()?;
                Some((
                    FeedKey {
                        kind: feed.kind,
                        id: Id::try_from(&feed.id).ok()?,
                    },
                    point,
                ))
            })
        };
        self.set_feeds(&points().map(|(key, _)| key).collect::<Vec<_>>(), turn);
        for (key, point) in points() {
            if let Some(feed) = self.feeds.0.get_mut(&key) {
                feed.tell(point.feed_epoch, point.revision, turn.now);
            }
        }
        if let Some(own) = &beat.own
            && let Ok(conversation) = Id::try_from(&own.conversation)
            && self.is_customer()
        {
            self.owns(conversation, turn);
            self.told_log(conversation, own.head, own.floor, turn);
        }
        self.watch_heads(&beat, turn);
        self.heartbeat = Some(beat);
    }

    fn signal(signal: Signal, turn: &mut Turn<'_>) {
        let (Ok(conversation), Ok(member)) = (Id::try_from(&signal.conversation), Id::try_from(&signal.member)) else {
            return;
        };
        let role = MemberRole::try_from(signal.role).unwrap_or_default();
        match signal.kind {
            Some(signal::Kind::Typing(typing)) => turn.tell(Notice::Typing {
                conversation,
                member,
                role,
                typing,
            }),
            Some(signal::Kind::PageUrl(url)) => turn.tell(Notice::Page { conversation, url }),
            None => {}
        }
    }
}
