//! The end of a grant: revoked at Google, unless others use the account.
//!
//! Owns the order of it: ask Google about the others' grants, take the account's turn, revoke, let go. Never holds anything
//! up for Google's sake: a grant whose revocation got no answer waits among those that nobody keeps, and is given up after
//! a day. Invariant: while an account is revoked, no grant of it is stored.

use jiff::SignedDuration;
use tracing::Instrument as _;

use super::Grants;
use crate::connection::Error;
use crate::crypto::{Sealed, TokenColumn};
use crate::error_chain::error_chain;
use crate::google::{CALL_DEADLINE, Orphan, RevokeError};
use crate::model::{Change, GoogleUserId, GrantEnd, OrganisationId};
use crate::store::{self, GrantHolder, Integration, Revocation, RevocationLease, UnkeptGrant};
use crate::sync::{RetryCause, backoff};

/// How long the right to revoke an account lasts: longer than the call that it is for.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
const _: () = assert!(CALL_DEADLINE.as_secs() < LEASE.as_secs().unsigned_abs());

/// How long a grant that nobody keeps is tried to be revoked.
const REVOCATION_GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Where a person ends a grant.
pub const ACCOUNT_PAGE: &str = "https://myaccount.google.com/connections";

impl Grants {
    /// Ends the grant of an integration whose disconnect has nothing left to do, and erases it here. Where the account is
    /// being revoked by somebody else, nothing has changed: try again later.
    pub(in crate::connection) async fn end(&self, integration: &Integration) -> Result<Revocation, store::Error> {
        let (organisation, epoch) = (&integration.organisation, integration.epoch);
        match (&integration.google_user_id, &integration.refresh_token) {
            (Some(account), Some(token)) => {
                let holder = GrantHolder::Integration { organisation: organisation.clone(), epoch };
                Ok(self.revoke(organisation, account, token, holder, Tries::default()).await?.0)
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
        if is_accepted {
            if !self.store.confirm_account(organisation, now).await? {
                return Err(Error::NoPendingAccount);
            }
            tracing::info!("another Google account is connected");
            self.notifier.notify_due();
        } else {
            self.store.drop_pending_account(organisation, now).await?;
            self.store.queue_lapsed_grants(now).await?;
        }
        self.notifier.notify(&Change::Integration(organisation.clone()));
        self.revoke_unkept(Some(organisation)).await?;
        Ok(())
    }

    /// Gives up what an exchange brought that came to nothing, and answers what became of it. Without the account nobody can
    /// tell who else uses it, and nothing is revoked.
    pub(in crate::connection) async fn give_up(
        &self,
        organisation: &OrganisationId,
        orphan: &Orphan,
    ) -> Result<GrantEnd, store::Error> {
        let Some(account) = &orphan.google_user_id else {
            tracing::warn!(
                organisation.id = %organisation,
                "a grant of an account that is not known is not revoked; it ends by itself, or at {ACCOUNT_PAGE}"
            );
            return Ok(GrantEnd::Refused);
        };
        let token = self.secrets.seal_token(organisation, TokenColumn::RefreshToken, &orphan.token);
        self.store.queue_unkept_grant(organisation, account, &token, self.clock.now()).await?;
        Ok(self.revoke_unkept(Some(organisation)).await?.of(&token))
    }

    /// Ends the grants that no longer wait for a person's word, and revokes those that nobody keeps: all of them, or those
    /// given to one organisation.
    pub(in crate::connection) async fn end_unkept(
        &self,
        organisation: Option<&OrganisationId>,
    ) -> Result<(), store::Error> {
        self.store.queue_lapsed_grants(self.clock.now()).await?;
        self.revoke_unkept(organisation).await?;
        Ok(())
    }

    /// Revokes the grants that nobody keeps and that are due: all of them, or those given to one organisation. Answers what
    /// became of each.
    pub(super) async fn revoke_unkept(&self, organisation: Option<&OrganisationId>) -> Result<GrantEnds, store::Error> {
        let mut ends = Vec::new();
        let now = self.clock.now();
        for grant in self.store.unkept_grants_due(organisation, now).await? {
            let UnkeptGrant { organisation, google_user_id, token, attempts, since_at } = grant;
            let holder = GrantHolder::Unkept { organisation: organisation.clone(), token: token.clone() };
            let tries = Tries {
                attempts: u32::try_from(attempts).unwrap_or(0),
                is_last: since_at + REVOCATION_GIVE_UP_AFTER <= now,
            };
            // Where somebody else revokes the account, it is looked at again.
            let (_, end) = self.revoke(&organisation, &google_user_id, &token, holder, tries).await?;
            ends.push((token, end));
            self.notifier.notify(&Change::Integration(organisation));
        }
        Ok(GrantEnds(ends))
    }

    /// Revokes an account unless others use it, and lets `holder` leave; what became of its grant comes with the answer. In
    /// a task of its own: a caller that goes away does not leave the account leased.
    async fn revoke(
        &self,
        organisation: &OrganisationId,
        account: &GoogleUserId,
        token: &Sealed,
        holder: GrantHolder,
        tries: Tries,
    ) -> Result<(Revocation, GrantEnd), store::Error> {
        let (grants, organisation, account) = (self.clone(), organisation.clone(), account.clone());
        let token = token.clone();
        let turn = async move {
            let sharers = grants.sharers(&account, &holder).await?;
            let now = grants.clock.now();
            let lease = RevocationLease { token: grants.secrets.lease_token(), until: now + LEASE };
            let wait = backoff(RetryCause::Unavailable, tries.attempts, None, grants.secrets.number());
            if matches!(sharers, Sharers::Unknown) && !tries.is_last {
                // It leaves, and its grant waits until that can be told.
                grants.store.finish_revocation(&account, holder, lease, GrantEnd::Pending, now + wait, now).await?;
                return Ok((Revocation::Leased, GrantEnd::Pending));
            }
            let revocation = grants.store.begin_revocation(&account, holder.clone(), lease, now).await?;
            let end = match revocation {
                Revocation::Leased => {
                    let end = grants.revoke_token(&organisation, &token, tries).await;
                    let now = grants.clock.now();
                    grants.store.finish_revocation(&account, holder, lease, end, now + wait, now).await?;
                    end
                }
                Revocation::Shared => GrantEnd::Shared,
                Revocation::UnderWay => GrantEnd::Pending,
                // By somebody else, who had nothing else to do with it.
                Revocation::Ended => GrantEnd::Revoked,
            };
            Ok((revocation, end))
        };
        match tokio::spawn(turn.in_current_span()).await {
            Ok(revoked) => revoked,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }

    /// Asks Google about the grants that others have of the account, until one of them lives: that a person has ended one is
    /// told to nobody, and the account would be left to who cannot end it. One that is dead is noted by that.
    async fn sharers(&self, account: &GoogleUserId, holder: &GrantHolder) -> Result<Sharers, store::Error> {
        let mut sharers = Sharers::Dead;
        for (organisation, epoch) in self.store.sharers(account, holder).await? {
            // What is told of it is told of this organisation, and not of the one that leaves.
            let span = tracing::error_span!(parent: None, "sharer", organisation.id = %organisation);
            match self.is_alive(&organisation, epoch).instrument(span).await? {
                Some(true) => return Ok(Sharers::Alive),
                Some(false) => {}
                None => sharers = Sharers::Unknown,
            }
        }
        Ok(sharers)
    }

    /// What becomes of a grant that may be revoked.
    async fn revoke_token(&self, organisation: &OrganisationId, sealed: &Sealed, tries: Tries) -> GrantEnd {
        let revoked = match self.secrets.open_token(organisation, TokenColumn::RefreshToken, sealed) {
            Ok(token) => self.google.client.revoke(&token).await.map_err(|error| {
                let end = match error {
                    RevokeError::Unavailable => GrantEnd::Pending,
                    RevokeError::Rejected { .. } => GrantEnd::Refused,
                };
                (end, error_chain(&error).to_string())
            }),
            Err(error) => Err((GrantEnd::Pending, error_chain(&error).to_string())),
        };
        match revoked {
            Ok(()) => GrantEnd::Revoked,
            Err((GrantEnd::Pending, error)) if !tries.is_last => {
                tracing::info!(organisation.id = %organisation, %error, "a grant could not be revoked yet");
                GrantEnd::Pending
            }
            Err((_, error)) => {
                tracing::warn!(
                    organisation.id = %organisation, %error,
                    "a grant could not be revoked; it ends by itself, or at {ACCOUNT_PAGE}"
                );
                GrantEnd::Refused
            }
        }
    }
}

/// Whether others have a grant of an account that Google honours.
enum Sharers {
    /// One of them does.
    Alive,
    /// Nobody does, or nobody has one.
    Dead,
    /// Google could not be asked about some, and honours none of the rest.
    Unknown,
}

/// What became of grants that nobody keeps, by their sealed tokens.
pub(super) struct GrantEnds(Vec<(Sealed, GrantEnd)>);

impl GrantEnds {
    /// What became of one of them; whoever was not reached waits.
    pub(super) fn of(&self, token: &Sealed) -> GrantEnd {
        self.0.iter().find(|(its, _)| its == token).map_or(GrantEnd::Pending, |(_, end)| *end)
    }
}

/// How often a grant has been tried to be revoked.
#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    attempts: u32,
    /// Whether it is given up where this one fails.
    is_last: bool,
}
