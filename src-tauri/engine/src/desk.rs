//! The engine's face: everything a desk may ask of it. No Tauri in it; tests and headless desks use the same.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;
use zuoxi_wire::Id;

use crate::hub::{Command, Hub, LogInWith, Reply};
use crate::picture::Picture;
use crate::store::Keyring;
use crate::surroundings::Surroundings;
use crate::view::{
    CallError, CustomerPanel, DeskEvent, DraftView, InboxTab, MeView, PresenceView, ProofView, TransferTargets,
    TransferTo,
};

/// A window of the desk, by a name that the shell chooses (Tauri's window label).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowId(pub String);

/// What an engine is opened with.
#[derive(Clone)]
pub struct EngineConfig {
    /// Folder of this desk's data; made if missing. One engine at a time for each folder.
    pub data_dir: PathBuf,
    /// Software and version, for people ("Zuoxi 0.1.0, Linux"). At most 100 scalar values.
    pub software: String,
    /// BCP 47, e.g. zh-CN.
    pub language: String,
    /// Keeps the databases' keys: [`crate::store::SystemKeyring`]; where there is none, a passphrase that
    /// [`Engine::unlock`] brings. Headless desks bring a [`crate::store::MemoryKeyring`].
    pub keyring: Arc<dyn Keyring>,
    /// Clock, randomness, time zone, network.
    pub surroundings: Surroundings,
}

/// What a desk starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Who is logged in (a remembered session counts, also without a network); `None`: show the log-in.
    pub me: Option<MeView>,
    /// Gateway of the last log-in as typed; empty: none yet.
    pub gateway: String,
    /// Name of the last log-in; empty: none yet.
    pub name: String,
    /// Log-ins this computer knows, the last used first.
    pub accounts: Vec<KnownAccount>,
    /// Whether a passphrase must be typed before the rest.
    pub passphrase: PassphraseNeed,
    /// A keyring is there, so "remember me" can be offered.
    pub keyring: bool,
    /// An account whose database could not be opened or went on failing; `None`: all is well.
    pub trouble: Option<Trouble>,
}

/// What is wrong with an account's database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Whose.
    pub account: KnownAccount,
    /// damaged, newer_database, store, disk_full, in_use.
    pub error: CallError,
}

/// A log-in that this computer knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAccount {
    /// Gateway's address as typed.
    pub gateway: String,
    /// Log-in name.
    pub name: String,
}

/// Whether the store waits for a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassphraseNeed {
    /// No: a keyring holds the key, or the passphrase was given.
    No,
    /// One must be chosen.
    New,
    /// The known one must be typed.
    Known,
}

impl PassphraseNeed {
    /// `no`, `new` or `known`.
    pub fn code(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::New => "new",
            Self::Known => "known",
        }
    }
}

/// Acts that quitting or logging out would leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsent {
    /// Wait for the gateway.
    pub waiting: u32,
    /// Parked: wait for the user.
    pub parked: u32,
}

/// What the operating system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemEvent {
    /// The network came, went or changed.
    NetworkChanged,
    /// The computer woke up.
    WokeUp,
}

/// The engine of one desk. Cheap to clone; the last clone's end stops it (what is stored stays, nothing else must be
/// done first).
#[derive(Clone)]
pub struct Engine {
    running: Arc<Running>,
}

struct Running {
    commands: mpsc::Sender<Command>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Calls that may stand before the hub; more make the caller wait.
const COMMANDS: usize = 1_024;

impl Engine {
    /// Opens the desk's data and, where a session is remembered and its key is at hand, resumes it. Runs on threads of
    /// its own; may be called from anywhere.
    ///
    /// # Errors
    /// `store` if the folder can't be made or written. What is wrong with an account's database is told by
    /// [`Engine::start`], so that the desk opens and can say it.
    pub fn open(config: EngineConfig) -> Result<Self, CallError> {
        let (sender, receiver) = mpsc::channel(COMMANDS);
        let hub = Hub::open(config, receiver)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("zuoxi-engine")
            .enable_all()
            .build()
            .map_err(|_| CallError::store())?;
        runtime.spawn(hub.run());
        Ok(Self {
            running: Arc::new(Running {
                commands: sender,
                runtime: Some(runtime),
            }),
        })
    }

    /// Begins telling a window; what was attached under the same name before ends. Events come in batches, in order,
    /// at most one batch a frame (16 ms) unless it was quiet. The channel holds few batches: a window that doesn't keep
    /// up misses some and is then told everything it observes anew (`Reset`), never silently less.
    pub async fn attach(&self, window: WindowId) -> Result<mpsc::Receiver<Vec<DeskEvent>>, CallError> {
        self.ask(|reply| Command::Attach(window, reply)).await
    }

