//! Logging in and out, unlocking, and what a desk starts from. What blocks or waits for the network runs apart and
//! comes back as an [`Internal`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use zeroize::Zeroizing;
use zuoxi_protocol::{Command as Ask, Credential, Input};

use super::Hub;
use super::active::Active;
use super::asking::tell;
use super::command::{LogInWith, Reply};
use super::log_in::{Software, buy_session, knock};
use super::opening::{Opened, Opening};
use crate::desk::{KnownAccount, PassphraseNeed, Start, Trouble};
use crate::net::{GatewayAddress, Transport};
use crate::view::{CallError, DeskEvent};

/// A database that was just closed is let go by its threads within this many tries, 50 ms apart.
const TRIES: u32 = 60;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// What was done apart.
pub(crate) enum Internal {
    /// The remembered account is open, if there is one.
    Started {
        opened: Option<Result<Box<Opened>, Trouble>>,
        keyring: bool,
        passphrase: PassphraseNeed,
    },
    /// A session was bought, and its account opened unless it is the active one.
    LoggedIn {
        known: KnownAccount,
        bought: Result<Bought, CallError>,
        reply: Reply<()>,
    },
    /// The passphrase is right, and the remembered account open, if there is one.
    Unlocked {
        passphrase: Zeroizing<String>,
        result: Result<Option<Box<Opened>>, CallError>,
        reply: Reply<()>,
    },
    /// An account's database lies elsewhere now.
    SetAside {
        known: KnownAccount,
        result: Result<(), CallError>,
        reply: Reply<()>,
    },
}

pub(crate) struct Bought {
    remember: bool,
    token: Bytes,
    /// `None`: it is active already.
    opened: Option<Box<Opened>>,
}

/// Does what must not hold up the hub.
pub(crate) struct Opener {
    pub(crate) opening: Opening,
    pub(crate) software: Software,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) tell: mpsc::UnboundedSender<Internal>,
}

impl Opener {
    /// Opens the account that goes on by itself; `last` is the last one that was logged in.
    pub(crate) fn start(&self, resumes: Option<KnownAccount>, last: Option<KnownAccount>) {
        let (opening, tell) = (self.opening.clone(), self.tell.clone());
        tokio::spawn(async move {
            let opened = match resumes {
                Some(account) => {
                    let opened = open(&opening, account.clone()).await;
                    Some(opened.map_err(|error| Trouble { account, error }))
                }
                None => None,
            };
            let apart = tokio::task::spawn_blocking(move || {
                let passphrase = opening.passphrase_need(last.as_ref());
                (opening.has_keyring(), passphrase)
            });
            let (keyring, passphrase) = apart.await.unwrap_or((false, PassphraseNeed::No));
            // A hub that is gone needs no account.
            let _ = tell.send(Internal::Started {
                opened,
                keyring,
                passphrase,
            });
        });
    }
}

async fn open(opening: &Opening, known: KnownAccount) -> Result<Box<Opened>, CallError> {
    let opening = opening.clone();
    when_let_go(move || opening.open(&known)).await.map(Box::new)
}

/// Does what blocks, and again for a while as long as the database isn't let go.
async fn when_let_go<T: Send + 'static>(
    attempt: impl Fn() -> Result<T, CallError> + Clone + Send + 'static,
) -> Result<T, CallError> {
    for _ in 0..TRIES {
        let done = tokio::task::spawn_blocking(attempt.clone()).await;
        match done.unwrap_or_else(|_| Err(CallError::store())) {
            Err(error) if error.code == "in_use" => tokio::time::sleep(BETWEEN_TRIES).await,
            other => return other,
        }
    }
    Err(CallError::new("in_use"))
}

