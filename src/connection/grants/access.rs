//! Access tokens: opened once, refreshed once for all who wait.
//!
//! Owns the tokens that this process has opened, and when one is refreshed. Never keeps a refresh token open, and never
//! calls a grant dead but on the token endpoint's word: an access token that is refused is refreshed, and one that is
//! refused right after is waited for. Invariant: however many callers of however many replicas wait for a token of one
//! organisation, it is refreshed once.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tracing::Instrument as _;
use uuid::Uuid;

use super::Grants;
use crate::crypto::{ExposeSecret, OpenError, Sealed, Secret, TokenColumn};
use crate::error_chain::error_chain;
use crate::google::{CALL_DEADLINE, RefreshError};
use crate::model::{Epoch, GoogleUserId, OrganisationId, Reason};
use crate::store::{self, Guarded, Integration, RefreshedTokens};

/// How many tokens one call is tried with: the one that this process holds, the one that another has stored since, and a
/// fresh one.
pub const MAX_TOKENS: u8 = 3;

/// A token that expires sooner than this is refreshed before it is used.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// A token that is younger than this and is refused is not refreshed again: Google needs a moment to honour it.
const MIN_REFRESH_AGE: SignedDuration = SignedDuration::from_mins(1);
/// How long the right to refresh lasts: longer than the call that it is for.
const REFRESH_LEASE: SignedDuration = SignedDuration::from_secs(30);
const _: () = assert!(CALL_DEADLINE.as_secs() < REFRESH_LEASE.as_secs().unsigned_abs());
/// How often the process looks whether the refresh of another replica has ended.
const REFRESH_POLL: SignedDuration = SignedDuration::from_millis(250);

/// The right to call Google for one organisation, in one epoch.
#[derive(Debug, Clone)]
pub struct Access {
    /// The access token.
    pub token: Secret,
    /// Whose quota the calls count against.
    pub google_user_id: GoogleUserId,
    expires_at: Timestamp,
}

impl Access {
    fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at > now + LEEWAY
    }

    /// Whether it can be used at `now`: it lives on for a while, and is not the one that Google has just `rejected`.
    fn is_fit(&self, now: Timestamp, rejected: Option<&Self>) -> bool {
        let is_rejected = rejected.is_some_and(|it| it.token.expose_secret() == self.token.expose_secret());
        self.is_live(now) && !is_rejected
    }
}

/// Says why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The account was disconnected, or connected anew, since the work began.
    #[error("the integration is in another epoch")]
    Fenced,
    /// The grant is dead. It is noted.
    #[error("the Google account has to be connected again")]
    ReconnectRequired,
    /// Google is away, or does not honour a token that it gave just now.
    #[error("Google is unavailable")]
    Unavailable {
        /// How long Google asked to wait; `None`: it did not say.
        retry_after: Option<SignedDuration>,
    },
    /// The operator's OAuth client is wrong. It is noted.
    #[error("the service's Google project is not set up")]
    Misconfigured,
    /// The store could not be read or written.
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// The stored token does not open. It is noted.
    #[error("a stored secret does not open")]
    Sealed(#[from] OpenError),
}

/// The token of one organisation; whoever holds the lock is the one that refreshes.
type Slot = Arc<tokio::sync::Mutex<Option<(Epoch, Access)>>>;

/// The opened tokens of this process.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<OrganisationId, Slot>>);

impl Tokens {
    fn slot(&self, organisation: &OrganisationId) -> Slot {
        self.0.lock().entry(organisation.clone()).or_default().clone()
    }

    /// Forgets an organisation's token: it was disconnected.
    pub(super) fn forget(&self, organisation: &OrganisationId) {
        self.0.lock().remove(organisation);
    }
}

/// A grant that is not known to be dead, as it is stored.
struct LiveGrant {
    organisation: OrganisationId,
    epoch: Epoch,
    google_user_id: GoogleUserId,
    refresh_token: Sealed,
    /// The latest access token and when it expires.
    access_token: Option<(Sealed, Timestamp)>,
    refreshed_at: Option<Timestamp>,
}

