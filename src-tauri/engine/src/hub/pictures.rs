//! Agents' pictures of the active account: from its cache, and from its gateway where that has none or may have
//! another. They never go through the hub's loop, which has better things to do.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use zuoxi_wire::Id;

use super::asking::tell;
use super::command::Reply;
use crate::net::{Fetched, GatewayAddress, NetError, Transport};
use crate::picture::Picture;
use crate::store::{Store, StoredPicture};
use crate::surroundings::Clock;
use crate::view::CallError;

/// Milliseconds for which an answer is taken for still true: the gateway's own `max-age`.
const FRESH_MS: u64 = 300_000;
/// Milliseconds after which a gateway is asked again that gave no usable answer.
const AGAIN_MS: u64 = 30_000;
/// Connections for pictures at a time.
const PARALLEL: usize = 2;
/// Pictures that are fetched or wait for it; others are fetched when they are asked for again.
const FETCHING: usize = 64;
/// Agents of whom it is known when they were asked for. Beyond it all of that is forgotten.
const KNOWN: usize = 4_096;
/// Questions that wait, and those of them for one agent.
const ASKED: usize = 256;

/// The pictures of one account, as long as it is active.
pub(super) struct Pictures {
    /// Under which they are served.
    name: String,
    asked: mpsc::Sender<Asked>,
}

struct Asked {
    agent: Id,
    /// The gateway can be asked.
    online: bool,
    reply: Reply<Picture>,
}

impl Pictures {
    /// `name`: another one each time, so that what another account's page asks for is never answered.
    pub(super) fn begin(
        name: String,
        store: &Arc<Store>,
        transport: Arc<dyn Transport>,
        gateway: GatewayAddress,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (asked, receiver) = mpsc::channel(ASKED);
        let looking = Looking {
            store: Arc::downgrade(store),
            transport,
            gateway,
            clock,
            parallel: Arc::new(Semaphore::new(PARALLEL)),
            next: BTreeMap::new(),
            waiting: BTreeMap::new(),
            unkept: BTreeMap::new(),
            doing: JoinSet::new(),
        };
        tokio::spawn(looking.run(receiver));
        Self { name, asked }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn ask(&self, name: &str, agent: Id, online: bool, reply: Reply<Picture>) {
        if name != self.name {
            return tell(reply, Err(CallError::not_found()));
        }
        let asked = Asked { agent, online, reply };
        if let Err(full) = self.asked.try_send(asked) {
            tell(full.into_inner().reply, Err(CallError::new("busy")));
        }
    }
}

/// What was done apart.
enum Done {
    Fetched(Id, Result<Fetched, NetError>),
    Kept(Id),
}

struct Looking {
    /// Whoever holds it decides when it closes.
    store: Weak<Store>,
    transport: Arc<dyn Transport>,
    gateway: GatewayAddress,
    clock: Arc<dyn Clock>,
    parallel: Arc<Semaphore>,
    /// When the gateway is asked again, by the steady clock.
    next: BTreeMap<Id, u64>,
    /// Who waits, by the agents that are being asked for.
    waiting: BTreeMap<Id, Vec<Reply<Picture>>>,
    /// What is about to be kept: reading doesn't give it yet. Bounded by what the store takes.
    unkept: BTreeMap<Id, Option<Picture>>,
    doing: JoinSet<Done>,
}

impl Looking {
    /// Until the account is no longer active.
    async fn run(mut self, mut asked: mpsc::Receiver<Asked>) {
        loop {
            tokio::select! {
                next = asked.recv() => match next {
                    Some(asked) => self.asked(asked).await,
                    None => return,
                },
                Some(Ok(done)) = self.doing.join_next() => match done {
                    Done::Fetched(agent, fetched) => self.fetched(agent, fetched),
                    Done::Kept(agent) => drop(self.unkept.remove(&agent)),
                },
            }
        }
    }

    async fn asked(&mut self, Asked { agent, online, reply }: Asked) {
        if let Some(picture) = self.unkept.get(&agent) {
            return tell(reply, picture.clone().ok_or_else(CallError::not_found));
        }
        let Some(reading) = self.store.upgrade().map(|store| store.picture(agent)) else {
            return;
        };
        let kept = reading.await.unwrap_or_else(|error| {
            tracing::warn!(%agent, %error, "no picture from the store");
            None
        });
        let readable = kept.and_then(|kept| Some((kept.tag, Picture::read(kept.bytes)?)));
        let (known, shown) = readable.map_or_else(Default::default, |(tag, picture)| (tag, Some(picture)));
        let coming = self.waiting.contains_key(&agent) || (online && self.fetch(agent, known));
        match shown {
            // At once, whatever the network does: if there is another, it is shown the next time.
            Some(picture) => tell(reply, Ok(picture)),
            None => match self.waiting.get_mut(&agent).filter(|_| coming) {
                Some(waiting) if waiting.len() < ASKED => waiting.push(reply),
                Some(_) => tell(reply, Err(CallError::new("busy"))),
                None => tell(reply, Err(CallError::not_found())),
            },
        }
    }

    /// Whether it is fetched from now on.
    fn fetch(&mut self, agent: Id, known: String) -> bool {
        let due = self.next.get(&agent).is_none_or(|next| *next <= self.clock.steady_ms());
        if !due || self.waiting.len() >= FETCHING {
            return false;
        }
        self.waiting.insert(agent, Vec::new());
        let (transport, gateway) = (self.transport.clone(), self.gateway.clone());
        let parallel = self.parallel.clone();
        self.doing.spawn(async move {
            // Never closed.
            let _place = parallel.acquire().await;
            Done::Fetched(agent, transport.picture(&gateway, agent, &known).await)
        });
        true
    }

    fn keep(&mut self, agent: Id, picture: Option<Picture>, stored: Option<StoredPicture>) {
        let Some(store) = self.store.upgrade() else { return };
        let kept = store.keep_picture(agent, stored);
        self.unkept.insert(agent, picture);
        self.doing.spawn(async move {
            kept.await;
            Done::Kept(agent)
        });
    }

    fn fetched(&mut self, agent: Id, fetched: Result<Fetched, NetError>) {
        let (picture, fresh_ms) = match fetched {
            Ok(Fetched::New { tag, bytes }) => {
                let picture = Picture::read(bytes.clone());
                if picture.is_some() {
                    self.keep(agent, picture.clone(), Some(StoredPicture { tag, bytes }));
                } else {
                    tracing::warn!(%agent, "what the gateway has as a picture can't be shown");
                }
                (picture, FRESH_MS)
            }
            Ok(Fetched::Unchanged) => (None, FRESH_MS),
            Ok(Fetched::None) => {
                self.keep(agent, None, None);
                (None, FRESH_MS)
            }
            Err(error) => {
                tracing::debug!(%agent, %error, "no picture from the gateway");
                (None, AGAIN_MS)
            }
        };
        if self.next.len() >= KNOWN {
            self.next.clear();
        }
        self.next.insert(agent, self.clock.steady_ms() + fresh_ms);
        for reply in self.waiting.remove(&agent).unwrap_or_default() {
            tell(reply, picture.clone().ok_or_else(CallError::not_found));
        }
    }
}