impl Hub {
    pub(super) fn opened(&mut self, internal: Internal) {
        self.outside.urgent = true;
        match internal {
            Internal::Started {
                opened,
                keyring,
                passphrase,
            } => {
                self.starting = false;
                self.keyring = keyring;
                self.passphrase = passphrase;
                match opened {
                    Some(Ok(opened)) => self.activate(*opened),
                    Some(Err(trouble)) if trouble.error.code == "passphrase_needed" => {}
                    Some(Err(trouble)) => self.trouble = Some(trouble),
                    None => {}
                }
                for command in std::mem::take(&mut self.early) {
                    self.command(command);
                }
                for reply in std::mem::take(&mut self.waiting_starts) {
                    tell(reply, Ok(self.start()));
                }
            }
            Internal::LoggedIn { known, bought, reply } => match bought {
                Ok(bought) => self.bought(&known, bought, reply),
                Err(error) => {
                    self.trouble_with(Some(known), &error);
                    tell(reply, Err(error));
                }
            },
            Internal::Unlocked {
                passphrase,
                result,
                reply,
            } => match result {
                Ok(opened) => {
                    self.opener.opening.passphrase = Some(passphrase);
                    self.passphrase = PassphraseNeed::No;
                    self.trouble = None;
                    if let Some(opened) = opened
                        && self.active.is_none()
                    {
                        self.activate(*opened);
                    }
                    tell(reply, Ok(()));
                }
                Err(error) => {
                    self.trouble_with(self.remembered.resumes(), &error);
                    tell(reply, Err(error));
                }
            },
            Internal::SetAside { known, result, reply } => {
                if result.is_ok() {
                    self.trouble = None;
                    // The new database knows no session that could go on by itself.
                    if self.remembered.resumes().as_ref() == Some(&known) {
                        self.forget_session();
                    }
                }
                tell(reply, result);
            }
        }
    }

    /// What is wrong with a database is kept until it is set aside or opens: the log-in offers what can be done.
    fn trouble_with(&mut self, account: Option<KnownAccount>, error: &CallError) {
        if let Some(account) = account
            && ["damaged", "newer_database"].contains(&error.code.as_str())
        {
            self.trouble = Some(Trouble {
                account,
                error: error.clone(),
            });
        }
    }

    pub(super) fn start(&self) -> Start {
        let accounts = self.remembered.accounts();
        let last = accounts.first().cloned();
        Start {
            me: self
                .active
                .as_ref()
                .filter(|active| !active.session_over())
                .and_then(Active::me_view),
            gateway: last.as_ref().map(|last| last.gateway.clone()).unwrap_or_default(),
            name: last.map(|last| last.name).unwrap_or_default(),
            accounts,
            passphrase: self.passphrase,
            keyring: self.keyring,
            trouble: self.trouble.clone(),
        }
    }

    /// Knocks at a gateway, and answers when it does.
    pub(super) fn reach(&self, gateway: &str, reply: Reply<u32>) {
        let Ok(address) = GatewayAddress::parse(gateway) else {
            return tell(reply, Err(CallError::invalid()));
        };
        let transport = self.opener.transport.clone();
        tokio::spawn(async move { tell(reply, knock(transport.as_ref(), &address).await) });
    }

    pub(super) fn log_in(&mut self, with: LogInWith, reply: Reply<()>) {
        let LogInWith {
            gateway,
            name,
            password,
            remember,
        } = with;
        let Ok(address) = GatewayAddress::parse(&gateway) else {
            return tell(reply, Err(CallError::invalid()));
        };
        if name.is_empty() || password.is_empty() {
            return tell(reply, Err(CallError::invalid()));
        }
        let known = KnownAccount { gateway, name };
        let is_active = self.active.as_ref().is_some_and(|active| active.known == known);
        let opening = self.opener.opening.clone();
        let (transport, software) = (self.opener.transport.clone(), self.opener.software.clone());
        let internal = self.opener.tell.clone();
        tokio::spawn(async move {
            let bought = async {
                need_passphrase(&opening, &known, is_active).await?;
                let token = buy_session(transport.as_ref(), &address, &software, &known.name, &password)
                    .await?
                    .token;
                let opened = if is_active {
                    None
                } else {
                    Some(open(&opening, known.clone()).await?)
                };
                Ok(Bought {
                    remember,
                    token,
                    opened,
                })
            };
            let bought = bought.await;
            // A hub that is gone logs nobody in.
            let _ = internal.send(Internal::LoggedIn { known, bought, reply });
        });
    }

    fn bought(&mut self, known: &KnownAccount, bought: Bought, reply: Reply<()>) {
        let Bought {
            remember,
            token,
            opened,
        } = bought;
        if let Some(opened) = opened {
            self.close_active();
            self.activate(*opened);
        }
        self.trouble = None;
        if let Err(error) = self.remembered.logged_in(known, remember) {
            tracing::warn!(%error, "the log-in isn't remembered");
        }
        let Some(active) = self.active.as_mut().filter(|active| active.known == *known) else {
            return tell(reply, Err(CallError::new("busy")));
        };
        active.log_in_reply = Some(reply);
        active.ended = None;
        let credential = Credential::Session(token);
        active.input(Input::User(Ask::LogIn { credential, remember }), &mut self.outside);
    }