impl LiveGrant {
    /// The grant of this epoch. A dead one is final: Google is not asked about it again.
    fn of(integration: Option<Integration>, epoch: Epoch) -> Result<Self, AccessError> {
        // A disconnect deletes with the grant that it ends, in an epoch of its own.
        let integration = integration.filter(|it| it.epoch == epoch).ok_or(AccessError::Fenced)?;
        if integration.problem.is_some_and(|problem| problem.reason == Reason::ReconnectRequired) {
            return Err(AccessError::ReconnectRequired);
        }
        let (Some(refresh_token), Some(google_user_id)) = (integration.refresh_token, integration.google_user_id)
        else {
            return Err(AccessError::Fenced);
        };
        Ok(Self {
            organisation: integration.organisation,
            epoch,
            google_user_id,
            refresh_token,
            access_token: integration.access_token.zip(integration.token_expires_at),
            refreshed_at: integration.refreshed_at,
        })
    }

    fn is_refreshed_lately(&self, now: Timestamp) -> bool {
        // Another replica's clock may be a little ahead.
        self.refreshed_at.is_some_and(|at| now.duration_since(at).abs() < MIN_REFRESH_AGE)
    }
}

impl Grants {
    /// The right to call Google; refreshed first if it expires soon, or if `rejected` is still the latest.
    ///
    /// Any number of callers cause one refresh: the first refreshes, the others find its result.
    pub async fn access(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        rejected: Option<&Access>,
    ) -> Result<Access, AccessError> {
        let slot = self.tokens.slot(organisation);
        let mut slot = slot.lock().await;
        if let Some((of, access)) = slot.as_ref()
            && *of == epoch
            && access.is_fit(self.clock.now(), rejected)
        {
            return Ok(access.clone());
        }
        *slot = None;
        let latest = self.latest(organisation, epoch, rejected).await;
        if let Err(AccessError::Sealed(error)) = &latest {
            tracing::error!(
                error = %error_chain(error),
                "a token does not open; check that ENCRYPTION_KEYS still holds every key that was in use"
            );
            self.note_problem(organisation, epoch, Reason::KeyringIncomplete, None).await?;
        }
        let access = latest?;
        *slot = Some((epoch, access.clone()));
        Ok(access)
    }

    /// The access token that is stored, once it is fit; refreshed under a lease, so that one replica does it.
    async fn latest(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        rejected: Option<&Access>,
    ) -> Result<Access, AccessError> {
        loop {
            let now = self.clock.now();
            let grant = LiveGrant::of(self.store.integration(organisation).await?, epoch)?;
            if let Some(access) = self.stored(&grant, now, rejected)? {
                return Ok(access);
            }
            let lease_token = self.secrets.lease_token();
            let leased = self.store.lease_refresh(organisation, epoch, lease_token, now + REFRESH_LEASE, now).await?;
            if let Some(integration) = leased {
                let (grants, rejected) = (self.clone(), rejected.cloned());
                let turn = async move { grants.take_turn(integration, lease_token, rejected.as_ref()).await };
                // In a task of its own: a caller that goes away does not leave the others waiting for the lease to lapse.
                return match tokio::spawn(turn.in_current_span()).await {
                    Ok(access) => access,
                    Err(failure) => std::panic::resume_unwind(failure.into_panic()),
                };
            }
            self.clock.sleep(REFRESH_POLL).await;
        }
    }

    /// The access token that is stored with the grant, if it is fit.
    fn stored(
        &self,
        grant: &LiveGrant,
        now: Timestamp,
        rejected: Option<&Access>,
    ) -> Result<Option<Access>, AccessError> {
        let Some((sealed, expires_at)) = &grant.access_token else { return Ok(None) };
        let token = self.secrets.open_token(&grant.organisation, TokenColumn::AccessToken, sealed)?;
        let access = Access { token, google_user_id: grant.google_user_id.clone(), expires_at: *expires_at };
        if access.is_fit(now, rejected) {
            return Ok(Some(access));
        }
        if access.is_live(now) && grant.is_refreshed_lately(now) {
            return Err(AccessError::Unavailable { retry_after: None });
        }
        Ok(None)
    }

