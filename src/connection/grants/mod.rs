//! The grants of all organisations: what lets the service call Google in somebody's name.
//!
//! Owns a grant from its storing to its end, the access tokens, the road of every request that reads with one but for
//! those of an attempt, and what is noted against an integration; the calendars of one that has ended are sealed in `connection/sealed_calendars.rs`. Never
//! decides what Google is called for. Invariant: a token is given out for the epoch that it was asked for and for no other.

mod access;
mod calendars;
mod metered;
mod problems;
mod read_error;
mod revocation;

use std::sync::Arc;

use jiff::SignedDuration;

use crate::clock::{Clock, Entropy};
use crate::crypto::{Keyring, Secret, TokenColumn};
use crate::google::{CalendarError, Google, Granted};
use crate::model::{Calendar, Change, GoogleUserId, GrantEnd, OrganisationId};
use crate::notifier::Notifier;
use crate::quota::Quota;
use crate::store::{self, AsOf, Connect, Grant, Integration, OpenedCalendar, Store};

use super::Error;
use super::secrets::Secrets;
use access::Tokens;
pub use access::{Access, AccessError, MAX_TOKENS};
use metered::MeteredGoogle;
pub use read_error::ReadError;
pub use revocation::ACCOUNT_PAGE;

/// How long the grant of another account waits for a person's word.
const PENDING_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// The grants. A clone is another handle.
#[derive(Debug, Clone)]
pub struct Grants {
    pub(super) store: Store,
    google: MeteredGoogle,
    secrets: Secrets,
    pub(super) clock: Clock,
    notifier: Notifier,
    tokens: Arc<Tokens>,
}

impl Grants {
    /// Puts the parts together; nothing is asked of any of them yet.
    pub fn new(
        store: Store,
        google: Google,
        keyring: Arc<Keyring>,
        clock: Clock,
        entropy: Entropy,
        notifier: Notifier,
        quota: Arc<Quota>,
    ) -> Self {
        let google = MeteredGoogle::new(google, quota, clock.clone());
        Self { store, google, secrets: Secrets::new(keyring, entropy), clock, notifier, tokens: Arc::default() }
    }

    /// How this object seals and opens, for its neighbours.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Stores a grant with its target calendar, and the calendars that were sealed before, in place of the one before, as
    /// far as nothing has happened since `as_of` that speaks against it. What is not stored is revoked, unless others use
    /// the account, and what became of it comes with the answer.
    pub(super) async fn connect(
        &self,
        organisation: &OrganisationId,
        granted: Granted,
        calendar: Calendar,
        opened: Vec<OpenedCalendar>,
        as_of: AsOf,
    ) -> Result<(Connect, Option<GrantEnd>), store::Error> {
        let now = self.clock.now();
        let grant = Grant {
            organisation: organisation.clone(),
            google_user_id: granted.google_user_id,
            google_email: granted.google_email,
            access_token: self.secrets.seal_token(organisation, TokenColumn::AccessToken, &granted.access_token),
            refresh_token: self.secrets.seal_token(organisation, TokenColumn::RefreshToken, &granted.refresh_token),
            token_expires_at: granted.expires_at,
            granted_scopes: granted.scopes,
            calendar,
            opened,
        };
        let token = grant.refresh_token.clone();
        let connect = self.store.connect(grant, as_of, now + PENDING_LIFETIME, now).await?;
        let grant_end = match &connect {
            Connect::Stored => {
                tracing::info!(organisation.id = %organisation, "a Google account is connected");
                self.notifier.notify_due();
                // Another account that was asked about is no longer asked about.
                self.store.queue_lapsed_grants(now).await?;
                self.revoke_unkept(Some(organisation)).await?;
                None
            }
            Connect::KeptAside => {
                tracing::info!(organisation.id = %organisation, "another Google account waits to be confirmed");
                self.revoke_unkept(Some(organisation)).await?;
                None
            }
            Connect::Fenced | Connect::AlreadyConnected | Connect::Revoked => {
                tracing::info!(organisation.id = %organisation, "a grant came too late, and is not stored");
                Some(self.revoke_unkept(Some(organisation)).await?.of(&token))
            }
        };
        self.notifier.notify(&Change::Integration(organisation.clone()));
        Ok((connect, grant_end))
    }

    /// Forgets the access token that this process holds: the organisation is being disconnected.
    pub(super) fn forget(&self, organisation: &OrganisationId) {
        self.tokens.forget(organisation);
    }

    /// Takes a unit of quota for a reading call that somebody waits for, and waits a moment for it.
    pub(super) async fn take_read_unit(&self, account: &GoogleUserId) -> Result<(), Error> {
        self.google.take_read_unit(account).await
    }

    /// Makes a reading call of Google, one request: with an access token, and again with a newer one as long as there is one
    /// and it is refused. Each time takes a unit first, by `take_unit`.
    pub async fn call_with_token_retry<T, E, Taking, Calling>(
        &self,
        integration: &Integration,
        take_unit: impl Fn() -> Taking,
        call: impl Fn(Google, Secret) -> Calling,
    ) -> Result<T, E>
    where
        E: From<ReadError>,
        Taking: Future<Output = Result<(), E>> + Send,
        Calling: Future<Output = Result<T, CalendarError>> + Send,
    {
        let organisation = &integration.organisation;
        let (mut rejected, mut tokens) = (None, 0);
        loop {
            take_unit().await?;
            let access = self.access(organisation, integration.epoch, rejected.as_ref()).await;
            let access = access.map_err(ReadError::from)?;
            tokens += 1;
            let answer = call(self.google.client.clone(), access.token.clone()).await;
            if tokens == MAX_TOKENS || !matches!(answer, Err(CalendarError::Unauthorized)) {
                return Ok(answer.map_err(ReadError::from)?);
            }
            rejected = Some(access);
        }
    }
}
