//! Who gets a conversation. Pure: everything comes in, a decision goes out.

use zuoxi_wire::Id;
use zuoxi_wire::v1::AssignmentReason;

/// An agent of the team with a device connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub agent: Id,
    /// Takes new conversations (online, not busy or away).
    pub takes: bool,
    /// Open conversations.
    pub open: u32,
    /// Open conversations at most.
    pub capacity: u32,
}

impl Candidate {
    fn has_room(&self) -> bool {
        self.takes && self.open < self.capacity
    }
}

/// The last agent if they have room, else the one with the most room (fewest open, then lowest id, where that is
/// equal).
///
/// # Errors
/// It waits, because nobody of the team is there or nobody has room.
pub fn choose(candidates: &[Candidate], last_agent: Option<Id>) -> Result<(Id, AssignmentReason), AssignmentReason> {
    if candidates.is_empty() {
        return Err(AssignmentReason::NobodyOnline);
    }
    let free = || candidates.iter().filter(|candidate| candidate.has_room());
    if let Some(last) = last_agent
        && free().any(|candidate| candidate.agent == last)
    {
        return Ok((last, AssignmentReason::LastAgent));
    }
    let best = free().min_by_key(|c| (u32::MAX - (c.capacity - c.open), c.open, c.agent));
    best.map(|candidate| (candidate.agent, AssignmentReason::LeastBusy))
        .ok_or(AssignmentReason::NoRoom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zuoxi_wire::Id;
    use zuoxi_wire::v1::AssignmentReason;

    use super::{Candidate, choose};

    fn candidate(n: u8, open: u32, capacity: u32) -> Candidate {
        Candidate {
            agent: Id([n; 16]),
            takes: true,
            open,
            capacity,
        }
    }

    #[test]
    fn a_customer_comes_back_to_the_agent_who_knows_them() {
        let team = [candidate(1, 0, 5), candidate(2, 4, 5)];
        assert_eq!(
            choose(&team, Some(Id([2; 16]))),
            Ok((Id([2; 16]), AssignmentReason::LastAgent))
        );
    }

    #[test]
    fn a_full_last_agent_is_passed_over() {
        let team = [candidate(1, 3, 5), candidate(2, 5, 5), candidate(3, 1, 5)];
        assert_eq!(
            choose(&team, Some(Id([2; 16]))),
            Ok((Id([3; 16]), AssignmentReason::LeastBusy))
        );
    }

    #[test]
    fn a_customer_is_told_apart_nobody_there_and_nobody_free() {
        assert_eq!(choose(&[], None), Err(AssignmentReason::NobodyOnline));
        let busy = Candidate {
            takes: false,
            ..candidate(1, 0, 5)
        };
        assert_eq!(choose(&[busy, candidate(2, 5, 5)], None), Err(AssignmentReason::NoRoom));
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_they_can_take(team in prop::collection::vec((0u8..6, any::<bool>(), 0u32..6, 0u32..6), 0..6), last in 0u8..6) {
            let team: Vec<Candidate> = team.into_iter()
                .map(|(n, takes, open, capacity)| Candidate { agent: Id([n; 16]), takes, open, capacity }).collect();
            let free = |c: &&Candidate| c.takes && c.open < c.capacity;
            match choose(&team, Some(Id([last; 16]))) {
                Ok((agent, _)) => prop_assert!(team.iter().filter(free).any(|c| c.agent == agent)),
                Err(_) => prop_assert!(team.iter().filter(free).count() == 0),
            }
        }
    }
}
