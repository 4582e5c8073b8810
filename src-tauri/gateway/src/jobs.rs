//! What takes long, off the core thread: at most a few at once, and at most so many waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use zuoxi_rules::{Event, Output};

use crate::core::Inbound;
use crate::{identity, password};

/// Jobs at once: each takes 19 MiB for argon2.
const AT_ONCE: usize = 2;
/// Jobs that may wait; a log-in above that is told to come back.
const WAITING: usize = 64;

/// Starts jobs; their answers come back to the core as events.
#[derive(Debug)]
pub struct Jobs {
    runtime: Handle,
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    core: mpsc::WeakSender<Inbound>,
}

impl Jobs {
    /// Jobs on this runtime, answered to this core. The core isn't kept alive by them.
    pub fn new(runtime: Handle, core: &mpsc::Sender<Inbound>) -> Self {
        Self {
            runtime,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(AtomicUsize::new(0)),
            core: core.downgrade(),
        }
    }

    /// Starts what an output asks for. `false`: too many wait.
    pub fn start(&self, output: Output) -> bool {
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return false;
        }
        let (permits, waiting, core) = (Arc::clone(&self.permits), Arc::clone(&self.waiting), self.core.clone());
        self.runtime.spawn(async move {
            let permit = permits.acquire_owned().await;
            let event = tokio::task::spawn_blocking(move || work(output)).await;
            drop(permit);
            waiting.fetch_sub(1, Ordering::AcqRel);
            if let (Ok(Some(event)), Some(core)) = (event, core.upgrade()) {
                let _ = core.send(Inbound::Event(event)).await;
            }
        });
        true
    }
}

fn work(output: Output) -> Option<Event> {
    match output {
        Output::CheckPassword {
            connection,
            hash,
            password,
        } => Some(Event::PasswordChecked {
            connection,
            ok: password::fits(&password, hash.as_deref()),
        }),
        Output::HashPassword { connection, password } => Some(Event::PasswordHashed {
            connection,
            hash: password::hash(&password),
        }),
        Output::VerifyIdentity { connection, jwt, key } => Some(Event::IdentityVerified {
            connection,
            claims: identity::verify(&jwt, &key),
        }),
        Output::Send { .. } | Output::Close { .. } | Output::WakeAt { .. } => None,
    }
}
