//! What waits to be committed: two lines, and which transaction may go before which.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zuoxi_protocol::change::{Change, Durability, Loaded, Transaction};
use zuoxi_wire::Id;

use super::Priority;
use super::error::StoreError;
use super::pictures::PictureChange;

/// Transactions that may wait. The network's window (512 pushes) fits many times.
const QUEUED: usize = 4_096;
/// Of these, for the user alone: a flood must not refuse a send.
const QUEUED_USER: usize = 512;
/// Pictures that may wait to be kept: what is on one screen, 4 MB at most.
const PICTURES: usize = 32;
/// Weight of a group (changes and entries): above it another commit is cheaper than the wait for this one.
const GROUP: usize = 2_000;
/// Weight of a block: its bytes are those of so many entries.
const BLOCK: usize = 32;

/// What two transactions must not both touch for one to go before the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Touch {
    Epoch,
    Act(Id),
    Draft(Id),
    Value(&'static str),
}

/// What a transaction touches of that, and whether it touches nothing else.
fn touches(transaction: &Transaction) -> (Vec<Touch>, bool) {
    let mut apart = true;
    let touched = transaction
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Enqueue(act) | Change::Update(act) => Some(Touch::Act(act.id)),
            Change::Settle(id) => Some(Touch::Act(*id)),
            Change::Draft(conversation, _) => Some(Touch::Draft(*conversation)),
            Change::Value(name, _) => Some(Touch::Value(name)),
            Change::Epoch(_) => {
                apart = false;
                Some(Touch::Epoch)
            }
            _ => {
                apart = false;
                None
            }
        })
        .collect();
    (touched, apart)
}

/// Whether it changes the outbox, drafts and values alone: nothing that was given after it builds on it.
pub(super) fn is_apart(transaction: &Transaction) -> bool {
    touches(transaction).1
}

/// Changes and entries in a transaction.
pub(super) fn weight(transaction: &Transaction) -> usize {
    let of = |change: &Change| match change {
        Change::Entries(_, entries) => entries.len(),
        Change::Block(..) => BLOCK,
        _ => 1,
    };
    transaction.changes.iter().map(of).sum()
}

/// Takes what was loaded.
pub(super) type LoadReply = Box<dyn FnOnce(Result<Loaded, StoreError>) + Send>;

/// What the writer does next.
pub(super) enum Work {
    /// Commit these together. `ordered`: they were given at [`Priority::Network`].
    Group {
        transactions: Vec<Transaction>,
        durability: Durability,
        ordered: bool,
    },
    /// Read everything again.
    Load(LoadReply),
    /// Keep a picture.
    Picture(PictureChange),
    /// Nothing waited for so long.
    Idle,
    /// Everything is done and nobody can give more.
    End,
}

#[derive(Default)]
struct Lines {
    /// Goes first.
    user: VecDeque<Transaction>,
    /// In the order given.
    ordered: VecDeque<Ordered>,
    /// How often the ordered line touches something.
    touched: HashMap<Touch, u32>,
    /// Goes when nothing else waits.
    pictures: VecDeque<PictureChange>,
    closed: bool,
}

enum Ordered {
    Transaction(Transaction),
    Load(LoadReply),
}

/// Both lines behind one lock, which is held for moments only.
#[derive(Default)]
pub(super) struct Queue {
    lines: Mutex<Lines>,
    given: Condvar,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Queue({} waiting)", self.backlog())
    }
}

impl Queue {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing panics while it holds the lock; if it did, the lines are whole all the same.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, transaction: Transaction, priority: Priority) -> Result<(), StoreError> {
        let (touched, apart) = touches(&transaction);
        let mut lines = self.lines();
        let room = if priority == Priority::User {
            QUEUED + QUEUED_USER
        } else {
            QUEUED
        };
        if lines.closed {
            return Err(StoreError::Closed);
        }
        if lines.user.len() + lines.ordered.len() >= room {
            return Err(StoreError::Crowded);
        }
        let free = |touch: &Touch| !lines.touched.contains_key(touch);
        if priority == Priority::User && apart && free(&Touch::Epoch) && touched.iter().all(free) {
            lines.user.push_back(transaction);
        } else {
            for touch in touched {
                *lines.touched.entry(touch).or_default() += 1;
            }
            lines.ordered.push_back(Ordered::Transaction(transaction));
        }
        self.given.notify_one();
        Ok(())
    }

    pub(super) fn load(&self, reply: LoadReply) -> Result<(), StoreError> {
        let mut lines = self.lines();
        if lines.closed {
            return Err(StoreError::Closed);
        }
        lines.ordered.push_back(Ordered::Load(reply));
        self.given.notify_one();
        Ok(())
    }

    /// Takes it unless too many wait: it can be fetched again.
    pub(super) fn keep_picture(&self, change: PictureChange) {
        let mut lines = self.lines();
        if !lines.closed && lines.pictures.len() < PICTURES {
            lines.pictures.push_back(change);
            self.given.notify_one();
        }
    }

    pub(super) fn close(&self) {
        self.lines().closed = true;
        self.given.notify_one();
    }

    pub(super) fn backlog(&self) -> usize {
        let lines = self.lines();
        lines.user.len() + lines.ordered.len()
    }

    /// The next work; [`Work::Idle`] if none comes within `patience`.
    pub(super) fn next(&self, patience: Duration) -> Work {
        let mut lines = self.lines();
        loop {
            if let Some(work) = lines.take() {
                return work;
            }
            if lines.closed {
                return Work::End;
            }
            let (again, waited) = self
                .given
                .wait_timeout(lines, patience)
                .unwrap_or_else(PoisonError::into_inner);
            lines = again;
            if waited.timed_out() && lines.is_empty() && !lines.closed {
                return Work::Idle;
            }
        }
    }
}

