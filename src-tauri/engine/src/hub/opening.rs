//! Opening an account's database: key, file, state. All of it blocks, so it runs apart from the hub.

use std::sync::Arc;

use tokio::sync::mpsc;
use zeroize::Zeroizing;
use zuoxi_protocol::change::Loaded;

use crate::desk::{KnownAccount, PassphraseNeed};
use crate::net::GatewayAddress;
use crate::store::{
    self, Account, Accounts, Done, Guard, Keyring, KeyringError, Store, StoreError, StoreOptions, UnlockError,
};
use crate::view::CallError;

/// What opening needs; cheap to clone into the thread that does it.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) accounts: Accounts,
    pub(crate) keyring: Arc<dyn Keyring>,
    pub(crate) passphrase: Option<Zeroizing<String>>,
}

/// An open account.
pub(crate) struct Opened {
    pub(crate) known: KnownAccount,
    pub(crate) gateway: GatewayAddress,
    pub(crate) store: Store,
    pub(crate) loaded: Loaded,
    pub(crate) ends: mpsc::UnboundedReceiver<Vec<Done>>,
}

impl Opening {
    /// Opens or makes the account's database. Blocks.
    pub(crate) fn open(&self, known: &KnownAccount) -> Result<Opened, CallError> {
        let gateway = address(&known.gateway)?;
        let account = self.account(known)?;
        let passphrase = self.passphrase.as_ref().map(|passphrase| passphrase.as_str());
        let key = store::unlock(&account, self.keyring.as_ref(), passphrase).map_err(|error| unlock_error(&error))?;
        // Bounded by the store's own backlog.
        let (tell, ends) = mpsc::unbounded_channel();
        let on_done = Box::new(move |done| {
            // A hub that is gone needs no ends.
            let _ = tell.send(done);
        });
        let (store, loaded) =
            Store::open(StoreOptions::new(account.database(), key), on_done).map_err(|error| store_error(&error))?;
        Ok(Opened {
            known: known.clone(),
            gateway,
            store,
            loaded,
            ends,
        })
    }

    /// Whether a passphrase must be brought before this account (or a first one) opens. Blocks.
    pub(crate) fn passphrase_need(&self, known: Option<&KnownAccount>) -> PassphraseNeed {
        if self.passphrase.is_some() {
            return PassphraseNeed::No;
        }
        let guard = known
            .and_then(|known| self.existing(known))
            .and_then(|account| store::guard(&account).ok());
        match guard.flatten() {
            Some(Guard::Passphrase { .. }) => PassphraseNeed::Known,
            Some(Guard::Keyring) => PassphraseNeed::No,
            None if self.has_keyring() => PassphraseNeed::No,
            None => PassphraseNeed::New,
        }
    }

    /// Checks a passphrase against an account that has one; any that is long enough will do for one that hasn't. Blocks.
    pub(crate) fn check_passphrase(&self, known: Option<&KnownAccount>, passphrase: &str) -> Result<(), CallError> {
        if passphrase.chars().count() < store::PASSPHRASE_MIN {
            return Err(CallError::new("too_short"));
        }
        let Some(account) = known.and_then(|known| self.existing(known)) else {
            return Ok(());
        };
        match store::guard(&account) {
            Ok(Some(Guard::Passphrase { .. })) => store::unlock(&account, self.keyring.as_ref(), Some(passphrase))
                .map(|_| ())
                .map_err(|error| unlock_error(&error)),
            _ => Ok(()),
        }
    }

    /// Whether a keyring answers. Blocks.
    pub(crate) fn has_keyring(&self) -> bool {
        !matches!(self.keyring.read("zuoxi"), Err(KeyringError::Absent(_)))
    }

    /// Moves a database that can't be read out of the way. Blocks.
    pub(crate) fn set_aside(&self, known: &KnownAccount, now_ms: u64) -> Result<(), CallError> {
        let account = self.existing(known).ok_or_else(|| CallError::new("not_found"))?;
        let aside = account.set_aside(now_ms).map_err(|error| store_error(&error))?;
        tracing::warn!(folder = %aside.display(), "a database was set aside");
        Ok(())
    }

    /// The account, if this computer has it: a mistyped name makes no folder.
    fn existing(&self, known: &KnownAccount) -> Option<Account> {
        let gateway = address(&known.gateway).ok()?.to_string();
        let accounts = self.accounts.list().ok()?;
        accounts
            .into_iter()
            .find(|account| account.gateway() == gateway && account.login() == known.name)
    }

    fn account(&self, known: &KnownAccount) -> Result<Account, CallError> {
        let gateway = address(&known.gateway)?.to_string();
        self.accounts.open(&gateway, &known.name).map_err(|error| {
            tracing::error!(%error, "no folder for an account");
            store_error(&StoreError::from(error))
        })
    }
}

fn address(text: &str) -> Result<GatewayAddress, CallError> {
    GatewayAddress::parse(text).map_err(|_| CallError::invalid())
}

pub(crate) fn store_error(error: &StoreError) -> CallError {
    tracing::error!(%error, "the store");
    CallError::new(error.code())
}

fn unlock_error(error: &UnlockError) -> CallError {
    tracing::info!(%error, "no key");
    CallError::new(error.code())
}