    /// The window is gone: nothing is observed by it any more.
    pub async fn detach(&self, window: WindowId) {
        let _ = self.running.commands.send(Command::Detach(window)).await;
    }

    /// What the desk starts from. Waits until a remembered account is open (disk, not network).
    pub async fn start(&self) -> Result<Start, CallError> {
        self.ask(Command::Start).await
    }

    /// Knocks at a gateway before anybody logs in: milliseconds until it greeted. Waits for the network.
    ///
    /// # Errors
    /// invalid, network, tls, not_a_gateway, version, crowded.
    pub async fn reach(&self, gateway: &str) -> Result<u32, CallError> {
        let gateway = gateway.trim().to_owned();
        self.ask(|reply| Command::Reach(gateway, reply)).await
    }

    /// Logs in and makes this account the active one. `gateway`: `host`, `host:port` or `https://…`; plain `http://` on
    /// loopback alone. Waits for the network.
    ///
    /// # Errors
    /// invalid, network, tls, not_a_gateway, version, credentials, locked, disabled, crowded, passphrase_needed,
    /// damaged, newer_database, in_use, store, disk_full.
    pub async fn log_in(&self, gateway: &str, name: &str, password: &str, remember: bool) -> Result<(), CallError> {
        let with = LogInWith {
            gateway: gateway.trim().to_owned(),
            name: name.trim().to_owned(),
            password: Zeroizing::new(password.to_owned()),
            remember,
        };
        self.ask(|reply| Command::LogIn(with, reply)).await
    }

    /// Ends the session here and, if it can be reached, at the gateway. Database, drafts and outbox stay.
    ///
    /// # Errors
    /// `busy` if acts are unsent and `force` is false.
    pub async fn log_out(&self, force: bool) -> Result<(), CallError> {
        self.ask(|reply| Command::LogOut { force, reply }).await
    }

    /// A new password; other sessions of this agent end. Waits for the network.
    ///
    /// # Errors
    /// credentials, invalid (too short or too long), network, session.
    pub async fn change_password(&self, old: &str, new: &str) -> Result<(), CallError> {
        let (old, new) = (Zeroizing::new(old.to_owned()), Zeroizing::new(new.to_owned()));
        self.ask(|reply| Command::ChangePassword { old, new, reply }).await
    }

    /// Brings the passphrase (or chooses it, where [`PassphraseNeed::New`]) and opens a remembered account.
    ///
    /// # Errors
    /// passphrase_wrong, too_long, empty, damaged, newer_database, in_use, store.
    pub async fn unlock(&self, passphrase: &str) -> Result<(), CallError> {
        let passphrase = Zeroizing::new(passphrase.to_owned());
        self.ask(|reply| Command::Unlock(passphrase, reply)).await
    }

    /// Moves an account's database that is `damaged` (or whose key is lost) or a `newer_database` out of the way, so that
    /// the next log-in makes a new one. Nothing is deleted, but what was unsent in it can't be sent any more: ask before.
    ///
    /// # Errors
    /// `busy` if it is the active account, `in_use` if it is open in another process, `not_found` if this computer has no
    /// such account, `store`.
    pub async fn set_aside(&self, gateway: &str, name: &str) -> Result<(), CallError> {
        let known = KnownAccount {
            gateway: gateway.trim().to_owned(),
            name: name.trim().to_owned(),
        };
        self.ask(|reply| Command::SetAside(known, reply)).await
    }

    /// The agent's presence from now on; told again at each connection.
    pub async fn set_presence(&self, presence: PresenceView) -> Result<(), CallError> {
        self.ask(|reply| Command::SetPresence(presence, reply)).await
    }

    /// This window observes rows `from` .. `from + count` of a list, in place of what it observed of lists before.
    /// `count` is at most 500. Who asks once more for what they observe is told all of it, as if they had nothing.
    pub async fn observe_inbox(
        &self,
        window: &WindowId,
        tab: InboxTab,
        from: u32,
        count: u32,
    ) -> Result<(), CallError> {
        let window = window.clone();
        self.ask(|reply| Command::ObserveInbox {
            window,
            tab,
            from,
            count,
            reply,
        })
        .await
    }

