//! The end of a grant: revoked at Google, unless others use the account.
//!
//! Owns the order of it: take the account's turn, revoke, let go. Never holds anything up for Google's sake: a revocation
//! that fails is logged. Invariant: while an account is revoked, no grant of it is stored.

use jiff::SignedDuration;
use tracing::Instrument as _;

use super::Grants;
use crate::connection::Error;
use crate::crypto::{Sealed, TokenColumn};
use crate::error_chain::error_chain;
use crate::google::CALL_DEADLINE;
use crate::model::{Change, GoogleUserId, OrganisationId};
use crate::store::{self, Integration, Leaving, PendingGrant, Revocation, RevocationLease};

/// How long the right to revoke an account lasts: longer than the call that it is for.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
const _: () = assert!(CALL_DEADLINE.as_secs() < LEASE.as_secs().unsigned_abs());

impl Grants {
    /// Ends the grant of an integration whose disconnect has nothing left to do, and erases it here. Where the account is
    /// being revoked by somebody else, nothing has changed: try again later.
    pub(in crate::connection) async fn end(&self, integration: &Integration) -> Result<Revocation, store::Error> {
        let (organisation, epoch) = (&integration.organisation, integration.epoch);
        match (&integration.google_user_id, &integration.refresh_token) {
            (Some(account), Some(token)) => {
                let leaving = Leaving::Integration { organisation: organisation.clone(), epoch };
                self.revoke(organisation, account, token, leaving).await
            }
            (None, _) | (_, None) => {
                // Fenced: it has ended already, or the organisation has connected anew.
                let _ = self.store.finish_disconnect(organisation, epoch, self.clock.now()).await?;
                Ok(Revocation::Ended)
            }
        }
    }

    /// Takes the account that waits for a person's word in place of the connected one, or drops it.
    pub(in crate::connection) async fn confirm(
        &self,
        organisation: &OrganisationId,
        is_accepted: bool,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        if !is_accepted {
            self.store.drop_pending_account(organisation, now).await?;
            return Ok(self.end_lapsed(Some(organisation)).await?);
        }
        let before = self.store.confirm_account(organisation, now).await?.ok_or(Error::NoPendingAccount)?;
        tracing::info!(organisation.id = %organisation, "another Google account is connected");
        self.notifier.notify(&Change::Integration(organisation.clone()));
        self.notifier.notify_due();
        if let (Some(account), Some(token)) = (&before.google_user_id, &before.refresh_token) {
            // Where somebody else revokes that account, this grant of it ends as well.
            let _ = self.revoke(organisation, account, token, Leaving::Nobody).await?;
        }
        Ok(())
    }

    /// Ends the grants that waited for a person's word and wait no more: those of one organisation, or all.
    pub(in crate::connection) async fn end_lapsed(
        &self,
        organisation: Option<&OrganisationId>,
    ) -> Result<(), store::Error> {
        let lapsed = self.store.lapsed_grants(self.clock.now()).await?;
        for PendingGrant { organisation, google_user_id, refresh_token } in
            lapsed.into_iter().filter(|it| organisation.is_none_or(|wanted| *wanted == it.organisation))
        {
            let leaving = Leaving::Pending { organisation: organisation.clone() };
            // Where somebody else revokes the account, it is looked at again.
            let _ = self.revoke(&organisation, &google_user_id, &refresh_token, leaving).await?;
            self.notifier.notify(&Change::Integration(organisation));
        }
        Ok(())
    }

    /// Revokes an account unless others use it, and lets `leaving` leave. In a task of its own: a caller that goes away
    /// does not leave the account leased.
    pub(super) async fn revoke(
        &self,
        organisation: &OrganisationId,
        account: &GoogleUserId,
        refresh_token: &Sealed,
        leaving: Leaving,
    ) -> Result<Revocation, store::Error> {
        let (grants, organisation, account) = (self.clone(), organisation.clone(), account.clone());
        let refresh_token = refresh_token.clone();
        let turn = async move {
            let now = grants.clock.now();
            let lease = RevocationLease { token: grants.secrets.lease_token(), until: now + LEASE };
            let revocation = grants.store.begin_revocation(&account, leaving.clone(), lease, now).await?;
            match revocation {
                Revocation::Leased => {
                    grants.revoke_token(&organisation, &refresh_token).await;
                    grants.store.finish_revocation(&account, leaving, lease, grants.clock.now()).await?;
                }
                Revocation::Shared | Revocation::UnderWay | Revocation::Ended => {}
            }
            Ok(revocation)
        };
        match tokio::spawn(turn.in_current_span()).await {
            Ok(revocation) => revocation,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }

    async fn revoke_token(&self, organisation: &OrganisationId, refresh_token: &Sealed) {
        let token = match self.secrets.open_token(organisation, TokenColumn::RefreshToken, refresh_token) {
            Ok(token) => token,
            Err(error) => {
                tracing::warn!(
                    organisation.id = %organisation, error = %error_chain(&error),
                    "a grant could not be revoked"
                );
                return;
            }
        };
        if let Err(error) = self.google.revoke(&token).await {
            tracing::warn!(
                organisation.id = %organisation, error = %error_chain(&error),
                "a grant could not be revoked; it ends by itself, or in the account's own settings"
            );
        }
    }
}
