//! The mark: "up to date" is a statement that a heartbeat proves, judged on what is committed.

use zuoxi_wire::Id;

use super::Session;
use crate::change::{FeedKey, OutboxState};
use crate::connection::Phase;
use crate::input::Output;
use crate::notice::{FeedProof, Notice, Proof, Sync};

/// Counts of a catching-up are told at most so often, milliseconds.
const COUNTS_EVERY_MS: u64 = 250;
/// So many heartbeats missed, and the mark is taken back.
const MISSED: u64 = 3;

impl Session {
    /// What is in memory would be up to date as of that time, if it were committed.
    fn provable(&self, now: u64) -> Option<u64> {
        let beat = self.heartbeat.as_ref().filter(|_| self.connection.is_live())?;
        let fresh = now.saturating_sub(self.heartbeat_at) <= MISSED * self.heartbeat_every();
        let read = if self.is_customer() {
            let here = self
                .own
                .and_then(|own| self.logs.get(&own))
                .map_or(0, |log| log.state.head);
            beat.own.as_ref().is_none_or(|own| here >= own.head)
        } else {
            beat.feeds.len() == self.feeds.0.len() && self.feed_proofs().iter().all(|feed| feed.agrees)
        };
        let settled = self.unsettled.is_empty() && self.outbox.waiting() == 0;
        (fresh && read && settled && beat.epoch == self.epoch).then_some(beat.time_ms)
    }

    fn feed_proofs(&self) -> Vec<FeedProof> {
        let beat = self.heartbeat.as_ref();
        let proof = |(key, feed): (&FeedKey, &crate::feeds::Feed)| {
            let point = beat.into_iter().flat_map(|beat| &beat.feeds).find(|point| {
                point
                    .feed
                    .as_ref()
                    .is_some_and(|id| id.kind == key.kind && Id::try_from(&id.id) == Ok(key.id))
            });
            let there = point.map_or(0, |point| point.revision);
            let agrees = point.is_some_and(|point| {
                feed.is_read() && point.feed_epoch == feed.place.feed_epoch && there <= feed.place.revision
            });
            FeedProof {
                feed: *key,
                here: feed.place.revision,
                there,
                agrees,
            }
        };
        self.feeds.0.iter().map(proof).collect()
    }

    /// Judges the mark anew. It appears with the commit that makes it true, and goes as soon as it isn't.
    pub(super) fn mark(&mut self, now: u64, out: &mut Vec<Output>) {
        let provable = self.provable(now);
        if let Some(as_of_ms) = provable {
            if let Some(last) = self.last_in_order() {
                last.proven_ms = Some(as_of_ms);
            } else {
                self.prove(as_of_ms, now, out);
            }
            if matches!(self.sync, Sync::UpToDate { .. }) {
                return;
            }
        } else {
            for pending in &mut self.commits {
                pending.proven_ms = None;
            }
        }
        let sync = match self.connection.phase {
            Phase::Live => Sync::CatchingUp {
                missing: self
                    .unsettled
                    .iter()
                    .filter_map(|id| self.logs.get(id))
                    .map(crate::log::Log::missing)
                    .sum(),
                fetched: self.fetched,
                conversations: self.unsettled.len() as u32,
                waiting: self.outbox.waiting() as u32,
            },
            Phase::Waiting { at } => Sync::Offline {
                since_ms: self.connection.lost_at,
                retry_at_ms: at,
            },
            _ => Sync::Offline {
                since_ms: self.connection.lost_at,
                retry_at_ms: 0,
            },
        };
        self.tell_sync(sync, now, out);
    }

    /// The store is up to date as of that time.
    pub(super) fn prove(&mut self, as_of_ms: u64, now: u64, out: &mut Vec<Output>) {
        self.fetched = 0;
        self.tell_sync(Sync::UpToDate { as_of_ms }, now, out);
    }

    fn tell_sync(&mut self, sync: Sync, now: u64, out: &mut Vec<Output>) {
        if sync == self.sync {
            return;
        }
        let same_kind = std::mem::discriminant(&sync) == std::mem::discriminant(&self.sync);
        let counts = matches!(sync, Sync::CatchingUp { .. }) && same_kind;
        if counts && now < self.sync_told_at + COUNTS_EVERY_MS {
            return;
        }
        self.sync = sync;
        self.sync_told_at = now;
        out.push(Output::Notice(Notice::Sync(sync)));
    }

    pub(super) fn heartbeat_every(&self) -> u64 {
        let told = self.logged_in.as_ref().map_or(0, |told| u64::from(told.heartbeat_ms));
        if told == 0 {
            zuoxi_wire::limits::HEARTBEAT_MS
        } else {
            told
        }
    }

    /// When the mark must be taken back if no heartbeat comes.
    pub(super) fn mark_wake(&self) -> Option<u64> {
        matches!(self.sync, Sync::UpToDate { .. }).then(|| self.heartbeat_at + MISSED * self.heartbeat_every() + 1)
    }

    /// What the mark rests on.
    pub fn proof(&self) -> Proof {
        let parked = |state: &OutboxState| matches!(state, OutboxState::Parked { .. } | OutboxState::Lost);
        Proof {
            sync: self.sync,
            feeds: self.feed_proofs(),
            conversations: self.logs.len() as u32,
            gaps: self
                .unsettled
                .iter()
                .filter_map(|id| self.logs.get(id))
                .map(|log| log.gaps().len() as u32)
                .sum(),
            waiting: self.outbox.waiting() as u32,
            parked: self.outbox.acts().filter(|act| parked(&act.state)).count() as u32,
            round_trip_ms: self.connection.round_trip,
        }
    }
}