    /// This window observes a conversation's head and rows `from` .. `from + count` of its timeline; from = -1: at the
    /// end, or at the first unread. Answers at once; the rows come by event. `count` is at most 500.
    ///
    /// # Errors
    /// invalid, session.
    pub async fn observe_timeline(
        &self,
        window: &WindowId,
        conversation: &str,
        from: i64,
        count: u32,
    ) -> Result<(), CallError> {
        let (window, conversation) = (window.clone(), id(conversation)?);
        self.ask(|reply| Command::ObserveTimeline {
            window,
            conversation,
            from,
            count,
            reply,
        })
        .await
    }

    /// Ends it; a watch of another's conversation ends with its last observer.
    pub async fn unobserve_timeline(&self, window: &WindowId, conversation: &str) -> Result<(), CallError> {
        let (window, conversation) = (window.clone(), id(conversation)?);
        self.ask(|reply| Command::UnobserveTimeline {
            window,
            conversation,
            reply,
        })
        .await
    }

    /// Row index of the first entry at or after a time (milliseconds UTC). Waits for the network where it isn't cached.
    pub async fn find_time(&self, conversation: &str, time_ms: u64) -> Result<u64, CallError> {
        let conversation = id(conversation)?;
        self.ask(|reply| Command::FindTime {
            conversation,
            time_ms,
            reply,
        })
        .await
    }

    /// The own conversation that waits longest, without `except`; `None`: nobody waits.
    pub async fn next_waiting(&self, except: &[String]) -> Result<Option<String>, CallError> {
        let except = except.iter().map(|text| id(text)).collect::<Result<_, _>>()?;
        self.ask(|reply| Command::NextWaiting { except, reply }).await
    }

    /// Sends words to everybody. `id`: a fresh UUIDv7 made by the caller. Answers once the bubble stands; its mark, or
    /// [`DeskEvent::PutBack`] if it couldn't be stored, comes by event.
    ///
    /// # Errors
    /// empty, too_long, control, invalid, session.
    pub async fn send_message(&self, conversation: &str, id_: &str, text: String) -> Result<(), CallError> {
        let (conversation, id) = (id(conversation)?, id(id_)?);
        self.ask(|reply| Command::Write {
            conversation,
            id,
            text,
            note: false,
            reply,
        })
        .await
    }

    /// Writes words to agents alone; as [`Engine::send_message`].
    pub async fn write_note(&self, conversation: &str, id_: &str, text: String) -> Result<(), CallError> {
        let (conversation, id) = (id(conversation)?, id(id_)?);
        self.ask(|reply| Command::Write {
            conversation,
            id,
            text,
            note: true,
            reply,
        })
        .await
    }

    /// Takes the content of an own message or note away.
    pub async fn recall(&self, conversation: &str, message: &str) -> Result<(), CallError> {
        let (conversation, message) = (id(conversation)?, id(message)?);
        self.ask(|reply| Command::Recall {
            conversation,
            message,
            reply,
        })
        .await
    }

    /// A parked or lost act again, under a new id (a lost one keeps its id).
    pub async fn resend(&self, conversation: &str, message: &str) -> Result<(), CallError> {
        let (conversation, message) = (id(conversation)?, id(message)?);
        self.ask(|reply| Command::Resend {
            conversation,
            message,
            reply,
        })
        .await
    }

    /// Drops a parked act; one whose fate is unknown becomes a void.
    pub async fn discard(&self, conversation: &str, message: &str) -> Result<(), CallError> {
        let (conversation, message) = (id(conversation)?, id(message)?);
        self.ask(|reply| Command::Discard {
            conversation,
            message,
            reply,
        })
        .await
    }

    /// A message that was discarded too late stays sent: recalling it isn't offered any more, in any window.
    pub async fn keep(&self, conversation: &str, message: &str) -> Result<(), CallError> {
        let (conversation, message) = (id(conversation)?, id(message)?);
        self.ask(|reply| Command::Keep {
            conversation,
            message,
            reply,
        })
        .await
    }

    /// Takes a queued conversation, or as a lead any of the team.
    pub async fn take(&self, conversation: &str) -> Result<(), CallError> {
        let conversation = id(conversation)?;
        self.ask(|reply| Command::Take { conversation, reply }).await
    }

    /// Hands a conversation over, with words for agents alone (may be empty).
    pub async fn transfer(&self, conversation: &str, to: TransferTo, reason: String) -> Result<(), CallError> {
        let conversation = id(conversation)?;
        self.ask(|reply| Command::Transfer {
            conversation,
            to,
            reason,
            reply,
        })
        .await
    }