    fn activate(&mut self, opened: Opened) {
        tracing::info!(gateway = opened.known.gateway, "account opened");
        let left = self.left.take_if(|(known, _)| *known == opened.known);
        let left = left.map(|(_, unstored)| unstored);
        let mut active = Active::new(opened, self.opener.software.clone(), left, &mut self.outside);
        active.input(Input::Tick, &mut self.outside);
        active.changed.me = true;
        self.active = Some(active);
    }

    /// Ends the account here; its database stays. It closes on a thread of its own.
    fn close_active(&mut self) -> Option<tokio::task::JoinHandle<()>> {
        self.outside.windows.clear();
        let mut active = self.active.take()?;
        active.link.close();
        Some(tokio::task::spawn_blocking(move || drop(active)))
    }

    pub(super) async fn deactivate(&mut self) {
        if let Some(closing) = self.close_active() {
            // A panicked thread has nothing more to store.
            let _ = closing.await;
        }
    }

    pub(super) fn log_out(&mut self, force: bool, reply: Reply<()>) {
        let Some(active) = &mut self.active else {
            return tell(reply, Ok(()));
        };
        let unsent = active.unsent();
        if !force && unsent.waiting + unsent.parked > 0 {
            return tell(reply, Err(CallError::new("busy")));
        }
        active.leaving = true;
        active.input(Input::User(Ask::LogOut), &mut self.outside);
        self.forget_session();
        self.close_active();
        self.outside.windows.tell_all(&DeskEvent::Me { me: None });
        tell(reply, Ok(()));
    }

    /// The store can't go on: nothing more is taken for this account.
    pub(super) fn give_up(&mut self, error: CallError) {
        if let Some(active) = &mut self.active {
            let account = active.known.clone();
            self.left = Some((account.clone(), active.take_unstored()));
            self.trouble = Some(Trouble { account, error });
        }
        self.close_active();
        self.outside.windows.tell_all(&DeskEvent::Me { me: None });
    }

    pub(super) fn forget_session(&mut self) {
        if self.remembered.resumes().is_some()
            && let Err(error) = self.remembered.logged_out()
        {
            tracing::warn!(%error, "it isn't remembered that nobody is logged in");
        }
    }

    pub(super) fn unlock(&mut self, passphrase: Zeroizing<String>, reply: Reply<()>) {
        let mut opening = self.opener.opening.clone();
        opening.passphrase = Some(passphrase.clone());
        let resumes = self.remembered.resumes().filter(|_| self.active.is_none());
        let last = self.remembered.accounts().into_iter().next();
        let internal = self.opener.tell.clone();
        tokio::spawn(async move {
            let unlocked = async {
                let (check, phrase) = (opening.clone(), passphrase.clone());
                let checked = tokio::task::spawn_blocking(move || check.check_passphrase(last.as_ref(), &phrase)).await;
                checked.unwrap_or_else(|_| Err(CallError::store()))?;
                match resumes {
                    Some(known) => open(&opening, known).await.map(Some),
                    None => Ok(None),
                }
            };
            let result = unlocked.await;
            // A hub that is gone unlocks nothing.
            let _ = internal.send(Internal::Unlocked {
                passphrase,
                result,
                reply,
            });
        });
    }

    pub(super) fn set_aside(&mut self, known: KnownAccount, reply: Reply<()>) {
        if self.active.as_ref().is_some_and(|active| active.known == known) {
            return tell(reply, Err(CallError::new("busy")));
        }
        let (opening, now) = (self.opener.opening.clone(), self.outside.time.wall());
        let internal = self.opener.tell.clone();
        tokio::spawn(async move {
            let account = known.clone();
            let result = when_let_go(move || opening.set_aside(&account, now)).await;
            // A hub that is gone needs no account.
            let _ = internal.send(Internal::SetAside { known, result, reply });
        });
    }
}

/// Before a password goes anywhere: whether the account could be opened at all.
async fn need_passphrase(opening: &Opening, known: &KnownAccount, is_active: bool) -> Result<(), CallError> {
    if is_active {
        return Ok(());
    }
    let (opening, known) = (opening.clone(), known.clone());
    let need = tokio::task::spawn_blocking(move || opening.passphrase_need(Some(&known))).await;
    match need.unwrap_or(PassphraseNeed::No) {
        PassphraseNeed::No => Ok(()),
        PassphraseNeed::New | PassphraseNeed::Known => Err(CallError::new("passphrase_needed")),
    }
}
