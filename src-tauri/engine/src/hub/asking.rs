//! Calls that wait for the gateway, by the number under which the session answers.

use std::collections::BTreeMap;

use tokio::sync::oneshot;
use zuoxi_protocol::{Command, Input};
use zuoxi_wire::Id;

use super::active::Active;
use super::command::Reply;
use super::reading::ReadDone;
use crate::store::{Query, StoreError, StoredEntry};
use crate::view::{CallError, CustomerPanel, TransferTargets};

/// Who waits for an answer.
pub(super) enum Waiting {
    Done(Reply<()>),
    Entries {
        conversation: Id,
    },
    FindTime {
        conversation: Id,
        time_ms: u64,
        reply: Reply<u64>,
    },
    /// The store is asked, since the gateway can't be.
    FindHere {
        conversation: Id,
        reply: Reply<u64>,
    },
    Customer(Reply<CustomerPanel>),
    Targets(Reply<TransferTargets>),
}

/// All that wait. Bounded by the calls that the shell makes and the rows that windows show.
#[derive(Default)]
pub(super) struct Asks {
    last: u64,
    waiting: BTreeMap<u64, Waiting>,
}

impl Asks {
    /// A new number for somebody who waits.
    pub(super) fn wait(&mut self, waiting: Waiting) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, waiting);
        self.last
    }

    pub(super) fn take(&mut self, ask: u64) -> Option<Waiting> {
        self.waiting.remove(&ask)
    }

    pub(super) fn answer_customer(&mut self, ask: u64, result: Result<CustomerPanel, CallError>) {
        if let Some(Waiting::Customer(reply)) = self.waiting.remove(&ask) {
            tell(reply, result);
        }
    }

    pub(super) fn answer_targets(&mut self, ask: u64, result: Result<TransferTargets, CallError>) {
        if let Some(Waiting::Targets(reply)) = self.waiting.remove(&ask) {
            tell(reply, result);
        }
    }
}

/// Whoever stopped waiting needs no answer.
pub(super) fn tell<T>(reply: oneshot::Sender<Result<T, CallError>>, result: Result<T, CallError>) {
    let _ = reply.send(result);
}

impl Active {
    /// The session that was asked is gone.
    pub(super) fn fail_asks(&mut self) {
        for (_, waiting) in std::mem::take(&mut self.asks.waiting) {
            match waiting {
                Waiting::Done(reply) => tell(reply, Err(CallError::network())),
                Waiting::FindTime { reply, .. } | Waiting::FindHere { reply, .. } => {
                    tell(reply, Err(CallError::network()));
                }
                Waiting::Customer(reply) => tell(reply, Err(CallError::network())),
                Waiting::Targets(reply) => tell(reply, Err(CallError::network())),
                Waiting::Entries { .. } => {}
            }
        }
    }

    pub(super) fn find_time(&mut self, conversation: Id, time_ms: u64, reply: Reply<u64>) {
        let time_ms = time_ms.saturating_add_signed(self.shift_ms);
        let ask = self.asks.wait(Waiting::FindTime {
            conversation,
            time_ms,
            reply,
        });
        self.later(Input::User(Command::FindTime {
            ask,
            conversation,
            time_ms,
        }));
    }

    pub(super) fn found_time(&mut self, ask: u64, seq: u64) {
        if let Some(Waiting::FindTime {
            conversation, reply, ..
        }) = self.asks.take(ask)
        {
            tell(reply, Ok(self.row_of(conversation, seq)));
        }
    }

    /// Without a connection, what is stored is looked through.
    pub(super) fn find_here(&mut self, conversation: Id, time_ms: u64, reply: Reply<u64>) {
        let ask = self.asks.wait(Waiting::FindHere { conversation, reply });
        let tell_read = self.tell_read.clone();
        let asked = self.store.ask(Query::At { conversation, time_ms }, move |result| {
            // A hub that is gone needs no answer.
            let _ = tell_read.send(ReadDone::At { ask, result });
        });
        if let Err(error) = asked {
            self.found_here(ask, Err(error));
        }
    }

    pub(super) fn found_here(&mut self, ask: u64, result: Result<Vec<StoredEntry>, StoreError>) {
        let Some(Waiting::FindHere { conversation, reply }) = self.asks.take(ask) else {
            return;
        };
        let found = match result.map(|entries| entries.first().map(|entry| entry.seq)) {
            Ok(Some(seq)) => Ok(self.row_of(conversation, seq)),
            Ok(None) => Err(CallError::network()),
            Err(error) => Err(CallError::new(error.code())),
        };
        tell(reply, found);
    }

    /// Index of a Seq's row.
    fn row_of(&self, conversation: Id, seq: u64) -> u64 {
        let floor = match self.showing.shown.get(&conversation) {
            Some(shown) => shown.timeline.floor(),
            None => self.session.log(conversation).map_or(1, |log| log.state.floor.max(1)),
        };
        seq.saturating_sub(floor)
    }
}