    /// Closes a conversation.
    pub async fn close(&self, conversation: &str) -> Result<(), CallError> {
        let conversation = id(conversation)?;
        self.ask(|reply| Command::Close { conversation, reply }).await
    }

    /// The customer's tags from now on. At most 20, each 1 to 20 scalar values.
    pub async fn set_tags(&self, conversation: &str, tags: Vec<String>) -> Result<(), CallError> {
        let conversation = id(conversation)?;
        self.ask(|reply| Command::SetTags {
            conversation,
            tags,
            reply,
        })
        .await
    }

    /// Everything up to `seq` was seen in a focused tile.
    pub async fn mark_read(&self, conversation: &str, seq: u64) -> Result<(), CallError> {
        let conversation = id(conversation)?;
        self.ask(|reply| Command::MarkRead {
            conversation,
            seq,
            reply,
        })
        .await
    }

    /// The agent types words to everybody, or stopped. Never called while a note is written.
    pub async fn typing(&self, conversation: &str, typing: bool) -> Result<(), CallError> {
        let conversation = id(conversation)?;
        self.ask(|reply| Command::Typing {
            conversation,
            typing,
            reply,
        })
        .await
    }

    /// What stands in a composer now. The caller gathers key presses; other windows are told by
    /// [`DeskEvent::Draft`].
    pub async fn save_draft(&self, window: &WindowId, conversation: &str, draft: DraftView) -> Result<(), CallError> {
        let (window, conversation) = (window.clone(), id(conversation)?);
        self.ask(|reply| Command::SaveDraft {
            window,
            conversation,
            draft,
            reply,
        })
        .await
    }

    /// What stood in a composer last; empty if nothing.
    pub async fn read_draft(&self, conversation: &str) -> Result<DraftView, CallError> {
        let conversation = id(conversation)?;
        self.ask(|reply| Command::ReadDraft { conversation, reply }).await
    }

    /// The customer panel. Waits for the network; what is known shows at once by event.
    pub async fn read_customer(&self, conversation: &str) -> Result<CustomerPanel, CallError> {
        let conversation = id(conversation)?;
        self.ask(|reply| Command::ReadCustomer { conversation, reply }).await
    }

    /// To whom a conversation can be handed. Waits for the network.
    pub async fn transfer_targets(&self) -> Result<TransferTargets, CallError> {
        self.ask(Command::TransferTargets).await
    }

    /// An agent's public picture. `of`: [`MeView::pictures`]. From the cache at once, if one is there; else it waits for the
    /// network where there is a connection.
    ///
    /// # Errors
    /// not_found (there is none, none can be fetched, or `of` isn't the active account's), busy, invalid, session.
    pub async fn picture(&self, of: &str, agent: &str) -> Result<Picture, CallError> {
        let (of, agent) = (of.to_owned(), id(agent)?);
        self.ask(|reply| Command::Picture { of, agent, reply }).await
    }

    /// The proof behind the mark.
    pub async fn proof(&self) -> Result<ProofView, CallError> {
        self.ask(Command::Proof).await
    }

    /// Asks for a heartbeat at once.
    pub async fn check_now(&self) -> Result<(), CallError> {
        self.ask(Command::CheckNow).await
    }

    /// Tries to connect at once, whatever the backoff says.
    pub async fn reconnect_now(&self) -> Result<(), CallError> {
        self.ask(Command::ReconnectNow).await
    }

    /// Ids, versions and states as lines of text; never what people wrote.
    pub async fn diagnostics(&self) -> Result<String, CallError> {
        self.ask(Command::Diagnostics).await
    }

    /// Acts that quitting would leave behind (they are stored, and go at the next start).
    pub async fn unsent(&self) -> Result<Unsent, CallError> {
        self.ask(Command::Unsent).await
    }

    /// The operating system tells something that reconnecting can use.
    pub async fn system_event(&self, event: SystemEvent) {
        let _ = self.running.commands.send(Command::System(event)).await;
    }

    /// Stops in good order: what is being stored is stored, the connection says goodbye. Calls after it fail with
    /// `session`.
    pub async fn stop(&self) -> Result<(), CallError> {
        self.ask(Command::Stop).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, CallError> {
        let (reply, answer) = oneshot::channel();
        self.running
            .commands
            .send(command(reply))
            .await
            .map_err(|_| CallError::session())?;
        answer.await.map_err(|_| CallError::session())?
    }
}

fn id(text: &str) -> Result<Id, CallError> {
    text.parse().map_err(|_| CallError::invalid())
}
