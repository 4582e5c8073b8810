//! The loop at the engine's heart: one task owns the protocol's session and all views, and nothing else touches them.
//!
//! What is done next: first what a user asks, then what the store has finished, then what the network brings, one frame
//! at a time, so that a flood of pushes never holds up the user's own bubble. Windows are told once a frame.

mod accounts;
mod active;
mod asking;
mod attention;
mod browser;
mod calls;
mod command;
mod diagnostics;
mod handed;
mod link;
mod lists;
mod log_in;
mod notices;
mod opening;
mod panel;
mod pending;
mod pictures;
mod problem;
mod ranges;
mod reading;
mod reloading;
mod remembered;
mod showing;
mod time;
mod trace;
mod unread;
mod waits;
mod windows;

use std::time::Duration;

use tokio::sync::mpsc;
use zuoxi_protocol::Input;
use zuoxi_wire::Id;

pub(crate) use command::{Command, LogInWith, Reply};

use accounts::{Internal, Opener};
use active::{Active, Happened};
use asking::tell;
use log_in::Software;
use opening::Opening;
use reloading::Unstored;
use remembered::Remembered;
use time::Time;
use windows::{FRAME_MS, Windows};

use crate::desk::{EngineConfig, KnownAccount, PassphraseNeed, Start, SystemEvent, Trouble, Unsent, WindowId};
use crate::store::Accounts;
use crate::surroundings::Surroundings;
use crate::view::{CallError, DeskEvent};

/// Longest sleep of the loop: nothing is due that often, but a clock that was set must be noticed.
const LONGEST_SLEEP_MS: u64 = 60_000;
/// Lists are told at once, and again at most so often, milliseconds: under a flood each of their changes would be drawn
/// in the frame of a message, and nobody reads a list that changes faster.
const LISTS_MS: u64 = 100;

/// What the active account shares with the hub.
pub(crate) struct Outside {
    pub(crate) windows: Windows,
    pub(crate) time: Time,
    pub(crate) surroundings: Surroundings,
    /// Something the user waits for with their eyes: told at once.
    pub(crate) urgent: bool,
}

impl Outside {
    fn new_id(&self) -> Id {
        let mut random = [0; 10];
        self.surroundings.randomness.fill(&mut random);
        Id::v7(self.time.wall(), random)
    }
}

/// The hub of one desk.
pub(crate) struct Hub {
    commands: mpsc::Receiver<Command>,
    internal: mpsc::UnboundedReceiver<Internal>,
    opener: Opener,
    remembered: Remembered,
    outside: Outside,
    active: Option<Active>,
    /// The remembered account is being opened; who asks for the start waits.
    starting: bool,
    waiting_starts: Vec<Reply<Start>>,
    /// What was asked before the remembered account was open. Bounded: each caller waits for its answer.
    early: Vec<Command>,
    passphrase: PassphraseNeed,
    keyring: bool,
    trouble: Option<Trouble>,
    /// What memory had of an account whose store can't be used, for when it opens again.
    left: Option<(KnownAccount, Unstored)>,
    presented_ms: u64,
    listed_ms: u64,
    /// When lists are told again, if something may wait there.
    lists_at: Option<u64>,
    dirty: bool,
    flush_at: Option<u64>,
}

impl Hub {
    /// Reads what the data folder remembers.
    pub(crate) fn open(config: EngineConfig, commands: mpsc::Receiver<Command>) -> Result<Self, CallError> {
        let EngineConfig {
            data_dir,
            software,
            language,
            keyring,
            surroundings,
        } = config;
        let failed = |error: std::io::Error| {
            tracing::error!(%error, folder = %data_dir.display(), "the data folder can't be used");
            CallError::store()
        };
        std::fs::create_dir_all(&data_dir).map_err(failed)?;
        let time = Time::new(surroundings.clock.clone());
        let randomness = surroundings.randomness.as_ref();
        let remembered = Remembered::open(data_dir.join("desk.json"), time.wall(), randomness).map_err(failed)?;
        let (tell, internal) = mpsc::unbounded_channel();
        let opener = Opener {
            opening: Opening {
                accounts: Accounts::new(&data_dir),
                keyring,
                passphrase: None,
            },
            software: Software {
                device: remembered.device(),
                version: software,
                language,
            },
            transport: surroundings.transport.clone(),
            tell,
        };
        let outside = Outside {
            windows: Windows::default(),
            time,
            surroundings,
            urgent: false,
        };
        Ok(Self {
            commands,
            internal,
            opener,
            remembered,
            outside,
            active: None,
            starting: true,
            waiting_starts: Vec::new(),
            early: Vec::new(),
            passphrase: PassphraseNeed::No,
            keyring: false,
            trouble: None,
            left: None,
            presented_ms: 0,
            listed_ms: 0,
            lists_at: None,
            dirty: false,
            flush_at: None,
        })
    }

