//! Memory is ahead of a store that failed: all is read again, after a pause, and what isn't in it comes back to the user.

use std::collections::{BTreeMap, BTreeSet};

use zuoxi_protocol::change::{Draft, Loaded, OutboxAct};
use zuoxi_protocol::{Command, Input, NewAct};
use zuoxi_wire::Id;

use super::Outside;
use super::active::{Active, session};
use super::reading::ReadDone;
use crate::store::StoreError;
use crate::view::CallError;

/// The longest first pause and the longest of all, milliseconds: a disk that goes on failing isn't hammered, nor is the
/// gateway, which each reading again connects to anew.
const FIRST_MS: u64 = 200;
const LONGEST_MS: u64 = 5_000;
/// A failure after so long is a first one again, milliseconds.
const CALM_MS: u64 = 60_000;

/// When all is read again.
#[derive(Debug, Default)]
pub(super) struct Reloading {
    /// Since when; `None`: the session is as it should be.
    pub(super) since: Option<u64>,
    /// When the store is asked; `None`: it was.
    pub(super) at: Option<u64>,
    last: u64,
    /// Failures, each soon after the one before it.
    failures: u32,
}

impl Reloading {
    /// With full jitter.
    fn begin(&mut self, now: u64, random: u64) {
        if now.saturating_sub(self.last) > CALM_MS {
            self.failures = 0;
        }
        let longest = (FIRST_MS << self.failures.min(10)).min(LONGEST_MS);
        self.failures += 1;
        self.since = Some(now);
        self.at = Some(now + random % (longest + 1));
    }

    fn end(&mut self, now: u64) {
        self.since = None;
        self.at = None;
        self.last = now;
    }
}

/// What was done, and what the store may not have.
#[derive(Default)]
pub(crate) struct Unstored {
    /// Their commit wasn't told, in the order of doing.
    acts: Vec<OutboxAct>,
    /// No session has taken them.
    asked: Vec<NewAct>,
    /// Parked acts by the new ones that would have taken their place.
    resends: BTreeMap<Id, Id>,
    drafts: BTreeMap<Id, Draft>,
}

impl Unstored {
    /// Memory knows no more than the store.
    pub(super) fn nothing(loaded: &Loaded) -> Self {
        Self {
            drafts: loaded.drafts.clone(),
            ..Self::default()
        }
    }

    pub(super) fn drafts(&self) -> &BTreeMap<Id, Draft> {
        &self.drafts
    }

    /// What a session begins with. No place is given twice, though what had it was never stored.
    pub(super) fn begin_with(&self, loaded: &Loaded) -> Loaded {
        let highest = self.acts.last().map_or(0, |act| act.place);
        Loaded {
            last_place: loaded.last_place.max(highest),
            ..loaded.clone()
        }
    }
}

impl Active {
    pub(super) fn reload(&mut self, outside: &Outside) {
        self.reloading
            .begin(outside.time.now(), outside.surroundings.randomness.number());
        self.link.close();
        self.held.clear();
        self.wake_at = None;
        self.changed.sync = true;
    }

    /// The user doesn't wait for the pause.
    pub(super) fn reload_now(&mut self) {
        if let Some(at) = &mut self.reloading.at {
            *at = 0;
        }
    }

    /// Asks the store if it is time to.
    pub(super) fn reload_if_due(&mut self) {
        if self.reloading.at.is_none_or(|at| at > self.now_ms) {
            return;
        }
        self.reloading.at = None;
        let tell = self.tell_read.clone();
        let asked = self.store.load(move |loaded| {
            // A hub that is gone needs nothing.
            let _ = tell.send(ReadDone::Loaded(loaded.map(Box::new)));
        });
        if let Err(error) = asked {
            self.reloaded_not(&error);
        }
    }

    pub(super) fn reloaded_not(&mut self, error: &StoreError) {
        tracing::error!(%error, "the store can't be read again: this account ends");
        self.broken = Some(CallError::new(error.code()));
    }

    pub(super) fn reloaded(&mut self, loaded: &Loaded, outside: &mut Outside) {
        let unstored = self.take_unstored();
        self.reloading.end(outside.time.now());
        self.inputs.retain(|input| matches!(input, Input::User(_)));
        self.uncommitted.clear();
        self.last_token = 0;
        self.session = session(&self.software, unstored.begin_with(loaded), self.presence, outside);
        self.wake_at = Some(0);
        self.fail_asks();
        self.fill_inbox(loaded, outside);
        self.show_all_anew(outside);
        // What waited for the session goes to this one.
        self.bring_back(
            &Unstored {
                asked: Vec::new(),
                ..unstored
            },
            loaded,
            outside,
        );
    }

    /// What only memory has.
    pub(super) fn take_unstored(&mut self) -> Unstored {
        let unwritten = std::mem::take(&mut self.unwritten);
        let mut acts: Vec<OutboxAct> = unwritten.iter().filter_map(|id| self.acts.get(id)).cloned().collect();
        acts.sort_unstable_by_key(|act| act.place);
        let asked = self.inputs.iter().filter_map(|input| match input {
            Input::User(Command::Act(new)) => Some(new.clone()),
            _ => None,
        });
        Unstored {
            acts,
            asked: asked.collect(),
            resends: std::mem::take(&mut self.resends),
            drafts: self.drafts.clone(),
        }
    }

    /// Words that the store doesn't have go back to their composers, drafts are stored as they stood, and what was done
    /// after something lost doesn't overtake it.
    pub(super) fn bring_back(&mut self, unstored: &Unstored, loaded: &Loaded, outside: &mut Outside) {
        for conversation in changed(&unstored.drafts, &loaded.drafts) {
            let draft = unstored.drafts.get(&conversation).cloned().unwrap_or_default();
            self.later(Input::User(Command::SaveDraft { conversation, draft }));
        }
        let stored: BTreeSet<Id> = loaded.outbox.iter().map(|act| act.id).collect();
        // Each goes before what stands in the composer: the last done first.
        for new in unstored.asked.iter().rev() {
            self.words_back(new.conversation, new.kind, &new.content, self.store_failed, outside);
        }
        for act in unstored.acts.iter().rev().filter(|act| !stored.contains(&act.id)) {
            self.later(Input::User(Command::ParkClosing {
                conversation: act.conversation,
                after: act.place,
            }));
            // A resend's words still stand where they were parked.
            if !unstored.resends.get(&act.id).is_some_and(|old| stored.contains(old)) {
                self.words_back(act.conversation, act.kind, &act.content, self.store_failed, outside);
            }
        }
    }
}

/// Conversations whose drafts differ.
fn changed(here: &BTreeMap<Id, Draft>, stored: &BTreeMap<Id, Draft>) -> BTreeSet<Id> {
    let all = here.keys().chain(stored.keys()).copied();
    all.filter(|id| here.get(id) != stored.get(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_goes_on_failing_is_asked_ever_more_rarely_up_to_a_limit() {
        let mut reloading = Reloading::default();
        let mut now = 1_000_000;
        for longest in [200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            // Full jitter: from nothing to the longest pause.
            reloading.begin(now, longest);
            assert_eq!(reloading.at, Some(now + longest));
            now += longest;
            reloading.end(now);
        }
        reloading.begin(now, 5_001);
        assert_eq!(reloading.at, Some(now));
        reloading.end(now);
        now += CALM_MS + 1;
        reloading.begin(now, 201);
        assert_eq!(reloading.at, Some(now));
    }
}