impl Lines {
    fn is_empty(&self) -> bool {
        self.user.is_empty() && self.ordered.is_empty() && self.pictures.is_empty()
    }

    fn take(&mut self) -> Option<Work> {
        let mut transactions = Vec::new();
        if self.user.is_empty() {
            if let Some(Ordered::Load(_)) = self.ordered.front() {
                let Some(Ordered::Load(reply)) = self.ordered.pop_front() else {
                    return None;
                };
                return Some(Work::Load(reply));
            }
            let mut weighed = 0;
            while let Some(Ordered::Transaction(next)) = self.ordered.front() {
                weighed += weight(next);
                if weighed > GROUP && !transactions.is_empty() {
                    break;
                }
                let Some(Ordered::Transaction(transaction)) = self.ordered.pop_front() else {
                    break;
                };
                self.untouch(&transaction);
                transactions.push(transaction);
            }
        } else {
            transactions.extend(self.user.drain(..));
            return Some(group(transactions, false));
        }
        if transactions.is_empty() {
            return self.pictures.pop_front().map(Work::Picture);
        }
        Some(group(transactions, true))
    }

    /// It is about to be committed: what comes after it in time can't go before it any more.
    fn untouch(&mut self, transaction: &Transaction) {
        for touch in touches(transaction).0 {
            if let Some(count) = self.touched.get_mut(&touch) {
                *count -= 1;
                if *count == 0 {
                    self.touched.remove(&touch);
                }
            }
        }
    }
}

fn group(transactions: Vec<Transaction>, ordered: bool) -> Work {
    let durability = transactions
        .iter()
        .map(|transaction| transaction.durability)
        .max()
        .unwrap_or(Durability::Normal);
    Work::Group {
        transactions,
        durability,
        ordered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zuoxi_protocol::change::{Draft, LogState};

    fn transaction(token: u64, changes: Vec<Change>) -> Transaction {
        Transaction {
            token,
            durability: Durability::Normal,
            changes,
        }
    }

    fn tokens(work: Work) -> Vec<u64> {
        match work {
            Work::Group { transactions, .. } => transactions.iter().map(|transaction| transaction.token).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_users_own_goes_first_unless_it_touches_what_waits() {
        let queue = Queue::default();
        let (here, there) = (Id([1; 16]), Id([2; 16]));
        let draft = |conversation| Change::Draft(conversation, Draft::default());
        queue
            .push(
                transaction(1, vec![Change::Log(here, LogState::default())]),
                Priority::Network,
            )
            .unwrap();
        queue
            .push(transaction(2, vec![draft(there)]), Priority::Network)
            .unwrap();
        queue.push(transaction(3, vec![draft(here)]), Priority::User).unwrap();
        queue.push(transaction(4, vec![draft(there)]), Priority::User).unwrap();
        queue.push(transaction(5, vec![draft(there)]), Priority::User).unwrap();
        assert_eq!(tokens(queue.next(Duration::ZERO)), [3]);
        assert_eq!(tokens(queue.next(Duration::ZERO)), [1, 2, 4, 5]);
        queue
            .push(transaction(6, vec![Change::Epoch(7)]), Priority::Network)
            .unwrap();
        queue.push(transaction(7, vec![draft(here)]), Priority::User).unwrap();
        assert_eq!(tokens(queue.next(Duration::ZERO)), [6, 7]);
    }

    #[test]
    fn a_flood_leaves_room_for_the_user_and_overflow_is_told() {
        let queue = Queue::default();
        for token in 0..QUEUED as u64 {
            queue
                .push(transaction(token, vec![Change::Epoch(1)]), Priority::Network)
                .unwrap();
        }
        assert_eq!(
            queue.push(transaction(9, vec![]), Priority::Network),
            Err(StoreError::Crowded)
        );
        queue.push(transaction(9, vec![]), Priority::User).unwrap();
    }
}