    /// Runs until the last engine's handle is gone, or it is stopped.
    pub(crate) async fn run(mut self) {
        self.opener
            .start(self.remembered.resumes(), self.remembered.accounts().into_iter().next());
        loop {
            let sleep = tokio::time::sleep(Duration::from_millis(self.sleep_ms()));
            let stopped = tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                Some(internal) = self.internal.recv() => {
                    self.opened(internal);
                    None
                }
                happened = next(self.active.as_mut()) => {
                    if let Some(active) = &mut self.active {
                        active.happened(happened, &mut self.outside);
                    }
                    None
                }
                () = sleep => None,
            };
            self.dirty = true;
            self.settle();
            if let Some(reply) = stopped {
                self.deactivate().await;
                tell(reply, Ok(()));
                break;
            }
        }
        tracing::info!("engine stopped");
    }

    /// Milliseconds until something is due.
    fn sleep_ms(&self) -> u64 {
        let now = self.outside.time.now();
        let active = self.active.as_ref();
        let due = [
            active.and_then(|active| active.wake_at),
            active.and_then(|active| active.reloading.at),
            active.and_then(|active| active.attention.due()),
            active.and_then(|active| active.waits.next()),
            self.dirty.then_some(self.presented_ms + FRAME_MS),
            self.lists_at.map(|at| at.max(self.presented_ms + FRAME_MS)),
            self.flush_at,
        ];
        let next = due.into_iter().flatten().min().unwrap_or(u64::MAX);
        next.saturating_sub(now).min(LONGEST_SLEEP_MS)
    }

    /// What is due, and what windows have to be told.
    fn settle(&mut self) {
        if let Some(active) = &mut self.active {
            active.tick(&mut self.outside);
            active.tell_unseen(&mut self.outside);
            if let Some(error) = active.broken.take() {
                self.give_up(error);
            } else if active.session_over() {
                // What must be typed again isn't resumed at the next start.
                self.forget_session();
            }
        }
        for window in self.outside.windows.gone() {
            self.detach(&window);
        }
        let now = self.outside.time.now();
        let urgent = std::mem::take(&mut self.outside.urgent);
        if urgent || (self.dirty && now >= self.presented_ms + FRAME_MS) {
            self.dirty = false;
            self.lists_at = (now < self.listed_ms + LISTS_MS).then_some(self.listed_ms + LISTS_MS);
            if let Some(active) = &mut self.active {
                for window in self.outside.windows.take_behind() {
                    active.resync(&window, &mut self.outside);
                }
                active.tell_timelines(&mut self.outside);
                active.tell_states(&mut self.outside);
                if self.lists_at.is_none() && active.tell_lists(&mut self.outside) {
                    self.listed_ms = now;
                }
            }
            // Where no row is told, what comes next needn't wait.
            if self.outside.windows.has_rows() {
                self.presented_ms = now;
            }
            self.flush_at = self.outside.windows.flush(now, urgent);
        } else if self.flush_at.is_some_and(|at| at <= now) {
            self.flush_at = self.outside.windows.flush(now, false);
        }
    }

    /// Does what was asked; gives the reply if it was to stop.
    fn command(&mut self, command: Command) -> Option<Reply<()>> {
        if let Command::Picture { of, agent, reply } = command {
            // Without an account the reply is dropped, as below.
            if let Some(active) = &self.active {
                active.pictures.ask(&of, agent, active.online, reply);
            }
            return None;
        }
        self.outside.urgent = true;
        match command {
            Command::Attach(window, reply) => self.attach(&window, reply),
            Command::Detach(window) => self.detach(&window),
            Command::Start(reply) => {
                if self.starting {
                    self.waiting_starts.push(reply);
                } else {
                    tell(reply, Ok(self.start()));
                }
            }
            Command::Reach(gateway, reply) => self.reach(&gateway, reply),
            Command::LogIn(with, reply) => self.log_in(with, reply),
            Command::LogOut { force, reply } => self.log_out(force, reply),
            Command::Unlock(passphrase, reply) => self.unlock(passphrase, reply),
            Command::SetAside(known, reply) => self.set_aside(known, reply),
            Command::Diagnostics(reply) => tell(reply, Ok(self.diagnostics())),
            Command::Unsent(reply) => tell(reply, Ok(self.unsent())),
            Command::System(event) => self.system_event(event),
            Command::Stop(reply) => return Some(reply),
            command if self.starting => self.early.push(command),
            command => {
                // Without an account the reply is dropped, which tells the caller `session`.
                if let Some(active) = &mut self.active {
                    active.call(command, &mut self.outside);
                    active.pump(&mut self.outside);
                }
            }
        }
        None
    }

    fn attach(&mut self, window: &WindowId, reply: Reply<mpsc::Receiver<Vec<DeskEvent>>>) {
        self.detach(window);
        let receiver = self.outside.windows.attach(window.clone());
        if let Some(active) = &self.active {
            self.outside
                .windows
                .tell(window, DeskEvent::Me { me: active.me_view() });
            self.outside.windows.tell(window, active.sync_event(&self.outside));
        }
        tell(reply, Ok(receiver));
    }

    fn detach(&mut self, window: &WindowId) {
        if let Some(active) = &mut self.active {
            for conversation in self.outside.windows.timelines(window) {
                active.unobserve(conversation, window, &mut self.outside);
            }
            active.inbox.unobserve(window);
            active.pump(&mut self.outside);
        }
        self.outside.windows.detach(window);
    }

    fn system_event(&mut self, event: SystemEvent) {
        if event == SystemEvent::WokeUp {
            self.outside.time.woke_up();
        }
        if let Some(active) = &mut self.active {
            active.inbox_shift(&self.outside);
            active.input(Input::NetworkChanged, &mut self.outside);
        }
    }

    fn unsent(&self) -> Unsent {
        self.active.as_ref().map(Active::unsent).unwrap_or_default()
    }

    fn diagnostics(&self) -> String {
        match &self.active {
            Some(active) => active.diagnostics(&self.outside),
            None => format!(
                "software: {} (protocol {})\ndevice: {}\nnobody is logged in\n",
                self.opener.software.version,
                zuoxi_wire::VERSION,
                self.opener.software.device
            ),
        }
    }
}

/// The next thing for the account that is logged in.
async fn next(active: Option<&mut Active>) -> Happened {
    match active {
        Some(active) => active.next().await,
        None => std::future::pending().await,
    }
}