    /// Refreshes under the lease, unless whoever held it before has done so.
    async fn take_turn(
        &self,
        integration: Integration,
        lease_token: Uuid,
        rejected: Option<&Access>,
    ) -> Result<Access, AccessError> {
        let (organisation, epoch) = (integration.organisation.clone(), integration.epoch);
        let turn = async {
            let grant = LiveGrant::of(Some(integration), epoch)?;
            match self.stored(&grant, self.clock.now(), rejected)? {
                Some(access) => Ok((access, false)),
                None => Ok((self.refresh(grant).await?, true)),
            }
        };
        let outcome: Result<(Access, bool), AccessError> = turn.await;
        match outcome {
            // Stored, and the lease ended with it.
            Ok((access, true)) => Ok(access),
            kept => {
                // Fenced: the account was connected anew. Where the database is away, the lease lapses by itself.
                let _ = self.store.release_refresh(&organisation, lease_token).await;
                kept.map(|(access, _)| access)
            }
        }
    }

    /// Whether Google honours the grant, which the token endpoint alone can tell: an access token, and one that was refreshed
    /// a moment ago, say nothing of now. `None`: it could not be asked. A grant that is dead is noted.
    pub(super) async fn is_alive(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
    ) -> Result<Option<bool>, store::Error> {
        match self.refresh_now(organisation, epoch).await {
            Ok(_) => Ok(Some(true)),
            Err(AccessError::ReconnectRequired | AccessError::Fenced) => Ok(Some(false)),
            Err(AccessError::Unavailable { .. } | AccessError::Misconfigured | AccessError::Sealed(_)) => Ok(None),
            Err(AccessError::Store(error)) => Err(error),
        }
    }

    /// Refreshes under the lease, however young the access token is.
    async fn refresh_now(&self, organisation: &OrganisationId, epoch: Epoch) -> Result<Access, AccessError> {
        loop {
            LiveGrant::of(self.store.integration(organisation).await?, epoch)?;
            let (lease_token, now) = (self.secrets.lease_token(), self.clock.now());
            let leased = self.store.lease_refresh(organisation, epoch, lease_token, now + REFRESH_LEASE, now).await?;
            if let Some(integration) = leased {
                let refreshed = match LiveGrant::of(Some(integration), epoch) {
                    Ok(grant) => self.refresh(grant).await,
                    Err(error) => Err(error),
                };
                if refreshed.is_err() {
                    // Fenced: the account was connected anew. Where the database is away, the lease lapses by itself.
                    let _ = self.store.release_refresh(organisation, lease_token).await;
                }
                return refreshed;
            }
            self.clock.sleep(REFRESH_POLL).await;
        }
    }

    /// Asks Google for another access token, and stores it for the other replicas. What Google refuses is noted.
    async fn refresh(&self, grant: LiveGrant) -> Result<Access, AccessError> {
        let LiveGrant { organisation, epoch, google_user_id, refresh_token, access_token: _, refreshed_at: _ } = grant;
        let refresh_token = self.secrets.open_token(&organisation, TokenColumn::RefreshToken, &refresh_token)?;
        let refreshed = match self.google.client.refresh(&refresh_token).await {
            Ok(refreshed) => refreshed,
            Err(RefreshError::GrantDead) => {
                self.note_problem(&organisation, epoch, Reason::ReconnectRequired, None).await?;
                return Err(AccessError::ReconnectRequired);
            }
            Err(RefreshError::Misconfigured) => {
                self.note_problem(&organisation, epoch, Reason::GoogleMisconfigured, None).await?;
                return Err(AccessError::Misconfigured);
            }
            Err(RefreshError::Unavailable { retry_after }) => return Err(AccessError::Unavailable { retry_after }),
        };
        let seal = |column, token: &Secret| self.secrets.seal_token(&organisation, column, token);
        let tokens = RefreshedTokens {
            access_token: seal(TokenColumn::AccessToken, &refreshed.access_token),
            expires_at: refreshed.expires_at,
            refresh_token: refreshed.refresh_token.as_ref().map(|token| seal(TokenColumn::RefreshToken, token)),
        };
        match self.store.save_tokens(&organisation, epoch, tokens, self.clock.now()).await? {
            Guarded::Done => {}
            Guarded::Fenced => return Err(AccessError::Fenced),
        }
        Ok(Access { token: refreshed.access_token, google_user_id, expires_at: refreshed.expires_at })
    }
}
