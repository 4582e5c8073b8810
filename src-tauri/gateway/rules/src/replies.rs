//! How long customers of each team waited for an answer lately. Kept in memory alone: a gateway that starts knows nothing
//! of it, and says nothing, until enough was measured.

use std::collections::{BTreeMap, VecDeque};

use zuoxi_wire::Id;

/// So many of the last waits count, and so many are needed.
const KEPT: usize = 50;
const NEEDED: usize = 5;
/// What is told is rounded up to one of these, minutes.
const TOLD: [u32; 7] = [1, 2, 5, 10, 15, 30, 60];
const MINUTE_MS: u64 = 60_000;

/// A customer's wait that an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waited {
    pub(crate) team: Id,
    /// From their first unanswered message to the answer, milliseconds.
    pub(crate) ms: u64,
}

#[derive(Debug, Default)]
struct Team {
    waits: VecDeque<u64>,
    minutes: u32,
}

/// By team.
#[derive(Debug, Default)]
pub(crate) struct Replies(BTreeMap<Id, Team>);

impl Replies {
    pub(crate) fn measured(&mut self, waited: Waited) {
        let team = self.0.entry(waited.team).or_default();
        if team.waits.len() >= KEPT {
            team.waits.pop_front();
        }
        team.waits.push_back(waited.ms);
        team.minutes = minutes(&team.waits);
    }

    /// Half of the answers came within so many minutes, as `CustomerState.reply_minutes` tells it; 0: unknown.
    pub(crate) fn minutes(&self, team: Id) -> u32 {
        self.0.get(&team).map_or(0, |team| team.minutes)
    }
}

fn minutes(waits: &VecDeque<u64>) -> u32 {
    if waits.len() < NEEDED {
        return 0;
    }
    let mut sorted: Vec<u64> = waits.iter().copied().collect();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(u64::MAX);
    let told = TOLD.iter().find(|told| median <= u64::from(**told) * MINUTE_MS);
    told.copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEAM: Id = Id([1; 16]);

    fn after(waits: &[u64]) -> u32 {
        let mut replies = Replies::default();
        for ms in waits {
            replies.measured(Waited { team: TEAM, ms: *ms });
        }
        assert_eq!(replies.minutes(Id([2; 16])), 0, "another team's");
        replies.minutes(TEAM)
    }

    #[test]
    fn the_median_is_rounded_up_and_unknown_where_it_says_little() {
        assert_eq!(after(&[1_000; 4]), 0);
        assert_eq!(after(&[1_000; 5]), 1);
        assert_eq!(after(&[60_000; 5]), 1);
        assert_eq!(after(&[60_001; 5]), 2);
        assert_eq!(after(&[1_000, 1_000, 900_000, 9_000_000, 9_000_000]), 15);
        assert_eq!(after(&[3_600_000; 5]), 60);
        assert_eq!(after(&[3_600_001; 5]), 0);
    }

    #[test]
    fn only_the_last_waits_count() {
        let mut waits = vec![3_000_000; 200];
        assert_eq!(after(&waits), 60);
        waits.extend([30_000; 24]);
        assert_eq!(after(&waits), 60);
        waits.extend([30_000; 2]);
        assert_eq!(after(&waits), 1);
    }
}
